"""The classes of a generator, by name: those of ImageNet, or of its card."""

from ..errors import unknown


def number(name: str, names: list[str]) -> int:
    """Which of the names it is, whatever its capitals; Refused, with the nearest, where there is none."""
    plain = [one.lower() for one in names]
    if name.strip().lower() in plain:
        return plain.index(name.strip().lower())
    raise unknown("class of this BigGAN", name.strip(), names, f"it knows {listed(names)}")


def imagenet() -> list[str]:
    """The names of ImageNet's 1000 classes, in the order of the published checkpoints."""
    from torchvision.models import ResNet18_Weights

    return list(ResNet18_Weights.DEFAULT.meta["categories"])


def listed(names: list[str], most: int = 40) -> str:
    """Names with commas; of many, the first."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
