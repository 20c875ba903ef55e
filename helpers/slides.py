"""Slides: a painting in which nothing is optimized. Step after step a picture is rendered and shown.

    slides = Slides(lambda k: network(walk[k]), 60, ["biggan-world"])
    for frame in slides: …                      # Frames, as from loop.Painting

What is shown depends on the number of the step alone, so a resumed run shows the same pixels.
"""

import time

import torch

from helpers.loop import Frame


class Slides:
    """An iterator of Frames with everything of a loop.Painting that recordings need.

    render: number of a step, from 0, -> (n, 3, h, w) in [0, 1]. networks: catalogue names of what renders.
    `retune`, set by a system, takes new settings and lets their live knobs act from the next step on.
    """

    def __init__(self, render, steps=1, networks=()):
        self.render, self.steps, self.networks = render, steps, list(networks)
        self.step, self.seconds, self.before_step, self.retune = 0, 0.0, [], None

    def __iter__(self):
        return self

    def __next__(self):
        if self.step >= self.steps:
            raise StopIteration
        began = time.perf_counter()
        for hook in self.before_step:
            hook(self)
        self.step += 1
        image = self.image()
        self.seconds += time.perf_counter() - began
        return Frame(self.step, self.steps, image, {}, self.seconds)

    @property
    def progress(self):
        return self.step / self.steps

    @torch.no_grad()
    def image(self):
        """The picture of the step done last, or of the first where none is."""
        return self.render(max(0, self.step - 1)).clamp(0, 1).float()

    def state_dict(self):
        """All it takes to go on."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state):
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
