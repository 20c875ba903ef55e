"""The world: a scene is data; from it come pictures, masks, depth (drawing.py) and captions (words.py).

scene = sample(numpy.random.default_rng(0))
pixels = drawing.draw(scene, 64)                    # (64, 64, 3) uint8
text = words.caption(scene, rng)         # "two red cats beside a blue house in the snow at night"
"""

from dataclasses import dataclass, field

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

# name: (painter, height as a fraction of the sheet when alone, where it lives)
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
RELATIONS = ("over", "beside", "on", "in")  # "in": in a crowd


@dataclass(frozen=True)
class Item:
    """One kind of thing in a scene: its name, color and how many."""

    thing: str
    color: str
    count: int = 1


@dataclass(frozen=True)
class Scene:
    """What is to be seen. `second` stands in `relation` to `first`: first over/beside/on/in second.
    `seed` fixes the layout.
    """

    first: Item
    relation: str = ""
    second: Item | None = None
    place: str = "meadow"
    sky: str = "day"
    style: str = "flat"
    seed: int = field(default=0)

    @property
    def items(self):
        return [self.first] + ([self.second] if self.second else [])


def held_out(first, relation="", second=None):
    """Is this combination kept from training? A fixed tenth of (thing, color) and of (thing, relation,
    thing).
    """
    things, colors = list(THINGS), list(COLORS)

    def pair(item):
        return (7 * things.index(item.thing) + 3) % 10 == colors.index(item.color)

    if pair(first) or (second is not None and pair(second)):
        return True
    if second is None:
        return False
    return (
        7 * things.index(first.thing) + 3 * RELATIONS.index(relation) + 9 * things.index(second.thing)
    ) % 10 == 0


def pick(rng, options):
    return list(options)[rng.integers(len(options))]


def sample(rng, held=False, **fixed):
    """A scene drawn at random; `held=True` draws from the held-out tenth alone. `fixed` sets fields of
    the Scene.
    """
    while True:
        scene = propose(rng)
        scene = Scene(**{**scene.__dict__, **fixed})
        if held_out(scene.first, scene.relation, scene.second) == held:
            return scene


def propose(rng):
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
    return Scene(
        first,
        relation,
        second,
        pick(rng, PLACES),
        pick(rng, SKIES),
        pick(rng, STYLES),
        int(rng.integers(2**31)),
    )
