"""Settings: every knob of a system, frozen, checked, one line each.

Forms, sliders, command-line flags, validation, the manifest and the rehearsal in CI are all read from here.
A system subclasses `Common`, adds knobs, and redeclares those whose default or range differs:

    @dataclass(frozen=True, kw_only=True)
    class Settings(settings.Common):
        steps: int = knob(200, "how long to paint", low=1, high=2000, step=1, rehearsal=3)

    chosen = Settings.of(prompts="fog | neon:0.5", steps=50);  chosen.but(seed=1).changed()
"""

import os
from dataclasses import MISSING, dataclass
from typing import Self

from .errors import Refused
from .knobs import Knob, accept, knob, knobs, named
from .prompts import EXAMPLE

__all__ = ["Common", "Knob", "Settings", "knob", "knobs"]
WORDLESS = ("image_prompts", "noise_prompts", "target_image", "encoding")    # they may stand for prompts


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Knobs. Making one checks every value, so one that exists is legal."""

    def __post_init__(self):
        for name, about in knobs(type(self)).items():
            object.__setattr__(self, name, accept(about, getattr(self, name)))
        self.check()

    def check(self) -> None:
        """Rules between knobs; a subclass that adds some calls this too. Raises Refused."""

    @classmethod
    def of(cls, **values) -> Self:
        """From a form, flags or a notebook; where REHEARSAL is set in the environment, its smallest run."""
        settings = cls.from_dict(values)
        return settings.rehearsal() if os.environ.get("REHEARSAL", "0") not in ("", "0") else settings

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        """Exactly these values, from a saved run; what is missing is default."""
        for name in values:
            named(name, knobs(cls))
        return cls(**values)

    def to_dict(self) -> dict:
        return {name: getattr(self, name) for name in knobs(type(self))}

    def but(self, **values) -> Self:
        """The same with some knobs turned."""
        return self.of(**{**self.to_dict(), **values})

    def rehearsal(self) -> Self:
        """The smallest run that still touches everything: seconds, and no picture worth keeping."""
        known = knobs(type(self)).values()
        small = {about.name: about.rehearsal for about in known if about.rehearsal is not MISSING}
        return self.from_dict({**self.to_dict(), **small})

    def changed(self) -> dict:
        """Only what differs from the defaults; enough for from_dict."""
        known = knobs(type(self))
        return {name: value for name, value in self.to_dict().items()
                if not _same(value, known[name].default)}


@dataclass(frozen=True, kw_only=True)
class Common(Settings):
    """What every system that paints from words has."""

    prompts: str = knob("a red lighthouse by the sea at sunset",
                        "what to paint: castle | snow:0.5 | crowd:-0.3", kind="prompts")
    width: int = knob(256, "width in pixels", low=32, high=2048, step=32, rehearsal=64)
    height: int = knob(256, "height in pixels", low=32, high=2048, step=32, rehearsal=64)
    steps: int = knob(200, "how long to paint (iterations)", low=1, high=5000, step=1, rehearsal=3)
    seed: int = knob(0, "same seed, same picture", low=0, high=2**32 - 1, step=1)
    device: str = knob("auto", "where to compute; auto takes a GPU where there is one (cuda_device)",
                       choices=("auto", "cpu", "cuda", "mps"), group="Fine tuning")
    memory: int = knob(0, "GB of graphics memory to get along with, 0 is what is free", low=0, high=192,
                       step=1, group="Fine tuning")
    perceptors: str = knob("", "who looks at the picture: names, with commas; empty is the built-in pair "
                           "(clip_model, model_name)", group="Fine tuning")

    def check(self) -> None:
        super().check()
        others = [getattr(self, name, "") for name in WORDLESS]
        if not self.prompts.strip(" |^") and all(isinstance(o, str) and not o.strip(" |^") for o in others):
            raise Refused("prompts is empty", "it needs at least one word", EXAMPLE)


def _same(value, default) -> bool:
    return type(value) is type(default) and value == default  # arrays compare by element: never equal to text


def present(picture):
    """Is there a picture in this knob? It may be a path, or the picture itself."""
    return bool(picture.strip()) if isinstance(picture, str) else picture is not None
