"""Cutouts: the looks a perceptor takes at one picture.

Overview looks see the whole picture, crops see random squares of it. All looks of a step are one
antialiased, differentiable resampling: two small matrices per look, applied as batched products (crops =
rows @ image @ columns), equal to
`F.interpolate(..., antialias=True)`. Every draw comes from `rng`, one draw per look.

    looks = Cutouts(64, overview=4, crops=12, rng=rng)(image, progress)        # (16, 3, 64, 64)
"""

import math

import torch
from torch import nn

from helpers.augment import GRAY


class Cutouts(nn.Module):
    """(n, 3, h, w) in [0, 1] and progress in [0, 1] -> (looks * n, 3, size, size).

    Numbers may be functions of progress. `smallest`, `largest`: side of a crop as a fraction of the
    picture's short side.
    `power`: above 1 prefers small crops, below 1 large ones. `bell`: (mean, spread) draws sides from a bell
    curve instead. `center`: 0 lets crops fall anywhere, more gathers them around the middle. `augment`: see
    augment.py.
    `noise`: largest strength of the grain laid over each look. `gray`: the share of crops without colors.
    """

    def __init__(self, size, overview=4, crops=12, power=1.0, smallest=0.3, largest=1.0, center=0.0,
                 bell=None, augment=None, noise=0.0, gray=0.0, rng=None):
        super().__init__()
        self.size, self.overview, self.crops = size, overview, crops
        self.power, self.smallest, self.largest = power, smallest, largest
        self.center, self.bell, self.augment, self.noise, self.rng = center, bell, augment, noise, rng
        self.gray = gray

    def forward(self, image, progress=0.0):
        boxes = self.boxes(*image.shape[-2:], progress)
        looks = self.fade(cut(image, boxes, self.size), len(image), progress)
        if self.augment is not None:
            looks = self.augment(looks)
        strength = at(self.noise, progress)
        return looks + grain(looks, strength, self.rng) if strength > 0 else looks

    def fade(self, looks, n, progress):
        """Some crops lose their colors, by chance; those that see all of the picture keep them."""
        share = at(self.gray, progress)
        if share <= 0:
            return looks
        overview = max(0, round(at(self.overview, progress)))
        faded = torch.rand(len(looks) // n, generator=self.rng) < share
        faded[:overview] = False
        grays = torch.einsum("c,nchw->nhw", GRAY.to(looks), looks)[:, None]
        return torch.where(faded.repeat_interleave(n).to(looks.device).view(-1, 1, 1, 1), grays, looks)

    def boxes(self, height, width, progress=0.0):
        """(looks, 4): top, left, height, width in pixels; overview looks first."""
        overview, crops = (max(0, round(at(k, progress))) for k in (self.overview, self.crops))
        if overview + crops == 0:
            overview = 1            # somebody has to look
        return torch.cat([self.whole(height, width, overview), self.squares(height, width, crops, progress)])

    def whole(self, height, width, count):
        """Looks at everything: the full picture, and where it is not square, by turns the largest square in
        it."""
        short, shift = min(height, width), torch.rand(count, generator=self.rng)
        full = torch.tensor([0.0, 0.0, height, width]).expand(count, 4)
        square = torch.stack([shift * (height - short), shift * (width - short),
                              torch.full((count,), float(short)), torch.full((count,), float(short))], 1)
        return torch.where((torch.arange(count) % 2 == 0)[:, None], full, square)

    def squares(self, height, width, count, progress):
        low, high = at(self.smallest, progress), at(self.largest, progress)
        low, high = min(low, high), max(low, high)
        drawn = torch.rand(count, generator=self.rng)
        if self.bell:
            # the quantile of a bell curve cut off at low and high: no draw is thrown away, and none turns
            # uniform
            mean, spread = self.bell
            below, above = (bell_below((edge - mean) / spread) for edge in (low, high))
            part = (below + drawn.double() * (above - below)).clamp(1e-9, 1 - 1e-9)
            side = (mean + spread * math.sqrt(2) * torch.erfinv(2 * part - 1)).float().clamp(low, high)
        else:
            side = low + (high - low) * drawn ** at(self.power, progress)
        side = side * min(height, width)
        top, left = (self.offsets(count, progress) * (full - side) for full in (height, width))
        return torch.stack([top, left, side, side], 1)

    def offsets(self, count, progress):
        """Where crops fall, 0 to 1 of the room they have; with `center`, a bell around the middle kept
        inside."""
        focus = at(self.center, progress)
        if focus <= 0:
            return torch.rand(count, generator=self.rng)
        return (0.5 + torch.randn(count, generator=self.rng) * 0.5 / focus).clamp(0, 1)


def at(value, progress):
    """A number, or a function of progress, now."""
    return value(progress) if callable(value) else value


def bell_below(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def cut(image, boxes, size):
    """Resample boxes (looks, 4) of image (n, 3, h, w) to (looks * n, 3, size, size), antialiased,
    differentiable."""
    n, channels, height, width = image.shape
    top, left, tall, wide = boxes.to(image).unbind(1)
    rows, columns = shares(top, tall, height, size), shares(left, wide, width, size)
    lines = image.permute(2, 0, 1, 3).reshape(height, -1)                       # (h, n*3*w)
    strips = (rows.reshape(-1, height) @ lines).view(len(boxes), size, n * channels, width)
    looks = strips.transpose(1, 2).reshape(len(boxes), -1, width) @ columns.transpose(1, 2)
    return looks.view(len(boxes) * n, channels, size, size)


def shares(start, length, pixels, size):
    """(looks, size, pixels): how much of each pixel goes into each sample; rows sum to 1.

    A triangle filter, widened when shrinking (the antialias of PIL and of F.interpolate).
    """
    scale = (length / size)[:, None]
    center = start[:, None] + scale * (torch.arange(size, device=start.device) + 0.5)
    away = torch.arange(pixels, device=start.device) + 0.5 - center[..., None]
    share = (1 - away.abs() / scale.clamp(min=1)[..., None]).clamp(min=0)
    return share / share.sum(-1, keepdim=True)


def grain(looks, strength, rng):
    """Gaussian noise, a strength in [0, strength] per look. Looks see windows of one field, which costs far
    less to draw."""
    n, channels, size, _ = looks.shape
    field = torch.randn(channels, 2 * size, 2 * size, generator=rng).to(looks)
    top, left = torch.randint(size + 1, (n, 2), generator=rng).to(field.device).T
    windows = field.unfold(1, size, 1).unfold(2, size, 1)[:, top, left].transpose(0, 1)
    amount = torch.rand(n, 1, 1, 1, generator=rng).to(looks) * strength
    return amount * windows
