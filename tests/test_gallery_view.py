"""The gallery and the film maker of the panel: what is chosen there is what is done."""

import base64
import re
import time

import pytest
import stand_ins
from PIL import Image
from test_panel import easel, home, press, rest_at  # noqa: F401
from test_session import LONG

from helpers import (
    controls,
    curtain,
    films,
    gallery,
    gallery_view,
    picture_files,
    runs,
    safe_files,
    studio,
    systems,
)
from helpers.panel import Panel

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def view(easel):                                    # noqa: F811
    """The gallery of a panel, opened."""
    return easel.room("Gallery")


def painted(prompts="fog", minute=0, seconds=0, **values):
    """A finished run of that minute."""
    run = runs.start("small", systems.load("small").Settings(**{"prompts": prompts, "steps": 3} | values))
    for _ in runs.record(run.paint(), run, every=1):
        pass
    run.note(started=f"2026-03-01T12:{minute:02}:{seconds:02}+00:00")
    return run


def seen(view):
    return [card.entry.prompts for card in view.cards if card.box.layout.display is None]


def opened(view, number=0):
    view.look()
    view.cards[number].pick.click()
    return {name: each for name, each in view.details.buttons.items() if each.layout.display is None}


def test_nothing_is_made_until_it_is_asked_for(easel):      # noqa: F811
    assert easel.rooms == {} and easel.box.selected_index == 0
    painted("a car")
    easel.box.selected_index = 1
    assert seen(easel.rooms["Gallery"]) == ["a car"]


def test_an_empty_gallery_says_so(view):
    view.look()
    assert seen(view) == [] and "Nothing is painted yet" in view.empty.value
    view.words.value = "fog"
    assert "No run is like that" in view.empty.value and view.empty.layout.display is None
    view.words.value, view.show.value = "", gallery_view.TRASHED
    assert "The trash is empty" in view.empty.value
    assert view.details.empty.layout.display == "none"


def test_filters_and_pages(view, monkeypatch):
    monkeypatch.setattr(gallery_view, "PAGE", 2)
    for minute, words in enumerate(("a castle", "a car", "a red castle")):
        painted(words, minute)
    view.cards[2:] = []
    view.open()
    assert seen(view) == ["a red castle", "a car"] and view.where.value == "1 to 2 of 3"
    assert view.newer.disabled and not view.older.disabled
    view.older.click()
    assert seen(view) == ["a castle"] and view.where.value == "3 to 3 of 3" and view.older.disabled
    view.words.value = "castle"
    assert seen(view) == ["a red castle", "a castle"] and view.newer.disabled
    view.show.value = "stopped"
    assert seen(view) == []


def test_a_card_shows_words_as_words(view):
    run = painted("<b>fog</b>")
    view.look()
    assert "&lt;b&gt;fog" in view.cards[0].look.value and "data:image/jpeg" in view.cards[0].look.value
    run.picture.unlink()
    view.look()
    assert "no picture yet" in view.cards[0].look.value


def test_a_card_says_how_far_it_is_unless_it_is_finished(view):
    for minute, status in enumerate(("stopped", "finished")):
        painted(status, minute).note(status=status, system="disco_diffusion")
        view.look()
        assert f">{'stopped · ' * (status == 'stopped')}Disco Diffusion<" in view.cards[0].look.value


def test_a_star(view):
    run = painted()
    view.look()
    view.cards[0].star.click()
    assert view.cards[0].star.description == "★" and runs.open(run.folder).manifest["starred"]
    view.show.value = "starred"
    assert seen(view) == ["fog"]
    view.cards[0].star.click()
    assert seen(view) == []


def test_details_tell_what_it_is_made_of(view):
    painted("fog & rain", contrast=2.0, seed=9)
    acts = opened(view)
    assert list(acts) == ["use", "begin", "again", "go on", "film", "delete"]
    assert acts["go on"].description == "Take it up again"
    for words in ("fog &amp; rain", "<span>9</span>", "<span>2.0</span>", "3 of 3 steps in"):
        assert words in view.details.facts.value
    assert "data:image/jpeg" in view.details.picture.value and view.cards[0].pick.button_style == "info"


def test_these_settings_are_used(easel, view):              # noqa: F811
    painted("fog over a castle", contrast=2.0, seed=9)
    easel.widgets["ema"].value = 0.5
    easel.system = "vqgan_clip"
    easel.box.selected_index = 1
    opened(view)["use"].click()
    assert (easel.system, easel.box.selected_index) == ("small", 0)
    assert easel.settings.changed() == {"prompts": "fog over a castle", "steps": 3, "contrast": 2.0,
                                        "seed": 9}


def test_a_stopped_run_goes_on_in_the_panel(easel, view):   # noqa: F811
    run = runs.start("small", systems.load("small").Settings(prompts="rain", steps=40, pause=0.01))
    frames = runs.record(run.paint(), run)
    for frame in frames:
        if frame.step == 4:
            break
    frames.close()
    assert opened(view)["go on"].description == "Continue"
    easel.box.selected_index = 1
    view.details.buttons["go on"].click()
    assert easel.session.run.folder == run.folder and easel.box.selected_index == 0
    easel.widgets["contrast"].value = 3.0           # what is live acts on it
    assert easel.session.wait(LONG) == "finished" and easel.session.frame.step == 40
    assert [change["contrast"] for change in runs.turns(run.folder)] == [3.0]


def test_a_finished_run_is_there_to_go_back_and_branch(easel):          # noqa: F811
    easel.widgets["steps"].value = 8
    easel.controls.buttons["paint"].click()
    assert easel.session.wait(LONG) == "finished"
    run, easel = easel.session.run, Panel("small")      # another day
    opened(easel.room("Gallery"))["go on"].click()
    page = easel.controls
    assert easel.session.run.folder == run.folder and easel.session.status == "finished"
    assert easel.box.selected_index == 0 and easel.settings == run.settings
    assert "finished after step 8 of 8" in page.line.value and page.bar.value == 1
    assert page.picture.layout.display is None and page.picture.value[:2] == b"\xff\xd8"
    whole = run.picture.read_bytes()
    page.state.value = 6
    page.buttons["undo"].click()
    twin = easel.session
    assert twin.run.manifest["branch"] == {"from": run.folder.name, "step": 6}, "what is finished is kept"
    near = run.folder / "frames" / "00005.png"
    assert page.picture.value == studio.jpeg(picture_files.load(near), controls.WIDTH), "and not seen anymore"
    easel.widgets["contrast"].value = 3.0
    page.buttons["pause"].click()
    assert twin.wait(LONG) == "finished" and runs.turns(twin.run.folder) == [{"step": 6, "contrast": 3.0}]
    assert run.picture.read_bytes() == whole != twin.run.picture.read_bytes()


def test_what_rests_here_goes_on_here(easel, view):         # noqa: F811
    rest_at(easel, 4)
    session = easel.session
    opened(view)["go on"].click()
    assert session is easel.session and session.wait(LONG) == "finished" and not view.said.value


def test_a_damaged_picture_goes_on_all_the_same(easel, view):           # noqa: F811
    rest_at(easel, 4)
    run = easel.session.run
    press(easel, "stop")
    run.picture.write_bytes(b"no picture")
    panel = Panel("small")
    panel.go_on(run.folder)
    assert panel.session.wait(LONG) == "finished" and panel.settings == run.settings


def test_knobs_follow_what_is_turned_again(easel, view):    # noqa: F811
    rest_at(easel, 4)
    easel.widgets["contrast"].value = 3.0
    assert press(easel, "pause") == "finished"
    easel.widgets["contrast"].value = 1.0
    opened(view)["again"].click()
    assert easel.session.wait(LONG) == "finished" and easel.widgets["contrast"].value == 3.0


def test_a_steered_run_is_painted_again(easel, view):       # noqa: F811
    run = runs.start("small", systems.load("small").Settings(prompts="rain", steps=6))
    painting = run.paint()
    for frame in runs.record(painting, run):
        if frame.step in (2, 4):
            run.turn(painting, contrast=float(frame.step))
    opened(view)["again"].click()
    twin = easel.session
    assert twin.wait(LONG) == "finished" and twin.run.folder != run.folder and easel.box.selected_index == 0
    assert runs.turns(twin.run.folder) == runs.turns(run.folder) != []
    assert Image.open(twin.run.picture).tobytes() == Image.open(run.picture).tobytes()


def test_a_steered_run_turns_while_its_knobs_are_laid_out(easel, view, monkeypatch):    # noqa: F811
    run = runs.start("small", systems.load("small").Settings(prompts="rain", steps=300))
    painting = run.paint()
    for frame in runs.record(painting, run):
        if frame.step in (2, 4):
            run.turn(painting, contrast=float(frame.step))
    show = easel.show

    def slowly(*what):
        until = time.monotonic() + 0.5
        while time.monotonic() < until and (easel.session.frame is None or easel.session.frame.step < 6):
            time.sleep(0.001)
        show(*what)
    monkeypatch.setattr(easel, "show", slowly)
    opened(view)["again"].click()
    assert easel.session.wait(LONG) == "finished"
    assert runs.turns(easel.session.run.folder) == runs.turns(run.folder)
    assert easel.widgets["contrast"].value == 4


def test_a_picture_to_start_from(easel, view):              # noqa: F811
    run = painted()
    begin = opened(view)["begin"]
    begin.click()
    assert easel.settings.init_image == str(run.picture)
    easel.system, easel.box.selected_index = "vqgan_clip", 1
    begin.click()
    assert easel.settings.init_image == str(run.picture) and easel.box.selected_index == 0
    run.picture.unlink()
    assert "begin" not in opened(view)


def test_the_picture_can_be_saved_as_it_is(view):
    run = painted()
    opened(view)
    name, data = re.search('<a download="([^"]+)" href="data:image/png;base64,([^"]+)"',
                           view.details.picture.value).groups()
    assert name == f"{run.folder.name}.png" and base64.b64decode(data) == run.picture.read_bytes()


def test_what_somebody_else_paints_does_not_go_on(easel, view):     # noqa: F811
    run = painted()
    run.note(status="painting")
    go_on = opened(view)["go on"]
    with safe_files.alone(run.folder):
        go_on.click()
    assert "is being painted already" in view.said.value and easel.session is None
    assert view.said.layout.display is None


def test_deleted_restored_and_emptied(view):
    first, second = painted("first", 1), painted("second", 2)
    for run in (second, first):
        opened(view)["delete"].click()
        assert not run.folder.exists()
    assert seen(view) == [] and view.chosen is None
    view.show.value = gallery_view.TRASHED
    assert seen(view) == ["second", "first"] and view.cards[0].star.disabled
    assert list(opened(view, 1)) == ["use", "restore"]
    view.details.buttons["restore"].click()
    assert first.folder.exists() and seen(view) == ["second"]
    empty = view.details.empty
    assert empty.description == "Empty the trash (1)" and empty.layout.display is None
    empty.click()
    assert gallery.find(root=gallery.trash()) and empty.button_style == "danger"
    empty.click()
    assert not gallery.trash().exists() and seen(view) == []


def test_two_pictures_and_a_handle(view):
    painted("first", 1)
    painted("second", 2, seed=3)
    opened(view)
    beside = view.details.beside
    assert beside.layout.display is None
    beside.value = beside.options[1][1]
    assert view.details.picture.value.count("<img") == 2
    assert 'type="range"' in view.details.picture.value and "seed 0: first" in view.details.picture.value


def test_a_run_without_a_picture_is_neither_filmed_nor_seen_against_another(view):
    painted("first", 1)
    bare = painted("second", 2)
    bare.picture.unlink()
    assert list(opened(view)) == ["use", "again", "go on", "delete"]
    assert view.details.beside.layout.display == "none"
    assert {"begin", "film"} <= opened(view, 1).keys()
    assert view.details.beside.layout.display == "none", "there is no other with a picture"


def test_a_curtain_holds_both_pictures_and_no_markup_of_others(tmp_path):
    Image.fromarray(stand_ins.photo()).save(tmp_path / "a.png")
    page = curtain.Curtain(tmp_path / "a.png", stand_ins.photo(1), ("<b>soft", "sharp"), 64)._repr_html_()
    assert page.count("data:image/jpeg;base64,") == 2 and "<b>" not in page and "&lt;b&gt;soft" in page
    assert "http" not in page and "<script" not in page and 'aria-label="how much of sharp' in page


# ---------------------------------------------------------------- films

@pytest.mark.parametrize("kind, tag", [(".mp4", "<video"), (".gif", "<img")])
def test_a_film_is_made_and_seen(easel, view, kind, tag):   # noqa: F811
    run = painted()
    opened(view)["film"].click()
    maker = easel.rooms["Film"]
    assert easel.box.selected_index == 3 and maker.run.value == str(run.folder)
    maker.kind.value, maker.knobs["loop"].value, maker.knobs["crossfade"].value = kind, "ping-pong", 1
    maker.make.click()
    maker.wait(LONG)
    path = run.folder / f"film{kind}"
    assert tag in maker.film.value and str(path) in maker.line.value and not maker.make.disabled
    assert films.read_text(path)["settings"]["prompts"] == "fog"


def test_a_film_that_cannot_be_made_says_why(easel):        # noqa: F811
    run, maker = painted(), easel.room("Film")
    maker.take(run.folder)
    for frame in run.frames:
        frame.unlink()
    run.picture.unlink()
    maker.make.click()
    maker.wait(LONG)
    assert "there are no frames to film" in maker.said.value and not maker.make.disabled


def test_without_runs_there_is_nothing_to_film(easel):      # noqa: F811
    maker = easel.room("Film")
    assert maker.make.disabled and maker.empty.layout.display is None
    run = painted()
    maker.look()
    assert maker.run.value == str(run.folder) and not maker.make.disabled
    assert maker.empty.layout.display == "none"
