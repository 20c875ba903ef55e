"""The panel: what its widgets say is what is painted."""

import pytest

from helpers import forms, systems, vocabulary
from helpers.errors import Refused
from helpers.panel import Panel, understood


@pytest.fixture
def box():
    return Panel("vqgan_clip", prompts="fog over a castle", seed=7)


def test_it_says_what_the_widgets_say(box):
    cls = systems.load("vqgan_clip").Settings
    assert box.settings == cls(prompts="fog over a castle", seed=7)
    box.widgets["steps"].value = 33
    box.widgets["symmetry"].value = "0: 1, 0.5: 0"
    assert (box.settings.steps, box.settings.symmetry) == (33, cls(symmetry="0: 1, 0.5: 0").symmetry)


@pytest.mark.parametrize("name", systems.SYSTEMS)
def test_untouched_it_is_the_default_of_every_system(name):
    assert Panel(name).settings == systems.load(name).Settings()


def test_turned_knobs_survive_a_change_of_system(box):
    box.widgets["crops"].value = 20
    box.widgets["drawer"].value = "fft"             # which the other system has not
    box.system = "deep_daze"
    settings = box.settings
    assert type(settings) is systems.load("deep_daze").Settings
    assert settings.changed() == {"prompts": "fog over a castle", "seed": 7, "crops": 20}


def test_what_the_other_system_refuses_goes_back_to_its_default(box):
    box.widgets["width"].value = 2048
    box.system = "deep_daze"
    assert box.settings.width == systems.load("deep_daze").Settings().width


def test_it_says_what_is_wrong_while_it_is_typed(box):
    box.widgets["smoothness"].value = "much <b>"
    assert "smoothness" in box._said.value and "&lt;b&gt;" in box._said.value
    with pytest.raises(Refused):
        assert box.settings
    box.widgets["smoothness"].value = "0.2"
    assert box._said.value == "" and box.settings.smoothness == "0.2"


def test_what_is_wrong_stands_on_top_and_takes_no_room_otherwise(box):
    assert box.box.children[1] is box._said and box._said.layout.display == "none"
    box.widgets["smoothness"].value = "much"
    assert box._said.layout.display is None


def test_it_fits_a_narrow_page(box):
    essential, folded = box._room.children[0].children
    for widget in [box._chooser, folded, *box.widgets.values()]:
        assert (widget.layout.max_width, widget.layout.width[-2:]) == (forms.WITHIN, "em")


def test_an_unknown_system_or_knob_is_refused():
    with pytest.raises(Refused, match="no system called 'vqganclip'; did you mean 'vqgan_clip'"):
        Panel("vqganclip")
    with pytest.raises(Refused, match="no setting called 'step'; did you mean 'steps'"):
        Panel(step=3)


def test_it_rehearses(box, monkeypatch):
    monkeypatch.setenv("REHEARSAL", "1")
    assert box.settings.steps == 3 and box.settings.prompts == "fog over a castle"


def test_words_are_read_back(monkeypatch):
    monkeypatch.setattr(vocabulary, "check", lambda settings: "'zorp' is a word nobody knows")
    settings = systems.load("vqgan_clip").Settings(prompts="fog | trees:-0.5:-0.8 ^ a clock at 12:30:2")
    assert understood(settings).splitlines() == [
        "scene 1", "toward 'fog', weight 1", "away from 'trees', weight 0.5, until within -0.8",
        "scene 2", "toward 'a clock at 12:30', weight 2", "'zorp' is a word nobody knows"]


def test_it_shows_itself(box, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    box._ipython_display_()
    assert shown == [box.box]
