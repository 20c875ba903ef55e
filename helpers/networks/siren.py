"""SIREN: the picture is a small network of sines, from a place (x, y) to a color, painted by training its
weights.

Sitzmann et al. 2020, as DeepDaze used it (Wang 2021): h0 = sin(w0 (W x + b)), then `layers` - 1 times
h = sin(theta (W h + b)), then a linear layer to RGB; the picture is (rgb + 1) / 2.

    canvas = Siren(128, 192, hidden=256, layers=8, rng=rng)     # any height and width
    for _ in canvas.approach(picture): ...                      # "priming": start from a picture
"""

import math

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from helpers.canvas import Canvas, inside

SINES = 1 << 26     # phases beside which their sines are kept, too
SAVED = 1 << 30     # phases that are kept for the way back; where there are more, they are computed again
PIECES = {"cpu": 1 << 12}       # pixels at a time: its cache holds what goes from layer to layer
PIECE = 1 << 16                 # elsewhere


class Sine(nn.Module):
    """x -> sin(w0 (W x + b)); w0 is folded into the weights, so that only one product touches every pixel."""

    def __init__(self, n_in, n_out, w0, bound, rng):
        super().__init__()
        self.w0 = w0
        self.weight = nn.Parameter(uniform(bound, rng, n_out, n_in))
        self.bias = nn.Parameter(uniform(bound, rng, n_out))

    def folded(self):
        return self.w0 * self.weight, self.w0 * self.bias


def uniform(bound, rng, *shape):
    return (torch.rand(*shape, generator=rng) * 2 - 1) * bound


class Siren(Canvas):
    """A picture of any size as about layers * hidden^2 weights; rendered once per step, however many looks
    follow.

    `dtype`: of the products with hidden layers; the first layer and the color layer stay in float32, where
    w0 needs it. `stride`: pixels between the points that are rendered while it learns, shifted by up to half
    of that for each rendering (dice: `rng`); what lies between is interpolated (tent).
    """

    saved = SAVED

    def __init__(self, height, width, hidden=256, layers=16, w0=30.0, theta=30.0, rng=None,
                 dtype=torch.float32, stride=1):
        super().__init__()
        self.height, self.width, self.dtype, self.stride, self.rng = height, width, dtype, stride, rng
        for name, n in (("rows", height), ("columns", width)):
            self.register_buffer(name, torch.arange(n) + 0.5, persistent=False)
        self.learning_rate = min(6e-4, 3e-3 / layers)       # every layer bends what those before it moved
        bound = math.sqrt(6 / hidden) / theta
        self.first = Sine(2, hidden, w0, 1 / 2, rng)
        self.hidden = nn.ModuleList(Sine(hidden, hidden, theta, bound, rng) for _ in range(layers - 1))
        self.color = Sine(hidden, 3, 1.0, bound, rng)

    def forward(self):
        if self.stride == 1 or not self.training:
            return self.at(self.rows, self.columns)
        shifts = torch.rand(2, generator=self.rng) - 0.5
        rows, columns = (points(n, self.stride, shift).to(self.rows)
                         for n, shift in zip((self.height, self.width), shifts, strict=True))
        return tent(self.rows, rows) @ self.at(rows, columns) @ tent(self.columns, columns).T

    def at(self, rows, columns):
        """(1, 3, len(rows), len(columns)): the picture at places told in pixels, 0.5 being the middle of the
        first."""
        grid = self.grid(rows, columns)
        weights = [layer.folded() for layer in self.hidden]
        ends = [layer.folded() for layer in (self.first, self.color)]
        pieces = grid.split(PIECES.get(grid.device.type, PIECE))
        phases = len(grid) * len(self.first.weight) * len(weights)
        if phases <= self.saved or not torch.is_grad_enabled():
            parts = [render(part, weights, ends, self.dtype, phases <= SINES) for part in pieces]
        else:
            parts = [checkpoint(render, part, weights, ends, self.dtype, use_reentrant=False)
                     for part in pieces]
        rgb = torch.cat(parts).T.reshape(1, 3, len(rows), len(columns))
        return inside((rgb + 1) / 2)

    def grid(self, rows, columns):
        """(places, 2): y and x as the first layer is told them, from -1 to 1 along the longer side."""
        long = max(self.height, self.width)
        ys, xs = ((2 * at - n) / long for at, n in ((rows, self.height), (columns, self.width)))
        return torch.stack(torch.meshgrid(ys, xs, indexing="ij"), -1).view(-1, 2)

    def approach(self, image, steps=200, learning_rate=3e-4):
        """Priming: train on the picture by squared error until it shows it, or for `steps`; yields the number
        of each."""
        image = image.to(self.rows)
        optimizer = torch.optim.Adam(self.parameters(), learning_rate, betas=(0.9, 0.99))
        for step in range(steps):
            for group in optimizer.param_groups:        # a short warm-up: deep sines go black without it
                group["lr"] = learning_rate * min(1, (step + 1) / 10) * (1 - 0.9 * step / steps)
            error = (self.at(self.rows, self.columns) - image).square().mean()
            if error < 1e-4:                            # 40 dB, nobody sees the rest
                break
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
            yield step + 1
        for parameter in self.parameters():
            parameter.grad = None


def points(size, stride, shift):
    """Places along a side of `size` pixels, about `stride` apart, each `shift` (-0.5..0.5) of the way between
    two off the middle of what it stands for."""
    count = math.ceil(size / stride)
    return (torch.arange(count) + 0.5 + shift) * size / count


def tent(places, points):
    """(len(places), len(points)): how much of each point is seen at each place, 1 in all; linear between two
    points, beyond the outermost what that one shows."""
    share = (1 - (places[:, None] - points).abs() / (points[1] - points[0])).clamp(min=0)
    return share / share.sum(1, keepdim=True)


def render(places, weights, ends, dtype, keep=False):
    """(pixels, 2) -> (pixels, 3), about [-1, 1]; keep: see Next."""
    (first, shift), (color, tint) = ends
    h = torch.sin(nn.functional.linear(places, first, shift))
    if weights:
        (weight, bias), *deeper = weights
        phase = nn.functional.linear(h.to(dtype), weight.to(dtype), bias.to(dtype))
        for weight, bias in deeper:
            phase = Next.apply(phase, weight, bias, keep)
        h = torch.sin(phase)
    return nn.functional.linear(h.float(), color, tint)


class Next(torch.autograd.Function):
    """Phases (pixels, hidden) -> those of the next layer, W sin(phase) + b. Phases are kept, and their sines
    if asked for, or these are taken again on the way back. Slopes of weights are added up in the weights' own
    precision."""

    @staticmethod
    def forward(ctx, phase, weight, bias, keep):
        weight, sine = weight.to(phase.dtype), torch.sin(phase)
        ctx.save_for_backward(phase, weight, sine if keep else None)
        return nn.functional.linear(sine, weight, bias.to(phase.dtype))

    @staticmethod
    def backward(ctx, slope):
        phase, weight, sine = ctx.saved_tensors
        sine = torch.sin(phase) if sine is None else sine
        return ((slope @ weight).mul_(torch.cos(phase)), (slope.T @ sine).float(),
                slope.sum(0, dtype=torch.float32), None)
