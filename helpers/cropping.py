"""A part of a picture: cut out by shares or by pixels, and the rectangle that has another one's shape.

    part = crop("cat.jpg", across=(0.1, 0.6), down=(0, 0.5))    # PIL, of the left half what is on top
    part = crop("cat.jpg", shape=(256, 192))                    # the largest part of that shape
    part = part_of("cat.jpg", (40, 0, 360, 240))                # that rectangle
    settings.but(init_image=part)

Rectangles are (left, top, right, bottom), whole pixels from the picture's upper left corner, as PIL has them.
"""

import os

from PIL import Image

from . import images, picture_files, studio
from .errors import Refused

LEAST = 16      # pixels of a part each way, or all that the picture has
PLAIN = ("L", "LA", "RGB", "RGBA")      # modes that need no thought


def crop(picture, across=(0, 1), down=(0, 1), shape=None) -> Image.Image:
    """The part of a picture (path, address, PIL, array, tensor) as a PIL image; what is transparent stays so.

    across, down: from where to where, shares of its width and height between 0 (left, top) and 1 (right,
    bottom), rounded to whole pixels. shape: (width, height), in any unit: of that the largest part of this
    shape is taken, from the middle. Refused: shares that are not in order between 0 and 1, a shape that is
    none, a part of less than 16 pixels each way, and whatever is no picture.
    """
    picture = opened(picture)
    for name, (first, last) in (("across", across), ("down", down)):
        if not 0 <= first < last <= 1:
            raise Refused(f"{name} goes from {first:g} to {last:g}", "a part lies between 0 and 1",
                          "try 0.25 to 0.75")
    width, height = picture.size
    box = (round(across[0] * width), round(down[0] * height),
           round(across[1] * width), round(down[1] * height))
    return part_of(picture, box, shape)


def part_of(picture, box=None, shape=None) -> Image.Image:
    """That rectangle of a picture as a PIL image, or all of it; of a shape the largest part that has it, from
    the middle. Refused: what `crop` refuses, a rectangle that sticks out."""
    picture = opened(picture)
    box = (0, 0, *picture.size) if box is None else box
    if shape is not None:
        _within(picture, box)
        if not min(shape) > 0:
            raise Refused(f"shape is {shape!r}", "it is a width and a height above 0", "try (256, 192)")
        box = shaped(box, picture.size, shape)
    return cut(picture, box)


def cut(picture: Image.Image, box) -> Image.Image:
    """That rectangle of it; Refused where it sticks out or is too small to see."""
    _within(picture, box)
    (left, top, right, bottom), (width, height) = box, picture.size
    if right - left < min(LEAST, width) or bottom - top < min(LEAST, height):
        raise Refused(f"the part has {right - left} x {bottom - top} pixels",
                      f"it needs at least {LEAST} each way", "take more of the picture")
    return picture.crop(box)


def shaped(box, size, shape, kept: str = ""):
    """The rectangle of that shape nearest to `box` within a picture of `size`, about the same middle.

    kept: "across" or "down", which stays as it is if it can; neither: it lies within the box.
    """
    (left, top, right, bottom), ratio = box, shape[0] / shape[1]
    wide, high = right - left, bottom - top
    room = size if kept else (wide, high)
    wide = min(high * ratio if kept == "down" else wide, room[0], room[1] * ratio)
    ends = []
    for first, last, length, most in ((left, right, wide, size[0]), (top, bottom, wide / ratio, size[1])):
        length = max(1, round(length))
        begin = max(0, min(most - length, round((first + last - length) / 2)))
        ends.append((begin, begin + length))
    return ends[0][0], ends[1][0], ends[0][1], ends[1][1]


def opened(picture) -> Image.Image:
    """The picture as it is, upright; Refused where none is named."""
    if isinstance(picture, str) and not picture.strip():
        raise Refused("there is no picture to crop", "its field is empty", "name or upload one first")
    if isinstance(picture, str | os.PathLike):
        picture = picture_files.load(picture)
    if isinstance(picture, Image.Image):
        if picture.mode in PLAIN:
            return picture
        if picture.has_transparency_data:
            return picture.convert("RGBA")
    return images.to_pil(images.open(picture))


def preview(picture: Image.Image, side: int) -> bytes:
    """A JPEG of it for a page, no side longer than that; made small before anything else, as photographs are
    large."""
    small = picture.copy()
    small.thumbnail((side, side))
    return studio.jpeg(images.open(small), small.width)


def _within(picture, box):
    """Refuse a rectangle that sticks out."""
    (left, top, right, bottom), (width, height) = box, picture.size
    if not (0 <= left and right <= width and 0 <= top and bottom <= height):
        raise Refused(f"the part reaches from {left}, {top} to {right}, {bottom}",
                      f"the picture has {width} x {height} pixels", "stay within it")
