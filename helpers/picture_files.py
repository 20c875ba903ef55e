"""Picture files: read with every guard up, written with a text that says how they were made.

    picture = load("cat.jpg")                     # a path or an http(s) address -> an upright PIL image
    data = png(picture, {"prompts": "a cat"})     # bytes of a file;  read_text(path) gives the text back

No torch here. Whoever hands in a bad file hears so before anything is decoded.
"""

import io
import json
import re
import warnings
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, PngImagePlugin

from . import links, safe_files
from .errors import Refused, closest

MEGAPIXELS = 64
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")   # no EPS: that is a program
CHUNK = "discotheque"       # the PNG text chunk that says how a picture was made


def load(source) -> Image.Image:
    """A file or address -> PIL image, upright and decoded; every way it can be bad is refused by name."""
    return decode(*_file(source))


def check(source):
    """Refuse what `load` would, as cheaply as the format allows: for the many pictures of a folder."""
    with _opened(*_file(source)) as picture:
        if picture.format == "PNG":
            picture.verify()            # its checksums tell
        else:
            picture.draft("L", (1, 1))  # an eighth of a JPEG's size, the least it can be decoded at
            picture.load()


def decode(name, file) -> Image.Image:
    """The picture in an open file (or path) that goes by this name; `.format` says what it was."""
    with _opened(name, file) as picture:
        upright = ImageOps.exif_transpose(picture)      # decodes
        upright.format = picture.format
        return upright


@contextmanager
def _opened(name, file):
    """The picture with a legal header; whatever goes wrong in the block, the file cannot be read."""
    try:
        with _header(name, file) as picture:
            yield picture
    except (Refused, MemoryError):
        raise
    except Exception as error:      # a broken file can raise anything at all inside the decoders
        raise _unreadable(name, file) from error


def png(picture: Image.Image, text=None) -> bytes:
    """A PNG file in memory; `text` (anything JSON) has a chunk of its own. The same input, the same bytes."""
    info, file = PngImagePlugin.PngInfo(), io.BytesIO()
    if text is not None:
        said = json.dumps(text, ensure_ascii=False, sort_keys=True)
        # half of a surrogate pair is no text, but JSON has an escape for it
        info.add_itxt(CHUNK, said.encode("utf-8", "backslashreplace").decode())
    picture.save(file, "PNG", pnginfo=info, compress_level=4)
    return file.getvalue()


def read_text(path):
    """What `png` was told to say in the picture, or None."""
    said = load(path).info.get(CHUNK)
    try:
        return None if said is None else json.loads(said)
    except (ValueError, RecursionError) as error:
        raise Refused(f"the settings in '{path}' are damaged", "they are JSON in a PNG text chunk",
                      "use the picture as it left the run") from error


def check_size(name, w, h):
    """Refuse what would not fit into memory."""
    if w * h > MEGAPIXELS * 1_000_000:
        raise _too_large(name, f"{w} x {h} pixels")


def _header(name, file) -> Image.Image:
    """Opened but not decoded; its size is legal."""
    Image.init()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)     # our own limit is lower
            picture = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    except Image.DecompressionBombError as error:
        pixels = re.search(r"\d+", str(error))
        raise _too_large(name, f"{int(pixels[0]) / 1e6:.0f} megapixels" if pixels else "huge") from error
    try:
        check_size(name, *picture.size)
    except Refused:
        picture.close()
        raise
    return picture


def _file(source) -> tuple[str, io.BytesIO | Path]:
    """What to call it, and something PIL can open that is known not to be empty."""
    if links.is_link(source):
        data = links.fetch(str(source))
        return str(source), io.BytesIO(data) if data else _empty(source)
    path = safe_files.place(source)
    if path.is_dir():
        raise Refused(f"'{path}' is a folder", "a single picture is needed", "give the path of a file in it")
    if not path.is_file():
        raise _missing(path)
    try:
        with path.open("rb") as file:
            return str(path), path if file.read(1) else _empty(path)
    except OSError as error:
        raise Refused(f"'{path}' cannot be read", f"the system says '{error.strerror}'",
                      "check its permissions") from error


def _missing(path) -> Refused:
    if path.exists():
        return Refused(f"'{path}' is a device, not a file", "a picture is a path or a web address",
                       "check it")
    near = closest(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else None
    if near:
        return Refused(f"there is no file '{path}'", f"did you mean '{path.parent / near}'?")
    return Refused(f"there is no file '{path}'", "a picture is a path or a web address", "check it")


def _empty(name):
    raise Refused(f"'{name}' is empty (0 bytes)", "a picture has pixels in it", "save or download it again")


def _too_large(name, size) -> Refused:
    return Refused(f"'{name}' is {size}", f"at most {MEGAPIXELS} megapixels are read",
                   "shrink it first, for example to 4000 x 4000")


def _unreadable(name, file) -> Refused:
    with file.open("rb") if isinstance(file, Path) else io.BytesIO(file.getvalue()) as again:
        head = again.read(512)
    page = head.lstrip().lower().startswith((b"<!doctype", b"<html"))
    return Refused(f"'{name}' {'is a web page, not a picture' if page else 'cannot be read as a picture'}",
                   "PNG, JPEG, WebP, GIF, BMP, TIFF and AVIF can",
                   "open it in a picture program and save it as PNG")
