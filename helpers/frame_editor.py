"""A larger canvas for the picture of init_image: its frame is drawn by the mouse on a board, or by sliders.

    editor = FrameEditor(widgets, Settings, said, use_mask);  editor.box

The frame has sides that the system paints, with the picture as large as it is painted now. Core ipywidgets
only, those that 7.7 and 8 both have; where a page runs no scripts, the sliders do.
"""

from . import outpainting, picture_files
from .page import LINE, WITHIN, button, tried
from .framing_board import FramingBoard
from .knobs import knobs
from .uploads import keep

SIDES = ("left", "right", "up", "down")
SLIDE = {"style": {"description_width": "5em"}, "layout": {"width": "24em", "max_width": WITHIN}}


class FrameEditor:
    """`said` is where it says what is wrong; `use_mask(mask)` takes what it makes."""

    def __init__(self, widgets: dict, cls: type, said, use_mask):
        import ipywidgets as w
        self.widgets, self.said, self._use_mask = widgets, said, use_mask
        self._knobs = [knobs(cls)[name] for name in ("width", "height")]
        self.board, self._size, self._following = None, None, False
        self.open = button("Open the frame", "drag its edges, and the picture in it",
                           lambda: tried(said, self._open), width="10em")
        self.paper, self.line = w.Output(), w.HTML(layout={"max_width": WITHIN})
        self.sides = {name: w.IntSlider(0, 0, outpainting.MOST, description=name, **SLIDE) for name in SIDES}
        self.extend = button("Extend", "the canvas grows by so many pixels, which are painted to fit",
                             lambda: tried(said, self._extend), width="7em")
        self.box = w.VBox([self.open, self.paper, *self.sides.values(), self.line, self.extend])
        for name, slider in self.sides.items():
            slider.observe(lambda _, name=name: self._slid(name), "value")
        for name in ("init_image", "width", "height"):
            widgets[name].observe(lambda _: self._renew(), "value")

    @property
    def picture(self) -> str:
        return self.widgets["init_image"].value

    @property
    def now(self) -> tuple[int, int]:
        """(width, height) of what is painted now"""
        return self.widgets["width"].value, self.widgets["height"].value

    @property
    def frame(self) -> tuple[int, ...]:
        """(left, top, right, bottom) around the picture, as the sliders say."""
        left, right, up, down = (slider.value for slider in self.sides.values())
        width, height = self._measured()
        return -left, -up, width + right, height + down

    def _measured(self) -> tuple[int, int]:
        """The size of the picture, which may be far away or large."""
        if self._size is None:
            self._size = outpainting.opened(self.picture).size
        return self._size

    def _lengths(self) -> list[list[int]]:
        size = self._measured()
        scale = outpainting.scaled(size, self.now)
        return [outpainting.lengths(side, scale, knob) for side, knob in zip(size, self._knobs, strict=True)]

    def _open(self):
        self._shut()
        for name in ("right", "down"):
            self._snap(name)
        self.board = FramingBoard(self.picture, self._lengths())
        self._show()
        self.board.listen(lambda: tried(self.said, self._follow))
        with self.paper:
            self.board._ipython_display_()

    def _shut(self):
        if self.board:
            self.board = None
            self.paper.clear_output()

    def _renew(self):
        """Another picture, or another size to paint it at."""
        self._size, opened = None, self.board is not None
        self._shut()
        if opened:
            tried(self.said, self._open)

    def _slid(self, name):
        if not self._following:
            tried(self.said, lambda: (self._snap(name), self._show()))

    def _snap(self, name):
        """Let the picture grow on this side so that all of it has a side that can be painted."""
        axis, place = divmod(SIDES.index(name), 2)
        kept = self._measured()[axis] + self.sides[SIDES[2 * axis + 1 - place]].value
        self._set(**{name: outpainting.snapped(self._lengths()[axis], kept, self.sides[name].value)})

    def _set(self, **values):
        self._following = True
        for name, value in values.items():
            self.sides[name].value = value
        self._following = False

    def _follow(self):
        """Let the sliders say what the board does."""
        (left, up, right, down), (width, height) = self.board.box, self._measured()
        self._set(left=-left, up=-up, right=right - width, down=down - height)
        self._show()

    def _show(self):
        """Let the board show what the sliders say, and the line what comes of it."""
        if self.board:
            self.board.put(self.frame)
        width, height = outpainting.painted(self._measured(), self._whole(), self.now, self._knobs)
        grows = any(slider.value for slider in self.sides.values())
        self.line.value = f'<div style="{LINE}">The canvas becomes {width} x {height}.</div>' if grows else ""

    def _whole(self) -> tuple[int, int]:
        left, top, right, bottom = self.frame
        return right - left, bottom - top

    def _extend(self):
        opened, sides = self.board is not None, {name: slider.value for name, slider in self.sides.items()}
        larger, mask, size = outpainting.canvas(self.picture, self.now, self._knobs, **sides)
        self._shut()
        self._set(**dict.fromkeys(SIDES, 0))        # it is done; once more would be on top of it
        self.widgets["width"].value, self.widgets["height"].value = size
        self.widgets["init_image"].value = str(keep("the larger picture", picture_files.png(larger)))
        self._use_mask(mask)
        self._show()
        if opened:
            self._open()
