"""Three faces of one settings class: the Colab form, the widgets and the flags say the same."""

import shlex
from argparse import ArgumentParser
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from test_settings import Example

from helpers import forms
from helpers.errors import Refused
from helpers.settings import Common, knob, knobs


def executed(source, **names):
    """The settings that a form cell makes."""
    space = {"test_settings": SimpleNamespace(Example=Example), **names}
    exec(compile(source, "form", "exec"), space)
    return space["settings"]


def flagged(line):
    parser = ArgumentParser()
    forms.flags(Example, parser)
    return Example.of(**forms.given(Example, parser.parse_args(shlex.split(line))))


def test_faces_agree():
    widgets = forms.sliders(Example())
    line = shlex.join(word for name, value in Example().to_dict().items()
                      for word in ("--" + name.replace("_", "-"), str(value)))
    assert executed(forms.colab_form(Example)) == Example()
    assert Example.of(**forms.values(widgets)) == flagged(line) == Example()
    assert list(widgets) == list(knobs(Example))


def test_form_text():
    lines = forms.colab_form(Example, "Choose").splitlines()
    assert lines[0] == '#@title Choose { display-mode: "form" }' and lines[1] == "#@markdown ### Essential"
    for line in [
        "#@markdown what to paint: castle | snow:0.5 | crowd:-0.3",
        'prompts = "a red lighthouse by the sea at sunset" #@param {type:"string"}',
        'steps = 100 #@param {type:"slider", min:1, max:500, step:1}',
        'contrast = 1.0 #@param {type:"slider", min:0, max:2, step:0.05}',
        'seed = 0 #@param {type:"integer"}',                          # too many for a slider
        'crops = 16 #@param {type:"integer"}', 'shift = 0.0 #@param {type:"number"}',
        'symmetric = False #@param {type:"boolean"}', 'learning_rate = "0.1" #@param {type:"string"}',
        'side = 256 #@param [128, 256, 512] {type:"raw"}',
        'device = "auto" #@param ["auto", "cpu", "cuda", "mps"]',
        'augment = "flip, noise" #@param {type:"string"}', 'init_image = "" #@param {type:"string"}',
    ]:
        assert line in lines
    fine = lines.index("#@markdown ### Fine tuning")
    assert lines.index('seed = 0 #@param {type:"integer"}') < fine
    assert lines.index('crops = 16 #@param {type:"integer"}') > fine
    assert "settings = test_settings.Example.of(" in lines and max(map(len, lines[-3:])) <= 100


def test_a_form_in_two_cells():
    first = forms.colab_form(Example, group="Essential")
    second = forms.colab_form(Example, "Fine tuning", group="Fine tuning")
    assert "contrast" not in first and "steps" not in second and "settings = settings.but(" in second
    made = executed(first.replace("steps = 100", "steps = 50"))
    assert executed(second.replace("contrast = 1.0", "contrast = 1.5"), settings=made).changed() == \
        {"steps": 50, "contrast": 1.5}


def test_form_text_survives_quotes():
    @dataclass(frozen=True, kw_only=True)
    class Quoted(Common):
        prompts: str = knob('Munch\'s "Scream" ü', "words", kind="prompts")

    source = forms.colab_form(Quoted).replace("test_forms.Quoted", "Quoted")
    assert executed(source, Quoted=Quoted) == Quoted()


def test_widgets():
    import ipywidgets as w
    kinds = {"prompts": w.Textarea, "width": w.IntSlider, "steps": w.IntSlider, "seed": w.BoundedIntText,
             "side": w.Dropdown, "crops": w.IntText, "contrast": w.FloatSlider, "shift": w.FloatText,
             "learning_rate": w.Text, "symmetric": w.Checkbox, "augment": w.Text, "device": w.Dropdown}
    widgets = forms.sliders(Example.of(steps=7, symmetric=True, contrast=0.35))
    for name, kind in kinds.items():
        assert type(widgets[name]) is kind
    assert (widgets["steps"].value, widgets["steps"].max, widgets["width"].step) == (7, 500, 32)
    assert widgets["contrast"].readout_format == ".2f"
    assert widgets["learning_rate"].description == "learning rate"
    steps = widgets["steps"]
    assert "iterations" in (getattr(steps, "tooltip", None) or steps.description_tooltip)
    widgets["steps"].value, widgets["device"].value = 9, "cpu"
    assert Example().but(**forms.values(widgets)).changed() == \
        {"steps": 9, "symmetric": True, "contrast": 0.35, "device": "cpu"}


def test_widgets_in_groups():
    assert list(forms.sliders(Example(), "Fine tuning")) == ["device", "memory", "perceptors", "crops",
                                                             "contrast"]
    box = forms.arranged(forms.sliders(Example()), Example)
    assert box.children[1].get_title(0) == "Fine tuning" and box.children[1].selected_index is None
    assert len(box.children[0].children) + 5 == len(knobs(Example))


def test_a_picture_itself_has_no_widget():
    settings = Example.of(init_image=np.zeros((4, 4, 3)))
    widgets = forms.sliders(settings)
    assert "init_image" not in widgets
    assert settings.but(**forms.values(widgets)).init_image is settings.init_image


@pytest.mark.parametrize("line, changed", [
    ("", {}), ("--steps 7 --contrast 2", {"steps": 7, "contrast": 2.0}), ("--symmetric", {"symmetric": True}),
    ("--symmetric on --steps=1e2", {"symmetric": True}), ("--symmetric False", {}),
    ("--shift -3.5", {"shift": -3.5}),
    ("--learning-rate '0: 1, 50%: 0.1'", {"learning_rate": "0: 1, 0.5: 0.1"}),
    ("--prompt 'a:2 | b'", {"prompts": "a:2 | b"}),
])
def test_flags(line, changed):
    assert flagged(line).changed() == changed


@pytest.mark.parametrize("line, message", [
    ("--steps many", "steps is 'many'; it must be a whole number: try 100"),
    ("--steps 2.5", "steps is 2.5; it must be a whole number: try 100"),
    ("--symmetric perhaps", "symmetric is 'perhaps'; it must be True or False: try False"),
    ("--contrast nan", "contrast is 'nan'; it must be a number: try 1.0"),
])
def test_flags_refuse_as_settings_do(line, message):
    with pytest.raises(Refused) as refused:
        flagged(line)
    assert str(refused.value) == message


@pytest.mark.parametrize("name, text", [
    ("steps", "how long to paint (iterations) [between 1 and 500; default 100]"),
    ("width", "width in pixels [between 32 and 2048 in steps of 32; default 256]"),
    ("symmetric", "mirror the picture [on or off; default off]"),
    ("side", "of a square [one of 128, 256, 512; default 256]"),
    ("augment", "changes per look [any of flip, noise, zoom; default flip, noise]"),
    ("init_image", "where to start [default none]"),
    ("learning_rate", "how bold (step_size) [between 0 and 1; default 0.1]"),
])
def test_flags_say_range_and_default(name, text):
    assert forms.described(knobs(Example)[name]) == text


def test_help_lists_every_knob():
    parser = ArgumentParser()
    forms.flags(Common, parser)
    assert all("--" + name in parser.format_help() for name in knobs(Common))
