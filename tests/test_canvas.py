import pytest
import torch
from torch.nn import functional as F

from helpers.canvas import Masked, Pixels, Waves, inside, move
from helpers.networks.siren import Siren


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


CANVASES = {
    "pixels": lambda rng: Pixels(24, 40, rng=rng),
    "cells": lambda rng: Pixels(24, 40, cell=7, rng=rng),
    "waves": lambda rng: Waves(24, 40, rng=rng),
    "siren": lambda rng: Siren(24, 40, hidden=32, layers=3, rng=rng),
}
each = pytest.mark.parametrize("make", CANVASES.values(), ids=CANVASES)


def photo(height=24, width=40):
    small = torch.rand(1, 3, 4, 6, generator=dice(4)) * 0.8 + 0.1
    return F.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)


@each
def test_contract(make):
    canvas = make(dice())
    image = canvas()
    assert image.shape == (1, 3, 24, 40) and image.min() >= 0 and image.max() <= 1
    assert 0.001 < image.std()
    (image * torch.rand(image.shape, generator=dice(1))).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in canvas.parameters())
    canvas.project_()
    assert canvas.prior().ndim == 0
    assert torch.equal(make(dice())(), make(dice())())
    assert not torch.equal(make(dice())(), make(dice(1))())


@each
def test_descends(make):
    canvas, aim = make(dice()), photo()
    optimizer = torch.optim.Adam(canvas.parameters(), canvas.learning_rate)
    errors = []
    for _ in range(25):
        error = F.mse_loss(canvas(), aim)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        canvas.project_()
        errors.append(error.item())
    assert errors[-1] < 0.7 * errors[0]


@pytest.mark.parametrize("name, worst", [("pixels", 1e-6), ("waves", 1e-4), ("cells", 0.2)])
def test_starts_from_a_picture(name, worst):
    canvas, aim = CANVASES[name](dice()), photo()
    canvas.fit(aim)
    assert (canvas() - aim).abs().mean() < worst


def test_cells_are_flat():
    image = CANVASES["cells"](dice())()
    assert image[..., :7, :7].flatten(2).std(-1).max() < 1e-6
    assert not torch.equal(image[..., :7, :7], image[..., :7, 7:14])


def test_waves_fade_with_decay():
    def roughness(decay):
        image = Waves(64, 64, decay=decay, rng=dice())()
        return image.diff(dim=-1).abs().mean() / image.std()
    assert roughness(2.0) < roughness(1.0) < roughness(0.3)


def test_overshoot_can_come_back_but_not_go_on():
    x = torch.tensor([1.5, 1.5, -0.5, -0.5, 0.5], requires_grad=True)
    inside(x).backward(torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0]))
    assert x.grad.tolist() == [1, 0, 0, -1, 1]


@pytest.mark.parametrize("softness", [0, 6])
def test_mask_keeps_the_rest_to_the_bit(softness):
    aim, mask = photo(), torch.zeros(1, 1, 24, 40)
    mask[..., 4:20, 10:30] = 1
    canvas = Masked(Pixels(24, 40, rng=dice()), aim, mask, softness)
    image = canvas()
    outside = (mask == 0).expand_as(image)
    assert torch.equal(image[outside], aim[outside])
    assert (image - aim)[~outside].abs().mean() > 0.02
    image.sum().backward()
    assert canvas.canvas.pixels.grad[outside].abs().max() == 0


def test_move_goes_where_it_says():
    spot = torch.zeros(1, 3, 33, 65)
    spot[..., 14:19, 40:45] = 1

    def place(image):
        weights = image[0, 0] / image[0, 0].sum()
        ys, xs = torch.meshgrid(torch.arange(33.0), torch.arange(65.0), indexing="ij")
        return (weights * xs).sum().item() - 32, (weights * ys).sum().item() - 16
    assert place(spot) == pytest.approx((10, 0), abs=0.01)
    assert place(move(spot)) == pytest.approx((10, 0), abs=0.01)
    assert place(move(spot, right=5, down=-3)) == pytest.approx((15, -3), abs=0.1)
    assert place(move(spot, zoom=2)) == pytest.approx((20, 0), abs=0.1)
    assert place(move(spot, angle=90)) == pytest.approx((0, 10), abs=0.1)
    assert place(move(spot, zoom=1.5, angle=30, right=-2)) == pytest.approx((11.0, 7.5), abs=0.15)
