"""The pen: a handful of shapes in a thing's own frame, drawn large and shrunk once.

A thing's frame has its feet at (0, 0), x to the right and y *up*, and is about 1 wide and 1 high; the pen
places that frame on the sheet. With `ink` set, every shape is drawn in that one value: so one drawing gives
the picture, the mask of a thing and the depth map. Colors are (r, g, b) in 0..255, angles are in degrees.
"""

import math

from PIL import Image, ImageDraw

BLACK, WHITE, INK = (22, 20, 26), (250, 249, 244), (38, 34, 44)
WOOD, STONE, GOLD = (122, 82, 48), (150, 146, 140), (250, 208, 84)
GLASS, SKIN = (178, 222, 240), (236, 190, 156)


def mix(a, b, t):
    """The color `t` of the way from `a` to `b`."""
    return tuple(round(x + (y - x) * t) for x, y in zip(a, b, strict=False))


def dark(c, t=0.3):
    """Toward a night blue, for shade has a color."""
    return mix(c, (14, 10, 30), t)


def light(c, t=0.35):
    """Toward the white of the sun."""
    return mix(c, (255, 255, 250), t)


class Pen:
    """Draws on `sheet`, a PIL image: `at` moves the frame, `tint` washes every color, `ink` overrides all."""

    def __init__(self, sheet, ink=None):
        self.sheet, self.draw, self.ink = sheet, ImageDraw.Draw(sheet), ink
        self.tint, self.wash = (0, 0, 0), 0.0
        self.at(0.5, 0.0, 1.0)

    def at(self, x, y, scale, flip=False):
        """Put the frame's feet at (x, y) of the sheet (0..1, y up), `scale` sheets high."""
        w, h = self.sheet.size
        self.ox, self.oy, self.sx, self.sy = x * w, (1 - y) * h, scale * h * (-1 if flip else 1), scale * h
        return self

    def color(self, c):
        """What `c` becomes here: the ink if there is one, else washed by the hour."""
        if self.ink is not None:
            return self.ink
        return mix(c, self.tint, self.wash) if self.wash else c

    def point(self, x, y):
        """From the frame to pixels of the sheet."""
        return self.ox + x * self.sx, self.oy - y * self.sy

    def poly(self, points, c):
        self.draw.polygon([self.point(x, y) for x, y in points], fill=self.color(c))

    def corners(self, x0, y0, x1, y1):
        """[left, top, right, bottom] in pixels, whichever way the frame is flipped."""
        (a, b), (d, e) = self.point(x0, y0), self.point(x1, y1)
        return [min(a, d), min(b, e), max(a, d), max(b, e)]

    def box(self, x0, y0, x1, y1, c, r=0.0):
        """A rectangle, its corners rounded by `r`."""
        if r:
            self.draw.rounded_rectangle(self.corners(x0, y0, x1, y1), r * self.sy, fill=self.color(c))
        else:
            self.draw.rectangle(self.corners(x0, y0, x1, y1), fill=self.color(c))

    def oval(self, x, y, rx, ry, c):
        self.draw.ellipse(self.corners(x - rx, y - ry, x + rx, y + ry), fill=self.color(c))

    def disc(self, x, y, r, c):
        self.oval(x, y, r, r, c)

    def pie(self, x, y, rx, ry, start, end, c):
        """A slice from `start` to `end` degrees, counterclockwise from the right."""
        a, b = (180 - end, 180 - start) if self.sx < 0 else (start, end)
        self.draw.pieslice(self.corners(x - rx, y - ry, x + rx, y + ry), -b, -a, fill=self.color(c))

    def line(self, points, width, c):
        pixels = max(1, round(width * self.sy))
        self.draw.line([self.point(x, y) for x, y in points], fill=self.color(c), width=pixels, joint="curve")

    def arc(self, x, y, rx, ry, start, end, width, c):
        """Part of an ellipse's outline, degrees counterclockwise from the right."""
        n = max(4, int(abs(end - start) / 12))
        turn = [math.radians(start + (end - start) * i / n) for i in range(n + 1)]
        self.line([(x + rx * math.cos(t), y + ry * math.sin(t)) for t in turn], width, c)

    def eyes(self, x, y, gap, r, look=0.3):
        """Two eyes that look a little to the front: what makes a drawing a character."""
        for side in (-gap, gap):
            self.disc(x + side, y, r, WHITE)
            self.disc(x + side + look * r, y, r * 0.58, BLACK)


def gradient(size, colors):
    """A sheet fading from `colors[0]` at the top through the others to the bottom."""
    strip = Image.new("RGB", (1, len(colors)))
    strip.putdata(list(colors))
    n = len(colors)
    return strip.resize(size, Image.BILINEAR, box=(0, 0.5, 1, n - 0.5)) if n > 1 else strip.resize(size)
