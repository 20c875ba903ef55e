"""Guides: what we want of a picture, as losses that add up.

    guide = Prompts(perceptor, cutouts, words(perceptor, prompts)) + 0.2 * Smooth() + fade * Saturation()

A guide maps a picture in [0, 1] and the progress of the run in [0, 1] to a scalar; lower is better. A weight
is a number or a function of progress (a Schedule). Several perceptors at once are a sum of Prompts.
"""

from helpers.guides.base import Blend, Guide, Story, at, scene_at
from helpers.guides.part import Part
from helpers.guides.prior import Prior
from helpers.guides.prompts import Prompts
from helpers.guides.resemblance import Resemblance
from helpers.guides.tastes import Anchor, Edge, Likeness, Palette, Range, Saturation, Smooth, Symmetry
from helpers.guides.targets import Targets, cosine, fuzzy, images, noises, saved, spherical, words

__all__ = ["Anchor", "Blend", "Edge", "Guide", "Likeness", "Palette", "Part", "Prior", "Prompts", "Range",
           "Resemblance", "Saturation", "Smooth", "Story", "Symmetry", "Targets", "at", "cosine", "fuzzy",
           "images", "noises", "saved", "scene_at", "spherical", "words"]
