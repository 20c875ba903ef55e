"""Knobs that do nothing without others: told before painting, wherever it begins."""

import pytest

from helpers import companions, notices, presets, systems
from helpers.companions import NEEDS, idle
from helpers.knobs import knobs
from helpers.panel import understood


def of(system, **values):
    return systems.load(system).Settings(**values)


def test_what_is_needed_are_knobs_of_the_same_systems():
    for name, text in NEEDS.items():
        owners = [known for known in map(knobs, (systems.load(one).Settings for one in systems.SYSTEMS))
                  if name in known]
        assert owners, name
        for need in text.split(" or "):
            knob, _, value = need.partition("=")
            assert all(knob in known and (not value or value in known[knob].choices)
                       for known in owners), need


@pytest.mark.parametrize("name", systems.SYSTEMS)
def test_nothing_is_said_of_defaults_presets_and_rehearsals(name):
    cls = systems.load(name).Settings
    assert idle(cls()) == [] == idle(cls().rehearsal())
    for preset in presets.built_in(name):
        assert idle(cls(**presets.load(preset, name))) == [], preset


@pytest.mark.parametrize("system, turned, without, companion", [
    ("vqgan_clip", {"mask_softness": 4, "init_image": "a.png"}, "mask", {"mask": "b.png"}),
    ("vqgan_clip", {"init_decay": 0.5}, "init_weight", {"init_weight": "0: 0, 1: 2", "init_image": "a.png"}),
    ("disco_diffusion", {"palette_weight": "2"}, "palette", {"palette": "navy"}),
    ("vqgan_clip", {"crop_mean": 0.5}, "crop_sizes='bell'", {"crop_sizes": "bell"}),
    ("vqgan_clip", {"cell": 4}, "drawer='chunky pixels'", {"drawer": "chunky pixels"}),
    ("vqgan_clip", {"frame_steps": 4}, "film or frames", {"film": 9}),
    ("vqgan_clip", {"edge_color": "navy"}, "edge", {"edge": "1"}),
    ("deep_daze", {"story_words": 3}, "story='words'", {"story": "words"}),
    ("clip_guided_diffusion", {"eta": 0.2, "sampler": "euler"}, "sampler='ddim' or sampler='dpmpp_2m_sde'",
     {"sampler": "ddim"}),
    ("disco_diffusion", {"mirror_at": "5%"}, "mirror", {"mirror": "both"}),
    ("gan", {"stations": 3}, "walk", {"walk": 9}),
])
def test_a_knob_without_its_companion_is_told(system, turned, without, companion):
    name = next(iter(turned))
    assert idle(of(system, **turned)) == [f"{name} does nothing without {without}"]
    assert idle(of(system, **turned | companion)) == []


@pytest.mark.parametrize("system, values, said", [
    ("vqgan_clip", {"smallest_crop": "0: 0.2, 1: 0.9", "largest_crop": "0.5"},
     "smallest_crop is larger than largest_crop: they change places"),
    ("vqgan_clip", {"init_image": "a.png", "frames": "film"},
     "the film does not begin with init_image: frames are painted over, from the first on"),
    ("disco_diffusion", {"save_at": "10, 300", "steps": 50},
     "save_at has 300, which never comes: there are 50 steps"),
    ("disco_diffusion", {"secondary": "mine.pt", "through": "network"},
     "secondary does nothing without through='secondary' or autoguidance"),
])
def test_what_others_overrule_is_told(system, values, said):
    assert idle(of(system, **values)) == [said]


@pytest.mark.parametrize("system", ["deep_daze", "vqgan_clip"])
def test_few_steps_without_anyone_beside_are_told(system):
    public = of(system, perceptors="ViT-B/32")
    assert notices.check(public) == \
        "40 steps are few where nothing paints beside, as with ViT-B/32: try steps=500"
    for turned in ({"steps": 500}, {"steps": 20}, {"prior": "0"}, {"prior_model": "64x64_diffusion_uncond"},
                   {"perceptors": ""}):
        assert not notices.check(public.but(**turned)), turned
    assert not notices.check(of("big_sleep", perceptors="ViT-B/32")), "alone by default"


def test_it_is_said_in_notebooks_and_once_for_many():
    settings = of("vqgan_clip", prompts="a car", mask_softness=3)
    said = "mask_softness does nothing without mask"
    assert understood(settings).splitlines() == ["toward 'a car', weight 1", said]
    assert notices.check(settings, settings.but(seed=3)) == said


def test_it_is_said_before_painting(run, monkeypatch, tmp_path):
    monkeypatch.setitem(systems.SYSTEMS, "small_system", "small_system")
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "no zoo"))
    monkeypatch.setitem(companions.NEEDS, "ema", "palette")
    status, _, err = run("paint", "boat", "--system", "small_system", "--steps", "2", "--ema", "0.5")
    assert status == 0 and err.startswith("ema does nothing without palette\n")
