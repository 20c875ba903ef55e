"""The critic of the GANs: is this picture real, and is it of this class?

It looks with a frozen guide's eyes (Projected GANs, Sauer et al. 2021), which learns many times faster than
from pixels, and with a small tower of its own for what these eyes forgive. Classes enter by projection
(Miyato and Koyama 2018), every matrix is under spectral norm, and both sides see pictures shifted and with a
part missing (Differentiable Augmentation, Zhao et al. 2020).
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm as normed

from .common import autocast


class Head(nn.Module):
    """A map (n, channels, h, w) and classes (n, classes) -> (n, 1, h, w): how real, as that class."""

    def __init__(self, channels, width, classes):
        super().__init__()
        self.narrow = normed(nn.Conv2d(channels, width, 1))
        self.look = normed(nn.Conv2d(width, width, 3, padding=1))
        self.real = normed(nn.Conv2d(width, 1, 1))
        self.kind = normed(nn.Linear(classes, width, bias=False))

    def forward(self, x, classes):
        x = F.leaky_relu(self.look(F.leaky_relu(self.narrow(x), 0.2)), 0.2)
        return self.real(x) + (x * self.kind(classes)[..., None, None]).sum(1, keepdim=True)


class Critic(nn.Module):
    """Pictures (n, 3, h, w) in [0, 1], classes (n, classes) -> a list of maps (n, 1, …), higher is more real.

    features: frozen (see features.py), no part of what is saved. beside: channels of pictures that tell what
    was asked for, given to the critic's own tower with the picture (pix2pix); 0 for none. seen: what features
    make of the pictures, where that is known already. gain: what answers are multiplied by; spectral norm
    keeps them small, and the hinge wants them around 1.
    """

    def __init__(self, features, classes, width=64, beside=0, gain=1.0):
        super().__init__()
        self.gain = gain
        self.features = [features]
        sides = [3 + beside, width // 2, width, 2 * width]
        self.tower = nn.ModuleList(normed(nn.Conv2d(a, b, 4, 2, 1)) for a, b in
                                   zip(sides, sides[1:], strict=False))
        self.heads = nn.ModuleList(Head(c, width, classes) for c in [*features.channels, sides[-1]])

    def forward(self, images, classes, beside=None, seen=None):
        own = images if beside is None else torch.cat([images, beside], 1)
        own = own * 2 - 1
        for layer in self.tower:
            own = F.leaky_relu(layer(own), 0.2)
        seen = self.features[0](images) if seen is None else seen
        maps = [x * x.shape[1] ** 0.5 for x in seen] + [own]
        return [self.gain * head(x, classes).float() for head, x in zip(self.heads, maps, strict=True)]


def told(real, fake):
    """The critic's hinge loss (Lim and Ye 2017), the mean of its maps'."""
    terms = [F.relu(1 - r).mean() + F.relu(1 + f).mean() for r, f in zip(real, fake, strict=True)]
    return sum(terms) / len(terms)


def tell(critic, adversary, real, fake):
    """A step of a critic of patches, pictures (n, 3, h, w) in [0, 1] -> map, by its optimizer: half of its
    hinge loss."""
    with autocast(real.device.type):
        said = [critic(images * 2 - 1).float() for images in (real, fake)]
    loss = told(said[:1], said[1:]) / 2
    adversary.zero_grad()
    loss.backward()
    adversary.step()
    return loss


def fooled(fake):
    """The painter's side of it."""
    return -sum(f.mean() for f in fake) / len(fake)


def shaken(images, rng, reach=0.125, hole=0.4):
    """Each picture (n, c, h, w) shifted by up to `reach` of its side, and gray where a square of `hole` of
    its side falls; differentiable, all dice `rng`'s."""
    n, _, height, width = images.shape
    shift = (torch.rand(n, 2, generator=rng) * 2 - 1) * 2 * reach
    theta = torch.cat([torch.eye(2).expand(n, 2, 2), shift[..., None]], 2).to(images)
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    y, x = (torch.arange(side, device=images.device) / side for side in (height, width))
    top, left = (torch.rand(2, n, 1, generator=rng) * (1 + hole) - hole).to(images)
    down, across = (y >= top) & (y < top + hole), (x >= left) & (x < left + hole)
    return torch.where(down[:, None, :, None] & across[:, None, None], 0.5, moved)
