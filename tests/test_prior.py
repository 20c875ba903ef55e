"""The prior: a guided diffusion of the same words paints beside, and the canvas follows it."""

import copy

import numpy as np
import pytest
import torch
from stand_ins import SMALL, Twice, half, install, photo
from torch.nn import functional as F

from helpers import guides, images, loop, machine, systems, weights
from helpers.canvas import Pixels
from helpers.errors import Refused
from helpers.networks import adm
from helpers.systems.beside import Beside

HERE = {"width": 32, "height": 32, "steps": 6, "overview": 1, "crops": 1}


def picture(seed, height=8, width=8):
    return torch.rand(1, 3, height, width, generator=machine.dice(seed))


def test_its_slope_leads_to_what_the_other_sees():
    prior, image = guides.Prior(lambda: picture(1)), picture(2).requires_grad_()
    slope, = torch.autograd.grad(prior(image), image)
    assert F.cosine_similarity(slope.flatten(), (image - picture(1)).flatten(), dim=0) > 0.9999
    assert prior(picture(1)) == 0 and prior(1 - picture(1)) > 0.1


def test_while_there_is_nothing_to_see_it_asks_for_nothing():
    assert guides.Prior(lambda: None)(picture(1)) == 0


@pytest.mark.parametrize("larger", [True, False])
def test_the_larger_picture_is_compared_at_the_size_of_the_smaller(larger):
    pair = [picture(3, 16, 24)]
    pair.append(F.interpolate(pair[0], (8, 12), mode="bilinear", antialias=True))
    image, other = pair if larger else pair[::-1]
    assert guides.Prior(lambda: other)(image) < 1e-9 < 0.05 < guides.Prior(lambda: other.flip(-1))(image)
    leaf = image.clone().requires_grad_()
    guides.Prior(lambda: 1 - other)(leaf).backward()
    assert leaf.grad.isfinite().all() and leaf.grad.any()


def test_a_canvas_comes_to_what_the_other_sees():
    canvas, aim = Pixels(16, 16, rng=machine.dice(0)), 0.2 + 0.6 * picture(4, 4, 4)
    *_, frame = loop.paint(canvas, 10 * guides.Prior(lambda: aim), steps=200, learning_rate=0.05)
    small = F.interpolate(frame.image, (4, 4), mode="bilinear", antialias=True)
    assert (small - aim).abs().max() < 0.02


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


def begun(system="vqgan_clip", state=None, **knobs):
    """A small painting, and what paints beside."""
    module = systems.load(system)
    painting = module.paint(module.Settings.of(**HERE | knobs), state)
    return painting, next(hook for hook in painting.before_step if isinstance(hook, Beside))


def started(**knobs):
    """A small VQGAN-CLIP, and the losses of its first step."""
    painting, _ = begun(**knobs)
    return painting, next(painting).losses


def begins(painting):
    """At which steps the other begins anew, all the way."""
    seen = []
    for _ in painting:
        seen.append(painting.memory["beside"]["from"])
    return sorted(set(seen))


def test_it_paints_what_clip_guided_diffusion_does(loaded):
    painting, beside = begun(steps=8, seed=5, prompts="a red boat | a cat:-0.5", crops=3, smallest_crop=0.3)
    list(painting)
    module, seed = systems.load("clip_guided_diffusion"), beside.settings(painting.memory["beside"]).seed
    alone = module.paint(module.Settings.of(**HERE | {"steps": 8, "crops": 3}, seed=seed,
                                            smallest_crop=0.3, prompts="a red boat | a cat:-0.5"))
    assert alone.one_look and not beside.diffusion.one_look
    alone.one_look = False
    *_, frame = alone
    assert torch.allclose(beside.seen, frame.image, atol=1e-4)


def test_each_system_has_its_own_beside_it(loaded):
    seeds = set()
    for system, seed in (("vqgan_clip", 5), ("vqgan_clip", 6), ("deep_daze", 5)):
        painting, beside = begun(system, seed=seed)
        next(painting)
        seeds.add(beside.settings(painting.memory["beside"]).seed)
    assert len(seeds) == 3


def test_it_is_as_large_as_its_network_knows_and_of_the_canvas_shape(loaded):
    painting, beside = begun(width=192, height=96)
    next(painting)
    assert beside.seen.shape == (1, 3, 32, 64)
    beside.net.config["image_size"] = 64
    beside.now = beside.now.but(width=2048, height=32)
    assert beside.settings(painting.memory["beside"]).width == 2048, "as wide as can be"


def test_it_is_seen_enlarged_in_the_end_where_its_upscaler_is_built_in(loaded, monkeypatch):
    there = weights.embedded()
    monkeypatch.setattr(weights, "embedded", lambda: [*there, "upscaler-world"])
    painting, beside = begun(width=96, height=96, steps=20)
    sides = [(next(painting).step, beside.diffusion.progress, beside.seen.shape[-1]) for _ in range(20)]
    assert {side for *_, side in sides} == {32, 32 * Twice.scale}
    assert all((side == 64) == (progress >= 0.75) for _, progress, side in sides)
    assert "upscaler-world" in painting.networks


def test_it_goes_ahead_of_the_canvas_at_first(loaded):
    painting, beside = begun(steps=40)
    ahead = [beside.diffusion.step - step for step, _ in enumerate(painting)]
    assert ahead[0] == 1 and ahead[1] > 3 and max(ahead) > 8 and ahead[-1] <= 1, ahead


def test_it_begins_anew_with_each_scene(loaded):
    assert begins(begun(prompts="a boat ^ a cat ^ a dog")[0]) == [0, 2, 4]
    assert begins(begun(prompts="a boat ^ a cat", story_at="5")[0]) == [0, 5]
    told, beside = begun("deep_daze", prompts="Two cats. One boat: 3.", story="sentences")
    assert begins(told) == [0, 3]
    assert beside.settings(told.memory["beside"]).prompts == "One boat  3", "a mark in a story is none"


def test_a_scene_has_its_own_words_and_pictures(loaded):
    painting, beside = begun(prompts="a boat ^ a cat", noise_prompts="1 ^ 2:0.5", image_prompts=photo(1))
    said = []
    for _ in painting:
        there = beside.settings(painting.memory["beside"])
        said.append((there.prompts.strip(), there.noise_prompts.strip()))
        assert np.array_equal(there.image_prompts, photo(1))
    assert said == [("a boat", "1")] * 3 + [("a cat", "2:0.5")] * 3


def test_it_begins_anew_with_each_picture_of_a_film(loaded):
    painting, beside = begun(film=3, frame_steps=2)
    assert begins(painting) == [0, 6, 8]
    assert beside.settings(painting.memory["beside"]).skip, "from what is on the canvas"


def test_other_words_by_hand_begin_anew_from_what_is_there(loaded):
    painting, beside = begun(prompts="a boat")
    next(painting)
    next(painting)
    painting.retune(systems.load("vqgan_clip").Settings.of(**HERE | {"crops": 2}, prompts="a boat"))
    next(painting)
    assert painting.memory["beside"]["from"] == 0, "the words are the same"
    painting.retune(systems.load("vqgan_clip").Settings.of(**HERE, prompts="a cat"))
    next(painting)
    there = painting.memory["beside"]
    assert there["from"] == 3 == there["steps"] and there["over"]


def test_it_begins_with_the_picture_given_and_keeps_what_a_mask_keeps(loaded):
    painting, beside = begun(init_image=photo(2))
    next(painting)
    assert beside.diffusion.skip == beside.diffusion.steps == 6
    painting, beside = begun(init_image=photo(2), mask=half())
    list(painting)
    kept = images.open(photo(2), 32, 32)
    away = (beside.diffusion.image() - kept).abs()
    large, other = begun(init_image=photo(2), mask=half(), width=64, height=64, mask_softness=8)
    next(large)
    assert other.settings(large.memory["beside"]).mask_softness == 4, "it is half as large"
    assert beside.diffusion.skip == 0 and away[..., :16].max() < 1e-3 < 0.02 < away[..., 16:].max()


@pytest.mark.parametrize("knobs", [{}, {"film": 3, "frame_steps": 2, "steps": 4}, {"prompts": "sun ^ moon"}])
def test_a_resumed_one_paints_the_same(loaded, knobs):
    painting, _ = begun(**knobs)
    for _ in range(5):
        next(painting)
    state = copy.deepcopy(painting.state_dict())
    *_, frame = painting
    again, beside = begun(state=state, **knobs)
    *_, same = again
    assert torch.equal(frame.image, same.image) and beside.diffusion.step


def test_a_state_of_before_is_gone_back_to(loaded):
    painting, beside = begun(every=1)
    pictures = [next(painting).image]
    state = copy.deepcopy(painting.state_dict())
    pictures += [frame.image for frame in painting]
    painting.load_state_dict(state)
    assert all(torch.equal(frame.image, was) for frame, was in zip(painting, pictures[1:], strict=True))


@pytest.mark.parametrize(("system", "acts"), [("deep_daze", True), ("vqgan_clip", True),
                                              ("big_sleep", False)])
def test_built_in_systems_have_it_but_one_whose_generator_knows_things(loaded, system, acts):
    painting, _ = begun(system, prior=systems.load(system).Settings().prior)
    assert (next(frame for frame in painting if frame.step).losses["prior"] > 0.5) == acts


def test_built_in_perceptors_bring_it_and_others_do_not(loaded):
    painting, losses = started(prior=9)
    assert losses["prior"] > 0 and loaded == ["adm-world"] and "adm-world" in painting.networks
    painting, losses = started(perceptors="disco-resnet, RN50", prior=9)
    assert losses["prior"] == 0 and loaded == ["adm-world"] and "adm-world" not in painting.networks
    assert started(perceptors="RN50", prior=9, prior_model="adm-world")[1]["prior"] > 0


@pytest.mark.parametrize("off", [{"prior": 0}, {"prior_model": ""}])
def test_without_it_its_network_is_not_loaded(loaded, off):
    painting, losses = started(**off)
    assert losses["prior"] == 0 and not loaded and "adm-world" not in painting.networks


def test_it_can_be_turned_on_and_off_while_painting(loaded):
    painting, losses = started(prior=0)
    assert losses["prior"] == 0 and not loaded
    module = systems.load("vqgan_clip")
    for weight, there in ((9, 1), (0, None), (9, 3)):
        painting.retune(module.Settings.of(**HERE, prior=weight))
        assert (next(painting).losses["prior"] > 0) == (there is not None)
        assert painting.memory.get("beside", {}).get("from") == there
    assert loaded == ["adm-world"], "once"


def test_it_is_done_before_the_canvas_which_is_finished_after_it(loaded):
    painting, beside = begun(steps=20)
    done = [beside.diffusion.step == beside.diffusion.steps for _ in painting]
    assert 10 <= done.index(True) <= 16 and all(done[16:])


def test_its_network_is_loaded_before_the_first_step(loaded):
    begun()
    assert loaded == ["adm-world"]


def test_where_its_schedule_says_nothing_it_rests(loaded):
    painting, _ = begun(prior="0: 9, 0.3: 9, 0.3: 0, 0.6: 0, 0.6: 9")
    assert [painting.memory.get("beside", {}).get("from") for _ in painting] == [0, 0, None, None, 4, 4]


def test_a_network_of_classes_is_refused_before_it_is_loaded(loaded, monkeypatch):
    known = weights.known

    def told(name, kind="", *knob):
        config = SMALL | {"class_cond": True, "anything": name == "of anything"}
        own = {"name": name, "config": config}, None
        return own if name.startswith("of ") else known(name, kind, *knob)
    monkeypatch.setattr(weights, "known", told)
    with pytest.raises(Refused, match="prior_model is 'of classes'; it paints one class at a time"):
        started(prior_model="of classes")
    assert not loaded
    assert started(prior_model="of anything")[1]["prior"] > 0


def test_a_wrong_one_is_refused_before_any_network_is_loaded(monkeypatch):
    from helpers.networks import vqgan
    monkeypatch.setattr(vqgan, "load", lambda *given, **more: pytest.fail("loaded"))
    with pytest.raises(Refused, match="adm-wrld"):
        started(prior_model="adm-wrld")
