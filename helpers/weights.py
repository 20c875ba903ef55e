"""Weights by name: embedded ones from the zoo, public ones from the catalogue, or any file of your own.

    card, state = load("vqgan-world")                        # assets/zoo/vqgan-world.safetensors + .json
    card, state = load("imagenet_f16_16384")                 # downloaded once, checked, kept as safetensors
    card, state = load("imagenet_f16_16384=/my/last.ckpt")   # a file of yours in place of that of the name
    card, state = load("/my/last.ckpt")                      # with a .json card beside it, or an empty config

A card is a dict: name, kind ("perceptor", "vqgan", …), config (what builds the network), licence, purpose,
and for public ones size (bytes) and mirrors. A download shows a bar, see `bars`.
"""

import json
import os
import re
import tomllib
from dataclasses import fields
from pathlib import Path

from .downloads import Mirror, download
from .errors import Refused, unknown
from .fingerprints import genuine, sha256
from .safe_files import place
from .weight_files import SUFFIXES, Tidy, converted, nothing, read

# What a file may be called anywhere: no path, no name of a device, nothing that Windows drops at the end.
FILE = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[\w+@()][\w.+@()=, -]{0,150}(?<![. ])",
                  re.IGNORECASE)
ASSETS = Path(__file__).resolve().parent.parent / "assets"


def cache() -> Path:
    """Where downloads are kept: DISCOTHEQUE_CACHE, or ~/.cache/discotheque."""
    return Path(os.environ.get("DISCOTHEQUE_CACHE") or Path.home() / ".cache" / "discotheque").expanduser()


def catalogue() -> dict[str, dict]:
    """The public checkpoints, by name: assets/catalogue.toml and your own file, DISCOTHEQUE_CATALOGUE."""
    entries = {}
    for path in (ASSETS / "catalogue.toml", os.environ.get("DISCOTHEQUE_CATALOGUE")):
        if path:
            try:
                tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
                shapes = tables.pop("architecture", {})
                entries |= {name: _entry(name, entry, shapes) for name, entry in tables.items()}
            except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
                raise Refused(f"the catalogue '{path}' cannot be read", f"the reader says '{error}'",
                              "assets/catalogue.toml shows what entries look like") from error
    return entries


def _entry(name: str, entry: dict, shapes: dict) -> dict:
    """A table of a catalogue as a card; ValueError and its like where it is none."""
    config = {**shapes.get(entry.get("architecture", ""), {}), **entry.get("config", {})}
    mirrors = [Mirror(**mirror) for mirror in entry.get("mirrors", [])]
    if not all(isinstance(getattr(one, field.name), field.type) for one in mirrors for field in fields(one)):
        raise ValueError(f"a mirror of {name} has a value of another kind")
    kept = FILE.fullmatch(entry["file"]) and FILE.fullmatch(_shelf(name))
    if not kept or not isinstance(entry["kind"], str):
        raise ValueError(f"{name} names no kind, or no file that could be kept in the cache")
    rest = {key: value for key, value in entry.items() if key != "architecture"}
    return rest | {"name": name, "config": config, "mirrors": mirrors}


def _shelf(name: str) -> str:
    """The folder of an entry in the cache."""
    return name.replace("/", "-")


def zoo_folder() -> Path:
    return Path(os.environ.get("DISCOTHEQUE_ZOO") or ASSETS / "zoo")


def embedded() -> list[str]:
    """Names of the zoo members that are there."""
    return sorted(card.stem for card in zoo_folder().glob("*.json")
                  if card.with_suffix(".safetensors").exists())


def zoo(name: str) -> tuple[dict, dict]:
    """(card, tensors) of an embedded network."""
    if name not in embedded():
        raise unknown("embedded network", name, embedded(), "the zoo is empty: make zoo trains it")
    return card_of(name), read(zoo_folder() / f"{name}.safetensors")


def fetch(name: str) -> Path:
    """The file of a catalogue entry as published: downloaded if it is not here yet, its sha256 checked."""
    entry = catalogue().get(name)
    if not entry:
        raise unknown("public checkpoint", name, catalogue())
    path = _kept(entry)
    if not path.exists():
        return download(entry["mirrors"], path)
    size, mirrors = path.stat().st_size, entry["mirrors"]
    if mirrors and not any(mirror.fits(size) for mirror in mirrors):
        raise Refused(f"{path} is {size:,} bytes long",
                      f"the published file has {mirrors[0].size or mirrors[0].about:,}",
                      "delete it, and it is downloaded again")
    if not genuine(path, [mirror.sha256 for mirror in mirrors]):
        raise Refused(f"{path} has the wrong fingerprint", "it is not the published file",
                      "delete it, and it is downloaded again")
    return path


def names(kind: str = "") -> list[str]:
    """All that `load` knows by name, embedded ones first; of one kind, or of all."""
    ours = [name for name in embedded() if kind in ("", card_of(name)["kind"])]
    public = [name for name, entry in catalogue().items() if kind in ("", entry["kind"])]
    return ours + [name for name in public if name not in ours]


def known(name: str, kind: str = "", knob: str = "") -> tuple[dict, Path]:
    """(card, file) of what `load` loads by this name or path, found without reading or downloading it;
    Refused where there is none, in the words of the knob that asks for it."""
    if name in embedded() and kind in ("", card_of(name)["kind"]):
        return card_of(name), zoo_folder() / f"{name}.safetensors"
    name, equals, own = name.partition("=")
    if equals and not own.strip():
        raise Refused(f"{name}= names no file", "a file of yours follows the =",
                      f"try {name}=/my/weights.safetensors, or {name} alone")
    entry = (catalogue().get(name) or card_of(name)) if name in names(kind) else None
    if entry and not own:
        return entry, _kept(entry)
    path = place(own or name)
    if not entry and (own or not (path.is_file() or path.suffix in SUFFIXES)):
        raise unknown(knob or kind or "weights", name, names(kind))
    if not path.is_file() or not path.stat().st_size:
        raise nothing(path)
    if entry:
        return entry, path
    return {"name": path.stem, "kind": kind, "config": {}, **_beside(path)}, path


def load(name: str, kind: str = "", tidy: Tidy | None = None):
    """(card, tensors) by name or path; `tidy` picks and renames the tensors of a foreign checkpoint."""
    card, path = known(name, kind)
    if name in embedded():
        return card, read(path)
    if name in catalogue():
        path = fetch(name)
    if tidy and path.is_relative_to(cache()):
        return card, converted(path, tidy)      # a download: tidied once
    return card, (tidy(read(path)) if tidy else read(path))


def _beside(path: Path) -> dict:
    """The card beside a file of your own; {} where there is none."""
    card = path.with_suffix(".json")
    try:
        said = json.loads(card.read_text(encoding="utf-8")) if card.exists() else {}
    except (OSError, ValueError) as error:
        raise Refused(f"{card} cannot be read", f"the reader says '{error}'",
                      "correct it, or remove it: the shape is then read off the weights") from error
    if not isinstance(said, dict):
        raise Refused(f"{card} is no card", "a card is a JSON object with a config",
                      "correct it, or remove it: the shape is then read off the weights")
    return said


def fingerprint(name: str) -> str:
    """The sha256 of the weights behind a name, for the manifest; "" where they are not here yet."""
    if name in embedded():
        return sha256(zoo_folder() / f"{name}.safetensors", keep=False)
    entry = catalogue().get(name)
    try:
        path = _kept(entry) if entry else place(name.partition("=")[2] or name)
    except Refused:
        return ""
    return sha256(path, keep=bool(entry)) if path.is_file() else ""


def _kept(entry: dict) -> Path:
    return cache() / _shelf(entry["name"]) / entry["file"]


def card_of(name: str) -> dict:
    """What is known of an embedded network, without its tensors."""
    text = (zoo_folder() / f"{name}.json").read_text(encoding="utf-8")
    return {"name": name, "kind": "", "config": {}, **json.loads(text)}
