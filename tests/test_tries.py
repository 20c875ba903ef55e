"""Tries: down from other noise, again, until somebody is sure of the picture."""

import math

import pytest
import torch
from test_diffusion import LEVELS, easel

from helpers import diffusion
from helpers.networks import adm_classifier
from helpers.samplers import SAMPLERS
from helpers.systems import classes
from helpers.systems.clip_guided_diffusion import Settings
from helpers.tries import Tries


class Reader:
    """Says of each try what it is told to; keeps what it was shown."""

    def __init__(self, *answers):
        self.answers, self.shown = answers, []

    def __call__(self, x):
        self.shown.append(x.clone())
        return torch.tensor(self.answers[len(self.shown) - 1])


def tried(reader, most=3, **options):
    painting, gray = easel(**options), torch.full((1, 3, 8, 8), 0.5)
    painting.tries = Tries(most, reader, lambda number: diffusion.start(gray, painting.seeds, LEVELS[0],
                                                                        number))
    return painting


def test_who_is_sure_at_once_changes_nothing():
    frames = list(tried(Reader([-0.1, -0.6])))
    assert [(frame.step, frame.total) for frame in frames] == [(step, 8) for step in range(1, 9)]
    assert torch.equal(frames[-1].image, list(easel())[-1].image)


def test_each_picture_keeps_its_best():
    reader = Reader([-3.0, -1.0], [-2.0, -5.0], [-9.0, -4.0])
    painting = tried(reader)
    frames = list(painting)
    assert [frame.total for frame in frames] == [8] * 7 + [16] * 8 + [24] * 9 and len(frames) == 24
    first, second, third = reader.shown
    assert torch.equal(painting.x, torch.stack([second[0], first[1]]))
    assert torch.equal(frames[-1].image, ((painting.x + 1) / 2).clamp(0, 1))
    assert not torch.allclose(first, second, atol=0.01) and not torch.allclose(second, third, atol=0.01)


def test_what_happens_inside_is_that_of_the_last_way():
    painting = tried(Reader([-3.0, -1.0], [-0.1, -0.1]))
    inside = diffusion.Inside(painting, 3)
    list(painting)
    assert inside.rows()[1][:3] == ["step 9: there", "step 12: there", "step 15: there"]


def test_it_ends_when_all_are_sure():
    assert len(list(tried(Reader([-3.0, -0.1], [-0.2, -0.1])))) == 16
    assert len(list(tried(Reader([-3.0, -0.1], [-0.2, -5.0])))) == 16, "each of some try"


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("at", [3, 8, 11])
def test_it_goes_on_as_if_never_stopped(sampler, at):
    answers = [-3.0, -1.0], [-2.0, -5.0], [-9.0, -4.0]
    straight = list(tried(Reader(*answers), sampler=sampler))
    first = tried(Reader(*answers), sampler=sampler)
    for _ in range(at):
        next(first)
    second = tried(Reader(*answers[at // 8:]), sampler=sampler)
    second.load_state_dict(first.state_dict())
    rest = list(second)
    assert [(frame.step, frame.total) for frame in rest] == [(f.step, f.total) for f in straight[at:]]
    assert torch.equal(rest[-1].image, straight[-1].image)


def test_an_earlier_state_knows_of_no_later_try():
    painting = tried(Reader([-3.0, -1.0], [-0.1, -0.1], [-0.2, -0.2]))
    for _ in range(5):
        next(painting)
    state = painting.state_dict()
    straight = list(painting)
    assert straight[-1].step == 16
    painting.load_state_dict(state)
    assert (painting.steps, painting.step, painting.tries.best) == (8, 5, None)
    assert len(list(painting)) == 3, "now it is sure at once"


class Odds:
    names = ["car", "boat", "cat"]
    process = type("process", (), {"sigmas": LEVELS.flip(0)})

    def __init__(self, *rows):
        self.rows = torch.tensor(rows)

    def __call__(self, x, sigma):
        assert sigma == pytest.approx(float(LEVELS[-1])), "as if nothing lay over it"
        return self.rows.log()


@pytest.mark.parametrize("prompts, sure", [
    ("a cat", [math.log(0.5), math.log(0.1)]), ("fog ^ a boat | a cat:-1", [math.log(0.3), math.log(0.8)]),
    ("a boat beside a car", [math.log(0.3 * 0.2) / 2 + math.log(2), math.log(0.8 * 0.1) / 2 + math.log(2)])])
def test_how_sure_a_classifier_is(prompts, sure):
    reader = Odds([0.2, 0.3, 0.5], [0.1, 0.8, 0.1])
    found = classes.surely(Settings.of(prompts=prompts), reader, torch.zeros(2, 3, 8, 8))
    assert found.tolist() == pytest.approx(sure, abs=1e-5)


@pytest.fixture
def doubting(monkeypatch):
    """A built-in classifier that is sure of nothing."""
    load = adm_classifier.load

    def doubt(name, device, **more):
        reader = load(name, device, **more)

        def odds(x, sigma):
            return reader(x, sigma) * 0
        odds.names, odds.process = reader.names, reader.process
        return odds
    monkeypatch.setattr(adm_classifier, "load", doubt)


def paint(**values):
    from helpers.systems import clip_guided_diffusion
    few = {"steps": 2, "width": 48, "height": 48, "overview": "1", "crops": "1", "upscaler": "", "every": 1}
    return clip_guided_diffusion.paint(Settings.of(**few | values))


def test_the_knob(doubting):
    assert len(list(paint(prompts="a cat", classifier="auto", tries=3))) == 6
    assert len(list(paint(prompts="a cat", classifier="auto", tries=1))) == 2
    assert len(list(paint(prompts="moon", classifier="auto", tries=3))) == 2, "of this it knows nothing"
    assert len(list(paint(prompts="a cat", classifier="", tries=3))) == 2
