"""The manifest of a run, read with every guard up: it may be cut in half, or come from anywhere.

    said = read(folder)         # where it is damaged, what the run's last picture says about itself
    change(folder, said, status="stopped")      # facts put beside those that others have put there
"""

import json
import logging
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from . import picture_files, safe_files
from .errors import Refused

MANIFEST = "manifest.json"
NEEDED = ("system", "settings")
FACTS = {"system": str, "settings": dict, "versions": dict, "inputs": dict, "weights": dict, "live": list,
         "branch": dict, "status": str, "started": str, "error": str, "step": int, "total": int,
         "seconds": float}
MOST = 1e15         # steps or seconds
log = logging.getLogger(__name__)


def read(folder) -> dict:
    """What is known about the run in a folder; Refused where neither manifest nor pictures tell."""
    try:
        said = told(folder)
    except Refused as refused:
        said = _by_a_picture(Path(folder))
        if not said:
            raise
        log.warning("%s; what its last picture says counts", refused.wrong)
    return {"status": "stopped"} | said


def told(folder) -> dict:
    """What the manifest itself says."""
    path = Path(folder) / MANIFEST
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    if wrong := strange(said):
        raise _damaged(path, f"strange {wrong}")
    return said


def change(folder, said: dict, **facts):
    """Put facts into `said` and into the manifest, beside those of anybody else who holds this run."""
    with safe_files.in_turn(folder):
        with suppress(Refused):
            said |= told(folder)
        said |= facts
        text = json.dumps(said, indent=1, ensure_ascii=False) + "\n"
        # half of a surrogate pair is no text, but JSON has an escape for it
        safe_files.write(Path(folder) / MANIFEST, text.encode("utf-8", "backslashreplace"))


def strange(said) -> str:
    """What cannot be in a manifest, or in what a picture says about itself; "" where all is well."""
    if not isinstance(said, dict):
        return "content"
    wrong = [name for name, kind in FACTS.items()
             if not (_fits(said[name], kind) if name in said else name not in NEEDED)]
    parts = () if wrong else [
        *(("live", isinstance(one, dict) and _fits(one.get("step"), int)) for one in said.get("live", [])),
        *(("inputs", isinstance(one, dict) and _fits(one.get("from"), str))
          for one in said.get("inputs", {}).values()),
        *(("weights", _fits(one, str)) for one in said.get("weights", {}).values())]
    return next(iter(wrong + [name for name, fits in parts if not fits]), "")


def _fits(value, kind) -> bool:
    """Is it of that kind? Numbers count something."""
    if kind not in (int, float):
        return isinstance(value, kind)
    return isinstance(value, int | kind) and not isinstance(value, bool) and 0 <= value < MOST


def _by_a_picture(folder) -> dict:
    """What the latest picture that can be read says, as a manifest; {} where there is none."""
    for path in (folder / "picture.png", *sorted((folder / "frames").glob("[0-9]*.png"), reverse=True)[:2]):
        with suppress(Refused):
            said = picture_files.read_text(path)
            if not strange(said):
                when = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
                return said | {"started": when.isoformat(timespec="seconds")}
    return {}


def _damaged(path, error) -> Refused:
    return Refused(f"'{path}' cannot be read", f"the reader says '{error}'",
                   "load a picture of the run instead")
