"""Presets: knobs under a name, to be had again. Some come with the suite, in assets/presets.toml; those saved
are JSON files beside the runs, in presets/.

    told("vqgan_clip")                                          # {name: what it is like}
    settings.but(**load("soft watercolor", "vqgan_clip"))
    save("my fog", "vqgan_clip", settings.changed())
"""

import json
import re
import tomllib
import unicodedata
import zlib
from functools import cache
from pathlib import Path

from . import safe_files
from .errors import Refused, unknown

BUILT_IN = Path(__file__).parents[1] / "assets" / "presets.toml"
FOLDER = "presets"
LONGEST = 60        # letters of a name
OWN = "your own"


def save(name: str, system: str, values: dict, root=None) -> Path:
    """Keep these knobs of a system, JSON values, under a name; an own one of the same name is replaced."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST or not name.isprintable():
        raise Refused(f"the name of the preset is {name[:LONGEST]!r}",
                      f"it has 1 to {LONGEST} letters that can be seen", "try 'soft fog'")
    if name.lower() in map(str.lower, built_in(system)):
        raise Refused(f"the preset {name!r} comes with the suite", "it stays as it is",
                      f"try 'my {name}'")
    from .run_folder import home, system_named
    system_named(system).Settings.from_dict(values)
    text = json.dumps({"name": name, "system": system, "settings": values}, indent=1, ensure_ascii=False)
    path = safe_files.folder(home(root) / FOLDER) / f"{system}-{_plain(name)}.json"
    safe_files.write(path, (text + "\n").encode())
    return path


def told(system: str, root=None) -> dict[str, str]:
    """Name -> one line about it, of all presets of a system: those that come with the suite, then those
    saved, in order of the alphabet."""
    return {name: about["help"] for name, about in built_in(system).items()} | \
        dict.fromkeys(sorted(_saved(system, root), key=str.lower), OWN)


def load(name: str, system: str, root=None) -> dict:
    """The knobs under that name."""
    known = {kept: {knob: value for knob, value in about.items() if knob != "help"}
             for kept, about in built_in(system).items()} | _saved(system, root)
    if name not in known:
        raise unknown("preset", name, known) if known else Refused(
            f"no preset called {name!r}", f"there is none for {system}", "save one first")
    return known[name]


def built_in(system: str) -> dict[str, dict]:
    """Name -> knobs, and help, of those that come with the suite."""
    return _shipped().get(system, {})


@cache
def _shipped() -> dict:
    return tomllib.loads(BUILT_IN.read_text(encoding="utf-8"))


def _saved(system, root) -> dict:
    """Name -> knobs; one that was saved before the suite had another of its name is told apart."""
    from .run_folder import home
    found = {}
    for path in sorted((home(root) / FOLDER).glob(f"{system}-*.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            if said["system"] == system:
                name = str(said["name"])
                found[f"my {name}" if name in built_in(system) else name] = dict(said["settings"])
        except (OSError, ValueError, KeyError, TypeError):      # one that is damaged hides no others
            continue
    return found


def _plain(name) -> str:
    """The name as a file may be called anywhere; the number tells apart what looks alike then."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')}-{zlib.crc32(name.encode()):08x}"
