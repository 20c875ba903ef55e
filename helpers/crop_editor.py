"""The picture that a field names, small, and a part of it to be taken: by mouse on a board, or by sliders.

    editor = CropEditor(text, shape);  editor.box

`text` is the field, whose last picture it is; `shape()` the (width, height) of what is painted. Nothing is
cut until the artist says so; then the field names the part, and Undo the whole again. Core ipywidgets only,
those that 7.7 and 8 both have; where a page runs no scripts, the sliders do.
"""

from contextlib import suppress

from . import cropping, links, prompts, uploads
from .errors import Refused
from .page import INDENT, LINE, WITHIN, button, inline, tried
from .framing_board import FramingBoard

SMALL = 120         # pixels of the thumbnail, at most
LOOKS = f"display:block;max-width:{SMALL}px;max-height:{SMALL}px;border-radius:4px"
SLIDE = {"style": {"description_width": "4em"}, "layout": {"width": "28em", "max_width": WITHIN}}


class CropEditor:
    """Nothing, where the field names nothing that can be cropped here."""

    def __init__(self, text, shape, several: bool = False):
        import ipywidgets as w
        self.text, self._shape, self._several, self.chooser = text, shape, several, None
        self.said = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.box = w.VBox(layout={"max_width": "100%"})
        text.observe(self._look, "value")
        self._look()

    @property
    def named(self) -> str:
        """The last picture that the field names; "" where that is none, or elsewhere."""
        found = self.text.value
        if self._several:
            with suppress(Refused):     # which is said where it is typed
                scenes = prompts.pictures(found)
                found = scenes[-1][-1].text if scenes else ""
        return "" if links.is_link(found) else found.strip()

    def _look(self, _=None):
        """Show the picture the field names now."""
        self.box.children = self._row = []
        with suppress(Refused):         # which is said when it is painted
            if self.named:
                self._whole, self._part = uploads.whole(self.named)
                self._row = [self._thumbnail(cropping.opened(self.named)), self.said]
        self._close()

    def _thumbnail(self, picture):
        import ipywidgets as w
        told = "{} x {}".format(*picture.size) + ", cropped" * bool(self._part)
        source = inline(cropping.preview(picture, SMALL))
        small = w.HTML(f'<img alt="the picture" style="{LOOKS}" src="{source}">'
                       f'<div style="{LINE};font-size:12px;opacity:0.8">{told}</div>',
                       layout={"margin": "2px 8px 2px 0"})
        buttons = [button("Crop", "choose a part of the picture", lambda: tried(self.said, self._open),
                          width="8em")]
        if self._part:
            buttons.append(button("Undo crop", "the whole picture again", lambda: self._replace(self._whole),
                                  width="8em"))
        for each, icon in zip(buttons, ("crop", "undo"), strict=False):
            each.icon = icon
        return w.HBox([small, w.VBox(buttons)],
                      layout={"margin": INDENT, "flex_flow": "row wrap", "max_width": "23em"})

    def _open(self):
        """Choose anew, of the whole picture."""
        import ipywidgets as w
        self.chooser = PartChooser(cropping.opened(self._whole), self._part, self._shape())
        use = button("Use this part", "crop the picture; that can be undone",
                     lambda: tried(self.said, self._use), width="9em")
        use.button_style = "primary"
        cancel = button("Cancel", "leave the picture as it is", self._close, width="7em")
        self.box.children = [*self._row, self.chooser.widget,
                             w.HBox([use, cancel], layout={"margin": "0 0 8px"})]
        self.chooser.show()

    def _close(self):
        self.chooser, self.box.children = None, self._row

    def _use(self):
        self._replace(uploads.keep_part(self._whole, self.chooser.box))

    def _replace(self, path):
        """Let the field name another picture in place of this one."""
        before, _, after = self.text.value.rpartition(self.named)
        self.text.value = before + str(path) + after


class PartChooser:
    """`box`: the part of a picture that board and sliders show. `shape`: that which a part should have."""

    def __init__(self, picture, part, shape):
        import ipywidgets as w
        self.board, self._shape, self._following = FramingBoard(picture), shape, False
        self.said = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.paper = w.Output()
        self.keep = w.Checkbox(value=True, description="keep the shape of the canvas, {} x {}".format(*shape),
                               indent=False, layout={"width": "auto", "max_width": WITHIN})
        self.sides = {name: w.IntRangeSlider(value=(0, most), min=0, max=most, description=name, **SLIDE)
                      for name, most in zip(("across", "down"), picture.size, strict=True)}
        self.widget = w.VBox([self.paper, self.keep, *self.sides.values(), self.said],
                             layout={"max_width": "100%"})
        self._put(part or cropping.shaped(self.box, picture.size, shape))
        self.board.listen(lambda: tried(self.said, self._follow))
        self.keep.observe(lambda _: self._slid(), "value")
        for name, slider in self.sides.items():
            slider.observe(lambda _, name=name: self._slid(name), "value")

    @property
    def box(self) -> tuple[int, ...]:
        return self.board.box

    def show(self):
        with self.paper:
            self.board._ipython_display_()

    def _slid(self, kept=""):
        """A slider was moved, or the shape is wanted now: the rest follows."""
        if not self._following:
            (left, right), (top, bottom) = (slider.value for slider in self.sides.values())
            box = left, top, right, bottom
            self._put(cropping.shaped(box, self.board.size, self._shape, kept) if self.keep.value else box)

    def _put(self, box):
        self.board.put(box, self._shape if self.keep.value else None)
        self._follow()

    def _follow(self):
        """Let the sliders say what the board does."""
        left, top, right, bottom = self.board.box
        self._following = True
        self.sides["across"].value, self.sides["down"].value = (left, right), (top, bottom)
        self._following = False
