"""What Disco Diffusion has beside CLIP Guided Diffusion."""

import pytest
import stand_ins
import torch
from stand_ins import half, photo

from helpers import systems
from helpers.errors import Refused
from helpers.systems import disco_diffusion, wiring


@pytest.fixture(autouse=True)
def eyes(monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    return stand_ins.install(monkeypatch)


def paint(**values):
    base = disco_diffusion.Settings().rehearsal().to_dict() | {"prompts": "moon", "width": 32, "height": 32}
    return disco_diffusion.paint(disco_diffusion.Settings.from_dict(base | values))


def picture(**values):
    return list(paint(**values))[-1].image


@pytest.mark.parametrize("mirror, axes", [("left-right", [-1]), ("up-down", [-2]), ("both", [-1, -2])])
def test_mirroring_folds_the_noise_once(mirror, axes):
    painting = paint(mirror=mirror, mirror_at="50%", steps=4, eta=0)
    next(painting)
    next(painting)
    before = painting.x.clone()
    painting.before_step[0](painting)
    for axis in axes:
        assert torch.equal(painting.x, painting.x.flip(axis))
        assert torch.equal(painting.x.narrow(-1, 0, 1)[..., :1, :], before.narrow(-1, 0, 1)[..., :1, :])
    for step in (0, 1, 3):
        painting.step = step
        painting.x = before
        painting.before_step[0](painting)
        assert torch.equal(painting.x, before), "once, and at its time"


@pytest.mark.parametrize("axis", [-1, -2])
@pytest.mark.parametrize("side", [6, 7])
def test_the_first_half_stays(axis, side):
    x = torch.randn(1, 3, side, side)
    folded = disco_diffusion.mirrored(x, axis)
    assert torch.equal(folded, folded.flip(axis)) and folded.shape == x.shape
    assert torch.equal(folded.narrow(axis, 0, side // 2), x.narrow(axis, 0, side // 2))


@pytest.mark.parametrize("text, steps", [("9%", [2]), ("0.5", [10]), ("0%, 50%, 100%", [0, 10, 19]),
                                         ("", [])])
def test_when_it_folds(text, steps):
    assert disco_diffusion.Settings(steps=20, mirror_at=text).folds() == steps


@pytest.mark.parametrize("values, said", [
    ({"mirror_at": "9"}, "mirror_at has '9'; it takes parts of the way, 0% to 100%: try '9%'"),
    ({"mirror_at": "0: 1"}, "mirror_at has '0: 1'; it takes parts of the way, 0% to 100%: try '9%'"),
    ({"perlin": "color", "init_image": "a.png"}, "perlin is set with init_image; a picture begins in one "
     "way: leave perlin off, or init_image empty"),
    ({"mirror": "both", "tiles": 2, "init_image": "a.png"}, "mirror is set with tiles; each window would be "
     "folded by itself: leave mirror off: what was folded before stays so"),
    ({"perceptor_looks": "1"}, "perceptor_looks has 1 schedule; there are 2 perceptors: write one for each, "
     "such as '1 | 1'"),
    ({"perceptor_looks": "1 | 0: 1, 1: 11"}, "perceptor_looks is '1 | 0: 1, 1: 11'; a perceptor takes 10 "
     "times overview and crops at most: give fewer to the others"),
    ({"classifier": "", "classifier_kind": "boat"}, "classifier_kind is set without classifier; it is what a "
     "classifier looks for: try classifier='auto'"),
    ({"crops": "[4]*400+__import__('os')"}, "crops has \"__import__('os')\" in "
     "\"[4]*400+__import__('os')\"; a list is written as '[12]*400+[4]*600': try '0: 1, 0.5: 0.2'"),
])
def test_settings_that_cannot_be(values, said):
    with pytest.raises(Refused) as refusal:
        disco_diffusion.Settings(**values)
    assert str(refusal.value) == said


def test_schedules_follow_the_noise_not_the_steps(eyes):
    """[12]*400+[4]*600: twelve overview looks while the noise is among the highest 400 of 1000 levels, at any
    number of steps."""
    def looks(steps):
        seen = []
        painting = paint(overview="[3]*400+[1]*600", crops="0", steps=steps)
        for _ in painting:
            level = 999 - painting.denoise.net.process.time(float(painting.levels[painting.step - 1]))
            seen.append((level >= 400, eyes["disco-resnet"].calls[-1]))
        return seen

    for steps in (10, 25):
        assert all(count == (1 if late else 3) for late, count in looks(steps))


def test_each_perceptor_takes_as_many_looks_as_it_is_given(eyes):
    list(paint(overview="2", crops="4", perceptor_looks="0: 0.5, 1: 0.5 | 2", steps=2, repeats="1"))
    assert set(eyes["disco-resnet"].calls) == {3} and set(eyes["disco-darknet"].calls) == {12}


def test_clouds_are_below_the_noise():
    clouds, gray = (picture(perlin=mode, skip=9, steps=10, guidance_scale="0") for mode in ("color", "gray"))
    assert (clouds[:, 0] - clouds[:, 1]).abs().mean() > (gray[:, 0] - gray[:, 1]).abs().mean() + 0.02
    assert systems.load("disco_diffusion") is disco_diffusion


def test_clouds_show_unless_all_steps_are_asked_for():
    clouds = {"perlin": "color", "steps": 10}
    assert paint(**clouds).steps == 5 and paint(**clouds, skip=0).steps == paint(steps=10).steps == 10
    assert torch.equal(picture(**clouds), picture(**clouds, skip=5))


def test_masks_and_starts_are_those_of_every_diffusion():
    kept = picture(init_image=photo(2, 32, 32), mask=half(), steps=5)[..., :16]
    start = torch.tensor(photo(2, 32, 32)).permute(2, 0, 1)[None] / 255
    assert (kept - start[..., :16]).abs().max() <= 1 / 255


def test_looks_can_be_seen():
    settings = disco_diffusion.Settings(overview="[12]*400+[4]*600", crops="[4]*400+[12]*600")
    early, late = (wiring.looks(settings, torch.rand(1, 3, 32, 32), progress) for progress in (0.1, 0.9))
    assert [part.shape for part in early] == [(16, 3, 16, 16), (16, 3, 12, 12)]
    whole = torch.nn.functional.interpolate(torch.ones(1, 3, 32, 32), (16, 16))
    again = wiring.looks(settings, torch.ones(1, 3, 32, 32), 0.1)[0]
    assert (again[:12] - whole).abs().mean() < 0.2 and late[0].shape == early[0].shape


@pytest.mark.parametrize("one, other", [
    ({"prompts": "moon"}, {"prompts": "moon:4"}), ({"prompts": "moon"}, {"prompts": "moon:0.5"}),
    ({"prompts": "moon:-1"}, {"prompts": "moon:-8"}),
    ({"prompts": "moon:0.75 | sea:-0.25"}, {"prompts": "moon:3 | sea:-1"}),
    ({"prompts": "moon ^ sea"}, {"prompts": "moon:4 ^ sea:2"}),         # each scene by itself
    ({"prompts": "a boat over a car"}, {"prompts": "a boat over a car:4"}),
    ({"prompt_weights": "0: 1, 1: 0"}, {"prompts": "moon:2", "prompt_weights": "0: 4, 1: 0"}),
    ({"prompts": "moon:0.5", "noise_prompts": "7:0.5"}, {"prompts": "moon", "noise_prompts": "7"}),
    ({"prompts": "moon:0.5", "image_prompts": [(photo(1), 0.5)]}, {"prompts": "moon",
                                                                   "image_prompts": [(photo(1), 1.0)]}),
])
def test_weights_of_prompts_are_shares(one, other):
    """Whatever they sum to; how strictly words are followed, guidance_scale says."""
    assert torch.equal(picture(**one), picture(**other))


def test_a_weight_that_fades_does_fade():
    fading, at_once = {"prompt_weights": "0: 1, 1: 0"}, {"prompt_weights": "0: 1, 0.01: 0"}
    assert len({picture(**values).sum().item() for values in ({}, fading, at_once)}) == 3


@pytest.mark.parametrize("values", [{"prompts": "moon:0 | sea:0"}, {"prompt_weights": "0"}])
def test_without_any_weight_nothing_pulls_and_that_is_told_once(caplog, values):
    free = {"repeats": "1", "range": "0", "arrange": 0.0, "classifier": "", "kind": ""}
    painting = paint(**values, **free)
    assert list(painting)[-1].image.allclose(picture(guidance_scale="0", **free), atol=1e-4)
    assert [record.getMessage() for record in caplog.records] == [
        "all that is to be followed has the weight 0, and nothing pulls the picture: try 'fog:1'"]


def test_a_scene_without_any_weight_is_told(caplog):
    for values, scenes in (({"prompts": "moon ^ sea:0 ^ fog:0 | rain:0 ^ sun"}, "2, 3"),
                           ({"prompts": "moon:0 ^ sea", "noise_prompts": "7"}, ""), ({}, "")):
        caplog.clear()
        paint(steps=8, **values)
        assert [record.getMessage() for record in caplog.records] == [
            f"all that is to be followed in scene {scenes} has the weight 0, and nothing pulls the picture: "
            "try 'fog:1'"] * bool(scenes)
