"""Measure the cases, by turns ours and its original's; print the table and keep it in assets/bench.json."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks import race, report
from benchmarks.cases import CASES
from helpers import machine
from helpers.errors import Refused, unknown

ENOUGH = 40.0       # seconds of stepping after which a side needs no further round


def main(arguments=None):
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["race"]:
        return race.main(words[1:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side, if they are short")
    given = parser.parse_args(words)
    try:
        run(chosen(given.cases), given.rounds)
    except Refused as refusal:
        parser.error(str(refusal))


def chosen(names):
    """These cases, or all."""
    for name in names:
        if name not in CASES:
            raise unknown("case", name, CASES)
    return {name: CASES[name] for name in names or CASES}


def run(cases, rounds):
    """Measure, and tell what has come out after every case."""
    began, done, place = time.monotonic(), {}, report.here(machine.device())
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, case) in enumerate(cases.items(), 1):
            done[name] = measured(name, case, Path(folder), rounds)
            report.keep(report.merged(done, place))
            taken = time.monotonic() - began
            say(f"{name} done, about {taken / number * (len(cases) - number) / 60:.0f} minutes left")
    say(report.shown(report.merged(done, place)))


def measured(name, case, folder, rounds):
    """The entry of a case."""
    sides = {"ours": [], **({"original": []} if case.original else {})}
    for number in range(rounds):
        for side, known in sides.items():
            if sum(one["seconds"] for one in known) < ENOUGH:
                known.append(alone(name, side, folder))
                say(f"  {name}, round {number + 1}, {side}: {known[-1]['seconds']:.3g} s")
    exact = alone(name, "exact", folder)
    slopes = [torch.load(folder / f"{side}.pt") for side in ("ours", "exact")]
    return report.entry(sides["ours"], sides.get("original", ()), exact, slopes)


def alone(name, side, folder):
    """A measurement in a process of its own, a dict."""
    command = [sys.executable, "-m", "benchmarks.worker", name, side, str(folder)]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE)
    if done.returncode:
        raise Refused(f"{name} ({side}) ended with {done.returncode}",
                      "its own words are above; a killed process had too little memory",
                      "measure the other cases by name")
    return json.loads(done.stdout.splitlines()[-1])


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
