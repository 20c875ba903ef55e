"""Group norm and swish in one pass, for frozen decoders: the slope of the input is all that painting needs.

    lean_(vqgan.decoder)        # the same function, in a fraction of the time on CPUs

torch's own backward pass of group norm takes half of a VQGAN's time on a CPU. Here it is two sums per
channel and one scaled addition; the normalized picture and its sigmoid are computed again instead of being
kept. All of it goes piece by piece: what comes between stays in the cache, where whole pictures would go
through memory, which is fetched anew for each.
"""

import torch
from torch import nn
from torch.nn import functional as F

PIECE = 1 << 18     # numbers at a time, 1 MiB in float32: what a CPU's cache holds
LARGE = 1 << 25     # elsewhere: enough for a GPU to be busy, and little of its memory


class NormSwish(torch.autograd.Function):
    """x (n, c, h, w), channels_last -> swish(group_norm(x)) or group_norm(x), in `dtype`."""

    @staticmethod
    def forward(ctx, x, weight, bias, groups, eps, swish, dtype):
        rows = flat(x)                                                          # (n, h*w, c)
        n, places, channels = rows.shape
        total = squares = 0.0
        for part in pieces(rows):
            wide = part.float()
            total, squares = total + wide.sum(1), squares + wide.square().sum(1)
        size = places * channels // groups
        mean, square = grouped(torch.stack([total, squares]), groups) / size    # (n, c), alike in a group
        rate = ((square - mean.square()).clamp(min=0) + eps).rsqrt()
        scale = rate * weight.float()
        shift = bias.float() - mean * scale
        ctx.save_for_backward(x, scale, shift, mean, rate, weight.float())
        ctx.groups, ctx.swish = groups, swish
        out = torch.empty_like(rows, dtype=dtype)
        for part, there in zip(pieces(rows), pieces(out), strict=True):
            y = torch.addcmul(shift[:, None], part.float(), scale[:, None])
            there.copy_(F.silu(y, inplace=True) if swish else y)
        return picture(out, x)

    @staticmethod
    def backward(ctx, slope):
        x, scale, shift, mean, rate, weight = ctx.saved_tensors
        rows = flat(x)
        total = along = 0.0                                                     # (n, c)
        slopes = []
        for part, to in zip(pieces(rows), pieces(flat(slope)), strict=True):
            wide, to = part.float(), to.float()
            if ctx.swish:
                y = torch.addcmul(shift[:, None], wide, scale[:, None])
                to = torch.ops.aten.silu_backward(to, y)
            total, along = total + to.sum(1), along + (to * wide).sum(1)
            slopes.append(to)
        size = rows.shape[1] * rows.shape[2] // ctx.groups
        sums = torch.stack([weight * total, weight * rate * (along - mean * total)])
        level, lean = grouped(sums, ctx.groups) / size
        rest, fall = rate * (mean * rate * lean - level), -(rate * rate * lean)
        out = torch.empty_like(rows)
        for part, to, there in zip(pieces(rows), slopes, pieces(out), strict=True):
            wide = torch.addcmul(rest[:, None], part.float(), fall[:, None])
            there.copy_(wide.addcmul_(to, scale[:, None]))
        return picture(out, x), None, None, None, None, None, None


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
    return parts.sum(-1, keepdim=True).expand_as(parts).flatten(-2)


class LeanNorm(nn.Module):
    """A frozen GroupNorm, with swish behind it or not."""

    def __init__(self, norm, swish=False):
        super().__init__()
        self.norm, self.swish = norm, swish

    def forward(self, x):
        low = torch.is_autocast_enabled(x.device.type)
        dtype = torch.get_autocast_dtype(x.device.type) if low else x.dtype
        norm = self.norm
        return NormSwish.apply(x, norm.weight, norm.bias, norm.num_groups, norm.eps, self.swish, dtype)


class LeanBlock(nn.Module):
    """A ResnetBlock of taming-transformers without dropout and time, sharing its parameters."""

    def __init__(self, block):
        super().__init__()
        self.norm1, self.norm2 = LeanNorm(block.norm1, True), LeanNorm(block.norm2, True)
        self.conv1, self.conv2 = block.conv1, block.conv2
        self.skip = nn.Identity()
        if block.in_channels != block.out_channels:
            self.skip = block.conv_shortcut if block.use_conv_shortcut else block.nin_shortcut

    def forward(self, x, time=None):
        return self.skip(x).float() + self.conv2(self.norm2(self.conv1(self.norm1(x))))      # sums stay exact


def lean_(network):
    """Replace every ResnetBlock inside by an equal one, and every other GroupNorm."""
    for name, child in network.named_children():
        if type(child).__name__ == "ResnetBlock":
            setattr(network, name, LeanBlock(child))
        elif isinstance(child, nn.GroupNorm):
            setattr(network, name, LeanNorm(child))
        elif not isinstance(child, LeanBlock | LeanNorm):
            lean_(child)
    return network
