"""Pix2pix: the network, the sketches it learns from, the system; on a small network of random weights."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from stand_ins import photo

from helpers import images, runs, weights
from helpers.errors import Refused
from helpers.networks import pix2pix
from helpers.systems import pix2pix as system
from helpers.world import drawing, scenes
from helpers.world.train import data, sketches
from helpers.world.train.looks import to_tensor

CONFIG = {"widths": [8, 8, 12, 12, 16], "top": 8, "z_dim": 4, "told": 16, "reader": 4,
          "styles": list(scenes.STYLES)}


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def built(config=CONFIG):
    """One of random weights whose styles, chance and reading of colors can be seen."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        net = pix2pix.build(config)
        for module in net.modules():
            if isinstance(module, pix2pix.Told):
                torch.nn.init.normal_(module.say.weight, 0, 0.5)
        torch.nn.init.normal_(net.reader.out.weight, 0, 20)
    return net


@pytest.fixture(autouse=True)
def zoo(tmp_path, monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.delenv("REHEARSAL", raising=False)
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "zoo"))
    (tmp_path / "zoo").mkdir()
    return put(tmp_path / "zoo", "pix2pix-world")


def put(folder, name, config=CONFIG):
    """A member of a zoo, with its card."""
    path = folder / f"{name}.safetensors"
    save_file(built().state_dict(), path)
    path.with_suffix(".json").write_text(json.dumps({"kind": "pix2pix", "config": config}))
    return path


def drawn(side=64, paper=255, ink=0):
    """A house, drawn with a brush."""
    sheet = Image.new("RGB", (side, side), (paper,) * 3)
    lines = [(16, 52), (16, 28), (32, 12), (48, 28), (48, 52), (16, 52)]
    ImageDraw.Draw(sheet).line([(x * side // 64, y * side // 64) for x, y in lines], (ink,) * 3, 3)
    return np.asarray(sheet)


def test_pictures_keep_their_size_whatever_it_is():
    net = built()
    for height, width in ((64, 64), (96, 160), (32, 32)):
        image = net(torch.rand(2, 3, height, width), torch.tensor([0, 3]), torch.randn(2, 4))
        assert image.shape == (2, 3, height, width) and 0 <= image.min() and image.max() <= 1
    with pytest.raises(Refused) as refusal:
        net(torch.rand(1, 3, 60, 100), 0, torch.randn(1, 4))
    assert str(refusal.value) == "the picture is 100 x 60; its sides go in steps of 32: try 96 x 64"
    with pytest.raises(Refused) as refusal:
        net(torch.rand(1, 3, 64, 64), 0, torch.randn(1, 5))
    assert str(refusal.value) == "z is (1, 5); here it is (n, 4): draw it anew"


def test_every_style_and_every_chance_paints_otherwise():
    net, z = built(), torch.randn(6, 4, generator=dice())
    image = torch.rand(1, 3, 64, 64, generator=dice())
    styled = net(image, torch.arange(6), z[:1])
    colored = net(image, 2, z)
    for several in (styled, colored):
        apart = (several[:, None] - several[None]).abs().mean((2, 3, 4))
        assert apart[~torch.eye(6, dtype=bool)].min() > 0.002
    assert torch.allclose(styled[2], colored[0], atol=1e-5)
    assert torch.allclose(net(image, torch.eye(6), z[:1]), styled), "how much of each, or which"


def test_what_is_painted_depends_on_all_of_the_picture():
    """Down to the layer between the halves, and back."""
    net, image = built(), torch.rand(1, 3, 64, 64, generator=dice()).requires_grad_()
    net(image, 0, torch.zeros(1, 4))[0, 0, 2, 2].backward()
    assert (image.grad.abs().amax((0, 1)) > 0).float().mean() > 0.99


def test_it_learns_a_pair_of_pictures():
    net, z = built(), torch.zeros(1, 4)
    given, wanted = images.open(drawn(), 32, 32), images.open(photo(), 32, 32)
    adam, losses = torch.optim.Adam(net.parameters(), 1e-2), []
    for _ in range(60):
        loss = (net(given, 1, z) - wanted).abs().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert all(p.grad is not None for name, p in net.named_parameters() if not name.startswith("reader"))


def test_chance_can_be_read_off_a_picture():
    net = built()
    mean, spread = net.read(torch.rand(3, 3, 64, 64, generator=dice()))
    assert mean.shape == spread.shape == (3, 4) and not torch.allclose(mean[0], mean[1])
    assert net.read(torch.rand(2, 3, 96, 160))[0].shape == (2, 4), "of any size"


def test_it_is_loaded_frozen(zoo):
    for name in ("pix2pix-world", str(zoo)):
        net = pix2pix.load(name)
        assert not net.training and not any(p.requires_grad for p in net.parameters())
    image, z = torch.rand(1, 3, 64, 64), torch.randn(1, 4)
    assert torch.allclose(net(image, 3, z), built()(image, 3, z), atol=1e-5)
    assert net.number("oil") == 4
    with pytest.raises(Refused) as refusal:
        net.number("water color")
    assert str(refusal.value) == "no style called 'water color'; did you mean 'watercolor'?"


def test_weights_that_do_not_fit_are_refused(zoo, tmp_path):
    wrong = {"other": CONFIG | {"z_dim": 5}, "bare": {}}
    for name, config in wrong.items():
        put(tmp_path, name, config)
        with pytest.raises(Refused) as refusal:
            pix2pix.load(str(tmp_path / f"{name}.safetensors"))
        assert refusal.value.wrong.startswith(f"{tmp_path / name}.safetensors does not hold the pix2pix")
        assert (refusal.value.allowed, refusal.value.advice) == (
            "its card says how it is built, and its weights fit that",
            "check the file and the .json card beside it")
    zoo.write_bytes(zoo.read_bytes()[:-1000])
    with pytest.raises(Refused, match="pix2pix-world.safetensors is damaged .*; it should be"):
        pix2pix.load("pix2pix-world")
    with pytest.raises(Refused, match="no pix2pix called 'pix2pix-word'; did you mean 'pix2pix-world'?"):
        pix2pix.load("pix2pix-word")


@pytest.fixture(scope="module")
def plain():
    """Scenes in plain style and where their things are."""
    shown = [data.alike(6 * i) for i in range(8)]
    return to_tensor(np.stack([drawing.draw(s, 128) for s in shown]), "cpu"), data.masks(shown)


def test_sketches_are_dark_lines_on_white_paper(plain):
    made = sketches.sketch(*plain, dice(1))
    assert made.shape == plain[0].shape and torch.equal(made[:, 0], made[:, 2])
    blank = (made[:, 0] == 1).float().mean((1, 2))
    assert blank.min() > 0.5 and blank.mean() > 0.75, "paper"
    assert (made[:, 0] < 0.3).float().mean((1, 2)).min() > 0.005, "strokes"
    assert torch.equal(made, sketches.sketch(*plain, dice(1)))
    other = sketches.sketch(*plain, dice(2))
    assert (other != made).flatten(1).any(1).all()


def test_sketches_show_what_is_there(plain):
    pictures, things = plain
    alone = sketches.sketch(pictures, things, dice(1), alone=1)
    around = torch.nn.functional.max_pool2d(things, 15, 1, 7)
    ink = 1 - alone[:, :1]
    assert (ink * (1 - around)).sum() < 0.02 * ink.sum(), "nothing but the things"
    whole = sketches.sketch(pictures, things, dice(1), alone=0)
    assert (whole < 0.5).sum() > 1.2 * (alone < 0.5).sum()
    blank = sketches.sketch(torch.full((2, 3, 64, 64), 0.4), torch.zeros(2, 1, 64, 64), dice())
    assert (blank == 1).all()


def test_scenes_alike_differ_in_style_alone():
    six = [data.alike(12 + i) for i in range(6)]
    assert [s.style for s in six] == list(scenes.STYLES)
    assert len({(s.first, s.second, s.place, s.sky, s.seed) for s in six}) == 1
    assert data.alike(6).seed != six[0].seed


def small(**values):
    base = system.Settings().rehearsal().to_dict() | {"init_image": drawn()}
    return system.Settings.from_dict(base | values)


def picture(**values):
    (frame,) = system.paint(small(**values))
    return frame.image


def test_a_sketch_is_painted_at_once_in_several_colorings():
    (frame,) = system.paint(small(pictures=6))
    assert (frame.step, frame.total, frame.image.shape) == (1, 1, (6, 3, 64, 64))
    assert not torch.allclose(frame.image[0], frame.image[1], atol=0.01)
    assert torch.equal(frame.image, picture(pictures=6))
    assert not torch.allclose(frame.image, picture(pictures=6, seed=1), atol=0.01)
    assert picture(width=96, height=32).shape == (2, 3, 32, 96)


def test_every_knob_turns_the_picture():
    before = picture()
    for values in ({"style": "oil"}, {"colors": photo()}, {"init_image": photo()}):
        assert not torch.allclose(before, picture(**values), atol=0.005), values
    assert not torch.allclose(picture(colors=photo()), picture(colors=photo(1)), atol=0.005)
    gray = {"init_image": drawn(paper=170, ink=90)}
    assert (picture(**gray) - before).abs().mean() > 2 * (picture(**gray, clean=True) - before).abs().mean()


def test_a_photographed_sketch_is_cleaned():
    lit = torch.linspace(0.4, 0.9, 128).expand(1, 3, 128, 128)
    photographed = images.open(drawn(128)) * lit * 0.9 + 0.05
    clean = system.cleaned(photographed)
    assert clean.shape == photographed.shape and (clean - images.open(drawn(128))).abs().mean() < 0.03
    assert (system.cleaned(torch.full((1, 3, 64, 64), 0.7)) == 1).all(), "an empty sheet"


@pytest.mark.parametrize("values, message", [
    ({"init_image": " "}, "init_image is empty; pix2pix paints from a sketch or a picture: draw one, black "
                          "on white, or give the path of one"),
    ({"init_image": "nowhere.png"}, "nowhere.png"),
    ({"style": "cubism"}, "style is 'cubism'; choose one of 'flat', 'watercolor', 'pixel art', 'pencil "
                          "sketch', 'oil', 'photorealistic'"),
    ({"pictures": 17}, "pictures is 17; it must be between 1 and 16: try 16"),
    ({"width": 100}, "width is 100; it goes in steps of 32: try 96 or 128"),
    ({"painter": "pix2pix"}, "no pix2pix called 'pix2pix'"),
])
def test_refusals(values, message):
    with pytest.raises(Refused) as refusal:
        picture(**values)
    assert message in str(refusal.value)


def test_a_run_is_kept_and_painted_again(tmp_path):
    run = runs.start("pix2pix", small(), tmp_path / "runs")
    frames = list(runs.record(run.paint(), run))
    assert run.picture.exists() and run.manifest["status"] == "finished"
    assert run.manifest["weights"] == {"pix2pix-world": weights.fingerprint("pix2pix-world")}
    again = runs.resume(run.folder)
    assert list(again) == [] and torch.equal(again.image(), frames[0].image)
