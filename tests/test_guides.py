import math
import os
import subprocess
import sys

import pytest
import torch
from stand_ins import Eye
from torch.nn import functional as F

from helpers import guides
from helpers.cutouts import Cutouts
from helpers.guides import (Anchor, Edge, Guide, Likeness, Palette, Prompts, Range, Saturation, Smooth, Story,
                            Symmetry)
from helpers.prompts import Prompt, parse


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


class Bright(Guide):
    def forward(self, image, progress=0.0):
        return image.mean()


class Dark(Guide):
    label = "night"

    def forward(self, image, progress=0.0):
        return 1 - image.mean()


def picture(seed=0, size=32):
    return torch.rand(1, 3, size, size, generator=dice(seed))


def test_guides_add_scale_and_report():
    image = torch.full((1, 3, 4, 4), 0.25)
    guide = 2 * (Bright() + 3 * Dark()) + (lambda progress: progress) * Bright()
    assert float(guide(image, 0.0)) == pytest.approx(2 * 0.25 + 6 * 0.75)
    assert float(guide(image, 1.0)) == pytest.approx(3 * 0.25 + 6 * 0.75)
    score = guide.score(image, 1.0)
    assert {name: round(float(loss), 4) for name, loss in score.items()} == {"bright": 0.75, "night": 4.5}


def test_weights_multiply_as_functions():
    fade = (lambda progress: 1 - progress) * (0.5 * ((lambda progress: progress) * Bright()))
    assert float(fade(torch.ones(1, 3, 2, 2), 0.5)) == pytest.approx(0.125)


def test_a_term_of_weight_zero_is_not_computed():
    class Expensive(Guide):
        def forward(self, image, progress=0.0):
            raise AssertionError
    assert (0 * Expensive() + Bright()).score(torch.ones(1, 3, 2, 2)).keys() == {"bright"}


def test_story_goes_from_scene_to_scene_and_around():
    story = Story([Bright(), Dark()], every=5, passed=lambda progress: 20 * progress)
    assert [story.scene(step / 20) for step in range(20)] == [0] * 5 + [1] * 5 + [0] * 5 + [1] * 5
    told = Story([Bright(), Dark(), Bright()], every=5, passed=lambda progress: 20 * progress, starts=[3, 11])
    assert [told.scene(step / 20) for step in (0, 2, 3, 10, 11, 19)] == [0, 0, 1, 1, 2, 2]
    thirds = Story([Bright(), Dark(), Bright()], every=10 / 3, passed=lambda progress: 10 * progress)
    assert [thirds.scene(step / 10) for step in range(10)] == [0] * 4 + [1] * 3 + [2] * 3
    assert story.score(torch.ones(1, 3, 2, 2), 0.3).keys() == {"night"}


def test_distances():
    x, y = F.normalize(torch.tensor([[1.0, 0, 0], [1, 1, 0]]), dim=-1), torch.tensor([[0.0, 1, 0]])
    angle = torch.tensor([math.pi / 2, math.pi / 4])
    assert torch.allclose(guides.spherical(x, y), 2 * (angle / 2) ** 2, atol=1e-5)
    assert torch.allclose(guides.cosine(x, y), 1 - angle.cos(), atol=1e-5)


def wanted(text, eye, **options):
    cutouts = Cutouts(eye.size, overview=1, crops=3, rng=dice(3))
    told = guides.words(eye, parse(text), options.get("distance", "spherical"))
    return Prompts(eye, cutouts, told, **options)


def pull(guide, steps=40):
    """Distance to 'moon' before and after pixels follow a guide."""
    image, eye = picture(7).requires_grad_(), Eye()
    moon = wanted("moon", eye, distance="cosine")
    before = float(moon(image).detach())
    optimizer = torch.optim.Adam([image], 0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        guide(image).backward()
        optimizer.step()
    return before, float(moon(image).detach())


@pytest.mark.parametrize("distance", ["spherical", "cosine"])
def test_prompts_attract_and_penalised_prompts_repel(distance):
    """BigSleep rewarded the words it was told to penalise."""
    before, after = pull(wanted("moon", Eye(), distance=distance))
    assert after < before - 0.2
    before, after = pull(wanted("moon:-1", Eye(), distance=distance))
    assert after > before + 0.2


def test_stops_stop():
    eye = Eye()
    image = picture().requires_grad_()
    distance = float(wanted("moon", eye)(image).detach())
    for text, moves in ((f"moon:1:{distance / 2}", True), (f"moon:1:{distance * 4}", False),
                        (f"moon:-1:{-distance * 4}", True), (f"moon:-1:{-distance / 4}", False)):
        image.grad = None
        guide = wanted(text, eye)
        value = guide(image)
        value.backward()
        assert abs(value.item()) > 0 and (image.grad.abs().sum() > 0) == moves, text


@pytest.mark.parametrize("distance", ["spherical", "cosine"])
def test_a_prompt_is_satisfied_where_real_pictures_are(distance):
    eye, looks = Eye(), Cutouts(Eye().size, overview=1, crops=0, rng=dice())
    eye.likeness = 0.3

    def reached(text):
        seen = looks(followed(wanted(text, eye, distance=distance), picture(7)))
        return float(eye.encode_image(seen) @ eye.encode_text(["moon"]).T)

    assert 0.25 < reached("moon") < reached("moon:1:0") - 0.1, "an own stop counts for more"
    stops = guides.words(eye, parse("moon | sea:-1 | fog:1:0.2"), distance).stops.tolist()
    assert stops[1:] == pytest.approx([float("-inf"), 0.2])


def test_weights_weigh():
    eye = Eye()
    image = picture()
    one, two = float(wanted("moon", eye)(image)), float(wanted("sea", eye)(image))
    assert float(wanted("moon:2 | sea:-0.5", eye)(image)) == pytest.approx(2 * one - 0.5 * two, rel=1e-3)


def test_averaging_mixes_the_mean_look_in():
    eye, image = Eye(), picture()
    each, mean, mixed = (float(wanted("moon", eye, averaging=a)(image)) for a in (0.0, 1.0, 0.3))
    assert each != pytest.approx(mean, rel=1e-3)
    assert mixed == pytest.approx(0.7 * each + 0.3 * mean, rel=1e-4)


def test_rivalry_tells_the_prompt_from_its_rivals():
    eye, image = Eye(16), picture()
    plain, keen = (wanted("a red car at night", eye, rivalry=r) for r in (0.0, 2.0))
    assert float(keen(image)) > float(plain(image)), "being mistaken for another color costs"
    assert [len(others) for _, _, others in keen.targets.rivals] == [9, 31, 5]      # colors, things, skies
    seen = followed(keen, image)
    looks = eye.encode_image(Cutouts(16, overview=1, crops=0, rng=dice())(seen))
    for _, own, others in keen.targets.rivals:
        assert float((looks @ own.T).mean()) > float((looks @ others.T).max()), "no rival is nearer"


def test_each_thing_that_is_named_has_rivals_of_its_own():
    eye = Eye(16)
    pair = wanted("a red car over a blue boat by the sea", eye, rivalry=1.0)
    assert [len(others) for _, _, others in pair.targets.rivals] == [9, 9, 31, 31, 7]
    assert len({weight for weight, *_ in pair.targets.rivals}) == 1


def test_rivals_come_in_the_same_order_in_every_process():
    told = "from helpers.world.words import rivals; print(rivals('a pink robot over a blue train at night'))"
    said = {subprocess.run([sys.executable, "-c", told], env=os.environ | {"PYTHONHASHSEED": str(seed)},
                           capture_output=True, text=True, check=True).stdout for seed in range(6)}
    assert len(said) == 1, "sums would be rounded another way, and one seed would paint two pictures"


def test_what_names_nothing_of_the_world_and_what_is_penalised_has_no_rivals():
    eye = Eye(16)
    assert wanted("a cathedral of ice | a red car:-1", eye, rivalry=2.0).targets.rivals == ()
    eye.small = False
    assert wanted("a red car", eye, rivalry=2.0).targets.rivals == (), "public perceptors know far more"


def test_image_and_noise_targets():
    eye, aim = Eye(), picture(4)
    target = guides.images(eye, [(aim, 1.0, None)])
    guide = Prompts(eye, Cutouts(eye.size, overview=1, crops=0, rng=dice()), target)
    assert float(guide(aim)) < 1e-5 < float(guide(picture(5)))
    noise = guides.noises(eye, [(7, 0.5), (8, 1.0)])
    assert noise.rows.shape == (2, 12) and noise.weights.tolist() == [0.5, 1.0]
    assert torch.equal(noise.rows, guides.noises(eye, [(7, 0.5), (8, 1.0)]).rows)
    both = guides.words(eye, [Prompt("sea", 2.0, 0.1)]) + noise
    assert both.weights.tolist() == [2.0, 0.5, 1.0] and both.stops[0] == pytest.approx(0.1)


def test_fewer_looks_in_flight_change_nothing_but_memory():
    def slope(halvings):
        eye, image = Eye(), picture().requires_grad_()
        guide = wanted("moon", eye, averaging=0.3) + 0.1 * Smooth()
        guide(image)
        assert all([guide.economize() for _ in range(halvings)])
        guide.guides[0].cutouts.rng.manual_seed(11)
        eye.calls.clear()
        guide(image).backward()
        return image.grad, max(eye.calls)
    (all_at_once, four), (one_by_one, one) = slope(0), slope(2)
    assert (four, one) == (4, 1)
    assert torch.allclose(all_at_once, one_by_one, atol=1e-7)


def test_there_is_an_end_to_economy():
    guide = wanted("moon", Eye())
    guide(picture())
    assert [guide.economize() for _ in range(3)] == [True, True, False]


def followed(guide, image, steps=60, rate=0.02):
    image = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], rate)
    for _ in range(steps):
        optimizer.zero_grad()
        guide(image).backward()
        optimizer.step()
    return image.detach()


@pytest.mark.parametrize("kind", ["square", "log", "clipped"])
def test_smooth_smooths(kind):
    image = picture()
    assert followed(Smooth(kind), image).diff(dim=-1).abs().mean() < 0.8 * image.diff(dim=-1).abs().mean()


def test_smooth_leaves_what_is_finer_than_its_blur():
    ramp, stripes = torch.linspace(0, 1, 32).expand(1, 3, 32, 32), torch.full((1, 3, 32, 32), 0.5)
    stripes[..., ::2] = 0.4
    grain, slope = (Smooth(blur=2.0)(image) / Smooth()(image) for image in (stripes, ramp))
    assert grain < 0.01 and slope > 0.6


def test_saturation_both_ways():
    def colorful(image):
        return (image.amax(1) - image.amin(1)).mean()
    image = picture()
    assert colorful(followed(Saturation(), image)) > colorful(image) > colorful(followed(-1 * Saturation(),
                                                                                         image))
    gray = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    Saturation()(gray).backward()
    assert gray.grad.isfinite().all()


@pytest.mark.parametrize("axis, dims", [("left-right", [-1]), ("up-down", [-2]), ("both", [-1, -2])])
def test_symmetry(axis, dims):
    image = followed(Symmetry(axis), picture())
    for dim in (-1, -2):
        away = (image - image.flip(dim)).abs().mean()
        assert away < 0.05 if dim in dims else away > 0.2


def test_palette():
    colors = torch.tensor([[1.0, 0, 0], [0, 0, 1]])
    image = followed(Palette(colors), picture(), 150)
    away = (image[:, None] - colors[None, :, :, None, None]).abs().sum(2).amin(1)
    assert away.mean() < 0.15


def test_edge_paints_the_border_only():
    image = picture()
    painted = followed(Edge((0.0, 1.0, 0.0), 0.125), image, 150)
    assert torch.equal(painted[..., 4:-4, 4:-4], image[..., 4:-4, 4:-4])
    assert (painted[0, :, 0, 5] - torch.tensor([0.0, 1, 0])).abs().max() < 0.1
    other = picture().flip(-1)
    framed = followed(Edge(other, 0.125), image, 150)
    assert torch.equal(framed[..., 4:-4, 4:-4], image[..., 4:-4, 4:-4])
    assert (framed[..., :4, :] - other[..., :4, :]).abs().max() < 0.1


def test_an_edge_has_the_sides_it_is_told():
    image = picture()
    painted = followed(Edge((0.0, 1.0, 0.0), 0.125, ("left", "bottom")), image, 150)
    assert torch.equal(painted[..., :-4, 4:], image[..., :-4, 4:])
    green = torch.tensor([0.0, 1, 0])
    for place in painted[0, :, 5, 0], painted[0, :, -1, 9]:
        assert (place - green).abs().max() < 0.1


def test_range():
    assert Range()(picture()) == 0
    assert Range()(picture() + 1) > 0.2


def test_anchor_pulls_to_the_start_never_to_gray():
    """nerdyrodent's init_weight pulled latents to zero, a flat gray."""
    start = picture(3)
    image = followed(Anchor(start), picture(4), 200)
    assert (image - start).abs().mean() < 0.05 < (image - 0.5).abs().mean()
    assert float(Anchor(start, decay=1.0)(picture(4), 1.0)) == 0
    assert float(Anchor(start, decay=0.5)(picture(4),
                                          1.0)) == pytest.approx(float(Likeness(start)(picture(4))) / 2)


def test_weights_of_prompts_may_change_on_the_way():
    eye, image = Eye(), picture()
    told = guides.words(eye, parse("moon | sea"), paces=(lambda now: 1 - now, lambda now: now))
    looks = Cutouts(eye.size, 1, 0)
    guide = Prompts(eye, looks, told)
    alone = [Prompts(eye, looks, guides.words(eye, parse(text)))(image) for text in ("moon", "sea")]
    assert guide(image, 0.0) == pytest.approx(alone[0].item(), rel=1e-5)
    assert guide(image, 1.0) == pytest.approx(alone[1].item(), rel=1e-5)
    both = told + guides.images(eye, [(image, 1.0)])
    assert both.now(1.0).tolist() == [0, 1, 1]
    late = guides.images(eye, [(image, 2.0)], (lambda now: now > 0.5,))
    assert late.now(0.0).tolist() == [0] and (told + late).now(1.0).tolist() == [0, 1, 2]


def test_resemblance_is_kept_look_by_look():
    eye, start = Eye(), picture(3)
    guide = guides.Resemblance(eye, start, Cutouts(eye.size, 2, 6, smallest=0.3, rng=dice()))
    assert guide(start) == pytest.approx(0, abs=1e-5) and guide(picture(4)) > 0.05
    pair = guide(torch.cat([start, picture(4)]))
    assert 0 < pair < guide(picture(4)), "the mean over pictures"
    moved = picture(4).requires_grad_()
    before = guide(moved)
    before.backward()
    assert guide(moved.detach() - 2 * moved.grad) < before


def test_targets_may_be_scattered():
    eye, image = Eye(), picture()
    told = guides.words(eye, parse("moon | sea:-0.3"))
    same = guides.fuzzy(told, 0.0, dice())
    looks = Cutouts(eye.size, 1, 0)
    plain = Prompts(eye, looks, told)(image).item()
    assert Prompts(eye, looks, same)(image) == pytest.approx(plain, rel=1e-5)
    apart = guides.fuzzy(told, 0.3, dice())
    assert len(apart.rows) == 50 and apart.weights.sum() == pytest.approx(0.7)
    assert apart.rows.norm(dim=1).allclose(torch.ones(50))
    assert (apart.rows[::2] @ told.rows[0]).min() < 0.99
    assert (apart.rows < 0).any(), "nothing is cut off at 0"
