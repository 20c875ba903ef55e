"""The prior: a diffusion network says what a painting should look like besides."""

import pytest
import torch
from stand_ins import install
from torch.nn import functional as F

from helpers import guides, schedules, systems, weights
from helpers.errors import Refused
from helpers.networks import adm
from helpers.samplers import Guess


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def world(*pictures):
    """The ideal denoiser of a world of these pictures (1, 3, h, w) in [0, 1]: their mean, each by how likely
    it is below the noise."""
    known = 2 * torch.cat(pictures) - 1

    def denoise(x, sigma):
        away = (x - known).square().flatten(1).sum(1) / (2 * sigma**2)
        return Guess(torch.einsum("k,kchw->chw", (-away).softmax(0), known)[None])
    return denoise


def picture(seed, height=8, width=8):
    return torch.rand(1, 3, height, width, generator=dice(seed))


def test_its_slope_leads_to_what_the_network_expects():
    prior, image = guides.Prior(world(picture(1)), 8, rng=dice()), picture(2).requires_grad_()
    slope, = torch.autograd.grad(prior(image), image)
    assert F.cosine_similarity(slope.flatten(), (image - picture(1)).flatten(), dim=0) > 0.9999
    assert prior(picture(1)).item() == pytest.approx(0, abs=1e-10)


def test_a_picture_becomes_the_nearest_that_is_known():
    near, far = picture(1), picture(3)
    prior = guides.Prior(world(near, far), 8, noise=lambda progress: 1 - 0.9 * progress, rng=dice())
    image = (0.6 * near + 0.4 * far + 0.05 * torch.randn(near.shape, generator=dice(4))).requires_grad_()
    adam = torch.optim.Adam([image], 0.03)
    for step in range(120):
        adam.zero_grad()
        prior(image, step / 120).backward()
        adam.step()
    assert (image - near).abs().max() < 0.02 < (far - near).abs().max()


@pytest.mark.parametrize(("canvas", "seen"), [((64, 64), (64, 64)), ((128, 128), (64, 64)),
                                              ((96, 160), (64, 104)), ((300, 40), (480, 64))])
def test_a_network_sees_the_picture_at_the_size_it_knows(canvas, seen):
    sizes = []

    def denoise(x, sigma):
        assert not torch.is_grad_enabled(), "the slope is not led through the network"
        sizes.append(tuple(x.shape[-2:]))
        return Guess(x)

    image = picture(5, *canvas).requires_grad_()
    guides.Prior(denoise, 64, 8, rng=dice())(image).backward()
    assert sizes == [seen] and image.grad.isfinite().all()


def test_noise_is_drawn_from_the_dice_and_as_strong_as_asked():
    seen = []

    def denoise(x, sigma):
        seen.append((x, sigma))
        return Guess(torch.zeros_like(x))

    image = torch.full((1, 3, 64, 64), 0.5)
    for seed in (0, 0, 1):
        guides.Prior(denoise, 64, noise=lambda progress: 2 - progress, rng=dice(seed))(image, 0.5)
    (first, sigma), (again, _), (other, _) = seen
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert sigma == 1.5 == pytest.approx(first.std().item(), rel=0.03)


@pytest.fixture
def loaded(monkeypatch):
    """Names of the diffusion networks that are loaded; stand-ins are everywhere."""
    install(monkeypatch)
    names, there = [], adm.load

    def load(name, *given, **more):
        names.append(name)
        return there(name, *given, **more)
    monkeypatch.setattr(adm, "load", load)
    return names


def started(**knobs):
    """A VQGAN-CLIP of small pictures, and the losses of its first step."""
    module = systems.load("vqgan_clip")
    painting = module.paint(module.Settings.of(width=32, height=32, steps=4, overview=1, crops=1, **knobs))
    return painting, next(painting).losses


def test_built_in_perceptors_bring_it_and_others_do_not(loaded):
    painting, losses = started(prior=9)
    assert losses["prior"] > 0 and loaded == ["adm-world"] and "adm-world" in painting.networks
    painting, losses = started(perceptors="disco-resnet, RN50", prior=9)
    assert losses["prior"] == 0 and loaded == ["adm-world"] and "adm-world" not in painting.networks
    assert started(perceptors="RN50", prior=9, prior_model="adm-world")[1]["prior"] > 0


@pytest.mark.parametrize(("system", "acts"), [("deep_daze", True), ("vqgan_clip", True),
                                              ("big_sleep", False)])
def test_it_acts_on_the_layout_and_the_finish_and_lets_things_find_their_shape(system, acts):
    weight = schedules.parse(systems.load(system).Settings().prior)
    assert [weight(progress) for progress in (0.2, 0.4, 0.6)] == [0, 0, 0]
    assert [weight(progress) > 0 for progress in (0, 0.75, 1)] == [acts] * 3


def test_in_a_film_it_forms_the_first_picture_and_finishes_the_others(loaded):
    painting, losses = started(film=3, frame_steps=2, prior="0: 9, 0.2: 9, 0.2: 0, 0.7: 0, 0.7: 9")
    acted = [losses["prior"] > 0, *(frame.losses["prior"] > 0 for frame in painting)]
    assert acted == [True, False, False, True, True, True, True, True]


@pytest.mark.parametrize("off", [{"prior": 0}, {"prior_model": ""}])
def test_without_it_its_network_is_not_loaded(loaded, off):
    painting, losses = started(**off)
    assert losses["prior"] == 0 and not loaded and "adm-world" not in painting.networks


def test_it_can_be_turned_on_and_off_while_painting(loaded):
    painting, losses = started(prior=0)
    assert losses["prior"] == 0 and not loaded
    module = systems.load("vqgan_clip")
    here = {"width": 32, "height": 32, "steps": 4, "overview": 1, "crops": 1}
    for weight, there in ((9, True), (0, False), (9, True)):
        painting.retune(module.Settings.of(**here, prior=weight))
        assert (next(painting).losses["prior"] > 0) == there
    assert loaded == ["adm-world"], "once"


def test_a_network_of_classes_is_refused_before_it_is_loaded(loaded, monkeypatch):
    known, card = weights.known, {"config": {"class_cond": True}}
    monkeypatch.setattr(weights, "known", lambda name, kind="": (card, None) if name == "of classes" else
                        known(name, kind))
    with pytest.raises(Refused, match="prior_model is 'of classes'; it tells classes apart"):
        started(prior_model="of classes")
    assert not loaded


def test_a_wrong_one_is_refused_before_any_network_is_loaded(monkeypatch):
    from helpers.networks import vqgan
    monkeypatch.setattr(vqgan, "load", lambda *given, **more: pytest.fail("loaded"))
    with pytest.raises(Refused, match="adm-wrld"):
        started(prior_model="adm-wrld")
