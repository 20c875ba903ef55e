"""The algebra of guides: they add, they scale, and they report each term by name."""

from torch import nn

from helpers import abreast
from helpers.cutouts import at


class Guide(nn.Module):
    """`guide(image, progress)` -> scalar, lower is better. `label` names the term in reports.

    Who asks perceptors has `asks` in place of `forward`: the same, but it yields (function, x) where it is to
    be told function(x), so that several can be told at once.
    """

    label = ""

    def forward(self, image, progress=0.0):
        return told([self.asks(image, progress)])[0]

    def asks(self, image, progress=0.0):
        yield from ()
        return self(image, progress)

    @property
    def terms(self):
        return [(1.0, self)]

    def score(self, image, progress=0.0):
        """Name -> weighted loss; terms of one name share an entry, terms of weight 0 are not computed."""
        losses, now = {}, [(at(weight, progress), guide) for weight, guide in self.terms]
        now = [(weight, guide) for weight, guide in now if weight != 0]
        answers = told([guide.asks(image, progress) for _, guide in now])
        for (weight, guide), loss in zip(now, answers, strict=True):
            name = guide.label or type(guide).__name__.lower()
            losses[name] = losses.get(name, 0) + weight * loss
        return losses

    def economize(self):
        """Use less memory at a time for the same result; False where nothing is left to save."""
        return False

    def __add__(self, other):
        return Blend(self.terms + other.terms)

    def __mul__(self, weight):
        return Blend([(product(weight, mine), guide) for mine, guide in self.terms])

    __rmul__ = __mul__


class Blend(Guide):
    """A weighted sum of guides; made by `+` and `*`."""

    def __init__(self, terms):
        super().__init__()
        self.weights = [weight for weight, _ in terms]
        self.guides = nn.ModuleList(guide for _, guide in terms)

    @property
    def terms(self):
        return list(zip(self.weights, self.guides, strict=True))

    def forward(self, image, progress=0.0):
        return sum(self.score(image, progress).values())

    def economize(self):
        return any([guide.economize() for guide in self.guides])


class Story(Guide):
    """One guide after the other, each for `every` steps, and around again; or each from its step of `starts`
    on, the first from the beginning. passed: progress -> how many steps are behind then."""

    def __init__(self, guides, every, passed, starts=()):
        super().__init__()
        self.guides, self.every, self.passed, self.starts = nn.ModuleList(guides), every, passed, starts

    def scene(self, progress):
        """Which guide speaks now. Depends on progress alone, so a resumed run is in the right scene."""
        return scene_at(self.passed(progress), len(self.guides), self.every, self.starts)

    def forward(self, image, progress=0.0):
        return self.guides[self.scene(progress)](image, progress)

    def score(self, image, progress=0.0):
        return self.guides[self.scene(progress)].score(image, progress)

    def economize(self):
        return any([guide.economize() for guide in self.guides])


def scene_at(step, count, every, starts=()):
    """Which of `count` scenes it is after `step` steps: `every` so many another one, or each from its step of
    `starts` on."""
    step += 1e-6
    return int(sum(step >= start for start in starts) if starts else step / every) % count


def told(guides):
    """What several `asks` return. They begin one after the other, as they draw from the same chance; what is
    small to look at is then looked at side by side."""
    results, waiting = [None] * len(guides), dict.fromkeys(range(len(guides)))
    while waiting:
        asked = {}
        for number, answer in waiting.items():
            try:
                question = guides[number].send(answer)
                while not abreast.small(question[1], abreast.LOOKS):
                    question = guides[number].send(question[0](question[1]))
                asked[number] = question
            except StopIteration as end:
                results[number] = end.value
        waiting = dict(zip(asked, abreast.asked(list(asked.values())), strict=True))
    return results


def product(a, b):
    if callable(a) or callable(b):
        return lambda progress: at(a, progress) * at(b, progress)
    return a * b
