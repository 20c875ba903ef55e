"""The training pictures: drawn once, kept in a memory map under `.train/`, told in new words every time."""

import itertools
import os
from pathlib import Path

import numpy as np

from .. import drawing, scenes, words

STATE = Path(os.environ.get("DISCOTHEQUE_TRAIN", ".train"))


def scene(index, held=False):
    """Picture number `index` of the world: the same scene on every machine."""
    return scenes.sample(np.random.default_rng([20260, int(held), index]), held)


def chunk(path, size, start, stop, held):
    pixels = np.load(path, mmap_mode="r+")
    for i in range(start, stop):
        pixels[i] = drawing.draw(scene(i, held), size)
    pixels.flush()


def pictures(count=60_000, size=128, held=False, workers=2):
    """(count, size, size, 3) uint8 memory map of scenes 0..count-1; drawn by `workers` processes the
    first time.
    """
    from concurrent.futures import ProcessPoolExecutor

    STATE.mkdir(parents=True, exist_ok=True)
    path = STATE / f"pictures-{'held-' if held else ''}{size}-{count}.npy"
    if not path.exists():
        part = path.with_suffix(".part.npy")
        np.lib.format.open_memmap(part, "w+", np.uint8, (count, size, size, 3)).flush()
        cuts = [*range(0, count, 2000), count]
        with ProcessPoolExecutor(workers) as pool:
            parts = [pool.submit(chunk, part, size, a, b, held) for a, b in itertools.pairwise(cuts)]
            [done.result() for done in parts]
        part.rename(path)
    return np.load(path, mmap_mode="r")


class Batches:
    """Endless shuffled batches, a function of the step alone: `batch(step) -> (scenes, pixels (n, h, w,
    3) uint8)`.

    `held`: how many pictures of held-out combinations to mix in. Only the judge sees them: a judge that
    never saw a
    black lighthouse would take its absence for a law of nature.
    """

    def __init__(self, size, count=60_000, held=0):
        self.size = size
        self.sources = [pictures(count)] + ([pictures(held, held=True)] if held else [])
        self.scenes = [scene(i) for i in range(count)] + [scene(i, True) for i in range(held)]
        self.count = count

    def batch(self, step):
        per_epoch = len(self.scenes) // self.size
        order = np.random.default_rng([7, step // per_epoch]).permutation(len(self.scenes))
        chosen = np.sort(order[(step % per_epoch) * self.size :][: self.size])
        seen, held = chosen[chosen < self.count], chosen[chosen >= self.count] - self.count
        pixels = [self.sources[0][seen]] + ([self.sources[1][held]] if len(held) else [])
        return [self.scenes[i] for i in chosen], np.concatenate(pixels)


def captions(chosen, rng):
    return [words.caption(s, rng) for s in chosen]
