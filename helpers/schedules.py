"""Schedules: a number that changes while the picture is painted.

A schedule is written as text, `0: 1, 0.5: 0.2`: keyframes of progress (0 to 1, or `50%`) and value,
joined by straight lines and held at both ends. A plain number is a schedule that stays. The same position
twice is a jump. Text is parsed, never evaluated.

    falling = parse("0: 1, 50%: 0.2");  falling(0.25) -> 0.6;  str(falling) -> "0: 1, 0.5: 0.2"
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from math import isfinite
from numbers import Real

from .errors import Refused

NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_KEYFRAME = re.compile(rf"({NUMBER})\s*(%?)\s*:\s*(?:({NUMBER})|\(\s*({NUMBER})\s*\))")
WRITTEN = "a schedule is a number or keyframes of progress and value"
EXAMPLE = "try '0: 1, 0.5: 0.2'"


@dataclass(frozen=True)
class Schedule:
    """Progress in [0, 1] -> number. `keys` are (position, value), positions rising within [0, 1]."""

    keys: tuple[tuple[float, float], ...]

    def __call__(self, progress: float) -> float:
        after = bisect_right(self.keys, progress, key=lambda key: key[0])
        if after == 0:
            return self.keys[0][1]
        if after == len(self.keys):
            return self.keys[-1][1]
        (start, low), (end, high) = self.keys[after - 1], self.keys[after]
        return low + (high - low) * (progress - start) / (end - start)

    @property
    def values(self) -> list[float]:
        return [value for _, value in self.keys]

    @property
    def constant(self) -> bool:
        return len(set(self.values)) == 1

    def __str__(self) -> str:
        if len(self.keys) == 1:
            return written(self.keys[0][1])
        return ", ".join(f"{written(at)}: {written(value)}" for at, value in self.keys)


def parse(given: "str | float | Schedule", name: str = "schedule") -> Schedule:
    """Read a number or keyframes; `name` is the knob the errors speak of."""
    if isinstance(given, Schedule):
        return given
    if isinstance(given, Real) and not isinstance(given, bool):
        given = repr(float(given))
    if not isinstance(given, str):
        raise Refused(f"{name} is {given!r}", WRITTEN, EXAMPLE)
    text = given.strip()
    if re.fullmatch(NUMBER, text):
        return Schedule(((0.0, _finite(text, given, name)),))
    keys = [_keyframe(part.strip(), given, name) for part in text.rstrip(",").split(",")]
    return Schedule(tuple(sorted(keys, key=lambda key: key[0])))  # stable: a jump keeps its order


def written(number: float) -> str:
    """The shortest text that reads back as the same number: 1, 0.2, 1e-05."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(float(number))


def _keyframe(part: str, given: str, name: str) -> tuple[float, float]:
    match = _KEYFRAME.fullmatch(part)
    if not match:
        wrong = f"{name} is {given!r}" if part in ("", given.strip()) else f"{name} has {part!r} in {given!r}"
        raise Refused(wrong, WRITTEN, EXAMPLE)
    at, percent, bare, bracketed = match.groups()
    position = _finite(at, given, name) / (100 if percent else 1)
    if not 0 <= position <= 1:
        raise Refused(f"{name} has a keyframe at {at}{percent} in {given!r}",
                      "positions go from 0 to 1, or from 0% to 100%", EXAMPLE)
    return position, _finite(bare or bracketed, given, name)


def _finite(text: str, given: str, name: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise Refused(f"{name} has {text} in {given!r}", "that is too large a number", EXAMPLE)
    return number
