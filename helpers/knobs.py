"""A knob: one thing an artist can turn, declared in one line, and what it accepts.

`knob(...)` makes the dataclass field; `Knob` is how forms, sliders, flags and checks look at it.
`read` turns text from a command line into a value, `accept` turns any value into a legal one or refuses it.
"""

import importlib
import os
import re
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from math import inf, isfinite
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

from . import prompts, schedules, traditions
from .errors import Refused, closest, quoted, unknown
from .schedules import written

GROUPS = ("Essential", "Fine tuning")
KINDS = (None, "schedule", "image", "images", "prompts", "noise", "list", "palette", "folder", "file")
TYPES = {bool: "True or False", int: "a whole number", float: "a number", str: "text"}
YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class Knob:
    """A knob of a settings class; `type` is its default's; `low`, `high`, `step` are None where free."""

    name: str
    type: type
    default: Any
    help: str
    low: float | None
    high: float | None
    step: float | None
    choices: tuple | None
    rehearsal: Any
    live: bool
    group: str
    kind: str | None

    @property
    def traditional(self) -> list[str]:
        """What older notebooks called it: the names in the parentheses that end the help, and what moved."""
        match = re.search(r"\(([^()]*)\)$", self.help)
        moved = [old for old, new in traditions.MOVED.items() if new == self.name]
        return (re.split(r"[,;/ ]+", match[1]) if match else []) + moved


def knob(default, help, *, low=None, high=None, step=None, choices=None, rehearsal=MISSING,
         live=False, group="Essential", kind=None):
    """A dataclass field that knows its range, its place in forms, and its value in a rehearsal (or the same).

    `kind` refines text: "schedule" (a number or `0: 1, 0.5: 0.2`, each value in range), "prompts", "noise"
    (seeds), "list" (commas, each part one of choices), "image" (path, address or picture), "images",
    "palette", "folder", "file" (paths). `live`: may be turned while painting.
    """
    assert kind in KINDS and group in GROUPS, (kind, group)  # an author's slip, not an artist's
    about = dict(help=help, low=low, high=high, step=step, choices=tuple(choices) if choices else None,
                 rehearsal=rehearsal, live=live, group=group, kind=kind)
    return field(default=str(schedules.parse(default)) if kind == "schedule" else default, metadata=about)


@cache
def knobs(cls: type) -> MappingProxyType:
    """Name -> Knob of a settings class, essential ones first."""
    seen = [Knob(f.name, type(f.default), f.default, **f.metadata) for f in fields(cls)]
    return MappingProxyType({k.name: k for group in GROUPS for k in seen if k.group == group})


def named(name: str, known, also=()) -> Knob:
    """The knob of that name, or a refusal that guesses what was meant; names of older notebooks are known,
    and those of other systems.

    also: what else could have been meant, such as flags that are no knobs.
    """
    if name in known:
        return known[name]
    wrong = f"no setting called {name!r}"
    if name in traditions.GONE:
        raise Refused(wrong, *traditions.GONE[name])
    for system, table in _tables(known) if known else ():
        for other in table.values():
            if name in (other.name, *other.traditional):
                if other.name in known:
                    raise Refused(wrong, f"did you mean {other.name!r}?")
                raise Refused(wrong, f"it is {other.name!r} of the system {system}", "paint with that one")
    older = {old: new.name for new in known.values() for old in new.traditional}
    if (near := closest(name, [*known, *also, *older])) in older:
        raise Refused(wrong, f"did you mean {older[near]!r}?")
    raise unknown("setting", name, [*known, *also])


def _tables(known):
    """These knobs, then those of each system, looked up late: knobs stand below systems and know none."""
    yield "", known
    systems = importlib.import_module(".systems", __package__)
    for system in systems.SYSTEMS:
        yield system, knobs(systems.load(system).Settings)


def read(knob: Knob, text: str):
    """A value from the command line: "on", "12", "0.5" or words."""
    word = text.strip().lower()
    if knob.type is bool and word in YES + NO:
        return word in YES
    if knob.type in (int, float) and re.fullmatch(schedules.NUMBER, word):
        return float(word) if knob.type is float or not re.fullmatch("[-+]?[0-9]{1,300}", word) else int(word)
    return text


def accept(knob: Knob, value):
    """`value` as the knob keeps it, or Refused."""
    if knob.kind in ("image", "images") and not isinstance(value, str):
        return _picture(knob, value)
    if knob.kind == "schedule":
        schedule = schedules.parse(value, knob.name)
        for number in schedule.values:
            _in_range(knob, number)
        return str(schedule)
    value = _typed(knob, value)
    if knob.choices:
        _chosen(knob, value)
    elif knob.type in (int, float):
        _in_range(knob, value)
    elif knob.kind in ("prompts", "images") and value.strip(" |^"):
        prompts.scenes(value, knob.name)
    elif knob.kind == "noise":
        prompts.noise(value, knob.name)
    return value


def _typed(knob: Knob, value):
    """Whole numbers pass for numbers, 3.0 for 3, a path for text; True is no number."""
    if knob.type is bool and isinstance(value, bool):
        return value
    if isinstance(value, Real) and not isinstance(value, bool):
        if knob.type is int and (isinstance(value, Integral) or schedules.real(value).is_integer()):
            return int(value)
        if knob.type is float and isfinite(schedules.real(value)):
            return float(value)
    if knob.type is str and isinstance(value, (str, os.PathLike)):
        return _text(knob, os.fspath(value))
    raise Refused(f"{knob.name} is {value!r}", f"it must be {TYPES[knob.type]}", f"try {knob.default!r}")


def _text(knob: Knob, value: str) -> str:
    """Text that can be written down: a shell may hand over bytes that are none."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"{knob.name} has {value[error.start]!r}", "text must be UTF-8",
                      "type it anew") from error
    return value


def _picture(knob: Knob, value):
    """Pictures themselves are welcome where a path is: PIL, array or tensor; `images` may be a list."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if value is None or isinstance(value, (bool, Real, dict)):
        raise Refused(f"{knob.name} is {value!r}", "it must be a picture",
                      "try a path, an address, or a PIL image")
    return value


def _chosen(knob: Knob, value):
    several = knob.kind == "list"
    for part in filter(None, (part.strip() for part in value.split(","))) if several else [value]:
        if part not in knob.choices:
            near = traditions.choice(str(part), knob.choices) or closest(part, knob.choices)
            raise Refused(f"{knob.name} {'has' if several else 'is'} {part!r}",
                          f"choose {'from' if several else 'one of'} {quoted(knob.choices)}",
                          f"did you mean {near!r}?" if near else "")


def _in_range(knob: Knob, value):
    low = -inf if knob.low is None else knob.low
    high = inf if knob.high is None else knob.high
    grid = knob.step if knob.type is int and knob.step else 0
    start = 0 if knob.low is None else low
    if not low <= value <= high:
        nearest = low if value < low else high - ((high - start) % grid if grid else 0)
        raise Refused(f"{knob.name} is {written(value)}",
                      f"it must be {bounds(knob)}", f"try {written(nearest)}")
    if grid and (value - start) % grid:
        below = value - (value - start) % grid
        near = [str(n) for n in (below, below + grid) if low <= n <= high]
        raise Refused(f"{knob.name} is {value}", f"it goes in steps of {grid}", f"try {' or '.join(near)}")


def bounds(knob: Knob) -> str:
    """Its range in words, "" where it has none."""
    if knob.high is None:
        return "" if knob.low is None else f"at least {written(knob.low)}"
    if knob.low is None:
        return f"at most {written(knob.high)}"
    return f"between {written(knob.low)} and {written(knob.high)}"
