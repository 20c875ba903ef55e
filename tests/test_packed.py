"""Packed layers: the numbers are those of plain ones, there and back."""

import pytest
import torch
from torch import nn

from helpers import frozen, packed

pytestmark = pytest.mark.skipif(not packed.able(), reason="no products in bfloat16 here")
LAST = torch.channels_last


def there_and_back(layer, x):
    leaf = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        said = layer(leaf)
    slope = torch.randn(said.shape, generator=torch.Generator().manual_seed(1)).to(said)
    return said.detach(), torch.autograd.grad(said, leaf, slope)[0]


def near(one, other):
    """The same but for the last digit of a few."""
    other = other.to(one)
    return float((one - other).float().norm() / one.float().norm()) < 4e-3


def beside(layer, *inputs):
    """What a layer says, and its slopes, plain and packed, of each input in its turn."""
    net = nn.Sequential(layer).to(torch.bfloat16, memory_format=LAST).requires_grad_(False)
    frozen.forgetful_(net)
    plain = [there_and_back(net, x) for x in inputs]
    return net[0], packed.packed_(net)[0], plain, [there_and_back(net, x) for x in inputs]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_packed_linear_says_the_same(bias, dtype):
    torch.manual_seed(0)
    rows = torch.randn(3, 50, 96).to(dtype)
    _, layer, plain, found = beside(nn.Linear(96, 160, bias=bias), rows, rows[:1, 0], rows.transpose(0, 1))
    assert type(layer) is packed.PackedLinear
    for was, now in zip(plain, found, strict=True):
        assert all(map(near, was, now))


@pytest.mark.parametrize("kernel, rim", [(1, 0), (3, 1), (5, 2), (3, 0)])
def test_a_packed_convolution_says_the_same_at_every_size(kernel, rim):
    torch.manual_seed(0)
    pictures = [torch.randn(n, 64, side, side).contiguous(memory_format=LAST)
                for n, side in ((2, 32), (1, 8), (2, 32))]
    _, layer, plain, found = beside(nn.Conv2d(64, 96, kernel, padding=rim), *pictures)
    assert type(layer) is packed.PackedConv
    for was, now in zip(plain, found, strict=True):
        assert all(map(near, was, now)) and now[0].is_contiguous(memory_format=LAST)


@pytest.mark.parametrize("layer, size", [(nn.Conv2d(8, 8, 3, 2, 1), (1, 8, 9, 9)),
                                         (nn.Conv2d(8, 8, 3, padding=4), (1, 8, 9, 9)),
                                         (nn.Conv2d(8, 8, 3, padding=1, groups=2), (1, 8, 9, 9))])
def test_what_is_not_led_back_by_turned_kernels_stays(layer, size):
    was, now, *_ = beside(layer, torch.randn(size))
    assert was is now and type(now) is frozen.Forgetful


def test_only_bfloat16_is_packed_and_no_more_than_memory_allows(monkeypatch):
    net = frozen.forgetful_(nn.Sequential(nn.Conv2d(4, 4, 3), nn.Linear(4, 4)).requires_grad_(False))
    kinds = [type(layer) for layer in packed.packed_(net)]
    assert kinds == [frozen.Forgetful, nn.Linear], "float32"
    monkeypatch.setattr(packed, "LARGE", 100)
    kinds = [type(layer) for layer in packed.packed_(net.to(torch.bfloat16))]
    assert kinds == [frozen.Forgetful, packed.PackedLinear]
