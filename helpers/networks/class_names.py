"""The classes of a generator, by name: those of ImageNet, or of its card."""

import re

from .. import weights
from ..errors import unknown


def number(name: str, names: list[str]) -> int:
    """Which of the names it is, whatever its capitals; Refused, with the nearest, where there is none."""
    plain = [one.lower() for one in names]
    if name.strip().lower() in plain:
        return plain.index(name.strip().lower())
    raise unknown("class of this network", name.strip(), names, f"it knows {listed(names)}")


def found(text: str, names: list[str]) -> tuple[list[int], list[str]]:
    """(the classes a text names, in the order of the text; its other words). Longer names go first, and any
    may be in the plural: "two great white sharks" names the great white shark, and no white or shark. What
    follows "among" is where things are, and is listened to only where nothing else is named."""
    plain = [one.lower() for one in names]
    any_of = "|".join(re.escape(one) for one in sorted(plain, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)({any_of})(?:e?s)?(?!\w)")
    told, place = text.lower(), ""
    if pattern.search(told.partition(" among ")[0]):
        told, _, place = told.partition(" among ")
    numbers = [plain.index(name) for name in pattern.findall(told)]
    return list(dict.fromkeys(numbers)), re.findall(r"[^\W_]+", f"{pattern.sub(' ', told)} {place}")


def of(gan: str) -> list[str]:
    """The names a BigGAN of the zoo knows; ImageNet's where it is any other."""
    return weights.zoo(gan)[0]["names"] if gan in weights.embedded() else imagenet()


def imagenet() -> list[str]:
    """The names of ImageNet's 1000 classes, in the order of the published checkpoints."""
    from torchvision.models import ResNet18_Weights

    return list(ResNet18_Weights.DEFAULT.meta["categories"])


def listed(names: list[str], most: int = 40) -> str:
    """Names with commas; of many, the first."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
