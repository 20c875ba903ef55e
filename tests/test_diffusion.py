"""The diffusion loop: frames on the way from noise to picture, whatever happens on it."""

import logging

import numpy as np
import pytest
import stand_ins
import torch

from helpers import diffusion, systems, weights
from helpers.errors import Refused
from helpers.guidance import Guided
from helpers.guides import Guide, Story
from helpers.guides.targets import Targets
from helpers.networks import adm, adm_classifier
from helpers.noise_levels import karras
from helpers.samplers import SAMPLERS, Guess
from helpers.systems import classes
from stand_ins import half, photo

LEVELS = karras(8, 0.05, 10)


class Known:
    """The ideal denoiser of pictures drawn from a normal distribution about 0.3, spread 0.2."""

    class process:      # noqa: N801
        sigmas = LEVELS.flip(0)

        @staticmethod
        def time(sigma):
            return 0.0

    def __call__(self, x, sigma):
        return Guess((0.3 * sigma**2 + 0.04 * x) / (sigma**2 + 0.04))


class Watcher(Guide):
    """Likes dark pictures; fits into memory only when it looks at little at a time; may be torn."""

    def __init__(self, fits=8, torn=()):
        super().__init__()
        self.flight, self.fits, self.torn, self.looks = 8, fits, torn, 0

    def forward(self, image, progress=0.0):
        if self.flight > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.looks += 1
        return image.sum() / len(image) * (float("nan") if self.looks in self.torn else 1)

    def economize(self):
        self.flight //= 2
        return self.flight >= 1


def easel(guide=None, scale=0.01, count=2, sampler="ddim", skip=0, seeds=None, **options):
    seeds = range(5, 5 + count) if seeds is None else seeds
    denoise = Guided(Known(), guide or Watcher(), scale=scale, clamp=0, pace=lambda sigma: 1 - sigma / 10)
    gray = torch.full((1, 3, 8, 8), 0.5)
    return diffusion.Diffusion(denoise, diffusion.start(gray, seeds, LEVELS[skip]), LEVELS, sampler=sampler,
                               seeds=seeds, skip=skip, **options)


def test_frames():
    frames = list(easel(every=3))
    assert [frame.step for frame in frames] == list(range(1, 9)) and frames[0].total == 8
    assert [frame.step for frame in frames if frame.image is not None] == [1, 3, 6, 8]
    assert frames[-1].image.shape == (2, 3, 8, 8) and 0 <= frames[-1].image.min()
    assert all(frame.losses.keys() == {"watcher"} for frame in frames)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_skipped_steps_are_no_steps(sampler):
    frames = list(easel(skip=5, sampler=sampler))
    assert [frame.step for frame in frames] == [1, 2, 3]


def test_a_picture_is_the_same_alone_and_among_others():
    among = list(easel(count=3, eta=0.7))[-1].image
    alone = list(easel(seeds=[6], eta=0.7))[-1].image
    assert torch.allclose(among[1], alone[0], atol=1e-6) and not torch.allclose(among[0], among[1], atol=0.01)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_resume_is_exact(sampler):
    straight = list(easel(sampler=sampler))[-1].image
    first = easel(sampler=sampler)
    for _ in range(3):
        next(first)
    second = easel(sampler=sampler)
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.image(), first.image())
    assert torch.equal(list(second)[-1].image, straight)


def test_the_picture_on_the_way_is_what_the_noise_is_taken_for():
    painting = easel(every=1)
    before = painting.x.clone()
    frame = next(painting)
    assert torch.allclose(frame.image, (Known()(before, 10.0).clean + 1).div(2).clamp(0, 1), atol=1e-5)


def test_hooks_may_move_x():
    def mirror(painting):
        painting.x = (painting.x + painting.x.flip(-1)) / 2

    image = list(easel(before_step=[mirror], sampler="euler"))[-1].image
    assert torch.allclose(image, image.flip(-1), atol=1e-5)


def test_the_guide_may_rest():
    guide = Watcher()
    painting = easel(guide)
    painting.rest = lambda progress: 4 if progress < 0.9 else 1
    frames = list(painting)
    looked = [bool(frame.losses) for frame in frames if frame.image is not None]
    assert looked == [True, False, False, False, True, True, True, True][:len(looked)] and guide.looks == 5


def test_a_step_that_pulls_too_hard_is_taken_in_parts():
    whole, parts = easel(scale=0.2), easel(scale=0.2)
    parts.pull, calls, net = 0.005, [], parts.denoise.net
    parts.denoise.net = lambda x, sigma: calls.append(sigma) or net(x, sigma)
    image, frames = list(whole)[-1].image, list(parts)
    assert len(frames) == 8, "as many steps as before"
    assert len(calls) > 8 + 2 and calls.count(max(calls)) == 1, "at first the guide is weak"
    assert not torch.equal(frames[-1].image, image)
    levels = easel().finer(3)
    assert levels[:1] + levels[3:] == pytest.approx(LEVELS.tolist())
    assert levels == sorted(levels, reverse=True)
    gentle = easel(scale=0.2)
    gentle.pull = 1e9
    assert torch.equal(list(gentle)[-1].image, list(easel(scale=0.2))[-1].image)


def test_parts_of_steps_resume_exactly():
    def made():
        painting = easel(scale=0.2, eta=0.5)
        painting.pull = 0.005
        return painting
    straight, first, second = list(made())[-1].image, made(), made()
    for _ in range(3):
        next(first)
    second.load_state_dict(first.state_dict())
    assert torch.equal(list(second)[-1].image, straight)


def repeated(times, one_look=False, **options):
    painting = easel(scale=0.2, eta=0.5, **options)
    painting.repeats, painting.one_look = times, one_look
    return painting


def test_steps_are_taken_again_by_one_look_or_more_but_the_last_and_those_where_nobody_pulls():
    def watched(times=2, scale=0.2, rest=1, one_look=True):
        guide, calls = Watcher(), []
        painting = repeated(times, one_look, guide=guide)
        painting.denoise.scale, painting.rest = scale, rest
        net = painting.denoise.net
        painting.denoise.net = lambda x, sigma: calls.append(sigma) or net(x, sigma)
        *_, frame = painting
        return frame.image, guide.looks, len(calls)

    image, *counts = watched()
    assert counts == [8, 2 * 8 - 1]
    assert watched(scale=0)[1:] == (0, 8), "where nobody pulls, there is nothing to mend"
    assert watched(rest=2)[1:] == (4, 4 * 2 + 4), "4 of 8 are looked at, and taken twice"
    assert not torch.equal(image, watched(times=1)[0])
    looked, *counts = watched(one_look=False)
    assert counts == [2 * 8 - 1, 2 * 8 - 1] and not torch.equal(image, looked)


@pytest.mark.parametrize("one_look", (False, True))
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_step_taken_again_begins_where_it_began_and_paints_what_the_network_knows(sampler, one_look):
    """Unguided, pictures of a normal distribution come out as they should, however often steps are taken."""
    painting = easel(scale=1e-9, count=100, sampler=sampler)        # asked, but never followed
    painting.levels, painting.steps, painting.repeats = karras(200, 0.002, 10), 200, 3
    painting.one_look = one_look
    list(painting)
    assert abs(painting.x.mean() - 0.3) < 0.005 and abs(painting.x.std() - 0.2) < 0.006


def test_by_themselves_steps_of_the_built_in_network_are_taken_twice_while_things_take_shape():
    known = systems.load("clip_guided_diffusion").Settings
    for values, often in (({}, [1, 2, 2, 1]), ({"model": "256x256_diffusion_uncond"}, [1, 1, 1, 1]),
                          ({"repeats": "3"}, [3, 3, 3, 3])):
        assert [known.of(**values).repeated()(way) for way in (0.1, 0.3, 0.7, 0.9)] == often


@pytest.mark.parametrize("one_look", (False, True))
def test_steps_taken_again_resume_exactly(one_look):
    whole, first, second = (repeated(2, one_look) for _ in range(3))
    straight = list(whole)[-1].image
    for _ in range(3):
        next(first)
    second.load_state_dict(first.state_dict())
    assert torch.equal(list(second)[-1].image, straight)


def test_out_of_memory_goes_on_with_less_at_a_time(caplog):
    guide = Watcher(fits=2)
    with caplog.at_level(logging.WARNING):
        image = list(easel(guide))[-1].image
    assert guide.flight == 2 and "half as many" in caplog.text
    assert torch.equal(image, list(easel())[-1].image)
    with pytest.raises(Refused, match="the picture does not fit into memory"):
        next(easel(Watcher(fits=0)))


def test_slopes_that_are_no_numbers():
    assert list(easel(Watcher(torn=(2, 3))))[-1].image.isfinite().all()
    with pytest.raises(Refused) as refusal:
        list(easel(Watcher(torn=(2, 3, 4))))
    assert str(refusal.value) == (
        "the guide's slope was not a number 3 steps in a row; a picture needs finite steps: try a lower "
        "guidance_scale, or fewer perceptors")


def test_a_network_that_breaks():
    painting = easel()
    painting.denoise.net = lambda x, sigma: Guess(x / 0 if sigma < 1 else x * 0)
    with pytest.raises(Refused) as refusal:
        list(painting)
    said = f"the picture is not a number after step {painting.step + 1}; a picture"
    assert str(refusal.value).startswith(said)
    assert painting.image().isfinite().all()


def test_what_happens_inside():
    painting = easel(count=1)
    inside = diffusion.Inside(painting, 3)
    list(painting)
    assert [step for step, *_ in inside.kept] == [1, 4, 7]
    pictures, captions = inside.rows()
    assert len(pictures) == len(captions) == 9
    assert captions[::4] == ["step 1: there", "step 4: taken for", "step 7: wanted"]
    assert all(p.shape == (1, 3, 8, 8) and 0 <= p.min() and p.max() <= 1 for p in pictures)
    assert pictures[6].mean() < 0.5, "it wants the picture dark"


def test_the_finished_picture_gets_a_last_touch():
    painting = easel(every=1)
    painting.finish = lambda image: image * 0
    frames = list(painting)
    assert frames[-2].image.mean() > 0.1 and frames[-1].image.sum() == 0


# ---------------------------------------------------------------- the systems

@pytest.fixture
def nets(monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    return stand_ins.install(monkeypatch)


def small(**values):
    cls = systems.load("clip_guided_diffusion").Settings
    base = cls().rehearsal().to_dict() | {"prompts": "moon", "width": 32, "height": 32}
    return cls.from_dict(base | values)


def paint(**values):
    return systems.load("clip_guided_diffusion").paint(small(**values))


def picture(**values):
    return list(paint(**values))[-1].image


@pytest.mark.parametrize("softness", [0, 8])
def test_a_mask_keeps_the_rest(nets, softness):
    start = stand_ins.photo(2, 32, 32)
    image = picture(init_image=start, mask=half(), mask_softness=softness, steps=6)
    kept = torch.tensor(start).permute(2, 0, 1)[None] / 255
    assert (image[..., :16] - kept[..., :16]).abs().max() <= 1 / 255
    assert (image[..., 20:] - kept[..., 20:]).abs().mean() > 0.01


@pytest.mark.parametrize("softness", [0, 8])
def test_a_mask_keeps_the_rest_of_an_enlarged_picture_too(nets, softness):
    """As sharp as it was given: the picture is as large as what is finished, twice what is painted."""
    start = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    image = picture(init_image=start, mask=half(), mask_softness=softness, upscaler="any", pictures=2)
    kept = torch.tensor(start).permute(2, 0, 1)[None] / 255
    assert image.shape == (2, 3, 64, 64) and (image - kept)[..., :32].abs().max() <= 1 / 255
    assert (image - kept)[..., 40:].abs().mean() > 0.05


def test_more_skipped_steps_leave_more_of_the_picture(nets):
    start = torch.tensor(photo(2, 32, 32)).permute(2, 0, 1)[None] / 255
    made = [picture(init_image=photo(2, 32, 32), steps=20, skip=skip, guidance_scale="0")
            for skip in (2, 12, 18)]
    away = [(image - start).abs().mean() for image in made]
    assert away[0] > away[1] > away[2]
    assert paint(init_image=photo(2, 32, 32), steps=20).steps == 10, "half of them, unless said otherwise"
    assert paint(steps=20).steps == 20


@pytest.mark.parametrize("values", [
    {"story_at": "3, 4"}, {"story_at": "3, 4", "skip": 2}, {"story_at": "3, 4", "noise_levels": "karras"},
    {"story_at": "3, 4", "noise_levels": "even"}, {"story_at": "3, 4", "sampler": "plms"},
    {"story_at": "3, 4", "most_pull": 0.01, "guidance_scale": "90"},
    {"story_at": "3, 4", "tiles": 2, "skip": 2}, {"story_every": 3}, {"story_every": 3, "skip": 2}, {},
    {"skip": 2}], ids=str)
def test_scenes_of_a_story_begin_after_so_many_steps(nets, monkeypatch, values):
    """Steps of the run, as everywhere else, however much noise they take and were left out before."""
    start = {"init_image": photo(2, 64, 64)} if "tiles" in values else {}
    painting = paint(prompts="moon ^ sea ^ sun", steps=8 + values.get("skip", 0), **start, **values)
    (story,) = [m for m in getattr(painting, "inner", painting).denoise.guide.modules()
                if isinstance(m, Story)]
    told, scene = [], Story.scene
    monkeypatch.setattr(Story, "scene", lambda self, progress: told.append(scene(self, progress)) or told[-1])
    seen = []
    for _ in painting:
        seen.append(told[0])
        assert len(set(told)) == 1 or values.get("sampler") == "plms", "all of a step is of one scene"
        told.clear()
    wanted = [0, 0, 0, 1, 2, 2, 2, 2] if "story_at" in values else [0, 0, 0, 1, 1, 1, 2, 2]
    assert seen == wanted * (9 if "tiles" in values else 1) and len(story.guides) == 3


@pytest.mark.parametrize("values", [{}, {"skip": 4}, {"init_image": photo(2, 64, 64), "steps": 16}], ids=str)
def test_prompts_act_in_their_part_of_the_run_live_too(nets, monkeypatch, values):
    """Of the steps that are painted: those that an init_image leaves out are no part of the way."""
    values = {"steps": 8 + values.get("skip", 0)} | values
    painting = paint(prompts="moon", **values)
    painting.retune(small(prompts="moon @-50% | sea @50%", **values))
    told, now = [], Targets.now
    monkeypatch.setattr(Targets, "now", lambda self, progress: told.append(now(self, progress)) or told[-1])
    seen = []
    for _ in painting:
        assert all(torch.equal(weights, told[0]) for weights in told)
        seen.append(told[0].tolist())
        told.clear()
    assert seen == [[1, 0]] * 4 + [[0, 1]] * 4


def test_pictures_have_seeds_of_their_own(nets):
    pair = picture(pictures=2, seed=4, guidance_scale="0")
    assert torch.allclose(pair[1:], picture(seed=5, guidance_scale="0"), atol=1e-4)


def test_the_finished_picture_is_enlarged(nets):
    frames = list(paint(upscaler="any", every=1))
    assert [frame.image.shape[-1] for frame in frames] == [32, 32, 64]
    assert paint(upscaler="any").networks[-1] == "any"
    assert picture(upscaler="auto").shape[-1] == 32, "nothing is there to enlarge it"


def test_a_picture_is_painted_over_in_tiles(nets):
    start = photo(2, 64, 64)
    painting = paint(init_image=start, tiles=2, steps=10, guidance_scale="0", init_weight="1")
    frames = list(painting)
    assert painting.steps == 9 * 2 == len(frames) and frames[-1].image.shape == (1, 3, 64, 64)
    away = (frames[-1].image - torch.tensor(start).permute(2, 0, 1) / 255).abs().mean((0, 1))
    assert away.unfold(0, 16, 16).unfold(1, 16, 16).mean((2, 3)).min() > 0.005, "all of it"
    settings = systems.load("clip_guided_diffusion").Settings
    with pytest.raises(Refused, match="tiles is 2; one picture to start from is painted over, all of it"):
        settings(tiles=2)


def test_what_is_painted_over_in_tiles_is_enlarged_last(nets):
    start, large = photo(2, 64, 64), {"tiles": 2, "steps": 10, "upscaler": "any"}
    painting = paint(init_image=start, every=9, **large)
    frames = [frame.image for frame in painting if frame.image is not None]
    assert [image.shape[-1] for image in frames] == [64, 64, 128] and painting.networks[-1] == "any"
    kept = torch.tensor(stand_ins.photo(2, 128, 128)).permute(2, 0, 1) / 255
    assert (frames[-1] - kept).abs().mean() < (frames[-1] - kept.flip(-1)).abs().mean()


def test_tiles_that_come_out_smaller_are_told(nets, caplog):
    def told(side, **values):
        caplog.clear()
        paint(init_image=photo(2, side, side), tiles=2, **values)
        return [record.getMessage() for record in caplog.records]

    assert told(64) == told(128, upscaler="any") == []
    assert told(100) == ["init_image is 100 x 100, and painted over in tiles it comes out as 64 x 64: try "
                         "tiles=4, or a larger width and height"]


def test_steps_that_are_looked_at(nets):
    frames = list(paint(steps=8, every=5, save_at="2, 3"))
    assert [frame.step for frame in frames if frame.image is not None] == [1, 2, 3, 5, 8]


def test_classes_are_named_or_any(nets):
    cat, dog = (picture(model="of classes", kind=kind, guidance_scale="0") for kind in ("Cat", "dog"))
    assert not torch.equal(cat, dog)
    assert picture(model="of classes", guidance_scale="0").shape == (1, 3, 32, 32)
    net, x = adm.load("of anything"), torch.zeros(2, 3, 32, 32)
    assert torch.equal(net(x, 1.0).clean, net(x, 1.0, torch.tensor([4, 4])).clean), "anything, by itself"
    with pytest.raises(Refused, match="classes are missing"):
        adm.load("of classes")(x, 1.0)


class Even(torch.nn.Module):
    """A classifier to whom all is alike."""

    names = ["car", "boat", "cat", "dog"]

    def __init__(self):
        super().__init__()
        self.odds = torch.zeros(1, 4, requires_grad=True)

    def forward(self, x, sigma):
        return self.odds


@pytest.fixture
def led(nets, monkeypatch):
    """led(**settings): step by step, (4,), where the odds of four classes are led from 1/4 each."""
    reader = Even()
    monkeypatch.setattr(adm_classifier, "load", lambda name, device="cpu", **_: reader)

    def led(**values):
        painting = paint(classifier="any", classifier_scale="1", **values)
        denoise, rows = painting.denoise, []
        for level in map(float, painting.levels[painting.skip:-1]):
            loss = denoise.noisy(torch.zeros(1, 3, 8, 8), level, denoise.pace(level))["classifier"]
            rows.append(-torch.autograd.grad(loss, reader.odds)[0][0])
        return rows
    return led


def test_a_classifier_is_asked_for_all_that_prompts_name(led):
    one = torch.eye(4) - 0.25
    car, boat, cat, dog = range(4)
    away = torch.full((4,), 1 / 12).index_fill(0, torch.tensor([dog]), -0.25)
    for text, wanted in (("a red boat", one[boat]), ("a boat beside a car", (one[boat] + one[car]) / 2),
                         ("a cat:3 | a car", (3 * one[cat] + one[car]) / 4), ("fog:5 | a cat:0.1", one[cat]),
                         ("a cat | dogs:-0.5", one[cat] + away / 2), ("fog | a dog:-1", away)):
        assert torch.allclose(led(prompts=text)[0], wanted, atol=1e-6), text
    assert torch.allclose(led(prompts="moon", classifier_kind="Boat")[0], one[boat], atol=1e-6)


def test_a_classifier_goes_from_scene_to_scene(led):
    one = torch.eye(4) - 0.25
    rows = led(prompts="a boat ^ fog ^ a cat", steps=8, story_at="3, 5", skip=2)
    wanted = [one[1]] * 3 + [0 * one[1]] * 2 + [one[2]]
    assert torch.allclose(torch.stack(rows), torch.stack(wanted), atol=1e-6)


def test_a_classifier_hears_prompts_while_they_act(led):
    one = torch.eye(4) - 0.25
    rows = led(prompts="a boat @-50% | a cat @25%", steps=8)
    first, last = rows[0], rows[-1]
    assert torch.allclose(first, one[1], atol=1e-6) and torch.allclose(last, one[2], atol=1e-6)
    assert any(torch.allclose(row, (one[1] + one[2]) / 2, atol=1e-6) for row in rows)
    fading = led(prompts="a boat", prompt_weights="0: 1, 1: 0", steps=8)
    shares = [float(row[1] / one[1, 1]) for row in fading]
    assert shares[0] > 0.8 and shares == sorted(shares, reverse=True) and shares[-1] < 0.2


def test_keeping_away_has_an_end():
    """Where a thing is not seen nothing is gained, and where it is all there is it still pulls."""
    odds = torch.tensor([[40.0, 0, 0, 0], [-40.0, 0, 0, 0]], requires_grad=True)
    slopes = torch.autograd.grad(classes.without(odds.log_softmax(-1))[:, 0].sum(), odds)[0]
    assert float(slopes[0, 0]) == pytest.approx(-1, abs=1e-4) and slopes[1].abs().max() < 1e-6


def test_the_built_in_classifier_comes_by_itself(nets, monkeypatch):
    ours = [*weights.embedded(), "classifier-world"]
    monkeypatch.setattr(weights, "embedded", lambda: ours)
    auto = paint(classifier="auto", prompts="a cat")
    assert auto.denoise.noisy and "classifier-world" in auto.networks
    assert not paint(classifier="auto", prompts="moon").denoise.noisy, "there is nothing to go by"
    assert not paint(classifier="auto", prompts="a cat", guidance_scale="0").denoise.noisy
    assert not paint(classifier="auto", prompts="a cat", model="of classes").denoise.noisy
    assert not paint(classifier="", prompts="a cat").denoise.noisy
    auto.retune(small(classifier="auto", prompts="moon"))
    assert not auto.denoise.noisy
    ours[:] = [name for name in ours if name != "classifier-world"]
    assert "classifier-world" not in paint(classifier="auto", prompts="a cat").networks


def test_disco_asks_a_small_network_beside_large_ones_alone():
    disco = systems.load("disco_diffusion").Settings
    auto, other = disco(), disco(model="256x256_diffusion_uncond")
    assert (auto.way(), auto.small()) == ("network", "")
    assert auto.but(autoguidance="1").small() == "secondary-world"
    assert (other.way(), other.small()) == ("secondary", "secondary_model_imagenet_2")
    assert other.but(secondary=" mine ").small() == "mine"
    assert other.but(through="guess").way() == "guess" and not other.but(through="guess").small()


def test_the_small_network_is_there_when_it_is_asked(nets):
    asked = ({"through": "secondary"}, {"through": "network", "autoguidance": "[0]*500+[1]*500"})
    assert all("secondary-world" in paint(**values).networks for values in asked)
    assert "secondary-world" not in paint(through="network", autoguidance="0").networks


@pytest.mark.parametrize("values, said", [
    ({"width": 40, "height": 32}, None),
    ({"width": 36}, "width is 36; it goes in steps of 8: try 32 or 40"),
    ({"width": 40, "height": 32, "through": "secondary", "secondary": "large"}, None),
    ({"steps": 1}, "steps is 1; it must be between 2 and 1000: try 2"),
    ({"steps": 0}, "steps is 0; it must be between 2 and 1000: try 2"),
    ({"steps": 20, "skip": 20}, "skip is 20; 20 steps can leave out 19 at most: try 10"),
    ({"eta": 1.5}, "eta is 1.5; for ddim it goes from -1 to 1: try 0.8"),
    ({"eta": 3}, "eta is 3; for ddim it goes from -1 to 1: try 0.8"),
    ({"eta": 3, "sampler": "plms"}, "eta is 3; it must be between -1 and 2: try 2"),
    ({"eta": -0.5, "sampler": "dpmpp_2m_sde"}, "eta is -0.5; for dpmpp_2m_sde it goes from 0 to 2: try 0.8"),
    ({"kind": "cat"}, "kind is 'cat'; adm-world knows no classes: leave kind on 'auto', or take a network of "
     "classes"),
    ({"kind": "bot", "model": "of classes"}, "no class of this network called 'bot'; did you mean 'boat'?"),
    ({"classifier": "any", "prompts": "moon | sea:-1 ^ sun"}, "any knows nothing of 'moon | sea:-1 ^ sun'; "
     "it knows car, boat, cat, dog: name one of these as classifier_kind"),
    ({"classifier": "any"}, "any knows nothing of 'moon'; it knows car, boat, cat, dog: name one of these as "
     "classifier_kind"),
    ({"crops": "[4]*100"}, "crops has 100 numbers in '[4]*100'; a list has one for each of 1000 noise "
     "levels: let the counts sum to 1000, or try '0: 1, 0.5: 0.2'"),
    ({"overview": 0, "crops": "[0]*1000"}, "overview and crops are both 0; somebody has to look: try "
     "overview=4"),
])
def test_settings_that_cannot_be(nets, values, said):
    if said is None:
        assert picture(**values).shape == (1, 3, 32, 40)
        return
    with pytest.raises(Refused) as refusal:
        paint(**values)
    assert str(refusal.value) == said


def test_a_size_is_refused_before_anything_is_downloaded(monkeypatch):
    """By what the catalogue tells of the network."""
    monkeypatch.setattr(adm, "load", lambda *_, **__: pytest.fail("it was fetched"))
    for model, sides, said in (("512x512_diffusion_uncond_finetune_008100", (256, 256), "half as large"),
                               ("256x256_diffusion_uncond", (256, 272), "takes steps of 32: try 256")):
        with pytest.raises(Refused, match=said):
            paint(model=model, width=sides[0], height=sides[1])


def test_tiles_are_looked_at_when_asked(nets):
    frames = list(paint(init_image=photo(2, 64, 64), tiles=2, steps=10, every=9, save_at="2, 3"))
    assert [frame.step for frame in frames if frame.image is not None] == [1, 2, 3, 9, 18]


def test_a_network_is_not_asked_for_what_it_cannot_paint(nets, monkeypatch):
    big = stand_ins.denoiser()
    big.config = big.config | {"image_size": 512}
    monkeypatch.setattr(adm, "load", lambda name, device="cpu", **_: big)
    with pytest.raises(Refused) as refusal:
        paint(width=256, height=256, model="512x512_diffusion_uncond_finetune_008100")
    assert str(refusal.value) == (
        "the picture is 256 x 256; 512x512_diffusion_uncond_finetune_008100 learned from pictures of 512 x "
        "512, and half as large they come out black: try width=512 and height=512")
    big.config = big.config | {"image_size": 64}
    assert picture(width=32, height=40).shape == (1, 3, 40, 32), "the built-in one paints half as large, too"
