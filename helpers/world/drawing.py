"""From a scene to its picture, the masks of its things, and its depth map (all at any size from 16 to 2048).

pixels = draw(scene, 64)            # (64, 64, 3) uint8
"""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from .pen import Pen
from .places import backdrop, shadow
from .scenes import COLORS, THINGS
from .styles import STYLES


def layout(scene, rng):
    """Where each copy of each thing stands, far ones first: (item index, x, y, height, flip), and the
    horizon.
    """
    horizon = rng.uniform(0.3, 0.42)
    spots = []
    scale = rng.uniform(0.85, 1.12)
    heights = [THINGS[i.thing][1] * scale for i in scene.items]

    def stand(item, height, x, low=0.06, high=0.16):
        where = THINGS[item.thing][2]
        y = rng.uniform(low, high)
        if where == "air":
            y = rng.uniform(0.2, max(0.21, 0.92 - height))
        elif where == "water" and scene.place == "sea":
            y = rng.uniform(0.13, 0.2)
        return x, y, height, bool(rng.uniform() < 0.5)

    if scene.second is None:
        n = scene.first.count
        h = heights[0] * (1, 1, 0.62, 0.5, 0.44)[n]
        xs = (
            [rng.uniform(0.4, 0.6)]
            if n == 1
            else [(i + 0.5) / n + rng.uniform(-0.03, 0.03) for i in range(n)]
        )
        spots = [(0, *stand(scene.first, h, x, 0.05, 0.24 if n > 1 else 0.15)) for x in xs]
    elif scene.relation == "beside":
        swap = rng.uniform() < 0.5
        xs = (0.27, 0.73) if swap else (0.73, 0.27)
        spots = [
            (i, *stand(item, heights[i] * 0.64, xs[i] + rng.uniform(-0.03, 0.03)))
            for i, item in enumerate(scene.items)
        ]
    elif scene.relation == "over":
        x = rng.uniform(0.42, 0.58)
        spots = [
            (1, x + rng.uniform(-0.12, 0.12), rng.uniform(0.04, 0.1), heights[1] * 0.62, False),
            (0, x, rng.uniform(0.54, 0.6), min(heights[0] * 0.58, 0.4), bool(rng.uniform() < 0.5)),
        ]
    elif scene.relation == "on":
        x, y = rng.uniform(0.44, 0.56), rng.uniform(0.05, 0.1)
        spots = [
            (1, x, y, heights[1] * 0.68, False),
            (0, x, y + heights[1] * SEATS.get(scene.second.thing, 0.62), heights[0] * 0.56, False),
        ]
    else:
        x = rng.uniform(0.42, 0.58)
        spots = [
            (1, x, 0.2, 0.6, False),
            (1, x - 0.3, 0.12, 0.5, False),
            (1, x + 0.3, 0.12, 0.5, True),
            (0, x, 0.05, heights[0] * 0.84, False),
        ]
    return horizon, sorted(spots, key=lambda s: -s[2]) if scene.second is None else spots


# How high riders sit on things, as a fraction of the carrier's height alone.
SEATS = {
    "horse": 0.4,
    "dog": 0.36,
    "whale": 0.44,
    "fish": 0.5,
    "car": 0.43,
    "train": 0.5,
    "boat": 0.18,
    "cat": 0.58,
    "crowd": 0.46,
    "snowman": 0.7,
    "umbrella": 0.64,
    "rocket": 0.62,
    "butterfly": 0.56,
    "bird": 0.54,
    "apple": 0.5,
    "ruins": 0.6,
}


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
