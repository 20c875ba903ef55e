"""The training pictures: drawn once, kept in a memory map below `.train/`, told in new words every time."""

import itertools
import os
from pathlib import Path

import numpy as np

from .. import drawing, scenes, words

COUNT = 60_000          # pictures trained on, of combinations that are not held out
SIZE = 128              # pixels they are kept at


def home():
    """Where pictures and states of trainings are kept: DISCOTHEQUE_TRAIN, or `.train` in this folder."""
    return Path(os.environ.get("DISCOTHEQUE_TRAIN") or ".train").expanduser()


def scene(index, held=False):
    """Picture number `index` of the world, or of its held-out part: the same scene on every machine."""
    return scenes.sample(np.random.default_rng([20260, int(held), index]), held)


def chunk(path, size, start, stop, held):
    """Draw pictures `start`..`stop` - 1 into the memory map at `path`."""
    pixels = np.load(path, mmap_mode="r+")
    for i in range(start, stop):
        pixels[i] = drawing.draw(scene(i, held), size)
    pixels.flush()


def pictures(count=COUNT, size=SIZE, held=False, workers=2):
    """(count, size, size, 3) uint8 memory map of scenes 0..count-1; the first time, `workers` processes draw
    it: a core does 200 a second at 128 px, so two take a few minutes for 60,000."""
    from concurrent.futures import ProcessPoolExecutor

    home().mkdir(parents=True, exist_ok=True)
    path = home() / f"pictures-{'held-' if held else ''}{size}-{count}.npy"
    if not path.exists():
        part = path.with_suffix(".part.npy")
        np.lib.format.open_memmap(part, "w+", np.uint8, (count, size, size, 3)).flush()
        cuts = [*range(0, count, 2000), count]
        with ProcessPoolExecutor(workers) as pool:
            parts = [pool.submit(chunk, part, size, a, b, held) for a, b in itertools.pairwise(cuts)]
            for drawn in parts:
                drawn.result()
        part.rename(path)
    return np.load(path, mmap_mode="r")


class Batches:
    """Endless shuffled batches of `size`, a function of the step alone.

    held: how many pictures of held-out combinations to mix in. Only the judge sees them: a judge that never
    saw a black lighthouse would take its absence for a law of nature.
    """

    def __init__(self, size, count=COUNT, held=0):
        self.size, self.count = size, count
        self.sources = [pictures(count)] + ([pictures(held, held=True)] if held else [])
        self.scenes = [scene(i) for i in range(count)] + [scene(i, True) for i in range(held)]

    def batch(self, step):
        """(scenes, pixels (size, 128, 128, 3) uint8)."""
        per_epoch = len(self.scenes) // self.size
        order = np.random.default_rng([7, step // per_epoch]).permutation(len(self.scenes))
        chosen = np.sort(order[(step % per_epoch) * self.size :][: self.size])
        seen, held = chosen[chosen < self.count], chosen[chosen >= self.count] - self.count
        pixels = [self.sources[0][seen]] + ([self.sources[1][held]] if len(held) else [])
        return [self.scenes[i] for i in chosen], np.concatenate(pixels)


def captions(chosen, rng):
    """A sentence for each scene."""
    return [words.caption(s, rng) for s in chosen]
