"""Guides: what we want of a picture, as losses that add up.

    guide = Prompts(perceptor, cutouts, words(perceptor, prompts)) + 0.2 * Smooth() + fade * Saturation()

A guide maps a picture in [0, 1] and the progress of the run in [0, 1] to a scalar; lower is better. A weight
is a number or a function of progress (a Schedule). Several perceptors at once are a sum of Prompts.
"""

from helpers.guides.base import Blend, Guide, Story, at
from helpers.guides.prompts import Prompts, Targets, cosine, images, noises, saved, spherical, words
from helpers.guides.tastes import Anchor, Edge, Likeness, Palette, Range, Saturation, Smooth, Symmetry

__all__ = ["Anchor", "Blend", "Edge", "Guide", "Likeness", "Palette", "Prompts", "Range", "Saturation",
           "Smooth", "Story", "Symmetry", "Targets", "at", "cosine", "images", "noises",
           "saved", "spherical", "words"]
