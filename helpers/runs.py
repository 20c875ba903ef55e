"""A run: a folder with everything about one painting, from its settings to its last picture.

    run = start("deep_daze", settings)          # runs/2026-03-01-1530-deep_daze-a-red-lighthouse/
    for frame in record(run.paint(), run): …    # frames/00010.png …, picture.png, checkpoint.safetensors
    settings = load(run.picture)                # from any PNG or folder: the same picture again
    for frame in record(resume(run.folder), run.folder): …      # after a kill or a stop

manifest.json: system, settings, seed, versions, weights (name: sha256), status (new, painting, stopped,
finished, failed), started, seconds, step, total, inputs (copied pictures and where they were), live (changes
by step). A folder can be moved; every file in it is whole at any moment.
"""

import importlib
import json
import os
import re
import shutil
import unicodedata
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from . import images, inputs, machine, recording, safe_files, states, weights
from .errors import Refused

MANIFEST = "manifest.json"
SPARE_ROOM = 16 << 20       # bytes that must be free before a run begins, besides ten pictures


class Run:
    """The folder of one painting; `manifest` is what is known about it."""

    def __init__(self, folder, manifest: dict):
        self.folder, self.manifest = Path(folder), manifest
        self.system = manifest["system"]
        self.picture = self.folder / "picture.png"
        self.checkpoint = self.folder / "checkpoint.safetensors"

    @property
    def settings(self):
        """As they were, with paths of the copied pictures."""
        return _settings(self.text(), self.folder)

    @property
    def started(self) -> bool:
        """Is there anything to lose?"""
        return self.picture.exists() or self.checkpoint.exists()

    @property
    def frames(self) -> list[Path]:
        return sorted((self.folder / "frames").glob("[0-9]*.png"))

    def paint(self, state=None):
        """The painting of this run, from the beginning or a state; where it is refused, no run is left."""
        try:
            painting = _system(self.system).paint(self.settings, state)
        except BaseException:
            if not self.started:
                self.discard()
            raise
        names = getattr(painting, "networks", ())       # what it was painted with, by name in the catalogue
        self.note(weights={name: weights.fingerprint(name) for name in names})
        return painting

    def resume(self):
        """The painting as the last checkpoint knew it, ready to go on."""
        safe_files.sweep(self.folder)
        return self.paint(states.load(self.checkpoint) if self.checkpoint.exists() else None)

    def text(self) -> dict:
        """What every picture of this run says about itself."""
        said = {name: self.manifest[name] for name in ("system", "settings", "versions")}
        return said | {name: self.manifest[name] for name in ("inputs", "live") if self.manifest.get(name)}

    def note(self, **facts):
        """Put facts into the manifest."""
        self.manifest |= facts
        text = json.dumps(self.manifest, indent=1, ensure_ascii=False) + "\n"
        safe_files.write(self.folder / MANIFEST, text.encode())

    def change(self, step: int, **values):
        """Note that live knobs were turned after this step."""
        self.note(live=[*self.manifest.get("live", []), {"step": step, **values}])

    def keep_frame(self, step: int, data: bytes):
        (self.folder / "frames").mkdir(exist_ok=True)
        safe_files.write(self.folder / "frames" / f"{step:05}.png", data)

    def keep_picture(self, data: bytes):
        safe_files.write(self.picture, data)

    def discard(self):
        """Remove it, and its parent if that was only made for it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent.is_dir() and not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()


def start(system: str, settings, root=None) -> Run:
    """Make the folder of a new run and copy its pictures there; refused before anything is left behind."""
    _system(system)
    inputs.check(settings)
    root = safe_files.folder(home(root), SPARE_ROOM + 30 * settings.width * settings.height)
    run = Run(_new_folder(root, system, getattr(settings, "prompts", "")), {"system": system})
    try:
        values, origins = inputs.keep(settings, run.folder)
        run.note(format=1, settings=values, seed=settings.seed, inputs=origins, versions=machine.versions(),
                 started=datetime.now().astimezone().isoformat(timespec="seconds"), status="new")
    except BaseException:
        run.discard()
        raise
    return run


def record(painting, run, every: int = recording.EVERY, checkpoint_seconds: float = recording.SECONDS):
    """Pass frames on, keeping every nth (0: none), picture and checkpoint; `run` is a Run or its folder."""
    return recording.record(painting, run if isinstance(run, Run) else open(run), every, checkpoint_seconds)


def open(folder) -> Run:
    """The run in a folder, or the one that a file in it belongs to."""
    folder = Path(folder).expanduser()
    for place in (folder, folder.parent, folder.parent.parent):
        if (place / MANIFEST).is_file():
            return Run(place, _json(place / MANIFEST))
    raise Refused(f"'{folder}' is not a run", f"a run is a folder with a {MANIFEST}",
                  f"look for one in '{home()}'")


def resume(folder):
    """The painting of a stopped or killed run, ready to go on to the same pixels."""
    return open(folder).resume()


def load(path):
    """The settings behind a PNG or the folder of a run: painted again, they give the same picture."""
    path = Path(path).expanduser()
    if path.is_dir() or path.name == MANIFEST:
        return open(path).settings
    said = images.read_text(path)
    if not isinstance(said, dict) or not {"system", "settings"} <= said.keys():
        raise Refused(f"'{path}' carries no settings", "pictures painted here do, if left as they are",
                      "give the folder of the run")
    home_of = next((p for p in (path.parent, path.parent.parent) if (p / MANIFEST).is_file()), path.parent)
    return _settings(said, home_of)


def system(path) -> str:
    """Which system painted this: the name for `helpers.systems.load`."""
    path = Path(path).expanduser()
    return open(path).system if path.is_dir() else (images.read_text(path) or {}).get("system", "")


def all_runs(root=None) -> list[Run]:
    """Every run below a folder, the newest last."""
    found = []
    for path in home(root).glob(f"*/{MANIFEST}"):
        with suppress(Refused):     # one that is damaged hides no others
            found.append(open(path.parent))
    return sorted(found, key=lambda run: run.manifest.get("started", ""))


def home(root=None) -> Path:
    """Where runs live: the folder given, or DISCOTHEQUE_RUNS, or ./runs."""
    return Path(root or os.environ.get("DISCOTHEQUE_RUNS") or "runs").expanduser()


def _system(name: str):
    """A system by name. Looked up late, as a plug-in is: runs stand below systems and know none of them."""
    return importlib.import_module(".systems", __package__).load(name)


def _settings(said: dict, folder):
    cls = _system(said["system"]).Settings
    return cls.from_dict(inputs.find(said["settings"], said.get("inputs", {}), cls, folder))


def _new_folder(root: Path, system: str, prompts: str) -> Path:
    plain = unicodedata.normalize("NFKD", prompts).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:40].strip("-") or "untitled"
    name = f"{datetime.now():%Y-%m-%d-%H%M}-{system}-{slug}"
    for number in range(1, 10_000):
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()      # the one who makes it owns it
            return folder
        except FileExistsError:
            continue
        except OSError as error:
            raise safe_files.refusal(error, folder) from error
    raise Refused(f"'{root}' has thousands of runs of this minute", "", "choose another folder")


def _json(path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"'{path}' cannot be read", f"the reader says '{error}'",
                      "load a picture of the run instead") from error
