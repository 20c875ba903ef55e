"""The gallery: every run below a folder, found in a moment, starred, put into the trash and had again.

    for entry in find("castle fog", system="vqgan_clip", starred=True): …      # the newest first
    star(entry.folder);  thumbnail(entry.folder);  details(entry.folder)
    away = delete(entry.folder);  restore(away);  empty()       # the trash is a folder beside the runs

What is known of each run stands in its manifest. An index beside them, a mere cache, spares reading all.
"""

import io
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from . import picture_files, run_folder, safe_files
from .errors import Refused
from .history import History
from .run_folder import MANIFEST, home

INDEX, FORMAT = ".gallery.json", 1
TRASH = ".trash"
THUMBNAIL, SIDE = "thumbnail.jpg", 192      # pixels of its longest side
STATUSES = ("finished", "stopped", "painting", "failed", "new")
FACTS = {"system": str, "status": str, "started": str, "seed": int, "step": int, "total": int,
         "seconds": float, "starred": bool}
KINDS = (*FACTS.values(), str)              # the last are the prompts


@dataclass(frozen=True)
class Entry:
    """What can be told of a run without opening it."""

    folder: Path
    system: str
    status: str
    started: str
    seed: int
    step: int
    total: int
    seconds: float
    starred: bool
    prompts: str

    @property
    def unfinished(self) -> bool:
        """Can it go on?"""
        return self.status != "finished"


def find(words: str = "", system: str = "", status: str = "", starred: bool = False,
         root=None) -> list[Entry]:
    """Runs, the newest first: those whose prompts have all of the words, and of that system and status."""
    wanted = words.lower().split()
    return [entry for entry in map(_as_it_is, entries(root))
            if (not system or entry.system == system) and (not status or entry.status == status)
            and (entry.starred or not starred)
            and all(word in entry.prompts.lower() for word in wanted)]


def entries(root=None) -> list[Entry]:
    """Every run below a folder, the newest first, as it says itself. Only what has changed is read again."""
    root = home(root)
    before, now = _index(root), {}
    for name, mark in _marks(root):
        known = before.get(name)
        now[name] = known if known and known[0] == mark else [mark, _facts(root / name)]
    if now != before:
        with suppress(Refused):     # a folder that can only be read is looked at all the same
            safe_files.write(root / INDEX, json.dumps({"format": FORMAT, "runs": now}).encode())
    found = [Entry(root / name, *facts) for name, (_, facts) in now.items() if facts]
    return sorted(found, key=lambda entry: (entry.started, entry.folder.name), reverse=True)


def _as_it_is(entry) -> Entry:
    """Of a run that was killed, and says that it is painted: that it stopped, and how far it came."""
    if entry.status != "painting" or safe_files.held(entry.folder):
        return entry
    return replace(entry, status="stopped", step=History(run_folder.open(entry.folder)).now)


def star(folder, on: bool = True):
    """Mark a run, or take the mark away."""
    run_folder.open(folder).note(starred=on)


def details(folder) -> dict:
    """What a picture is made of: prompts, seed, the knobs that were changed, how long it took."""
    run = run_folder.open(folder)
    said, settings = run.manifest, run.settings
    knobs = {name: value for name, value in settings.changed().items() if name not in ("prompts", "seed")}
    return {"system": run.system, "prompts": settings.prompts, "seed": settings.seed, "knobs": knobs,
            "turned": len(said.get("live", [])), "step": said.get("step", 0), "total": said.get("total", 0),
            "seconds": said.get("seconds", 0.0), "status": said.get("status", ""),
            "started": said.get("started", ""), "error": said.get("error", "")}


def thumbnail(folder) -> bytes | None:
    """The picture of a run as a small JPEG, kept in its folder until the picture is another one; None where
    there is none."""
    picture, small = Path(folder) / "picture.png", Path(folder) / THUMBNAIL
    try:
        when = picture.stat().st_mtime_ns
        if small.is_file() and small.stat().st_mtime_ns == when:
            return small.read_bytes()
        file, shown = io.BytesIO(), picture_files.load(picture).convert("RGB")
        shown.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        shown.save(file, "JPEG", quality=85)
        with suppress(Refused, OSError):
            safe_files.write(small, file.getvalue())
            os.utime(small, ns=(when, when))    # of that moment: another picture has another one
        return file.getvalue()
    except (Refused, OSError):
        return None


def trash(root=None) -> Path:
    """Where deleted runs wait; a folder of runs like any other, for `find(root=trash())`."""
    return home(root) / TRASH


def delete(folder) -> Path:
    """Put a run into the trash beside it; where it is then. Refused while it is painted."""
    run = run_folder.open(folder)
    if run.folder.parent.name == TRASH:
        raise Refused(f"'{run.folder}' is in the trash already", "there it waits until the trash is emptied",
                      "restore it, or empty the trash")
    with safe_files.alone(run.folder):      # let go of before it moves: some systems move no open files
        pass
    return _move(run.folder, safe_files.folder(run.folder.parent / TRASH))


def restore(folder) -> Path:
    """Take a run out of the trash; where it is then."""
    run = run_folder.open(folder)
    if run.folder.parent.name != TRASH:
        raise Refused(f"'{run.folder}' is not in the trash",
                      f"what is deleted lies in '{TRASH}' beside the runs", "restore a run of that folder")
    return _move(run.folder, run.folder.parent.parent)


def empty(root=None) -> int:
    """Delete for good what is in the trash; how many runs that were."""
    place, count = trash(root), len(entries(trash(root)))
    if place.is_dir():
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise Refused(f"the trash '{place}' could not be emptied",
                          f"the system says '{error.strerror or error}'", "close what is open there"
                          ) from error
    return count


def _move(folder: Path, where: Path) -> Path:
    numbers = ("", *(f"-{number}" for number in range(2, 10_000)))
    place = next(path for path in (where / f"{folder.name}{number}" for number in numbers)
                 if not path.exists())
    try:
        return folder.rename(place)
    except OSError as error:
        raise safe_files.refusal(error, place) from error


def _marks(root: Path):
    """(name, what changes with its manifest) of each run below a folder."""
    if not root.is_dir():
        return
    with os.scandir(root) as found:
        for each in found:
            if each.name[0] == ".":
                continue
            with suppress(OSError):     # no run, or gone a moment ago
                file = os.stat(f"{each.path}/{MANIFEST}")
                yield each.name, [file.st_mtime_ns, file.st_size, file.st_ino]


def _index(root: Path) -> dict:
    """name -> [mark, facts], as it was kept; whatever is wrong with it, it is made anew."""
    try:
        said = json.loads((root / INDEX).read_bytes())
        runs = said["runs"] if said["format"] == FORMAT else {}
        return {name: [mark, facts] for name, (mark, facts) in runs.items()
                if not facts or len(facts) == len(KINDS) and all(map(isinstance, facts, KINDS))}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _facts(folder: Path) -> list:
    """Of one run, as plain JSON in the order of an Entry; none of one that cannot be read."""
    try:
        said = run_folder.open(folder).manifest
        return [*(kind(said.get(name) or 0) if kind is not str else str(said.get(name, ""))
                  for name, kind in FACTS.items()), str(said["settings"].get("prompts", ""))]
    except (Refused, KeyError, TypeError, ValueError, AttributeError):
        return []       # one that is damaged hides no others
