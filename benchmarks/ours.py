"""Our side: a step of a system, through its public face."""

import torch

from helpers import machine, perceptors
from helpers.diffusion import Diffusion
from helpers.systems import load

START = 7       # seed of the looks that a perceptor is shown alone


class Step:
    """A painting, one step a call: the slopes by which it moved, a list of tensors, none where nothing is
    moved."""

    def __init__(self, system, settings):
        self.painting = load(system).paint(settings)

    def __call__(self):
        for frame in self.painting:
            if frame.step:          # what comes before are notes of the opening
                break
        if isinstance(self.painting, Diffusion):
            return [self.painting.denoise.slope]
        return [p.grad for p in getattr(self.painting, "weights", {}).values() if p.grad is not None]


class Look:
    """A perceptor's look at random pictures, there and back."""

    def __init__(self, settings):
        device = machine.device(settings.device)
        self.eye = perceptors.load(settings.perceptors, device)
        self.row = self.eye.encode_text([settings.prompts])[0]
        self.looks = random_looks(settings.crops, self.eye.size).to(device).requires_grad_()

    def __call__(self):
        return list(torch.autograd.grad((self.eye.encode_image(self.looks) @ self.row).sum(), self.looks))


def random_looks(count, size):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(START))


def made(case, settings):
    """The step of a case."""
    return Look(settings) if case.alone else Step(case.system, settings)
