"""A guide that knows how pictures look: a diffusion network, asked at every step what it would change."""

import torch
from torch.nn import functional as F

from helpers.guides.base import Guide, at


class Prior(Guide):
    """How far the picture is from what a denoiser takes it for under noise: a mean square, values in [-1, 1].

    Score distillation (Poole et al. 2022), whose slope this is where every level of noise counts alike;
    without leading it through the network it is regularization by denoising (Romano et al. 2017).

    denoise: (x, sigma) -> samplers.Guess. side: the short side of the pictures it learned from, in pixels,
    and `step`: what their sides are multiples of; the picture is shown to it at that size. noise: sigma, a
    number or function of progress: 1 tells the layout, 0.1 the details. rng: what the noise is drawn from.
    """

    def __init__(self, denoise, side, step=1, noise=0.5, rng=None):
        super().__init__()
        self.denoise, self.side, self.step = [denoise], side, step      # in a list: not a part of this guide
        self.noise, self.rng = noise, rng

    def forward(self, image, progress=0.0):
        x, sigma = 2 * self.shown(image) - 1, at(self.noise, progress)
        with torch.no_grad():
            noise = torch.randn(x.shape, generator=self.rng).to(x)
            expected = self.denoise[0](x + sigma * noise, sigma).clean.clamp(-1, 1)
        return (x - expected).square().mean()

    def shown(self, image):
        """The picture at a size that the network knows."""
        now = image.shape[-2:]
        size = [max(1, round(length * self.side / min(now) / self.step)) * self.step for length in now]
        if size == list(now):
            return image
        return F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
