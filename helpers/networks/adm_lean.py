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
    if hasattr(unet, "output_blocks"):      # a classifier has none
        net.unet = LeanUNet(unet)
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


class LeanUNet(nn.Module):
    """A UNetModel, sharing its parts. On the way up a picture from below and one that passed by are joined
    within the norm they come to, which keeps no copy of both."""

    def __init__(self, unet: nn.Module):
        super().__init__()
        self.width, self.time_embed = unet.model_channels, unet.time_embed
        self.label_emb = None if unet.num_classes is None else unet.label_emb
        self.input_blocks, self.middle_block = unet.input_blocks, unet.middle_block
        self.output_blocks, self.out = unet.output_blocks, unet.out

    def forward(self, x: Tensor, time: Tensor, classes: Tensor | None = None) -> Tensor:
        from guided_diffusion.nn import timestep_embedding
        emb = self.time_embed(timestep_embedding(time, self.width))
        if self.label_emb is not None:
            emb = emb + self.label_emb(classes)
        passed = []
        for block in self.input_blocks:
            x = block(x, emb)
            passed.append(x)
        x = self.middle_block(x, emb)
        for block in self.output_blocks:
            x = block((x, passed.pop()), emb)
        return self.out(x)


class LeanSequence(nn.Sequential):
    """Layers in a row; the time is told to those that listen."""

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        for layer in self:
            x = layer(x, emb) if isinstance(layer, LeanBlock) else layer(x)
        return x


class LeanBlock(nn.Module):
    """A ResBlock without dropout, sharing its parameters; x is a picture or a tuple of parts."""

    def __init__(self, block: nn.Module):
        super().__init__()
        self.first, self.conv = LeanNorm(block.in_layers[0], swish=True), block.in_layers[-1]
        self.time, self.told = Exact(block.emb_layers), block.use_scale_shift_norm
        self.norm, self.last = block.out_layers[0], block.out_layers[-1]
        self.resized, self.skip = block.h_upd, block.skip_connection

    def forward(self, x: Tensor | tuple, emb: Tensor) -> Tensor:
        h, x = self.first.joined(x) if isinstance(x, tuple) else (self.first(x), x)
        h = self.conv(self.resized(h))
        told, norm = self.time(emb), self.norm
        if self.told:
            scale, shift = told.chunk(2, 1)
            weight, bias = norm.weight * (1 + scale), norm.bias * (1 + scale) + shift
        else:
            h, weight, bias = h + told[..., None, None].to(h.dtype), norm.weight, norm.bias
        h = NormSwish.apply(h, Norm(weight, bias, norm.num_groups, norm.eps, True), h.dtype)
        return self.last(h).add_(self.skip(self.resized(x)))


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
