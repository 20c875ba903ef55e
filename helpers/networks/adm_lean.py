"""The U-Nets of guided_diffusion for those who only paint with them: frozen, and nothing is done twice.

    lean_(net)      # after it is on its device; in place, for good

Group norm, swish and the time's scale and shift are one pass (see norms.py), and attention is torch's fused
one. Equal to the package's own but for rounding.
"""

import torch
from torch import Tensor, nn

from ..attention import attend
from ..precision import lower_, number_type
from .lean import LeanNorm
from .norms import Norm, NormSwish


def lean_(net: nn.Module) -> nn.Module:
    """Freeze a network that has a `unet`, and exchange its parts for faster equal ones; in half precision
    where its own says."""
    net.eval().requires_grad_(False)
    unet = net.unet
    for name, child in list(unet.named_modules()):
        kind = type(child).__name__
        if kind in LEAN:
            parent, _, last = name.rpartition(".")
            setattr(unet.get_submodule(parent), last, LEAN[kind](child))
    unet.time_embed = Exact(unet.time_embed)
    if type(unet.out[0]).__name__ == "GroupNorm32":
        unet.out[0], unet.out[1] = LeanNorm(unet.out[0], swish=True), nn.Identity()
    lower_(nn.ModuleList(m for m in unet.modules() if isinstance(m, nn.Conv2d | LeanAttention)),
           number_type(next(unet.parameters()).device, net.precision))
    return net


def attentive_(unet: nn.Module) -> nn.Module:
    """Exchange the attention of a network in training for torch's fused one: the package's own spends more
    time on copies than on all its convolutions."""
    for block in [m for m in unet.modules() if type(m).__name__ == "AttentionBlock"]:
        block.attention = Attention(block.num_heads, legacy(block))
    return unet


def legacy(block: nn.Module) -> bool:
    """Are the channels of its qkv ordered heads first, then q, k, v?"""
    return type(block.attention).__name__ == "QKVAttentionLegacy"


class Attention(nn.Module):
    """What an AttentionBlock does between its two projections: (n, 3 channels, places) -> (n, channels,
    places)."""

    def __init__(self, heads: int, heads_first: bool):
        super().__init__()
        self.heads, self.legacy = heads, heads_first

    def forward(self, parts: Tensor) -> Tensor:
        order = (self.heads, 3, -1) if self.legacy else (3, self.heads, -1)
        parts = parts.transpose(1, 2).unflatten(2, order)
        query, key, value = parts.permute(3, 0, 2, 1, 4) if self.legacy else parts.permute(2, 0, 3, 1, 4)
        return attend(query, key, value).transpose(1, 2).flatten(2).transpose(1, 2)


class Exact(nn.Module):
    """A part that stays out of half precision: the time is a number of three places."""

    def __init__(self, part: nn.Module):
        super().__init__()
        self.part = part

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return self.part(x.float())


class LeanSequence(nn.Sequential):
    """Layers in a row; the time is told to those that listen."""

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        for layer in self:
            x = layer(x, emb) if isinstance(layer, LeanBlock) else layer(x)
        return x


class LeanBlock(nn.Module):
    """A ResBlock without dropout, sharing its parameters."""

    def __init__(self, block: nn.Module):
        super().__init__()
        self.first, self.conv = LeanNorm(block.in_layers[0], swish=True), block.in_layers[-1]
        self.time, self.told = Exact(block.emb_layers), block.use_scale_shift_norm
        self.norm, self.last = block.out_layers[0], block.out_layers[-1]
        self.resized, self.skip = block.h_upd, block.skip_connection

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.conv(self.resized(self.first(x)))
        told, norm = self.time(emb), self.norm
        if self.told:
            scale, shift = told.chunk(2, 1)
            weight, bias = norm.weight * (1 + scale), norm.bias * (1 + scale) + shift
        else:
            h, weight, bias = h + told[..., None, None].to(h.dtype), norm.weight, norm.bias
        h = NormSwish.apply(h, Norm(weight, bias, norm.num_groups, norm.eps, True), h.dtype)
        return self.skip(self.resized(x)) + self.last(h)


class LeanAttention(nn.Module):
    """An AttentionBlock, sharing its parameters."""

    def __init__(self, block: nn.Module):
        super().__init__()
        self.norm, self.look = LeanNorm(block.norm), Attention(block.num_heads, legacy(block))
        self.inside, self.out = linear(block.qkv), linear(block.proj_out)

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        parts = self.inside(self.norm(x).flatten(2).transpose(1, 2))            # (n, places, 3 channels)
        looks = self.look(parts.transpose(1, 2)).transpose(1, 2)
        return x + self.out(looks).transpose(1, 2).unflatten(2, (height, width))


def linear(conv: nn.Conv1d) -> nn.Linear:
    """A convolution of one place as a matrix product, sharing its parameters."""
    made = nn.Linear(1, 1, device="meta")
    made.weight, made.bias = nn.Parameter(conv.weight[..., 0], requires_grad=False), conv.bias
    return made


LEAN = {"TimestepEmbedSequential": lambda old: LeanSequence(*old), "ResBlock": LeanBlock,
        "AttentionBlock": LeanAttention}
