import math

import pytest
import torch
from torch.nn import functional as F

from helpers import loop
from helpers.guides import Prior
from helpers.networks import siren
from helpers.networks.siren import Siren


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def test_weights_are_those_of_the_paper():
    net = Siren(16, 16, hidden=256, layers=16, theta=20.0, rng=dice())
    assert sum(p.numel() for p in net.parameters()) == 988_419      # DeepDaze at its defaults
    assert net.first.weight.abs().max() <= 0.5 and net.first.weight.abs().max() > 0.45
    bound = math.sqrt(6 / 256) / 20
    for layer in [*net.hidden, net.color]:
        assert 0.95 * bound < layer.weight.abs().max() <= bound


def test_it_is_the_formula():
    net = Siren(5, 9, hidden=8, layers=3, w0=25.0, theta=12.0, rng=dice())
    h = torch.sin(25 * (net.grid(net.rows, net.columns) @ net.first.weight.T + net.first.bias))
    for layer in net.hidden:
        h = torch.sin(12 * (h @ layer.weight.T + layer.bias))
    rgb = (h @ net.color.weight.T + net.color.bias).T.view(1, 3, 5, 9)
    assert torch.allclose(net(), ((rgb + 1) / 2).clamp(0, 1), atol=1e-5)


def test_pixels_are_square_and_sizes_free():
    net = Siren(10, 31, hidden=8, layers=2, rng=dice())
    grid = net.grid(net.rows, net.columns).view(10, 31, 2)
    step = grid[1, 0, 0] - grid[0, 0, 0]
    assert torch.allclose(step, grid[0, 1, 1] - grid[0, 0, 1]) and grid.abs().max() < 1


def test_large_pictures_recompute_and_change_nothing():
    def slopes(saved=siren.SAVED):
        net = Siren(20, 20, hidden=16, layers=3, rng=dice())
        net.saved = saved
        net().square().sum().backward()
        return torch.cat([p.grad.flatten() for p in net.parameters()])
    whole = slopes()
    assert torch.allclose(slopes(100), whole, rtol=1e-4, atol=1e-4)


def test_half_precision_keeps_the_picture_and_the_slope():
    def both(dtype):
        net = Siren(32, 32, hidden=64, layers=5, rng=dice(), dtype=dtype)
        image = net()
        (image * torch.rand(image.shape, generator=dice(1))).sum().backward()
        return image.detach(), torch.cat([p.grad.flatten() for p in net.parameters()])
    (image, slope), (rough, near) = both(torch.float32), both(torch.bfloat16)
    assert (image - rough).abs().max() < 0.02
    assert F.cosine_similarity(slope, near, dim=0) > 0.995


def test_priming_shows_the_picture():
    aim = F.interpolate(torch.rand(1, 3, 4, 4, generator=dice(2)), (32, 32), mode="bicubic").clamp(0, 1)
    net = Siren(32, 32, hidden=64, layers=4, rng=dice())
    numbers = list(net.approach(aim))
    assert numbers == list(range(1, len(numbers) + 1))
    assert F.mse_loss(net(), aim) < 2e-3
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("layers", [2, 5, 16])
def test_few_steps_at_its_own_pace_come_to_a_picture_however_deep_it_is(layers):
    line = torch.linspace(0, 1, 48)
    aim = torch.stack([line[:, None].expand(48, 48), line.expand(48, 48), (line[:, None] + line) / 2])[None]
    canvas = Siren(48, 48, hidden=128, layers=layers, rng=dice())
    *_, frame = loop.paint(canvas, 15 * Prior(lambda: aim), steps=40, optimizer="AdamP")
    assert F.mse_loss(frame.image, aim) < 0.01


def test_every_other_point_shows_the_picture_and_leads_the_same_way():
    def both(stride):
        net = Siren(64, 48, hidden=32, layers=3, w0=4.0, theta=4.0, rng=dice(), stride=stride)
        image = net()
        aim = F.interpolate(torch.rand(1, 3, 4, 4, generator=dice(2)), (64, 48), mode="bicubic")
        (image - aim).square().sum().backward()
        return net, image.detach(), torch.cat([p.grad.flatten() for p in net.parameters()])
    (_, whole, slope), (net, rough, near) = both(1), both(2)
    assert 0 < (whole - rough).abs().max() < 0.02 and (whole - rough).mean().abs() < 1e-4
    assert F.cosine_similarity(slope, near, dim=0) > 0.999
    assert not torch.equal(net(), rough), "the points are others every time"
    assert torch.equal(net.eval()(), whole), "and nobody looks at them"


def test_points_cover_a_side_and_what_is_between_is_linear():
    for shift in (-0.5, -0.2, 0.0, 0.49):
        places, points = torch.arange(11) + 0.5, siren.points(11, 2, shift)
        assert len(points) == 6 and torch.allclose(points.diff(), torch.tensor(11 / 6))
        share = siren.tent(places, points)
        assert torch.allclose(share.sum(1), torch.ones(11))
        inside = (places >= points[0]) & (places <= points[-1])
        assert torch.allclose((share @ points)[inside], places[inside], atol=1e-5)
