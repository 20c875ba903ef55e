"""Seconds until a picture pleases as much: the original paints its steps, then we paint until a guide in
float32 likes ours no less. On the embedded world, with one guide, three seeds each.

    python -m benchmarks race [CASE …]      # deep-daze, big-sleep, vqgan-clip

The guide sees the whole picture and crops of it that neither side was shown. Looking on takes no time.
"""

import argparse
import statistics
import sys

import torch

from benchmarks import originals
from benchmarks.cases import Case
from benchmarks.ours import Step
from benchmarks.worker import Clock
from helpers import machine, perceptors
from helpers.cutouts import Cutouts
from helpers.errors import unknown
from helpers.guides import spherical

GUIDE, SEEDS, STEPS, EVERY, PATIENCE = "disco-resnet", (1, 2, 3), 160, 4, 4
PROMPTS = "a red lighthouse by the sea at sunset", "a blue cat in the snow", "a yellow balloon over a city"
# The originals' knobs; ours are our defaults.
RACES = {
    "deep-daze": Case("deep_daze", "deep_daze", {"crops": 16, "overview": 0, "layers": 16, "augment": "",
                                                 "look_noise": "0", "smallest_crop": "0.1"}),
    "big-sleep": Case("big_sleep", "big_sleep", {
        "crops": 128, "overview": 0, "augment": "", "look_noise": "0", "smallest_crop": "0.5",
        "largest_crop": "0.95", "crop_sizes": "bell", "crop_mean": 0.8, "crop_spread": 0.3}),
    "vqgan-clip": Case("vqgan_clip", "vqgan_clip", {
        "crops": 32, "overview": 0, "augment": "affine, perspective, jitter, erase", "look_noise": "0.1"}),
}


def main(words):
    parser = argparse.ArgumentParser(prog="python -m benchmarks race", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(RACES)}")
    given = parser.parse_args(words)
    machine.threads()
    for name in given.cases or RACES:
        if name not in RACES:
            parser.error(str(unknown("race", name, RACES)))
        ratios = [run(name, RACES[name], seed, text) for seed, text in zip(SEEDS, PROMPTS, strict=True)]
        say(f"{name}: {statistics.median(ratios):.2g} times as quick, the median of {len(ratios)}")


def run(name, case, seed, text):
    """How many times as quick we are with this seed; 0 where we never got there."""
    shared = {"perceptors": GUIDE, "seed": seed, "prompts": text, "every": 10**3}
    clock, judge = Clock(machine.device()), Judge(text)
    theirs = getattr(originals, case.original)(case_settings(case, case.knobs | shared))
    seconds = sum(clock(theirs).seconds for _ in range(STEPS))
    with torch.no_grad():
        aim = judge(theirs.canvas())
    mine = Step(case.system, case_settings(case, shared | {"steps": STEPS * PATIENCE}))
    taken, here = 0.0, float("inf")
    for turn in range(1, STEPS * PATIENCE + 1):
        taken += clock(mine).seconds
        if not turn % EVERY and (here := judge(mine.painting.image())) <= aim:
            break
    won = here <= aim
    say(f"  {name}, seed {seed}: theirs {aim:.4f} in {seconds:.1f} s; ours "
        + (f"in {taken:.1f} s, {turn} steps" if won else f"only {here:.4f} in {taken:.1f} s"))
    return seconds / taken if won else 0.0


def case_settings(case, knobs):
    return Case(case.system, knobs=knobs).settings(None)


class Judge:
    """Mean distance of a picture's looks, always the same ones, to the words."""

    def __init__(self, text):
        self.eye = perceptors.load(GUIDE, machine.device(), precision="fp32")
        self.row = self.eye.encode_text([text])
        self.rng = torch.Generator()
        self.looks = Cutouts(self.eye.size, 4, 28, smallest=0.3, rng=self.rng)

    @torch.no_grad()
    def __call__(self, image):
        self.rng.manual_seed(10**6)
        rows = self.eye.encode_image(self.looks(image))
        return float(spherical(rows[:, None], self.row[None]).mean())


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
