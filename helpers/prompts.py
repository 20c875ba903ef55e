"""Prompts: what to paint, as an artist writes it.

`fog | neon:0.5 | text:-0.3:-0.5` is three prompts: words, then perhaps a weight, then perhaps a stop. A
negative weight pushes away; a stop is where a prompt is satisfied. `fog @40%`, `fog:0.5 @-80%` and
`fog @40%-80%` act only in a part of the way. `a ^ b` is a story of two scenes.

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
_PERCENT = r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%"
_SPAN = re.compile(rf"{_PERCENT}(?:\s*[-–]\s*{_PERCENT})?|[-–]\s*{_PERCENT}")
_NUMBERS = re.compile(r"[-–.%\s]*[0-9][-–.%\s0-9]*")
_CLOCK = re.compile(r"(?<![0-9.:])(?<!:-)[0-9]+:[0-9]+(?::[0-9]{2})?")
EXAMPLE = "try 'a red lighthouse by the sea at sunset'"


@dataclass(frozen=True)
class Prompt:
    """Words, how much they count (negative: keep away), the distance that satisfies them (None: the guide's
    own), and when they act: from `start` to `end` percent of the way."""

    text: str
    weight: float = 1.0
    stop: float | None = None
    start: float = 0.0
    end: float = 100.0

    @property
    def timed(self) -> bool:
        """Does it act in a part of the way alone?"""
        return (self.start, self.end) != (0, 100)

    def acts(self, progress: float) -> bool:
        """Does it after this part of the way, 0 to 1?"""
        return self.start <= 100 * progress and (100 * progress < self.end or self.end == 100)

    def __str__(self) -> str:
        """As it was written: whatever `parse` made reads back the same."""
        numbers, text = [self.weight] if self.stop is None else [self.weight, self.stop], self.text
        if numbers != [1.0]:
            gap = " " if text[-1:].isdigit() else ""  # not the seconds of a clock
            text += f"{gap}:" + ":".join(map(written, numbers))
        if not self.timed and not span(self.text)[1]:
            return text
        return f"{text} @{written(self.start)}%" + f"-{written(self.end)}%" * (self.end < 100)


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


def pictures(value, name: str = "image_prompts") -> list[list[Prompt]]:
    """`a.png | b.png:0.5 ^ c.png` -> scenes of Prompts whose texts are sources, none of empty text; also a
    picture itself, or a list of pictures and (picture, weight)."""
    if isinstance(value, str):
        return scenes(value, name) if value.strip(" |^") else []
    several = value if isinstance(value, list) else [value]
    return [[Prompt(*one) if isinstance(one, tuple) else Prompt(one) for one in several]]


def noise(text: str, name: str = "noise_prompts") -> list[list[tuple[int, float]]]:
    """`7 | 8:0.5 ^ 9` -> (seed, weight) of each prompt that is nothing but noise, scene by scene; empty text
    is none."""
    scenes = [[part.strip() for part in scene.split("|") if part.strip()] for scene in text.split("^")]
    return [[_seed(part, name) for part in scene] for scene in scenes if scene]


def during(scene: list[Prompt], paces: tuple = (), way=None) -> tuple:
    """How much each prompt counts on the way, functions of progress: its pace, 1 without one, but 0 while it
    does not act; the paces as they are where all always do. way: progress -> part of the way behind, where
    that is not the same."""
    if not any(prompt.timed for prompt in scene):
        return paces
    way = way or (lambda now: now)
    return tuple(lambda now, prompt=prompt, pace=pace: pace(now) * prompt.acts(way(now))
                 for prompt, pace in zip(scene, paces or (lambda now: 1.0,) * len(scene), strict=True))


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
    text, when = span(text)
    if when and not numbers:        # the weight may stand on either side
        text, numbers = _peel(text)
    if not text:
        raise Refused(f"{name} has {part!r}", "a weight comes after words", "try 'fog:0.5'")
    if when and not 0 <= when[0] < when[1] <= 100 or not when and _nearly(text):
        raise Refused(f"{name} has {part!r}", "a prompt ends after it begins, from 0% to 100% of the way",
                      "try 'fog @40%-80%'")
    return Prompt(text, *numbers, **dict(zip(("start", "end"), when, strict=False)))


def _nearly(text: str) -> bool:
    """Does it end in an @ and numbers that say no part of the way?"""
    return "@" in text and bool(_NUMBERS.fullmatch(text.rpartition("@")[2]))


def span(text: str) -> tuple[str, tuple]:
    """What is said before @40%-80%, and these numbers; () where nothing like it is said."""
    head, mark, tail = text.rpartition("@")
    match = _SPAN.fullmatch(tail.strip()) if mark else None
    if not match:
        return text, ()
    start, end, until = match.groups()
    return head.rstrip(), (float(start or 0), float(end or until or 100))


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
