"""Convolutions with frozen weights forget what went in: its slope does not need it, and torch would keep it.

    forgetful_(network)         # in place, for good; half of what a decoder holds on to for the way back
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input


def forgetful_(network: nn.Module) -> nn.Module:
    """Let every plain Conv2d inside, all of them frozen, lead slopes back without its input."""
    for module in network.modules():
        if type(module) is nn.Conv2d:
            module.__class__ = Forgetful
    return network


class Forgetful(nn.Conv2d):
    """A frozen Conv2d with zeros around the picture."""

    def forward(self, x: Tensor) -> Tensor:
        way = self.stride, self.padding, self.dilation, self.groups
        return Through.apply(x, self.weight, self.bias, way)


class Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, way):
        ctx.save_for_backward(weight)
        ctx.shape, ctx.way = x.shape, way
        return F.conv2d(x, weight, bias, *way)

    @staticmethod
    def backward(ctx, slope):
        weight, = ctx.saved_tensors
        return conv2d_input(ctx.shape, weight.to(slope.dtype), slope, *ctx.way), None, None, None
