"""Pictures that came from the artist's machine, kept beside the runs under names made of what is in them.

    path = keep("cat.jpg", data)
    part = keep_part(path, (0, 0, 320, 240))    # a PNG that says which picture it is a part of
    whole(part)                                 # -> (path, (0, 0, 320, 240))
"""

import hashlib
import io
from contextlib import suppress
from pathlib import Path

from . import cropping, picture_files, run_folder, safe_files
from .errors import Refused

HEAVIEST = 64 << 20         # bytes of an uploaded picture


def keep(name: str, data: bytes) -> Path:
    """Where it is kept; Refused where it is no picture, or too heavy."""
    if len(data) > HEAVIEST:
        raise Refused(f"'{name}' has {len(data) >> 20} MB", f"at most {HEAVIEST >> 20} MB are taken",
                      "shrink it first")
    kind = picture_files.decode(name, io.BytesIO(data)).format or "png"
    path = safe_files.folder(_home()) / f"{hashlib.sha256(data).hexdigest()[:16]}.{kind.lower()}"
    safe_files.write(path, data)
    return path


def keep_part(source, box) -> Path:
    """Where the part `box` of a picture is kept; the whole stays beside it, wherever it came from."""
    picture, path = cropping.opened(source), Path(source)
    part = cropping.cut(picture, box)
    if path.parent.resolve() != _home().resolve():
        path = keep("the whole picture", picture_files.png(picture))
    return keep("the part", picture_files.png(part, {"whole": path.name, "box": list(box)}))


def whole(path) -> tuple[Path, tuple | None]:
    """(the picture that a kept part is a part of, which part); (the path itself, None) of any other."""
    with suppress(Refused):         # what a picture says that comes from elsewhere may be anything
        match picture_files.read_text(path):
            case {"whole": str(name), "box": [int(), int(), int(), int()] as box}:
                kept = _home() / Path(name).name
                if kept.is_file():
                    return kept, tuple(box)
    return Path(path), None


def _home() -> Path:
    return run_folder.home() / "uploads"
