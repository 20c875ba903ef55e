"""The panel: what its widgets say is what is painted, and goes on acting while it is."""

import base64
import io
import json
import logging
from datetime import UTC, datetime

import ipywidgets
import pytest
import small_system
from PIL import Image
from test_session import LONG, at

from helpers import (
    controls,
    editors,
    page,
    plots,
    presets,
    prompts,
    runs,
    safe_files,
    systems,
    uploads,
    vocabulary,
)
from helpers.errors import Refused
from helpers.knobs import knobs
from helpers.panel import Panel, understood


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("REHEARSAL", raising=False)
    return tmp_path / "runs"


@pytest.fixture
def box():
    return Panel("vqgan_clip", prompts="fog over a castle", seed=7)


@pytest.fixture
def easel(monkeypatch):
    """A panel of the small system, which paints at once."""
    monkeypatch.setitem(systems.SYSTEMS, "small", "small_system")
    monkeypatch.setattr(vocabulary, "check", lambda settings: "")
    panel = Panel("small", prompts="fog")
    yield panel
    if panel.session:
        panel.session.stop()
        panel.session.wait(LONG)


def press(panel, *names):
    """Press buttons, one after another; the status they lead to."""
    for name in names:
        assert not panel.controls.buttons[name].disabled, name
        panel.controls.buttons[name].click()
    return panel.session.wait(LONG)


def rest_at(panel, step):
    """Paint and rest after that step."""
    begin = panel.controls._begin

    def first():
        session = begin()
        at(session, step, session.pause)
        return session
    panel.controls._begin = first
    assert press(panel, "paint") == "paused"
    panel.controls._begin = begin


def enabled(panel):
    return {name for name, button in panel.controls.buttons.items() if not button.disabled}


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
    said, room = box._said, box._room
    assert box.knobs.children.index(said) + 1 == box.knobs.children.index(room)
    assert said.layout.display == "none"
    box.widgets["smoothness"].value = "much"
    assert said.layout.display is None


def test_it_fits_a_narrow_page(box):
    essential, folded = box._room.children[0].children
    for widget in [box._chooser, folded, *box.widgets.values()]:
        assert (widget.layout.max_width, widget.layout.width[-2:]) == (page.WITHIN, "em")
    assert box.box.children[0].layout.flex_flow == "row wrap"
    assert box.controls.box.layout.min_width == "0" and box.knobs.layout.max_width == "100%"


@pytest.mark.parametrize("name", systems.SYSTEMS)
def test_eight_knobs_are_essential(name):
    known = knobs(systems.load(name).Settings).values()
    assert len([knob for knob in known if knob.group == "Essential"]) <= 8


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


# ---------------------------------------------------------------- finding, keeping, resetting

def shown(box):
    """Names of the knobs that can be seen."""
    def inside(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from inside(child)
    seen = set(map(id, inside(box._room)))
    return [name for name, widget in box.widgets.items() if id(widget) in seen]


def test_knobs_are_found_by_name_help_and_older_names(box):
    assert shown(box) == list(box.widgets)
    for words, found in (("cutn", ["crops"]), ("init grain", ["init_grain"]), ("max_itter", ["steps"])):
        box._search.value = words
        assert shown(box) == found
    assert "laid over the picture" not in str(box._room.children[0].children[1].value)
    box._search.value = "grain"
    helps = [child.value for child in box._room.children[0].children[1::2]]
    assert any("grain laid over every look" in text and "acts while it is painted" in text for text in helps)
    box._search.value = "e"
    assert len(shown(box)) == 12 and "more" in box._room.children[0].children[-1].value
    box._search.value = "<b>"
    assert not shown(box) and box._room.children[0].children[-1].value == "no such knob"
    box._search.value = ""
    assert shown(box) == list(box.widgets)


def test_presets(box, home):
    box.widgets["crops"].value, box.widgets["saturation"].value = 20, "0: 1, 0.5: 0"
    box._name.value = "  Soft   fog/../é "
    box._save()
    path, = (home / "presets").iterdir()
    assert path.name.startswith("vqgan_clip-soft-fog-e-") and path.suffix == ".json"
    assert json.loads(path.read_text())["settings"] == box.settings.changed()
    assert box._preset.options[-1] == ("Soft fog/../é: your own", "Soft fog/../é") and box._name.value == ""
    box.widgets["prompts"].value = "a castle"
    box._reset()
    assert box.settings.changed() == {"prompts": "a castle"}
    box._preset.value = "Soft fog/../é"
    assert box.settings.crops == 20 and box.settings.prompts == "fog over a castle"
    box.system = "pix2pix"
    assert box._preset.options == (("several knobs at once …", ""),)


def test_presets_of_the_suite(box, home):
    menu = dict(box._preset.options)
    assert list(menu.values()) == ["", *presets.built_in("vqgan_clip")]
    assert box._preset_said.layout.display == "none"
    box._preset.value = "soft watercolor"
    values = presets.load("soft watercolor", "vqgan_clip")
    assert box.settings.changed() == values | {"prompts": "fog over a castle"}      # seed 7 was turned back
    assert ">soft watercolor turned smoothness 2, saturation -0.5, edge 1, " in box._preset_said.value
    assert box._preset_said.layout.display is None and box._preset.value == ""      # it can be had again
    box._name.value = "Soft Watercolor"
    box._save()
    assert "the preset &#x27;Soft Watercolor&#x27; comes with the suite" in box._said.value
    assert not home.exists()
    box._reset()
    assert box._preset_said.layout.display == "none"


def test_a_preset_leaves_unfolded_what_is_unfolded(box):
    widgets, folds = box.widgets, box._arranged.children[1]
    folds.selected_index = 0
    box._preset.value = "soft watercolor"
    assert box.widgets is widgets and folds.selected_index == 0 and box.settings.smoothness == "2"
    box._reset()
    assert box.widgets is widgets and box.settings.smoothness == "0"
    box.system = "deep_daze"
    assert box.widgets is not widgets and box._arranged.children[1].selected_index is None


def test_refused_presets(box, home):
    box._save()
    assert "the name of the preset is &#x27;&#x27;; it has 1 to 60 letters" in box._said.value
    for name in ("x" * 61, " "):
        with pytest.raises(Refused):
            presets.save(name, "vqgan_clip", {})
    with pytest.raises(Refused, match="no setting called 'crop'"):
        presets.save("a", "vqgan_clip", {"crop": 1})
    with pytest.raises(Refused, match="no preset called 'a'; choose one of 'quick sketch', "):
        presets.load("a", "vqgan_clip")
    with pytest.raises(Refused, match="no preset called 'a'; there is none for pix2pix: save one first"):
        presets.load("a", "pix2pix")
    presets.save("fog", "vqgan_clip", {"crops": 3})
    (home / "presets/vqgan_clip-bad.json").write_text('{"system": "vqgan_clip"')
    (home / "presets/vqgan_clip-odd.json").write_text(
        '{"system": "vqgan_clip", "name": "odd", "settings": 3}')
    (home / "presets/vqgan_clip-far.json").write_text(
        '{"system": "vqgan_clip", "name": "far", "settings": {"crops": 999}}')
    assert [name for name, about in presets.told("vqgan_clip").items() if about == presets.OWN] == \
        ["far", "fog"]
    with pytest.raises(Refused, match="no preset called 'frog'; did you mean 'fog'"):
        presets.load("frog", "vqgan_clip")
    box._list()
    box._preset.value = "far"
    assert "crops is 999; it must be between 0 and 128: try 128" in box._said.value
    assert box.settings.prompts == "fog over a castle"


# ---------------------------------------------------------------- editors

def rows_of(text):
    field = ipywidgets.Textarea(text)
    return field, editors.PromptRows(field)


@pytest.mark.parametrize("text", ["fog", "fog | neon:0.5 | text:-0.3:-0.5", "a ^ b | c:2 ^ d", "at 12:30 :2",
                                  "https://a.org/b.png", "fog:0.5:0.3 @40%-80% | sea @-9%", ""])
def test_prompts_have_rows(text):
    field, rows = rows_of(text)
    assert rows.told() == (prompts.scenes(text) if text else [])
    assert sum(map(len, rows.rows)) == max(1, len(text.replace("^", "|").split("|"))) and field.value == text


def test_rows_and_text_stay_in_step():
    field, rows = rows_of("fog | neon:0.5")
    rows.rows[0][0].weight.value = 2
    assert field.value == "fog:2 | neon:0.5"
    rows.rows[0][1].stop.value = "-0.8"
    assert field.value == "fog:2 | neon:0.5:-0.8"
    rows.rows[0][1].stop.value = "soon"
    assert field.value == "fog:2 | neon:0.5" and rows.rows[0][1].stop.value == ""
    rows._add(rows.rows[0])
    assert field.value == "fog:2 | neon:0.5" and len(rows.rows[0]) == 3     # an empty row says nothing
    rows.rows[0][2].words.value = "a cat:0.5 | a dog"
    assert [row.words.value for row in rows.rows[0]] == ["fog", "neon", "a cat", "a dog"]
    assert [row.weight.value for row in rows.rows[0]] == [2, 0.5, 0.5, 1]
    rows.remove(rows.rows[0][1])
    assert field.value == "fog:2 | a cat:0.5 | a dog"
    rows._tell(1)
    rows.rows[1][0].words.value = "night"
    assert field.value == "fog:2 | a cat:0.5 | a dog ^ night"
    field.value = "moon ^ sun:3"
    assert [[row.words.value for row in scene] for scene in rows.rows] == [["moon"], ["sun"]]
    field.value = "moon ^ :3"           # half typed: rows wait
    assert len(rows.rows) == 2
    rows.remove(rows.rows[0][0]), rows.remove(rows.rows[0][0])
    assert field.value == "" and len(rows.rows) == 1


def test_rows_say_when_a_prompt_acts():
    field, rows = rows_of("fog | neon:0.5:0.3 @40%-80%")
    sea, neon = rows.rows[0]
    assert (neon.start.value, neon.stop.value, sea.start.value, sea.stop.value) == ("40%", "0.3, 80%", "", "")
    neon.stop.value = "90 %"
    assert field.value == "fog | neon:0.5 @40%-90%" and neon.stop.value == "90%"
    sea.start.value = "7.5"
    assert field.value == "fog @7.5% | neon:0.5 @40%-90%" and sea.start.value == "7.5%"
    for typed, seen_as in (("80", "80%"), ("150", "100%"), ("40-70%", "70%"), ("0.3 70", "0.3, 70%")):
        neon.stop.value = typed
        assert neon.stop.value == seen_as.replace("100%", "")
    neon.stop.value = "90%"
    sea.words.value = "sea @20%"        # as in text
    assert field.value == "sea @20% | neon:0.5 @40%-90%" and sea.words.value == "sea"
    neon.stop.value = "30%"             # the panel says what is wrong; the rows stay to mend it
    assert seen(rows) == ["rows"] and rows.rows[0][1] is neon
    neon.start.value = "10%"
    assert field.value == "sea @20% | neon:0.5 @10%-30%"
    field.value = "sea @40%-30%"
    assert seen(rows) == ["text"]


def seen(rows):
    """Which of both forms is seen."""
    forms = {"rows": rows._lines, "text": rows._whole}
    return [name for name, widget in forms.items() if widget.layout.display is None]


def test_prompts_are_seen_in_one_form_at_a_time():
    field, rows = rows_of("fog")
    assert seen(rows) == ["rows"] and rows._switch.description == "as text"
    rows.rows[0][0].words.value = "a cat"
    rows._switch.click()
    assert seen(rows) == ["text"] and field.value == "a cat" and rows._switch.description == "as rows"
    field.value = "a dog | a cat:2"
    rows._switch.click()
    assert seen(rows) == ["rows"] and [row.words.value for row in rows.rows[0]] == ["a dog", "a cat"]
    field.value = "moon | :3"           # from elsewhere: rows cannot say it, so the text is shown
    assert seen(rows) == ["text"]
    rows._switch.click()
    assert seen(rows) == ["text"] and field.value == "moon | :3"
    field.value = "moon | sun:3"
    assert seen(rows) == ["text"]
    rows._switch.click()
    assert seen(rows) == ["rows"] and [row.words.value for row in rows.rows[0]] == ["moon", "sun"]


def test_a_palette_is_picked():
    field = ipywidgets.Text("navy, black->white\\5, @my photo.png")
    colors = editors.Colors(field)
    kinds = [type(child).__name__ for child in colors.box.children]
    assert kinds == ["ColorPicker", "Button", "Label", "Button", "Label", "Button", "Button"]
    assert colors.box.children[0].value == "#000080"
    colors.box.children[0].value = "#ff0000"
    assert field.value == "#ff0000, black->white\\5, @my photo.png"
    colors.box.children[3].click()
    assert field.value == "#ff0000, @my photo.png"
    colors.box.children[-1].click()
    assert field.value == "#ff0000, @my photo.png, #808080"
    field.value = ""
    assert len(colors.box.children) == 1


def png(color):
    data = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(data, "PNG")
    return data.getvalue()


def hand(box, name, data):
    """Give a file to the upload in a box, as a page does."""
    boxes = [box]
    for each in boxes:
        boxes += getattr(each, "children", ())
    pick, = (each for each in boxes if type(each).__name__ == "FileUpload")
    about = {"name": name, "type": "", "size": len(data), "last_modified": datetime.now(UTC)}
    files = {name: {"metadata": about, "content": data}}, (about | {"content": data},)
    pick.set_trait("value", files[ipywidgets.__version__[0] != "7"])


def test_uploads_of_both_generations_are_read():
    files = [("a.png", b"red"), ("b.png", b"blue")]
    assert page.uploaded({name: {"metadata": {}, "content": data} for name, data in files}) == files
    assert page.uploaded(tuple({"name": name, "content": memoryview(data)} for name, data in files)) == files
    assert page.uploaded({}) == page.uploaded(()) == []


def test_pictures_are_uploaded(box, home):
    field, several = ipywidgets.Text(), ipywidgets.Text()
    one, more = editors.Upload(field, box._shape), editors.Upload(several, box._shape, several=True)
    for color in ("red", "blue"):
        hand(one.box, "../../x.png", png(color)), hand(more.box, "a.png", png(color))
    assert Image.open(field.value).getpixel((0, 0)) == (0, 0, 255)
    first, second = several.value.split(" | ")
    assert second == field.value != first
    assert {path.parent.name for path in home.rglob("*.png")} == {"uploads"}
    hand(one.box, "a.png", b"<html>")
    assert "&#x27;a.png&#x27; is a web page, not a picture" in one.said.value
    assert one.said.layout.display is None and field.value == second
    box.widgets["init_image"].value = first
    assert box.settings.init_image == first and box._said.value == ""
    with pytest.raises(Refused, match="'big.png' has 65 MB; at most 64 MB are taken: shrink it first"):
        uploads.keep("big.png", bytes(65 << 20))


# ---------------------------------------------------------------- settings from a file

@pytest.fixture
def given(easel, home, monkeypatch):
    """given(name, data): what the panel says of a file it is given, on a page that is fenced in."""
    monkeypatch.setenv("DISCOTHEQUE_FENCE", str(home))

    def given(name, data):
        hand(easel.taken.box, name, data)
        return easel.taken.said.value
    return given


def test_a_picture_turns_the_knobs_it_was_painted_with(easel, given):
    run = runs.start("small", systems.load("small").Settings(prompts="rain", steps=3, contrast=2.0))
    *_, _ = runs.record(run.paint(), run)
    easel.system, easel.widgets["seed"].value = "vqgan_clip", 7
    assert "as &#x27;rain.png&#x27; says" in given("rain.png", run.picture.read_bytes())
    assert easel.system == "small" and easel.settings == run.settings


def test_a_picture_that_was_steered_says_what_is_not_taken(easel, given):
    rest_at(easel, 3)
    easel.widgets["contrast"].value = 3.0
    assert press(easel, "pause") == "finished"
    said = given("fog.png", easel.session.run.picture.read_bytes())
    assert "what was turned on the way is left out" in said and easel.settings.contrast == 1


def test_settings_of_disco_diffusion_are_taken_and_what_they_lack_is_said(easel, given):
    said = given("TimeToDisco(0)_settings.txt", json.dumps({"text_prompts": {"0": ["fog"]}, "steps": 40,
                                                            "animation_mode": "Video Input"}).encode())
    assert (easel.system, easel.settings.prompts, easel.settings.steps) == ("disco_diffusion", "fog", 40)
    assert "as &#x27;TimeToDisco(0)_settings.txt&#x27; says; " in said and "animation_mode" in said


@pytest.mark.parametrize("name, data, said", [
    ("a.png", b"no picture", "a.png"), ("a.txt", b"{", "a.txt"), ("../../a.exe", b"MZ", "a.exe"),
    ("", b"", ""),
    ("big.txt", bytes(65 << 20), "&#x27;big.txt&#x27; has 65 MB; at most 64 MB are taken")])
def test_what_has_no_settings_is_refused_by_its_name(easel, given, tmp_path, name, data, said):
    (tmp_path / "runs").mkdir()
    before, files = easel.settings, sorted(tmp_path.rglob("*"))
    told = given(name, data)
    assert said in told and "<b>" in told and "/tmp" not in told.replace(str(tmp_path), "")
    assert easel.settings == before and sorted(tmp_path.rglob("*")) == files


# ---------------------------------------------------------------- painting

def test_it_paints(easel):
    assert enabled(easel) == {"paint", "step"} and easel.session is None
    assert easel.controls.empty.layout.display is None
    easel.widgets["seed"].value = 5
    assert press(easel, "paint") == "finished"
    run, page = easel.session.run, easel.controls
    assert run.settings == easel.settings and run.manifest["status"] == "finished"
    assert enabled(easel) == {"paint", "undo", "branch"} and page.bar.value == 1
    assert Image.open(io.BytesIO(page.picture.value)).format == "JPEG"
    assert (page.picture.layout.display, page.empty.layout.display) == (None, "none")
    assert page.line.value.endswith(f"finished after step 12 of 12, kept in {run.folder.name}</div>")
    assert "noise" in page.plot.value and "<svg" in page.plot.value
    bars = []
    page.bar.observe(lambda change: bars.append(change["new"]), "value")
    assert press(easel, "paint") == "finished" and easel.session.run.folder != run.folder
    assert bars[0] == 0 and page.bar.value == 1


@pytest.mark.parametrize("name, said", [("pause", "resting after this step"), ("undo", "going back"),
                                        ("stop", "ending after this step")])
def test_what_is_pressed_is_told_before_the_step_is_done(easel, name, said):
    begin, lines = easel.controls._begin, []

    def pressed():
        easel.controls.buttons[name].click()
        lines.append(easel.controls.line.value)
        easel.session.pause()

    def first():
        session = begin()
        at(session, 4, pressed)
        return session
    easel.controls._begin = first
    press(easel, "paint")
    assert f"step 4 of 12, {said}" in lines[0]


def test_every_button(easel):
    assert press(easel, "step") == "paused" and easel.session.frame.step == 1
    assert press(easel, "step", "step") == "paused" and easel.session.frame.step == 3
    assert enabled(easel) == {"pause", "step", "undo", "branch", "stop"}
    assert easel.controls.buttons["pause"].description == "Resume"
    assert press(easel, "undo") == "paused" and easel.session.frame.step == 2
    before = easel.session
    assert press(easel, "branch") == "stopped" and easel.session is not before
    assert before.wait(LONG) == "stopped" and easel.session.run.manifest["branch"]["step"] == 2
    assert enabled(easel) == {"paint", "pause", "step", "undo", "branch"}
    assert f"a branch of {before.run.folder.name}, after step 2" in easel.controls.line.value
    assert press(easel, "step") == "paused" and press(easel, "stop") == "stopped"
    assert easel.session.frame.step == 3
    assert press(easel, "pause") == "finished"


def test_undone_to_the_beginning_there_is_no_picture(easel):
    press(easel, "step")
    assert press(easel, "undo") == "paused" and easel.controls.empty.layout.display is None
    assert easel.controls.buttons["undo"].click() is None
    assert "nothing is painted yet" in easel.controls.said.value


def test_one_may_choose_how_far_to_go_back(easel):
    menu = easel.controls.state
    assert menu.disabled and [value for _, value in menu.options] == [""]
    rest_at(easel, 6)
    assert [value for _, value in menu.options] == ["", 5, 4, 3, 2, 1, 0] and not menu.disabled
    menu.value = 3
    assert press(easel, "undo") == "paused" and easel.session.frame.step == 3
    assert menu.label == "the state before" and [value for _, value in menu.options] == ["", 2, 1, 0]
    menu.value, before = 1, easel.session
    assert press(easel, "branch") == "stopped" and easel.session is not before
    assert easel.session.run.manifest["branch"] == {"from": before.run.folder.name, "step": 1}
    assert easel.controls.bar.value == 1 / 12 and menu.value == ""
    assert press(easel, "pause") == "finished"


def test_the_picture_can_be_saved_when_it_rests(easel, monkeypatch):
    page = easel.controls
    assert page.file.layout.display == "none"
    rest_at(easel, 4)
    first = page.file.value
    assert page.file.layout.display is None and "save the picture" in first
    reads = []
    with monkeypatch.context() as patch:
        patch.setattr(controls, "kept", lambda *given: reads.append(given))
        page.refresh()
    assert not reads, "it is the same"
    press(easel, "step")
    assert page.file.value != first
    data = base64.b64decode(page.file.value.partition("base64,")[2].partition('"')[0])
    assert data == easel.session.run.picture.read_bytes()


def test_a_heavy_picture_is_told_not_held(easel, monkeypatch):
    monkeypatch.setattr("helpers.page.HEAVIEST", 10)
    press(easel, "paint")
    assert str(easel.session.run.picture) in easel.controls.file.value and "<a " not in \
        easel.controls.file.value


def test_warnings_of_the_painting_are_seen(easel, monkeypatch):
    score = small_system.Guide.score

    def odd(guide, image, progress=0.0):
        losses = score(guide, image, progress)
        return {"noise": losses["noise"] * float("nan")} if progress == 3 / 12 else losses
    monkeypatch.setattr(small_system.Guide, "score", odd)
    rest_at(easel, 5)
    page = easel.controls
    assert "step 4 came out as NaN and is skipped" in page.warned.value and not page.warned.layout.display
    logging.getLogger("helpers.loop").warning("of another thread")
    assert press(easel, "pause") == "finished" and "another thread" not in page.warned.value
    monkeypatch.setattr(small_system.Guide, "score", score)
    assert press(easel, "paint") == "finished" and page.warned.layout.display == "none"


@pytest.fixture
def cut_off(easel):
    """A run whose machine went away; nobody knows that it is not painted anymore."""
    run = runs.start("small", easel.settings.but(seed=4))
    frames = runs.record(run.paint(), run, checkpoint_seconds=0)
    for _ in range(5):
        next(frames)
    frames.close()
    run.note(status="painting")
    return run


def test_what_was_cut_off_is_offered_and_goes_on(easel, cut_off):
    assert not easel.offer.children
    with safe_files.alone(cut_off.folder):
        assert not Panel("small").offer.children        # somebody paints it
    panel = Panel("small")
    said, on = panel.offer.children
    assert "&#x27;fog&#x27; was cut off after step 5 of 12." in said.value
    on.click()
    assert panel.session.wait(LONG) == "finished" and panel.session.run.folder == cut_off.folder
    assert panel.settings == cut_off.settings and not panel.offer.children
    assert not Panel("small").offer.children


def test_only_the_newest_is_offered_and_only_if_it_was_cut_off(easel, cut_off):
    newer = runs.start("small", easel.settings)
    assert not Panel("small").offer.children
    newer.discard()
    cut_off.note(status="stopped")                      # by who painted it
    assert not Panel("small").offer.children


def test_what_is_offered_but_gone_is_refused_in_its_place(cut_off):
    said, on = Panel("small").offer.children
    cut_off.discard()
    on.click()
    assert "is not a run" in said.value


def test_live_knobs_act_and_others_wait(easel):
    easel.widgets["contrast"].value = 2.0
    rest_at(easel, 4)
    session, page = easel.session, easel.controls
    easel.widgets["contrast"].value = 3.0
    assert session.settings.contrast == 3 and page.waiting.layout.display == "none"
    easel.widgets["seed"].value, easel.widgets["steps"].value = 9, 20
    assert "for the next picture: steps, seed" in page.waiting.value
    easel.widgets["contrast"].value = 3.5
    press(easel, "step")
    assert runs.turns(session.run.folder) == [{"step": 4, "contrast": 3.5}]
    easel.widgets["seed"].value, easel.widgets["steps"].value = 0, 12
    assert page.waiting.layout.display == "none"
    press(easel, "undo")
    session.undo(3), session.wait(LONG)
    easel._follow()
    assert easel.widgets["contrast"].value == 2 == session.settings.contrast
    easel.widgets["contrast"].value = 9.0       # the slider holds it to its range
    assert session.settings.contrast == 4
    easel.system = "vqgan_clip"
    assert "for the next picture: system" in page.waiting.value
    assert press(easel, "stop") == "stopped"


def test_undo_takes_knobs_back_at_once(easel):
    rest_at(easel, 4)
    easel.widgets["contrast"].value = 3.0
    press(easel, "step")
    assert press(easel, "undo") == "paused"
    assert easel.widgets["contrast"].value == 1 and easel.session.settings.contrast == 1
    assert not runs.turns(easel.session.run.folder)


def test_a_preset_acts_on_the_picture_too(easel):
    presets.save("strong", "small", {"contrast": 4.0, "steps": 30})
    easel._list()
    rest_at(easel, 4)
    easel._preset.value = "strong"
    assert easel.session.settings.contrast == 4 and easel.settings.prompts == "fog"
    assert "for the next picture: steps" in easel.controls.waiting.value


def test_what_is_wrong_is_said_in_its_place(easel, monkeypatch):
    easel.widgets["prompts"].value = ""
    press_paint = easel.controls.buttons["paint"].click
    press_paint()
    assert "prompts is empty; it needs at least one word" in easel.controls.said.value
    assert easel.session is None
    easel.widgets["prompts"].value = "fog"
    monkeypatch.setattr(vocabulary, "check", lambda settings: "'zorp' is a word nobody knows")
    press_paint()
    easel.session.wait(LONG)
    assert "&#x27;zorp&#x27; is a word nobody knows" in easel.controls.said.value
    with monkeypatch.context() as patch:
        patch.setattr(small_system, "paint", lambda *_: (_ for _ in ()).throw(RuntimeError("the roof fell")))
        press_paint()
        assert easel.session.wait(LONG) == "failed"
    assert "the roof fell" in easel.controls.said.value and "paint" in enabled(easel)
    assert press(easel, "paint") == "finished"


def test_it_is_shown_now_and_then_only(easel, monkeypatch):
    monkeypatch.setattr(controls, "BETWEEN", LONG)
    easel.widgets["steps"].value = 60
    pictures = []
    easel.controls.picture.observe(lambda change: pictures.append(change), "value")
    press(easel, "paint")
    assert 1 <= len(pictures) <= 3      # the first, and where it ends


def test_curves():
    page = plots.curves({"a<b": ((1, 2.0), (5, 1.0)), "never": ((1, 0.0), (5, 0.0)), "one": ((3, 0.5),),
                         "odd": ((1, float("nan")), (2, 1.0), (3, float("inf")))})
    assert "a&lt;b" in page and "never" not in page and page.count("<polyline") == 3
    assert 'points="0.0,0.0 200.0,28.0"' in page and "nan," not in page
    assert 'points="100.0,28.0 100.0,28.0"' in page        # all steps in one scale
    assert plots.curves({}) == "" == plots.curves({"never": ((1, 0.0),)})
