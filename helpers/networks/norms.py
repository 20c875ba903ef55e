"""Group norm and swish for frozen networks: the slope of the input is all that painting needs.

    NormSwish.apply(x, Norm(weight, bias, groups, eps, swish=True), torch.bfloat16)

What is normalized and its sigmoid are computed again on the way back instead of being kept. In bfloat16 on
CPUs torch's own kernels go there and back (in float32 they are off by up to 6e-5, more than parity with the
original networks allows); elsewhere see norms_in_pieces.py.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .norms_in_pieces import in_pieces, in_pieces_back

STRIP = 1 << 20     # numbers at a time, on the way back: what comes between stays in a CPU's cache


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
        ctx.norm, out, *found = normalized(x, norm, dtype)
        ctx.save_for_backward(x, *found)
        return out

    @staticmethod
    def backward(ctx, slope):
        x, *found = ctx.saved_tensors
        return led_back(slope, x, ctx.norm, *found), None, None


class Joined(torch.autograd.Function):
    """Parts (n, c_i, h, w) -> NormSwish of them as one picture, and that picture. For the way back only the
    parts are kept, which others keep, too."""

    @staticmethod
    def forward(ctx, norm, dtype, *parts):
        x = torch.cat(parts, 1).contiguous(memory_format=torch.channels_last)
        ctx.norm, out, *found = normalized(x, norm, dtype)
        ctx.save_for_backward(*found, *parts)
        return out, x

    @staticmethod
    def backward(ctx, slope, aside):
        mean, rate, *parts = ctx.saved_tensors
        x = torch.cat(parts, 1).contiguous(memory_format=torch.channels_last)
        back = led_back(slope, x, ctx.norm, mean, rate).add_(aside)
        return None, None, *back.split([part.shape[1] for part in parts], 1)


def normalized(x, norm, dtype):
    """The norm in float32, what it makes of x, and means and 1 / spreads, for the way back."""
    norm = norm._replace(weight=norm.weight.float(), bias=norm.bias.float())
    return norm, *(natively if native(x, dtype) else in_pieces)(x, norm, dtype)


def led_back(slope, x, norm, mean, rate):
    """The slope at x."""
    slope = slope.contiguous(memory_format=torch.channels_last)
    return (natively_back if native(x, slope.dtype) else in_pieces_back)(slope, x, norm, mean, rate)


def native(x, dtype):
    return x.device.type == "cpu" and dtype == torch.bfloat16


def natively(x, norm, dtype):
    """What NormSwish gives; mean and 1 / spread of every group, (n, groups) each."""
    shared = norm.weight.dim() == 1     # torch's kernel knows one weight for all pictures
    parts = [(x, norm.weight, norm.bias)] if shared else one_by_one(x, norm)
    size = x.shape[1], x[0, 0].numel(), norm.groups, norm.eps
    found = [torch.native_group_norm(*part, len(part[0]), *size) for part in parts]
    out, mean, rate = (joined(list(same)) for same in zip(*found, strict=True))
    return (F.silu(out, inplace=True) if norm.swish else out).to(dtype), mean.float(), rate.float()


def natively_back(slope, x, norm, mean, rate):
    """torch's own way back would take half of a VQGAN's time. But a group norm whose means and spreads are
    known is a batch norm with frozen statistics, whose way back gives the sums that these depend on, too;
    what comes of that dependence is a scale and a shift of x, another such norm."""
    return joined([of_one(*part, norm) for part in one_by_one(x, norm, slope, mean, rate)])


def of_one(x, weight, bias, slope, mean, rate, norm):
    """natively_back for one picture."""
    size = x.shape[1] // norm.groups
    means, variances = torch.cat([mean, rate.pow(-2)]).repeat_interleave(size, 1)
    sums, strips = [], []
    rows = max(1, STRIP // (x.shape[1] * x.shape[3]))
    for part, to in zip(split(x, rows, 2), split(slope, rows, 2), strict=True):
        to = to.to(x.dtype)
        if norm.swish:
            y = torch.native_batch_norm(part, weight, bias, means, variances, False, 0.0, 0.0)[0]
            to = torch.ops.aten.silu_backward(to, y)
        out, along, total = torch.ops.aten.native_batch_norm_backward(
            to, part, weight, means, variances, None, None, False, 0.0, [True, True, True])
        sums.append(torch.stack([total, along]))
        strips.append((part, out))
    level = (sum(sums[1:], sums[0]) * weight).view(2, norm.groups, size).sum(2)
    falls = torch.cat([rate, rate * rate]).div_(-size * x[0, 0].numel()).mul_(level)
    rest, fall = falls.repeat_interleave(size, 1)
    ones = torch.ones_like(means)
    for part, out in strips:
        out.add_(torch.native_batch_norm(part, fall, rest, means, ones, False, 0.0, 0.0)[0])
    return joined([out for _, out in strips], 2)


def one_by_one(x, norm, *more):
    """Of every picture: itself, its weight and bias, and its own of whatever more."""
    weights, biases = (term.expand(len(x), x.shape[1]) if len(x) > 1 else [term.flatten()]
                       for term in norm[:2])
    return zip(split(x, 1), weights, biases, *(split(part, 1) for part in more), strict=True)


def split(x, size, dim=0):
    return x.split(size, dim) if x.shape[dim] > size else (x,)


def joined(parts, dim=0):
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim)
