"""Masks without a mouse: a larger canvas for a picture to be painted on, or a rectangle to be painted anew.

    larger, mask = extend("castle.png", left=128, right=128)        # both PIL; white is where it is painted
    settings.but(init_image=larger, mask=mask)
    settings = enlarged("castle.png", settings, right=128)          # the same, at a size that can be painted
    mask = rectangle("castle.png", across=(0.25, 0.75), down=(0, 0.5))      # shares of its width and height
"""

import math

import numpy as np
from PIL import Image, ImageDraw

from . import images, picture_files
from .errors import Refused
from .knobs import knobs

MOST = 2048     # pixels on each side


def extend(picture, left: int = 0, right: int = 0, up: int = 0, down: int = 0):
    """(the picture on a larger canvas, its edges drawn out; the mask of what is new)"""
    _check(left=left, right=right, up=up, down=down)
    inner = np.asarray(opened(picture))
    height, width = inner.shape[:2]
    picture_files.check_size("the larger picture", width + left + right, height + up + down)
    larger = Image.fromarray(np.pad(inner, [(up, down), (left, right), (0, 0)], "edge"))
    mask = Image.new("L", larger.size, 255)
    mask.paste(0, (left, up, left + width, up + height))
    return larger, mask


def enlarged(picture, settings, left: int = 0, right: int = 0, up: int = 0, down: int = 0):
    """`settings` that paint around a picture (path, address, PIL, array, tensor): its larger canvas is their
    init_image, with its mask, and their width and height, the size to paint the picture at, grow with it.

    left, right, up, down: pixels of the picture; the last given of each pair is brought to the nearest at
    which all of it has a side that can be painted. Refused: what `extend` refuses, more than 2048 both ways
    together, settings of a system that knows no mask.
    """
    _check(left=left, right=right, up=up, down=down)
    known = knobs(type(settings))
    if not {"init_image", "mask"} <= known.keys():
        raise Refused("these settings have no mask", "a larger canvas is painted where its mask is white",
                      "choose another system, say vqgan_clip")
    picture, now, axes = opened(picture), (settings.width, settings.height), (known["width"], known["height"])
    scale, grown = scaled(picture.size, now), []
    for pixels, knob, (before, after) in zip(picture.size, axes, ((left, right), (up, down)), strict=True):
        if before + after > MOST:
            raise Refused(f"the picture grows by {before} and {after} pixels",
                          f"it may grow by {MOST} in each direction", "do it twice")
        possible = lengths(pixels, scale, knob)
        grown += [before, snapped(possible, pixels + before, after)] if after else \
            [snapped(possible, pixels, before), 0]
    larger, mask, (width, height) = canvas(picture, now, axes, *grown)
    return settings.but(init_image=larger, mask=mask, width=width, height=height)


def canvas(picture, now, known, left: int = 0, right: int = 0, up: int = 0, down: int = 0):
    """(the larger picture, its mask, (width, height) to paint it at); `now` is the size that the picture is
    painted at, `known` are the knobs of width and height. Refused: what `extend` refuses."""
    larger, mask = extend(picture, left, right, up, down)
    before = larger.width - left - right, larger.height - up - down
    return larger, mask, painted(before, larger.size, now, known)


def snapped(possible, kept: int, more: int) -> int:
    """The pixels next to `more` that make `kept` one of the possible lengths; 0 where none is that long."""
    return min((one for one in possible if one >= kept), default=kept,
               key=lambda one: abs(one - kept - more)) - kept


def lengths(pixels: int, scale: float, knob) -> list[int]:
    """What a side of `pixels` can be extended to, growing, itself first: sides that `knob` accepts where a
    pixel is painted `scale` pixels wide."""
    step = knob.step / scale
    first = math.floor((pixels - knob.low / scale) / step) + 1
    last = math.floor((pixels + MOST - knob.low / scale) / step)
    longer = (round(knob.low / scale + number * step) for number in range(max(0, first), last + 1))
    return [pixels, *dict.fromkeys(length for length in longer if pixels < length <= pixels + MOST)]


def painted(before, after, now, known) -> tuple[int, int]:
    """(width, height) to paint a picture at that had the size `before` and has `after`, as large as it was at
    the size `now`, or as the two knobs allow."""
    scale = min(scaled(before, now), *(knob.high / side for knob, side in zip(known, after, strict=True)))
    return tuple(knob.low + knob.step * max(0, round((side * scale - knob.low) / knob.step))
                 for knob, side in zip(known, after, strict=True))


def scaled(size, now) -> float:
    """How large a pixel of a picture is painted at the size `now`."""
    return math.sqrt(now[0] * now[1] / (size[0] * size[1]))


def rectangle(picture, across=(0.25, 0.75), down=(0.25, 0.75)) -> Image.Image:
    """A mask of the picture's size, white within a rectangle."""
    for name, (first, last) in (("across", across), ("down", down)):
        if not 0 <= first < last <= 1:
            raise Refused(f"{name} goes from {first:g} to {last:g}", "a rectangle lies between 0 and 1",
                          "try 0.25 to 0.75")
    mask = Image.new("L", opened(picture).size, 0)
    box = [round(share * (size - 1)) for share, size in zip((across[0], down[0], across[1], down[1]),
                                                            mask.size * 2, strict=True)]
    ImageDraw.Draw(mask).rectangle(box, 255)
    return mask


def opened(picture) -> Image.Image:
    """The picture as it is, upright; Refused where none is named."""
    if isinstance(picture, str) and not picture.strip():
        raise Refused("there is no picture to mask", "init_image is empty", "choose a picture there first")
    return images.to_pil(images.open(picture))


def _check(**sides):
    """Refuse what a picture cannot grow by."""
    for name, pixels in sides.items():
        if not isinstance(pixels, int) or not 0 <= pixels <= MOST:
            raise Refused(f"{name} is {pixels!r}", f"it must be between 0 and {MOST} pixels", "try 128")
    if not any(sides.values()):
        raise Refused("the picture is extended by nothing", "it grows left, right, up or down",
                      "give one of them pixels, say 128")
