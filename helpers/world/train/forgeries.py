"""Forgeries: pictures the perceptor itself would paint for a sentence, kept as wrong answers to it.

A small attack on a true picture teaches which changes do not matter; it never shows the perceptor what an
optimizer finds that may go anywhere. So some sentences get a picture that starts as fog, as flat color or as
another scene and climbs towards them, a step per training step, while training maps it away: the negative
phase of an energy-based model (Du and Mordatch 2019), on the gradient that the training computes anyway.
"""

import torch
from torch.nn import functional as F

from .contrast import length


class Forger:
    """`count` forgeries (count, 3, 64, 64) in [0, 1]; they climb in waves of every size, as canvases do."""

    def __init__(self, count, device):
        self.count, self.device, self.images, self.age = count, device, None, 0

    def begin(self, others, rng):
        """New ones: a third each flat color, fog, and `others`, pictures that show something else."""
        n, size = self.count, others.shape[-1]
        flat = torch.rand(n, 3, 1, 1, generator=rng).expand(n, 3, size, size).to(self.device)
        fog = torch.rand(n, 3, 8, 8, generator=rng).to(self.device)
        fog = F.interpolate(fog, (size, size), mode="bicubic")
        kind = torch.randint(3, (n, 1, 1, 1), generator=rng).to(self.device)
        self.images = torch.where(kind == 0, flat, torch.where(kind == 1, fog, others[:n])).clamp(0, 1)
        self.stride = (1 + 3 * torch.rand(n, 1, 1, 1, generator=rng)).to(self.device)
        self.waves = torch.randint(4, (n,), generator=rng)
        self.life, self.age = int(torch.randint(8, 64, (), generator=rng)), 0

    @property
    def spent(self):
        return self.images is None or self.age >= self.life

    @torch.no_grad()
    def climb(self, slope):
        """One step up the slope (count, 3, h, w), smoothed to waves of 1, 2, 4 or 8 pixels."""
        for k in (1, 2, 3):
            chosen = self.waves == k
            if chosen.any():
                coarse = F.avg_pool2d(slope[chosen], 2**k)
                slope[chosen] = F.interpolate(coarse, slope.shape[-2:], mode="bilinear")
        self.images = (self.images.detach() + self.stride * slope / length(slope)).clamp(0, 1)
        self.age += 1


def judged(real, forged, text, scale):
    """The contrastive loss of `real` pictures and their texts, which come first, with forgeries as further
    wrong pictures and the rest of `text` as further wrong sentences."""
    target, said = torch.arange(len(real), device=real.device), text[: len(real)]
    from_picture = F.cross_entropy(scale * real @ text.T, target)
    return (from_picture + F.cross_entropy(scale * said @ torch.cat([real, forged]).T, target)) / 2
