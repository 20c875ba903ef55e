"""Words of the command line -> settings: parsers made from a settings class, and their refusals."""

import re
from argparse import SUPPRESS, ArgumentParser, HelpFormatter
from functools import partial

from . import forms, presets, systems
from .errors import Refused
from .knobs import TYPES, knobs, named
from .schedules import NUMBER

DEFAULT = "vqgan_clip"
SIZE = re.compile(r"([0-9]{1,9})(?:\s*[xX×*]\s*([0-9]{1,9}))?")


class Parser(ArgumentParser):
    """Says what is wrong the way the rest of the suite does."""

    def __init__(self, prog, about, **more):
        super().__init__(prog=f"python -m helpers {prog}", description=about, allow_abbrev=False,
                         formatter_class=partial(HelpFormatter, width=110, max_help_position=30), **more)

    def error(self, message):
        raise Refused(message, "", f"{self.prog} --help lists what there is")


def painter(command: str, about: str, cls) -> Parser:
    """A parser with every knob of a system."""
    parser = Parser(command, about)
    parser.add_argument("--size", metavar="N|WxH", default=SUPPRESS,
                        help="width and height at once: 256 or 256x128")
    names = ", ".join([*presets.built_in(_system(cls)), "or one of your own"])
    parser.add_argument("--preset", metavar="NAME", default=SUPPRESS,
                        help=f"several knobs at once, before those given: {names}")
    forms.flags(cls, parser)
    return parser


def parsed(parser: Parser, words: list[str], cls=None):
    """The options; an unknown flag is refused with a guess."""
    options, rest = parser.parse_known_args(words)
    for word in rest:
        if not word.startswith("--"):
            raise Refused(f"{word!r} stands alone", "a value follows its --knob",
                          "put words with spaces in quotes")
        name = word[2:].partition("=")[0].replace("-", "_")
        known = knobs(cls) if cls else {}
        named(name, known, [flag[2:] for flag in parser._option_string_actions if flag.startswith("--")
                            and flag[2:].replace("-", "_") not in known])
    return options


def wanted(options, cls) -> dict:
    """Values for Settings.of: flags, words that stand alone, --size, and below them a preset."""
    values = forms.given(cls, options)
    if getattr(options, "words", None):
        if "prompts" in values:
            raise Refused("prompts is given twice", "as words and as --prompts", "leave one out")
        values["prompts"] = " ".join(options.words)
    if hasattr(options, "size"):
        values = dict(zip(("width", "height"), sides("size", options.size), strict=True)) | values
    if hasattr(options, "preset"):
        values = presets.load(options.preset, _system(cls)) | values
    return values


def asked_system(words: list[str]) -> str:
    """The system named among the words, before its knobs are known."""
    said = [word for before, word in zip(["", *words], words, strict=False) if before == "--system"]
    said += [word.partition("=")[2] for word in words if word.startswith("--system=")]
    return said[-1] if said else DEFAULT


def tidy(words: list[str]) -> list[str]:
    """--crop_power is --crop-power, and a value may begin with a dash."""
    tidied = []
    for word in words:
        if word.startswith("--"):
            flag, mark, value = word.partition("=")
            word = flag.replace("_", "-") + mark + value
        elif word.startswith("-") and word != "-h" and tidied and _waits(tidied[-1]):
            word = f"{tidied.pop()}={word}"
        tidied.append(word)
    return tidied


def lone_word(words: list[str]) -> str | None:
    """The first word that is no flag and no flag's value."""
    return next((word for before, word in zip(["", *words], words, strict=False)
                 if not word.startswith("-") and not _waits(before)), None)


def number(name: str, text: str, kind: type):
    """The value of a flag that is no knob: an int or a float."""
    if not re.fullmatch("[0-9]{1,9}" if kind is int else NUMBER, text):
        raise Refused(f"{name} is {text!r}", f"it must be {TYPES[kind]}")
    return kind(text)


def sides(name: str, text: str) -> tuple[int, int]:
    """256 -> (256, 256); 256x128 -> (256, 128)"""
    match = SIZE.fullmatch(text.strip())
    if not match:
        raise Refused(f"{name} is {text!r}", "it must be a side, or width x height", "try 256 or 256x128")
    return int(match[1]), int(match[2] or match[1])


def _waits(word: str) -> bool:
    """Is it a flag whose value comes next?"""
    return word.startswith("--") and "=" not in word


def _system(cls) -> str:
    """The name of the system that has these settings."""
    return cls.__module__.rpartition(".")[2]


def title(name: str) -> str:
    """What a system is: the first paragraph of its file."""
    return " ".join((systems.load(name).__doc__ or "").strip().partition("\n\n")[0].split())
