"""The embedded world: scenes, pictures, captions, and the judge's arithmetic."""

import numpy as np
import pytest
import torch

from helpers.errors import Refused
from helpers.world import drawing, judge, scenes, words


def some(n, held=False):
    return [scenes.sample(np.random.default_rng([1, i]), held) for i in range(n)]


def test_the_world_is_as_large_as_promised():
    assert len(scenes.THINGS) >= 28 and len(scenes.COLORS) == 10
    assert len(scenes.PLACES) == 8 and len(scenes.SKIES) == 6 and len(scenes.STYLES) == 6
    assert set(scenes.RELATIONS) == {"over", "beside", "on", "in"}


@pytest.mark.parametrize("style", scenes.STYLES)
@pytest.mark.parametrize("size", [64, 128, 96])
def test_every_style_draws_at_any_size(style, size):
    for scene in some(3):
        picture = drawing.draw(scenes.Scene(**{**scene.__dict__, "style": style}), size)
        assert picture.shape == (size, size, 3) and picture.dtype == np.uint8 and picture.std() > 5


@pytest.mark.parametrize("size, message", [
    (8, "size is 8; it must be between 16 and 2048: try 16"),
    (4096, "size is 4096; it must be between 16 and 2048: try 2048"),
])
@pytest.mark.parametrize("made", [drawing.draw, drawing.mask, drawing.depth])
def test_sizes_have_limits(made, size, message):
    with pytest.raises(Refused) as refused:
        made(some(1)[0], size)
    assert str(refused.value) == message


def test_the_smallest_size_and_an_odd_one():
    scene = some(1)[0]
    for size in (16, 33):
        assert drawing.draw(scene, size).shape == (size, size, 3)
        assert drawing.mask(scene, size).shape == drawing.depth(scene, size).shape == (size, size)


CAT, BOAT = scenes.Item("cat", "red"), scenes.Item("boat", "blue")      # on each other: held out


@pytest.mark.parametrize("made, message", [
    (lambda: scenes.Item("robt", "red"), "no thing called 'robt'; did you mean 'robot'?"),
    (lambda: scenes.Item("cat", "purpel"), "no color called 'purpel'; did you mean 'purple'?"),
    (lambda: scenes.Item("cat", "red", 7), "7 things of a kind; a scene shows 1 to 4: try 4"),
    (lambda: scenes.Scene(CAT, place="forrest"), "no place called 'forrest'; did you mean 'forest'?"),
    (lambda: scenes.Scene(CAT, "under", BOAT),
     "no relation called 'under'; choose one of 'over', 'beside', 'on', 'in'"),
    (lambda: scenes.Scene(CAT, "on"),
     "relation 'on' with 1 of two things; two things have a relation, one has none: give both or neither"),
    (lambda: drawing.mask(scenes.Scene(CAT), 32, 1),
     "index is 1; the scene has 1 of them: count the kinds of things from 0"),
    (lambda: scenes.sample(np.random.default_rng(0), first=scenes.Item("car", "green"), relation="",
                           second=None),
     "no trained scene has first, relation, second as given; held_out(first, relation, second) tells the "
     "side: try held=True"),
])
def test_what_the_world_does_not_know_is_refused(made, message):
    with pytest.raises(Refused) as refused:
        made()
    assert str(refused.value) == message


def test_a_sample_with_fixed_parts():
    scene = scenes.sample(np.random.default_rng(0), True, first=CAT, relation="on", second=BOAT, sky="night")
    assert (scene.first, scene.relation, scene.second, scene.sky) == (CAT, "on", BOAT, "night")


def test_a_scene_is_always_drawn_alike():
    scene = some(1)[0]
    assert (drawing.draw(scene, 64) == drawing.draw(scene, 64)).all()


@pytest.mark.parametrize("thing", scenes.THINGS)
def test_every_thing_shows_its_color_and_has_a_mask(thing):
    one, other = (
        scenes.Scene(scenes.Item(thing, color), place="desert", seed=3) for color in ("blue", "red")
    )
    mask = drawing.mask(one, 64)
    assert mask.min() == 0 and mask.max() == 1 and 0.02 < mask.mean() < 0.6
    a, b = (drawing.draw(s, 64).astype(float) for s in (one, other))
    changed = np.abs(a - b).sum(-1) > 30
    assert changed.sum() > 60, "the color must be seen"
    assert (mask[changed] > 0).mean() > 0.95, "and nowhere but on the thing"


def test_masks_of_two_things_do_not_overlap():
    scene = scenes.Scene(scenes.Item("cat", "red"), "beside", scenes.Item("house", "blue"), seed=2)
    assert (np.minimum(drawing.mask(scene, 64, 0), drawing.mask(scene, 64, 1)) > 0.6).sum() == 0


def test_depth_puts_sky_far_and_ground_near():
    scene = scenes.Scene(scenes.Item("lighthouse", "red"), seed=4)
    depth = drawing.depth(scene, 64)
    assert depth.shape == (64, 64) and depth[:6, :6].max() == 0 and depth[-1].min() > 0.8
    thing, row = drawing.mask(scene, 64) > 0.9, np.arange(64)[:, None].repeat(64, 1)
    assert depth[thing & (row < 30)].mean() > 0.5, "a thing is nearer than the sky behind it"


def test_held_out_is_a_tenth_and_never_trained():
    pairs = [scenes.held_out(scenes.Item(t, c)) for t in scenes.THINGS for c in scenes.COLORS]
    assert sum(pairs) == len(pairs) // 10
    triples = [
        scenes.held_out(scenes.Item(a, free(a)), r, scenes.Item(b, free(b)))
        for a in scenes.THINGS
        for r in ("over", "beside", "on")
        for b in scenes.THINGS
        if a != b
    ]
    assert 0.08 < np.mean(triples) < 0.12
    assert not any(scenes.held_out(s.first, s.relation, s.second) for s in some(300))
    assert all(scenes.held_out(s.first, s.relation, s.second) for s in some(100, held=True))


def free(thing):
    return next(c for c in scenes.COLORS if not scenes.held_out(scenes.Item(thing, c)))


def test_captions_are_varied_known_words_and_true():
    known, told = set(words.vocabulary()), set()
    for i, scene in enumerate(some(300)):
        text = words.caption(scene, np.random.default_rng(i))
        told.add(text)
        assert set(text.replace(",", "").split()) <= known, text
        names = words.NAMES.get(scene.first.thing, [scene.first.thing])
        assert any(n in text or words.PLURALS.get(n, n + "s") in text for n in names), text
        said = [w for style in words.STYLE_WORDS for w in words.STYLE_WORDS[style] if style != "flat"]
        assert any(all(part in text for part in w.split("{}")) for w in said) == (scene.style != "flat"), text
    assert len(told) > 290


def test_the_words_that_can_be_shown():
    rng = np.random.default_rng(3)
    for scene in (scenes.sample(rng) for _ in range(200)):
        assert words.nouns(words.noun(scene.first, rng)) and len(words.nouns(words.prompt(scene))) > 1
    for table in (words.PLACE_WORDS, words.SKY_WORDS):
        assert all(words.nouns(phrase) for options in table.values() for phrase in options)
    for nothing in (*scenes.COLORS, *words.SHADES, *sum(words.STYLE_WORDS.values(), []), "old, dark and big"):
        assert not words.nouns(nothing), nothing
    assert words.nouns("Two ponies OVER a dragon's sea") == {"ponies", "sea"}


def test_articles():
    scene = scenes.Scene(
        scenes.Item("apple", "orange"), "beside", scenes.Item("ruins", "white"), place="sea", sky="night"
    )
    assert words.prompt(scene) == "an orange apple beside white ruins by the sea at night"
    assert (
        words.prompt(scenes.Scene(scenes.Item("woman", "red", 2), style="oil", sky="storm"))
        == "an oil painting of two red women in a meadow in a storm"
    )


def perfect(chosen):
    """What a judge that is never wrong would read."""
    truth = judge.labels(chosen)
    reading = {"thing": truth["thing"] * 20 - 10}
    color = torch.zeros(len(chosen), len(scenes.THINGS), len(scenes.COLORS))
    reading["color"] = color.scatter(2, truth["color"].clamp(min=0)[..., None], 20.0)
    return reading | {
        k: torch.nn.functional.one_hot(truth[k], len(judge.HEADS[k])) * 20.0 for k in judge.HEADS
    }


def test_grades_of_a_perfect_reading_and_of_a_shifted_one():
    chosen = some(60)
    right = judge.grades(perfect(chosen), chosen)
    assert all(v.all() for v in right.values())
    wrong = judge.grades(perfect(chosen[1:] + chosen[:1]), chosen)
    assert wrong["thing"].float().mean() < 0.2 and wrong["color"].float().mean() < 0.2


def test_r_precision_knows_right_from_chance():
    chosen = some(60)
    assert judge.r_precision(perfect(chosen), chosen).all()
    assert judge.r_precision(perfect(chosen[1:] + chosen[:1]), chosen).float().mean() < 0.1


def test_the_judge_reads_any_size():
    reading = judge.Judge().eval()(torch.rand(2, 3, 100, 80))
    assert reading["thing"].shape == (2, len(scenes.THINGS)) and reading["color"].shape == (2, 32, 10)
    assert {k: reading[k].shape[1] for k in judge.HEADS} == {k: len(v) for k, v in judge.HEADS.items()}
