"""Six ways to paint the same scene.

Each is `style(sheet, size, rng)`: a PIL image drawn large becomes one of `size` pixels. Textures are kept in
four versions each, because drawing them anew would take longer than the picture.
"""

import functools

import numpy as np
from PIL import Image, ImageChops, ImageFilter


@functools.lru_cache(8)
def grain(size, cells, seed, strength):
    """A smooth gray texture around 128, `cells` bumps across, or (down, across): paper, canvas, strokes."""
    rng = np.random.default_rng(seed)
    rows, columns = cells if isinstance(cells, tuple) else (cells, cells)
    noise = 128 + strength * rng.standard_normal((rows, columns))
    bumps = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
    return bumps.resize((size, size), Image.BICUBIC).convert("RGB")


def shrink(sheet, size):
    """By whole pixels, each the mean of its block."""
    k = sheet.size[0] // size
    return sheet.reduce(k) if k > 1 else sheet


def texture(image, tile):
    """Lighten and darken by a texture; gray 128 leaves the picture alone."""
    return ImageChops.soft_light(image, tile)


def saturate(image, k):
    """0 is gray, 1 leaves the picture alone."""
    return Image.blend(image.convert("L").convert("RGB"), image, k)


def flat(sheet, size, rng):
    """As drawn."""
    return shrink(sheet, size)


def watercolor(sheet, size, rng):
    """Washes that bleed a little, pigment pooled at the edges, white paper around and shining through."""
    image = shrink(sheet, size)
    r = size / 64
    wash = image.filter(ImageFilter.BoxBlur(0.45 * r))
    pooled = ImageChops.difference(image, image.filter(ImageFilter.BoxBlur(1.6 * r)))
    wash = Image.blend(wash, Image.new("RGB", wash.size, (255, 254, 248)), 0.26)
    wash = ImageChops.subtract(wash, pooled.point(lambda v: v * 2 // 3))
    wash = texture(wash, grain(size, 7, int(rng.integers(4)), 62))
    paper = Image.new("RGB", wash.size, (253, 251, 244))
    return Image.composite(wash, paper, torn_edge(size, int(rng.integers(4))))


@functools.lru_cache(16)
def torn_edge(size, seed):
    """Where the wet paint ended: a mask with an uneven border."""
    rng = np.random.default_rng(seed)
    mask = np.full((24, 24), 255.0)
    for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]):
        edge[:] = rng.uniform(-160, 150, 24)
    return Image.fromarray(mask.clip(0, 255).astype(np.uint8)).resize((size, size), Image.BICUBIC)


def pixel_art(sheet, size, rng):
    """A 32-dot picture with few colors, each dot a clean square."""
    whole = sheet.size[0] % 32 == 0                 # then reduce() does the same as a box, faster
    small = sheet.reduce(sheet.size[0] // 32) if whole else sheet.resize((32, 32), Image.BOX)
    small = saturate(small, 1.15).point(lambda v: min(255, round(v / 25.5) * 26))
    return small.resize((size, size), Image.NEAREST)


def pencil(sheet, size, rng):
    """Colored pencil: hatched tints under a graphite line, on cream paper."""
    image = shrink(sheet, size)
    gray = image.convert("L") if size > 128 else sheet.reduce(2).convert("L")
    line = ImageChops.difference(gray.filter(ImageFilter.MaxFilter(3)), gray.filter(ImageFilter.MinFilter(3)))
    line = line.resize((size, size), Image.BOX).point(lambda v: 255 - min(170, v * 3 // 2))
    tint = Image.blend(saturate(image, 1.2), Image.new("RGB", image.size, (254, 252, 246)), 0.5)
    tint = texture(tint, hatching(size, int(rng.integers(4))))
    return ImageChops.multiply(tint, line.convert("RGB"))


@functools.lru_cache(16)
def hatching(size, seed):
    """Slanting strokes: a long grain, turned."""
    long = Image.new("RGB", (size * 2, size * 2))
    long.paste(grain(size * 2, (min(size, 150), 10), seed, 52))
    return long.rotate(38, Image.BICUBIC).crop((size // 2, size // 2, size // 2 + size, size // 2 + size))


def oil(sheet, size, rng):
    """Thick strokes: colors gathered into dabs, some dragged aside, a ridge of light along each."""
    image = saturate(shrink(sheet, size), 1.2)
    seed, reach = int(rng.integers(4)), max(1, size // 56)
    dabs = image.filter(ImageFilter.MedianFilter(3 if size <= 96 else 5 if size <= 300 else 7))
    strokes = grain(size, (16, 30), seed, 70).getchannel(0)
    for low, dx, dy in ((150, reach, reach // 2), (108, -reach, reach)):
        chosen = strokes.point([255 if (v > low) == (low > 128) else 0 for v in range(256)])
        moved = dabs.copy()
        moved.paste(dabs, (dx, dy))
        dabs = Image.composite(moved, dabs, chosen)
    return texture(dabs, grain(size, (44, 18), seed + 9, 40))


def shaded(sheet, size, rng):
    """Photorealistic, as far as a drawing goes: the light is drawing.relief's; here is the lens."""
    image = shrink(sheet, size)
    glow = image.filter(ImageFilter.BoxBlur(size / 24))
    return ImageChops.multiply(Image.blend(image, ImageChops.screen(image, glow), 0.16), vignette(size))


@functools.lru_cache(8)
def vignette(size):
    """A lens gathers less light at the corners."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    fall = 255 * (1 - 0.26 * ((x * x + y * y) / 2) ** 1.3)
    return Image.fromarray(fall.astype(np.uint8)).convert("RGB")


STYLES = {"flat": flat, "watercolor": watercolor, "pixel art": pixel_art, "pencil sketch": pencil, "oil": oil,
          "photorealistic": shaded}
