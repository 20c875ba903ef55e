"""GAN and BigSleep given what cannot be: every face says the same sentence, and no run is left behind."""

import hashlib
import json
import re

import numpy as np
import pytest
import stand_ins
import torch
from PIL import Image
from safetensors.torch import save_file

from helpers import cli, perceptors, runs, systems
from helpers.errors import Refused
from helpers.networks import biggan

SYSTEMS = ("gan", "big_sleep")
SMALL = {"gan": {"prompts": "boat", "pictures": 1, "fit_steps": 2},
         "big_sleep": {"prompts": "moon", "steps": 2, "search": 16, "crops": 1, "overview": 1, "fit_steps": 2,
                       "perceptors": "disco-resnet"}}
CONFIG = {"layers": [[1, 4, 4], [1, 4, 2]], "width": 4, "attention": None, "classes": 4, "z_dim": 6,
          "class_dim": 5, "n_stats": 3}
NAMES = ["car", "boat", "cat", "dog"]

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


@pytest.fixture(autouse=True)
def workshop(monkeypatch, tmp_path):
    """A zoo with one small BigGAN, a perceptor that needs no weights, and a folder for what is given."""
    for name, folder in (("ZOO", "zoo"), ("RUNS", "runs"), ("CACHE", "cache")):
        monkeypatch.setenv(f"DISCOTHEQUE_{name}", str(tmp_path / folder))
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.delenv("REHEARSAL", raising=False)
    eye = stand_ins.Eye(16)
    monkeypatch.setattr(perceptors, "load", lambda name, device="cpu", **_: eye)
    (tmp_path / "zoo").mkdir()
    put(tmp_path / "zoo", "biggan-world", kind="biggan", config=CONFIG, names=NAMES)
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

SIZE = ("; its parameters are named as in pytorch-pretrained-biggan: "
        "check the file, and that it is of this size")


@pytest.mark.parametrize("change", [{"layers": [[1, 4, 2], [1, 2, 1]]}, {"width": 8}, {"classes": 9},
                                    {"layers": [[1, 4, 4], [0, 4, 4], [1, 4, 2]]}, {"z_dim": 7},
                                    {"attention": 1}, {"n_stats": 4}])
def test_weights_of_another_size_under_a_name_of_the_zoo(system, change, workshop, typed):
    path = put(workshop, "other", CONFIG | change)
    for name in (f"biggan-world={path}", "biggan-world=other.safetensors"):
        assert re.fullmatch(re.escape(f"{name} does not hold the BigGAN it should (") + r".+\)"
                            + re.escape(SIZE), said(system, gan=name))
    assert said(system, gan=name) == typed(system, gan=name)
    (workshop / "zoo" / "biggan-world.safetensors").write_bytes(path.read_bytes())
    assert said(system).startswith("biggan-world does not hold the BigGAN it should (")
    assert said(system).endswith(SIZE)


def test_weights_of_another_size_under_a_name_of_the_catalogue(system, workshop):
    path = put(workshop, "small")
    for name in ("biggan-deep-128", "biggan-deep-256", "biggan-deep-512"):
        assert said(system, gan=f"{name}=small.safetensors").endswith(SIZE)
    enter(workshop, path.read_bytes(), '{ layers = [[true, 4, 2], [true, 2, 1]] }')
    assert said(system, gan="mine").startswith("mine does not hold the BigGAN it should (size mismatch for ")
    assert said(system, gan="mine").endswith(SIZE)


def enter(folder, data, config="{}"):
    """A catalogue of one's own with one entry, which is downloaded already."""
    (folder / "cache" / "mine").mkdir(parents=True)
    (folder / "cache" / "mine" / "mine.bin").write_bytes(data)
    path = folder / "catalogue.toml"
    path.write_text(f'[mine]\nkind = "biggan"\nfile = "mine.bin"\nsize = {len(data)}\nconfig = {config}\n'
                    f'mirrors = [{{ url = "https://127.0.0.1/", sha256 = "{digest(data)}" }}]\n')
    pytest.MonkeyPatch.context
    return folder / "cache" / "mine" / "mine.bin"


def digest(data):
    return hashlib.sha256(data).hexdigest()
