import pytest
import torch
from torch.nn import functional as F

from helpers.augment import AUGMENTATIONS, Augment
from helpers.cutouts import Cutouts, cut
from helpers.errors import Refused


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(64, 64), (37, 91), (128, 48), (16, 16), (9, 200)])
@pytest.mark.parametrize("size", [16, 32, 57])
def test_a_look_at_everything_is_interpolate_with_antialias(shape, size):
    image = torch.rand(2, 3, *shape, generator=dice())
    looks = cut(image, torch.tensor([[0.0, 0.0, *shape]]), size)
    exact = F.interpolate(image, (size, size), mode="bilinear", antialias=True)
    assert torch.allclose(looks, exact, atol=1e-5)


def test_a_crop_shows_its_place_and_nothing_else():
    image = torch.zeros(1, 3, 40, 60)
    image[..., 10:20, 30:40] = 1
    inside, outside = cut(image, torch.tensor([[11.0, 31, 8, 8], [22, 2, 12, 12]]), 8)
    assert inside.min() > 0.99 and outside.abs().max() == 0


def test_gradients_reach_the_picture():
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    boxes = torch.tensor([[0.0, 0, 32, 32], [3.3, 4.1, 9.7, 9.7]])
    assert torch.autograd.gradcheck(lambda x: cut(x, boxes, 6), image[..., :32, :32], nondet_tol=1e-9)


def test_crops_really_crop():
    boxes = Cutouts(16, overview=2, crops=200, smallest=0.2, largest=0.9, rng=dice()).boxes(100, 150)
    assert len(boxes) == 202
    assert boxes[0].tolist() == [0, 0, 100, 150] and boxes[1, 2:].tolist() == [100, 100]
    side = boxes[2:, 2]
    assert side.min() >= 20 and side.max() <= 90 and side.std() > 15
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 0] + boxes[:, 2] <= 100.001).all() and (boxes[:, 1] + boxes[:, 3] <= 150.001).all()


def sides(**options):
    return Cutouts(16, overview=0, crops=2000, rng=dice(), **options).squares(100, 100, 2000, 0.5)[:, 2] / 100


def test_the_bell_is_alive():
    """DeepDaze's gauss_sampling did nothing: every draw fell outside (size > upper or size < upper)."""
    even, bell = sides(smallest=0.1, largest=1.0), sides(smallest=0.1, largest=1.0, bell=(0.6, 0.1))
    assert abs(even.mean() - 0.55) < 0.02 and abs(even.std() - 0.26) < 0.02
    assert abs(bell.mean() - 0.6) < 0.02 and abs(bell.std() - 0.1) < 0.02
    moved = sides(smallest=0.1, largest=1.0, bell=(0.3, 0.1))
    assert abs(moved.mean() - 0.3) < 0.02 and moved.min() >= 0.1


def test_power_prefers_small_crops_and_numbers_follow_progress():
    assert sides(power=3.0).mean() < sides(power=1.0).mean() < sides(power=0.3).mean()
    cutouts = Cutouts(16, overview=0, crops=50, smallest=lambda progress: 0.1 + 0.65 * progress, rng=dice())
    assert cutouts.boxes(100, 100, 0.0)[:, 2].min() < 30
    assert cutouts.boxes(100, 100, 1.0)[:, 2].min() >= 75


def test_center_gathers_crops_in_the_middle():
    def spread(center):
        return Cutouts(16, overview=0, crops=500, center=center, rng=dice()).offsets(500, 0).std()
    assert spread(8) < spread(3) < spread(0)


def test_nobody_looking_is_impossible():
    assert len(Cutouts(16, overview=0, crops=0, rng=dice()).boxes(32, 32)) == 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_augmentation_draws_for_each_look(name):
    ramp = torch.linspace(0.1, 0.9, 16)
    look = torch.stack([ramp.expand(16, 16), ramp[:, None].expand(16, 16), (ramp * ramp[:, None])])[None]
    look = look + 0.1 * torch.rand(1, 3, 16, 16, generator=dice(5))
    looks = look.expand(24, 3, 16, 16).clone().requires_grad_()
    changed = Augment(name, dice())(looks)
    assert changed.shape == looks.shape and changed.isfinite().all()
    different = {tuple(row.detach().flatten()[:99].tolist()) for row in changed}
    assert len(different) >= (2 if name in ("flip", "gray") else 6)
    changed.square().sum().backward()
    assert looks.grad.abs().sum() > 0
    again = Augment(name, dice())(looks.detach())
    assert torch.equal(again, changed.detach())


def test_no_augmentation_at_strength_zero():
    looks = torch.rand(4, 3, 16, 16, generator=dice())
    text = "rotate, affine, zoom, perspective, elastic, warp, jitter, sharpness, blur, noise"
    assert torch.allclose(Augment(text, dice(), strength=0.0)(looks), looks, atol=1e-5)


def test_grain_differs_between_looks():
    image = torch.full((1, 3, 32, 32), 0.5)
    looks = Cutouts(16, overview=1, crops=7, noise=0.1, rng=dice())(image)
    assert 0.01 < (looks - 0.5).std() < 0.1
    assert len({round(look.std().item(), 6) for look in looks}) == 8


def test_unknown_augmentation():
    with pytest.raises(Refused) as refusal:
        Augment("flip, perspectiv", dice())
    assert str(refusal.value) == "no augmentation called 'perspectiv'; did you mean 'perspective'?"


def test_the_same_dice_give_the_same_looks():
    image = torch.rand(1, 3, 48, 32, generator=dice())
    def look():
        rng = dice(9)
        return Cutouts(16, augment=Augment("flip, affine, jitter, erase", rng), noise=0.1, rng=rng)(image)
    assert torch.equal(look(), look())


def test_some_crops_see_no_colors():
    image = torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))

    def faded(share):
        looks = Cutouts(12, 3, 40, gray=share, rng=torch.Generator().manual_seed(1))(image)
        return ((looks[:, 0] - looks[:, 1]).abs().amax((1, 2)) < 1e-6).view(-1, 2)

    assert not faded(0).any()
    some = faded(lambda progress: 0.5)
    assert not some[:3].any() and 8 < some[3:, 0].sum() < 32 and torch.equal(some[:, 0], some[:, 1])
    assert faded(1)[3:].all()
