"""A part of a picture: from a plain cell, and in the panel from upload to undo."""

from pathlib import Path

import numpy as np
import pytest
import stand_ins
from PIL import Image
from test_outpainting import photo, press                # noqa: F401
from test_panel import hand, home                        # noqa: F401

from helpers import cropping, editors, images, picture_files, uploads
from helpers.errors import Refused
from helpers.framing_board import FramingBoard
from helpers.panel import Panel

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def field():
    import ipywidgets
    return ipywidgets.Text()


@pytest.fixture
def upload(field):
    """The upload control of a field, on a canvas of 128 x 128."""
    return editors.Upload(field, lambda: (128, 128))


def given(upload, path):
    """Upload that file, as a page does."""
    hand(upload.box, "photo.png", Path(path).read_bytes())


def pixels(path):
    return np.asarray(picture_files.load(path).convert("RGB"))


def buttons(box):
    """What can be pressed there."""
    found = [getattr(box, "description", "")] if hasattr(box, "click") else []
    return found + [text for child in getattr(box, "children", ()) for text in buttons(child)]


# ---------------------------------------------------------------- plain

def test_a_part_by_shares(photo):                        # noqa: F811
    whole = pixels(photo)
    part = cropping.crop(photo, across=(0.25, 0.75), down=(0, 0.5))
    assert (np.asarray(part) == whole[:32, 24:72]).all()
    for same in (Image.open(photo), whole, images.open(photo)):
        assert (np.asarray(cropping.crop(same, (0.25, 0.75), (0, 0.5))) == np.asarray(part)).all()


def test_a_part_of_a_shape(photo):                       # noqa: F811
    whole = pixels(photo)
    assert (np.asarray(cropping.crop(photo, shape=(256, 256))) == whole[:, 16:80]).all()
    assert (np.asarray(cropping.crop(photo, across=(0, 0.5), shape=(3, 2))) == whole[16:48, :48]).all()


def test_what_is_clear_stays_clear():
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    assert cropping.crop(clear, (0, 0.5)).getpixel((0, 0)) == (255, 0, 0, 0)
    assert cropping.crop(clear.convert("P"), (0, 0.5)).getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I", "I;16", "F", "RGBA"])
def test_a_picture_of_any_mode_can_be_cropped_and_kept(mode, tmp_path):
    Image.new(mode, (64, 48)).save(tmp_path / "odd.tiff")
    part = uploads.keep_part(tmp_path / "odd.tiff", (0, 0, 32, 48))
    assert picture_files.load(part).size == (32, 48)


@pytest.mark.parametrize("asked, said", [
    ({"across": (0.5, 0.5)}, "across goes from 0.5 to 0.5; a part lies between 0 and 1: try 0.25 to 0.75"),
    ({"down": (-0.1, 1)}, "down goes from -0.1 to 1; a part lies between 0 and 1: try 0.25 to 0.75"),
    ({"across": (0, float("nan"))}, "across goes from 0 to nan; a part lies between 0 and 1: "
                                    "try 0.25 to 0.75"),
    ({"across": (0, 0.1)}, "the part has 10 x 64 pixels; it needs at least 16 each way: "
                           "take more of the picture"),
    ({"shape": (0, 2)}, "shape is (0, 2); it is a width and a height above 0: try (256, 192)")])
def test_what_is_no_part(photo, asked, said):            # noqa: F811
    with pytest.raises(Refused) as refused:
        cropping.crop(photo, **asked)
    assert str(refused.value) == said


def test_no_picture_and_no_place():
    with pytest.raises(Refused) as refused:
        cropping.crop(" ")
    assert str(refused.value) == "there is no picture to crop; its field is empty: name or upload one first"
    with pytest.raises(Refused) as refused:
        cropping.cut(Image.new("RGB", (64, 64)), (0, 0, 65, 64))
    assert str(refused.value) == ("the part reaches from 0, 0 to 65, 64; the picture has 64 x 64 pixels: "
                                  "stay within it")


@pytest.mark.parametrize("box, kept, shaped", [
    ((0, 0, 96, 64), "", (16, 0, 80, 64)), ((0, 0, 40, 64), "", (0, 12, 40, 52)),
    ((10, 0, 50, 20), "across", (10, 0, 50, 40)), ((10, 0, 50, 20), "down", (20, 0, 40, 20)),
    ((0, 0, 96, 64), "across", (16, 0, 80, 64)), ((90, 0, 96, 60), "down", (36, 0, 96, 60))])
def test_the_nearest_square(box, kept, shaped):
    assert cropping.shaped(box, (96, 64), (5, 5), kept) == shaped


# ---------------------------------------------------------------- in the panel

def test_an_upload_is_cropped_and_undone(photo, upload, field):      # noqa: F811
    assert buttons(upload.crop.box) == []
    given(upload, photo)
    whole = field.value
    assert buttons(upload.crop.box) == ["Crop"]
    press(upload.box, "Crop")
    assert upload.crop.chooser.box == (16, 0, 80, 64)           # of the canvas' shape
    upload.crop.chooser.keep.value = False
    upload.crop.chooser.sides["across"].value = (8, 40)
    assert field.value == whole                                 # until it is said
    press(upload.box, "Use this part")
    assert (pixels(field.value) == pixels(photo)[:, 8:40]).all() and "/uploads/" in field.value
    assert buttons(upload.crop.box) == ["Crop", "Undo crop"]
    assert "32 x 64, cropped" in upload.crop.box.children[0].children[0].value
    press(upload.box, "Undo crop")
    assert field.value == whole and buttons(upload.crop.box) == ["Crop"]
    assert (pixels(whole) == pixels(photo)).all()


def test_a_part_is_chosen_anew_of_the_whole_picture(photo, upload, field):   # noqa: F811
    part = uploads.keep_part(photo, (8, 4, 40, 36))
    field.value = str(part)
    press(upload.box, "Crop")
    assert upload.crop.chooser.board.size == (96, 64) and upload.crop.chooser.box == (8, 4, 40, 36)
    press(upload.box, "Cancel")
    assert field.value == str(part) and upload.crop.chooser is None


def test_the_whole_is_found_again_by_another_panel(photo):           # noqa: F811
    panel = Panel("vqgan_clip", init_image=str(uploads.keep_part(photo, (8, 4, 40, 36))))
    panel.system = "deep_daze"
    press(panel._boxes["init_image"], "Undo crop")
    assert (pixels(panel.settings.init_image) == pixels(photo)).all()


def test_the_last_of_several_is_cropped(photo):                      # noqa: F811
    panel = Panel("vqgan_clip", image_prompts=f"{photo}:0.5 ^ {photo}:-0.25")
    press(panel._boxes["image_prompts"], "Crop")
    press(panel._boxes["image_prompts"], "Use this part")
    first, last = panel.settings.image_prompts.split(" ^ ")
    assert first == f"{photo}:0.5" and last.endswith(":-0.25")
    assert picture_files.load(last.removesuffix(":-0.25")).size == (64, 64)


def test_sliders_board_and_shape_agree(photo, upload, field):        # noqa: F811
    field.value = photo
    press(upload.box, "Crop")
    chooser = upload.crop.chooser
    across, down = chooser.sides.values()
    across.value = (10, 50)
    assert (across.value, down.value) == ((10, 50), (12, 52))
    assert chooser.board._heard.value == "10 12 50 52 128 128"
    chooser.board._heard.value = "0 0 30 30 128 128"            # drawn on the page
    assert (across.value, down.value) == ((0, 30), (0, 30))
    chooser.keep.value = False
    down.value = (0, 64)
    assert chooser.box == (0, 0, 30, 64) and chooser.board._heard.value == "0 0 30 64"


def test_what_is_wrong_is_said_where_it_is(photo, upload, field):    # noqa: F811
    field.value = photo
    press(upload.box, "Crop")
    upload.crop.chooser.board._heard.value = "0 0 900 64"
    assert "the rectangle goes from 0, 0 to 900, 64; it lies within the picture, 96 x 64: draw it anew" in \
        upload.crop.chooser.said.value
    upload.crop.chooser.keep.value = False
    upload.crop.chooser.sides["across"].value = (0, 4)
    press(upload.box, "Use this part")
    assert "the part has 4 x 64 pixels" in upload.crop.said.value and field.value == photo


@pytest.mark.parametrize("text", ["", "nowhere.png", "https://example.org/a.png", "a | b: ^"])
def test_what_cannot_be_cropped_here_has_no_buttons(text, upload, field):
    field.value = text
    assert buttons(upload.crop.box) == []


def test_what_a_strange_picture_says_leads_nowhere(tmp_path, home):  # noqa: F811
    (home / "uploads").mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(tmp_path / "secret.png")
    for said in ({"whole": "../../secret.png", "box": [0, 0, 16, 16]}, {"whole": "../../secret.png"},
                 ["whole"], {"whole": "secret.png", "box": ["a", 0, 1, 2]}):
        path = uploads.keep("x.png", picture_files.png(Image.new("RGB", (16, 16)), said))
        assert uploads.whole(path) == (path, None)


@pytest.mark.parametrize("text", ["", "1 2 3", "0 0 9 9 1", "a b c d", "0 0 1e3 9", "0 0 64 64 1 1 1",
                                  "０ 0 9 9", "0 0 64 64\n"])
def test_what_is_no_rectangle_is_refused(photo, text):               # noqa: F811
    board = FramingBoard(photo)
    board._heard.value = text
    with pytest.raises(Refused) as refused:
        assert board.box
    assert str(refused.value) == ("what came from the board is no rectangle; it sends four whole numbers, or "
                                  "six: open it anew")


def test_a_photograph_of_a_telephone_is_upright(tmp_path, upload, field):
    picture, exif = Image.fromarray(stand_ins.photo(height=64, width=96)), Image.Exif()
    exif[0x0112] = 6                                            # to be turned
    picture.save(tmp_path / "turned.jpg", exif=exif)
    given(upload, tmp_path / "turned.jpg")
    press(upload.box, "Crop")
    assert upload.crop.chooser.board.size == (64, 96)
