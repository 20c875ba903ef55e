"""Schedules: a number that changes while the picture is painted.

A schedule is written as text, `0: 1, 0.5: 0.2`: keyframes of progress (0 to 1, or `50%`) and value,
joined by straight lines and held at both ends. A plain number is a schedule that stays. The same position
twice is a jump. Disco Diffusion's lists, `[12]*400+[4]*600`, have a number for each of 1000 noise levels,
the noisiest first. Text is parsed, never evaluated.

    falling = parse("0: 1, 50%: 0.2");  falling(0.25) -> 0.6;  str(falling) -> "0: 1, 0.5: 0.2"
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from math import ceil, inf, isfinite
from numbers import Real

from .errors import Refused

NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_KEYFRAME = re.compile(rf"({NUMBER})\s*(%?)\s*:\s*(?:({NUMBER})|\(\s*({NUMBER})\s*\))")
_PART = re.compile(rf"(?:([0-9]{{1,9}})\s*\*\s*)?\[\s*({NUMBER}(?:\s*,\s*{NUMBER})*)\s*,?\s*\]"
                   r"(?:\s*\*\s*([0-9]{1,9}))?")
LEVELS = 1000       # items of a list
LONGEST = 20_000    # letters
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

    def times(self, factor: float) -> "Schedule":
        return Schedule(tuple((at, value * factor) for at, value in self.keys))

    def __str__(self) -> str:
        if len(self.keys) == 1:
            return written(self.keys[0][1])
        return ", ".join(f"{written(at)}: {written(value)}" for at, value in self.keys)


@dataclass(frozen=True)
class Levels:
    """Progress in [0, 1] -> number, one for each of LEVELS noise levels: `runs` are (count, number)."""

    runs: tuple[tuple[int, float], ...]

    def __call__(self, progress: float) -> float:
        # Disco Diffusion's own place, 999 - floor(t) for t from 999 down to 0
        place = min(max(ceil(progress * (LEVELS - 1) - 1e-6), 0), LEVELS - 1)
        for count, value in self.runs:
            if place < count:
                return value
            place -= count
        raise AssertionError("parse sees that there are enough of them")

    @property
    def values(self) -> list[float]:
        return [value for _, value in self.runs]

    @property
    def constant(self) -> bool:
        return len(set(self.values)) == 1

    def times(self, factor: float) -> "Levels":
        return Levels(tuple((count, value * factor) for count, value in self.runs))

    def __str__(self) -> str:
        return "+".join(f"[{written(value)}]*{count}" for count, value in self.runs)


def parse(given: "str | float | list | Schedule | Levels", name: str = "schedule") -> "Schedule | Levels":
    """Read a number, keyframes or a list; `name` is the knob the errors speak of."""
    if isinstance(given, Schedule | Levels):
        return given
    if isinstance(given, list):
        given = str(given)
    if isinstance(given, Real) and not isinstance(given, bool):
        given = repr(real(given))
    if not isinstance(given, str):
        raise Refused(f"{name} is {given!r}", WRITTEN, EXAMPLE)
    if len(given) > LONGEST:
        raise Refused(f"{name} has {len(given)} letters", f"a schedule has {LONGEST} at most", EXAMPLE)
    text = given.strip()
    if "[" in text:
        return _levels(text, given, name)
    if re.fullmatch(NUMBER, text):
        return Schedule(((0.0, _finite(text, given, name)),))
    keys = [_keyframe(part.strip(), given, name) for part in text.rstrip(",").split(",")]
    return Schedule(tuple(sorted(keys, key=lambda key: key[0])))  # stable: a jump keeps its order


def several(text: str, name: str, count: int, of: str) -> tuple:
    """The schedules of a text, parted by bars, none where it is empty; Refused unless there are `count` of
    them and their values are 0 or more."""
    found = tuple(parse(part, name) for part in text.split("|")) if text.strip() else ()
    if found and len(found) != count:
        raise Refused(f"{name} has {len(found)} schedule{'s' * (len(found) > 1)}", f"there are {count} {of}",
                      f"write one for each, such as {' | '.join(['1'] * min(count, 4))!r}")
    if any(value < 0 for schedule in found for value in schedule.values):
        raise Refused(f"{name} is {text!r}", "what it multiplies by is 0 or more",
                      "to keep away from something give its prompt a weight below 0")
    return found


def _levels(text: str, given: str, name: str) -> Levels:
    runs: list[tuple[int, float]] = []
    for part in _split(text):
        match = _PART.fullmatch(part.strip())
        if not match or match[1] and match[3]:
            raise Refused(f"{name} has {part.strip()[:40]!r} in {given[:80]!r}",
                          "a list is written as '[12]*400+[4]*600'", EXAMPLE)
        numbers = [_finite(number.strip(), given[:80], name) for number in match[2].split(",")]
        times = int(match[1] or match[3] or 1)
        runs += [(times, numbers[0])] if len(numbers) == 1 else \
            [(1, number) for _ in range(min(times, LEVELS)) for number in numbers]
    kept, room = [], LEVELS
    for count, value in runs:       # what nobody ever looks up is dropped, equal neighbors are one
        count, room = min(count, room), room - min(count, room)
        if count and kept and kept[-1][1] == value:
            kept[-1] = (kept[-1][0] + count, value)
        elif count:
            kept.append((count, value))
    if room:
        raise Refused(f"{name} has {LEVELS - room} numbers in {given[:80]!r}",
                      f"a list has one for each of {LEVELS} noise levels",
                      f"let the counts sum to {LEVELS}, or {EXAMPLE}")
    return Levels(tuple(kept))


def _split(text: str) -> list[str]:
    """The parts between the plus signs that stand outside of brackets."""
    return re.split(r"\+(?![^\[]*\])", text)


def written(number: float) -> str:
    """The shortest text that reads back as the same number: 1, 0.2, 1e-05."""
    return str(int(number)) if abs(number) < 1e15 and number == int(number) else repr(real(number))


def real(number) -> float:
    """Infinity where a whole number is beyond all floats."""
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


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
