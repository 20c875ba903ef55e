"""Slides: a painting in which nothing is optimized. Step after step a picture is rendered and shown.

    slides = Slides(lambda k: network(walk[k]), 60, ["biggan-world"])
    for frame in slides: …                      # Frames, as from loop.Painting

What is shown depends on the number of the step alone, so a resumed run shows the same pixels.
"""

import torch

from helpers.frames import Frames


class Slides(Frames):
    """render: number of a step, from 0, -> (n, 3, h, w) in [0, 1]. networks: names of what renders."""

    def __init__(self, render, steps=1, networks=()):
        super().__init__(steps, networks=networks)
        self.render = render

    @torch.no_grad()
    def image(self):
        """The picture of the step done last, or of the first where none is."""
        return self.render(max(0, self.step - 1)).clamp(0, 1).float()

    def state_dict(self):
        """All it takes to go on."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state):
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
