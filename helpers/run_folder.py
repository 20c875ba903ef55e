"""The folder of one run, and finding it again; `runs` says what is in it."""

import importlib
import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from . import inputs, manifests, safe_files, states, weights
from .errors import Refused
from .frames import out_of_memory
from .history import History
from .knobs import knobs, named
from .manifests import MANIFEST

log = logging.getLogger(__name__)


class Run:
    """The folder of one painting; `manifest` is what is known about it."""

    def __init__(self, folder, manifest: dict):
        self.folder, self.manifest = Path(folder), manifest
        self.system = manifest["system"]

    @property
    def picture(self) -> Path:
        return self.folder / "picture.png"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    @property
    def settings(self):
        """As they were, with paths of the copied pictures."""
        return settings_of(self.text(), self.folder)

    @property
    def started(self) -> bool:
        """Is there anything to lose?"""
        return self.picture.exists() or self.checkpoint.exists()

    @property
    def frames(self) -> list[Path]:
        return sorted((self.folder / "frames").glob("[0-9]*.png"))

    @property
    def singles(self) -> list[Path]:
        """The pictures of the sheet, where it shows several, each by itself."""
        return sorted(self.folder.glob("picture-[0-9]*.png"))

    def paint(self):
        """The painting of this run, from the beginning; where it is refused, no run is left."""
        try:
            return self._painting(None)
        except BaseException as error:
            if not self.started:
                self.discard()
            if isinstance(error, Refused):
                raise Refused(*map(self.as_given, error.args)) from error
            raise

    def as_given(self, text: str) -> str:
        """A sentence with the paths that were given in place of their copies'."""
        for name, was in self.manifest.get("inputs", {}).items():
            text = text.replace(str((self.folder / name).absolute()), was["from"])
        return text

    def resume(self):
        """The painting as its last checkpoint or state knew it, ready to go on."""
        latest = History(self).latest()
        return self._painting(states.load(latest) if latest else None)

    def _painting(self, state):
        painting = self._made(state)
        names = getattr(painting, "networks", ())       # what it was painted with, by name in the catalogue
        warn_of_others(self.manifest.get("weights", {}))
        self.note(weights={name: weights.fingerprint(name) for name in names})
        painting.before_step.insert(0, Replay(self))
        return painting

    def _made(self, state):
        settings = self.settings
        try:
            return system_named(self.system).paint(settings, state)
        except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
            if state is None or isinstance(error, Refused) or out_of_memory(error):
                raise
            raise states.damaged(self.checkpoint, error) from error     # whole, but of something else

    def text(self) -> dict:
        """What every picture of this run says about itself."""
        said = {name: self.manifest[name] for name in manifests.NEEDED}
        return said | {name: self.manifest[name] for name in ("versions", "inputs", "live", "weights")
                       if self.manifest.get(name)}

    def note(self, **facts):
        """Put facts into the manifest, beside those of anybody else who holds this run."""
        manifests.change(self.folder, self.manifest, **facts)

    def turn(self, painting, **values):
        """Turn live knobs between two steps; noted, so that they turn again wherever this is painted. Where
        the painting refuses them, it goes on as it was."""
        change, new = self.change(painting.step, values)
        try:
            painting.retune(new)
        except Refused:
            painting.retune(self.settings_at(painting.step))
            raise
        self.note(live=[*self.manifest.get("live", []), change])

    def change(self, step: int, values: dict) -> tuple[dict, object]:
        """What `turn` notes after this step, and the settings from then on; Refused where that cannot be."""
        for name in values:
            if not named(name, knobs(type(self.settings))).live:
                raise Refused(f"{name} cannot be turned while painting", "other knobs can", "start a new run")
        wanted = inputs.spelled(type(self.settings), values)
        new = turned(self.settings, [*self.turns(step), wanted])
        return {"step": step} | {name: getattr(new, name) for name in wanted}, new

    def settings_at(self, step: int):
        """As they are after the live knobs turned up to this step."""
        return turned(self.settings, self.turns(step))

    def turns(self, step: int) -> list[dict]:
        """The live knobs turned up to this step, in the order of steps."""
        due = [change for change in self.manifest.get("live", []) if change["step"] <= step]
        return sorted(due, key=lambda change: change["step"])

    def keep_frame(self, step: int, data: bytes):
        safe_files.write(safe_files.within(self.folder / "frames") / f"{step:05}.png", data)

    def keep_picture(self, data: bytes):
        safe_files.write(self.picture, data)

    def keep_singles(self, pictures: list[bytes]):
        for number, data in enumerate(pictures, 1):
            safe_files.write(self.folder / f"picture-{number:02}.png", data)

    def discard(self):
        """Remove it, and its parent if that was only made for it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):     # others are in there
            self.folder.parent.rmdir()


class Replay:
    """A hook before each step that turns live knobs where the manifest says that they were turned."""

    def __init__(self, run: Run):
        self.run, self.done = run, 0

    def __call__(self, painting):
        due = self.run.turns(painting.step)
        if len(due) > self.done:
            self.done = len(due)
            painting.retune(self.run.settings_at(painting.step))


def turned(settings, changes):
    """Settings after these changes, in order."""
    values = settings.to_dict()
    for change in changes:
        values |= {name: value for name, value in change.items() if name != "step"}
    return type(settings).from_dict(values)


def warn_of_others(were: dict):
    """Say so where weights are not what they were, by fingerprint: the same settings paint otherwise now."""
    others = [name for name, was in were.items() if weights.fingerprint(name) not in ("", was)]
    if others:
        log.warning("%s: other weights than this was painted with; it will look different", ", ".join(others))


def open(folder) -> Run:
    """The run in a folder, or the one that a file in it belongs to."""
    folder = safe_files.place(folder)
    for place in (folder, folder.parent, folder.parent.parent):
        if (place / MANIFEST).is_file():
            return Run(place, manifests.read(place))
    raise Refused(f"'{folder}' is not a run", f"a run is a folder with a {MANIFEST}",
                  f"look for one in '{home()}'")


def home(root=None) -> Path:
    """Where runs live: the folder given, or DISCOTHEQUE_RUNS, or ./runs."""
    return safe_files.place(root or os.environ.get("DISCOTHEQUE_RUNS") or "runs")


def system_named(name: str):
    """A system by name. Looked up late, as a plug-in is: runs stand below systems and know none of them."""
    return importlib.import_module(".systems", __package__).load(name)


def settings_of(said: dict, folder):
    cls = system_named(said["system"]).Settings
    return cls.from_dict(inputs.find(said["settings"], said.get("inputs", {}), cls, folder))
