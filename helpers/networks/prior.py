"""What latents of a VQGAN look like when they show something: a denoiser of latents, used as a prior.

A codebook knows surfaces but not things. This network (guided-diffusion's U-Net with the preconditioning of
Karras et al. 2022) has learned to take noise off the latents of whole pictures; what it would change about
latents is how odd they look to it. A canvas adds that as a penalty, from strong noise (the layout) to weak
noise (the details) over a run: regularization by denoising (Romano et al. 2017), with noise as in score
distillation (Poole et al. 2022).

    prior = load("vqgan-world-prior", device, style="watercolor")
    prior.oddity(z, sigma=0.5, rng=rng)         # z (n, d, h, w) -> scalar
"""

import math

import torch
from torch import Tensor, nn

from .. import weights
from ..errors import unknown
from ..precision import run
from .adm import official


class LatentPrior(nn.Module):
    """`config`: channels of the latents, width, multipliers, blocks, and the names of the styles it tells
    apart; latents are taken on the unit sphere. `style`: the number of the one that is expected."""

    def __init__(self, config: dict, precision: str = "auto"):
        super().__init__()
        self.config, self.precision, self.scale = config, precision, math.sqrt(config["channels"])
        self.style = 0
        channels, unet = config["channels"], official().UNetModel
        self.unet = unet(image_size=16, in_channels=channels, out_channels=channels,
                         model_channels=config["width"], num_res_blocks=config["blocks"],
                         channel_mult=tuple(config["mult"]), attention_resolutions=(2, 4),
                         num_head_channels=32, num_classes=len(config["styles"]))

    def forward(self, x: Tensor, sigma: Tensor, styles: Tensor | None = None) -> Tensor:
        """Noisy latents of unit variance (n, d, h, w), noise (n,), numbers of their styles (n,), by default
        the one expected -> latents without noise."""
        if styles is None:
            styles = torch.full((len(x),), self.style, device=x.device)
        s = sigma.view(-1, 1, 1, 1)
        size = (s.square() + 1).sqrt()
        out = run(self, self.unet, x / size, 250 * sigma.log(), styles)
        return x / size.square() + out * s / size

    def oddity(self, z: Tensor, sigma: float, rng: torch.Generator | None = None) -> Tensor:
        """Mean squared distance of unit latents z to what the prior makes of them under noise `sigma`."""
        x = z * self.scale
        noise = torch.randn(x.shape, generator=rng).to(x)
        with torch.no_grad():
            better = self(x.detach() + sigma * noise, torch.full((len(x),), sigma, device=x.device))
        return (x - better).square().mean()


def load(name: str, device="cpu", style: str = "") -> LatentPrior:
    """A trained one by name, frozen. style: the one it expects, by default its first. Refused: no such."""
    card, state = weights.load(name, "prior")
    prior = LatentPrior(card["config"])
    prior.load_state_dict({k: v.float() for k, v in state.items()})
    styles = card["config"]["styles"]
    if style and style not in styles:
        raise unknown(f"style of {name}", style, styles)
    prior.style = styles.index(style) if style else 0
    return prior.eval().requires_grad_(False).to(device)
