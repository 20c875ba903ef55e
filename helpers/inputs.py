"""Pictures and other files a run starts from, kept inside it, so that it can be moved, resumed, repeated.

    values, origins = keep(settings, folder)    # {"init_image": "inputs/init_image-1.jpg", …}, where each was
    values = find(values, origins, settings_class, folder)      # the same with paths that can be opened
"""

import hashlib
import io
import re
import shutil
from pathlib import Path

import numpy as np

from . import images, links, palettes, picture_files, prompts, safe_files
from .errors import Refused
from .knobs import knobs

FOLDER = "inputs"
KINDS = ("image", "images", "folder", "file")
KEPT = re.compile(rf"\b{FOLDER}/[\w-]+(?:\.\w+)?")       # names as `_Shelf` gives them
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")


def check(settings):
    """Refuse files that cannot be read, before anything is made; links are fetched later."""
    for knob in _file_knobs(type(settings)):
        for source, _ in _sources(knob, getattr(settings, knob.name)):
            if knob.kind == "folder":
                for path in pictures_in(source):
                    picture_files.check(path)
            elif knob.kind == "file":
                _file(knob, source)
            elif isinstance(source, str) and not links.is_link(source):
                picture_files.load(source)


def keep(settings, folder) -> tuple[dict, dict]:
    """Copy every file into `folder`/inputs -> settings that name the copies, and where those come from."""
    values, shelf = spelled(type(settings), settings.to_dict()), _Shelf(Path(folder))
    for knob in _file_knobs(type(settings)):
        sources = _sources(knob, values[knob.name])
        if sources:
            copies = [(shelf.put(knob, source), tail) for source, tail in sources]
            values[knob.name] = "".join(name + tail for name, tail in copies)
    return values, shelf.origins


def spelled(cls: type, values: dict) -> dict:
    """`values` with the colors that a palette takes from a picture written out."""
    known = knobs(cls)
    return {name: palettes.spelled(value) if known[name].kind == "palette" else value
            for name, value in values.items()}


def find(values: dict, origins: dict, cls: type, folder) -> dict:
    """`values` with each copy's name made a path: in the run if it is there, else where it came from."""
    def path(match):
        copy = (Path(folder) / match[0]).absolute()
        if copy.exists():
            return str(copy)
        was = origins.get(match[0], {})
        if was.get("sha256") and Path(was["from"]).exists() and _sha256(was["from"]) == was["sha256"]:
            return was["from"]
        raise Refused(f"'{match[0]}', which this picture was made from, is not here",
                      f"it was {was.get('from', 'unknown')!r}", "load the folder of the run")
    known = {knob.name for knob in _file_knobs(cls)}
    return {name: KEPT.sub(path, value) if name in known and isinstance(value, str) else value
            for name, value in values.items()}


def pictures_in(folder) -> list[Path]:
    """The picture files of a folder, by name (numbers in order: 9 before 10)."""
    folder = safe_files.place(folder)
    if not folder.is_dir():
        raise Refused(f"there is no folder '{folder}'", "frames are pictures in a folder", "check the path")
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.name[0] != "."]
    if not found:
        raise Refused(f"there are no pictures in '{folder}'", f"they end in {', '.join(PICTURES)}",
                      "check the path")
    return sorted(found, key=lambda path: [(not part.isdigit(), int(part) if part.isdigit() else 0, part)
                                           for part in re.split(r"(\d+)", path.name)])


class _Shelf:
    """Where copies go; the same source is copied once."""

    def __init__(self, folder: Path):
        self.folder, self.origins, self.known, self.count = folder, {}, {}, {}

    def put(self, knob, source) -> str:
        if isinstance(source, str) and source in self.known:
            return self.known[source]
        number = self.count[knob.name] = self.count.get(knob.name, 0) + 1
        name = f"{FOLDER}/{knob.name}-{number}"
        safe_files.within(self.folder / FOLDER)
        if knob.kind == "folder":
            for path in pictures_in(source):
                _copy(path, self.folder / name / path.name)
        elif knob.kind == "file":
            name += _file(knob, source).suffix
            _copy(_file(knob, source), self.folder / name)
        else:
            data, suffix = _content(source)
            name += suffix
            safe_files.write(self.folder / name, data)
        self.origins[name] = self._origin(source, self.folder / name)
        if isinstance(source, str):
            self.known[source] = name
        return name

    def _origin(self, source, copy) -> dict:
        if not isinstance(source, str):
            return {"from": "a picture in memory"}
        where = source if links.is_link(source) else str(Path(source).expanduser().absolute())
        return {"from": where, "sha256": _sha256(copy)}


def _file(knob, source) -> Path:
    path = safe_files.place(source)
    if not path.is_file():
        raise Refused(f"there is no file '{path}'", f"{knob.name} is the path of one", "check it")
    return path


def _file_knobs(cls):
    return [knob for knob in knobs(cls).values() if knob.kind in KINDS]


def _sources(knob, value) -> list[tuple]:
    """(path, address or picture; text that follows it in the setting) for each file a knob names."""
    if isinstance(value, str) and knob.kind != "images":
        return [(value.strip(), "")] if value.strip() else []
    if isinstance(value, str):
        scenes = prompts.scenes(value) if value.strip(" |^") else []
        flat = [(prompt, " ^ " if prompt is scene[-1] else " | ") for scene in scenes for prompt in scene]
        return [(prompt.text, str(prompt)[len(prompt.text):] + (gap if i + 1 < len(flat) else ""))
                for i, (prompt, gap) in enumerate(flat)]
    several = list(value) if isinstance(value, (list, tuple)) else [value]
    pairs = [one if isinstance(one, tuple) else (one, 1.0) for one in several]
    return [(picture, f":{weight:g}" + (" | " if i + 1 < len(pairs) else "") if knob.kind == "images" else "")
            for i, (picture, weight) in enumerate(pairs)]


def _content(source) -> tuple[bytes, str]:
    """The bytes of a picture file and the ending that fits them; a file is kept exactly as it is."""
    if not isinstance(source, str):
        return _lossless(source), ".png"
    data = links.fetch(source) if links.is_link(source) else Path(source).expanduser().read_bytes()
    picture = picture_files.decode(source, io.BytesIO(data))
    return data, f".{(picture.format or 'png').lower()}"


def _lossless(source) -> bytes:
    """A picture in memory as PNG, which keeps 8 bits per channel: the run is painted from this copy."""
    if isinstance(source, np.ndarray) and source.ndim == 3 and source.shape[2] == 4:
        source = images.clear(source)       # what is transparent means white in a picture, black in a mask
    elif isinstance(source, np.ndarray) or hasattr(source, "detach") or source.mode[0] in "IF":
        source = images.to_pil(images.open(source))
    return picture_files.png(source if source.mode in ("L", "RGB", "RGBA") else source.convert("RGBA"))


def _copy(source, target):
    safe_files.within(target.parent)
    with safe_files.whole(target) as spare:
        shutil.copyfile(source, spare)


def _sha256(path) -> str:
    """Of a file, or of all pictures in a folder."""
    if Path(path).is_dir():
        return hashlib.sha256(" ".join(map(_sha256, pictures_in(path))).encode()).hexdigest()
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
