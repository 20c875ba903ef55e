"""Arrangement: things that a prompt puts beside, over or on another, each in its part of the picture."""

import pytest
import torch
from stand_ins import Eye

from helpers import arrangement, systems
from helpers.guides import Guide, Part, Prompts
from helpers.systems import wiring
from helpers.world import words
from helpers.world.grading import asked

ABOVE, BESIDE = arrangement.ABOVE, arrangement.BESIDE


@pytest.mark.parametrize("text, things, boxes", [
    ("a red clock over a yellow car in snow", ("a red clock in snow", "a yellow car in snow"), ABOVE),
    ("A cat beside two dogs", ("A cat", "two dogs"), BESIDE),
    ("a cat next to a dog, at night", ("a cat, at night", "a dog, at night"), BESIDE),
    ("an oil painting of a cat on a blue car in a park", ("an oil painting of a cat in a park",
                                                          "an oil painting of a blue car in a park"), ABOVE),
    ("a woman riding a horse, pencil sketch", ("a woman, pencil sketch", "a horse, pencil sketch"), ABOVE),
    ("fog over a castle", ("fog", "a castle"), ABOVE),
    ("a train flying over a city on a clear day", ("a train on a clear day", "a city on a clear day"), ABOVE),
])
def test_two_things_are_told_apart(text, things, boxes):
    assert arrangement.parts(text) == list(zip(things, boxes, strict=True))


@pytest.mark.parametrize("text", [
    "", "over", "over a car", "a car over", "a red lighthouse by the sea at sunset", "a car on a sunny day",
    "a house in a park on a sunny day", "a cat on a clear day in a park", "a boat in a storm", "a lover",
    "a cat over a " + "very " * 100 + "old dog"])
def test_one_thing_is_left_alone(text):
    assert arrangement.parts(text) == []


def test_it_reads_the_prompts_of_the_world():
    for scene in asked()[1]:
        apart = scene.second and scene.relation != "in"         # a crowd is all around
        assert bool(arrangement.parts(words.prompt(scene))) == bool(apart)


class Mean(Guide):
    def forward(self, image, progress=0.0):
        return image.mean()


def test_a_part_is_all_that_is_seen():
    image = torch.zeros(1, 3, 10, 20)
    image[..., 2:8, 10:20] = 1
    image.requires_grad_()
    part = Part(Mean(), (0.5, 0.2, 1, 0.8))
    assert part.score(image) == {"parts": 1}
    slope, = torch.autograd.grad(part(image), image)
    assert torch.equal(slope > 0, image > 0)


def terms(prompts, system="clip_guided_diffusion", **values):
    """What a perceptor is made to look for: (weight, its text's number of targets, box or None)."""
    settings = systems.load(system).Settings.of(prompts=prompts, **values)
    studio = wiring.Studio(settings)
    studio.eyes = [Eye(16)]
    return [(round(weight, 3), type(guide), getattr(guide, "box", None))
            for weight, guide in wiring.wishes(settings, studio, 10).terms]


def test_parts_share_with_the_whole():
    assert terms("a cat over a dog", arrange=0.25) == [
        (0.75, Prompts, None), (0.25, Part, ABOVE[0]), (0.25, Part, ABOVE[1])]
    assert terms("a cat over a dog", arrange=0) == terms("a cat") == [(1, Prompts, None)]
    assert terms("a cat | a cat over a dog:-1") == [(0.5, Prompts, None)], "what is kept away has no place"
    two = terms("a cat over a dog | a boat beside a car", arrange=0.5)
    assert [box for _, _, box in two] == [None, *ABOVE, *BESIDE]


def test_a_part_is_looked_at_less():
    settings = systems.load("disco_diffusion").Settings.of(prompts="a cat over a dog")
    studio = wiring.Studio(settings)
    studio.eyes = [Eye(16)]
    whole, first, second = (guide for _, guide in wiring.wishes(settings, studio, 10).terms)
    for progress in (0.0, 1.0):
        assert len(whole.cutouts.boxes(48, 48, progress)) == 16
        assert len(first.guide.cutouts.boxes(48, 48, progress)) == 5
    assert torch.isfinite(first(torch.rand(1, 3, 48, 48))), "and each is a look at its part"
