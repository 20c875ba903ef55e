"""A board to draw a rectangle on, over a picture to be cropped or around one to be extended.

    board = FramingBoard("castle.png")                  # within the picture
    board = FramingBoard("castle.png", lengths=((640, 800, 960), (480, 600)))     # around it, of such sides
    board                                               # in a notebook: shows it
    board.box                                           # (left, top, right, bottom), pixels of the picture
    board.listen(lambda: print(board.box))              # also while it is drawn
    board.put((0, 0, 320, 240), shape=(256, 192))       # what the sliders say; a shape that is to be kept

The page draws (framing_board.html) and says the box and the shape as numbers; pixels count from the picture's
upper left corner, so a box around it begins below zero.
"""

import json
import re
from pathlib import Path

from . import cropping
from .errors import Refused
from .page import inline
from .talking_page import TalkingPage

PAGE = Path(__file__).with_suffix(".html")
SHARP = 768                     # pixels of the picture's longest side
WIDEST, TALLEST = 400, 360      # pixels of the page
HINTS = {"within": "Drag the edges, or draw another rectangle.",
         "around": "Drag the edges outward, and the picture to its place."}
TOLD = {"within": "the part: arrow keys move it, with Shift its right and its lower edge",
        "around": "the frame: arrow keys move the picture in it, with Shift the right and the lower edge"}
NUMBERS = re.compile(r"-?\d{1,6}( -?\d{1,6}){3}( \d{1,6} \d{1,6})?", re.ASCII)


class FramingBoard(TalkingPage):
    """One rectangle; it begins as the whole picture.

    `lengths`: widths and heights that a rectangle around the picture may have, its own first, growing; None:
    it lies within.
    """

    def __init__(self, picture, lengths=None):
        super().__init__()
        picture = cropping.opened(picture)
        self.size, self._lengths = picture.size, lengths
        self._way = "within" if lengths is None else "around"
        self._picture = inline(cropping.preview(picture, SHARP))
        self.put((0, 0, *self.size))

    @property
    def box(self) -> tuple[int, ...]:
        """What is drawn now; Refused where the page says something else."""
        if not NUMBERS.fullmatch(self._heard.value):
            raise Refused("what came from the board is no rectangle", "it sends four whole numbers, or six",
                          "open it anew")
        left, top, right, bottom = box = tuple(map(int, self._heard.value.split()[:4]))
        gaps = left, top, self.size[0] - right, self.size[1] - bottom
        out = min(gaps) < 0 if self._lengths is None else max(gaps) > 0
        if out or left >= right or top >= bottom:
            raise Refused(f"the rectangle goes from {left}, {top} to {right}, {bottom}",
                          "it lies {} the picture, {} x {}".format(self._way, *self.size), "draw it anew")
        return box

    def put(self, box, shape=None):
        """Show this rectangle; one that is drawn has the `shape` (width, height), if there is one."""
        self._heard.value = " ".join(map(str, (*box, *(shape or ()))))

    def listen(self, act):
        """Let `act()` know of every change."""
        self._heard.observe(lambda _: act(), "value")

    def _markup(self) -> str:
        width, height = self.size
        return self._filled(PAGE, picture=self._picture, width=width, height=height, least=cropping.LEAST,
                            widest=min(WIDEST, round(TALLEST * width / height)), way=self._way,
                            told=TOLD[self._way], hint=HINTS[self._way], lengths=json.dumps(self._lengths))

    def _ipython_display_(self):
        self._shown(**{"text/html": self._markup()})

    def __repr__(self) -> str:
        return "A board over a picture, {} x {}; it opens here when you run the cell.".format(*self.size)
