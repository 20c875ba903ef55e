"""Palettes: a few colors, written as an artist would.

    parse("red, #ffcc00, navy->white\\5")       # names, hex, ramps of so many steps (2 to 64)
    parse("@my photo.png, red")                 # the eight colors a picture is mostly made of, and one more
    parse("xkcd:dusty rose, tab:olive")         # matplotlib's names, xkcd's with spaces
"""

import re

from .errors import Refused

EXAMPLE = "try 'navy, #ffcc00, white' or 'black->white\\5'"


def parse(text, name="palette"):
    """Text -> list of (r, g, b) in [0, 1]; empty text -> []."""
    colors = []
    for part in parts(text):
        if part.startswith("@"):
            colors += pictured(part[1:])
            continue
        ramp = re.fullmatch(r"(.+?)->(.+?)(?:\\([0-9]{1,9}))?", part)
        if not ramp:
            colors.append(color(part, name))
            continue
        first, last, count = color(ramp[1], name), color(ramp[2], name), int(ramp[3] or 8)
        if not 2 <= count <= 64:
            raise Refused(f"{name} has a ramp of {count} steps", "a ramp has 2 to 64", EXAMPLE)
        colors += [tuple(a + (b - a) * i / (count - 1) for a, b in zip(first, last, strict=True))
                   for i in range(count)]
    return colors


def parts(text):
    """Colors are parted by commas or spaces; the name of a picture and one of xkcd's go on to the next comma,
    ;, | or ramp."""
    found = re.findall(r"@[^,;|]+|(?:(?i:xkcd:)(?:(?!->)[^,;|\[\]\\])+|[^,;|\[\]\s(]|\([^)]*\))+", text)
    return [part.strip(" ]") if part.startswith("@") else part.strip() for part in found]


def spelled(text):
    """The same colors without the pictures: the text as it is, but each @photo.png is its colors."""
    if "@" not in text:
        return text
    written = [["#" + "".join(f"{round(255 * c):02x}" for c in one) for one in pictured(part[1:])]
               if part.startswith("@") else [part] for part in parts(text)]
    return ", ".join(one for several in written for one in several)


def color(text, name="color"):
    """One color by name or #hex -> (r, g, b) in [0, 1]."""
    from PIL import ImageColor
    try:
        if ":" in text:
            from matplotlib import colors
            return colors.to_rgb(text.strip().lower())
        return tuple(value / 255 for value in ImageColor.getrgb(text.strip())[:3])
    except ValueError as error:
        raise Refused(f"{name} has '{text}'", "colors are names such as navy, or #rrggbb", EXAMPLE) from error


def pictured(path, count=8):
    """The colors a picture is mostly made of."""
    from . import picture_files
    few = picture_files.load(path).convert("RGB").resize((128, 128)).quantize(count)
    flat = few.getpalette()[:3 * count]
    return [tuple(value / 255 for value in flat[i:i + 3]) for i in range(0, len(flat), 3)]
