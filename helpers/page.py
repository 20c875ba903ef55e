"""Parts of a page."""

import html
import mimetypes
from pathlib import Path

from .forms import LINE, inline

HEAVIEST = 16 << 20         # bytes of a file that a page holds


def kept(path, name: str) -> str:
    """A link that saves a picture under that name on the artist's machine; where it lies, of one too heavy
    for a page."""
    path = Path(path)
    weight = path.stat().st_size
    if weight > HEAVIEST:
        return f'<div style="{LINE}">{html.escape(str(path.absolute()))}</div>'
    source = inline(path.read_bytes(), mimetypes.guess_type(path.name)[0] or "image/png")
    name = html.escape(name, quote=True)
    return (f'<a download="{name}" href="{source}" style="text-decoration:underline">save the picture</a> '
            f'({max(0.01, weight / 1e6):.2f} MB)')


def uploaded(found) -> list[tuple[str, bytes]]:
    """(name, content) of each file in the value of a FileUpload."""
    if isinstance(found, dict):         # ipywidgets 7: name -> file
        return [(name, bytes(file["content"])) for name, file in found.items()]
    return [(file["name"], bytes(file["content"])) for file in found]
