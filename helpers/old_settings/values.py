"""Values as the originals wrote them: numbers, also as text, switches, schedules on any scale."""

import re
from itertools import groupby
from numbers import Real

from .. import schedules
from ..errors import Refused, closest
from ..knobs import NO, YES, bounds
from ..schedules import LEVELS, NUMBER

LONGEST = 60        # letters of a value in a line
LARGEST = 1e15


class Old:
    """A file of settings on its way into ours. given, defaults: old name -> value; knobs: ours, by name."""

    def __init__(self, given: dict, defaults: dict, knobs, discoart=False):
        self.given, self.defaults, self.knobs, self.discoart = given, defaults, knobs, discoart
        self.left = dict(given)     # what nobody has asked for yet
        self.values, self.unmatched = {}, []

    def __call__(self, key):
        """An old setting, or what stood there by default; a null is no answer."""
        self.left.pop(key, None)
        value = self.given.get(key)
        return self.defaults.get(key) if value is None else value

    def note(self, key, why):
        """Say what became of a setting."""
        self.unmatched.append(f"{key} {shown(self(key))}: {why}")

    def idle(self, key, why):
        """Say so if a setting without effect was changed all the same."""
        if not alike(self(key), self.defaults[key]):
            self.note(key, why)

    def number(self, key):
        return number(self(key), key)

    def whole(self, key) -> int:
        value = self.number(key)
        if value != int(value):
            raise Refused(f"{key} is {value}", "it must be a whole number", f"try {round(value)}")
        return int(value)

    def truth(self, key) -> bool:
        value = str(self(key)).strip().lower()
        if value not in YES + NO:
            raise Refused(f"{key} is {shown(self(key))!r}", "it must be True or False",
                          f"try {self.defaults[key]}")
        return value in YES

    def schedule(self, key):
        return schedule(self(key), key)

    def hold(self, name, value, key):
        """Set one of our knobs to a number, kept within its range."""
        knob = self.knobs[name]
        held = min(max(value, knob.low), knob.high)
        if held != value:
            self.note(key, f"{name} is {bounds(knob)}; it was held there")
        self.values[name] = held

    def put(self, name, made, key):
        """Set one of our knobs to a schedule, kept within its range."""
        low, high = self.knobs[name].low, self.knobs[name].high
        if not all(low <= value <= high for value in made.values):
            made = together(lambda value: min(max(value, low), high), made)
            self.note(key, f"{name} is {bounds(self.knobs[name])}; it was held there")
        self.values[name] = str(made)


def number(value, key):
    """A number, also one written as text."""
    if isinstance(value, str) and re.fullmatch(NUMBER, value.strip()):
        value = float(value)
    if not isinstance(value, Real) or isinstance(value, bool) or not -LARGEST < value < LARGEST:
        raise Refused(f"{key} is {shown(value)!r}", "it must be a number")
    return int(value) if value == int(value) else float(value)


def schedule(value, key):
    """A number, a switch, or a list with one of these for each of 1000 noise levels, as text or itself."""
    if isinstance(value, bool | list):
        value = str(value)
    if isinstance(value, str):
        value = re.sub(r"\b(True|False)\b", lambda word: str(int(word[0] == "True")), value)
    return schedules.parse(number(value, key) if isinstance(value, Real) else value, key)


def together(formula, *given):
    """The schedule of formula(a, b, …) of schedules a, b, …"""
    if all(one.constant for one in given):
        return schedules.parse(rounded(formula(*(one(0) for one in given))))
    rows = [rounded(formula(*(one(level / (LEVELS - 1)) for one in given))) for level in range(LEVELS)]
    runs = tuple((len(list(run)), value) for value, run in groupby(rows))
    return schedules.Levels(runs) if len(runs) > 1 else schedules.parse(rows[0])


def rounded(value) -> float:
    """To six digits: a thousand of these are a schedule that can be read back."""
    return float(f"{value:.6g}")


def shown(value) -> str:
    """In a line, and short."""
    text = value if isinstance(value, str) else str(value)
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= LONGEST else text[:LONGEST - 1] + "…"


def meant(name, known) -> str:
    """The end of a line on a name that is not known."""
    near = closest(str(name), known)
    return f"; did it mean {near!r}?" if near else ""


def alike(one, other) -> bool:
    """Is it the same, whoever wrote it? None is no change, and of paths the name counts."""
    return one is None or _bare(one) == _bare(other)


def _bare(value):
    text = re.sub(r"\s|\.0+(?![0-9])", "", str(value)).lower()
    return str(float(text)) if re.fullmatch(NUMBER, text) else text.rpartition("/")[2] or text
