"""Guidance: a denoiser led by a guide, on a network and a guide whose slopes are known by hand."""

import math

import pytest
import torch

from helpers import guidance, samplers
from helpers.guides.base import Guide
from helpers.noise_levels import Process, karras, linear_betas
from helpers.samplers import Guess


class Net:
    """Takes half of x for the clean picture."""

    process = Process(linear_betas())

    def __init__(self):
        self.calls = 0

    def __call__(self, x, sigma):
        self.calls += 1
        return Guess(0.5 * x)


class Bright(Guide):
    """Likes pictures dark: the mean over pictures of the sum of their values."""

    def forward(self, image, progress=0.0):
        return image.sum() / len(image)


class Torn(Guide):
    def forward(self, image, progress=0.0):
        return (image * float("nan")).sum()


def guided(guide=None, **options):
    return guidance.Guided(Net(), guide or Bright(), **{"scale": 0.02, "clamp": 0, **options})


@pytest.mark.parametrize("through, slope", [("network", lambda share, size: 0.5 * share * size + 1 - share),
                                            ("secondary", lambda share, size: 0.5 * share * size + 1 - share),
                                            ("guess", lambda share, size: 1.0)])
def test_the_slope_is_that_of_the_guide_led_back(through, slope):
    x, sigma = torch.randn(3, 3, 8, 8), 2.0
    size = math.sqrt(1 + sigma**2)
    denoise = guided(through=through, secondary=Net())
    guess = denoise(x, sigma)
    steep = 0.02 * 0.5 * slope(sigma / size, size)          # 0.5: from [-1, 1] to [0, 1]
    assert torch.allclose(denoise.slope, torch.full_like(x, steep), atol=1e-6)
    assert torch.allclose(guess.clean, 0.5 * x - sigma**2 / size * steep, atol=1e-5)
    assert torch.allclose(denoise.plain, 0.5 * x, atol=1e-6) and not guess.clean.requires_grad
    assert denoise.net.calls == 1 and list(denoise.losses) == ["bright"]


def test_led_again_another_guess_is_moved_by_the_last_slope():
    x, other, denoise = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8), guided()
    denoise(x, 2.0)
    slope, losses, denoise.guide, denoise.again = denoise.slope, denoise.losses, None, True
    guess = denoise(other, 1.0)
    assert torch.allclose(guess.clean, 0.5 * other - slope / math.sqrt(2), atol=1e-5)
    assert torch.equal(denoise.plain, 0.5 * other) and denoise.slope is slope and denoise.losses is losses


def test_autoguidance_goes_on_from_the_worse_guess_to_the_better():
    class Worse(Net):
        def __call__(self, x, sigma):
            self.calls += 1
            return Guess(0.2 * x)

    x, worse = torch.randn(2, 3, 8, 8), Worse()
    early = guidance.Sharper(Net(), worse, lambda progress: 2.0 * (progress < 0.5))
    assert torch.allclose(early(x, 50.0).clean, 1.1 * x, atol=1e-6)
    assert torch.equal(early(x, 0.1).clean, 0.5 * x) and worse.calls == 1, "late it is not even asked"
    led = guidance.Guided(early, Bright(), scale=0.02, clamp=0)
    led(x, 50.0)
    size = math.sqrt(1 + 50.0**2)
    steep = 0.02 * 0.5 * (1.1 * 50 + 1 - 50 / size)         # led back through both
    assert torch.allclose(led.slope, torch.full_like(x, steep), atol=1e-4)


def test_a_slope_is_centered_and_no_steeper_than_allowed():
    x = torch.randn(2, 3, 8, 8)
    clamped = guided(clamp=0.001)
    clamped(x, 1.0)
    assert clamped.slope.square().mean((1, 2, 3)).sqrt().tolist() == pytest.approx([0.001, 0.001])
    centered = guided(center=True)
    centered(x, 1.0)
    assert centered.slope.abs().max() < 1e-6


def test_without_a_scale_it_is_the_network():
    x = torch.randn(1, 3, 8, 8)
    denoise = guided(scale=lambda progress: 0.0)
    assert torch.equal(denoise(x, 3.0).clean, 0.5 * x) and denoise.losses == {}


def test_what_is_not_a_number_leads_nowhere():
    x = torch.randn(1, 3, 8, 8)
    assert torch.allclose(guided(Torn(), clamp=0.05)(x, 3.0).clean, 0.5 * x, atol=1e-6)


def test_too_bright_pictures_are_scaled_to_fit():
    clean = torch.linspace(-2, 2, 192).view(1, 3, 8, 8)
    fitted = guidance.fitted(clean, 0.9)
    assert fitted.abs().max() <= 1 and torch.equal(guidance.fitted(clean, 1.0), clean)


def test_samplers_end_where_the_guide_wants():
    levels = karras(12, 0.05, 10)
    x = levels[0] * torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    def end(scale):
        *_, state = samplers.ddim(guided(scale=scale), x.float(), levels, None)
        return state.x.mean().item()
    assert end(0.4) < end(0.1) < end(0.0)


def test_a_guide_on_the_noisy_picture_is_added():
    x, sigma = torch.randn(2, 3, 8, 8), 2.0
    size = math.sqrt(1 + sigma**2)

    def noisy(now, level, progress):
        assert level == sigma
        return {"classifier": 0.001 * now.sum()}

    denoise = guided(scale=0, noisy=noisy)
    assert torch.allclose(denoise(x, sigma).clean, 0.5 * x - sigma**2 / size * 0.001 * size, atol=1e-5)
    assert denoise.losses["classifier"] == pytest.approx(0.001 * x.sum().item() / 2, rel=1e-4)
    both = guided(noisy=noisy)
    both(x, sigma)
    alone = guided()
    alone(x, sigma)
    assert torch.allclose(both.slope - alone.slope, denoise.slope, atol=1e-6)
    assert both.losses.keys() == {"classifier", "bright"}


def test_what_is_held_stays_whatever_is_guessed():
    x, picture = torch.randn(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
    mask = (torch.arange(8) > 3).float().expand(1, 1, 8, 8)
    for options in ({}, {"scale": 0}, {"through": "secondary", "secondary": Net()}, {"threshold": 0.6}):
        guess = guided(held=(picture, mask), **options)(x, 2.0).clean
        assert torch.equal(guess[..., :4], picture[..., :4])
        assert not torch.equal(guess[..., 4:], picture[..., 4:])


def test_a_resting_guide_is_not_asked():
    denoise = guided()
    denoise.resting = True
    assert torch.equal(denoise(torch.ones(1, 3, 8, 8), 2.0).clean, torch.full((1, 3, 8, 8), 0.5))
    assert denoise.losses == {}


def test_it_is_told_whether_the_slope_was_a_number():
    torn, whole = guided(Torn()), guided()
    for denoise in (torn, whole):
        denoise(torch.randn(1, 3, 8, 8), 2.0)
    assert torn.torn and not whole.torn


def test_values_may_be_cut_off():
    assert torch.equal(guidance.fitted(torch.tensor([[[[-3.0, 0.5, 2.0]]]]), 0),
                       torch.tensor([[[[-1.0, 0.5, 1.0]]]]))
