"""Convolutions with frozen weights forget what went in: its slope does not need it, and torch would keep it.

    forgetful_(network)         # in place, for good; half of what a decoder holds on to for the way back

On CPUs the way back is itself a convolution, with the kernels turned around: oneDNN's own takes 1.3 to 3
times as long as its way there.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input


def forgetful_(network: nn.Module) -> nn.Module:
    """Let every plain Conv2d inside, all of them frozen, lead slopes back without its input; those that see
    other things than zeros around the picture, or count them themselves, stay as they are."""
    for module in network.modules():
        known = type(module) is nn.Conv2d and not isinstance(module.padding, str)
        if known and module.padding_mode == "zeros":
            module.__class__ = Forgetful
    return network


class Forgetful(nn.Conv2d):
    """A frozen Conv2d with zeros around the picture."""

    @property
    def way(self):
        return self.stride, self.padding, self.dilation, self.groups

    def forward(self, x: Tensor) -> Tensor:
        return Through.apply(x, self.weight, self.bias, self.way)


class Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, way):
        ctx.save_for_backward(weight)
        ctx.shape, ctx.way = x.shape, way
        return F.conv2d(x, weight, bias, *way)

    @staticmethod
    def backward(ctx, slope):
        weight, = ctx.saved_tensors
        weight = weight.to(slope.dtype)
        if turns(weight.shape[2:], *ctx.way) and worth_turning(slope, weight):
            around = [side - 1 - wide for side, wide in zip(weight.shape[2:], ctx.way[1], strict=True)]
            back = F.conv2d(slope, weight.transpose(0, 1).flip(2, 3), padding=around)
        else:
            back = conv2d_input(ctx.shape, weight, slope, *ctx.way)
        return back, None, None, None


def turns(sides, stride, padding, dilation, groups) -> bool:
    """Is the way back a convolution with the kernels, of these sides, turned around?"""
    plain = tuple(stride) == tuple(dilation) == (1, 1) and groups == 1
    return plain and all(wide < side for side, wide in zip(sides, padding, strict=True))


def worth_turning(slope: Tensor, weight: Tensor) -> bool:
    """Few places are not worth turning many kernels at every call."""
    places, kernels = slope.numel() // slope.shape[1], weight.numel() // weight.shape[1]
    return slope.device.type == "cpu" and places >= kernels
