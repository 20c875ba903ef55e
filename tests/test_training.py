"""Training: it resumes where it stopped; what it publishes can be read; every part does its work."""

import functools
import gzip
import itertools
import json
import sys
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import nn
from torch.nn import functional as F

from helpers import perceptors, weights
from helpers.errors import Refused
from helpers.networks import biggan as gans
from helpers.networks import adm as denoisers
from helpers.networks import adm_classifier as classifiers
from helpers.networks import biggan_training
from helpers.networks import pix2pix as translators
from helpers.networks import secondary as seconds
from helpers.networks import upscaler as enlargers
from helpers.networks import vqgan as networks
from helpers.world import drawing, judge, scenes, words
from helpers.world.train import __main__ as command
from helpers.world.train import (adm, biggan, classifier, codes, common, contrast, critic, data, features,
                                 looks, orthogonal, perceptor, pix2pix, secondary, tokens, upscaler, vqgan)

TINY = {"embed_dim": 8, "vision_cfg": {"image_size": 64, "layers": [1] * 4, "width": 8, "head_width": 16},
        "text_cfg": {"context_length": 32, "width": 16, "heads": 2, "layers": 1}}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """States and zoo in a folder of their own, and a clock that takes one second per step."""
    monkeypatch.setenv("DISCOTHEQUE_TRAIN", str(tmp_path / "train"))
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "zoo"))
    monkeypatch.setattr(common, "time", SimpleNamespace(monotonic=functools.partial(next, itertools.count())))
    return tmp_path


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


class Student:
    """A layer that learns to be the identity, 40 steps long; state is kept every 9 seconds."""

    def __init__(self, name="student", **options):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layer = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
        self.optimizer = torch.optim.AdamW(self.layer.parameters(), 0.1)
        self.training = common.Training(name, {"layer": self.layer}, {"layer": self.optimizer}, 40 / 60,
                                        averaged="layer", decay=0.9, keep_every=8, **options)
        self.rates = []

    def work(self, step, progress):
        if step == getattr(self, "killed_at", None):
            raise KeyboardInterrupt
        self.rates.append(self.optimizer.param_groups[0]["lr"])
        x = torch.randn(16, 3, generator=dice(step))
        loss = (self.layer(x) - x).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss, "progress": progress}

    def weights(self):
        parts = (self.layer, self.training.average)
        return torch.cat([v.flatten().double() for part in parts for v in part.state_dict().values()])


def test_a_killed_training_resumes_to_the_same_weights():
    whole, killed = Student("whole"), Student("killed")
    list(whole.training.run(whole.work, every=5))
    killed.killed_at = 23
    with pytest.raises(KeyboardInterrupt):
        list(killed.training.run(killed.work, every=5))
    resumed = Student("killed")
    assert resumed.training.step == resumed.training.seconds == 18, "the last state before the kill"
    list(resumed.training.run(resumed.work, every=5))
    assert resumed.training.step == 40 and resumed.training.log == whole.training.log
    assert torch.equal(resumed.weights(), whole.weights())
    assert list(Student("killed").training.run(None)) == [], "its time is used up"


def test_a_kill_while_saving_leaves_the_state_before(monkeypatch):
    student = Student()
    student.training.step = 7
    student.training.save()

    def broken(state, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    student.training.step = 8
    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(KeyboardInterrupt):
        student.training.save()
    assert Student().training.step == 7


def test_notes_say_step_seconds_and_numbers():
    student = Student()
    first, *_, last = student.training.run(student.work, every=10)
    assert first["step"] == 10 and first["seconds"] == 10 and first["progress"] == 9 / 40
    assert last["step"] == 40 and last["loss"] < first["loss"]


def test_rates_warm_up_and_follow_a_cosine():
    assert common.pace(0) == pytest.approx(0.02) and common.pace(1) == pytest.approx(0.04)
    assert common.pace(0.02) == pytest.approx(1, abs=0.01) and common.pace(0.5) == pytest.approx(0.52)
    falling = [common.pace(p) for p in np.linspace(0.02, 1, 50)]
    assert falling == sorted(falling, reverse=True)
    student = Student()
    list(student.training.run(student.work))
    assert student.rates == pytest.approx([0.1 * common.pace(i / 40) for i in range(40)])


def test_the_average_trails_the_weights():
    student = Student()
    training, layer = student.training, student.layer[0]
    torch.nn.init.zeros_(training.average[0].weight)
    torch.nn.init.ones_(layer.weight)
    training.step = 8
    training.follow()
    assert training.average[0].weight.mean().item() == pytest.approx(0.5), "quickly at first: 9/18 is kept"
    training.step = 10_000
    training.follow()
    assert training.average[0].weight.mean().item() == pytest.approx(0.55), "then by 1 - decay"
    student.layer[1].num_batches_tracked.fill_(5)
    training.follow()
    assert training.average[1].num_batches_tracked == 5 and layer.weight.min() == 1


def test_what_is_published_is_read_back(home):
    student = Student()
    list(student.training.run(student.work, every=1))
    card = common.publish("student", "toy", student.layer, {"width": 3}, student.training, {"loss": 0.5},
                          guide=False)
    read, state = weights.zoo("student")
    assert read == card and read["config"] == {"width": 3} and read["guide"] is False
    assert read["parameters"] == 18 and read["training"]["steps"] == 40 and read["training"]["minutes"] == 0.7
    assert len(read["training"]["curve"]) <= 40 and "CPU" in read["training"]["machine"]
    assert state["0.weight"].dtype == torch.float16 and state["1.num_batches_tracked"].dtype == torch.int64
    student.layer.load_state_dict({k: v.to(student.layer.state_dict()[k]) for k, v in state.items()})
    for file in ("student.safetensors", "student.json"):
        assert (home / "zoo" / file).stat().st_mode & 0o777 == 0o644


def test_processes_share_the_drawing(monkeypatch):
    monkeypatch.setattr(data, "PART", 4)
    shared = data.pictures(10, 16, "mostly-plain-")
    assert all(np.array_equal(drawing.draw(data.plain(i), 16), pixels) for i, pixels in enumerate(shared))


def test_pictures_are_drawn_once_and_batches_depend_on_the_step_alone():
    few = data.Batches(8, count=20, held=10)
    chosen, pixels = few.batch(5)
    assert pixels.shape == (8, 128, 128, 3) and pixels.dtype == np.uint8 and len(chosen) == 8
    again = data.Batches(8, count=20, held=10)
    assert (again.batch(5)[1] == pixels).all() and again.batch(5)[0] == chosen
    epoch = [scene for step in range(3) for scene in few.batch(step)[0]]
    assert len(set(epoch)) == 24, "no picture twice in an epoch"
    held = [scenes.held_out(s.first, s.relation, s.second) for s in few.scenes]
    assert held == [False] * 20 + [True] * 10
    assert len(data.captions(chosen, [0])) == 8 and data.captions(chosen, [0]) == data.captions(chosen, [0])


def test_batches_of_scenes_alike_differ_only_in_what_stands_there():
    few = data.Batches(8, count=600, alike=4)
    mixed = 0
    for step in range(70):
        chosen, _ = few.batch(step)
        counts = Counter((s.place, s.sky) for s in chosen)
        mixed += max(counts.values()) >= 4
        assert len(chosen) == 8 and len(counts) <= 4
    assert mixed > 60
    epoch = [scene for step in range(600 // 8) for scene in few.batch(step)[0]]
    assert len(set(epoch)) == 600, "still every picture once"


def test_rivals_are_wrong_in_one_thing_or_color_and_could_be_asked_for():
    chosen = [data.scene(i) for i in range(300)]
    said, wrong = data.captions(chosen, [5, 1]), data.rivals(chosen, [5, 1])
    assert wrong == data.rivals(chosen, [5, 1]) and all(a != b for a, b in zip(said, wrong, strict=True))
    changed = Counter()
    for i, truth in enumerate(chosen):
        made = data.rival(truth, np.random.default_rng(i))
        assert not scenes.held_out(made.first, made.relation, made.second)
        differ = [name for a, b in zip(truth.items, made.items, strict=True)
                  for name in ("thing", "color", "count") if getattr(a, name) != getattr(b, name)]
        assert len(differ) == 1 and made.place == truth.place and made.sky == truth.sky
        changed[differ[0]] += 1
    assert changed["thing"] > 150 and changed["color"] > 50 and not changed["count"]


@pytest.fixture
def tokenizer():
    size = tokens.write_words()
    made = SimpleTokenizer(bpe_path=str(tokens.words_file()), context_length=16)
    assert made.vocab_size == size
    return made


def test_every_word_of_the_world_is_one_token(tokenizer):
    longer = [word for word in words.vocabulary() if len(tokenizer.encode(word)) != 1]
    assert longer == []
    assert len(tokenizer.encode("a red lighthouse by the sea")) == 6


def test_unknown_words_fall_to_pieces(tokenizer):
    assert len(tokenizer.encode("zyq")) == 3, "letter by letter"
    for word in ("banana", "skyscraper", "redcar"):
        pieces = tokenizer.encode(word)
        assert len(pieces) > 1 and tokenizer.decode(pieces).strip() == word


def test_words_are_written_alike_every_time(tmp_path):
    a, b = tmp_path / "a.gz", tmp_path / "sub" / "b.gz"
    assert tokens.write_words(a) == tokens.write_words(b) and a.read_bytes() == b.read_bytes()
    assert gzip.decompress(a.read_bytes()).startswith(b"#version") and a.stat().st_mode & 0o777 == 0o644


class Eye(nn.Module):
    """As much of a CLIP as an attack needs."""

    def __init__(self):
        super().__init__()
        self.visual = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 6))
        nn.init.normal_(self.visual[1].weight, generator=dice())
        self.logit_scale = nn.Parameter(torch.tensor(2.0))


def test_an_attack_raises_the_loss_within_its_bounds():
    model, images = Eye(), torch.rand(5, 3, 8, 8, generator=dice(1))
    text = F.normalize(torch.randn(5, 6, generator=dice(2)), dim=1)

    def loss(x):
        return contrast.contrast(contrast.encode(model, x, "cpu"), text, model.logit_scale.exp()).item()

    delta = contrast.attack(model, images, text, 0.8, 4, "cpu")
    assert loss(images + delta) > loss(images) + 0.1
    assert contrast.length(delta).max() <= 0.8 + 1e-5 and contrast.length(delta).min() > 0.2
    assert (images + delta).min() >= 0 and (images + delta).max() <= 1
    assert model.visual[1].weight.grad is None, "an attack trains nothing"


def test_the_contrastive_loss_is_lowest_for_matching_pairs():
    rows = F.normalize(torch.randn(6, 8, generator=dice()), dim=1)
    assert contrast.contrast(rows, rows, 50) < 0.1 < contrast.contrast(rows, rows.roll(1, 0), 50)


def test_radii_grow_after_the_warm_up():
    assert perceptor.radius(0.05, 3, 0.1) == 0 and perceptor.radius(0.1, 3, 0.1) == 0.75
    assert perceptor.radius(0.5, 3, 0.1) == pytest.approx(3) and perceptor.radius(1, 3, 0.1) == 3
    assert perceptor.radius(0, 3, 0) == 3, "nothing to warm up"


def test_sentences_are_read_as_open_clip_reads_them(monkeypatch):
    monkeypatch.setitem(perceptor.CONFIGS, "disco-resnet", TINY)
    model, tokenizer, _ = perceptor.build("disco-resnet")
    said = ["a cat", "a watercolor of three crimson horses next to a golden lighthouse in the woods at dusk"]
    with torch.no_grad():
        theirs = F.normalize(model.encode_text(tokenizer(said)), dim=1)
        ours = contrast.tell(model, tokenizer, said, "cpu")
    assert torch.allclose(ours, theirs, atol=0.02), "but for bfloat16"
    assert (ours * theirs).sum(1).min() > 0.999 > (ours[0] * ours[1]).sum()


def test_names_of_what_is_shown():
    chosen = [scenes.Scene(scenes.Item("cat", "red", 3)),
              scenes.Scene(scenes.Item("bird", "white"), "on", scenes.Item("car", "red"))]
    told = data.names(np.random.default_rng(1))
    both, alone = data.named(chosen)
    assert len(told) == both.shape[1] + alone.shape[1] and both.shape[1] == len(data.PAIRS)
    assert not any(scenes.held_out(item) for item in data.PAIRS)
    for part, start in ((both, 0), (alone, len(data.PAIRS))):
        assert torch.equal(part.sum(1), torch.ones(2)) and part.max(1).values.tolist() == [1.0, 0.5]
        shown = [{told[start + i] for i in row.nonzero().flatten()} for row in part]
        assert all(any(n in t for n in ("cat", "kitten")) for t in shown[0])
        assert any("bird" in t or "crow" in t for t in shown[1]) and len(shown[1]) == 2
    rows = F.normalize(torch.randn(both.shape[1] + alone.shape[1], 64, generator=dice()), dim=1)
    right = F.normalize(torch.cat([both, alone], 1) @ rows, dim=1)
    good = contrast.naming(right, rows, [both, alone], 50.0)
    assert good < contrast.naming(right.flip(0), rows, [both, alone], 50.0) / 4


def book(rows):
    codes_ = nn.Parameter(F.normalize(rows, dim=1))
    return SimpleNamespace(quantize=SimpleNamespace(table=lambda: F.normalize(codes_, dim=1))), codes_


def test_codes_are_the_nearest_and_pass_the_slope_straight_through():
    model, rows = book(torch.eye(4))
    z = torch.zeros(1, 4, 1, 2)
    z[0, 2, 0, 0], z[0, 1, 0, 1], z[0, 3, 0, 1] = 5.0, 2.0, 1.0
    z.requires_grad_()
    found, loss, index = codes.look_up(model, z)
    assert index.tolist() == [2, 1] and torch.allclose(found[0, :, 0, 0], torch.eye(4)[2])
    weight = torch.randn(found.shape, generator=dice())
    slope, = torch.autograd.grad((found * weight).sum(), z, retain_graph=True)
    plain, = torch.autograd.grad((F.normalize(z, dim=1) * weight).sum(), z, retain_graph=True)
    assert torch.allclose(slope, plain, atol=1e-6)
    loss.backward()
    assert loss > 0 and rows.grad.abs().sum() > 0 and z.grad.abs().sum() > 0


def test_a_census_revives_dead_codes_and_leaves_the_living():
    rows, tally = nn.Parameter(torch.eye(4)[:3].clone()), nn.Parameter(torch.zeros(3), False)
    census = codes.Census(rows, tally, fade=0.5)
    census.count(torch.tensor([1, 1, 2]))
    assert census.live == 2 and tally.tolist() == [0, 2, 1]
    z = torch.randn(2, 4, 2, 2, generator=dice())
    census.restart(z, dice(1))
    latents = F.normalize(z, dim=1).permute(0, 2, 3, 1).flatten(0, 2)
    assert census.live == 3 and torch.equal(rows.data[1:], torch.eye(4)[1:3])
    assert (latents - rows.data[0]).norm(dim=1).min() < 1e-6, "a latent of the batch"
    for _ in range(9):
        census.count(torch.tensor([0]))
    assert census.live == 1, "what is not used fades"


def test_codes_settle_among_the_latents_and_where_these_count_most():
    latents = F.normalize(torch.randn(4000, 6, generator=dice()), dim=1)
    counts = torch.where(latents[:, 0] > 0, 9.0, 1.0)
    table = F.normalize(torch.randn(64, 6, generator=dice(1)), dim=1)
    table[:5] = table[5]                        # of six alike at most one serves anything
    away = list(codes.settle(table, latents, counts, dice(2)))
    assert len(away) == 8 and away == sorted(away, reverse=True) and away[-1] < 0.8 * away[0]
    assert torch.allclose(table.norm(dim=1), torch.ones(64), atol=1e-5)
    assert len((latents @ table.T).argmax(1).unique()) == 64, "all are in use again"
    assert (table[:, 0] > 0).float().mean() > 0.6, "most are where latents count most"


def test_looks_keep_shape_range_and_dice():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    images = looks.to_tensor(pixels, "cpu")
    assert images.shape == (6, 3, 32, 32) and images.max() <= 1
    assert images[0, 2, 3, 4] == pixels[0, 3, 4, 2] / 255
    seen = looks.look(images, 16, dice(3))
    assert seen.shape == (6, 3, 16, 16) and seen.min() >= 0 and seen.max() <= 1
    assert torch.equal(seen, looks.look(images, 16, dice(3)))
    whole = looks.look(images, 32, dice(), whole=1.1)
    same = [torch.allclose(a, b, atol=1e-5) or torch.allclose(a.flip(-1), b, atol=1e-5)
            for a, b in zip(images, whole, strict=True)]
    assert all(same), "whole pictures, flipped or not"
    stormy = looks.weather(images, dice(4))
    assert stormy.shape == images.shape and stormy.min() >= 0 and stormy.max() <= 1
    assert not torch.equal(stormy, images) and torch.equal(stormy, looks.weather(images, dice(4)))
    assert torch.equal(looks.weather(images, dice(), share=0.0), images)


def test_a_perceptor_trains_resumes_and_is_published(monkeypatch):
    monkeypatch.setitem(perceptor.CONFIGS, "disco-resnet", TINY)
    monkeypatch.setattr(perceptor, "measure", functools.partial(perceptor.measure, count=100))
    recipe = functools.partial(perceptor.train, "disco-resnet", batch=16, warm=0.0, count=64)
    *_, metrics = recipe(minutes=2 / 60)
    assert set(metrics) == {f"{what}, {side} pairs, {kind}" for side in ("seen", "held-out")
                            for what in ("R@1 of 100", "nearer than 8 rivals")
                            for kind in ("clean", "attacked")}
    assert weights.zoo("disco-resnet")[0]["training"]["steps"] == 2
    *_, metrics = recipe(minutes=4 / 60)
    card, _ = weights.zoo("disco-resnet")
    assert card["training"]["steps"] == 4 and card["metrics"] == metrics, "it went on, not over"
    assert card["training"]["data"] == "helpers.world, scenes 0 to 63"
    eye = perceptors.load("disco-resnet")
    assert eye.size == 64 and eye.unknown_words("a red skyscraper") == ["skyscraper"]
    assert eye.encode_image(torch.rand(2, 3, 64, 64)).shape == (2, 8)


def test_training_goes_on_from_what_was_published(home):
    student = Student()
    list(student.training.run(student.work))
    card = common.publish("student", "toy", student.training.average, {}, student.training, {})
    other = Student(name="student", further=True)
    assert other.training.step == 40, "a state that is left counts for more"
    (home / "train" / "student" / "state.pt").unlink()
    other = Student(name="student", further=True)
    assert other.training.step == 0
    half = {k: v.half() if v.is_floating_point() else v
            for k, v in student.training.average.state_dict().items()}
    for part in (other.layer, other.training.average):
        assert all(torch.equal(v, half[k].to(v)) for k, v in part.state_dict().items())
    assert common.publish("student", "toy", other.layer, {}, other.training, {})["training"]["before"] == \
        card["training"]
    with pytest.raises(Refused, match="no embedded network called 'nobody'"):
        Student(name="nobody", further=True)


def test_batches_made_ahead_for_a_gpu_are_the_same(monkeypatch):
    monkeypatch.setitem(perceptor.CONFIGS, "disco-resnet", TINY)
    turns = perceptor.Lesson("disco-resnet", "cpu", 16, 3.0, 0.0, count=64).turns
    ahead = turns.after(2, "cuda")
    for turn in (2, 3):
        one, same = next(ahead), turns[turn]
        assert torch.equal(one["images"], same["images"]) and torch.equal(one["said"], same["said"])
        assert torch.equal(one["truth"][1], same["truth"][1]) and torch.equal(one["delta"], same["delta"])
        assert torch.allclose(contrast.length(one["delta"]), one["radii"] / 2, rtol=1e-4)
    assert not torch.equal(turns[2]["images"], turns[3]["images"])


@pytest.mark.parametrize("warm", [0.1, 0.2, 0.3])
def test_attacks_may_begin_at_any_step(monkeypatch, warm):
    """Texts are led back once for each batch, wherever the warm-up ends among the replays."""
    monkeypatch.setitem(perceptor.CONFIGS, "disco-resnet", TINY)
    lesson, shown = perceptor.Lesson("disco-resnet", "cpu", 16, 3.0, warm, count=64), []
    for step in range(10):
        numbers = lesson(step, step / 10)
        shown.append(lesson.shown["images"])
        assert (numbers["radius"] > 0) == (step / 10 >= warm)
    first = round(warm * 10)
    seen = [sum(other is one for other in shown) for one in shown]
    assert seen[:first] == [1] * first and seen[first:first + 6] == [3] * 6


def test_a_vqgan_trains_and_is_published(home, monkeypatch):
    few = functools.partial(data.Batches, count=64)
    monkeypatch.setattr(data, "Batches", few)
    zoo_of_strangers(monkeypatch)
    small = vqgan.CONFIG | {"n_embed": 64, "ddconfig": vqgan.CONFIG["ddconfig"] | {"ch_mult": [1, 1, 1, 1]}}
    monkeypatch.setattr(vqgan, "CONFIG", small)
    monkeypatch.setattr(vqgan, "measure", functools.partial(vqgan.measure, count=4))
    *_, metrics = vqgan.train(minutes=8 / 60, batch=4)
    card, _ = weights.zoo("vqgan-world")
    assert card["training"]["steps"] == 8 and card["config"] == small
    assert set(metrics) == {"L1", "codes in use", "judge on originals", "judge on reconstructions"}
    net = networks.load("vqgan-world")
    assert {m.num_groups for m in net.modules() if isinstance(m, nn.GroupNorm)} == {small["groups"]}
    (data.home() / "vqgan-world" / "state.pt").unlink()
    before = weights.zoo("vqgan-world")[1]
    list(vqgan.train(minutes=3 / 60, batch=4, further=True))
    after = weights.zoo("vqgan-world")[1]
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"decoder", "post_quant_conv"}, "latents stay what they were"


def zoo_of_strangers(monkeypatch):
    """A guide and a judge that know nothing."""
    monkeypatch.setitem(perceptor.CONFIGS, "disco-resnet", TINY)
    model, _, config = perceptor.build("disco-resnet")
    student = Student()
    common.publish("disco-resnet", "perceptor", model, config, student.training, {})
    common.publish("judge", "judge", judge.Judge(), {"trunk": "resnet10t"}, student.training, {})


def test_a_critic_learns_to_tell(monkeypatch):
    zoo_of_strangers(monkeypatch)
    tells = critic.Critic(features.load("disco-resnet", "cpu"), 2, width=8, beside=1)
    adam, rng = torch.optim.Adam(tells.parameters(), 3e-3), dice()
    asked = torch.eye(2)[torch.arange(16) % 2]
    beside = asked[:, :1, None, None].expand(16, 1, 64, 64)
    losses = []
    for _ in range(15):     # real: dark or bright, as the class says; fake: the reverse
        real = asked[:, 1:, None, None] * 0.6 + 0.4 * torch.rand(16, 3, 64, 64, generator=rng)
        loss = critic.told(tells(real, asked, beside), tells(real.flip(0), asked, beside))
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0] and not any("features" in name for name in tells.state_dict())
    fake = real.flip(0).requires_grad_()
    critic.fooled(tells(fake, asked, beside)).backward()
    better = (fake - 0.1 * fake.grad / fake.grad.abs().max()).detach()
    assert critic.fooled(tells(better, asked, beside)) < critic.fooled(tells(fake, asked, beside))


def test_shaken_pictures_keep_their_slopes():
    images = torch.rand(4, 3, 32, 32, generator=dice()).requires_grad_()
    seen = critic.shaken(images, dice(1))
    assert seen.shape == images.shape and torch.equal(seen, critic.shaken(images, dice(1)))
    assert torch.equal(critic.shaken(images, dice(), reach=0, hole=0), images)
    assert ((seen == 0.5).all(1).flatten(1).sum(1) > 0).any(), "a part is missing"
    seen.sum().backward()
    assert images.grad.abs().sum() > 0


def test_a_biggan_trains_and_is_published(monkeypatch):
    zoo_of_strangers(monkeypatch)
    config = biggan.CONFIG | {"width": 4, "n_stats": 3}
    measure = biggan.measure
    for name, value in (("CONFIG", config),
                        ("measure", lambda model, device, count=0: measure(model, device, 64)),
                        ("measure_", functools.partial(biggan_training.measure_, batches=1)),
                        ("Lesson", functools.partial(biggan.Lesson, looks=2))):
        monkeypatch.setattr(biggan, name, value)
    drawn = [data.few(i) for i in range(40)]
    assert not any(scenes.held_out(s.first, s.relation, s.second) for s in drawn)
    assert {(s.style, s.first.count) for s in drawn} == {("flat", 1)} and any(s.second for s in drawn)
    recipe = functools.partial(biggan.train, other="disco-resnet", batch=4, count=40)
    *_, last, metrics = recipe(minutes=50 / 60)
    card, state = weights.zoo("biggan-world")
    assert set(metrics) == {f"{what}, truncation {t}" for what in ("thing", "pairs") for t in ("0.6", "1")}
    assert {"told", "fooled", "named", "thing", "pairs"} <= set(last) and card["names"] == list(scenes.THINGS)
    net = gans.load("biggan-world")
    z, classes = torch.randn(3, 64, generator=dice()), torch.eye(32)[:3]
    assert net.size == 64 and net(z, classes, 0.6).shape == (3, 3, 64, 64)
    again = biggan_training.go_on_(biggan_training.trainable(gans.build(config)), state)
    for _ in range(30):     # sigma of what is normed already comes to 1
        again(z, classes)
    plain = gans.build(config)
    plain.load_state_dict({k: v.float() for k, v in state.items()})
    assert (again.eval()(z, classes) - plain.eval()(z, classes)).abs().mean() < 0.02 < plain(z, classes).std()
    *_, metrics = recipe(minutes=51 / 60, further=True)
    assert weights.zoo("biggan-world")[0]["training"]["before"] == card["training"]
    with pytest.raises(Refused, match="no embedded network called 'nobody'"):
        next(recipe(other="nobody"))


def test_a_pix2pix_trains_resumes_and_is_published(monkeypatch):
    zoo_of_strangers(monkeypatch)
    config = pix2pix.CONFIG | {"widths": [8, 8, 8, 8, 8], "top": 4, "reader": 2}
    monkeypatch.setattr(pix2pix, "CONFIG", config)
    monkeypatch.setattr(pix2pix, "measure", functools.partial(pix2pix.measure, count=7))
    recipe = functools.partial(pix2pix.train, batch=4, count=3)
    (metrics,) = recipe(minutes=2 / 60)
    kinds = ["sketches", "pencil sketches", "pictures"]
    assert set(metrics) == {f"L1, {kind}" for kind in [*kinds, "sketches, colors told", "two colorings"]} | {
        f"{what}, {side} {kind}" for what in ("style", "thing") for side in ("from", "true, for")
        for kind in kinds}
    net, before = translators.load("pix2pix-world"), weights.zoo("pix2pix-world")[0]
    assert net.styles == list(scenes.STYLES) and before["training"]["steps"] == 2
    assert net(torch.rand(1, 3, 64, 96), 1, torch.randn(2, net.z_dim)).shape == (2, 3, 64, 96)
    recipe = functools.partial(recipe, minutes=3 / 60)
    list(recipe())
    assert weights.zoo("pix2pix-world")[0]["training"]["steps"] == 3, "it went on, not over"
    with pytest.raises(Refused, match="no embedded network called 'nobody'"):
        next(recipe(guide="nobody"))


def test_a_pix2pix_learns_of_each_quarter_what_it_should(monkeypatch):
    """Sketches painted by chance have no target."""
    zoo_of_strangers(monkeypatch)
    lesson = pix2pix.Lesson("cpu", 4, "disco-resnet", 3)
    given, wanted, styles = lesson.shown(dice(1))
    assert given.shape == wanted.shape == (4, 3, 128, 128)
    gray = [torch.equal(image[0], image[1]) for image in given]
    assert gray == [True, True, True, False], "three quarters are sketches"
    first, told = lesson.painted(given, wanted, styles, dice(1))
    assert told > 0 and first.shape == wanted.shape
    maps = [torch.rand(4, 2, 3, 3)]
    far = torch.zeros(4, 3, 128, 128)
    far[2] = 1
    assert lesson.compared(far, torch.zeros_like(far), maps, maps) == {"pixel": 0, "near": 0}
    far[1] = 1
    assert lesson.compared(far, torch.zeros_like(far), maps, maps)["pixel"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("recipe, door, numbers", [
    (adm, denoisers, {"a thing, samples", "a thing, told", "a thing, real", "the thing told",
                      "distance", "distance, real"}),
    (secondary, seconds, {"noise 0.3", "noise 1", "noise 3", "noise 10", "without"}),
    (classifier, classifiers, {"noise 0.1", "noise 0.5", "noise 1", "noise 3"})])
def test_networks_of_diffusion_train_resume_and_are_published(recipe, door, numbers, monkeypatch):
    zoo_of_strangers(monkeypatch)
    smaller = {"widths": [4, 8]} if recipe is secondary else {"num_channels": 32, "channel_mult": "1,1"}
    monkeypatch.setattr(recipe, "CONFIG", recipe.CONFIG | smaller)
    monkeypatch.setattr(recipe, "measure", functools.partial(recipe.measure, count=4))
    monkeypatch.setattr(adm, "told", lambda chosen, step: torch.full((len(chosen),), 5))
    if recipe is classifier:
        begun = denoisers.build(adm.CONFIG | smaller)
        common.publish("adm-world", "adm", begun.unet, adm.CONFIG | smaller, Student().training, {})
    name = f"{recipe.__name__.rpartition('.')[2]}-world"
    (metrics,) = recipe.train(minutes=2 / 60, batch=2, count=6)
    assert set(metrics) == numbers and all(value >= 0 for value in metrics.values())
    net, x = door.load(name), torch.randn(2, 3, 64, 64, generator=dice())
    said = net(x, 0.5)
    assert (said.shape == (2, 32)) if recipe is classifier else (said.clean.shape == x.shape)
    list(recipe.train(minutes=3 / 60, batch=2, count=6))
    assert weights.zoo(name)[0]["training"]["steps"] == 3, "it went on, not over"
    if recipe is adm:
        torch.manual_seed(12)       # as the recipe does
        begun, now = denoisers.build(adm.CONFIG | smaller).unet.label_emb.weight, door.load(name)
        moved = (now.unet.label_emb.weight - begun).norm(dim=1) / begun.norm(dim=1)
        assert now.names == adm.NAMES and moved[5] > 2 * moved.median(), "it was told what is there"


def test_a_classifier_begins_with_what_a_denoiser_learned():
    smaller = {"num_channels": 32, "channel_mult": "1,1"}
    learned = denoisers.build(adm.CONFIG | smaller).unet.state_dict()
    unet = classifiers.build(classifier.CONFIG | smaller).unet
    classifier.begin_(unet, learned)
    parts = {key: value for key, value in unet.state_dict().items() if not key.startswith("out.")}
    bias = parts.pop("time_embed.2.bias")
    assert torch.equal(bias, learned["time_embed.2.bias"] + learned["label_emb.weight"][-1])
    assert parts and all(torch.equal(value, learned[key]) for key, value in parts.items())


def test_another_network_is_not_gone_on_from(home):
    student = Student()
    common.publish("student", "toy", student.layer, {}, student.training, {})

    def other(**more):
        layer = nn.Linear(5, 5)
        return common.Training("student", {"layer": layer}, {"layer": torch.optim.SGD(layer.parameters())}, 1,
                               averaged="layer", **more)
    with pytest.raises(Refused, match="published student is not what is trained now; .*leave out --further"):
        other(further=True)
    other().save()
    other()
    with pytest.raises(Refused, match="state.pt is not what is trained now; .*move it away, to begin anew"):
        Student()


def test_an_upscaler_trains_resumes_and_is_published(monkeypatch):
    zoo_of_strangers(monkeypatch)
    monkeypatch.setattr(upscaler, "CONFIG", upscaler.CONFIG | {"num_blocks": 1})
    monkeypatch.setattr(upscaler, "measure", functools.partial(upscaler.measure, count=2))
    (metrics,) = upscaler.train(minutes=2 / 60, batch=2, count=6)
    assert metrics.keys() == {"made, dB", "made, near", "bicubic, dB", "bicubic, near"}
    list(upscaler.train(minutes=3 / 60, batch=2, count=6))
    assert weights.zoo("upscaler-world")[0]["training"]["steps"] == 3, "it went on, not over"
    assert enlargers.upscale(enlargers.load("upscaler-world"), torch.rand(1, 3, 8, 8)).shape == (1, 3, 32, 32)


def test_pictures_are_worn_but_known():
    images = torch.rand(64, 3, 1, 1, generator=dice()).expand(-1, -1, 32, 32).clone()
    worn = upscaler.worn(images, dice())
    away = (worn - images).square().mean((1, 2, 3)).sqrt()
    assert 0 <= worn.min() and worn.max() <= 1 and away.max() < 0.15 and (away < 1e-6).any()
    assert torch.equal(worn, upscaler.worn(images, dice()))


def test_an_adm_learns_to_see_through_noise():
    """Two flat pictures: a few steps, and noise is told from them."""
    torch.manual_seed(0)
    net = denoisers.build(adm.CONFIG | {"num_channels": 32, "channel_mult": "1,1"})
    pixels = np.stack([np.full((64, 64, 3), level, np.uint8) for level in (40, 220)])
    net.to(memory_format=torch.channels_last)
    work = adm.lesson(net, orthogonal.optimizers(net, 1e-2).values(), pixels, 4, "cpu")
    losses = [work(step, 0.0)["loss"].item() for step in range(25)]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:3])


def test_muon_steps_alike_in_every_direction():
    """Gradients of very unequal directions, of a convolution and a linear layer: the weights themselves
    move, by nearly the same along each; a bias moves by its own optimizer; a second gradient counts, too."""
    convolution = torch.nn.Conv2d(8, 12, 3).to(memory_format=torch.channels_last)
    for layer in (convolution, torch.nn.Linear(16, 10)):
        steps, rows = orthogonal.optimizers(layer, 0.1, decay=0), len(layer.weight)
        for k in range(2):
            before = [p.detach().clone() for p in (layer.weight, layer.bias)]
            gradient = torch.randn(rows, layer.weight[0].numel(), generator=dice(k))
            gradient *= 10.0 ** -torch.arange(rows)[:, None].div(4)
            layer.weight.grad = gradient.view_as(layer.weight).clone()
            layer.bias.grad = torch.ones(rows)
            for optimizer in steps.values():
                optimizer.step()
            moved = (before[0] - layer.weight.detach()).reshape(rows, -1)
            lengths = torch.linalg.svdvals(moved)
            assert lengths[0] < 3 * lengths[-1] and (moved * gradient).sum() > 0
            assert (before[1] - layer.bias > 0.05).all()


def test_an_embedding_takes_longer_steps_row_by_row():
    table, norm = torch.nn.Embedding(3, 4), torch.nn.LayerNorm(4)
    steps, before = orthogonal.optimizers(torch.nn.ModuleList([table, torch.nn.Linear(4, 4), norm]), 0.01), \
        table.weight.detach().clone()
    for layer in (table, norm):
        for p in layer.parameters():
            p.grad = torch.zeros_like(p)
    table.weight.grad[1], norm.weight.grad[:] = 1, 1
    steps["adam"].step()
    moved = before - table.weight.detach()
    assert moved[1].mean().item() == pytest.approx(0.1, rel=0.02) and moved[[0, 2]].abs().max() < 0.01
    assert (1 - norm.weight.detach()).mean().item() == pytest.approx(0.01, rel=0.02)


def test_an_adm_is_told_what_is_there_or_nothing():
    chosen = torch.arange(400)
    told, shares = adm.told(chosen, 3), data.named([data.plain(i) for i in range(400)])[1]
    assert torch.equal(told, adm.told(chosen, 3)) and not torch.equal(told, adm.told(chosen, 4))
    untold = told == adm.NAMES.index("anything")
    assert untold.float().mean().item() == pytest.approx(adm.UNTOLD, abs=0.06)
    assert (shares[~untold].gather(1, told[~untold, None]) > 0).all()
    pairs = (shares > 0).sum(1) == 2
    second = shares.argmax(1) != told
    assert 0.2 < second[pairs & ~untold].float().mean() < 0.8, "either of two"


def test_an_adm_heeds_things_most():
    heed, things = adm.heed([3, 8]), data.masks([data.plain(3), data.plain(8)], adm.SIDE)
    assert heed.shape == (2, 1, 64, 64) and heed.mean().item() == pytest.approx(1, abs=1e-4)
    assert heed[things == 1].min() == pytest.approx(5 * heed.min().item(), rel=1e-4)
    assert ((heed == heed.min()) & (things > 0)).sum() == 0


@pytest.mark.parametrize("missing", ["disco-resnet", "judge"])
def test_a_vqgan_asks_first_for_what_it_needs(missing, monkeypatch):
    student = Student()
    for name in {"disco-resnet", "judge"} - {missing}:
        common.publish(name, "toy", student.layer, {}, student.training, {})
    monkeypatch.setattr(vqgan, "Lesson", None)
    with pytest.raises(Refused, match=f"no embedded network called '{missing}'"):
        next(vqgan.train())


def test_all_are_trained_in_an_order_that_works_from_nothing(home, monkeypatch, capsys):
    called = []

    def train(name, minutes=None, device="cpu"):
        called.append((name, minutes, device))
        yield {"loss": 1.0}

    for module in set(command.MEMBERS.values()):
        monkeypatch.setitem(sys.modules, f"helpers.world.train.{module}", SimpleNamespace(train=train))
    command.main(["all"])
    assert called == [("judge", None, "cpu"), ("disco-resnet", None, "cpu"), ("disco-darknet", None, "cpu"),
                      ("vqgan-world", None, "cpu"), ("biggan-world", None, "cpu"),
                      ("pix2pix-world", None, "cpu"),
                      ("adm-world", None, "cpu"), ("secondary-world", None, "cpu"),
                      ("classifier-world", None, "cpu"), ("upscaler-world", None, "cpu")]
    assert 'disco-darknet {"loss": 1.0}' in capsys.readouterr().out
    (home / "zoo").mkdir()
    stages = {"minutes": 4.0, "before": {"minutes": 10.0}}
    (home / "zoo" / "judge.json").write_text(json.dumps({"training": stages}))
    common.put(home / "zoo" / "judge.safetensors", common.safetensors.save({"x": torch.zeros(1)}))
    command.main(["judge", "--device", "cuda"])
    command.main(["judge", "--minutes", "3"])
    again = called[len(command.MEMBERS):]
    assert again == [("judge", 14.0, "cuda"), ("judge", 3.0, "cpu")], "as long as its card says"
    monkeypatch.setitem(sys.modules, "helpers.world.train.judge", SimpleNamespace(
        train=lambda name, further, **rest: iter([called.append((name, further))])))
    command.main(["judge", "--further"])
    assert called[-1] == ("judge", True)
    with pytest.raises(SystemExit):
        command.main(["disco-resnet", "--batch", "8"])
    assert "disco-resnet takes no --batch" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "helpers.world.train.perceptor", SimpleNamespace(
        train=lambda name, device, batch, count: iter([called.append((name, batch, count))])))
    command.main(["disco-resnet", "--batch", "8", "--count", "90"])
    assert called[-1] == ("disco-resnet", 8, 90)


def test_wrong_sentences_cost_what_they_are_worth():
    real, text = (F.normalize(torch.eye(2, 4) + 0.1, dim=1) for _ in range(2))
    plain = contrast.contrast(real, text, 10.0)
    logits = 10 * real @ text.T
    assert plain.item() == pytest.approx(F.cross_entropy(logits, torch.arange(2)).item())
    assert contrast.contrast(real, torch.cat([text, -text]), 10.0) - plain < 1e-4
    assert contrast.contrast(real, torch.cat([text, text[:1]]), 10.0) - plain > 0.1


def test_found_counts_own_sentences():
    eye = torch.eye(4)

    class Model(nn.Module):
        def visual(self, x):
            return x.mean((2, 3)) @ torch.eye(3, 4)
    monkey = torch.stack([eye[:3], eye[[1, 1, 3]]])      # the second rival is the sentence itself
    shown = contrast.standard(torch.zeros(3, 3, 2, 2)) * 0 + torch.eye(3)[:, :, None, None]
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (contrast.MEAN, contrast.STD))
    nearest, alone = perceptor.found(Model(), shown * std + mean, monkey, 0.0, "cpu").tolist()
    assert nearest == 1.0 and alone == pytest.approx(2 / 3)
