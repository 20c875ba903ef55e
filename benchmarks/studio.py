"""What the studio costs: the panel beside a painting, and to open it among ten thousand runs.

    python -m benchmarks studio

Beside a painting: seconds per step with the panel's previews, and of the same session that nobody looks at,
by turns. Numbers go to assets/bench.json, under "studio".
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks import report
from benchmarks.race import say
from helpers import machine, runs, systems
from helpers.run_folder import MANIFEST
from helpers.session import Session

BESIDE = {"vqgan_clip": {"steps": 40}, "deep_daze": {"steps": 40}, "big_sleep": {"steps": 40, "search": 0},
          "clip_guided_diffusion": {}, "disco_diffusion": {}}
MANY, PICTURES = 10_000, 24     # runs; how many of the newest have a picture
OPENING = """
import time
began = time.perf_counter()
from helpers.panel import Panel
panel = Panel()
opened = time.perf_counter()
panel.room("Gallery").look()
first = time.perf_counter()
panel.room("Gallery").look()
print(opened - began, first - opened, time.perf_counter() - first)
"""


class Unseen(Session):
    """A session that makes no pictures for who would look on."""

    def _looked_at(self, painting, frame):
        return frame


def main(words):
    parser = argparse.ArgumentParser(prog="python -m benchmarks studio", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="pictures painted in each way")
    parser.add_argument("--runs", type=int, default=MANY, help="runs among which it is opened")
    given = parser.parse_args(words)
    place = report.here(machine.device())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DISCOTHEQUE_RUNS"] = folder
        for name, knobs in BESIDE.items():
            row = beside(name, knobs, given.rounds)
            kept(name, row, place)
            say(f"{name}: {row['seconds']:.3f} s a step with the panel, {row['unseen_seconds']:.3f} without, "
                f"{100 * row['share']:+.1f} %; {row['pictures_per_second']:.1f} pictures a second")
        row = opened(Path(folder), given.runs)
        kept("opening", row, place)
        say(", ".join(f"{key.replace('_', ' ')} {value:.3g}" for key, value in row.items()))


def kept(name, row, place):
    report.keep(report.merged({name: row}, place, part="studio"))


def beside(name, knobs, rounds):
    """The row of a system."""
    ways = {"unseen": [], "shown": []}
    for _ in range(rounds):
        ways["unseen"].append(unseen(name, knobs))
        ways["shown"].append(shown(name, knobs))
    unseen_, (seconds, pictures) = (statistics.median(ways["unseen"]),
                                    map(statistics.median, zip(*ways["shown"], strict=True)))
    return {"seconds": seconds, "unseen_seconds": unseen_, "share": seconds / unseen_ - 1,
            "pictures_per_second": pictures}


def unseen(name, knobs):
    """Seconds of a step that nobody looks at."""
    session = Unseen(runs.start(name, systems.load(name).Settings.of(**knobs)))
    ticks = listened(session)
    session.start()
    session.wait()
    return pace(ticks)


def shown(name, knobs):
    """Seconds of a step with the panel, and pictures a second that it shows."""
    from helpers.panel import Panel
    panel, pictures = Panel(name, **knobs), []
    panel.controls.picture.observe(lambda _: pictures.append(time.monotonic()), "value")
    panel.controls.buttons["paint"].click()
    ticks = listened(panel.session)
    panel.session.wait()
    return pace(ticks), len(pictures) / (ticks[-1][1] - ticks[0][1])


def listened(session):
    """(step, when) of every step, as they come."""
    ticks = []

    def hear():
        step = session.frame.step if session.frame else 0
        if step and (not ticks or ticks[-1][0] < step):
            ticks.append((step, time.monotonic()))
    session.listen(hear)
    return ticks


def pace(ticks):
    (first, began), (last, ended) = ticks[0], ticks[-1]
    return (ended - began) / (last - first)


def opened(folder, count):
    """Seconds until the panel is there in a new process, and its gallery of so many runs, at first and
    again."""
    whole = max(runs.all_runs(folder), key=lambda run: run.manifest["status"] == "finished")
    told = json.loads((whole.folder / MANIFEST).read_text())
    for number in range(count):
        place = folder / f"copy-{number:05}"
        place.mkdir()
        started = (datetime.now().astimezone() - timedelta(minutes=number)).isoformat(timespec="seconds")
        (place / MANIFEST).write_text(json.dumps(told | {"seed": number, "started": started}))
        if number < PICTURES:
            shutil.copy(whole.picture, place / "picture.png")
    out = subprocess.run([sys.executable, "-c", OPENING], capture_output=True, text=True, check=True)
    panel, first, again = map(float, out.stdout.split())
    return {"runs": count, "panel_seconds": panel, "gallery_seconds": first, "gallery_again_seconds": again}
