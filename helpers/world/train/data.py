"""The training pictures: drawn once, kept in a memory map below `.train/`, told in new words every time."""

import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ... import machine
from .. import drawing, scenes, words
from . import company

COUNT = 60_000          # pictures trained on, of combinations that are not held out
SIZE = 128              # pixels they are kept at
PART = 2000             # drawn by a process at a time


def home():
    """Where pictures and states of trainings are kept: DISCOTHEQUE_TRAIN, or `.train` in this folder."""
    return Path(os.environ.get("DISCOTHEQUE_TRAIN") or ".train").expanduser()


def scene(index, held=False):
    """Picture number `index` of the world, or of its held-out part: the same scene on every machine."""
    return scenes.sample(np.random.default_rng([20260, int(held), index]), held)


def few(index):
    """Picture number `index` of those for a GAN: one of a thing, or of each of two, in plain style."""
    drawn = scenes.sample(np.random.default_rng([20260, 2, index]), style="flat")
    return replace(drawn, first=replace(drawn.first, count=1))


def held(index):
    """Picture number `index` of held-out combinations."""
    return scene(index, True)


def plain(index):
    """Picture number `index` of a denoiser's: three of four in plain style, as most prompts ask."""
    rng, fixed = np.random.default_rng([20260, 3, index]), {"style": "flat"} if index % 4 else {}
    return scenes.sample(rng, **fixed)


def alike(index):
    """Picture number `index` of those for a pix2pix: scenes one after another, each in all styles in turn."""
    number, style = divmod(index, len(scenes.STYLES))
    return scenes.sample(np.random.default_rng([20260, 4, number]), style=list(scenes.STYLES)[style])


KINDS = {"": scene, "held-": held, "few-": few, "mostly-plain-": plain, "alike-": alike}


def chunk(path, size, start, stop, kind):
    """Draw pictures `start`..`stop` - 1 into the memory map at `path`."""
    pixels = np.load(path, mmap_mode="r+")
    for i in range(start, stop):
        pixels[i] = drawing.draw(KINDS[kind](i), size)
    pixels.flush()


def pictures(count=COUNT, size=SIZE, kind=""):
    """(count, size, size, 3) uint8 memory map of scenes 0..count-1 of a kind; the first time, this process
    and one more for every core draw it, where there is more than one `PART` to draw: a core does 200 a
    second at 128 px, so two take a few minutes for 60,000."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    home().mkdir(parents=True, exist_ok=True)
    path = home() / f"pictures-{kind}{size}-{count}.npy"
    if not path.exists() and company.first():
        part = path.with_suffix(".part.npy")
        np.lib.format.open_memmap(part, "w+", np.uint8, (count, size, size, 3)).flush()
        first, *more = itertools.pairwise([*range(0, count, PART), count])
        # spawned, since a copy of our threads could hang
        with ProcessPoolExecutor(machine.cores(), get_context("spawn")) as pool:
            parts = [pool.submit(chunk, part, size, a, b, kind) for a, b in more]
            chunk(part, size, *first, kind)
            for drawn in parts:
                drawn.result()
        part.rename(path)
    company.wait()
    return np.load(path, mmap_mode="r")


def masks(chosen, size=SIZE):
    """(n, 1, size, size) in [0, 1]: where the things of n scenes can be seen."""
    seen = [np.max([drawing.mask(s, size, i) for i in range(len(s.items))], 0) for s in chosen]
    return torch.from_numpy(np.stack(seen))[:, None]


class Batches:
    """Endless shuffled batches of `size`, a function of the step alone.

    held: how many pictures of held-out combinations to mix in. Only the judge sees them: a judge that never
    saw a black lighthouse would take its absence for a law of nature. alike: come in groups of so many that
    share place and sky, so that a batch can be told apart by its things and colors only.
    """

    def __init__(self, size, count=COUNT, held=0, alike=1):
        self.size, self.count, self.alike = size, count, alike
        self.sources = [pictures(count)] + ([pictures(held, kind="held-")] if held else [])
        self.scenes = [scene(i) for i in range(count)] + [scene(i, True) for i in range(held)]
        kinds = [(place, sky) for place in scenes.PLACES for sky in scenes.SKIES]
        self.kinds = np.array([kinds.index((s.place, s.sky)) for s in self.scenes])

    def order(self, epoch):
        """The numbers of all scenes, shuffled in groups of `alike`; what fills no group is left out."""
        rng = np.random.default_rng([7, epoch])
        order = rng.permutation(len(self.scenes))
        if self.alike > 1:
            order = order[np.argsort(self.kinds[order], kind="stable")]
            groups = order[: len(order) // self.alike * self.alike].reshape(-1, self.alike)
            order = rng.permutation(groups).ravel()
        return order

    def batch(self, step):
        """(scenes, pixels (size, 128, 128, 3) uint8)."""
        per_epoch = len(self.scenes) // self.alike * self.alike // self.size
        order = self.order(step // per_epoch)
        chosen = np.sort(order[(step % per_epoch) * self.size :][: self.size])
        seen, held = chosen[chosen < self.count], chosen[chosen >= self.count] - self.count
        pixels = [self.sources[0][seen]] + ([self.sources[1][held]] if len(held) else [])
        return [self.scenes[i] for i in chosen], np.concatenate(pixels)


def captions(chosen, seed):
    """A sentence for each scene; `seed`: a list of numbers."""
    return [words.caption(s, np.random.default_rng([*seed, i])) for i, s in enumerate(chosen)]


def rivals(chosen, seed):
    """For each scene a sentence that is wrong in one thing or color, phrased much like that of `captions`.

    In a random batch place and sky tell most pictures apart, and a guide that learns no more than that paints
    no things; sentences that differ in nothing else make it look (Yuksekgonul et al. 2023)."""
    out = []
    for i, (s, said) in enumerate(zip(chosen, captions(chosen, seed), strict=True)):
        rng, wrong = np.random.default_rng([*seed, i, 1]), said
        while wrong == said:                # where the color stays unsaid, another one changes nothing
            wrong = words.caption(rival(s, rng), np.random.default_rng([*seed, i]))
        out.append(wrong)
    return out


PAIRS = [item for thing in scenes.THINGS for color in scenes.COLORS
         if not scenes.held_out(item := scenes.Item(thing, color))]     # what is trained on
NUMBERS = {item: number for number, item in enumerate(PAIRS)}


def names(rng):
    """Every thing of the world by name and color, as far as it is trained on, then every thing by its name
    alone, in new words each time: a list of len(PAIRS) + 32 texts."""
    plain = [scenes.Item(thing, "red") for thing in scenes.THINGS]
    return [words.noun(item, rng, 0.0) for item in PAIRS] + [words.noun(item, rng, 1.0) for item in plain]


def named(chosen):
    """What n scenes show: (n, len(PAIRS)) and (n, 32), shares that sum to 1 per scene."""
    things = list(scenes.THINGS)
    both, alone = torch.zeros(len(chosen), len(PAIRS)), torch.zeros(len(chosen), len(things))
    for row, scene_ in enumerate(chosen):
        for item in scene_.items:
            share = 1 / len(scene_.items)
            both[row, NUMBERS[replace(item, count=1)]] += share
            alone[row, things.index(item.thing)] += share
    return both, alone


def rival(truth, rng, recolored=0.3):
    """The scene with another thing in it or (`recolored`: how often) another color. Of a scene that is
    trained on it is never a held-out one: what is only ever called wrong could not be asked for."""
    free = scenes.held_out(truth.first, truth.relation, truth.second)
    while True:
        which = "second" if truth.second and truth.relation != "in" and rng.uniform() < 0.5 else "first"
        item = getattr(truth, which)
        name, options = ("color", scenes.COLORS) if rng.uniform() < recolored else ("thing", scenes.THINGS)
        other = replace(item, **{name: scenes.pick(rng, options)})
        made = replace(truth, **{which: other})
        if other != item and (free or not scenes.held_out(made.first, made.relation, made.second)):
            return made
