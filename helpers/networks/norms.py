"""Group norm and swish for frozen networks: the slope of the input is all that painting needs.

    NormSwish.apply(x, Norm(weight, bias, groups, eps, swish=True), torch.bfloat16)

What is normalized and its sigmoid are computed again on the way back instead of being kept. In bfloat16 on
CPUs torch's own kernel goes there (in float32 it is off by up to 6e-5, more than parity with the original
networks allows). Its way back would take half of a VQGAN's time; here that, and both ways on GPUs, are
two sums per channel and one scaled addition, piece by piece: what comes between stays in the cache, where
whole pictures would go through memory, which is fetched anew for each.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

PIECE = 1 << 18     # numbers at a time, 1 MiB in float32: what a CPU's cache holds
LARGE = 1 << 25     # elsewhere: enough for a GPU to be busy, and little of its memory


class Norm(NamedTuple):
    """A group norm, with swish behind it or not; weight and bias are (c,), or (n, c) where every picture has
    its own."""

    weight: Tensor
    bias: Tensor
    groups: int
    eps: float
    swish: bool


class NormSwish(torch.autograd.Function):
    """x (n, c, h, w), channels_last -> swish(group_norm(x)) or group_norm(x), in `dtype`."""

    @staticmethod
    def forward(ctx, x, norm, dtype):
        x = x.contiguous(memory_format=torch.channels_last)
        ctx.norm, out, line = normalized(x, norm, dtype)
        ctx.save_for_backward(x, *line)
        return out

    @staticmethod
    def backward(ctx, slope):
        x, *line = ctx.saved_tensors
        return led_back(slope, x, ctx.norm, line), None, None


class Joined(torch.autograd.Function):
    """Parts (n, c_i, h, w) -> NormSwish of them as one picture, and that picture. For the way back only the
    parts are kept, which others keep, too."""

    @staticmethod
    def forward(ctx, norm, dtype, *parts):
        x = torch.cat(parts, 1).contiguous(memory_format=torch.channels_last)
        ctx.norm, out, line = normalized(x, norm, dtype)
        ctx.save_for_backward(*line, *parts)
        return out, x

    @staticmethod
    def backward(ctx, slope, aside):
        mean, rate, scale, shift, *parts = ctx.saved_tensors
        x = torch.cat(parts, 1).contiguous(memory_format=torch.channels_last)
        back = led_back(slope, x, ctx.norm, (mean, rate, scale, shift)).add_(aside)
        return None, None, *back.split([part.shape[1] for part in parts], 1)


def normalized(x, norm, dtype):
    """The norm in float32, what it makes of x, and what leads back; see natively."""
    norm = norm._replace(weight=norm.weight.float(), bias=norm.bias.float())
    quick = x.device.type == "cpu" and x.dtype == dtype == torch.bfloat16
    out, *line = (natively if quick else in_pieces)(x, norm, dtype)
    return norm, out, line


def led_back(slope, x, norm, line):
    """The slope at x."""
    mean, rate, scale, shift = line
    rows = flat(x)
    out = torch.empty_like(rows)
    total = along = 0.0                                                         # (n, c)
    for part, to, there in zip(pieces(rows), pieces(flat(slope)), pieces(out), strict=True):
        wide, to = part.float(), to.float()
        if norm.swish:
            y = torch.addcmul(shift[:, None], wide, scale[:, None])
            to = torch.ops.aten.silu_backward(to, y)
        total, along = total + to.sum(1), along + (to * wide).sum(1)
        there.copy_(to)     # in x's number type, for want of memory
    size = rows.shape[1] * rows.shape[2] // norm.groups
    sums = torch.stack([norm.weight * total, norm.weight * rate * (along - mean * total)])
    level, lean = grouped(sums, norm.groups) / size
    rest, fall = rate * (mean * rate * lean - level), -(rate * rate * lean)
    for part, there in zip(pieces(rows), pieces(out), strict=True):
        wide = torch.addcmul(rest[:, None], part.float(), fall[:, None])
        there.copy_(wide.addcmul_(there.float(), scale[:, None]))
    return picture(out, x)


def natively(x, norm, dtype):
    """What NormSwish gives; mean and 1 / spread of every channel's group, and the scale and shift that are
    made of them, each (n, c)."""
    weights, biases = (term.view(-1, x.shape[1]) for term in norm[:2])
    size = x.shape[1], x[0, 0].numel(), norm.groups, norm.eps
    parts = [torch.native_group_norm(one, weight, bias, len(one), *size)    # which knows one weight for all
             for one, weight, bias in zip(x.chunk(len(weights)), weights, biases, strict=True)]
    out, *found = parts[0] if len(parts) == 1 else map(torch.cat, zip(*parts, strict=True))
    mean, rate = spread(torch.stack(found).float(), x.shape[1] // norm.groups)
    return (F.silu(out, inplace=True) if norm.swish else out), mean, rate, *line(mean, rate, norm)


def in_pieces(x, norm, dtype):
    """The same as `natively`."""
    rows = flat(x)                                                              # (n, h*w, c)
    n, places, channels = rows.shape
    total = squares = 0.0
    for part in pieces(rows):
        wide = part.float()
        total, squares = total + wide.sum(1), squares + wide.square().sum(1)
    size = places * channels // norm.groups
    mean, square = grouped(torch.stack([total, squares]), norm.groups) / size
    rate = ((square - mean.square()).clamp(min=0) + norm.eps).rsqrt()
    scale, shift = line(mean, rate, norm)
    out = torch.empty_like(rows, dtype=dtype)
    for part, there in zip(pieces(rows), pieces(out), strict=True):
        y = torch.addcmul(shift[:, None], part.float(), scale[:, None])
        there.copy_(F.silu(y, inplace=True) if norm.swish else y)
    return picture(out, x), mean, rate, scale, shift


def line(mean, rate, norm):
    scale = rate * norm.weight
    return scale, norm.bias - mean * scale


def pieces(rows):
    """Rows (n, places, c) in pieces."""
    n, places, channels = rows.shape
    most = max(1, (PIECE if rows.device.type == "cpu" else LARGE) // (n * channels))
    return rows.split(most, 1) if places > most else (rows,)


def flat(x):
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def picture(rows, x):
    n, channels, height, width = x.shape
    return rows.view(n, height, width, channels).permute(0, 3, 1, 2)


def grouped(sums, groups):
    """(..., c) -> the sum over each channel's group, (..., c)."""
    parts = sums.unflatten(-1, (groups, -1))
    return spread(parts.sum(-1), parts.shape[-1])


def spread(values, size):
    """(..., groups) -> that of each channel's group of `size`, (..., c)."""
    return values[..., None].expand(*values.shape, size).flatten(-2)
