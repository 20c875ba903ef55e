"""GAN: samples, mixtures, walks, grids, a part of a picture made anew; on a stand-in with four classes."""

import pytest
import stand_ins
import torch
from PIL import Image
from stand_ins import half, photo
from torch.nn import functional as F

from helpers import images, runs, vocabulary, weights
from helpers.errors import Refused
from helpers.networks import biggan, class_names, mixing
from helpers.settings import knobs
from helpers.systems import big_sleep, gan
from helpers.world import quality


@pytest.fixture(autouse=True)
def network(monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    stand_ins.install(monkeypatch)
    return biggan.load("biggan-world")


def small(**values):
    base = gan.Settings().rehearsal().to_dict() | {"prompts": "boat"}
    return gan.Settings.from_dict(base | values)


def frames(**values):
    return list(gan.paint(small(**values)))


def test_samples_come_at_once_each_of_its_own_noise():
    (frame,) = frames(pictures=5)
    assert (frame.step, frame.total, frame.image.shape) == (1, 1, (5, 3, 64, 64))
    assert 0 <= frame.image.min() and frame.image.max() <= 1
    assert not torch.allclose(frame.image[0], frame.image[1], atol=0.01)
    assert torch.equal(frame.image, frames(pictures=5)[0].image)


def test_how_many_are_made_at_a_time_changes_nothing(monkeypatch):
    whole = frames(pictures=5)[0].image
    monkeypatch.setattr(gan, "TOGETHER", 2)
    assert torch.allclose(whole, frames(pictures=5)[0].image, atol=1e-5)


SEARCH = {"init_image": photo(), "fit_steps": 3}
TURNED = {"prompts": ({}, "cat"), "pictures": ({}, 3), "truncation": ({}, 0.9), "walk": ({}, 3),
          "grid": ({}, 2), "width": ({}, 96), "height": ({}, 96), "seed": ({}, 5),
          "stations": ({"walk": 3}, 7), "init_image": ({"fit_steps": 3}, photo()), "mask": (SEARCH, half()),
          "mask_softness": (SEARCH | {"mask": half(), "mask_softness": 0}, 20), "fit_steps": (SEARCH, 9)}


@pytest.mark.parametrize("knob", sorted(knobs(gan.Settings).keys() - {"gan", "device", "every"}))
def test_every_knob_is_alive(knob):
    given, value = TURNED[knob]
    before, after = frames(**given)[-1].image, frames(**given | {knob: value})[-1].image
    assert before.shape != after.shape or not torch.equal(before, after)


def test_truncation_makes_pictures_alike():
    def spread(truncation):
        return frames(pictures=40, truncation=truncation)[0].image.std(0).mean().item()

    assert spread(0.1) < spread(0.5) < spread(1.0)


def test_classes_are_named_in_words(network):
    row = mixing.shares("a cat | two dogs by a boat:0.5 ^ Car", network.names)
    assert torch.allclose(row, torch.tensor([[0, 1 / 6, 2 / 3, 1 / 6], [1, 0, 0, 0]]))
    assert mixing.shares(" ", network.names) is None
    assert class_names.found("two great white sharks", ["shark", "great white shark"]) == ([1], ["two"])


@pytest.mark.parametrize("text, said", [
    ("bot", "no class of this network called 'bot'; did you mean 'boat'?"),
    ("a unicorn", "no class of this network called 'a unicorn'; it knows car, boat, cat, dog"),
    ("cat | dog:-1", "'dog' has the weight -1; a GAN mixes what is there: leave it out, or paint with "
     "big_sleep, which can keep away from things"),
    ("cat:0", "all weights are 0; something has to be in the mixture: try cat | boat:0.5")])
def test_classes_that_cannot_be(text, said, network):
    with pytest.raises(Refused) as refusal:
        mixing.shares(text, network.names)
    assert str(refusal.value) == said


def test_scenes_go_round_the_samples():
    several = frames(prompts="boat ^ cat", pictures=3)[0].image
    assert torch.allclose(several[0], frames(prompts="boat", pictures=3)[0].image[0], atol=1e-5)
    assert torch.allclose(several[1], frames(prompts="cat", pictures=3)[0].image[1], atol=1e-5)


def test_no_name_is_any_class():
    assert len({tuple(row) for row in _stations(None, pictures=30).classes[0].tolist()}) == 4


def _stations(shares, count=4, pictures=2, network=None):
    return mixing.Stations(network or stand_ins.generator(), count, pictures, shares,
                           torch.Generator().manual_seed(1))


def test_a_walk_is_round_and_even(network):
    stations = _stations(mixing.shares("boat ^ cat", network.names))
    z, classes = stations.at(0.0)
    assert torch.equal(z, stations.z[0]) and torch.equal(z, stations.at(1.0)[0])
    assert torch.equal(classes, torch.tensor([[0.0, 1, 0, 0], [0, 0, 1, 0]]))
    between, mixed = stations.at(1 / 8)
    assert torch.allclose(mixed, torch.tensor([[0.0, 0.5, 0.5, 0]] * 2))
    lengths = torch.stack([stations.z[0].norm(dim=1), stations.z[1].norm(dim=1)])
    assert (between.norm(dim=1) > 0.9 * lengths.amin(0)).all(), "on the circle, not through its middle"
    ways = F.normalize(torch.stack([stations.at(k / 40)[0] for k in range(10)]), dim=2)
    angles = (ways[1:] * ways[:-1]).sum(2).arccos()
    assert (angles.std(0) < 0.01 * angles.mean(0)).all()


def test_a_walk_is_a_film():
    shown = frames(walk=6, stations=2, pictures=1)
    assert [frame.step for frame in shown] == [1, 2, 3, 4, 5, 6] and shown[0].total == 6
    assert torch.allclose(shown[0].image, frames(pictures=1, walk=2, stations=2)[0].image, atol=1e-6)
    away = [(frame.image - shown[0].image).abs().mean().item() for frame in shown]
    assert away[1] < away[3] and away[5] < away[3], "half way is the other station"


def test_a_grid_lies_between_four_corners():
    (frame,) = frames(grid=3)
    assert frame.image.shape == (9, 3, 64, 64)
    first, middle = frame.image[0], frame.image[4]
    assert (frame.image[1] - first).abs().mean() < (frame.image[2] - first).abs().mean()
    assert not torch.equal(first, middle)


def test_knobs_turn_on_the_way():
    painting = gan.paint(small(walk=4))
    next(painting)
    painting.retune(small(walk=4, prompts="cat", truncation=1.0))
    turned = next(painting).image
    assert not torch.equal(turned, frames(walk=4)[1].image)
    assert torch.equal(turned, frames(walk=4, prompts="cat", truncation=1.0)[1].image)


def test_a_walk_stopped_and_resumed_shows_the_same(tmp_path):
    straight = frames(walk=5)
    run = runs.start("gan", small(walk=5), tmp_path)
    painting = run.paint()
    for _ in range(2):
        next(painting)
    resumed = gan.paint(small(walk=5), painting.state_dict())
    assert torch.equal(list(resumed)[-1].image, straight[-1].image)


def test_a_run_is_kept(tmp_path):
    run = runs.start("gan", small(walk=3), tmp_path)
    assert len(list(runs.record(run.paint(), run))) == 3
    assert len(run.frames) == 3 and runs.load(run.picture) == run.settings
    assert run.manifest["status"] == "finished" and list(run.manifest["weights"]) == ["biggan-world"]


def test_a_picture_is_found_again():
    aim = frames(pictures=1, seed=8)[0].image
    shown = frames(init_image=aim[0], pictures=2, fit_steps=80, truncation=0.6)
    away = [(frame.image - aim).square().mean().item() for frame in (shown[0], shown[-1])]
    assert away[1] < 0.5 * away[0]


def test_a_part_is_made_anew_and_the_rest_stays(network):
    picture = images.open(photo(3))
    painting = gan.paint(small(init_image=photo(3), mask=half(), pictures=3, fit_steps=30, mask_softness=0))
    first, *_, last = list(painting)
    assert (last.image[..., :32] - picture[..., :32]).abs().max() < 1 / 255
    assert not torch.allclose(last.image[0, ..., 32:], last.image[1, ..., 32:], atol=0.01), "three proposals"
    assert sum(last.losses.values()) < sum(first.losses.values()), "what is beyond the mask is matched better"


def test_only_what_stays_is_matched():
    """What was under the white is not looked at: it is what one wants to be rid of."""
    other = photo(3).copy()
    other[:, 32:] = 255 - other[:, 32:]
    one, two = (frames(init_image=picture, mask=half(), fit_steps=5, mask_softness=0)[-1].image
                for picture in (photo(3), other))
    assert torch.allclose(one[..., 32:], two[..., 32:], atol=1e-4)


@pytest.mark.parametrize("values, said", [
    ({"walk": 4, "grid": 3}, "walk and grid are set together; each makes other pictures: leave one of them"),
    ({"mask": half()}, "mask is given without init_image; a mask keeps a part of a picture: give that "
     "picture as init_image"),
    ({"truncation": 0.0}, "truncation is 0; it must be between 0.05 and 1: try 0.05"),
    ({"truncation": 1.5}, "truncation is 1.5; it must be between 0.05 and 1: try 1")])
def test_refusals(values, said):
    with pytest.raises(Refused) as refusal:
        small(**values)
    assert str(refusal.value) == said


def test_an_unknown_class_leaves_nothing_behind(tmp_path):
    run = runs.start("gan", small(prompts="unicorn"), tmp_path / "runs")
    with pytest.raises(Refused, match="no class of this network called 'unicorn'"):
        run.paint()
    assert not (tmp_path / "runs").exists()


def test_words_that_a_gan_does_not_hear_are_named(monkeypatch):
    monkeypatch.setattr(weights, "names", lambda kind="": ["biggan-world"])
    monkeypatch.setattr(class_names, "of", lambda gan: ["boat", "cat"])
    assert vocabulary.check(small(prompts="two boats")) == "'two' is no class of this GAN; names of " \
        "classes are all it hears: for a picture of every word use the system big_sleep"
    assert "'red', 'sea' are no classes" in vocabulary.check(small(prompts="a red cat by the sea"))
    assert not vocabulary.check(small(prompts="the cat ^ boat")) and not vocabulary.check(small(prompts=""))


def test_the_judge_gets_one_picture_at_a_time(tmp_path):
    quality.paint_one(("helpers.systems.gan", small(pictures=9), 3, "a boat", tmp_path, 1))
    assert Image.open(tmp_path / "003.png").size == (64, 64)


def test_best_is_forgotten_when_something_else_is_liked():
    made = big_sleep.paint(big_sleep.Settings().rehearsal().but(prompts="moon", steps=20, best=True))
    for _ in range(15):
        next(made)
    kept = made.memory["best_loss"]
    made.retune(big_sleep.Settings(prompts="moon", steps=20, best=True))
    assert "best_loss" not in made.memory
    for _ in range(5):
        next(made)
    assert made.memory["best_loss"] is not kept and torch.equal(made.image(), made.image())
