import pytest
import torch

from helpers import clouds


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("mode, colors", [("color", True), ("mixed", True), ("gray", False)])
def test_clouds_are_soft_and_fill_the_range(mode, colors):
    image = clouds.perlin(48, 64, mode, dice())
    assert image.shape == (1, 3, 48, 64) and 0 <= image.min() and image.max() <= 1
    assert image.max() - image.min() > 0.4 and 0.3 < image.mean() < 0.7
    assert bool((image[:, 0] - image[:, 1]).abs().max() > 0.05) is colors
    apart = (image[..., 1:] - image[..., :-1]).abs().mean()
    assert apart < 0.5 * (image - image.mean()).abs().mean(), "neighbors are alike"
    assert torch.equal(image, clouds.perlin(48, 64, mode, dice()))
    assert not torch.equal(image, clouds.perlin(48, 64, mode, dice(1)))


def test_noise_is_nothing_at_the_corners_of_its_lattice():
    noise = clouds.gradients(32, 32, 4, 1, dice())
    assert noise[:, ::8, ::8].abs().max() < 1e-6 and noise.abs().max() > 0.2
