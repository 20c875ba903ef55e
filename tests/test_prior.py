import pytest
import torch
from stand_ins import coder, expectation
from torch.nn import functional as F

from helpers.networks.latents import Latents


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_prior_keeps_the_shape_of_any_latents():
    for height, width in ((8, 8), (4, 6)):
        x = torch.randn(2, 4, height, width, generator=dice())
        assert expectation()(x, torch.tensor([0.3, 2.0])).shape == x.shape


def test_before_training_it_shrinks_noise_as_it_should():
    """The last layer of guided-diffusion starts at zero: what is left is the best guess for unit variance."""
    x = torch.randn(3, 4, 8, 8, generator=dice())
    assert torch.allclose(expectation()(x, torch.full((3,), 2.0)), x / 5, atol=1e-6)


def test_oddity_pulls_towards_what_the_prior_makes_of_it():
    prior, z = expectation(), F.normalize(torch.randn(1, 4, 8, 8, generator=dice()), dim=1).requires_grad_()
    prior.oddity(z, 0.5, dice(1)).backward()
    noise = torch.randn(z.shape, generator=dice(1))
    better = prior(z.detach() * 2 + 0.5 * noise, torch.tensor([0.5]))
    pull = z.detach() * 2 - better
    assert F.cosine_similarity(z.grad.flatten(), pull.flatten(), dim=0) == pytest.approx(1, abs=1e-5)
    assert torch.equal(prior.oddity(z, 0.5, dice(1)), prior.oddity(z, 0.5, dice(1)))
    assert not torch.equal(prior.oddity(z, 0.5, dice(1)), prior.oddity(z, 0.5, dice(2)))


def test_latents_ask_it_by_its_weight():
    expect = expectation(), lambda progress: progress, 0.5
    canvas = Latents(coder(), 64, 64, codes="free", rng=dice(), draws=dice(), expect=expect)
    assert float(canvas.prior(0.0)) == 0 and float(canvas.prior(1.0)) > 0
