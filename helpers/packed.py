"""Frozen layers whose kernels are laid out once as the processor's products read them, not at every call.

    packed_(forgetful_(lower_(network, dtype)))      # in place, for good; nothing but bfloat16 on CPUs

torch hands plain kernels to oneDNN, which lays them out anew each time: a tenth of what a transformer's
products take, and more of small convolutions. Numbers stay the same, mostly to the bit.
"""

import torch
from torch import Tensor, nn

from .frozen import Forgetful, turns

ops = torch.ops.mkldnn
PLAIN = ("none", [], "")        # nothing is done to a product on its way out
LARGE = 1 << 24                 # numbers in convolutions: of more, it saves 2 % of the time and costs memory


def packed_(network: nn.Module, linear: bool = True) -> nn.Module:
    """Pack what is in bfloat16 on a CPU that computes in it: every Linear, unless told not to, as its own
    weight is then gone, which some of timm's towers read, and every Forgetful convolution that is led back
    by turned kernels, unless these are too many."""
    if able():
        lines, convs = ([(name, layer) for name, layer in network.named_modules()
                         if type(layer) is kind and here(layer.weight)] for kind in (nn.Linear, Forgetful))
        for name, layer in lines if linear else ():
            parent, _, last = name.rpartition(".")
            setattr(network.get_submodule(parent), last, PackedLinear(layer))
        few = sum(layer.weight.numel() for _, layer in convs) <= LARGE
        for _, layer in convs:
            if few and turns(layer.kernel_size, *layer.way):
                layer.__class__ = PackedConv
    return network


def able() -> bool:
    """Has this torch the operators, which are its compiler's, and this processor the products?"""
    known = all(hasattr(ops, name) for name in (
        "_is_mkldnn_bf16_supported", "_reorder_linear_weight", "_linear_pointwise",
        "_reorder_convolution_weight", "_convolution_pointwise"))
    return known and torch.backends.mkldnn.is_available() and ops._is_mkldnn_bf16_supported()


def here(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.bfloat16


class Open(nn.Linear):
    """A Linear whose weights are read, not only multiplied with, and which is not packed for that."""

    def __init__(self, layer: nn.Linear):
        super().__init__(1, 1, device="meta")
        self.weight, self.bias = layer.weight, layer.bias


class Product(torch.autograd.Function):
    """There through a packed layer, and slopes back."""

    @staticmethod
    def forward(ctx, x, layer):
        ctx.layer = layer
        return layer.product(x)

    @staticmethod
    def backward(ctx, slope):
        return ctx.layer.product_back(slope), None


class PackedLinear(nn.Module):
    """A Linear: x -> its product, in bfloat16."""

    def __init__(self, layer: nn.Linear):
        super().__init__()
        weight, self.bias = layer.weight.detach(), layer.bias
        self.there, self.back = map(ops._reorder_linear_weight, (weight, weight.t().contiguous()))

    def forward(self, x: Tensor) -> Tensor:
        return Product.apply(x.to(torch.bfloat16), self)

    def product(self, x):
        return ops._linear_pointwise(x, self.there, self.bias, *PLAIN)

    def product_back(self, slope):
        return ops._linear_pointwise(slope.contiguous(), self.back, None, *PLAIN)


class PackedConv(Forgetful):
    """A convolution, its kernels laid out for pictures of the size that came last: each has another order."""

    there = back = None, None       # size, kernels

    def forward(self, x: Tensor) -> Tensor:
        return Product.apply(x.to(torch.bfloat16), self)

    def product(self, x):
        size, kernels = self.there
        if size != x.shape:
            kernels = lay(self.weight, self.padding, x)
            self.there = x.shape, kernels       # at once: another thread may be here, too
        return convolve(x, kernels, self.bias, self.padding)

    def product_back(self, slope):
        rim = [side - 1 - wide for side, wide in zip(self.kernel_size, self.padding, strict=True)]
        size, kernels = self.back
        if size != slope.shape:
            kernels = lay(self.weight.transpose(0, 1).flip(2, 3), rim, slope)
            self.back = slope.shape, kernels
        return convolve(slope, kernels, None, rim)


def lay(weight, rim, x):
    weight = weight.contiguous(memory_format=torch.channels_last)
    return ops._reorder_convolution_weight(weight, rim, (1, 1), (1, 1), 1, x.shape)


def convolve(x, kernels, bias, rim):
    return ops._convolution_pointwise(x, kernels, bias, rim, (1, 1), (1, 1), 1, *PLAIN)
