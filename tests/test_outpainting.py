"""Masks: a larger canvas, a rectangle, a drawing, from a plain cell and from the panel."""

import base64

import numpy as np
import pytest
import stand_ins
from PIL import Image
from test_panel import home                 # noqa: F401

from helpers import images, outpainting, picture_files
from helpers.errors import Refused
from helpers.knobs import knobs
from helpers.panel import Panel

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def photo(tmp_path):
    """A picture of 96 x 64 pixels, on disk."""
    Image.fromarray(stand_ins.photo(height=64, width=96)).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.fixture
def panel(photo):
    """A panel that begins with that picture."""
    return Panel("vqgan_clip", init_image=photo, width=96, height=64)


def editor(panel):
    return panel._masks


def press(box, text):
    """Press the button of that name, somewhere in a box."""
    def inside(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from inside(child)
    next(one for one in inside(box) if getattr(one, "description", "") == text
         and hasattr(one, "click")).click()


def mask_of(panel):
    return np.asarray(picture_files.load(panel.widgets["mask"].value).convert("L"))


def test_a_larger_canvas(photo):
    larger, mask = outpainting.extend(photo, left=32, down=16)
    inner, outer, white = (np.asarray(one) for one in (picture_files.load(photo), larger, mask))
    assert (larger.size, mask.size, mask.mode) == ((128, 80), (128, 80), "L")
    assert (outer[:64, 32:] == inner).all() and (outer[:64, :32] == inner[:, :1]).all()
    assert not white[:64, 32:].any() and (white[64:] == 255).all() and (white[:, :32] == 255).all()


def test_a_rectangle(photo):
    white = np.asarray(outpainting.rectangle(photo, (0, 0.5), (0.25, 1)))
    assert white.shape == (64, 96) and white[20, 0] == white[63, 47] == 255
    assert white[10, 0] == white[63, 60] == 0


@pytest.mark.parametrize("sides, said", [
    ({}, "the picture is extended by nothing; it grows left, right, up or down: "
         "give one of them pixels, say 128"),
    ({"up": -1}, "up is -1; it must be between 0 and 2048 pixels: try 128"),
    ({"up": 0.5}, "up is 0.5; it must be between 0 and 2048 pixels: try 128")])
def test_what_cannot_be_extended(photo, sides, said):
    with pytest.raises(Refused) as refused:
        outpainting.extend(photo, **sides)
    assert str(refused.value) == said


def test_what_is_no_rectangle_or_no_picture(photo):
    with pytest.raises(Refused, match="down goes from 0.5 to 0.5; a rectangle lies between 0 and 1"):
        outpainting.rectangle(photo, down=(0.5, 0.5))
    with pytest.raises(Refused, match="there is no picture to mask; init_image is empty"):
        outpainting.extend("", left=8)


def test_the_panel_extends_a_picture(panel):
    editor(panel).larger.sides["right"].value = 96
    press(panel.knobs, "Extend")
    settings = panel.settings
    assert (settings.width, settings.height) == (192, 64)
    assert picture_files.load(settings.init_image).size == (192, 64)
    assert mask_of(panel)[:, 96:].all() and not mask_of(panel)[:, :96].any()
    assert editor(panel).larger.sides["right"].value == 0
    assert images.open_mask(settings.mask, 192, 64, over=images.open(settings.init_image)).mean() == 0.5


def test_a_larger_picture_keeps_its_scale_within_what_can_be_painted(panel):
    panel.widgets["width"].value, panel.widgets["height"].value = 192, 128     # twice its size
    editor(panel).larger.sides["up"].value = 64
    press(panel.knobs, "Extend")
    assert (panel.settings.width, panel.settings.height) == (192, 256)
    panel.widgets["width"].value = panel.widgets["height"].value = 2048
    editor(panel).larger.sides["up"].value = 1024
    press(panel.knobs, "Extend")
    assert panel.settings.height == 2048


def test_the_panel_takes_a_rectangle(panel):
    editor(panel).across.value, editor(panel).down.value = (0, 50), (0, 100)
    press(panel.knobs, "Use this rectangle")
    assert mask_of(panel)[:, :47].all() and not mask_of(panel)[:, 49:].any()


def test_the_panel_takes_a_drawing(panel):
    press(panel.knobs, "Open the board")
    board = editor(panel).board
    assert (board.width, board.height, board.ink) == (96, 64, "white")
    drawn = Image.new("L", board._size(), 0)
    drawn.paste(255, (0, 0, drawn.width // 2, drawn.height))
    board._heard.value = f"data:image/png;base64,{base64.b64encode(picture_files.png(drawn)).decode()}"
    press(panel.knobs, "Use what is red")
    assert mask_of(panel).shape == (64, 96)
    assert mask_of(panel)[:, :47].all() and not mask_of(panel)[:, 49:].any()


def test_what_cannot_be_masked_is_said(panel):
    press(panel.knobs, "Open the board")
    press(panel.knobs, "Use what is red")
    assert "nothing is drawn yet" in editor(panel).said.value and not panel.widgets["mask"].value
    press(panel.knobs, "Extend")
    assert "extended by nothing" in editor(panel).said.value
    panel.widgets["init_image"].value = ""
    press(panel.knobs, "Use this rectangle")
    assert "there is no picture to mask" in editor(panel).said.value


def test_a_large_picture_gets_a_board_of_its_shape(panel, tmp_path):
    Image.new("RGB", (3000, 1500), "red").save(tmp_path / "large.png")
    panel.widgets["init_image"].value = str(tmp_path / "large.png")
    press(panel.knobs, "Open the board")
    assert (editor(panel).board.width, editor(panel).board.height) == (512, 256)


# ---------------------------------------------------------------- the frame

@pytest.fixture
def frame(panel):
    """The frame of a picture of 96 x 64 that is painted at twice its size, in steps of 32."""
    panel.widgets["width"].value, panel.widgets["height"].value = 192, 128
    return editor(panel).larger


def sides(frame):
    return {name: slider.value for name, slider in frame.sides.items() if slider.value}


def test_sliders_snap_to_what_can_be_painted(frame):
    for asked, got in ((3, 0), (9, 16), (42, 48), (2048, 2048)):
        frame.sides["left"].value = asked
        assert sides(frame) == ({"left": got} if got else {})
    frame.sides["left"].value = 6
    frame.sides["left"].value = 16
    frame.sides["right"].value = 30
    assert sides(frame) == {"left": 16, "right": 32}
    assert "The canvas becomes 288 x 128." in frame.line.value


def test_board_and_sliders_follow_each_other(panel, frame):
    frame.sides["down"].value = 32
    press(panel.knobs, "Open the frame")
    assert frame.board.box == (0, 0, 96, 96)
    frame.sides["left"].value = 16
    assert frame.board.box == (-16, 0, 96, 96)
    frame.board._heard.value = "-5 -10 107 86"          # moved within it, on the page
    assert sides(frame) == {"left": 5, "right": 11, "up": 10, "down": 22}
    press(panel.knobs, "Extend")
    assert (panel.settings.width, panel.settings.height) == (224, 192)
    assert not mask_of(panel)[10:74, 5:101].any() and mask_of(panel)[:10].all() and mask_of(panel)[74:].all()
    assert sides(frame) == {} and frame.line.value == ""
    assert frame.board.size == (112, 96) and frame.board.box == (0, 0, 112, 96)    # that of the larger one


def test_what_the_page_may_not_say_is_said(panel, frame):
    press(panel.knobs, "Open the frame")
    frame.board._heard.value = "5 0 96 64"
    assert "the rectangle goes from 5, 0 to 96, 64; it lies around the picture, 96 x 64: draw it anew" in \
        editor(panel).said.value
    assert sides(frame) == {}


def test_another_size_or_picture_opens_another_frame(panel, frame, tmp_path):
    frame.sides["right"].value = 16
    press(panel.knobs, "Open the frame")
    before = frame.board
    panel.widgets["width"].value, panel.widgets["height"].value = 96, 64
    assert frame.board is not before and sides(frame) == {"right": 32}
    Image.new("RGB", (64, 64)).save(tmp_path / "square.png")
    panel.widgets["init_image"].value = str(tmp_path / "square.png")
    assert frame.board.size == (64, 64)
    panel.widgets["init_image"].value = ""
    assert frame.board is None and "there is no picture to mask" in editor(panel).said.value


def test_sizes_that_can_be_painted(panel):
    width = knobs(type(panel.settings))["width"]
    assert outpainting.lengths(96, 2, width)[:4] == [96, 112, 128, 144]
    assert outpainting.lengths(100, 1, width)[:3] == [100, 128, 160]
    assert outpainting.lengths(96, 2, width)[-1] == 96 + 2048
    assert outpainting.lengths(10, 1, width)[:3] == [10, 32, 64]
    square = (width, width)
    assert outpainting.painted((96, 64), (96, 96), (192, 128), square) == (192, 192)
    assert outpainting.painted((96, 64), (96, 1024), (1920, 1280), square) == (192, 2048)
