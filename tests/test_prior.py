import json

import pytest
import torch
from safetensors.torch import save_file
from stand_ins import coder, expectation
from torch.nn import functional as F

from helpers.errors import Refused
from helpers.networks import prior
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
    made, z = expectation(), F.normalize(torch.randn(1, 4, 8, 8, generator=dice()), dim=1).requires_grad_()
    made.oddity(z, 0.5, dice(1)).backward()
    noise = torch.randn(z.shape, generator=dice(1))
    better = made(z.detach() * 2 + 0.5 * noise, torch.tensor([0.5]))
    pull = z.detach() * 2 - better
    assert F.cosine_similarity(z.grad.flatten(), pull.flatten(), dim=0) == pytest.approx(1, abs=1e-5)
    assert torch.equal(made.oddity(z, 0.5, dice(1)), made.oddity(z, 0.5, dice(1)))
    assert not torch.equal(made.oddity(z, 0.5, dice(1)), made.oddity(z, 0.5, dice(2)))


def test_latents_ask_it_by_its_weight():
    expect = expectation(), lambda progress: progress, 0.5
    canvas = Latents(coder(), 64, 64, codes="free", rng=dice(), draws=dice(), expect=expect)
    assert canvas.prior(0.0).item() == 0 < canvas.prior(1.0).item()


def test_styles_are_told_apart(monkeypatch, tmp_path):
    made = expectation()
    x, sigma = torch.randn(2, 4, 8, 8, generator=dice()), torch.ones(2)
    for parameter in made.parameters():                                             # as if it had learned
        torch.nn.init.normal_(parameter, 0, 0.1, generator=dice(3))
    one, other = (made(x, sigma, torch.tensor([k, k])) for k in (0, 1))
    assert not torch.allclose(one, other) and torch.equal(one, made(x, sigma))
    assert torch.equal(made(x, sigma, torch.tensor([0, 1]))[0], one[0])
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path))
    save_file(made.state_dict(), tmp_path / "toy-prior.safetensors")
    (tmp_path / "toy-prior.json").write_text(json.dumps({"kind": "prior", "config": made.config}))
    assert prior.load("toy-prior").style == 0 and prior.load("toy-prior", style="oil").style == 1
    with pytest.raises(Refused, match="no style of toy-prior called 'cubist'"):
        prior.load("toy-prior", style="cubist")
