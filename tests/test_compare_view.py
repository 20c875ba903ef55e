"""Comparisons in the panel: what the knobs say, over a grid, painted beside everything else."""

import time

import pytest
from test_panel import easel, home          # noqa: F401
from test_session import LONG

from helpers import compare, vocabulary

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def view(easel):                            # noqa: F811
    """The comparisons of a panel whose knobs say six steps; whatever a test leaves painting is stopped."""
    easel.widgets["steps"].value = 6
    easel.box.selected_index = 2
    view = easel.rooms["Compare"]
    yield view
    view.stop.click()
    view.wait(LONG)


def turn(view, way, knob, values):
    menu, text = view.axes[way]
    menu.value, text.value = knob, values


def until(true):
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def painted(view):
    view.paint.click()
    view.wait(LONG)
    return view.comparison


def test_a_grid_is_painted(view):
    assert [menu.value for menu, _ in view.axes.values()] == ["seed", ""]
    turn(view, "across", "seed", "3, 4")
    turn(view, "down", "contrast", "0.5, 2")
    made = painted(view)
    assert [made.run(n).settings.changed() for n in (0, 3)] == [
        {"prompts": "fog", "steps": 6, "seed": 3, "contrast": 0.5},
        {"prompts": "fog", "steps": 6, "seed": 4, "contrast": 2.0}]
    assert view.bar.value == 1.0 and str(made.picture) in view.line.value
    assert "data:image/jpeg" in view.picture.value and view.stop.disabled
    assert "save the picture" in view.picture.value
    assert view.earlier.value == str(made.folder) and view.axes["across"][1].layout.display == "none"


def test_where_nothing_is_missing_nothing_goes_on(view):
    turn(view, "across", "seed", "3, 4")
    made = painted(view)
    assert view.paint.description == "Go on" and view.paint.disabled
    view.earlier.value = ""
    assert view.paint.description == "Paint" and not view.paint.disabled
    view.earlier.value = str(made.folder)
    assert view.paint.disabled and view.line.value == "2 of 2 cells are painted" and view.bar.value == 1.0
    made.run(1).discard()
    view.earlier.value = ""
    view.earlier.value = str(made.folder)
    assert not view.paint.disabled and view.line.value == "1 of 2 cells are painted"
    view.paint.click()
    view.wait(LONG)
    assert view.paint.disabled and made.missing == []


def test_earlier_ones_have_readable_names(view, home):      # noqa: F811
    turn(view, "across", "seed", "3")
    turn(view, "down", "contrast", "1, 2")
    made = painted(view)
    day, minute = made.folder.name[:10], f"{made.folder.name[11:13]}:{made.folder.name[13:15]}"
    name, folder = view.earlier.options[1]
    assert name.startswith(f"seed x contrast: fog · {day} {minute} · ") and folder == str(made.folder)
    renamed = made.folder.rename(made.folder.parent / "mine")
    plan = renamed / "plan.json"
    view.look()
    assert view.earlier.options[1][0].startswith("seed x contrast: fog · A system small")
    plan.write_text("{")
    view.look()
    assert view.earlier.options[1] == ("mine", str(renamed))


def test_the_cell_under_way_is_seen_between_two_looks_of_its_painting(view, easel):     # noqa: F811
    easel.widgets["steps"].value, easel.widgets["pause"].value = 200, 0.3
    turn(view, "across", "seed", "1, 2")
    assert view.cell.layout.display == "none"
    seen = []
    view.cell.observe(lambda change: seen.append((view.line.value, change["new"])), "value")
    view.paint.click()
    until(lambda: len(seen) > 2)
    assert view.cell.layout.display is None and bytes(view.cell.value[:3]) == b"\xff\xd8\xff"
    assert "cell 1 of 2, step 1 of 200" in seen[0][0] and seen[0][1] != seen[1][1]
    view.stop.click()
    view.wait(LONG)
    assert view.cell.layout.display == "none"


def test_stopped_it_goes_on(view, easel):   # noqa: F811
    easel.widgets["steps"].value, easel.widgets["pause"].value = 200, 0.01
    turn(view, "across", "seed", "1, 2")
    view.paint.click()
    assert view.painting and not view.stop.disabled
    assert "data:image/jpeg" in view.picture.value      # what is compared is seen before a cell is painted
    view.stop.click()
    view.wait(LONG)
    assert "stopped in cell 1 of 2" in view.line.value and view.comparison.picture.exists()
    folder, run = view.comparison.folder, view.comparison.run(0)
    assert run.manifest["status"] == "stopped"
    assert view.paint.description == "Go on"
    view.earlier.value = ""
    assert view.comparison is None and view.axes["across"][0].layout.display is None
    view.earlier.value = str(folder)
    assert view.comparison.folder == folder and "data:image/jpeg" in view.picture.value
    view.paint.click()
    view.stop.click()
    view.wait(LONG)
    assert view.comparison.run(0).folder == run.folder and len(compare.all_comparisons()) == 1


def test_what_cannot_be_is_said(view, easel):   # noqa: F811
    turn(view, "across", "contrast", "1, 9")
    view.paint.click()
    assert "contrast is 9; it must be between 0 and 4" in view.said.value and view.comparison is None
    assert not view.paint.disabled and compare.all_comparisons() == []
    easel.widgets["prompts"].value = ""
    view.look()
    assert "prompts is empty" in view.said.value


def test_words_nobody_knows_are_named(view, monkeypatch):
    monkeypatch.setattr(vocabulary, "check", lambda settings: f"'{settings.prompts}' is a word nobody knows")
    turn(view, "across", "prompts", "zorp, blorp")
    painted(view)
    assert "&#x27;zorp&#x27; is a word nobody knows\n&#x27;blorp&#x27; is a word nobody" in view.said.value


def test_what_goes_wrong_while_it_paints_is_said(view, monkeypatch):
    turn(view, "across", "seed", "1")

    def broken(comparison):
        raise OSError("the lights went out")
        yield
    monkeypatch.setattr(compare.Comparison, "paint", broken)
    view.paint.click()
    view.wait(LONG)
    assert "the lights went out" in view.said.value and not view.paint.disabled


def test_its_knobs_are_those_of_the_system(view, easel):    # noqa: F811
    easel.system = "vqgan_clip"
    view.look()
    assert "crops" in [value for _, value in view.axes["down"][0].options]
    assert view.axes["across"][0].value == "seed"
