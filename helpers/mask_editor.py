"""The mask of a picture on a page: painted over it, a rectangle, or what a larger canvas adds around it.

    editor = MaskEditor(widgets, Settings);  editor.box

It stands by the field of the mask and writes there; the picture is the one that init_image names. Core
ipywidgets only, those that 7.7 and 8 both have; where a page runs no scripts, the sliders do.
"""

from . import outpainting, picture_files
from .drawing_board import Board
from .page import WITHIN, button, tried
from .frame_editor import FrameEditor
from .uploads import keep

LONGEST = 512       # pixels of a board
SLIDE = {"style": {"description_width": "5em"}, "layout": {"width": "24em", "max_width": WITHIN},
         "continuous_update": False}


class MaskEditor:
    """Three ways to a mask, folded away until they are wanted."""

    def __init__(self, widgets: dict, cls: type):
        import ipywidgets as w
        self.widgets, self.board = widgets, None
        self.said = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.paper = w.Output()
        self.open = button("Open the board", "the picture of init_image, to be painted over",
                           lambda: tried(self.said, self._open), width="10em")
        self.take = button("Use what is red", "there it is painted anew",
                           lambda: tried(self.said, self._take), width="10em")
        self.take.disabled = True
        self.across, self.down = (w.FloatRangeSlider(value=(25, 75), min=0, max=100, step=1, description=name,
                                                     readout_format=".0f", **SLIDE)
                                  for name in ("across, %", "down, %"))
        self.larger = FrameEditor(widgets, cls, self.said, self._use)
        row = {"flex_flow": "row wrap"}
        painted = w.VBox([w.HBox([self.open, self.take], layout=row), self.paper])
        square = w.VBox([self.across, self.down, button(
            "Use this rectangle", "there it is painted anew", lambda: tried(self.said, self._rectangle),
            width="11em")])
        self.folds = w.Accordion([painted, square, self.larger.box], selected_index=None,
                                 layout={"width": WITHIN})
        for number, title in enumerate(("Paint the mask", "A rectangle", "A larger canvas")):
            self.folds.set_title(number, title)
        self.box = w.VBox([self.folds, self.said], layout={"width": "33em", "max_width": WITHIN,
                                                           "margin": "2px 0"})

    @property
    def picture(self) -> str:
        return self.widgets["init_image"].value

    def _open(self):
        size = outpainting.opened(self.picture).size
        ratio = min(1, LONGEST / max(size))
        self.board = Board(*(max(16, round(side * ratio)) for side in size), under=self.picture, ink="white")
        self.paper.clear_output()
        with self.paper:
            self.board._ipython_display_()
        self.take.disabled = False

    def _take(self):
        self._use(self.board.image)

    def _rectangle(self):
        across, down = ([end / 100 for end in slider.value] for slider in (self.across, self.down))
        self._use(outpainting.rectangle(self.picture, across, down))

    def _use(self, mask):
        self.widgets["mask"].value = str(keep("the mask", picture_files.png(mask)))
