"""The same networks, faster: bfloat16 where the machine computes in it, and attention without detours.

    lower_(lean_(tower))                     # once
    with lowered(device, low): tower(x)      # matrix products and convolutions in bfloat16
"""

import contextlib
import os

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .errors import Refused

PRECISIONS = ("auto", "fp32", "bf16")


def uses_bf16(device, precision: str = "auto") -> bool:
    """Whether a network on `device` is to run in bfloat16; auto: as DISCOTHEQUE_PRECISION says, else only
    where the machine computes in it."""
    if precision == "auto":
        precision = os.environ.get("DISCOTHEQUE_PRECISION") or "auto"
    if precision not in PRECISIONS:
        raise Refused(f"precision is {precision!r}", "choose one of 'auto', 'fp32', 'bf16'", "try 'auto'")
    if precision != "auto":
        return precision == "bf16"
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and _cpu_has_bf16()


def _cpu_has_bf16() -> bool:
    """torch tells since 2.8 or so; before, Linux does."""
    if hasattr(torch.cpu, "get_capabilities"):
        able = torch.cpu.get_capabilities()
        return bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        return any(flag in file.read() for flag in ("amx_bf16", "avx512_bf16"))
    return False


def lowered(device, low: bool):
    """Context in which matrix products and convolutions run in bfloat16 if `low`, sums and norms do not."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=low)


def lower_(network: nn.Module) -> nn.Module:
    """Keep weights of matrix products and convolutions in bfloat16: no step converts them anew."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.MultiheadAttention | Attention):
            for tensor in module.parameters(recurse=False):
                tensor.data = tensor.data.bfloat16()
    return network


def lean_(network: nn.Module) -> nn.Module:
    """Replace the self-attention of every transformer block by an equal one that shares its parameters."""
    for block in list(network.modules()):
        attention = getattr(block, "attn", None)
        if type(attention) is nn.MultiheadAttention and attention.batch_first and not attention.dropout:
            block.attn = Attention(attention)
    return network


class Attention(nn.Module):
    """nn.MultiheadAttention for self-attention; torch's own is 5 times slower on CPU, forward and backward:
    it copies the weights for every picture, and the gradient of its fused kernel makes no use of bfloat16."""

    def __init__(self, source: nn.MultiheadAttention):
        super().__init__()
        self.heads, self.out_proj = source.num_heads, source.out_proj
        self.in_proj_weight, self.in_proj_bias = source.in_proj_weight, source.in_proj_bias

    def forward(self, x: Tensor, *_, attn_mask: Tensor | None = None, **__) -> tuple[Tensor, None]:
        n, length, d = x.shape
        parts = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        parts = parts.view(n, length, 3, self.heads, d // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)  # (n, heads, length, d / heads) each
        looks = attend(query, key, value, attn_mask)
        return self.out_proj(looks.transpose(1, 2).reshape(n, length, d)), None


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(query key / sqrt(d) + mask) value, each (n, heads, length, d)."""
    if query.device.type == "cpu" and query.dtype == torch.bfloat16:
        weight = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)
        weight = weight if mask is None else weight + mask
        return weight.softmax(-1) @ value
    return F.scaled_dot_product_attention(query, key, value, mask)
