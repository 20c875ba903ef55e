"""A GAN of one's own: what is measured is true, every lesson runs, both players do what they should."""

import functools
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers import machine, studio
from helpers.errors import Refused
from helpers.world import drawing, scenes
from helpers.world.train import own_gan
from helpers.world.train.own_gan_chart import Signs, chart

SMALL = {"pictures": 36, "batch": 4}


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Frozen networks are loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (own_gan.features, own_gan.judges):
            patch.setattr(module, "load", functools.cache(module.load))
        yield


@pytest.fixture(scope="module")
def drawn():
    return own_gan.draw(own_gan.SEEN, np.random.default_rng(0))


@pytest.fixture
def clock(monkeypatch):
    """It takes a second to ask for the time."""
    monkeypatch.setattr(own_gan, "LOOKS", 1)
    monkeypatch.setattr(own_gan, "time", SimpleNamespace(monotonic=itertools.count().__next__))


def lesson(name="healthy", **knobs):
    return own_gan.Lesson(own_gan.Settings(**own_gan.LESSONS[name] | SMALL | knobs))


def weights(taught):
    parts = [p.detach() for player in taught.players.values() for p in player.state_dict().values()]
    return torch.cat([p.flatten().float() for p in parts])


def test_pictures_show_every_kind_by_name(drawn):
    pictures, names = drawn
    assert pictures.shape == (216, 3, 32, 32) and 0 <= pictures.min() < pictures.max() <= 1
    assert len(own_gan.KINDS) == 72 and not any(scenes.held_out(kind) for kind in own_gan.KINDS)
    assert names.shape == (216, 18) and (names[:, :8].sum(1) == 1).all() and (names[:, 8:].sum(1) == 1).all()
    assert len(names.unique(dim=0)) == 72 and torch.equal(names[:72], names[72:144])
    few = own_gan.draw(36, np.random.default_rng(0))[1]
    assert len(few.unique(dim=0)) == 36 and few[:, :8].sum(0).min() >= 4, "kinds are left out evenly"


def test_kinds_are_counted_by_the_judge(drawn):
    reads, pictures = own_gan.judges.load(torch.device("cpu")), drawn[0]
    assert len(own_gan.kinds(reads, pictures)) >= 0.97 * 72
    assert own_gan.kinds(reads, pictures[:1].expand(50, -1, -1, -1)) == {own_gan.KINDS[0]}
    assert not own_gan.kinds(reads, pictures, least=1.1)
    pixels = drawing.draw(scenes.Scene(scenes.Item("lighthouse", "red")), 32)
    other = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
    assert not own_gan.kinds(reads, other), "what is not in this small world does not count"


def test_the_nearest_picture_is_found(drawn):
    pictures = drawn[0]
    apart, which = own_gan.nearest(pictures[[7, 3]], pictures)
    assert which.tolist() == [7, 3] and apart.max() < 2e-3
    gray = torch.full((2, 3, 8, 8), 0.5)
    gray[1] = 0.9
    apart, which = own_gan.nearest(gray[:1] + 0.1, gray)
    assert which.tolist() == [0] and apart.item() == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize("name", own_gan.LESSONS)
def test_a_lesson_runs_until_the_clock_stops(name, clock):
    frames = list(own_gan.train(name, minutes=0.1, **SMALL))
    assert [frame.step for frame in frames] == list(range(6)) and frames[-1].total == 5
    assert all(frame.total > frame.step for frame in frames[:-1])
    assert [frame.step for frame in frames if frame.image is not None] == [0, 5]
    image = frames[-1].image
    assert image.shape == (1, 3, 672, 768) and 0 <= image.min() < image.max() <= 1
    assert set(frames[0].losses) == {"coverage", "distance", "trained", "new", "samples"}
    assert all(np.isfinite(list(frame.losses.values())).all() for frame in frames)


def test_a_rehearsal_is_short(monkeypatch):
    monkeypatch.setenv("REHEARSAL", "1")
    last = studio.show(own_gan.train("collapse", minutes=100))
    assert last.step == last.total < 100 and last.image is not None


def test_same_seed_same_first_steps():
    taught = [lesson(seed=seed) for seed in (0, 0, 1)]
    for one in taught:
        for step in range(2):
            one.step(machine.dice(one.settings.seed, step))
    first, again, other = (weights(one) for one in taught)
    assert torch.equal(first, again) and not torch.equal(first, other)
    before = weights(taught[0])
    look, second = (taught[0].look(0.0) for _ in range(2))
    assert torch.equal(look.samples, second.samples) and look.numbers() == second.numbers()
    assert torch.equal(weights(taught[0]), before), "to look changes nothing"


@pytest.mark.parametrize("name, turns", [("healthy", ["painter", "critic"]),
                                         ("collapse", ["painter"] * 4 + ["critic"])])
def test_both_learn_in_turn_or_the_painter_runs_ahead(name, turns):
    taught, called = lesson(name), []
    learn = taught.learn
    taught.learn = lambda who, loss, pace: (called.append(who), learn(who, loss, pace))
    taught.step(machine.dice(0), 0.5)
    assert called == turns
    assert taught.optimizers["critic"].param_groups[0]["lr"] == own_gan.RATES["critic"] / 2
    assert taught.names.shape[1] == (1 if name == "collapse" else 18), "without names all are of one class"


def test_the_critic_learns_its_pictures_by_heart():
    taught = lesson("overfitting", batch=16)
    learn = taught.learn
    taught.learn = lambda who, loss, pace: learn(who, loss, pace) if who == "critic" else None
    before = taught.look(0.0)
    for step in range(12):
        taught.step(machine.dice(0, step))
    after = taught.look(1.0)
    assert after.on_trained - after.on_samples > before.on_trained - before.on_samples + 0.5
    assert after.on_trained - after.on_new > before.on_trained - before.on_new


def test_a_chart_shows_what_it_is_given(drawn):
    signs = Signs(0.0, drawn[0], drawn[0], 9, 72, 0.1, 0.2, 1.0, 0.5, -1.0)
    picture = chart([signs], "4000 pictures", 3)
    assert picture.shape == (1, 3, 672, 768)
    assert not torch.equal(picture, chart([signs, signs], "4000 pictures", 3)), "one more look"
    corner = picture[0, :, 67:110, 17:60]        # the first sample, magnified
    assert (corner.mean((1, 2)) - drawn[0][0].mean((1, 2))).abs().max() < 0.02


def test_what_is_not_known_is_refused():
    for name, answer in (("colapse", "no lesson called 'colapse'; did you mean 'collapse'?"),
                         ("x", "no lesson called 'x'; choose one of 'healthy', 'collapse', 'overfitting'")):
        with pytest.raises(Refused) as refused:
            own_gan.train(name)
        assert str(refused.value) == answer
    with pytest.raises(Refused, match="no setting called 'minute'; did you mean 'minutes'"):
        own_gan.train("healthy", minute=2)
    with pytest.raises(Refused, match="ahead is 0; it must be between 1 and 50: try 1"):
        own_gan.train("healthy", ahead=0)
