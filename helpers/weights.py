"""Weights by name: embedded ones from the zoo, public ones from the catalogue, or any file of your own.

    card, state = load("vqgan-world")                        # assets/zoo/vqgan-world.safetensors + .json
    card, state = load("imagenet_f16_16384", progress=bar)   # downloaded once, checked, kept as safetensors
    card, state = load("imagenet_f16_16384=/my/last.ckpt")   # a file of yours in place of that of the name
    card, state = load("/my/last.ckpt")                      # with a .json card beside it, or an empty config

A card is a dict: name, kind ("perceptor", "vqgan", …), config (what builds the network), licence, purpose,
and for public ones size (bytes) and mirrors. Nothing here prints; `progress(done, total)` is told of bytes.
"""

import json
import os
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path

from .downloads import Mirror, Progress, download
from .errors import Refused, unknown
from .fingerprints import genuine, sha256
from .safe_files import place

ASSETS = Path(__file__).resolve().parent.parent / "assets"
SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".th")
Tidy = Callable[[dict], dict]
READER = "1"  # raise it when reading changes: converted files are then made again


def cache() -> Path:
    """Where downloads are kept: DISCOTHEQUE_CACHE, or ~/.cache/discotheque."""
    return Path(os.environ.get("DISCOTHEQUE_CACHE") or Path.home() / ".cache" / "discotheque").expanduser()


def catalogue() -> dict[str, dict]:
    """The public checkpoints, by name: assets/catalogue.toml and your own file, DISCOTHEQUE_CATALOGUE."""
    entries = {}
    for path in (ASSETS / "catalogue.toml", os.environ.get("DISCOTHEQUE_CATALOGUE")):
        if path:
            tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
            shapes = tables.pop("architecture", {})
            for name, entry in tables.items():
                config = {**shapes.get(entry.pop("architecture", ""), {}), **entry.pop("config", {})}
                mirrors = [Mirror(**mirror) for mirror in entry.pop("mirrors", [])]
                entries[name] = {"name": name, **entry, "config": config, "mirrors": mirrors}
    return entries


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


def fetch(name: str, progress: Progress | None = None) -> Path:
    """The file of a catalogue entry as published: downloaded if it is not here yet, its sha256 checked."""
    entry = catalogue().get(name)
    if not entry:
        raise unknown("public checkpoint", name, catalogue())
    path = _kept(entry)
    if not path.exists():
        return download(entry["mirrors"], path, progress)
    if not genuine(path, [mirror.sha256 for mirror in entry["mirrors"]]):
        raise Refused(f"{path} has the wrong fingerprint", "it is not the published file",
                      "delete it, and it is downloaded again")
    return path


def names(kind: str = "") -> list[str]:
    """All that `load` knows by name, embedded ones first; of one kind, or of all."""
    ours = [name for name in embedded() if kind in ("", card_of(name)["kind"])]
    public = [name for name, entry in catalogue().items() if kind in ("", entry["kind"])]
    return ours + [name for name in public if name not in ours]


def load(name: str, kind: str = "", tidy: Tidy | None = None, progress: Progress | None = None):
    """(card, tensors) by name or path; `tidy` picks and renames the tensors of a foreign checkpoint."""
    if name in embedded() and kind in ("", card_of(name)["kind"]):
        return zoo(name)
    name, _, own = name.partition("=")
    path = place(own or name)
    entry = (catalogue().get(name) or card_of(name)) if name in names(kind) else None
    if not entry and (own or not (path.is_file() or path.suffix in SUFFIXES)):
        raise unknown(kind or "weights", name, names(kind))
    if entry and not own:
        path = fetch(name, progress)
    card = entry or {"name": path.stem, "kind": kind, "config": {}}
    beside = path.with_suffix(".json")
    if not entry and beside.exists():
        card |= json.loads(beside.read_text(encoding="utf-8"))
    return card, (convert(path, tidy) if tidy else read(path))


def fingerprint(name: str) -> str:
    """The sha256 of the weights behind a name, for the manifest; "" where they are not here yet."""
    if name in embedded():
        return sha256(zoo_folder() / f"{name}.safetensors", keep=False)
    entry = catalogue().get(name)
    path = _kept(entry) if entry else Path(name.partition("=")[2] or name).expanduser()
    return sha256(path, keep=bool(entry)) if path.is_file() else ""


def _kept(entry: dict) -> Path:
    return cache() / entry["name"].replace("/", "-") / entry["file"]


def card_of(name: str) -> dict:
    """What is known of an embedded network, without its tensors."""
    text = (zoo_folder() / f"{name}.json").read_text(encoding="utf-8")
    return {"name": name, "kind": "", "config": {}, **json.loads(text)}


def read(path: Path) -> dict:
    """{name: tensor} of a safetensors file, a tensor-only torch file, or, without running it, any other."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from .checkpoints import open_checkpoint, tensors

    path = Path(path)
    if not path.is_file() or not path.stat().st_size:
        raise Refused(f"{path} is {'empty' if path.exists() else 'not there'}",
                      "weights come as .safetensors or as a torch checkpoint", "check the path")
    if _is_safetensors(path):
        try:
            return load_file(path)
        except SafetensorError as error:
            raise Refused(f"{path.name} is damaged ({error})", "it should be a safetensors file",
                          "delete it and get it again") from error
    try:
        with warnings.catch_warnings(action="ignore"):  # "looks like TorchScript": it is, and is not run
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return tensors(state) or open_checkpoint(path)
    except Exception:  # whatever torch makes of it: the restricted reader has the last word
        return open_checkpoint(path)


def _is_safetensors(path: Path) -> bool:
    """By its content, for mirrors may serve another format: 8 bytes of length, then JSON."""
    with path.open("rb") as file:
        return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"


def convert(path: Path, tidy: Tidy) -> dict:
    """The tidied tensors of a checkpoint; a download's are kept as safetensors beside it, for next time."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    if not path.is_file() or _is_safetensors(path) or not path.is_relative_to(cache()):
        return tidy(read(path))
    twin = path.with_name(f"{path.name}.safetensors")
    made_from = {"source": sha256(path), "reader": READER, "tidy": f"{tidy.__module__}.{tidy.__qualname__}"}
    if twin.exists():
        with safe_open(twin, "pt") as file:
            if file.metadata() == made_from:
                return read(twin)
    state = {key: tensor.detach().clone().contiguous() for key, tensor in tidy(read(path)).items()}
    fresh = twin.with_name(f"{twin.name}.{os.getpid()}.part")
    try:
        save_file(state, fresh, metadata=made_from)
        os.replace(fresh, twin)
    except OSError:
        fresh.unlink(missing_ok=True)  # a read-only or full folder: converted again next time
    return state
