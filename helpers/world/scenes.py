"""The world: a scene is data; from it come pictures, masks, depth (drawing.py) and captions (words.py).

    rng = numpy.random.default_rng(0)
    scene = sample(rng)                             # or Scene(Item("cat", "red"), "on", Item("boat", "blue"))
    pixels = drawing.draw(scene, 64)                # (64, 64, 3) uint8
    text = words.caption(scene, rng)                # "a red kitten riding a blue ship at dusk"
"""

from dataclasses import dataclass, replace

from ..errors import Refused, unknown
from . import animals, buildings, objects, people
from .places import PLACES
from .skies import SKIES
from .styles import STYLES

COLORS = {
    "red": (218, 44, 42),
    "orange": (244, 140, 40),
    "yellow": (250, 214, 50),
    "green": (54, 160, 74),
    "blue": (44, 98, 214),
    "purple": (134, 62, 178),
    "pink": (248, 140, 186),
    "white": (248, 248, 246),
    "black": (34, 32, 38),
    "brown": (128, 80, 44),
}

# name: (painter, height when alone in sheets, where it lives)
THINGS = {
    "car": (objects.car, 0.62, "ground"),
    "house": (buildings.house, 0.62, "ground"),
    "tree": (objects.tree, 0.7, "ground"),
    "boat": (objects.boat, 0.62, "water"),
    "balloon": (objects.balloon, 0.66, "air"),
    "lighthouse": (buildings.lighthouse, 0.76, "ground"),
    "castle": (buildings.castle, 0.68, "ground"),
    "mountain": (buildings.mountain, 0.66, "ground"),
    "ruins": (buildings.ruins, 0.58, "ground"),
    "flower": (objects.flower, 0.66, "ground"),
    "cat": (animals.cat, 0.6, "ground"),
    "horse": (animals.horse, 0.64, "ground"),
    "fish": (animals.fish, 0.62, "water"),
    "bird": (animals.bird, 0.58, "air"),
    "mushroom": (objects.mushroom, 0.6, "ground"),
    "woman": (people.woman, 0.7, "ground"),
    "astronaut": (people.astronaut, 0.68, "ground"),
    "crowd": (people.crowd, 0.72, "ground"),
    "clock": (objects.clock, 0.62, "ground"),
    "time traveller": (people.traveller, 0.66, "ground"),
    "rocket": (objects.rocket, 0.7, "air"),
    "train": (objects.train, 0.62, "ground"),
    "dog": (animals.dog, 0.62, "ground"),
    "umbrella": (objects.umbrella, 0.6, "ground"),
    "teapot": (objects.teapot, 0.6, "ground"),
    "robot": (people.robot, 0.64, "ground"),
    "whale": (animals.whale, 0.64, "water"),
    "butterfly": (animals.butterfly, 0.56, "air"),
    "windmill": (buildings.windmill, 0.68, "ground"),
    "snowman": (people.snowman, 0.6, "ground"),
    "cactus": (objects.cactus, 0.64, "ground"),
    "apple": (objects.apple, 0.58, "ground"),
}
RELATIONS = ("over", "beside", "on", "in")      # "in": in a crowd
COUNTS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Item:
    """One kind of thing in a scene: its name, its color and how many (1 to 4). Unknown names: Refused."""

    thing: str
    color: str
    count: int = 1

    def __post_init__(self):
        known("thing", self.thing, THINGS)
        known("color", self.color, COLORS)
        if self.count not in COUNTS:
            raise Refused(f"{self.count} things of a kind", "a scene shows 1 to 4",
                          f"try {min(max(1, self.count), 4)}")


@dataclass(frozen=True)
class Scene:
    """What is to be seen: first over, beside, on or in (a crowd of) second, or first alone (relation "").

    `seed` fixes where everything stands. Names the world does not know, or a relation to nothing: Refused.
    """

    first: Item
    relation: str = ""
    second: Item | None = None
    place: str = "meadow"
    sky: str = "day"
    style: str = "flat"
    seed: int = 0

    def __post_init__(self):
        known("place", self.place, PLACES)
        known("sky", self.sky, SKIES)
        known("style", self.style, STYLES)
        if self.relation:
            known("relation", self.relation, RELATIONS)
        if bool(self.relation) != bool(self.second):
            raise Refused(f"relation {self.relation!r} with {2 if self.second else 1} of two things",
                          "two things have a relation, one has none", "give both or neither")

    @property
    def items(self):
        """The things in it, one or two."""
        return [self.first] + ([self.second] if self.second else [])


def known(what, name, names):
    """Refuse a name the world does not know, and guess which was meant."""
    if name not in names:
        raise unknown(what, name, names)


def held_out(first, relation="", second=None):
    """Is this combination kept from training?

    A fixed tenth of the pairs (thing, color) and a fixed tenth of the triples (thing, relation, thing) are:
    sums modulo 10, so that the choice is spread over all things and the same on every machine.
    """
    things, colors = list(THINGS), list(COLORS)
    items = [first] if second is None else [first, second]
    if any((7 * things.index(i.thing) + 3) % 10 == colors.index(i.color) for i in items):
        return True
    if second is None:
        return False
    a, b = (things.index(i.thing) for i in items)
    return (7 * a + 3 * RELATIONS.index(relation) + 9 * b) % 10 == 0


def pick(rng, options):
    """One of the options, each as likely."""
    return list(options)[rng.integers(len(options))]


def sample(rng, held=False, **fixed):
    """A scene drawn at random from what is trained on, or, `held`, from the held-out combinations alone.

    `fixed` sets fields of the Scene; Refused if none of 10,000 scenes then falls on the side asked for.
    """
    for _ in range(10_000):
        scene = replace(propose(rng), **fixed)
        if held_out(scene.first, scene.relation, scene.second) == held:
            return scene
    raise Refused(f"no {'held-out' if held else 'trained'} scene has {', '.join(fixed)} as given",
                  "held_out(first, relation, second) tells the side", f"try held={not held}")


def propose(rng):
    """Any scene: of 100, 60 show one thing, 14 two to four of a kind, 23 a pair, 3 a thing in a crowd."""

    def item(count=1):
        return Item(pick(rng, THINGS), pick(rng, COLORS), count)

    kind, relation, second = rng.uniform(), "", None
    first = item(int(rng.integers(2, 5)) if 0.6 < kind < 0.74 else 1)
    if kind >= 0.97:
        relation, second = "in", Item("crowd", pick(rng, COLORS))
        while first.thing == "crowd":
            first = item()
    elif kind >= 0.74:
        relation = pick(rng, ("over", "beside", "on"))
        second = item()
        while second.thing == first.thing:
            second = item()
    place, sky, style = pick(rng, PLACES), pick(rng, SKIES), pick(rng, STYLES)
    return Scene(first, relation, second, place, sky, style, seed=int(rng.integers(2**31)))
