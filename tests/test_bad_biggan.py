"""GAN and BigSleep given what cannot be: every face says the same sentence, and no run is left behind."""

import hashlib
import json
import re

import numpy as np
import pytest
import stand_ins
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from helpers import cli, images, perceptors, runs, states, systems
from helpers.errors import Refused
from helpers.knobs import knobs
from helpers.networks import biggan

SYSTEMS = ("gan", "big_sleep")
SMALL = {"gan": {"prompts": "", "pictures": 1, "fit_steps": 2},
         "big_sleep": {"prompts": "moon", "steps": 2, "search": 16, "crops": 1, "overview": 1, "fit_steps": 2,
                       "perceptors": "disco-resnet"}}
CONFIG = {"layers": [[0, 4, 4], [1, 4, 2]], "width": 4, "attention": None, "classes": 4, "z_dim": 6,
          "class_dim": 5, "n_stats": 3}
NAMES = ["car", "boat", "cat", "dog"]

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


@pytest.fixture(autouse=True)
def workshop(monkeypatch, tmp_path):
    """A zoo with one small BigGAN, a perceptor that needs no weights, and a folder for what is given."""
    for name, folder in (("ZOO", "zoo"), ("RUNS", "runs"), ("CACHE", "cache")):
        monkeypatch.setenv(f"DISCOTHEQUE_{name}", str(tmp_path / folder))
    (tmp_path / "catalogue.toml").touch()
    monkeypatch.setenv("DISCOTHEQUE_CATALOGUE", str(tmp_path / "catalogue.toml"))
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.delenv("REHEARSAL", raising=False)
    eye = stand_ins.Eye(16)
    monkeypatch.setattr(perceptors, "load", lambda name, device="cpu", **_: eye)
    (tmp_path / "zoo").mkdir()
    put(tmp_path / "zoo", "biggan-world", kind="biggan", config=CONFIG, names=NAMES)
    (tmp_path / "zoo" / "disco-resnet.json").write_text('{"kind": "perceptor"}')
    (tmp_path / "zoo" / "disco-resnet.safetensors").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder, name, config=CONFIG, **card):
    """A BigGAN of random weights; where something is told of it, with a card."""
    path = folder / f"{name}.safetensors"
    save_file(biggan.build(config).state_dict(), path)
    if card:
        path.with_suffix(".json").write_text(json.dumps({"config": config, **card}))
    return path


def said(system, **values):
    """The one sentence that a notebook, the command line and a system itself have for these knobs."""
    values = SMALL[system] | {"width": 64, "height": 64} | values
    heard = [in_a_notebook(system, values), by_itself(system, values)]
    assert heard[0] == heard[1] and not runs.home().exists()
    return heard[0]


def in_a_notebook(system, values):
    with pytest.raises(Refused) as refusal:
        settings = systems.load(system).Settings.of(**values)
        runs.start(system, settings).paint()
    assert all((refusal.value.wrong, refusal.value.allowed)), "what is wrong, and what is allowed or meant"
    assert str(refusal.value)[-1] not in ".\n"
    return str(refusal.value)


def by_itself(system, values):
    module = systems.load(system)
    with pytest.raises(Refused) as refusal:
        module.paint(module.Settings.of(**values))
    return str(refusal.value)


@pytest.fixture
def typed(capsys):
    """What the command line has to say, with values as they are typed."""
    def typed(system, **values):
        values = SMALL[system] | {"width": 64, "height": 64} | values
        if "init_image" not in values:
            values.pop("fit_steps")         # it does nothing then, and that would be said, too
        words = [word for name, value in values.items() for word in (f"--{name}", str(value))]
        assert cli.main(["paint", "--system", system, *words]) == 2 and not runs.home().exists()
        heard = capsys.readouterr()
        assert heard.out == "" and heard.err.endswith("\n")
        return heard.err[:-1]
    return typed


def test_what_is_good_is_painted(system, workshop):
    """Or else everything below would be refused for reasons of its own."""
    put(workshop, "mine")
    for values in ({}, {"gan": "mine.safetensors", "prompts": "2"}, {"gan": "biggan-world=mine.safetensors"}):
        values = SMALL[system] | {"width": 64, "height": 64} | values
        run = runs.start(system, systems.load(system).Settings.of(**values))
        *_, last = runs.record(run.paint(), run)
        assert last.image.shape == (1, 3, 64, 64) and run.picture.exists()


# ---------------------------------------------------- weights

SIZE = ": check the file, and that it is of this size"
TWO = "8 px, 2 blocks of 16 8 channels"


@pytest.mark.parametrize("change, has, wants", [
    ({"layers": [[0, 4, 2], [1, 2, 1]]}, "8 px, 2 blocks of 8 4 channels", TWO),
    ({"width": 8}, "8 px, 2 blocks of 32 16 channels", TWO), ({"classes": 9}, "classes 9", "classes 4"),
    ({"layers": [[0, 4, 4], [1, 4, 4], [0, 4, 2]]}, "8 px, 3 blocks of 16 16 8 channels", TWO),
    ({"z_dim": 7}, "z_dim 7", "z_dim 6"), ({"attention": 1}, "attention 1", "attention None"),
    ({"n_stats": 4}, "n_stats 4", "n_stats 3")])
def test_weights_of_another_size_under_a_name_of_the_zoo(system, change, has, wants, workshop, typed):
    path = put(workshop, "other", CONFIG | change)
    told = f"{{}} is a BigGAN of {has}; it should be one of {wants}{SIZE}"
    for name in (f"biggan-world={path}", "biggan-world=other.safetensors"):
        assert said(system, gan=name) == told.format(name)
    assert said(system, gan=name) == typed(system, gan=name)
    (workshop / "zoo" / "biggan-world.safetensors").write_bytes(path.read_bytes())
    assert said(system) == told.format("biggan-world")


def test_weights_of_another_size_under_a_name_of_the_catalogue(system, workshop):
    path = put(workshop, "small")
    for name in ("biggan-deep-128", "biggan-deep-256", "biggan-deep-512"):
        assert said(system, gan=f"{name}=small.safetensors").endswith(SIZE)
    enter(workshop, path.read_bytes(), '{ layers = [[true, 4, 2], [true, 2, 1]] }')
    assert said(system, gan="mine").startswith("mine is a BigGAN of 8 px, 2 blocks of 16 8 channels; ")
    assert said(system, gan="mine").endswith(SIZE)


def enter(folder, data, config="{}"):
    """An entry in the catalogue, downloaded already."""
    path = folder / "cache" / "mine" / "mine.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    (folder / "catalogue.toml").write_text(
        f'[mine]\nkind = "biggan"\nfile = "mine.bin"\nsize = {len(data)}\nconfig = {config}\nmirrors = '
        f'[{{ url = "https://127.0.0.1/", sha256 = "{hashlib.sha256(data).hexdigest()}" }}]\n')
    return path


KINDS = "weights come as .safetensors or as a torch checkpoint"


@pytest.mark.parametrize("part", [5, 300, 0.5, 0.99])
def test_safetensors_cut_short(system, part, workshop, typed):
    whole = put(workshop, "whole").read_bytes()
    short = whole[:part if part > 1 else int(part * len(whole))]
    (workshop / "cut.safetensors").write_bytes(short)
    damaged = r"{} is damaged \(.+\); it should be a safetensors file: delete it and get it again"
    for name in ("cut.safetensors", "biggan-world=cut.safetensors", "biggan-deep-256=cut.safetensors"):
        assert re.fullmatch(damaged.format("cut.safetensors"), said(system, gan=name))
    assert typed(system, gan=name) == said(system, gan=name)
    (workshop / "zoo" / "biggan-world.safetensors").write_bytes(short)
    assert re.fullmatch(damaged.format(workshop / "zoo" / "biggan-world.safetensors"), said(system))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.98])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("ending", ["bin", "pt"])
def test_a_torch_file_cut_short(system, part, zipped, ending, workshop, typed):
    path = workshop / f"cut.{ending}"
    torch.save(biggan.build(CONFIG).state_dict(), path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[:int(part * path.stat().st_size)])
    for name in (path.name, f"biggan-deep-512={path}"):
        assert said(system, gan=name) == (f"{name.rpartition('=')[2]} cannot be read as weights; {KINDS}: "
                                          "download it again, it may be damaged")
    assert typed(system, gan=name) == said(system, gan=name)


def test_a_download_cut_short(system, workshop):
    path = enter(workshop, put(workshop, "whole").read_bytes())
    path.write_bytes(path.read_bytes()[:-100])
    assert said(system, gan="mine") == (f"{path} has the wrong fingerprint; it is not the published file: "
                                        "delete it, and it is downloaded again")


PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)
READ = f"{{}} cannot be read as weights; {KINDS}: download it again, it may be damaged"


@pytest.mark.parametrize("name, content, message", [
    ("picture.png", PNG, READ), ("picture.bin", PNG, READ), ("note.pt", b"remember the milk", READ),
    ("page.bin", b"<!DOCTYPE html><title>Link does not exist.</title>", READ),
    ("empty.pt", b"", f"{{}} is empty; {KINDS}: check the path"),
    ("gone.pt", None, f"{{}} is not there; {KINDS}: check the path"),
    ("gone.safetensors", None, f"{{}} is not there; {KINDS}: check the path"),
    ("gone.txt", None, "no biggan called 'gone.txt'; choose one of 'biggan-world', 'biggan-deep-128', "
                       "'biggan-deep-256', 'biggan-deep-512'"),
    ("biggan-wrld", None, "no biggan called 'biggan-wrld'; did you mean 'biggan-world'?"),
    ("biggan-deep-265", None, "no biggan called 'biggan-deep-265'; did you mean 'biggan-deep-256'?"),
    ("biggan-deep-256=gone.bin", None, f"gone.bin is not there; {KINDS}: check the path"),
    ("my=gone.bin", None, "no biggan called 'my'; choose one of 'biggan-world', 'biggan-deep-128', "
                          "'biggan-deep-256', 'biggan-deep-512'"),
])
def test_files_of_something_else(system, name, content, message, workshop, typed):
    if content is not None:
        (workshop / name).write_bytes(content)
    assert said(system, gan=name) == typed(system, gan=name) == message.format(name)


@pytest.mark.parametrize("tensors", [{"loss.weight": (2,)}, {"embeddings.weight": (2, 2)},
                                     {"embeddings.weight": (5,), "generator.bn.running_means": (3, 8)}])
def test_weights_of_another_network(system, tensors, workshop, typed):
    save_file({name: torch.ones(shape) for name, shape in tensors.items()}, workshop / "other.safetensors")
    torch.save({name: torch.ones(shape) for name, shape in tensors.items()}, workshop / "other.pt")
    for name in ("other.safetensors", "other.pt"):
        assert said(system, gan=name) == (f"{name} holds no BigGAN-deep; its parameters are named as in "
                                          f"pytorch-pretrained-biggan{SIZE}")
    assert typed(system, gan=name) == said(system, gan=name)


def test_a_network_of_the_zoo_that_is_no_biggan(system, workshop):
    put(workshop / "zoo", "vqgan-world", kind="vqgan")
    assert said(system, gan="vqgan-world") == "no biggan called 'vqgan-world'; did you mean 'biggan-world'?"


# ---------------------------------------------------- names of classes

KNOB = {"gan": "prompts", "big_sleep": "start_class"}
FORTY = ("it knows tench, goldfish, great white shark, tiger shark, hammerhead, electric ray, stingray, "
         "cock, hen, ostrich, brambling, goldfinch, house finch, junco, indigo bunting, robin, bulbul, jay, "
         "magpie, chickadee, water ouzel, kite, bald eagle, vulture, great grey owl, European fire "
         "salamander, common newt, eft, spotted salamander, axolotl, bullfrog, tree frog, tailed frog, "
         "loggerhead, leatherback turtle, mud turtle, terrapin, box turtle, banded gecko, common iguana and "
         "960 more")


@pytest.mark.parametrize("name, rest", [("bot", "did you mean 'boat'?"), ("Caat", "did you mean 'cat'?"),
                                        ("unicorn", "it knows car, boat, cat, dog"),
                                        ("7", "it knows car, boat, cat, dog"),
                                        ("小舟", "it knows car, boat, cat, dog")])
def test_a_class_that_does_not_exist(system, name, rest, typed):
    values = {KNOB[system]: name}
    assert said(system, **values) == typed(system, **values) == \
        f"no class of this network called {name!r}; {rest}"


@pytest.mark.parametrize("name, rest", [
    ("goldfis", "did you mean 'goldfish'?"), ("great wite shark", "did you mean 'great white shark'?"),
    ("qqq", FORTY)])
def test_a_class_that_does_not_exist_among_a_thousand(system, name, rest, workshop):
    """A file with ImageNet's 1000 classes is one of the published kind; others have numbers."""
    put(workshop, "imagenet", CONFIG | {"classes": 1000})
    assert said(system, gan="imagenet.safetensors", **{KNOB[system]: name}) == \
        f"no class of this network called {name!r}; {rest}"
    put(workshop, "plain")
    assert said(system, gan="plain.safetensors", **{KNOB[system]: "qqq"}) == \
        "no class of this network called 'qqq'; it knows 0, 1, 2, 3"


@pytest.mark.parametrize("text, wrong, rest", [
    ("cat | unicorn:0.5", "unicorn", "it knows car, boat, cat, dog"),
    ("cat ^ bot", "bot", "did you mean 'boat'?")])
def test_one_class_of_several_that_does_not_exist(system, text, wrong, rest, typed):
    """BigSleep begins with one class; what else its words say may be of anything."""
    if system == "big_sleep":
        wrong, rest = text, "it knows car, boat, cat, dog"
    values = {KNOB[system]: text}
    assert said(system, **values) == typed(system, **values) == \
        f"no class of this network called {wrong!r}; {rest}"


def test_what_is_wrong_while_painting(system):
    """It is refused where it is typed, and the painting goes on as it was."""
    values = {"gan": {"prompts": "boat", "walk": 4}, "big_sleep": {"prompts": "moon", "steps": 4, "every": 1}}
    never = "{} cannot be turned while painting; other knobs can: start a new run"
    turns = {"gan": (({"prompts": "bot"}, "no class of this network called 'bot'; did you mean 'boat'?"),
                     ({"truncation": 0}, "truncation is 0; it must be between 0.05 and 1: try 0.05")),
             "big_sleep": (({"start_class": "bot"}, never.format("start_class")),
                           ({"truncation": 0}, never.format("truncation")))}
    values = SMALL[system] | values[system] | {"width": 64, "height": 64}
    settings = systems.load(system).Settings.of(**values)
    run = runs.start(system, settings)
    painting = run.paint()
    seen = [next(painting).image]
    for turned, message in turns[system]:
        with pytest.raises(Refused) as refusal:
            run.turn(painting, **turned)
        assert str(refusal.value) == message and not run.manifest["live"]
    seen += [frame.image for frame in painting]
    undisturbed = [frame.image for frame in systems.load(system).paint(settings)]
    assert all(torch.equal(a, b) for a, b in zip(seen, undisturbed, strict=True) if b is not None)


# ---------------------------------------------------- truncation

TRY = {"gan": 0.6, "big_sleep": 0.8}


@pytest.mark.parametrize("value, wrong, nearest", [(0, "0", "0.05"), (-1, "-1", "0.05"), (1.5, "1.5", "1"),
                                                   (1.0001, "1.0001", "1")])
def test_truncation_outside(system, value, wrong, nearest, typed):
    assert said(system, truncation=value) == typed(system, truncation=value) == \
        f"truncation is {wrong}; it must be between 0.05 and 1: try {nearest}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), None, "much", True])
def test_truncation_that_is_no_number(system, value, typed):
    assert said(system, truncation=value) == \
        f"truncation is {value!r}; it must be a number: try {TRY[system]}"
    assert typed(system, truncation=value) == \
        f"truncation is {str(value)!r}; it must be a number: try {TRY[system]}"


# ---------------------------------------------------- masks

def drawn(folder, name, pixels):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(folder / name)
    return name


@pytest.fixture
def photo(workshop):
    return drawn(workshop, "photo.png", stand_ins.photo())


FORMATS = "PNG, JPEG, WebP, GIF, BMP, TIFF and AVIF can: open it in a picture program and save it as PNG"
BLACK = "the mask is all black; white says where to paint: fill the place to change with white"


@pytest.mark.parametrize("name, content, message", [
    ("note.txt", b"white", f"'note.txt' cannot be read as a picture; {FORMATS}"),
    ("note.png", b"white", f"'note.png' cannot be read as a picture; {FORMATS}"),
    ("page.png", b"<!DOCTYPE html><title>404</title>", f"'page.png' is a web page, not a picture; {FORMATS}"),
    ("empty.png", b"", "'empty.png' is empty (0 bytes); a picture has pixels in it: save or download it "
                       "again"),
    ("phot.png", None, "there is no file 'phot.png'; did you mean 'photo.png'?"),
    ("mask.jpg", None, "there is no file 'mask.jpg'; a picture is a path or a web address: check it"),
    (".", None, "'.' is a folder; a single picture is needed: give the path of a file in it"),
])
@pytest.mark.parametrize("knob", ["mask", "init_image"])
def test_a_mask_that_is_no_picture(system, knob, name, content, message, workshop, photo, typed):
    if content is not None:
        (workshop / name).write_bytes(content)
    values = {"init_image": photo, "mask": drawn(workshop, "half.png", stand_ins.half())} | {knob: name}
    values = values if knob == "mask" else {"init_image": name}
    with pytest.raises(Refused) as refusal:     # found when the run begins; a system alone opens it itself
        runs.start(system, systems.load(system).Settings.of(**SMALL[system] | values))
    assert str(refusal.value) == typed(system, **values) == said(system, **values) == message


def test_a_mask_cut_short(system, workshop, photo, typed):
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64))
    path = workshop / drawn(workshop, "cut.png", pixels)
    path.write_bytes(path.read_bytes()[:900])
    assert said(system, init_image=photo, mask="cut.png") == typed(system, init_image=photo, mask="cut.png") \
        == f"'cut.png' cannot be read as a picture; {FORMATS}"


@pytest.mark.parametrize("pixels", [np.zeros((64, 64)), np.zeros((20, 90)), np.zeros((64, 64, 3)),
                                    np.full((64, 64, 4), (255, 255, 255, 0))],
                         ids=["black", "black, of another shape", "black in color", "all transparent"])
def test_a_mask_without_white(system, pixels, workshop, photo, typed):
    values = {"init_image": photo, "mask": drawn(workshop, "mask.png", pixels)}
    assert said(system, **values) == typed(system, **values) == BLACK


@pytest.mark.parametrize("start", [{}, {"init_image": ""}, {"init_image": "  "}])
def test_a_mask_without_a_picture(system, start, workshop, typed):
    values = {"mask": drawn(workshop, "half.png", stand_ins.half())} | start
    assert said(system, **values) == typed(system, **values) == \
        "mask is given without init_image; a mask keeps a part of a picture: give that picture as init_image"


def test_masks_in_memory_that_are_none(system, photo):
    for mask, message in (
            (np.zeros((64, 64), np.uint8), BLACK), (torch.zeros(1, 1, 64, 64), BLACK),
            (Image.new("L", (64, 64)), BLACK),
            (np.full((64, 64), 7.0), "the array goes from 7 to 7; numbers in a picture go from 0 to 1: "
                                     "divide by 255, or hand in uint8"),
            (torch.zeros(2, 1, 64, 64), "the tensor has the shape (2, 1, 64, 64); it must be (1, 3, height, "
                                        "width)"),
            (5, "mask is 5; it must be a picture: try a path, an address, or a PIL image")):
        assert said(system, init_image=photo, mask=mask) == message


@pytest.mark.parametrize("side", [32, 200])
def test_a_mask_of_another_size_fits(system, side, workshop, photo):
    """Of the shape of its picture, whatever that is: both are cropped alike."""
    tall = drawn(workshop, "tall.png", stand_ins.photo(height=3 * side // 2, width=side))
    mask = np.zeros((3 * side // 2, side))
    mask[:, side // 2:] = 255
    values = SMALL[system] | {"width": 64, "height": 64, "init_image": tall, "mask_softness": 0,
                              "mask": drawn(workshop, "mask.png", mask)}
    module = systems.load(system)
    *_, last = module.paint(module.Settings.of(**values))
    start = images.open(tall, 64, 64)
    assert (last.image - start)[..., :31].abs().max() < 2 / 255 < (last.image - start)[..., 34:].abs().mean()


@pytest.mark.parametrize("size", [(64, 20), (300, 200)])
def test_a_mask_of_another_shape(system, size, workshop, photo, typed):
    Image.new("L", size, 255).save(workshop / "mask.png")
    values = {"init_image": photo, "mask": "mask.png"}
    width, height = Image.open(photo).size
    assert said(system, **values) == typed(system, **values) == \
        f"the mask is {size[0]} x {size[1]}, the picture {width} x {height}; a mask has the shape of its " \
        "picture: save it in the same size, or a multiple"


def test_a_mask_whose_white_is_cut_off(system, workshop, typed):
    tall = drawn(workshop, "tall.png", stand_ins.photo(height=192, width=64))
    mask = np.zeros((192, 64))
    mask[:40] = 255
    values = {"init_image": tall, "mask": drawn(workshop, "mask.png", mask)}
    assert said(system, **values) == typed(system, **values) == \
        "nothing white is left of the mask; its picture is cut to 64 x 64 from the middle, and the mask " \
        "with it: take a width and height of the picture's shape"


def test_a_mask_all_white(system, workshop, photo, typed):
    """BigSleep paints everything then; a GAN has nothing that it should fit."""
    values = {"init_image": photo, "mask": drawn(workshop, "mask.png", np.full((64, 64), 255))}
    if system == "gan":
        assert said(system, **values) == typed(system, **values) == \
            "the mask is all white; black says what stays, and the rest is made to fit it: paint what is " \
            "to stay black, or leave the mask out"


def test_a_mask_with_transparency_means_the_same_in_memory_and_on_disk(system, workshop, photo):
    """What is transparent stays."""
    mask = np.full((64, 64, 4), 255, np.uint8)
    mask[:, :32, 3] = 0
    values = SMALL[system] | {"width": 64, "height": 64, "init_image": photo, "mask_softness": 0}
    module, pictures = systems.load(system), []
    for given in (mask, mask / 255.0, drawn(workshop, "mask.png", mask)):
        run = runs.start(system, module.Settings.of(**values, mask=given))
        *_, last = run.paint()
        pictures.append(last.image)
        assert (last.image - images.open(photo, 64, 64))[..., :32].abs().max() < 1e-6
    assert torch.equal(pictures[0], pictures[1]) and torch.equal(pictures[0], pictures[2])


# ---------------------------------------------------- before any work

@pytest.mark.parametrize("values, starts", [
    ({"gan": "biggan-deep-512", "prompts": "lighthuose", "start_class": "lighthuose"},
     "no class of this network called 'lighthuose'; did you mean 'lighthouse'?"),
    ({"gan": "biggan-world=gone.pt"}, "gone.pt is not there; "),
    ({"gan": "biggan-world="}, "biggan-world= names no file; "),
    ({"init_image": "photo.png", "mask": "black.png"}, "the mask is all black; "),
    ({"latents": "photo.png"}, "the checkpoint '"),
    ({"perceptors": "ViT-B/23"}, "no perceptor called 'ViT-B/23'; did you mean 'ViT-B/32'?")])
def test_nothing_is_loaded_before_it_is_refused(system, values, starts, workshop, photo, monkeypatch):
    def never(*_, **__):
        raise AssertionError("networks are loaded before the mistake is found")
    drawn(workshop, "black.png", np.zeros((64, 64)))
    monkeypatch.setattr(biggan, "load", never)
    monkeypatch.setattr(perceptors, "load", never)
    own = knobs(systems.load(system).Settings)
    values = {name: value for name, value in values.items() if name in own}
    if "latents" in values:
        values["latents"] = str(workshop / values["latents"])
    if values:
        assert said(system, **values).startswith(starts)


@pytest.mark.parametrize("state, wrong", [
    (["a", "list"], "the latents are none; "), ({"canvas": 3}, "the latents are none; "),
    ({"canvas": {"z": torch.zeros(1, 2)}}, "the latents are (1, 2); ")])
def test_latents_that_are_none(system, state, wrong, workshop, typed):
    if system == "big_sleep":
        states.save(workshop / "odd.safetensors", state)
        assert said(system, latents="odd.safetensors").startswith(wrong)
        assert typed(system, latents="odd.safetensors").startswith(wrong)


def test_weights_that_are_not_numbers(system, workshop, typed):
    path = put(workshop, "mine")
    state = load_file(path)
    state["generator.bn.running_means"][0, 0] = float("nan")
    save_file(state, path)
    assert said(system, gan="mine.safetensors") == typed(system, gan="mine.safetensors") == \
        "mine.safetensors has weights that are not numbers, as in generator.bn.running_means; its training " \
        "went astray: take an earlier checkpoint"
