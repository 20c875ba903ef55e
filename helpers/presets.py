"""Presets: knobs under a name, to be had again. Those saved are JSON files beside the runs, in presets/.

    save("my fog", "vqgan_clip", settings.changed());  names("vqgan_clip");  load("my fog", "vqgan_clip")
"""

import json
import re
import unicodedata
import zlib
from pathlib import Path

from . import safe_files
from .errors import Refused, unknown
from .run_folder import home, system_named

FOLDER = "presets"
LONGEST = 60        # letters of a name


def save(name: str, system: str, values: dict, root=None) -> Path:
    """Keep these knobs of a system, JSON values, under a name; one of the same name is replaced."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST:
        raise Refused(f"the name of the preset is {name[:LONGEST]!r}", f"it has 1 to {LONGEST} letters",
                      "try 'soft fog'")
    system_named(system).Settings.from_dict(values)
    text = json.dumps({"name": name, "system": system, "settings": values}, indent=1, ensure_ascii=False)
    path = safe_files.folder(home(root) / FOLDER) / f"{system}-{_plain(name)}.json"
    safe_files.write(path, (text + "\n").encode())
    return path


def names(system: str, root=None) -> list[str]:
    """Of all presets of a system, in order of the alphabet."""
    return sorted(_saved(system, root), key=str.lower)


def load(name: str, system: str, root=None) -> dict:
    """The knobs kept under that name."""
    saved = _saved(system, root)
    if name not in saved:
        raise unknown("preset", name, saved) if saved else Refused(
            f"no preset called {name!r}", "none is saved for this system", "save one first")
    return saved[name]


def _saved(system, root) -> dict:
    found = {}
    for path in sorted((home(root) / FOLDER).glob(f"{system}-*.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            if said["system"] == system:
                found[str(said["name"])] = dict(said["settings"])
        except (OSError, ValueError, KeyError, TypeError):      # one that is damaged hides no others
            continue
    return found


def _plain(name) -> str:
    """The name as a file may be called anywhere; the number tells apart what looks alike then."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')}-{zlib.crc32(name.encode()):08x}"
