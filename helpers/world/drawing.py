"""From a scene to its picture, the masks of its things, and its depth map (all at any size from 16 to 2048).

pixels = draw(scene, 64)            # (64, 64, 3) uint8
"""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from .layout import layout
from .pen import Pen
from .places import backdrop, shadow
from .scenes import COLORS, THINGS
from .styles import STYLES


def sheet(scene, pixels, ink=None):
    """The scene drawn on a (pixels, pixels) sheet; `ink(index)` gives masks and depth their values
    instead of colors.
    """
    image = Image.new("RGB" if ink is None else "F", (pixels, pixels))
    pen, rng = Pen(image), np.random.default_rng(scene.seed)
    horizon, spots = layout(scene, rng)
    if ink is None:
        backdrop(pen, scene.place, scene.sky, horizon, rng)
        grounded = [(x, y, h) for i, x, y, h, _ in spots if y < 0.3]
        shadow(pen, grounded)
    for i, x, y, height, flip in spots:
        paint = THINGS[scene.items[i].thing][0]
        pen.at(x, y, height, flip)
        if ink is not None:
            pen.ink = ink(i, y)
            paint(pen, (0, 0, 0))
        elif scene.style == "photorealistic":
            relief(pen, paint, COLORS[scene.items[i].color])
        else:
            paint(pen, COLORS[scene.items[i].color])
    return image


def relief(pen, paint, color):
    """Draw one thing as a lit solid: its own mask, blurred, is taken for its height, and light falls from
    upper left.
    """
    x0, y0, x1, y1 = (int(v) for v in pen.corners(-0.7, -0.06, 0.7, 1.14))
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, pen.sheet.size[0]), min(y1, pen.sheet.size[1])
    paint(pen, color)
    k = 4
    w, h = max(1, (x1 - x0) // k), max(1, (y1 - y0) // k)
    mask = Image.new("L", (w, h))
    stencil = Pen(mask, ink=255)
    stencil.ox, stencil.oy, stencil.sx, stencil.sy = (
        (pen.ox - x0) / k,
        (pen.oy - y0) / k,
        pen.sx / k,
        pen.sy / k,
    )
    paint(stencil, color)
    d = max(1.0, abs(pen.sy) / k * 0.07)
    soft = mask.filter(ImageFilter.BoxBlur(d))
    slope = ImageChops.subtract(
        ImageChops.offset(soft, -int(d) - 1, -int(d) - 1),
        ImageChops.offset(soft, int(d) + 1, int(d) + 1),
        1.6,
        128,
    )
    region = pen.sheet.crop((x0, y0, x0 + w * k, y0 + h * k))
    lit = slope.resize(region.size, Image.BILINEAR).convert("RGB")
    lit = Image.blend(
        ImageChops.multiply(region, ImageChops.add(lit, lit)),
        ImageChops.screen(region, ImageChops.subtract(lit, Image.new("RGB", lit.size, (128, 128, 128)))),
        0.5,
    )
    pen.sheet.paste(lit, (x0, y0), mask.resize(region.size, Image.BILINEAR))


def enlargement(size):
    """How many times larger than `size` a sheet is drawn before it is shrunk (antialiasing)."""
    return 3 if size <= 128 else 2


def draw(scene, size):
    """The picture: (size, size, 3) uint8. `size` from 16 to 2048."""
    large = sheet(scene, size * enlargement(size))
    return np.asarray(STYLES[scene.style](large, size, np.random.default_rng(scene.seed + 1)))


def mask(scene, size, index=0):
    """(size, size) in [0, 1]: where the thing of `scene.items[index]` can be seen."""
    large = sheet(scene, size * 2, lambda i, y: float(i == index))
    return np.asarray(large.reduce(2))


def depth(scene, size):
    """(size, size) in [0, 1]: 1 is near, 0 is the sky. Ground rises to the horizon; a thing is as near as
    its feet.
    """
    horizon, _ = layout(scene, np.random.default_rng(scene.seed))
    rows = np.linspace(1, 0, size)[:, None].repeat(size, 1)
    ground = np.clip(1 - rows / horizon, 0, 1) * 0.9
    things = np.asarray(
        sheet(scene, size * 2, lambda i, y: 1.1 - min(max(y, 0), 0.9) / max(horizon, y + 0.1)).reduce(2)
    )
    return np.maximum(ground, np.clip(things, 0, 1)).astype(np.float32)
