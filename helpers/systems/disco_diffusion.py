"""Disco Diffusion (Somnai, Adam Letts and many, 2021 to 2023): CLIP Guided Diffusion as an instrument.

What it added are schedules: many looks at the whole picture while it is noise, many at its parts once it
stands; ensembles of perceptors; a small network beside the large one, for slopes at a fraction of the cost.
"""

import re
from dataclasses import dataclass

from helpers import schedules
from helpers.errors import Refused
from helpers.settings import knob, present
from helpers.systems.diffused import THROUGH, WAYS, Diffused
from helpers.systems.guided import FINE


@dataclass(frozen=True, kw_only=True)
class Settings(Diffused):
    """Disco Diffusion's knobs for stills under an artist's names; its own in parentheses."""

    guidance_scale: str = knob(2000, "how strictly words are followed (clip_guidance_scale)", low=0,
                               high=1e6, kind="schedule", live=True)
    overview: str = knob("[12]*400+[4]*600", "looks at the whole picture per step (cut_overview)", low=0,
                         high=64, kind="schedule", live=True, rehearsal="2", group=FINE)
    crops: str = knob("[4]*400+[12]*600", "looks at parts of the picture per step (cut_innercut)", low=0,
                      high=256, kind="schedule", live=True, rehearsal="4")
    gray_crops: str = knob("[0.2]*400+[0]*600", "the share of these that sees no colors (cut_icgray_p)",
                           low=0, high=1, kind="schedule", live=True, group=FINE)
    through: str = knob("auto", THROUGH, choices=("auto", *WAYS), group=FINE)
    perlin: str = knob("off", "begin with soft clouds instead of noise over gray (perlin_init, perlin_mode)",
                       choices=("off", "mixed", "color", "gray"), group=FINE)
    mirror: str = knob("off", "fold one half of the picture onto the other on the way "
                       "(use_horizontal_symmetry, use_vertical_symmetry)",
                       choices=("off", "left-right", "up-down", "both"), group=FINE)
    mirror_at: str = knob("9%", "when, in parts of the way: 9%, or 5%, 20% (transformation_percent)",
                          group=FINE)

    def check(self):
        super().check()
        self.folds()
        if self.perlin != "off" and (present(self.init_image) or present(self.mask)):
            raise Refused("perlin is set with init_image", "a picture begins in one way",
                          "leave perlin off, or init_image empty")
        if self.mirror != "off" and self.tiles > 1:
            raise Refused("mirror is set with tiles", "each window would be folded by itself",
                          "leave mirror off: what was folded before stays so")

    def begun(self):
        return super().begun() or self.perlin != "off"

    def folds(self):
        """The steps before which the picture is folded."""
        steps = []
        for word in filter(None, (word.strip() for word in self.mirror_at.split(","))):
            number = word.removesuffix("%").strip()
            part = float(number) if re.fullmatch(schedules.NUMBER, number) else -1
            part /= 100 if word.endswith("%") else 1
            if not 0 <= part <= 1:
                raise Refused(f"mirror_at has {word!r}", "it takes parts of the way, 0% to 100%", "try '9%'")
            steps.append(min(round(part * self.length()), self.length() - 1))
        return steps


def paint(settings, state=None):
    """A Diffusion of these settings, from the beginning or a saved state."""
    from helpers import clouds
    from helpers.systems import diffusing, wiring

    studio = wiring.Studio(settings)
    start = None
    if settings.perlin != "off":
        start = clouds.perlin(settings.height, settings.width, settings.perlin, studio.rng)
    hooks = [folding(settings)] if settings.mirror != "off" else []
    return diffusing.painting(settings, studio, state, start=start, hooks=hooks)


def folding(settings):
    """A hook that mirrors the noisy picture when it is time."""
    steps = settings.folds()
    across, down = settings.mirror in ("left-right", "both"), settings.mirror in ("up-down", "both")

    def fold(painting):
        if painting.step in steps:
            x = painting.x
            x = mirrored(x, -1) if across else x
            painting.x = mirrored(x, -2) if down else x
    return fold


def mirrored(x, axis):
    """The first half of x along an axis, and its mirror image."""
    import torch
    size = x.shape[axis]
    half = x.narrow(axis, 0, size // 2)
    return torch.cat([x.narrow(axis, 0, size - size // 2), half.flip(axis)], axis)
