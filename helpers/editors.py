"""Editors for knobs whose value is easier to build than to type: prompts, pictures, palettes, seeds.

    box = edited(knob, widget, shape)

Each stands by the field of its knob and follows it, as it follows the editor: the field is what counts.
Core ipywidgets only, those that 7.7 and 8 both have.
"""

import secrets

from . import palettes, uploads
from .crop_editor import CropEditor
from .errors import Refused
from .page import INDENT, SMALL, button, tried, upload
from .prompt_rows import PromptRows


def edited(knob, widget, shape):
    """The widget of a knob, with an editor by it where there is one for its kind; `shape()` is the (width,
    height) of what is painted."""
    import ipywidgets
    makers = {"palette": Colors, "image": lambda text: Upload(text, shape),
              "images": lambda text: Upload(text, shape, several=True)}
    if knob.kind == "prompts":          # the text is inside, behind a switch
        return PromptRows(widget).box
    if knob.name == "seed":
        return diced(knob, widget)
    if knob.kind not in makers:
        return widget
    return ipywidgets.VBox([widget, makers[knob.kind](widget).box], layout={"max_width": "100%"})


def diced(knob, widget):
    """The field of a seed and a die that throws another one, together as wide as any field."""
    import ipywidgets

    def throw():
        widget.value = knob.low + secrets.randbelow(knob.high - knob.low + 1)
    widget.layout.width, widget.layout.min_width, widget.layout.flex = "30em", "0", "0 1 auto"
    die = button("⚄", "a random seed", throw, **SMALL, flex="0 0 auto")
    return ipywidgets.HBox([widget, die], layout={"max_width": "100%"})


class Colors:
    """A color picker for each plain color of a palette; ramps and pictures stay as they are written."""

    def __init__(self, text):
        import ipywidgets
        self.text, self.box = text, ipywidgets.HBox(layout={"flex_flow": "row wrap", "max_width": "23em",
                                                            "margin": INDENT})
        text.observe(self._read, "value")
        self._read()

    def _read(self, _=None):
        import ipywidgets
        parts, shown = palettes.parts(self.text.value), []
        for number, part in enumerate(parts):
            color = _hex(part)
            shown.append(ipywidgets.Label(part) if color is None else ipywidgets.ColorPicker(
                value=color, concise=True, layout={"width": "2.8em"}))
            shown.append(button("✕", f"remove {part}", lambda at=number: self._write(at, None), **SMALL))
            if color is not None:
                shown[-2].observe(lambda change, at=number: self._write(at, change["new"]), "value")
        add = button("+ color", "another color of the palette", lambda: self._write(len(parts), "#808080"))
        self.box.children = [*shown, add]

    def _write(self, at, color):
        parts = palettes.parts(self.text.value)
        parts[at:at + 1] = [color] if color else []
        self.text.value = ", ".join(parts)


class Upload:
    """A button that takes a picture from the artist's machine; the text field then names its copy, after
    those it names already where there may be several. There it can be cropped."""

    def __init__(self, text, shape, several=False):
        import ipywidgets
        self.text, self.several = text, several
        pick = upload("upload a picture", "from your machine; a copy of it is kept beside the runs",
                      "image/*", self._take, "13em")
        self.said = ipywidgets.HTML(layout={"display": "none", "margin": INDENT})
        self.crop = CropEditor(text, shape, several)
        self.box = ipywidgets.VBox([pick, self.said, self.crop.box], layout={"max_width": "100%"})

    def _take(self, name, content):
        tried(self.said, lambda: self._name(uploads.keep(name, content)))

    def _name(self, path):
        before = [self.text.value] if self.several and self.text.value.strip() else []
        self.text.value = " | ".join([*before, str(path)])


def _hex(part: str) -> str | None:
    """A plain color as #rrggbb; None of a ramp or a picture."""
    try:
        return "#" + "".join(f"{round(255 * share):02x}" for share in palettes.color(part))
    except Refused:
        return None
