"""Frozen convolutions: the slopes are torch's own, whichever way they are led back."""

import pytest
import torch
from timm.layers import ConvNormAct
from torch import nn
from torch.nn import functional as F

from helpers import frozen

# channels in and out, kernel, stride, padding, dilation, groups, side; is it led back by a turned kernel?
CASES = [(3, 5, 3, 1, 1, 1, 1, 16, True), (6, 4, 1, 1, 0, 1, 1, 9, True),
         (2, 3, (3, 1), 1, (1, 0), 1, 1, 12, True), (3, 4, 5, 1, 0, 1, 1, 20, True),
         (3, 4, 3, 1, 4, 1, 1, 12, False), (3, 4, 3, 2, 1, 1, 1, 16, False), (3, 4, 3, 1, 2, 2, 1, 16, False),
         (4, 4, 3, 1, 1, 1, 2, 16, False), (64, 64, 3, 1, 1, 1, 1, 4, False)]


@pytest.mark.parametrize("case", CASES)
def test_slopes_are_torchs_own(case, monkeypatch):
    (inside, out, kernel, stride, padding, dilation, groups, side), turned = case[:-1], case[-1]
    torch.manual_seed(0)
    conv = nn.Conv2d(inside, out, kernel, stride, padding, dilation, groups).requires_grad_(False)
    x, called = torch.randn(2, inside, side, side), []
    own = frozen.conv2d_input
    monkeypatch.setattr(frozen, "conv2d_input", lambda *given: called.append(1) or own(*given))

    def slope():
        leaf = x.clone().requires_grad_()
        said = conv(leaf)
        return torch.autograd.grad((said * torch.linspace(-1, 1, said.numel()).view_as(said)).sum(), leaf)[0]

    plain = slope()
    frozen.forgetful_(conv)
    assert F.mse_loss(slope(), plain) < 1e-9 * plain.square().mean()
    assert bool(called) != turned


def test_what_is_unknown_stays_as_it_is():
    for conv in (nn.Conv2d(2, 2, 3, padding="same"), nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect")):
        assert type(frozen.forgetful_(conv.requires_grad_(False))) is nn.Conv2d


@pytest.mark.parametrize("groups, bias", [(1, False), (2, True)])
def test_timms_norms_are_folded_into_its_convolutions(groups, bias):
    block = ConvNormAct(4, 6, 3, groups=groups, bias=bias, act_layer=nn.SiLU).eval().requires_grad_(False)
    for tensor in (block.bn.weight, block.bn.bias, block.bn.running_mean, block.bn.running_var):
        tensor.uniform_(0.5, 2)
    x = torch.rand(2, 4, 5, 5)
    before = block(x)
    net = frozen.folded_(nn.Sequential(block))
    assert torch.allclose(net(x), before, atol=1e-5) and before.std() > 0.1
    assert not any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
