"""Measure the cases, by turns ours and its original's; print the table and keep it in assets/bench.json.

Each case is kept as soon as it is measured. What fails is told, and the others go on; a run that was stopped
goes on with the same command.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks import gpu, race, report, studio
from benchmarks.cases import CASES, chosen
from benchmarks.unfinished import Unfinished
from helpers import machine
from helpers.errors import Refused

ENOUGH = 40.0       # seconds of stepping after which a side needs no further round
KILLED = -9


def main(arguments=None):
    """The exit status: 1 where a case failed, 2 where nothing could be measured."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["race"]:
        return race.main(words[1:])
    if words[:1] == ["studio"]:
        return studio.main(words[1:])
    if words[:1] == ["gpu"]:
        return gpu.main(words[1:], measured, alone)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side, if they are short")
    parser.add_argument("--fresh", action="store_true", help="begin anew, whatever an earlier run has left")
    given = parser.parse_args(words)
    try:
        return run(chosen(given.cases), given.rounds, given.fresh)
    except Refused as refusal:
        parser.error(str(refusal))


def run(cases, rounds, fresh=False):
    """Measure, and tell what has come out after every case."""
    if rounds < 1:
        raise Refused(f"rounds is {rounds}", "it takes at least one", "try 3")
    place = report.here(machine.device())
    kept = Unfinished({"machine": place, "cases": list(cases), "rounds": rounds}, fresh)
    say(place)
    if kept.done:
        say(f"{len(kept.done)} of {len(cases)} cases are there from before; --fresh would begin anew")
    failed = through({name: cases[name] for name in cases if name not in kept.done}, rounds, place, kept)
    whole = report.merged(kept.done, place)
    report.keep(whole)
    say(report.shown(whole))
    if failed:
        say(f"the same command tries these again: {', '.join(failed)}")
    else:
        kept.finish()
    return int(bool(failed))


def through(cases, rounds, place, kept):
    """Measure these; names of what failed."""
    began, failed = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, case) in enumerate(cases.items(), 1):
            try:
                kept.keep(name, measured(name, case, Path(folder), rounds))
                report.keep(report.merged(kept.done, place))
            except Refused as refusal:
                failed.append(name)
                report.keep(report.merged({name: {"error": str(refusal)}}, place))
                say(f"  {refusal}")
            left = (time.monotonic() - began) / number * (len(cases) - number) / 60
            say(f"{name} {'failed' if name in failed else 'done'}, about {left:.0f} minutes left")
    return failed


def measured(name, case, folder, rounds):
    """The entry of a case; an original that fails, for want of memory or otherwise, is told in it."""
    sides, missing = {"ours": [], **({"original": []} if case.original else {})}, {}
    for number in range(rounds):
        for side, known in list(sides.items()):
            if sum(one["seconds"] for one in known) >= ENOUGH:
                continue
            try:
                known.append(alone(name, side, folder))
            except Refused as refusal:
                if side == "ours":
                    raise
                missing = {"original_error": str(refusal)}
                del sides[side]
                say(f"  {refusal}")
                continue
            say(f"  {name}, round {number + 1}, {side}: {known[-1]['seconds']:.3g} s")
    exact = alone(name, "exact", folder)
    slopes = [torch.load(folder / f"{side}.pt") for side in ("ours", "exact")]
    return report.entry(sides["ours"], sides.get("original", ()), exact, slopes) | missing


def alone(name, side, folder):
    """A measurement in a process of its own, a dict."""
    command = [sys.executable, "-m", "benchmarks.worker", name, side, str(folder)]
    done = subprocess.run(command, text=True, capture_output=True)
    sys.stderr.write(done.stderr)
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        why = "it was killed" if done.returncode == KILLED else words[-1][:200]
        raise Refused(f"{name} ({side}) did not come to its end ({why})",
                      "what is killed has mostly taken too much memory",
                      "measure it by name on a larger machine")
    return json.loads(done.stdout.splitlines()[-1])


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
