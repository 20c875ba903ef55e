"""The secondary network (Crowson 2021): a small look through the noise, for guides.

    net = load("secondary-world", device)       # or "secondary_model_imagenet_2", the one of Disco Diffusion
    guess = net(x, sigma)                       # as of adm.ADM

A gradient through it costs a fraction of one through the U-Net that paints, and serves nearly as well.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import weights
from ..precision import lower_, number_type, run
from ..samplers import Guess
from .loading import fill_

DEFAULTS = {"widths": [64, 128, 128, 256, 256, 512], "times": 16}


class Skip(nn.Module):
    """What its layers make of x, and x."""

    def __init__(self, layers: list[nn.Module]):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.main(x), x], 1)


class Waves(nn.Module):
    """A time (n,) as cosines and sines of random frequencies (Tancik et al. 2020), (n, count)."""

    def __init__(self, count: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(count // 2, 1))

    def forward(self, time: Tensor) -> Tensor:
        angles = 2 * math.pi * time[:, None] * self.weight[:, 0]
        return torch.cat([angles.cos(), angles.sin()], 1)


class Secondary(nn.Module):
    """`config`: widths, the channels of each level from the full size down, and times, the numbers that tell
    the noise. Its answer is v (Salimans and Ho 2022), at the angle whose tangent is sigma."""

    def __init__(self, config: dict, precision: str = "fp32"):
        super().__init__()
        self.config, self.precision = {**DEFAULTS, **config}, precision
        first, *deeper = self.config["widths"]
        self.step = 2 ** len(deeper)            # sides are made multiples of this
        self.timestep_embed = Waves(self.config["times"])
        self.net = nn.Sequential(conv(3 + self.config["times"], first), conv(first, first),
                                 Skip(below(first, deeper)), conv(2 * first, first),
                                 nn.Conv2d(first, 3, 3, padding=1))

    def forward(self, x: Tensor, sigma: float) -> Guess:
        """x (n, 3, h, w) = picture + sigma * noise. Leaves Crowson's: any size will do, as sides go on with
        their last row and column up to a multiple of `step`."""
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.step, 0, -height % self.step), "replicate")
        sigma = torch.as_tensor(sigma, dtype=torch.float64).expand(len(x))
        waves = self.timestep_embed((sigma.atan() * 2 / math.pi).to(x))
        sigma = sigma.to(x).view(-1, 1, 1, 1)
        size = (1 + sigma.square()).sqrt()
        planes = waves[..., None, None].expand(-1, -1, *x.shape[2:])
        seen = self.net[0](torch.cat([x / size, planes], 1))    # exact: the waves tell more than half can
        v = run(self, self.net[1:], seen)
        return Guess((x / size**2 - sigma / size * v)[..., :height, :width])


def conv(ins: int, outs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(ins, outs, 3, padding=1), nn.ReLU())


def below(above: int, widths: list[int]) -> list[nn.Module]:
    """The layers of the levels below one of `above` channels."""
    width, *deeper = widths
    inside = ([Skip(below(width, deeper)), conv(2 * width, width)] if deeper else [conv(width, width)])
    return [nn.AvgPool2d(2), conv(above, width), conv(width, width), *inside, conv(width, above),
            nn.Upsample(scale_factor=2, mode="bilinear")]


def build(config: dict, precision: str = "fp32") -> Secondary:
    """One with random weights."""
    return Secondary(config, precision)


def load(name: str, device="cpu", *, precision: str = "fp32") -> Secondary:
    """A trained one by name or path, frozen."""
    card, state = weights.load(name, "secondary")
    with torch.device("meta"):      # no random numbers drawn to be thrown away
        net = build(card["config"], precision)
    fill_(net, state, name, "the published secondary network's").to(device, memory_format=torch.channels_last)
    lower_(net.net[1:], number_type(device, precision))
    return net
