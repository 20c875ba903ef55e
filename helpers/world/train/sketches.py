"""Rough sketches of pictures, as a person would draw them: black brush, white paper, unsteady hand.

Edges are thinned to lines (Canny 1986) and drawn anew: bent, with a brush whose width changes on its way,
here and there left out; a third of the sketches show the things alone. All dice are `rng`'s.
"""

import torch
from torch.nn import functional as F


def sketch(images, things, rng, alone=0.35):
    """Pictures in plain style (n, 3, h, w) and where their things are (n, 1, h, w), in [0, 1] -> the shape of
    the pictures, gray, 1 where the paper is blank. alone: the share that shows the things and no more."""
    n, size = len(images), images.shape[-2:]

    def amount(low, high):
        return (torch.rand(n, 1, 1, 1, generator=rng) * (high - low) + low).to(images)

    def waves(count, channels=1):
        return smooth((n, channels, *size), count, rng).to(images)

    picked = amount(0, 1) < alone
    planes = torch.cat([torch.where(picked, images * things, images), things], 1)
    planes = bent(planes, amount(0, 0.02) * (waves(4, 2) + 0.4 * waves(12, 2)))
    found = lines(planes, amount(0.7, 1.5), amount(0.1, 0.24))
    around = 17 ** 2 * F.avg_pool2d(found, 17, 1, 8) - 9 ** 2 * F.avg_pool2d(found, 9, 1, 4)
    found = found * (around > amount(2, 9))         # what stands alone is a speck, not worth a stroke
    found = found * (waves(6) < amount(0.7, 4))
    ink = brushed(found, amount(0.5, 1.25), waves(5))
    return (1 - ink * amount(0.75, 1)).expand(-1, 3, -1, -1)


def smooth(shape, count, rng):
    """Random waves, about `count` of them each way, deviation near 1."""
    n, channels, height, width = shape
    coarse = torch.randn(n, channels, count + 2, count + 2, generator=rng)
    return F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)


def bent(images, shift):
    """Every pixel taken from elsewhere; shift (n, 2, h, w) in sides of the picture."""
    base = torch.eye(2, 3).expand(len(images), 2, 3).to(images)
    grid = F.affine_grid(base, images.shape, align_corners=False) + 2 * shift.permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def blurred(images, deviation):
    """By a Gaussian of `deviation` (n, 1, 1, 1) pixels, 1.5 at most."""
    n, channels, height, width = images.shape
    x = torch.arange(-4, 5, device=images.device)
    row = torch.softmax(-x.square() / (2 * deviation.view(n, 1).square()), 1).repeat_interleave(channels, 0)
    flat = F.pad(images.reshape(1, -1, height, width), (4, 4, 4, 4), mode="replicate")
    flat = F.conv2d(flat, row[:, None, :, None], groups=n * channels)
    return F.conv2d(flat, row[:, None, None], groups=n * channels).view(images.shape)


def lines(planes, deviation, least):
    """Lines of one pixel, 0 or 1 (n, 1, h, w), where any of the planes has an edge steeper than `least`."""
    wide = F.pad(blurred(planes, deviation), (1, 1, 1, 1), mode="replicate")
    across = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) * deviation
    down = (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) * deviation
    steep, plane = (across.square() + down.square()).max(1, keepdim=True)
    across, down = across.gather(1, plane), down.gather(1, plane)
    way = torch.cat([across, down], 1) / steep.add(1e-8).sqrt()
    pixel = way.new_tensor([1 / way.shape[-1], 1 / way.shape[-2]]).view(1, 2, 1, 1)
    ahead, behind = (bent(steep, side * pixel * way) for side in (1, -1))
    return ((steep > least.square()) & (steep >= ahead) & (steep > behind)).float()


def brushed(found, width, pressure):
    """Ink (n, 1, h, w) in [0, 1] of a brush that reaches about `width` pixels to each side of the lines,
    further where `pressure` is high."""
    level = blurred(found, width) * width / 0.2         # a straight line comes to 2 in its middle
    return (0.5 + 1.3 * (level * torch.exp2(0.4 * pressure) - 1)).clamp(0, 1)
