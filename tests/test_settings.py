"""Settings: one line per knob; every value checked, every refusal word for word."""

import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import numpy as np
import pytest

from helpers.errors import Refused, closest, unknown
from helpers.settings import Common, knob, knobs


@dataclass(frozen=True, kw_only=True)
class Example(Common):
    """A settings class with a knob of every sort."""

    steps: int = knob(100, "how long to paint (iterations)", low=1, high=500, step=1, rehearsal=2)
    side: int = knob(256, "of a square", choices=(128, 256, 512))
    crops: int = knob(16, "looks per step (cutn, num_cuts)", low=0, step=1, group="Fine tuning", live=True)
    contrast: float = knob(1.0, "of the picture", low=0, high=2, step=0.05, group="Fine tuning")
    shift: float = knob(0.0, "any number", high=10)
    learning_rate: str = knob(0.1, "how bold (step_size)", low=0, high=1, kind="schedule")
    symmetric: bool = knob(False, "mirror the picture")
    augment: str = knob("flip, noise", "changes per look", choices=("flip", "noise", "zoom"), kind="list")
    init_image: str = knob("", "where to start", kind="image")
    image_prompts: str = knob("", "pictures to resemble", kind="images")
    encoding: str = knob("", "rows of numbers", kind="file")
    noise_prompts: str = knob("", "seeds", kind="noise")


@pytest.mark.parametrize("given, kept", [
    ({"steps": 3.0}, 3), ({"steps": np.int64(3)}, 3), ({"contrast": 1}, 1.0),
    ({"contrast": np.float32(0.5)}, 0.5), ({"learning_rate": 0.5}, "0.5"),
    ({"learning_rate": "0: 1, 50%: 0.2"}, "0: 1, 0.5: 0.2"),
    ({"augment": ""}, ""), ({"augment": "zoom,flip"}, "zoom,flip"), ({"init_image": Path("a.png")}, "a.png"),
    ({"crops": 10**6}, 10**6), ({"shift": -1e9}, -1e9), ({"prompts": "a ^ b:2"}, "a ^ b:2"),
    ({"side": 512}, 512),
    ({"symmetric": True}, True), ({"width": 2048}, 2048), ({"noise_prompts": "7:0.5"}, "7:0.5"),
])
def test_accepted(given, kept):
    (name,) = given
    value = getattr(Example.of(**given), name)
    assert value == kept and type(value) is type(kept)


SCHEDULE = "a schedule is a number or keyframes of progress and value: try '0: 1, 0.5: 0.2'"
PICTURE = "it must be a picture: try a path, an address, or a PIL image"
NOISE = "a noise prompt is a seed of up to 18 digits, and perhaps a weight up to 100: try '7 | 8:0.5'"
CHANGES = "choose from 'flip', 'noise', 'zoom': did you mean 'noise'?"
LIST = "choose one of 'auto', 'cpu', 'cuda', 'mps'"
WORD = "it needs at least one word: try 'a red lighthouse by the sea at sunset'"


@pytest.mark.parametrize("given, message", [
    ({"step": 3}, "no setting called 'step'; did you mean 'steps'?"),
    ({"cutn": 3}, "no setting called 'cutn'; did you mean 'crops'?"),
    ({"num_cuts": 3}, "no setting called 'num_cuts'; did you mean 'crops'?"),
    ({"LearningRate": 3}, "no setting called 'LearningRate'; did you mean 'learning_rate'?"),
    ({"steps": "many"}, "steps is 'many'; it must be a whole number: try 100"),
    ({"steps": 2.5}, "steps is 2.5; it must be a whole number: try 100"),
    ({"steps": True}, "steps is True; it must be a whole number: try 100"),
    ({"steps": 0}, "steps is 0; it must be between 1 and 500: try 1"),
    ({"steps": 501}, "steps is 501; it must be between 1 and 500: try 500"),
    ({"width": 500}, "width is 500; it goes in steps of 32: try 480 or 512"),
    ({"width": 2040}, "width is 2040; it goes in steps of 32: try 2016 or 2048"),
    ({"width": 40_000}, "width is 40000; it must be between 32 and 2048: try 2048"),
    ({"side": 300}, "side is 300; choose one of '128', '256', '512'"),
    ({"crops": -1}, "crops is -1; it must be at least 0: try 0"),
    ({"contrast": "high"}, "contrast is 'high'; it must be a number: try 1.0"),
    ({"contrast": float("nan")}, "contrast is nan; it must be a number: try 1.0"),
    ({"contrast": 2.5}, "contrast is 2.5; it must be between 0 and 2: try 2"),
    ({"shift": 11}, "shift is 11; it must be at most 10: try 10"),
    ({"symmetric": 1}, "symmetric is 1; it must be True or False: try False"),
    ({"prompts": 3}, "prompts is 3; it must be text: try 'a red lighthouse by the sea at sunset'"),
    ({"prompts": "fog \udcff"}, "prompts has '\\udcff'; text must be UTF-8: type it anew"),
    ({"prompts": " | "}, f"prompts is empty; {WORD}"),
    ({"prompts": "", "noise_prompts": " ^ ", "encoding": " "}, f"prompts is empty; {WORD}"),
    ({"prompts": "fog | :2"}, "prompts has ':2'; a weight comes after words: try 'fog:0.5'"),
    ({"device": "gpu"}, f"device is 'gpu'; {LIST}"),
    ({"device": "CUDA"}, f"device is 'CUDA'; {LIST}: did you mean 'cuda'?"),
    ({"augment": "flip, nose"}, f"augment has 'nose'; {CHANGES}"),
    ({"learning_rate": "fast"}, f"learning_rate is 'fast'; {SCHEDULE}"),
    ({"learning_rate": "0: 0.1, 1: 3"}, "learning_rate is 3; it must be between 0 and 1: try 1"),
    ({"init_image": None}, f"init_image is None; {PICTURE}"),
    ({"noise_prompts": "x"}, f"noise_prompts has 'x'; {NOISE}"),
])
def test_refusals(given, message):
    for make in (Example.of, Example.from_dict, Example().but):
        with pytest.raises(Refused) as refused:
            make(**given) if make != Example.from_dict else make(given)
        assert str(refused.value) == message


def test_unknown_without_a_guess_lists_all():
    with pytest.raises(Refused) as refused:
        Common.of(zzz=1)
    assert str(refused.value) == ("no setting called 'zzz'; choose one of 'prompts', 'width', 'height', "
                                  "'steps', 'seed', 'device', 'memory', 'perceptors'")


def test_pictures_may_take_the_place_of_words():
    picture = np.zeros((4, 4, 3), np.uint8)
    assert Example.of(prompts="", image_prompts="a.png").prompts == ""
    assert Example.of(prompts="", noise_prompts="7 ^ 8").prompts == ""
    assert Example.of(prompts="", encoding="row.npy").prompts == ""
    settings = Example.of(prompts="", image_prompts=picture, init_image=picture)
    assert settings.init_image is picture
    assert settings.changed().keys() == {"prompts", "init_image", "image_prompts"}


def test_frozen_and_saved():
    settings = Example.of(prompts="fog", steps=7, learning_rate=0.1)
    assert settings.changed() == {"prompts": "fog", "steps": 7}
    assert Example.from_dict(settings.to_dict()) == settings == Example.from_dict(settings.changed())
    assert settings.but(steps=8).changed() == {"prompts": "fog", "steps": 8}
    with pytest.raises(FrozenInstanceError):
        settings.steps = 3


def test_rehearsal(monkeypatch):
    monkeypatch.setenv("REHEARSAL", "1")
    settings = Example.of(prompts="fog", steps=400, crops=9)
    assert (settings.steps, settings.width, settings.crops, settings.prompts) == (2, 64, 9, "fog")
    assert settings.but(crops=3, steps=50).steps == 2
    assert Example.from_dict({"steps": 400}).steps == 400                # a saved run is loaded as it was
    monkeypatch.setenv("REHEARSAL", "0")
    assert Example.of(steps=400).steps == 400


def test_knobs_know_themselves():
    known = knobs(Example)
    assert list(known)[-5:] == ["device", "memory", "perceptors", "crops", "contrast"], "fine tuning is last"
    assert known["steps"].default == 100 and knobs(Common)["steps"].default == 200
    assert known["crops"].traditional == ["cutn", "num_cuts", "num_cutouts"] and known["crops"].live
    assert known["contrast"].type is float and known["learning_rate"].type is str


def test_refused_has_three_parts():
    assert str(Refused("a is 1")) == "a is 1"
    assert str(Refused("a is 1", "it must be 2")) == "a is 1; it must be 2"
    assert str(Refused("a is 1", "", "try 2")) == "a is 1; try 2"
    refused = pickle.loads(pickle.dumps(Refused("a is 1", "it must be 2", "try 2")))
    assert (refused.wrong, refused.allowed, refused.advice) == ("a is 1", "it must be 2", "try 2")
    assert str(refused) == "a is 1; it must be 2: try 2" and isinstance(refused, ValueError)
    guess = unknown("system", "deepdaze", ["deep_daze", "vqgan"])
    assert str(guess) == "no system called 'deepdaze'; did you mean 'deep_daze'?"
    assert str(unknown("system", "x", ["a", "b"])) == "no system called 'x'; choose one of 'a', 'b'"
    assert closest("vit-b32", ["ViT-B/32", "ViT-L/14"]) == "ViT-B/32" and closest("gpu", ["cpu"]) is None


def test_no_torch():
    code = "import helpers.settings, helpers.forms, helpers.cli, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
