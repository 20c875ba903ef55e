"""BigSleep leaves one dream for another where the words change; on a stand-in with four classes."""

import pytest
import stand_ins
import torch

from helpers import prompts, runs, states
from helpers.systems import big_sleep, dreams


@pytest.fixture(autouse=True)
def workshop(monkeypatch, tmp_path):
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path))
    stand_ins.install(monkeypatch)


def small(**values):
    base = big_sleep.Settings().rehearsal().to_dict() | {"prompts": "a boat", "steps": 40, "every": 1}
    return big_sleep.Settings.from_dict(base | values)


def channel(images, k):
    return images[:, k].mean((1, 2)) - images.mean((1, 2, 3))


@pytest.fixture(autouse=True)
def likes(monkeypatch):
    """Boats are red and cats are blue here."""
    def liking(scene, studio):
        words = [prompt.text for prompt in scene if prompt.weight > 0]
        return lambda images: channel(images, 0 if words == ["a boat"] else 2)
    monkeypatch.setattr(dreams, "liking", liking)


def chance(k):
    """What most pictures begun anywhere show of a channel at most."""
    made = big_sleep.paint(small(search=0, pictures=16))
    return channel(made.image(), k).quantile(0.7)


def after(made, steps):
    for frame in made:
        if frame.step == steps:
            return frame
    return None


def test_a_prompt_that_begins_on_the_way_is_no_other_dream():
    made = big_sleep.paint(small(prompts="a boat | a cat @50%", search=64, learning_rate=1e-6, ema=0))
    assert channel(after(made, 1).image, 0).min() > chance(0), "the cat is not looked for yet"
    z = made.canvas.z.detach().clone()
    assert after(made, 30) and not made.memory.get("glide")
    assert torch.allclose(z, made.canvas.z, atol=1e-3)


def test_another_scene_is_another_dream():
    made = big_sleep.paint(small(prompts="a boat ^ a cat", pictures=2, search=64, learning_rate=1e-6, ema=0))
    red = after(made, 20).image
    assert channel(red, 0).min() > chance(0)
    z = made.canvas.z.detach().clone()
    after(made, 21)
    assert made.memory["glide"] == dreams.GLIDE - 1 and not torch.equal(z, made.canvas.z)
    blue = after(made, 20 + dreams.GLIDE).image
    assert channel(blue, 2).min() > max(chance(2), channel(red, 2).max()) and not made.memory["glide"]
    assert torch.allclose(made.canvas.z, made.memory["next.z"], atol=1e-3)
    assert not torch.equal(made.canvas.z[0], made.canvas.z[1]), "each picture dreams on its own"


def test_what_is_kept_away_from_is_not_named():
    scene = prompts.scenes("a cat | a dog:-1")[0]
    canvas = big_sleep.paint(small()).canvas
    assert dreams.named_in(scene, canvas) == [2]


def test_words_changed_by_hand_change_the_dream_and_weights_do_not(tmp_path):
    run = runs.start("big_sleep", small(search=64, learning_rate=1e-6, ema=0))
    made = run.paint()
    after(made, 5)
    run.turn(made, prompts="a boat:0.5")
    after(made, 6)
    assert "glide" not in made.memory
    run.turn(made, prompts="a cat")
    final = after(made, 40)
    assert channel(final.image, 2) > chance(2)
    again = runs.start("big_sleep", run.settings, live=run.manifest["live"])
    assert torch.equal(after(again.paint(), 40).image, final.image)


@pytest.mark.parametrize("stop", [19, 23, 39])
def test_a_story_goes_on_as_if_never_stopped(stop, tmp_path):
    settings = small(prompts="a boat ^ a cat")
    whole = after(big_sleep.paint(settings), 40)
    made = big_sleep.paint(settings)
    after(made, stop)
    states.save(tmp_path / "state.safetensors", made.state_dict())
    resumed = big_sleep.paint(settings, states.load(tmp_path / "state.safetensors"))
    assert torch.equal(after(resumed, 40).image, whole.image)


@pytest.mark.parametrize("values", [{"search": 0}, {"init_image": stand_ins.photo()}])
def test_a_picture_that_was_not_searched_for_is_not_left(values):
    made = big_sleep.paint(small(prompts="a boat ^ a cat", **values))
    after(made, 25)
    assert "glide" not in made.memory


def test_the_dream_that_was_seen_is_the_one_that_goes_on(tmp_path):
    """Latents come as they were shown, a running mean, not as the last step left them."""
    made = big_sleep.paint(small(steps=30, ema=0.9, learning_rate=0.1))
    seen = after(made, 30).image
    states.save(tmp_path / "state.safetensors", made.state_dict())
    on = big_sleep.paint(small(latents=str(tmp_path / "state.safetensors"), search=0))
    assert torch.allclose(on.image(), seen, atol=1e-5)
