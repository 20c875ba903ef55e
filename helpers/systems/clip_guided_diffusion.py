"""CLIP Guided Diffusion (Katherine Crowson, 2021): a diffusion network takes the noise away, step by step,
and at each CLIP says which way the picture should go.

The network knows what pictures are like, CLIP what words mean; neither was trained for the other. At every
step the clean picture below the noise is guessed, looked at in many crops, and the slope of their likeness to
the words is added to the guess.
"""

from dataclasses import dataclass

from helpers.systems.diffused import Diffused


@dataclass(frozen=True, kw_only=True)
class Settings(Diffused):
    """The notebooks' knobs of 2021 under an artist's names; the originals' in parentheses."""


def paint(settings, state=None):
    """A Diffusion of these settings, from the beginning or a saved state."""
    from helpers.systems import diffusing, wiring
    # a quarter less time, the judge's numbers within a point; Disco and what paints beside lose more
    return diffusing.painting(settings, wiring.Studio(settings), state, one_look=True)
