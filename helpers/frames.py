"""Frames: what leaves a painting step by step, and how its steps go on, whatever is done in them."""

import logging
import time
from dataclasses import dataclass, field

import torch

from helpers.errors import Refused

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Frame:
    """One step: `step` of `total`, from 1; `image` (n, 3, h, w) in [0, 1] or None; `seconds` of painting so
    far. Step 0 is work before the first one, and `note` says how far it has come."""

    step: int
    total: int
    image: torch.Tensor | None
    losses: dict = field(default_factory=dict)
    seconds: float = 0.0
    note: str = ""


class Frames:
    """An iterator of `steps` Frames. Stop whenever you like: `image()` is the picture so far, and the
    `state_dict()` of a subclass is all it takes to go on.

    `every`: steps between pictures, the first of which comes after one step, or a function step -> bool.
    `before_step`: called with the painting, in order, before each step. `retune`, set by a system: new
    settings -> their live knobs take effect. `networks`: catalogue names of what paints and looks, for the
    record. `opening`, set by a system: work before the first step, an iterator of notes on how far it has
    come.
    """

    def __init__(self, steps, every=1, before_step=(), networks=()):
        self.steps, self.every = steps, every if callable(every) else nth(every)
        self.before_step, self.networks = list(before_step), list(networks)
        self.step, self.seconds, self.retune, self.opening = 0, 0.0, None, None
        self.savings = []           # (words, deed): what else a step may do to take less memory, best first

    def __iter__(self):
        return self

    def __next__(self):
        if self.step >= self.steps:
            raise StopIteration
        began = time.perf_counter()
        note = next(self.opening, None) if self.opening and not self.step else None
        if note is not None:
            self.seconds += time.perf_counter() - began
            return Frame(0, self.steps, None, {}, self.seconds, note)
        self.begin()
        for hook in self.before_step:
            hook(self)
        losses = self.one_step()
        self.step += 1
        image = self.image() if self.step >= self.steps or self.every(self.step) else None
        self.seconds += time.perf_counter() - began
        return Frame(self.step, self.steps, image, losses, self.seconds)

    @property
    def progress(self):
        return self.step / max(1, self.steps)

    def economize(self):
        """Take less memory at a time for the same result: how, in words; nothing where no way is left."""
        if self.savings:
            words, deed = self.savings.pop(0)
            deed()
            return words
        return "looking at half as many crops at a time" if self.guide.economize() else ""

    def begin(self):
        """What comes before the hooks of a step."""

    def one_step(self):
        """The work of a step; name -> loss, a number."""
        return {}

    def image(self):
        """The picture as it is now, (n, 3, h, w) in [0, 1]."""
        raise NotImplementedError


def nth(every):
    """step -> is it the first, which nobody likes to wait for, or the next of every so many?"""
    return lambda step: step == 1 or step % every == 0


def fitting(work, economize):
    """What `work()` gives; where it runs out of memory, `economize()` first, as often as it tells a way to
    save, else it is Refused."""
    while True:
        full = None
        try:
            return work()
        except (RuntimeError, MemoryError) as error:            # torch.OutOfMemoryError is a RuntimeError
            if not out_of_memory(error):
                raise
            full = str(error)
        # outside of `except`, whose traceback would hold on to the tensors
        if not (saved := economize()):
            raise Refused("the picture does not fit into memory", "it would on a larger machine",
                          "try a smaller width and height, or fewer crops")
        log.warning("out of memory: %s (%s)", saved, full[:80])
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def out_of_memory(error):
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words
