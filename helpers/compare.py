"""Comparisons: the same picture over a grid of two knobs, or seeds, each cell of it a run of its own.

    comparison = begin("vqgan_clip", settings, across=("seed", "1, 2, 3"), down=("crops", [8, 16]))
    for progress in comparison.paint(): …       # may be stopped at any time, and goes on in another call
    comparison.picture                          # labelled; its settings are inside
    for progress in open(comparison.folder).paint(): …

comparisons/ beside the runs has a folder for each, with plan.json, which says which run is which cell.
"""

import json
import logging
import re
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path

from . import inputs, lattice, machine, notices, picture_files, run_folder, runs, safe_files
from .errors import Refused
from .frames import Frame
from .knobs import knobs, named, read

FOLDER, PLAN = "comparisons", "plan.json"
MOST = 100          # cells
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """A step of a cell: `cell` of `cells`, counted from 1; `done`, 0 to 1, of the whole; `left`: seconds to
    the end, once that can be told; `look()`: the picture as it is now, where the frame has none."""

    cell: int
    cells: int
    frame: Frame
    done: float
    left: float | None
    look: Callable


class Comparison:
    """Of a folder; `plan` is what stands there in plan.json."""

    def __init__(self, folder, plan: dict):
        self.folder, self.plan = Path(folder), plan
        self.picture = self.folder / "comparison.png"

    @property
    def settings(self):
        """Those that all cells share."""
        return run_folder.settings_of(self.plan, self.folder)

    def cells(self) -> list[dict]:
        """What is turned in each cell, row by row."""
        return _cells(self.plan["across"], self.plan["down"])

    def run(self, number: int):
        """The run of a cell, or None where it is not begun, or gone."""
        folder = self._home / Path(self.plan["runs"].get(str(number), "")).name
        return runs.open(folder) if (folder / runs.MANIFEST).is_file() else None

    @property
    def missing(self) -> list[int]:
        """The numbers of the cells that are not finished."""
        return [number for number in range(len(self.cells())) if not self._finished(number)]

    @property
    def begun(self) -> str:
        """When, as its folder says: "2026-11-03 14:05"; "" of one that was renamed."""
        found = re.match(r"(\d{4}-\d\d-\d\d)-(\d\d)(\d\d)-", self.folder.name)
        return f"{found[1]} {found[2]}:{found[3]}" if found else ""

    def paint(self):
        """Paint what is missing, cell by cell; yields Progress. However it ends, all that is painted is kept,
        and the picture shows it."""
        with safe_files.alone(self.folder):
            try:
                yield from self._paint()
            finally:
                self.keep()

    def keep(self):
        """Lay the picture out, of what there is."""
        found = [self.run(number) for number in range(len(self.cells()))]
        tiles = [run.picture if run and run.picture.exists() else None for run in found]
        axes = [axis and (axis["knob"].replace("_", " "), axis["values"])
                for axis in (self.plan["across"], self.plan["down"])]
        paper = lattice.lay(tiles, *axes, title=self.settings.prompts)
        said = {name: self.plan[name] for name in ("system", "settings", "inputs", "versions")}
        about = {"comparison": {name: self.plan[name] for name in ("across", "down")}}
        safe_files.write(self.picture, picture_files.png(paper, said | about))

    def _paint(self):
        base, turned = self.settings, self.cells()
        work = [getattr(base.but(**values), "steps", 1) for values in turned]   # some systems do it in one
        fresh, began = 0.0, time.monotonic()        # work done in this call, and since when
        for number in self.missing:
            run = self.run(number) or self._begin(number, base.but(**turned[number]))
            painting = run.resume() if run.started else run.paint()
            at, before = painting.step, sum(work[:number])
            with closing(runs.record(painting, run)) as frames:
                for frame in frames:
                    share = work[number] / max(1, frame.total)
                    fresh, at = fresh + (frame.step - at) * share, frame.step
                    here = before + at * share
                    left = (time.monotonic() - began) / fresh * (sum(work) - here) if fresh else None
                    yield Progress(number + 1, len(turned), frame, here / sum(work), left, painting.image)
            self.keep()

    def _finished(self, number) -> bool:
        with suppress(Refused):         # a run that is damaged is no finished one
            run = self.run(number)
            return run is not None and run.manifest["status"] == "finished"
        return False

    def _begin(self, number, settings):
        run = runs.start(self.plan["system"], settings, self._home)
        run.note(comparison=self.folder.name)
        self.plan["runs"][str(number)] = run.folder.name
        _write(self.folder, self.plan)
        return run

    @property
    def _home(self) -> Path:
        return self.folder.parent.parent


def begin(system: str, settings, across, down=None, root=None) -> Comparison:
    """A new comparison, not painted yet. `across`, `down`: a knob and its values, as a list or as text,
    "1, 2, 3", parted by ; where a value has commas. All is checked before anything is made; what will not be
    painted is logged."""
    axes = [axis and _axis(settings, *axis) for axis in (across, down)]
    count = len(axes[0]["values"]) * (len(axes[1]["values"]) if axes[1] else 1)
    if count > MOST:
        raise Refused(f"the comparison has {count} cells", f"at most {MOST} are painted", "take fewer values")
    if axes[1] and axes[0]["knob"] == axes[1]["knob"]:
        raise Refused(f"{axes[0]['knob']} goes both across and down", "each way has a knob of its own",
                      "choose another one")
    inputs.check(settings)
    if said := notices.check(*(settings.but(**turned) for turned in _cells(*axes))):
        log.warning("%s", said)
    folder = _new(safe_files.folder(run_folder.home(root) / FOLDER), system, axes)
    values, origins = inputs.keep(settings, folder)
    plan = {"format": 1, "system": system, "settings": values, "inputs": origins,
            "versions": machine.versions(), "across": axes[0], "down": axes[1], "runs": {}}
    _write(folder, plan)
    return Comparison(folder, plan)


def open(folder) -> Comparison:
    """The comparison in a folder, to be looked at or to go on."""
    folder = safe_files.place(folder)
    folder = folder if folder.is_dir() else folder.parent
    try:
        plan = json.loads((folder / PLAN).read_bytes())
        made = Comparison(folder, plan)
        made.missing, plan["runs"].items(), plan["system"], plan["settings"].items()
        return made
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"'{folder}' is not a comparison", f"one has a {PLAN}, which can be read",
                      f"look for one in '{run_folder.home() / FOLDER}'") from error


def all_comparisons(root=None) -> list[Path]:
    """The folder of each, the newest first."""
    return sorted((path.parent for path in (run_folder.home(root) / FOLDER).glob(f"*/{PLAN}")), reverse=True)


def _cells(across, down) -> list[dict]:
    """What is turned in each cell, row by row."""
    axes = [[(axis["knob"], value) for value in axis["values"]] for axis in (down, across) if axis]
    return [dict(pairs) for pairs in product(*axes)]


def _axis(settings, name, values) -> dict:
    """{"knob": its name, "values": as its knob has them}; Refused where one cannot be."""
    knob = named(name, knobs(type(settings)))
    if isinstance(values, str):
        parts = values.split(";" if ";" in values else ",")
        values = [read(knob, part.strip()) for part in parts if part.strip()]
    values = [getattr(settings.but(**{knob.name: value}), knob.name) for value in values]
    if not values:
        raise Refused(f"{knob.name} has no values", "a comparison needs one at least", "try 1, 2, 3")
    if not all(isinstance(value, knob.type) for value in values):
        raise Refused(f"{knob.name} has values that cannot be written down",
                      "a comparison names its pictures by their paths", "give those")
    return {"knob": knob.name, "values": list(dict.fromkeys(values))}


def _new(root: Path, system, axes) -> Path:
    plain = re.sub(r"[^a-z0-9]+", "-", "-".join(axis["knob"] for axis in axes if axis))
    return safe_files.fresh(root, f"{datetime.now():%Y-%m-%d-%H%M}-{system}-{plain}")


def _write(folder, plan):
    safe_files.write(folder / PLAN, (json.dumps(plan, indent=1, ensure_ascii=False) + "\n").encode())
