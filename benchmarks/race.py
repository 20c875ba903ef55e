"""Seconds until a picture pleases a guide in float32 as much: that of the original, and ours. On the embedded
world, with one guide, three seeds each.

    python -m benchmarks race [CASE …]

Both paint as they do by default, ours in its own number of steps, and each is given the moment at which the
picture it shows first comes as near to the words as both ever come: the original's last picture is not always
its nearest. The guide sees the whole picture and crops of it that neither side was shown. Looking on takes no
time. Numbers go to assets/bench.json, under "race".
"""

import argparse
import statistics
import sys

import torch

from benchmarks import originals, report
from benchmarks.cases import Case, chosen
from benchmarks.ours import Step
from benchmarks.worker import Clock
from helpers import machine, perceptors
from helpers.cutouts import Cutouts
from helpers.errors import Refused
from helpers.guides import spherical

GUIDE, SEEDS, STEPS, EVERY = "disco-resnet", (1, 2, 3), 160, 4
PROMPTS = "a red lighthouse by the sea at sunset", "a blue cat in the snow", "a yellow balloon over a city"
# The originals' knobs, guidance scale and clamp those that suit this world's networks; ours are our defaults.
RACES = {
    "deep-daze": Case("deep_daze", "deep_daze", {"crops": 16, "overview": 0, "layers": 16, "augment": "",
                                                 "look_noise": "0", "smallest_crop": "0.1"}),
    "big-sleep": Case("big_sleep", "big_sleep", {
        "crops": 128, "overview": 0, "augment": "", "look_noise": "0", "smallest_crop": "0.5",
        "largest_crop": "0.95", "crop_sizes": "bell", "crop_mean": 0.8, "crop_spread": 0.3}),
    "vqgan-clip": Case("vqgan_clip", "vqgan_clip", {
        "crops": 32, "overview": 0, "augment": "affine, perspective, jitter, erase", "look_noise": "0.1"}),
    "clip-guided-diffusion": Case("clip_guided_diffusion", "diffusion", {
        "crops": 16, "overview": 0, "augment": "", "look_noise": "0", "smallest_crop": "0.4", "range": "0",
        "steps": 100}),
    "disco-diffusion": Case("disco_diffusion", "diffusion", {
        "batches": "4", "augment": "flip, affine, gray, jitter", "look_noise": "0.01", "range": "0",
        "steps": 250}),
}


def main(words):
    parser = argparse.ArgumentParser(prog="python -m benchmarks race", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(RACES)}")
    given = parser.parse_args(words)
    machine.threads()
    try:
        races = chosen(given.cases, RACES)
    except Refused as refusal:
        parser.error(str(refusal))
    place = report.here(machine.device())
    for name, case in races.items():
        row = entry([run(name, case, seed, text) for seed, text in zip(SEEDS, PROMPTS, strict=True)])
        report.keep(report.merged({name: row}, place, part="race"))
        say(f"{name}: {row['ratio']:.2g} times as quick, the median of {len(row['seeds'])}")


def entry(runs):
    """The row of a race."""
    ratio = statistics.median(one["original_seconds"] / one["seconds"] for one in runs)
    return {"ratio": ratio, "seeds": runs}


def run(name, case, seed, text):
    """Both sides with this seed: how near to the words both come, and how long each takes until then; also
    how near they are at their end, and when that is."""
    shared = {"perceptors": GUIDE, "seed": seed, "prompts": text, "every": 10**3}
    clock, judge = Clock(machine.device()), Judge(text)
    with torch.random.fork_rng():
        torch.manual_seed(seed)         # of the originals' augmentations
        their = list(theirs(case, settings_of(case, case.knobs | shared), clock, judge))
    our = list(ours(Step(case.system, settings_of(case, shared)), clock, judge, nearest(their)))
    level = max(nearest(their), nearest(our))
    row = {"seed": seed, "loss": level, "original_seconds": first(their, level), "seconds": first(our, level)}
    say(f"  {name}, seed {seed}: {level:.4f} after {row['original_seconds']:.1f} s (theirs) and "
        f"{row['seconds']:.1f} s (ours); theirs ends with {their[-1][1]:.4f} after {their[-1][0]:.1f} s")
    return row | {"original_end": their[-1], "end": our[-1]}


def nearest(way):
    return min(loss for _, loss in way)


def first(way, level):
    """Seconds after which a side is as near as that."""
    return next(seconds for seconds, loss in way if loss <= level)


def theirs(case, settings, clock, judge):
    """Seconds painted and how the guide finds the picture, every few steps of the original's whole way."""
    step, seconds = getattr(originals, case.original)(settings), 0.0
    last = min(STEPS, settings.length()) if case.original != "diffusion" else settings.length()
    for turn in range(1, last + 1):
        seconds += clock(step).seconds
        step.on()
        if turn % EVERY == 0 or turn == last:
            with torch.no_grad():
                yield seconds, judge(step.canvas())


def ours(step, clock, judge, aim):
    """The same of ours, until it is as near as `aim` or finished."""
    taken, last = 0.0, step.painting.steps
    for turn in range(1, last + 1):
        taken += clock(step).seconds
        if turn % EVERY == 0 or turn == last:
            yield taken, (here := judge(step.painting.image()))
            if here <= aim:
                return


def settings_of(case, knobs):
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
