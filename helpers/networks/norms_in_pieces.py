"""Group norm and swish there and back (see norms.py), wherever torch's own kernels are not the ones to take.

Both ways are two sums per channel and one scaled addition, piece by piece: what comes between stays in the
cache, where whole pictures would go through memory, which is fetched anew for each.
"""

import torch
from torch.nn import functional as F

PIECE = 1 << 18     # numbers at a time, 1 MiB in float32: what a CPU's cache holds
LARGE = 1 << 25     # elsewhere: enough for a GPU to be busy, and little of its memory


def in_pieces(x, norm, dtype):
    """x (n, c, h, w), channels_last -> what NormSwish gives; mean and 1 / spread of every channel's group,
    (n, c) each."""
    rows = flat(x)                                                              # (n, h*w, c)
    n, places, channels = rows.shape
    total = squares = 0.0
    for part in pieces(rows):
        wide = part.float()
        total, squares = total + wide.sum(1), squares + wide.square().sum(1)
    size = channels // norm.groups
    mean, square = torch.stack([total, squares]).unflatten(-1, (norm.groups, size)).sum(-1) / (places * size)
    rate = ((square - mean.square()).clamp(min=0) + norm.eps).rsqrt()
    mean, rate = spread(torch.stack([mean, rate]), size)
    scale, shift = line(mean, rate, norm)
    out = torch.empty_like(rows, dtype=dtype)
    for part, there in zip(pieces(rows), pieces(out), strict=True):
        y = torch.addcmul(shift[:, None], part.float(), scale[:, None])
        there.copy_(F.silu(y, inplace=True) if norm.swish else y)
    return picture(out, x), mean, rate


def in_pieces_back(slope, x, norm, mean, rate):
    """The slope at x; mean and rate are what in_pieces found."""
    rows = flat(x)
    size = x.shape[1] // norm.groups
    scale, shift = line(mean, rate, norm)
    out = torch.empty_like(rows)
    total = along = 0.0                                                         # (n, c)
    for part, to, there in zip(pieces(rows), pieces(flat(slope)), pieces(out), strict=True):
        wide, to = part.float(), to.float()
        if norm.swish:
            y = torch.addcmul(shift[:, None], wide, scale[:, None])
            to = torch.ops.aten.silu_backward(to, y)
        total, along = total + to.sum(1), along + (to * wide).sum(1)
        there.copy_(to)     # in x's number type, for want of memory
    sums = norm.weight * torch.stack([total, torch.addcmul(along, mean, total, value=-1)])
    sums = sums.unflatten(-1, (norm.groups, size)).sum(-1) / (-size * rows.shape[1])
    rest, fall = spread(sums, size) * torch.stack([rate, rate.pow(3)])
    rest = torch.addcmul(rest, mean, fall, value=-1)
    for part, there in zip(pieces(rows), pieces(out), strict=True):
        wide = torch.addcmul(rest[:, None], part.float(), fall[:, None])
        there.copy_(wide.addcmul_(there.float(), scale[:, None]))
    return picture(out, x)


def line(mean, rate, norm):
    """Scale and shift of every channel."""
    scale = rate * norm.weight
    return scale, torch.addcmul(norm.bias, mean, scale, value=-1)


def spread(values, size):
    """(..., groups) -> that of each channel's group of `size`, (..., c)."""
    return values[..., None].expand(*values.shape, size).flatten(-2)


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
