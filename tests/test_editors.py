"""What stands by the fields of knobs, and what menus call things."""

import dataclasses

import ipywidgets
import pytest
from test_panel import home         # noqa: F401

from helpers import editors, systems
from helpers.gallery_view import GalleryView
from helpers.knob_board import KnobBoard
from helpers.knobs import knobs

pytestmark = pytest.mark.usefixtures("home")
NAMES = {"VQGAN-CLIP", "DeepDaze", "BigSleep", "CLIP Guided Diffusion", "Disco Diffusion", "GAN", "Pix2pix"}


def below(box):
    yield box
    for child in getattr(box, "children", ()):
        yield from below(child)


def die_of(box):
    return next(one for one in below(box) if getattr(one, "description", "") == "⚄")


def test_menus_show_proper_names_and_mean_modules():
    board, view = KnobBoard("deep_daze"), GalleryView(None)
    assert {name for name, _ in board._chooser.options} == NAMES and board.system == "deep_daze"
    assert board._chooser.label == "DeepDaze"
    board._chooser.label = "VQGAN-CLIP"
    assert board.system == "vqgan_clip" and "drawer" in board.widgets
    assert view.system.options == (("any", ""), *systems.menu())
    assert systems.proper("of_another_time") == "of_another_time"


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_a_die_throws_seeds(system):
    board = KnobBoard(system)
    die, seeds = die_of(board.knobs), set()
    for _ in range(20):
        die.click()
        seeds.add(board.settings.seed)
    assert len(seeds) > 15 and max(seeds) > 2**24, "any seed may come"
    assert board.widgets["seed"].value == board.settings.seed and die.tooltip == "a random seed"


def test_a_die_stays_within_the_range_of_its_knob():
    knob = dataclasses.replace(knobs(systems.load("gan").Settings)["seed"], low=3, high=5)
    field = ipywidgets.IntText(value=0)
    die = die_of(editors.edited(knob, field, None))
    seen = set()
    for _ in range(100):
        die.click()
        seen.add(field.value)
    assert seen == {3, 4, 5}


def test_how_many_files_an_upload_holds_is_hidden():
    """Where a page shows it, test_journey.py sees that it has no size."""
    upload = editors.Upload(ipywidgets.Text(), lambda: (128, 128))
    pick = next(one for one in below(upload.box) if isinstance(one, ipywidgets.FileUpload))
    assert pick.description == "upload a picture"
    looks = next(one.value for one in below(upload.box) if isinstance(one, ipywidgets.HTML)
                 and "<style>" in one.value)
    assert pick._dom_classes[-1] in looks and "content:'upload a picture'" in looks
    said = "tooltip" if pick.has_trait("tooltip") else "description_tooltip"
    assert "copy" in getattr(pick, said)
