"""Convolutions with frozen weights forget what went in: its slope does not need it, and torch would keep it.

    forgetful_(network)         # in place, for good; half of what a decoder holds on to for the way back
    folded_(network)            # before: norms behind convolutions become part of them

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


def folded_(network: nn.Module) -> nn.Module:
    """Fold the batch norm of each of timm's blocks of convolution, norm and bend into the convolution."""
    for block in network.modules():
        conv, norm = (getattr(block, name, None) for name in ("conv", "bn"))
        if type(block).__name__ == "ConvNormAct" and type(norm).__name__ == "BatchNormAct2d":
            if type(conv) is nn.Conv2d:
                block.conv, block.bn = folded(conv, norm), nn.Sequential(norm.drop, norm.act)
    return network


def folded(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Convolution and norm as one convolution."""
    rate = norm.weight * (norm.running_var + norm.eps).rsqrt()
    made = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding,
                     conv.dilation, conv.groups, device="meta")
    made.weight = frozen(conv.weight * rate[:, None, None, None])
    made.bias = frozen(norm.bias + ((0 if conv.bias is None else conv.bias) - norm.running_mean) * rate)
    return made


def frozen(tensor: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor.detach(), requires_grad=False)
