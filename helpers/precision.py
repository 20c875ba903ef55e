"""Number types: the networks run in half precision where the machine computes in it.

    lower_(tower, number_type(device))      # once
    run(eyes, tower, x)                     # float32 in and out, matrix products in half precision

Half precision is bfloat16 where there are units for it (NVIDIA from Ampere on, some CPUs), else float16 on
NVIDIA's Volta and Turing, of which a T4 is one. float16 ends at 65504 and knows nothing below 6e-8: slopes go
through a network at a size that suits it, and what is beyond its range is computed again in float32. This is
proven against float32 in arithmetic like a GPU's (tests/test_precision.py), but it never ran on a T4: neither
its speed nor its memory there is known. DISCOTHEQUE_PRECISION=fp32 turns it off; bf16 and fp16 ask for one.
"""

import contextlib
import logging
import os

import torch
from torch import Tensor, nn
from torch.func import functional_call

from .attention import Attention
from .errors import Refused

log = logging.getLogger(__name__)
PRECISIONS = {"auto": None, "fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
STEEP = 2.0**5              # of slopes at the end of a network: on the way back they grow or shrink
TENSOR_CORES = (7, 0)       # the first compute capability that has them, and with them a reason for float16


def number_type(device, precision: str = "auto", narrow: bool = True) -> torch.dtype:
    """What a network on `device` is to compute in: float32, bfloat16 or float16; auto: as
    DISCOTHEQUE_PRECISION says, else the half precision that the machine computes in. narrow: may it be
    float16, which is for `run` alone? Else float32 is in its place."""
    if precision == "auto":
        precision = os.environ.get("DISCOTHEQUE_PRECISION") or "auto"
    if precision not in PRECISIONS:
        raise Refused(f"precision is {precision!r}", f"choose one of {', '.join(map(repr, PRECISIONS))}",
                      "try 'auto'")
    found = PRECISIONS[precision] or _fastest(torch.device(device))
    return torch.float32 if found == torch.float16 and not narrow else found


def _fastest(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16
        strong = torch.cuda.get_device_capability(device) >= TENSOR_CORES
        return torch.float16 if strong else torch.float32
    return torch.bfloat16 if device.type == "cpu" and _cpu_has_bf16() else torch.float32


def _cpu_has_bf16() -> bool:
    """torch tells since 2.8 or so; before, Linux does."""
    if hasattr(torch.cpu, "get_capabilities"):
        able = torch.cpu.get_capabilities()
        return bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        return any(flag in file.read() for flag in ("amx_bf16", "avx512_bf16"))
    return False


def lowered(device, dtype: torch.dtype):
    """Context in which matrix products and convolutions run in this half precision, sums and norms do not;
    float32 changes nothing."""
    return torch.autocast(torch.device(device).type, dtype, enabled=dtype != torch.float32)


def current(x: Tensor) -> torch.dtype:
    """What matrix products of x run in here."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def run(owner, network: nn.Module, x: Tensor, *others) -> Tensor:
    """network(x, *others) by the `precision` of its owner, in float32 as x is. In float16 slopes reach x
    alone, so a network that learns gets none of it; an answer or slope that is not a number is asked for
    again in float32, and the first time that is said."""
    dtype = number_type(x.device, owner.precision)
    if dtype == torch.float16 and any(p.requires_grad for p in network.parameters()):
        dtype = torch.float32
    if dtype != torch.float16:
        with lowered(x.device, dtype):
            return network(x, *others).float()
    size = Size(owner, network, others)
    with lowered(x.device, dtype):
        said = Leave.apply(network(Enter.apply(x, size), *others), size)
    return said if said.isfinite().all() else size.exact(x)


class Size:
    """The unit in which slopes pass through a network in float16, and the way around it."""

    def __init__(self, owner, network, others):
        self.owner, self.network, self.others = owner, network, others
        self.slope = self.unit = None

    def exact(self, x: Tensor) -> Tensor:
        """The network's answer in float32; its halved weights are widened for that."""
        if not vars(self.owner).get("was_beyond"):
            self.owner.was_beyond = True
            log.warning("%s: numbers beyond half precision, so that step was computed again in float32, as "
                        "are others like it; DISCOTHEQUE_PRECISION=fp32 spares the first try",
                        type(self.owner).__name__)
        wide = {name: p.float() for name, p in self.network.named_parameters()}
        with torch.autocast(x.device.type, enabled=False):
            return functional_call(self.network, wide, (x, *self.others)).float()


class Leave(torch.autograd.Function):
    """Out of float16; slopes go in at a largest value of STEEP or a little less."""

    @staticmethod
    def forward(ctx, said, size):
        ctx.size, ctx.dtype = size, said.dtype
        return said.float()

    @staticmethod
    def backward(ctx, slope):
        most = slope.abs().amax().clamp(2.0**-100, 2.0**100)
        ctx.size.slope = slope
        ctx.size.unit = most.log2().ceil().exp2() / STEEP       # a power of 2, which rounds nothing
        return (slope / ctx.size.unit).to(ctx.dtype), None


class Enter(torch.autograd.Function):
    """Into float16; slopes come out at their true size."""

    @staticmethod
    def forward(ctx, x, size):
        ctx.size = size
        ctx.save_for_backward(x)
        return x.view_as(x)

    @staticmethod
    def backward(ctx, slope):
        size = ctx.size
        if slope.isfinite().all():
            return slope.float() * size.unit, None
        with torch.enable_grad():
            x = ctx.saved_tensors[0].detach().requires_grad_()
            return torch.autograd.grad(size.exact(x), x, size.slope)[0], None


def lower_(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Keep weights of matrix products and convolutions in this precision: no step converts them anew."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.MultiheadAttention | Attention):
            for tensor in module.parameters(recurse=False):
                tensor.data = tensor.data.to(dtype)
    return network
