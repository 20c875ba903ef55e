"""What latents of a VQGAN look like when they show something: a denoiser of latents, used as a prior.

A codebook knows surfaces but not things. This network (guided-diffusion's U-Net with the preconditioning of
Karras et al. 2022) has learned to take noise off the latents of whole pictures; what it would change about
latents is how odd they look to it. A canvas adds that as a penalty, from strong noise (the layout) to weak
noise (the details) over a run: regularization by denoising (Romano et al. 2017), with noise as in score
distillation (Poole et al. 2022).

    prior = load("vqgan-world-prior", device)
    prior.oddity(z, sigma=0.5, rng=rng)         # z (n, d, h, w) -> scalar
"""

import math
import warnings

import torch
from torch import Tensor, nn

from .. import weights
from ..precision import lowered, uses_bf16


class LatentPrior(nn.Module):
    """`config`: channels of the latents, width, multipliers, blocks; latents are taken on the unit sphere."""

    def __init__(self, config: dict, precision: str = "auto"):
        super().__init__()
        with warnings.catch_warnings(action="ignore", category=FutureWarning):   # of its own decorators
            from guided_diffusion.unet import UNetModel

        self.config, self.precision, self.scale = config, precision, math.sqrt(config["channels"])
        self.unet = UNetModel(image_size=16, in_channels=config["channels"], out_channels=config["channels"],
                              model_channels=config["width"], num_res_blocks=config["blocks"],
                              channel_mult=tuple(config["mult"]), attention_resolutions=(2, 4),
                              num_head_channels=32)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Noisy latents of unit variance (n, d, h, w), noise (n,) -> latents without noise."""
        s = sigma.view(-1, 1, 1, 1)
        size = (s.square() + 1).sqrt()
        with lowered(x.device, uses_bf16(x.device, self.precision)):
            out = self.unet(x / size, 250 * sigma.log())
        return x / size.square() + out.float() * s / size

    def oddity(self, z: Tensor, sigma: float, rng: torch.Generator | None = None) -> Tensor:
        """Mean squared distance of unit latents z to what the prior makes of them under noise `sigma`."""
        x = z * self.scale
        noise = torch.randn(x.shape, generator=rng).to(x)
        with torch.no_grad():
            better = self(x.detach() + sigma * noise, torch.full((len(x),), sigma, device=x.device))
        return (x - better).square().mean()


def load(name: str, device="cpu") -> LatentPrior:
    """A trained one by name, frozen."""
    card, state = weights.load(name, "prior")
    prior = LatentPrior(card["config"])
    prior.load_state_dict({k: v.float() for k, v in state.items()})
    return prior.eval().requires_grad_(False).to(device)
