"""From a scene to its picture, the masks of its things, and its depth map, all at any size from 16 to 2048.

    pixels = draw(scene, 64)            # (64, 64, 3) uint8
    where = mask(scene, 64)             # (64, 64) float32 in [0, 1]
    near = depth(scene, 64)             # (64, 64) float32 in [0, 1]

The same scene gives the same pixels on every machine; a size outside 16..2048 is Refused.
"""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from ..errors import Refused
from .layout import layout
from .pen import Pen
from .places import backdrop, shadow
from .scenes import COLORS, THINGS
from .styles import STYLES

SMALLEST, LARGEST = 16, 2048


def draw(scene, size):
    """The picture: (size, size, 3) uint8."""
    large = sheet(scene, checked(size) * enlargement(size))
    return np.array(STYLES[scene.style](large, size, np.random.default_rng(scene.seed + 1)))


def mask(scene, size, index=0):
    """(size, size) float32 in [0, 1]: where things of kind `scene.items[index]` can be seen."""
    if not 0 <= index < len(scene.items):
        raise Refused(f"index is {index}", f"the scene has {len(scene.items)} of them",
                      "count the kinds of things from 0")
    large = sheet(scene, checked(size) * 2, lambda i, y: float(i == index))
    return np.array(large.reduce(2))


def depth(scene, size):
    """(size, size) float32 in [0, 1], 1 is near, 0 is the sky.

    Ground comes nearer from the horizon down; a thing is upright, as near as the ground at its feet.
    """
    horizon, _ = layout(scene, np.random.default_rng(scene.seed))
    rows = np.linspace(1, 0, checked(size))[:, None].repeat(size, 1)
    ground = np.clip(1 - rows / horizon, 0, 1) * 0.9
    large = sheet(scene, size * 2, lambda i, y: 1.1 - min(max(y, 0), 0.9) / max(horizon, y + 0.1))
    return np.maximum(ground, np.clip(np.asarray(large.reduce(2)), 0, 1)).astype(np.float32)


def checked(size):
    """`size`, if pictures of it can be drawn."""
    if not SMALLEST <= size <= LARGEST:
        raise Refused(f"size is {size}", f"it must be between {SMALLEST} and {LARGEST}",
                      f"try {min(max(size, SMALLEST), LARGEST)}")
    return size


def enlargement(size):
    """How many times larger than `size` a sheet is drawn before it is shrunk (antialiasing)."""
    return 3 if size <= 128 else 2


def sheet(scene, pixels, ink=None):
    """The scene on a (pixels, pixels) sheet; `ink(index, y)` draws things in values instead of colors."""
    image = Image.new("RGB" if ink is None else "F", (pixels, pixels))
    pen, rng = Pen(image), np.random.default_rng(scene.seed)
    horizon, spots = layout(scene, rng)
    if ink is None:
        backdrop(pen, scene.place, scene.sky, horizon, rng)
        shadow(pen, [(x, y, height) for _, x, y, height, _ in spots if y < 0.3])
    for i, x, y, height, flip in spots:
        paint, color = THINGS[scene.items[i].thing][0], COLORS[scene.items[i].color]
        pen.at(x, y, height, flip)
        if ink is not None:
            pen.ink = ink(i, y)
        if ink is None and scene.style == "photorealistic":
            relief(pen, paint, color)
        else:
            paint(pen, color)
    return image


def relief(pen, paint, color):
    """Draw one thing as a lit solid: its own mask, blurred, is taken for its height."""
    x0, y0, x1, y1 = (int(v) for v in pen.corners(-0.7, -0.06, 0.7, 1.14))
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, pen.sheet.size[0]), min(y1, pen.sheet.size[1])
    paint(pen, color)
    k = 4                                           # light is soft: a quarter of the pixels is enough
    w, h = max(1, (x1 - x0) // k), max(1, (y1 - y0) // k)
    mask = Image.new("L", (w, h))
    stencil = Pen(mask, ink=255)
    stencil.ox, stencil.oy, stencil.sx, stencil.sy = (
        (pen.ox - x0) / k, (pen.oy - y0) / k, pen.sx / k, pen.sy / k)
    paint(stencil, color)
    region = pen.sheet.crop((x0, y0, x0 + w * k, y0 + h * k))
    lit = sunlit(region, mask, max(1.0, abs(pen.sy) / k * 0.07))
    pen.sheet.paste(lit, (x0, y0), mask.resize(region.size, Image.BILINEAR))


def sunlit(region, mask, round_off):
    """`region` with light from the upper left on the slopes of `mask`, blurred over `round_off` pixels."""
    soft, d = mask.filter(ImageFilter.BoxBlur(round_off)), int(round_off) + 1
    slope = ImageChops.subtract(ImageChops.offset(soft, -d, -d), ImageChops.offset(soft, d, d), 1.6, 128)
    light = slope.resize(region.size, Image.BILINEAR).convert("RGB")
    shade = ImageChops.multiply(region, ImageChops.add(light, light))
    shine = ImageChops.screen(
        region, ImageChops.subtract(light, Image.new("RGB", light.size, (128, 128, 128))))
    return Image.blend(shade, shine, 0.5)
