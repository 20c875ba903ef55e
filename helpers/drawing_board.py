"""A board to draw on in a notebook: a sketch to paint from, or a mask over a picture.

    board = Board(128, 128)                             # black brush, white paper
    board                                               # in a notebook: shows the board and its tools
    settings.but(init_image=board.image)                # a PIL picture of what is drawn now

    board = Board(under=run.picture, ink="white")       # a mask: what is painted red there is white here
    board.load("sketch.png")                            # where nobody can draw, or to begin with

The page draws (drawing_board.html) and says every change as a data URL. That text is the drawing: it is there
again where the board is shown again.
"""

import base64
import io
import re
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageOps

from . import picture_files
from .errors import Refused
from .talking_page import TalkingPage

PAGE = Path(__file__).with_suffix(".html")
PAPERS = {"black": "white", "white": "black"}       # ink: what it is seen on
BLANK = {"white": 255, "black": 0}
LEAST, MOST = 16, 2048                              # pixels of a side
HEAVIEST = 1_000_000                                # characters of a data URL
SHOWN, SHARP = 384, 768                             # longest side on the page, and of the canvas behind it
DATA_URL = re.compile(r"data:image/png;base64,(iVBORw0KGgo[A-Za-z0-9+/]+={0,2})")     # how a PNG file begins


class Board(TalkingPage):
    """A drawing of width x height pixels; 0 is that of the picture `under` it, or 128.

    `under`: a picture (path, address, PIL, array, tensor) to trace, shown faintly. `ink`: "black" on white
    paper for sketches, "white" on black for masks, which lies over the picture as translucent red.
    """

    def __init__(self, width: int = 0, height: int = 0, under=None, ink: str = "black"):
        super().__init__()
        if ink not in PAPERS:
            raise Refused(f"ink is {ink!r}", "choose 'black' for sketches or 'white' for masks")
        under = None if under is None else _rgb(under)
        self.ink, self.paper = ink, PAPERS[ink]
        self.width, self.height = (_side(name, given or getattr(under, name, 128))
                                   for name, given in (("width", width), ("height", height)))
        self._scale = max(1, SHARP // max(self.width, self.height))
        self._under = under and ImageOps.fit(under, self._size(), Image.Resampling.LANCZOS)

    @property
    def image(self) -> Image.Image:
        """What is drawn now, mode "L"; Refused while there is nothing, or nothing that can be read."""
        return self._sharp().reduce(self._scale)

    def load(self, source):
        """Begin with a picture (path, address, PIL, array, tensor) in place of what was drawn.

        It is cropped to the shape of the board, gray. A picture of the board's own size comes back exactly.
        """
        from . import images        # and with it torch
        picture = (images.open_mask if self.ink == "white" else images.open)(source)
        sharp = ImageOps.fit(images.to_pil(picture).convert("L"), self._size(), Image.Resampling.BOX)
        text = f"data:image/png;base64,{base64.b64encode(picture_files.png(sharp)).decode()}"
        self._heard.value = _light(text)

    def _size(self) -> tuple[int, int]:
        """Of the canvas in the page: a whole multiple of the drawing, so that strokes look smooth."""
        return self.width * self._scale, self.height * self._scale

    def _sharp(self) -> Image.Image:
        """The drawing as the page sent it, mode "L", checked."""
        picture = _decoded(_light(self._heard.value)) or Image.new("L", self._size(), self.paper)
        if picture.size != self._size():
            raise Refused("the drawing has {} x {} pixels".format(*picture.size),
                          "this board sends {} x {}".format(*self._size()),
                          "run its cell again and draw anew")
        if picture.getextrema() == (BLANK[self.paper],) * 2:
            raise Refused("nothing is drawn yet", "a board holds what was drawn on it or loaded",
                          'draw something, or board.load("sketch.png")')
        return picture

    def _markup(self) -> str:
        across, down = self._size()
        longest, mask = max(self.width, self.height), self.ink == "white"
        over = mask and self._under is not None
        return self._filled(
            PAGE, ink=self.ink, paper=self.paper, shown="#f03" if over else self.ink,
            under="" if self._under is None else _img(self._under, 1 if mask else 0.35),
            strength=0.5 if over else 1, side=round(SHOWN * self.width / longest), width=self.width,
            height=self.height, across=across, down=down, scale=self._scale, widest=max(4, longest // 4),
            brush=max(2, longest // (10 if mask else 64)))

    def _ipython_display_(self):
        bundle = {"text/html": self._markup()}
        with suppress(Refused):     # a plain picture of the drawing, for viewers that run no scripts
            bundle["image/png"] = base64.b64encode(picture_files.png(self._sharp())).decode()
        self._shown(**bundle)

    def __repr__(self) -> str:
        return f"A drawing board, {self.width} x {self.height}; it opens here when you run the cell."


def _side(name, given) -> int:
    if not (isinstance(given, int) and LEAST <= given <= MOST):
        raise Refused(f"{name} is {given!r}", f"a drawing board has {LEAST} to {MOST} pixels each way",
                      "try Board(128, 128)")
    return given


def _light(text: str) -> str:
    if len(text) > HEAVIEST:
        raise Refused(f"the drawing takes {len(text) / 1e6:.1f} MB", f"a board holds {HEAVIEST / 1e6:.0f} MB",
                      "give a photograph to the system itself, the board is for strokes")
    return text


def _rgb(source) -> Image.Image:
    from . import images        # and with it torch
    return images.to_pil(images.open(source))


def _decoded(text: str) -> Image.Image | None:
    """A data URL -> its picture, "L"; None of an empty one."""
    if not text:
        return None
    try:
        data = base64.b64decode(DATA_URL.fullmatch(text)[1], validate=True)
        picture = picture_files.decode("the drawing", io.BytesIO(data))
    except (TypeError, ValueError) as error:        # no data URL; damaged base64; a Refused picture
        raise Refused("what came from the drawing board is not a drawing", "it sends PNG pictures",
                      "run its cell again and draw anew") from error
    return picture.convert("L")


def _img(picture, strength) -> str:
    """An <img> that holds the picture itself."""
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=88)
    data = base64.b64encode(packed.getvalue()).decode()
    return f'<img alt="" src="data:image/jpeg;base64,{data}" style="opacity: {strength}">'
