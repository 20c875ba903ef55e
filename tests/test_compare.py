"""Comparisons: a grid of two knobs is painted cell by cell, goes on where it was stopped, and is labelled."""

import json

import pytest
import small_system
from PIL import Image
from test_runs import settings

from helpers import (
    compare,
    gallery,
    lattice,
    perceptors,
    picture_files,
    run_folder,
    runs,
    safe_files,
    systems,
)
from helpers.errors import Refused


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setitem(systems.SYSTEMS, "small_system", "small_system")
    for module in (runs, run_folder):
        monkeypatch.setattr(module, "system_named", lambda name: small_system)
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "no zoo"))         # that might not know a word
    monkeypatch.delenv("REHEARSAL", raising=False)


def pixels(path):
    with Image.open(path) as picture:
        return picture.tobytes()


def begin(across=("seed", "1, 2"), down=("contrast", [0.5, 2.0]), **values):
    return compare.begin("small_system", settings(**{"prompts": "fog", "steps": 6} | values), across, down)


def test_each_cell_is_a_run(tmp_path):
    made = begin()
    seen = list(made.paint())
    assert [(one.cell, one.cells) for one in seen if one.frame.step == 6] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert made.cells() == [{"contrast": 0.5, "seed": 1}, {"contrast": 0.5, "seed": 2},
                            {"contrast": 2.0, "seed": 1}, {"contrast": 2.0, "seed": 2}]
    for number, values in enumerate(made.cells()):
        run = made.run(number)
        assert run.settings == settings(prompts="fog", steps=6, **values)
        assert run.manifest["status"] == "finished" and run.manifest["comparison"] == made.folder.name
    assert len(gallery.find()) == 4


def test_progress_and_time_left():
    seen = list(begin().paint())
    done = [one.done for one in seen]
    assert done == sorted(done) and done[-1] == 1.0
    assert seen[0].left is None or seen[0].frame.step
    assert all(one.left > -1e-6 for one in seen if one.frame.step)
    assert seen[-1].left == pytest.approx(0, abs=1e-6)


def test_the_picture_is_labelled_and_knows_its_settings():
    made = begin()
    list(made.paint())
    said = picture_files.read_text(made.picture)
    assert said["comparison"] == {"across": {"knob": "seed", "values": [1, 2]},
                                  "down": {"knob": "contrast", "values": [0.5, 2.0]}}
    assert runs.load(made.picture) == settings(prompts="fog", steps=6)


def test_stopped_it_keeps_what_is_there_and_goes_on():
    whole = begin()
    list(whole.paint())
    made = begin()
    painting = made.paint()
    for one in painting:
        if (one.cell, one.frame.step) == (2, 3):
            break
    painting.close()
    assert made.picture.exists() and made.run(0).manifest["status"] == "finished"
    assert (made.run(1).manifest["status"], made.run(1).manifest["step"], made.run(2)) == ("stopped", 3, None)
    again = compare.open(made.folder)
    names = [made.run(0).folder, made.run(1).folder]
    first = next(on := again.paint())
    assert (first.cell, first.frame.step) in ((2, 3), (2, 4))
    list(on)
    assert [again.run(0).folder, again.run(1).folder] == names
    for number in range(4):
        assert pixels(again.run(number).picture) == pixels(whole.run(number).picture)
    assert list(again.paint()) == []


def test_a_deleted_cell_is_painted_again():
    made = begin(down=None)
    list(made.paint())
    gallery.delete(made.run(1).folder)
    assert {one.cell for one in compare.open(made.folder).paint()} == {2}
    assert compare.open(made.folder).run(1).manifest["status"] == "finished"


def test_one_knob_is_enough_and_words_have_commas():
    made = begin(("prompts", "fog, thick; a car"), None)
    assert made.cells() == [{"prompts": "fog, thick"}, {"prompts": "a car"}]


def test_its_pictures_go_with_it(tmp_path):
    Image.new("RGB", (16, 8), "red").save(tmp_path / "red.png")
    made = begin(("seed", [1]), None, init_image=str(tmp_path / "red.png"))
    (tmp_path / "red.png").unlink()
    list(compare.open(made.folder).paint())
    assert made.run(0) is None and compare.open(made.folder).run(0).picture.exists()


@pytest.mark.parametrize("across, down, said", [
    (("sed", "1"), None, "no setting called 'sed'; did you mean 'seed'?"),
    (("seed", " , "), None, "seed has no values; a comparison needs one at least: try 1, 2, 3"),
    (("contrast", "1, 9"), None, "contrast is 9; it must be between 0 and 4: try 4"),
    (("contrast", "much"), None, "contrast is 'much'; it must be a number: try 1.0"),
    (("seed", "1"), ("seed", "2"), "seed goes both across and down; each way has a knob of its own: "
                                   "choose another one"),
    (("seed", range(11)), ("steps", range(1, 11)), "the comparison has 110 cells; at most 100 are painted: "
                                                   "take fewer values"),
    (("init_image", [Image.new("RGB", (8, 8))]), None, "init_image has values that cannot be written down; "
                                                       "a comparison names its pictures by their paths: give "
                                                       "those"),
])
def test_what_cannot_be_is_refused_before_anything_is_made(tmp_path, across, down, said):
    with pytest.raises(Refused) as refused:
        begin(across, down)
    assert str(refused.value) == said and not (tmp_path / "runs").exists()


def test_words_nobody_knows_are_named_before_anything_is_painted(monkeypatch, caplog):
    loaded, load = [], perceptors.load
    monkeypatch.delenv("DISCOTHEQUE_ZOO")
    monkeypatch.setattr(perceptors, "load", lambda name, *more, **options: loaded.append(name) or load(name))
    with pytest.raises(Refused, match="'zorp' is a word .*; the rest names no thing"):
        begin(("prompts", "a car; a red zorp"), None)
    assert not compare.all_comparisons()
    loaded.clear()
    begin(("prompts", ["a car", "a car and a zorp"]), ("seed", range(9)))
    assert caplog.messages[0].startswith("'zorp' is a word the embedded world never saw; it paints the rest")
    assert len(caplog.messages) == 1 and len(loaded) <= 2 * 3, "each text is looked at once, not in each cell"


@pytest.mark.parametrize("text", [None, "{", "[]", '{"across": null}', '{"across": 3, "down": 0}'])
def test_a_damaged_plan_is_refused(text):
    made = begin()
    (made.folder / "plan.json").unlink() if text is None else (made.folder / "plan.json").write_text(text)
    with pytest.raises(Refused, match="is not a comparison; one has a plan.json, which can be read"):
        compare.open(made.folder)


def test_a_plan_leads_nowhere_else(tmp_path):
    made, outside = begin(), tmp_path / "outside"
    outside.mkdir()
    (outside / "manifest.json").write_text(json.dumps({"system": "small", "settings": {}}))
    made.plan["runs"]["0"] = "../outside"
    assert made.run(0) is None


def test_two_do_not_paint_one_comparison():
    made = begin()
    with safe_files.alone(made.folder), pytest.raises(Refused, match="is being painted already"):
        next(made.paint())


def test_all_of_them_the_newest_first():
    made = [begin().folder for _ in range(2)]
    assert compare.all_comparisons() == sorted(made, reverse=True) and len(set(made)) == 2


def test_a_lattice_has_room_for_words_and_shows_what_is_missing():
    red = Image.new("RGB", (32, 32), "red")
    plain = lattice.lay([red, None], ("seed", [1, 2]))
    assert plain.size == (8 + 2 * 200, plain.height)
    at = plain.height - lattice.GAP - 96
    assert plain.getpixel((8 + 96, at)) == (255, 0, 0) and plain.getpixel((208 + 96, at)) == lattice.FAINT
    both = lattice.lay([red] * 4, ("seed", [1, 2]), ("crops", [8, 16]), "fog over a castle")
    assert both.width > plain.width and both.height > 2 * 200
    dark = [sum(both.crop((8, 0, both.width, 30)).convert("L").histogram()[:100])]
    assert dark[0] > 50, "words stand on top"


# ---------------------------------------------------------------- the command

def test_the_command_paints_and_goes_on(run):
    status, out, err = run("compare", "fog", "--system", "small_system", "--steps", "4",
                           "--across", "seed=1,2", "--down", "contrast=0.5,2")
    assert status == 0 and "4 of 4" in err
    made = compare.open(compare.all_comparisons()[0])
    assert out == f"picture  {made.picture}\ncompared {made.folder}\n"
    assert [run.settings.changed() for run in map(made.run, range(2))] == [
        {"prompts": "fog", "steps": 4, "seed": seed, "contrast": 0.5} for seed in (1, 2)]
    gallery.delete(made.run(3).folder)
    assert run("compare", "--resume", str(made.folder))[0] == 0
    assert compare.open(made.folder).run(3)


def test_the_command_names_words_nobody_knows(run, monkeypatch, caplog):
    monkeypatch.delenv("DISCOTHEQUE_ZOO")
    words = ["--system", "small_system", "--steps", "2", "--across", "seed=1,2"]
    status, out, err = run("compare", "a car in a zorp", *words)
    assert status == 0 and "'zorp' is a word the embedded world never saw; it paints the rest" in caplog.text
    status, out, err = run("compare", "zorp", *words)
    assert (status, out) == (2, "") and "the rest names no thing, place or sky" in err


@pytest.mark.parametrize("words, said", [
    (["fog"], "compare needs --across; a knob and its values: try --across seed=1,2,3\n"),
    (["fog", "--across", "seed"], "across is 'seed'; it must be a knob and its values: try seed=1,2,3\n"),
    (["fog", "--resume", "x"], "--resume goes on with a comparison as it is; it takes no other knobs: "
                               "leave them out\n"),
])
def test_what_the_command_cannot_do(run, words, said):
    assert run("compare", *words)[::2] == (2, said)
