"""What the studio costs: the panel beside a painting, and to open it among ten thousand runs.

    python -m benchmarks studio

Beside a painting: the share of its time that goes into pictures of it, and into showing them and how far it
is. Numbers go to assets/bench.json, under "studio".
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

from benchmarks import report
from benchmarks.race import say
from helpers import machine, panel, runs
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


class Timed(Session):
    """A session that knows how long it looked, and was looked at."""

    looking = 0.0

    def _see(self, painting, frame):
        with self.counted():
            super()._see(painting, frame)

    def _tell(self, status=None):
        with self.counted():
            super()._tell(status)

    @contextmanager
    def counted(self):
        began = time.monotonic()
        yield
        self.looking += time.monotonic() - began


def main(words):
    parser = argparse.ArgumentParser(prog="python -m benchmarks studio", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=MANY, help="runs among which it is opened")
    given = parser.parse_args(words)
    place = report.here(machine.device())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DISCOTHEQUE_RUNS"] = folder
        for name, knobs in BESIDE.items():
            row = beside(name, knobs)
            kept(name, row, place)
            say(f"{name}: {row['seconds']:.3f} s a step, {100 * row['share']:.1f} % of it for "
                f"{row['pictures_per_second']:.1f} pictures a second")
        row = opened(Path(folder), given.runs)
        kept("opening", row, place)
        say(", ".join(f"{key.replace('_', ' ')} {value:.3g}" for key, value in row.items()))


def kept(name, row, place):
    report.keep(report.merged({name: row}, place, part="studio"))


def beside(name, knobs):
    """The row of a system: between its first step and its last."""
    with mock.patch.object(panel, "Session", Timed):
        board, pictures, ticks = panel.Panel(name, **knobs), [], []
        board.controls.picture.observe(lambda _: pictures.append(time.monotonic()), "value")
        board.controls.buttons["paint"].click()
    session = board.session
    session.listen(lambda: session.frame and session.frame.step and session.status == "painting"
                   and ticks.append((session.frame.step, time.monotonic(), session.looking)))
    session.wait()
    (first, began, before), (last, ended, looking) = ticks[0], ticks[-1]
    return {"seconds": (ended - began) / (last - first), "share": (looking - before) / (ended - began),
            "pictures_per_second": len(pictures) / (ended - began)}


def opened(folder, count):
    """Seconds until the panel is there in a new process, and its gallery of so many runs, at first and again;
    and until the panel was there when nobody had read those runs before."""
    whole = max(runs.all_runs(folder), key=lambda run: run.manifest["status"] == "finished")
    told = json.loads((whole.folder / MANIFEST).read_text())
    for number in range(count):
        place = folder / f"copy-{number:05}"
        place.mkdir()
        started = (datetime.now().astimezone() - timedelta(minutes=number)).isoformat(timespec="seconds")
        (place / MANIFEST).write_text(json.dumps(told | {"seed": number, "started": started}))
        if number < PICTURES:
            shutil.copy(whole.picture, place / "picture.png")
    words = [sys.executable, "-c", OPENING]
    unread, read = (subprocess.run(words, capture_output=True, text=True, check=True).stdout
                    for _ in range(2))
    there, first, again = map(float, read.split())
    return {"runs": count, "panel_seconds": there, "gallery_seconds": first, "gallery_again_seconds": again,
            "panel_unread_seconds": float(unread.split()[0])}
