"""Small parts of a page: buttons, notes, links, files that come and go. Core ipywidgets only, those that 7.7
and 8 both have.
"""

import base64
import html
import mimetypes
from pathlib import Path

from .errors import Refused

HEAVIEST = 16 << 20            # bytes of a file that a page holds
WITHIN = "calc(100% - 4px)"    # of a narrow page; widgets have margins of 2px
SMALL = {"width": "34px", "padding": "0"}
INDENT = "2px 2px 2px calc(10em + 6px)"     # under the fields, behind their names
LINE = "line-height:1.4;overflow-wrap:anywhere"
LOOK = {"style": {"description_width": "10em"}, "layout": {"width": "33em", "max_width": WITHIN}}
# ipywidgets writes how many files it holds behind the words of an upload, and lets nobody forbid it.
UNCOUNTED = ("<style>.{0}{{font-size:0}} .{0} i,.{0}::after{{font-size:var(--jp-widgets-font-size,13px)}}"
             ".{0}::after{{content:'{1}'}}</style>")


def tipped(widget, tip: str):
    """The widget, which says this where the mouse rests on it."""
    setattr(widget, "tooltip" if widget.has_trait("tooltip") else "description_tooltip", tip)   # 8 and 7
    return widget


def button(text, tip, press, **layout):
    """A button that calls `press()`."""
    import ipywidgets
    made = ipywidgets.Button(description=text, tooltip=tip, layout=layout or {"width": "auto"})
    made.on_click(lambda _: press())
    return made


def note(widget, text: str):
    """Let an HTML widget say this in bold, or take no room."""
    look = f"{LINE};white-space:pre-line"       # several matters have a line each
    widget.value = f'<div style="{look}"><b>{html.escape(text)}</b></div>' if text else ""
    widget.layout.display = None if text else "none"


def tried(widget, act):
    """Do something; where it is Refused, the widget says so."""
    note(widget, "")
    try:
        act()
    except Refused as refused:
        note(widget, str(refused))


def inline(data: bytes, kind: str = "image/jpeg") -> str:
    """A file as an address that holds the file itself, for pages."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


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


def upload(text: str, tip: str, accept: str, take, width: str):
    """A button that takes a file and calls `take(name, content)`."""
    import ipywidgets
    name = "discotheque-" + text.replace(" ", "-")
    pick = tipped(ipywidgets.FileUpload(accept=accept, multiple=False, description=text,
                                        layout={"width": "auto", "flex": "1"}), tip)
    pick.add_class(name)
    pick.observe(lambda change: [take(*file) for file in uploaded(change["new"])[-1:]], "value")
    return ipywidgets.HBox([pick, ipywidgets.HTML(UNCOUNTED.format(name, text), layout={"display": "none"})],
                           layout={"width": width, "margin": INDENT})


def uploaded(found) -> list[tuple[str, bytes]]:
    """(name, content) of each file in the value of a FileUpload."""
    if isinstance(found, dict):         # ipywidgets 7: name -> file
        return [(name, bytes(file["content"])) for name, file in found.items()]
    return [(file["name"], bytes(file["content"])) for file in found]
