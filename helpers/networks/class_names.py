"""The classes of a generator, by name: those of ImageNet, or of its card.

`names` is a list, a text per class: its name, and after commas other names for the same ("beacon,
lighthouse"). Whoever names a class may use any of them, in capitals or not.
"""

import re

from .. import weights
from ..errors import Refused, quoted, unknown

NEAR = 3            # names offered in place of one that does not exist


def number(name: str, names: list[str]) -> int:
    """Which class it is; Refused, with the nearest, where there is none."""
    every, wanted = _every(names), name.strip()
    plain = _small(every)
    if wanted.lower() in plain:
        return plain[wanted.lower()]
    part = re.compile(rf"\b{re.escape(wanted)}s?\b", re.IGNORECASE)
    holding = {}
    for one, place in every.items():
        if wanted and part.search(one):
            holding.setdefault(place, one)
    if holding:
        raise Refused(f"no class of this network called {wanted!r}",
                      f"that is a part of {quoted(list(holding.values())[:NEAR])}", "choose one of these")
    raise unknown("class of this network", wanted, every, f"it knows {listed(names)}")


def found(text: str, names: list[str]) -> tuple[list[int], list[str]]:
    """(the classes a text names, in the order of the text; its other words). Longer names go first, and any
    may be in the plural: "two great white sharks" names the great white shark, and no white or shark. What
    follows "among" is where things are, and is listened to only where nothing else is named."""
    every = _small(_every(names))
    any_of = "|".join(re.escape(one) for one in sorted(every, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)({any_of})(?:e?s)?(?!\w)")
    told, place = text.lower(), ""
    if pattern.search(told.partition(" among ")[0]):
        told, _, place = told.partition(" among ")
    numbers = [every[name] for name in pattern.findall(told)]
    return list(dict.fromkeys(numbers)), re.findall(r"[^\W_]+", f"{pattern.sub(' ', told)} {place}")


def of(name: str, kind: str = "biggan") -> list[str]:
    """The classes a network of the zoo or the catalogue knows, told without its weights; [] where only the
    weights tell, as of a file of your own without a card. Refused where there is no such network."""
    card, _ = weights.known(name, kind)
    published = card["name"] in weights.catalogue() and (kind != "adm" or card["config"].get("class_cond"))
    return card.get("names") or (imagenet() if published else [])


def imagenet() -> list[str]:
    """ImageNet's 1000 classes, in the order of the published checkpoints, by all their names in WordNet."""
    from timm.data import ImageNetInfo
    from torchvision.models import ResNet18_Weights

    told = ImageNetInfo()
    return [", ".join(dict.fromkeys([short, *told.index_to_description(place).split(", ")]))     # two cranes
            for place, short in enumerate(ResNet18_Weights.DEFAULT.meta["categories"])]


def listed(names: list[str], most: int = 40) -> str:
    """The first name of each class, with commas; of many, the first."""
    short = [name.partition(",")[0] for name in names]
    return ", ".join(short[:most]) + (f" and {len(short) - most} more" if len(short) > most else "")


def _every(names: list[str]) -> dict[str, int]:
    """Every name -> its class. First names come first: "crane" is the machine, though the bird is one too."""
    told = [[name.strip() for name in line.split(",")] for line in names]
    every = {first: place for place, (first, *_) in enumerate(told)}
    for place, (_, *others) in enumerate(told):
        for name in others:
            every.setdefault(name, place)
    return every


def _small(every: dict[str, int]) -> dict[str, int]:
    """The same in small letters."""
    small = {}
    for name, place in every.items():
        small.setdefault(name.lower(), place)
    return small
