"""One measurement, alone in its process, so that its peak of memory is its own.

    python -m benchmarks.worker CASE SIDE FOLDER        # prints a line of JSON

SIDE is ours, original, or exact: our step in float32, whose operations are counted and whose slopes are what
those of the others are compared with. Slopes are kept in FOLDER.
"""

import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import originals, ours
from benchmarks.cases import case_of
from helpers import machine
from helpers.precision import number_type

LONG, ENOUGH = 15.0, 5.0    # seconds: of a first step that counts; of stepping


def measure(case, side, folder):
    """What is known of one side of a case after it has run, a dict."""
    settings = case.settings(folder)
    if side == "original":
        step = getattr(originals, case.original)(settings)
    else:
        step = ours.made(case, settings)
    if side == "exact":
        flops, slopes = counted(step)
        keep(slopes, folder / "exact.pt")
        if not case.original:       # a whole picture, whose steps are not alike
            flops += counted(lambda: list(step.painting))[0]
        return {"flops": flops}
    clock = Clock(machine.device(settings.device))
    first = clock(step)
    keep(first.slopes, folder / f"{side}.pt")
    if case.original:
        seconds = clock.settled(step, first.seconds)
    else:       # a whole picture
        seconds = first.seconds + clock(lambda: list(step.painting)).seconds
    return {"seconds": seconds, "peak_gib": peak(clock.device), "rate": rate(clock.device)}


def counted(step):
    """Floating point operations of a step, there and back, and its slopes."""
    with FlopCounterMode(display=False) as counter:
        slopes = step()
    return counter.get_total_flops(), slopes


def keep(slopes, path):
    torch.save([slope.detach().float().cpu() for slope in slopes], path)


class Clock:
    """Runs a step and waits for its end."""

    def __init__(self, device):
        self.device = device

    def __call__(self, step):
        began = self.now()
        self.slopes = step()
        self.seconds = self.now() - began
        return self

    def now(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def settled(self, step, first):
        """Median seconds of a step, once it has warmed up; a first one that was long stands for all."""
        if first > LONG:
            return first
        taken = [self(step).seconds]
        while sum(taken) < ENOUGH:
            taken.append(self(step).seconds)
        return statistics.median(taken)


def peak(device):
    """GiB, since the process began: of the device's memory on CUDA, else of the machine's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def rate(device):
    """Floating point operations per second of large matrix products, in the precision of our steps."""
    size = 8192 if device.type == "cuda" else 2048
    a = torch.randn(size, size, device=device).to(number_type(device))
    clock = Clock(device)
    return 2 * size**3 / min(clock(lambda: a @ a).seconds for _ in range(8))


def main(arguments):
    name, side, folder = arguments
    folder = Path(folder)
    machine.threads()
    if side == "exact":
        os.environ["DISCOTHEQUE_PRECISION"] = "fp32"
    sys.stdout.write(json.dumps(measure(case_of(name), side, folder)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
