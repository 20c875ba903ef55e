"""Commands for pictures to begin with: a part of one, a mask over one, one on a larger canvas."""

import re

from . import links, systems
from .errors import Refused
from .parsers import DEFAULT, Parser, asked_system, lone_word, number, painter, parsed, sides, wanted
from .schedules import NUMBER
from .terminal import begin, say

BOX = re.compile(r"[0-9]{1,6}(,[0-9]{1,6}){3}")
SPAN = re.compile(rf"({NUMBER}),({NUMBER})")
SIDES = ("left", "right", "up", "down")


def crop(words) -> int:
    parser = Parser("crop", "Keep a part of a picture: a rectangle, the largest part of a shape, or both.")
    parser.usage = f"{parser.prog} PICTURE [LEFT,TOP,RIGHT,BOTTOM] [--shape WxH] --to FILE"
    parser.add_argument("picture", help="a file or an address")
    parser.add_argument("box", nargs="?", help="LEFT,TOP,RIGHT,BOTTOM: pixels from its upper left corner "
                        "[default all of it]")
    parser.add_argument("--shape", metavar="WxH", help="of the rectangle the largest part of this shape, "
                        "from the middle")
    parser.add_argument("--to", metavar="FILE", required=True, help="a PNG")
    options = parsed(parser, words)
    if options.box is None and options.shape is None:
        raise Refused("all of the picture is no part of it", "a part is a rectangle, or of a shape",
                      "try 0,0,320,240 or --shape 4x3")
    box = None if options.box is None else _box(options.box)
    shape = None if options.shape is None else sides("shape", options.shape)
    from . import cropping
    say(f"picture  {_kept(cropping.part_of(options.picture, box, shape), options)}")
    return 0


def mask(words) -> int:
    parser = Parser("mask", "Make a mask for a picture, white within a rectangle: there it is painted anew "
                    "by paint --init-image PICTURE --mask FILE")
    parser.usage = f"{parser.prog} PICTURE [--across FROM,TO] [--down FROM,TO] --to FILE"
    parser.add_argument("picture", help="a file or an address")
    for way, ends in (("across", "left to right"), ("down", "top to bottom")):
        parser.add_argument(f"--{way}", metavar="FROM,TO", default="0.25,0.75", help=f"from {ends}: shares "
                            "of the picture between 0 and 1 [default 0.25,0.75]")
    parser.add_argument("--to", metavar="FILE", required=True, help="a PNG")
    options = parsed(parser, words)
    across, down = (_span(way, getattr(options, way)) for way in ("across", "down"))
    from . import outpainting
    say(f"mask     {_kept(outpainting.rectangle(options.picture, across, down), options)}")
    return 0


def outpaint(words) -> int:
    """Paint around a picture, in a new run."""
    picture, saved = lone_word(words), None
    if picture and not any(word.partition("=")[0] == "--system" for word in words):
        saved = _painted_here(picture)
    cls = type(saved) if saved else systems.load(asked_system(words)).Settings
    name = cls.__module__.rpartition(".")[2]
    options = parsed(_outpainter(name, cls), words, cls)
    values = wanted(options, cls)
    for knob in ("init_image", "mask"):
        if knob in values:
            raise Refused(f"{knob} is given", "outpaint makes it of the picture", "leave it out")
    grown = {side: number(side, getattr(options, side), int) for side in SIDES}
    settings = saved.but(**values) if saved else cls.of(**values)
    from . import outpainting
    return begin(name, outpainting.enlarged(options.picture, settings, **grown))


def _outpainter(name, cls):
    parser = painter("outpaint", f"Paint around a picture with {name}, on a canvas that is larger.", cls)
    parser.usage = f"{parser.prog} PICTURE [--left N] [--right N] [--up N] [--down N] [--KNOB VALUE …]"
    parser.add_argument("picture", help="a file or an address; one that was painted here keeps its knobs "
                        "but for those given; width and height are those of the picture itself")
    parser.add_argument("--system", metavar="NAME", help=f"{', '.join(systems.SYSTEMS)} [default that of the "
                        f"picture, or {DEFAULT}]")
    for side in SIDES:
        parser.add_argument(f"--{side}", metavar="N", default="0", help="pixels of the picture that it grows "
                            "by there, or as near as can be painted [default 0]")
    return parser


def _painted_here(picture):
    """The settings that a picture carries, or None."""
    if links.is_link(picture):
        return None
    from . import runs
    return runs.load(picture) if runs.system(picture) else None


def _box(text) -> list[int]:
    if not BOX.fullmatch(plain := text.replace(" ", "")):
        raise Refused(f"the rectangle is {text!r}", "it is four whole numbers, LEFT,TOP,RIGHT,BOTTOM",
                      "try 0,0,320,240")
    return [int(end) for end in plain.split(",")]


def _span(way, text) -> tuple[float, float]:
    match = SPAN.fullmatch(text.replace(" ", ""))
    if not match:
        raise Refused(f"{way} is {text!r}", "it goes from one share of the picture to another",
                      "try 0.25,0.75")
    return float(match[1]), float(match[2])


def _kept(picture, options):
    """Where a PNG of it is now."""
    from . import picture_files, safe_files
    path = safe_files.place(options.to)
    if path.suffix.lower() != ".png":
        raise Refused(f"'{options.to}' does not end in .png", "a PNG keeps every pixel as it is",
                      "try part.png")
    if path.resolve() == safe_files.place(options.picture).resolve():
        raise Refused(f"'{options.to}' is the picture itself", "it would be lost", "choose another name")
    safe_files.folder(path.parent)
    safe_files.write(path, picture_files.png(picture))
    return path
