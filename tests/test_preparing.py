"""Commands for pictures to begin with: what they keep is what the functions make, and the panel's editors."""

from pathlib import Path

import numpy as np
import pytest
import stand_ins
from PIL import Image

from helpers import cropping, images, outpainting, picture_files, runs, systems
from helpers.errors import Refused
from helpers.knobs import knobs
from helpers.panel import Panel


@pytest.fixture(autouse=True)
def workshop(monkeypatch, tmp_path):
    """A folder to work in, with a picture of 96 x 64 pixels."""
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.delenv("REHEARSAL", raising=False)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(stand_ins.photo(height=64, width=96)).save("photo.png")


def pixels(picture):
    return np.asarray(picture if isinstance(picture, Image.Image) else picture_files.load(picture)).tolist()


def refused(run, line):
    """What a command says that leaves nothing behind."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    status, out, err = run(*line.split())
    assert (status, out) == (2, "")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    return err.removesuffix("\n")


# ---------------------------------------------------------------- a part

@pytest.mark.parametrize("words, box", [
    (["8,4,40,36"], (8, 4, 40, 36)), (["8, 4, 40, 36"], (8, 4, 40, 36)), (["0,0,96,64"], (0, 0, 96, 64)),
    (["--shape", "256"], (16, 0, 80, 64)), (["--shape=3x2"], (0, 0, 96, 64)),
    (["0,0,48,64", "--shape", "3x2"], (0, 16, 48, 48))])
def test_a_part(run, words, box):
    assert run("crop", "photo.png", *words, "--to", "parts/part.png") == (0, "picture  parts/part.png\n", "")
    assert pixels("parts/part.png") == pixels(cropping.cut(cropping.opened("photo.png"), box))


def test_a_part_is_what_the_panel_keeps_and_what_a_plain_cell_has(run):
    panel = Panel("vqgan_clip", init_image="photo.png", width=128, height=128)
    crop = panel._boxes["init_image"].children[1].children[2]       # below the upload
    from test_outpainting import press
    press(crop, "Crop")
    press(crop, "Use this part")
    assert run("crop", "photo.png", "--shape", "128x128", "--to", "part.png")[0] == 0
    assert pixels("part.png") == pixels(panel.settings.init_image) == \
        pixels(cropping.crop("photo.png", shape=(128, 128)))


def test_what_is_clear_stays_clear(run):
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save("clear.png")
    assert run("crop", "clear.png", "0,0,32,32", "--to", "part.png")[0] == 0
    assert Image.open("part.png").getpixel((0, 0)) == (255, 0, 0, 0)


WANTED = "it is four whole numbers, LEFT,TOP,RIGHT,BOTTOM: try 0,0,320,240"


@pytest.mark.parametrize("line, said", [
    ("photo.png --to a.png", "all of the picture is no part of it; a part is a rectangle, or of a shape: "
                             "try 0,0,320,240 or --shape 4x3"),
    ("photo.png 0,0,97,64 --to a.png", "the part reaches from 0, 0 to 97, 64; the picture has 96 x 64 "
                                       "pixels: stay within it"),
    ("photo.png 90,0,300,64 --shape 1 --to a.png", "the part reaches from 90, 0 to 300, 64; the picture has "
                                                   "96 x 64 pixels: stay within it"),
    ("photo.png 40,0,8,64 --to a.png", "the part has -32 x 64 pixels; it needs at least 16 each way: "
                                       "take more of the picture"),
    ("photo.png 0,0,32 --to a.png", f"the rectangle is '0,0,32'; {WANTED}"),
    ("photo.png 0,0,nan,64 --to a.png", f"the rectangle is '0,0,nan,64'; {WANTED}"),
    ("photo.png 0,0,３２,64 --to a.png", f"the rectangle is '0,0,３２,64'; {WANTED}"),
    (f"photo.png 0,0,{'9' * 9},64 --to a.png", f"the rectangle is '0,0,{'9' * 9},64'; {WANTED}"),
    ("photo.png --shape 0x5 --to a.png", "shape is (0, 5); it is a width and a height above 0: "
                                         "try (256, 192)"),
    ("photo.png --shape big --to a.png", "shape is 'big'; it must be a side, or width x height: "
                                         "try 256 or 256x128"),
    ("photo.png --shape 999999999x1 --to a.png", "the part has 96 x 1 pixels; it needs at least 16 each way: "
                                                 "take more of the picture"),
    ("photo.png 0,0,32,32 --to a.jpg", "'a.jpg' does not end in .png; a PNG keeps every pixel as it is: "
                                       "try part.png"),
    ("photo.png 0,0,32,32 --to ./photo.png", "'./photo.png' is the picture itself; it would be lost: "
                                             "choose another name"),
    ("photo.png 0,0,32,32", "the following arguments are required: --to; "
                            "python -m helpers crop --help lists what there is"),
    ("photos.png 0,0,32,32 --to a.png", "there is no file 'photos.png'; did you mean 'photo.png'?")])
def test_what_is_no_part(run, line, said):
    assert refused(run, f"crop {line}") == said


def test_a_rectangle_sticks_out_before_it_is_shaped():
    with pytest.raises(Refused, match="stay within it"):
        cropping.part_of("photo.png", (-20, 0, 40, 64), (1, 1))


# ---------------------------------------------------------------- a mask

@pytest.mark.parametrize("words, spans", [
    ([], {}), (["--across", "0,0.5"], {"across": (0, 0.5)}),
    (["--down=.5, 1", "--across", "0.1,0.9"], {"across": (0.1, 0.9), "down": (0.5, 1)})])
def test_a_mask(run, words, spans):
    assert run("mask", "photo.png", *words, "--to", "mask.png") == (0, "mask     mask.png\n", "")
    assert pixels("mask.png") == pixels(outpainting.rectangle("photo.png", **spans))


@pytest.mark.parametrize("line, said", [
    ("--down 0.5,0.5", "down goes from 0.5 to 0.5; a rectangle lies between 0 and 1: try 0.25 to 0.75"),
    ("--down -0.5,0.5", "down goes from -0.5 to 0.5; a rectangle lies between 0 and 1: try 0.25 to 0.75"),
    ("--across 0,1e999", "across goes from 0 to inf; a rectangle lies between 0 and 1: try 0.25 to 0.75"),
    ("--across 0.5", "across is '0.5'; it goes from one share of the picture to another: try 0.25,0.75"),
    ("--across nan,1", "across is 'nan,1'; it goes from one share of the picture to another: try 0.25,0.75"),
    ("--acros 0,1", "no setting called 'acros'; did you mean 'across'?")])
def test_what_is_no_mask(run, line, said):
    assert refused(run, f"mask photo.png {line} --to a.png") == said


# ---------------------------------------------------------------- a larger canvas

FEW = ["--steps", "2", "--crops", "2", "--perceptors", "disco-resnet"]


@pytest.fixture
def small(monkeypatch):
    """Networks that paint in no time."""
    stand_ins.install(monkeypatch)


def outpainted(run, *words):
    status, out, err = run("outpaint", *words)
    assert status == 0, err
    return runs.open(out.splitlines()[-1].removeprefix("run      "))


def test_a_picture_is_painted_around(run, small):
    made = outpainted(run, "photo.png", "--right", "96", "--size", "96x64", "--prompts", "fog", *FEW)
    larger, mask = outpainting.extend("photo.png", right=96)
    settings = made.settings
    assert (made.system, settings.prompts, settings.width, settings.height) == ("vqgan_clip", "fog", 192, 64)
    assert pixels(settings.init_image) == pixels(larger) and pixels(settings.mask) == pixels(mask)
    assert picture_files.load(made.picture).size == (192, 64) and made.manifest["status"] == "finished"


@pytest.mark.parametrize("grown", [{"left": 16}, {"right": 40, "down": 30},
                                   {"left": 10, "right": 20, "up": 1000}])
def test_a_canvas_is_that_of_the_panel(grown):
    """In a plain cell, of a picture that is painted at twice its size; sides snap as they do there."""
    from test_outpainting import editor, press
    panel = Panel("vqgan_clip", init_image="photo.png", width=192, height=128)
    settings = outpainting.enlarged("photo.png", panel.settings, **grown)
    for name in outpainting_order(grown):
        editor(panel).larger.sides[name].value = grown[name]
    if {"left", "right"} <= grown.keys():       # both were snapped there, where only the last one has to be
        editor(panel).larger._set(left=grown["left"])
        editor(panel).larger.sides["right"].value = grown["right"]
    press(panel.knobs, "Extend")
    assert (settings.width, settings.height) == (panel.settings.width, panel.settings.height)
    assert pixels(settings.init_image) == pixels(panel.settings.init_image)
    assert pixels(settings.mask) == pixels(panel.settings.mask)


def outpainting_order(grown):
    return [name for name in ("left", "right", "up", "down") if name in grown]


def test_what_was_painted_here_keeps_its_knobs(run, small):
    status, out, err = run("paint", "fog", "--seed", "5", "--size", "64x32", "--smoothness", "3", *FEW)
    assert status == 0, err
    picture = out.split()[1]
    first = outpainted(run, picture, "--left", "32", "--seed", "6")
    now = first.settings
    assert (now.prompts, now.seed, now.steps, now.width, now.height) == ("fog", 6, 2, 96, 32)
    assert now.smoothness == runs.load(picture).smoothness
    second = outpainted(run, str(first.picture), "--up", "32")          # and again
    assert (second.settings.width, second.settings.height) == (96, 64)
    other = outpainted(run, picture, "--left", "32", "--system", "vqgan_clip", "--size", "64x32", *FEW)
    assert other.settings.seed == 0 and other.settings.prompts != "fog"


@pytest.mark.parametrize("name", [name for name in systems.SYSTEMS
                                  if "mask" in knobs(systems.load(name).Settings)])
def test_every_system_that_knows_masks_takes_it(name):
    cls = systems.load(name).Settings
    settings = outpainting.enlarged("photo.png", cls(), right=64)
    picture = images.open(settings.init_image)
    white = images.open_mask(settings.mask, settings.width, settings.height, over=picture)
    assert abs(white.mean() - np.asarray(settings.mask).mean() / 255) < 0.05


@pytest.mark.parametrize("line, said", [
    ("photo.png", "the picture is extended by nothing; it grows left, right, up or down: "
                  "give one of them pixels, say 128"),
    ("photo.png --left 2049", "left is 2049; it must be between 0 and 2048 pixels: try 128"),
    ("photo.png --left -8", "left is '-8'; it must be a whole number"),
    ("photo.png --left much", "left is 'much'; it must be a whole number"),
    (f"photo.png --up {'9' * 5000}", f"up is '{'9' * 5000}'; it must be a whole number"),
    ("photo.png --left 2000 --right 2000", "the picture grows by 2000 and 2000 pixels; it may grow by 2048 "
                                           "in each direction: do it twice"),
    ("photo.png --left 9 --mask m.png", "mask is given; outpaint makes it of the picture: leave it out"),
    ("photo.png --left 9 --init_image=x.png", "init_image is given; outpaint makes it of the picture: "
                                              "leave it out"),
    ("photo.png --left 9 --system pix2pix", "these settings have no mask; a larger canvas is painted where "
                                            "its mask is white: choose another system, say vqgan_clip"),
    ("photo.png --left 9 --system deepdaze", "no system called 'deepdaze'; did you mean 'deep_daze'?"),
    ("photo.png --lfet 9", "no setting called 'lfet'; did you mean 'left'?"),
    ("photos.png --left 9", "there is no file 'photos.png'; did you mean 'photo.png'?"),
    ("--left 9", "the following arguments are required: picture; "
                 "python -m helpers outpaint --help lists what there is")])
def test_what_cannot_be_painted_around(run, line, said):
    assert refused(run, f"outpaint {line}") == said


def test_help_of_each(capsys):
    from helpers import cli
    for command in ("crop", "mask", "outpaint"):
        with pytest.raises(SystemExit) as left:
            cli.main([command, "--help"])
        assert left.value.code == 0 and "PICTURE" in capsys.readouterr().out
