"""How training pictures are looked at: cropped, flipped, noisy, blurred, pale.

A network that knew only clean pages would be lost on what a guide paints on its way. All dice are `rng`'s.
"""

import torch
from torch.nn import functional as F


def to_tensor(pixels, device):
    """(n, h, w, 3) uint8 array -> (n, 3, h, w) in [0, 1]."""
    return torch.as_tensor(pixels, device=device).permute(0, 3, 1, 2).float().div_(255)


def look(images, size, rng, closest=0.62, whole=0.4):
    """(n, 3, h, w) -> (n, 3, size, size): square crops of side `closest`..1, half of them flipped.

    A share `whole` of the pictures is looked at as a whole.
    """
    n = len(images)
    side = torch.rand(n, generator=rng) * (1 - closest) + closest
    side[torch.rand(n, generator=rng) < whole] = 1.0
    shift = (torch.rand(n, 2, generator=rng) * 2 - 1) * (1 - side[:, None])
    flip = torch.where(torch.rand(n, generator=rng) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = side * flip, side, shift
    grid = F.affine_grid(theta.to(images.device), (n, 3, size, size), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def weather(images, rng, noise=0.12, share=0.5):
    """Blur, faded contrast, a tint and grain (deviation up to `noise`), each on a share of the pictures.

    Shape stays, values stay in [0, 1].
    """
    n, device = len(images), images.device

    def chosen():
        return (torch.rand(n, 1, 1, 1, generator=rng) < share).to(device)

    def amount(high):
        return (torch.rand(n, 1, 1, 1, generator=rng) * high).to(device)

    blurred = F.interpolate(F.avg_pool2d(images, 2), size=images.shape[-2:], mode="bilinear")
    images = torch.where(chosen(), images.lerp(blurred, amount(1.0)), images)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = torch.where(chosen(), images.lerp(mean, amount(0.45)), images)
    shift = (torch.rand(n, 3, 1, 1, generator=rng).to(device) - 0.5) * 0.12
    images = torch.where(chosen(), images + shift, images)
    grains = torch.randn(images.shape, generator=rng).to(device) * amount(noise)
    return torch.where(chosen(), images + grains, images).clamp(0, 1)
