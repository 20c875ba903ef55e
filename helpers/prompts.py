"""Prompts: what to paint, as an artist writes it.

`fog | neon:0.5 | text:-0.3:-0.5` is three prompts: words, then perhaps a weight, then perhaps a stop. A
negative weight pushes away; a stop is where a prompt is satisfied. `a ^ b` is a story of two scenes.

Numbers are peeled from the right, so other colons stay words: "Star Wars: a new hope", "https://a.org/b.png".
So do clocks and ratios ("at 12:30", "16:9"): a bare whole number right behind a digit and a colon; and
numbers beyond 100, which are years or ports. "at 12:30 :2" and "at 12:30:0.5" do have a weight.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

from .errors import Refused
from .schedules import NUMBER, written

HEAVIEST = 100  # no weight or stop is beyond it, so "Blade Runner: 2049" and ":8080" stay words
_CLOCK = re.compile(r"(?<![0-9.:])[0-9]+:[0-9]+(?::[0-9]{2})?")
EXAMPLE = "try 'a red lighthouse by the sea at sunset'"


@dataclass(frozen=True)
class Prompt:
    """Words, how much they count (negative: keep away), the distance that satisfies them (None: never)."""

    text: str
    weight: float = 1.0
    stop: float | None = None

    def __str__(self) -> str:
        """As it was written: whatever `parse` made reads back the same."""
        numbers = [self.weight] if self.stop is None else [self.weight, self.stop]
        if numbers == [1.0]:
            return self.text
        gap = " " if self.text[-1:].isdigit() else ""  # not the seconds of a clock
        return f"{self.text}{gap}:" + ":".join(map(written, numbers))


def parse(text: str, name: str = "prompts") -> list[Prompt]:
    """`fog | neon:0.5 | text:-0.3:-0.5` -> prompts, at least one; `name` is the knob the errors speak of."""
    parts = [part.strip() for part in text.split("|") if part.strip()]
    if not parts:
        raise Refused(f"{name} is empty", "it needs at least one word", EXAMPLE)
    return [_prompt(part, name) for part in parts]


def scenes(text: str, name: str = "prompts") -> list[list[Prompt]]:
    """`a ^ b | c` -> the prompts of each scene of a story, at least one."""
    told = [scene for scene in text.split("^") if scene.strip(" \t\n|")]
    return [parse(scene, name) for scene in told] or [parse("", name)]


def pictures(value, name: str = "image_prompts") -> list[list[tuple]]:
    """`a.png | b.png:0.5 ^ c.png` -> scenes of (source, weight, stop), none of empty text; also a picture
    itself, or a list of pictures and (picture, weight)."""
    if isinstance(value, str):
        told = scenes(value, name) if value.strip(" |^") else []
        return [[(prompt.text, prompt.weight, prompt.stop) for prompt in scene] for scene in told]
    several = value if isinstance(value, list) else [value]
    return [[(*one, None) if isinstance(one, tuple) else (one, 1.0, None) for one in several]]


def noise(text: str, name: str = "noise_prompts") -> list[list[tuple[int, float]]]:
    """`7 | 8:0.5 ^ 9` -> (seed, weight) of each prompt that is nothing but noise, scene by scene; empty text
    is none."""
    scenes = [[part.strip() for part in scene.split("|") if part.strip()] for scene in text.split("^")]
    return [[_seed(part, name) for part in scene] for scene in scenes if scene]


def window(words: list[str], last: int, count: Callable[[str], int], limit: int) -> str:
    """The end of `words[:last]` that fits a perceptor: at most `limit` of what `count(text)` counts, tokens.

    A story moves through its text this way: words join at the end and leave at the front. The newest word
    stays even where it alone is too long.
    """
    told = words[:last]
    first = max(0, len(told) - limit)  # every word is at least one token
    while first < len(told) - 1 and count(" ".join(told[first:])) > limit:
        first += 1
    return " ".join(told[first:])


def windows(text: str, each: int, count: Callable[[str], int], limit: int, start: int = 0) -> list[str]:
    """A long text as the windows of a story: `start` words at first (0: `each`), `each` more every time."""
    words = text.split()
    if not words:
        raise Refused("the story is empty", "it needs at least one word", EXAMPLE)
    ends = list(range(start or each, len(words), each)) + [len(words)]
    return [window(words, end, count, limit) for end in ends]


def _seed(part: str, name: str) -> tuple[int, float]:
    match = re.fullmatch(rf"([0-9]{{1,18}})\s*(?::\s*({NUMBER}))?", part)
    if not match or abs(float(match[2] or 1)) > HEAVIEST:
        raise Refused(f"{name} has {part!r}", "a noise prompt is a seed of up to 18 digits, and perhaps "
                      f"a weight up to {HEAVIEST}", "try '7 | 8:0.5'")
    return int(match[1]), float(match[2] or 1)


def _prompt(part: str, name: str) -> Prompt:
    text, numbers = _peel(part)
    if not text:
        raise Refused(f"{name} has {part!r}", "a weight comes after words", "try 'fog:0.5'")
    return Prompt(text, *numbers)


def _peel(text: str) -> tuple[str, list[float]]:
    """Words, and the one or two numbers behind them."""
    numbers = []
    while len(numbers) < 2:
        head, mark, last = text.rpartition(":")
        if not mark or not re.fullmatch(NUMBER, last.strip()) or abs(float(last)) > HEAVIEST or _clock(text):
            break
        text, numbers = head.rstrip(), [float(last), *numbers]
    return text.strip(), numbers


def _clock(text: str) -> bool:
    """Does the text end in something like 12:30, 12:30:45 or 16:9?"""
    return any(match.end() == len(text.rstrip()) for match in _CLOCK.finditer(text))


def rising(text: str, name: str) -> list[int]:
    """'30, 75' -> [30, 75]; Refused unless they rise from above 0."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    numbers = [int(word) if re.fullmatch("[0-9]{1,6}", word) else 0 for word in words]
    if any(b <= a for a, b in itertools.pairwise([0, *numbers])):
        raise Refused(f"{name} is {text!r}", "it takes rising whole numbers above 0", "try '30, 75'")
    return numbers


def wanted(text: str) -> str:
    """The words of the first scene, without what is to be kept away from."""
    found = scenes(text)[0] if text.strip(" |^") else []
    return " | ".join(prompt.text for prompt in found if prompt.weight > 0)
