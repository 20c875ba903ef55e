"""Group norm and swish in one, there and back, beside torch's in float64."""

from itertools import product

import pytest
import torch
from torch.nn import functional as F

from helpers.networks import norms, norms_in_pieces

GROUPS, EPS, CHANNELS = 32, 1e-5, 64
OWN = {"shared": (CHANNELS,), "each its own": (3, CHANNELS)}


def known(x, weight, bias, swish):
    """In float64, from its definition."""
    weight, bias = (term.double()[..., None, None] for term in (weight, bias))
    y = F.group_norm(x.double(), GROUPS, eps=EPS) * weight + bias
    return F.silu(y) if swish else y


def away(found, sought):
    return float((found.double() - sought).detach().norm() / sought.detach().norm())


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("own, swish", list(product(OWN, (True, False))))
@pytest.mark.parametrize("given, dtype", [(torch.float32, torch.float32), (torch.bfloat16, torch.bfloat16),
                                          (torch.float32, torch.bfloat16)])
def test_there_and_back_is_a_group_norm_with_swish(native, own, swish, given, dtype, monkeypatch):
    monkeypatch.setattr(norms, "native", lambda x, dtype: native)
    monkeypatch.setattr(norms, "STRIP", CHANNELS * 16 * 4)              # the last of 9 rows are fewer,
    monkeypatch.setattr(norms_in_pieces, "PIECE", 3 * CHANNELS * 50)    # as are the last of 144 places
    torch.manual_seed(1)
    x = torch.randn(3, CHANNELS, 9, 16) + 3 * torch.rand(3, CHANNELS, 1, 1)
    x = x.to(given, memory_format=torch.channels_last).requires_grad_()
    weight, bias, slope = torch.rand(OWN[own]) + 0.5, torch.rand(OWN[own]), torch.randn(x.shape).to(dtype)
    out = norms.NormSwish.apply(x, norms.Norm(weight, bias, GROUPS, EPS, swish), dtype)
    sought = known(x, weight, bias, swish)
    near = 1e-5 if dtype == torch.float32 else 5e-3     # bfloat16 knows three digits
    assert out.dtype == dtype and out.is_contiguous(memory_format=torch.channels_last)
    assert away(out, sought) < near
    found, wanted = (torch.autograd.grad(y, x, slope.to(y.dtype), retain_graph=True)[0]
                     for y in (out, sought))
    assert away(found, wanted) < near


def test_one_weight_for_all_gives_what_a_weight_for_each_does():
    torch.manual_seed(2)
    x, weight, bias = torch.randn(3, CHANNELS, 8, 8), torch.rand(CHANNELS), torch.rand(CHANNELS)
    one, each = (norms.NormSwish.apply(x, norms.Norm(w, b, GROUPS, EPS, True), torch.float32)
                 for w, b in ((weight, bias), (weight.expand(3, -1), bias.expand(3, -1))))
    assert torch.equal(one, each)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_joined_is_a_norm_of_what_is_side_by_side(dtype):
    torch.manual_seed(3)
    parts = [torch.randn(2, width, 6, 10).to(dtype, memory_format=torch.channels_last).requires_grad_()
             for width in (CHANNELS, CHANNELS // 2)]
    norm = norms.Norm(torch.rand(96) + 0.5, torch.rand(96), GROUPS, EPS, True)
    slope = torch.randn(2, 96, 6, 10).to(dtype)

    def slopes(out, whole):
        return torch.autograd.grad([out, whole], parts, [slope, slope.flip(0)])

    found = norms.Joined.apply(norm, dtype, *parts)
    whole = torch.cat(parts, 1)
    wanted = norms.NormSwish.apply(whole, norm, dtype), whole
    assert all(map(torch.equal, found, wanted))
    near = 1e-6 if dtype == torch.float32 else 5e-3
    assert all(away(one, other.double()) < near
               for one, other in zip(slopes(*found), slopes(*wanted), strict=True))
