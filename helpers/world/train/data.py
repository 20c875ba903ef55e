"""The training pictures: drawn once, kept in a memory map under `.train/`, told in new words every time."""

import os
from pathlib import Path

import numpy as np

from .. import scenes, words

STATE = Path(os.environ.get("DISCOTHEQUE_TRAIN", ".train"))


def scene(index, held=False):
    """Picture number `index` of the world: the same scene on every machine."""
    return scenes.sample(np.random.default_rng([20260, int(held), index]), held)


def chunk(path, size, start, stop, held):
    pixels = np.load(path, mmap_mode="r+")
    for i in range(start, stop):
        pixels[i] = scenes.draw(scene(i, held), size)
    pixels.flush()


def pictures(count=60_000, size=128, held=False, workers=2):
    """(count, size, size, 3) uint8 memory map of scenes 0..count-1; drawn by `workers` processes the first time."""
    from concurrent.futures import ProcessPoolExecutor

    STATE.mkdir(parents=True, exist_ok=True)
    path = STATE / f"pictures-{'held-' if held else ''}{size}-{count}.npy"
    if not path.exists():
        part = path.with_suffix(".part.npy")
        np.lib.format.open_memmap(part, "w+", np.uint8, (count, size, size, 3)).flush()
        cuts = [*range(0, count, 2000), count]
        with ProcessPoolExecutor(workers) as pool:
            list(pool.map(chunk, *zip(*[(part, size, a, b, held) for a, b in zip(cuts, cuts[1:])])))
        part.rename(path)
    return np.load(path, mmap_mode="r")


class Batches:
    """Endless shuffled batches: `batch(step) -> (scenes, pixels (n, h, w, 3) uint8)`, a function of the step alone."""

    def __init__(self, size, pixels, held=False):
        self.size, self.pixels = size, pixels
        self.scenes = [scene(i, held) for i in range(len(pixels))]

    def batch(self, step):
        per_epoch = len(self.pixels) // self.size
        order = np.random.default_rng([7, step // per_epoch]).permutation(len(self.pixels))
        chosen = np.sort(order[(step % per_epoch) * self.size:][:self.size])
        return [self.scenes[i] for i in chosen], self.pixels[chosen]


def captions(chosen, rng):
    return [words.caption(s, rng) for s in chosen]
