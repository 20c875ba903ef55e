"""The judge's table: what is asked, what is painted only once, and the row that comes of it."""

import json
import warnings
from collections import Counter

import numpy as np
import pytest
import small_system
import torch

from helpers import systems
from helpers.errors import Refused
from helpers.world import drawing, judge, quality, scenes, words


def test_a_hundred_prompts_half_of_them_held_out():
    held, wanted = quality.asked()
    told = [words.prompt(s) for s in wanted]
    assert len(set(told)) == 100 and held == [False] * 50 + [True] * 50
    assert held == [scenes.held_out(s.first, s.relation, s.second) for s in wanted]
    assert Counter((h, bool(s.second)) for h, s in zip(held, wanted, strict=True)) == {
        (False, False): 40, (False, True): 10, (True, False): 40, (True, True): 10}
    known = set(words.vocabulary())
    assert all(set(text.split()) <= known for text in told)
    assert all(s.style == "flat" and s.first.count == 1 for s in wanted)
    assert quality.asked() == (held, wanted)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A system that paints in no time, an untrained judge, and nothing in the zoo."""
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "zoo"))
    monkeypatch.setenv("DISCOTHEQUE_TRAIN", str(tmp_path / "train"))
    monkeypatch.setenv("REHEARSAL", "0")
    monkeypatch.setattr(quality, "GALLERY", tmp_path)
    monkeypatch.setitem(systems.SYSTEMS, "small", "small_system")
    torch.manual_seed(0)
    reader = judge.Judge().eval().requires_grad_(False)
    monkeypatch.setattr(judge, "load", lambda device="cpu": reader)
    painted, paint = [], small_system.paint
    monkeypatch.setattr(small_system, "paint", lambda settings: painted.append(settings) or paint(settings))
    return painted


def measure(**options):
    *said, row = quality.measure("small", knobs={"steps": 2}, count=4, **options)
    return said, row


def test_a_stopped_measurement_goes_on(small):
    said = quality.measure("small", knobs={"steps": 2}, count=4)
    assert next(said).startswith("small 1/4, ") and next(said).endswith(small[1].prompts)
    said.close()
    said, row = measure()
    assert len(said) == 4 and len(small) == 4, "two were there already"
    assert [s.seed for s in small] == [0, 25, 50, 75] and len({s.prompts for s in small}) == 4
    assert row["n"] == 4 and row["seconds"] >= 0 and row["held_out"].keys() == set(quality.SHOWN)
    assert all(0 <= row[name] <= 1 for name in quality.SHOWN)
    assert measure()[1] == row and len(small) == 4


def test_other_settings_weights_or_words_are_painted_anew(small, tmp_path, monkeypatch):
    measure()
    list(quality.measure("small", knobs={"steps": 3}, count=4))
    assert len(small) == 8, "a knob was turned"
    measure()
    assert len(small) == 8, "the first ones are still there"
    monkeypatch.setattr(quality.weights, "fingerprint", lambda name: f"retrained {name}")
    measure()
    assert len(small) == 12, "a network was retrained"
    note = next((tmp_path / "train" / "quality" / "small").glob("*/025.json"))
    note.write_text(json.dumps({"prompt": "something else", "seconds": 1}))
    note.with_name("050.png").unlink()
    monkeypatch.setattr(quality, "key", lambda settings: note.parent.name)
    measure()
    assert [s.seed for s in small[12:]] == [25, 50], "the prompt changed; the picture was lost"


@pytest.mark.parametrize("name", ["adm-world", "secondary-world", "classifier-world", "upscaler-world",
                                  "disco-resnet"])
def test_a_diffusion_is_painted_anew_when_any_of_its_networks_is_retrained(name, monkeypatch):
    settings = systems.load("disco_diffusion").Settings()
    before, kept = quality.key(settings), quality.weights.fingerprint
    monkeypatch.setattr(quality.weights, "fingerprint", lambda one: kept(one) + " retrained" * (one == name))
    assert quality.key(settings) != before


@pytest.mark.parametrize(("prior", "counts"), [(0, False), ("0: 0, 1: 3", True)])
def test_the_network_of_a_prior_counts_where_that_acts(prior, counts, monkeypatch):
    settings = systems.load("big_sleep").Settings(prior=str(prior))
    before, kept = quality.key(settings), quality.weights.fingerprint
    monkeypatch.setattr(quality.weights, "fingerprint", lambda one: kept(one) + " new" * (one == "adm-world"))
    assert (quality.key(settings) != before) == counts


def test_workers_paint_the_same(small):
    *said, row = quality.measure("small", workers=2, knobs={"steps": 2}, count=2)
    assert len(said) == 2 and not small, "painted in processes of their own"
    folder = next((quality.home() / "quality" / "small").iterdir())
    together = [(folder / f"{i:03}.png").read_bytes() for i in (0, 50)]
    for note in folder.glob("*.json"):
        note.unlink()
    *_, alone = quality.measure("small", knobs={"steps": 2}, count=2)
    assert together == [(folder / f"{i:03}.png").read_bytes() for i in (0, 50)]
    assert len(small) == 2 and {**alone, "seconds": 0} == {**row, "seconds": 0}


def test_an_unknown_system_is_refused():
    with pytest.raises(Refused, match="no system called 'deepdaze'; did you mean 'deep_daze'?"):
        next(quality.measure("deepdaze"))


def test_pixels_become_tensors_without_a_warning():
    pixels = drawing.draw(scenes.sample(np.random.default_rng(0)), 32)
    with warnings.catch_warnings(action="error"):
        image = quality.from_pixels(pixels)
    assert image.shape == (1, 3, 32, 32) and image[0, 1, 2, 3] == pixels[2, 3, 1] / 255


def test_the_table_is_written_after_every_system(small, tmp_path, monkeypatch, capsys):
    row = dict.fromkeys(quality.SHOWN, 0.5)
    monkeypatch.setattr(quality, "TABLE", tmp_path / "quality.json")
    monkeypatch.setattr(quality, "ends", lambda: {"ceiling": row})
    said = iter(["small 1/1", {**row, "n": 1}])
    monkeypatch.setattr(quality, "measure", lambda system, workers, knobs, count: said)
    quality.TABLE.write_text(json.dumps({"old": row}))
    quality.main(["small", "--workers", "2"])
    assert list(json.loads(quality.TABLE.read_text())) == ["old", "ceiling", "small"]
    assert "small 1/1" in (out := capsys.readouterr().out) and "small                 0.50" in out


def test_a_diffusion_is_measured_once_more_without_guidance():
    assert list(quality.rows("clip_guided_diffusion")) == [
        ("clip_guided_diffusion", {}), ("clip_guided_diffusion, unguided", {"guidance_scale": "0"})]
    assert list(quality.rows("gan")) == [("gan", {})]
