"""float16 as tensor cores compute it, on a CPU: numbers are kept in float16, sums are taken in float32.

    with AsGPU(): …         # products and convolutions of float16 tensors; the rest is as it is

torch's own kernels for CPUs do the same a thousand times slower, see test_precision.py.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "convolution", "convolution_backward")


class AsGPU(TorchDispatchMode):
    def __torch_dispatch__(self, kernel, types, args=(), kwargs=None):
        name, halves = kernel.overloadpacket.__name__, [a for a in args if is_half(a)]
        if name not in PRODUCTS or not halves:
            return kernel(*args, **kwargs or {})
        wide = tree_map_only(torch.Tensor, torch.Tensor.float, args)
        return tree_map_only(torch.Tensor, torch.Tensor.half, kernel(*wide, **kwargs or {}))


def is_half(value):
    return isinstance(value, torch.Tensor) and value.dtype == torch.float16
