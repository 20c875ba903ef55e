"""Attention without detours: torch's own is made for training.

    lean_(tower)        # in place; it shares its parameters
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
