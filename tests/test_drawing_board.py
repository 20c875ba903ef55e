"""The drawing board: what the page sends is the picture, or is refused."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image, ImageDraw

from helpers import drawing_board
from helpers.drawing_board import Board
from helpers.errors import Refused

EMPTY = (r"nothing is drawn yet; a board holds what was drawn on it or loaded: draw something, or "
         r"board.load\(\"sketch.png\"\)")
JUNK = ("what came from the drawing board is not a drawing; it sends PNG pictures: run its cell again and "
        "draw anew")


def drawn(side=768, kind="PNG", ink="black", paper="white", mode="RGBA"):
    """A picture with one bar in it, as the canvas makes it."""
    picture = Image.new(mode, (side, side), paper)
    ImageDraw.Draw(picture).rectangle((60, 120, side - 61, 179), fill=ink)
    packed = io.BytesIO()
    picture.save(packed, kind)
    return packed.getvalue()


def url(data, kind="image/png"):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def heard(board, text):
    """The page puts `text` into the field."""
    board._heard.value = text
    return board


def test_what_is_drawn_arrives():
    image = heard(Board(128, 128), url(drawn())).image
    assert (image.mode, image.size) == ("L", (128, 128))
    pixels = np.asarray(image)
    assert (pixels[20:30, 10:118] == 0).all() and (pixels == 0).sum() == 10 * 108
    assert (pixels == 255).sum() == pixels.size - 10 * 108


def test_a_mask_is_white_on_black():
    board = heard(Board(128, 128, ink="white"), url(drawn(ink="white", paper="black")))
    assert np.asarray(board.image).mean() == pytest.approx(255 * 10 * 108 / 128 ** 2)


@pytest.mark.parametrize("text, ink", [("", "black"), (url(drawn(ink="white")), "black"),
                                       (url(drawn(paper="black")), "white")])
def test_where_no_ink_is_nothing_is_drawn(text, ink):
    with pytest.raises(Refused, match=EMPTY):
        assert heard(Board(128, 128, ink=ink), text).image


@pytest.mark.parametrize("text", [
    "junk", "data:image/png;base64,", url(drawn(kind="JPEG", mode="RGB"), "image/jpeg"),
    url(drawn(kind="JPEG", mode="RGB")), url(b"<svg onload='x'/>", "image/svg+xml"),
    "https://example.org/cat.png", "/etc/passwd", url(drawn())[:-900], url(drawn())[:-1], url(drawn()) + "\n",
    " " + url(drawn()), url(drawn()).replace("A", "!", 1), url(drawn()[:40])])
def test_anything_else_is_refused(text):
    with pytest.raises(Refused) as refused:
        assert heard(Board(128, 128), text).image
    assert str(refused.value) == JUNK


def test_another_size_is_refused():
    with pytest.raises(Refused, match="the drawing has 767 x 767 pixels; this board sends 768 x 768: run"):
        assert heard(Board(128, 128), url(drawn(767))).image


def test_too_much_is_refused_unread():
    with pytest.raises(Refused, match="the drawing takes 1.5 MB; a board holds 1 MB: give a photograph to"):
        assert heard(Board(128, 128), "x" * 1_500_000).image
    with pytest.raises(Refused, match="a board holds 1 MB"):
        Board(1024, 1024).load(Image.effect_noise((1024, 1024), 90))


def test_a_picture_of_its_size_comes_back_exactly(tmp_path):
    picture = Image.effect_noise((96, 64), 60)
    picture.save(tmp_path / "sketch.png")
    for source in (picture, tmp_path / "sketch.png", np.asarray(picture)):
        for ink in ("black", "white"):
            board = Board(96, 64, ink=ink)
            board.load(source)
            assert board.image.tobytes() == picture.tobytes()


def test_other_pictures_are_fitted_and_what_is_clear_is_paper():
    picture = Image.new("RGBA", (400, 200))
    ImageDraw.Draw(picture).rectangle((100, 50, 299, 149), fill="black")
    board = Board(100, 100)
    board.load(picture)
    assert np.asarray(board.image)[25:75].max() == 0 and np.asarray(board.image)[:24].min() == 255
    mask = Board(100, 100, ink="white")
    with pytest.raises(Refused, match="the mask is all black"):
        mask.load(picture)


def test_the_picture_under_it_gives_the_size():
    under = Image.new("RGB", (300, 180), "teal")
    assert [(b.width, b.height) for b in (Board(), Board(under=under), Board(64, 0, under))] == [
        (128, 128), (300, 180), (64, 180)]


@pytest.mark.parametrize("given, wrong", [
    ({"width": 8}, "width is 8; a drawing board has 16 to 2048 pixels each way"),
    ({"height": 4096}, "height is 4096"), ({"width": 64.0}, "width is 64.0"),
    ({"width": "<b>"}, "width is '<b>'"),
    ({"ink": "<b>"}, "ink is '<b>'; choose 'black' for sketches or 'white' for masks")])
def test_other_boards_are_refused(given, wrong):
    with pytest.raises(Refused, match=wrong):
        Board(**given)


@pytest.mark.parametrize("given", [{}, {"ink": "white"}, {"under": Image.new("RGB", (90, 60))},
                                   {"under": Image.new("RGB", (90, 60)), "ink": "white"}])
def test_the_page_is_complete(given):
    board = Board(**given)
    page = board._markup()
    assert "$" not in page
    assert not re.search(r"https?:|url\(|import|@font|(src|href)=\"(?!data:image/jpeg;base64,)", page)
    assert f'class="{board._name} ' in page and f"{board._name}-heard" in board._heard._dom_classes
    names = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _: names.append(tag)
    parser.feed(page)
    assert names.count("img") == ("under" in given) and names[-1] == "script" and names.count("button") == 5


def test_two_boards_do_not_share_a_field():
    assert Board()._name != Board()._name and re.fullmatch(r"board-[0-9a-f]{32}", Board()._name)


def test_it_shows_itself(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda what, **_: shown.append(what))
    board = Board(128, 128)
    board._ipython_display_()
    heard(board, url(drawn()))._ipython_display_()
    heard(board, "junk")._ipython_display_()        # can be drawn on again
    assert [set(one) for one in shown[::2]] == [
        {"text/html", "text/plain"}, {"text/html", "text/plain", "image/png"}, {"text/html", "text/plain"}]
    assert shown[1::2] == [board._heard] * 3 and board._heard.layout.display == "none"
    assert shown[0]["text/plain"] == "A drawing board, 128 x 128; it opens here when you run the cell."


def test_canvases_are_whole_multiples():
    for side in (16, 100, 128, 500, 769, 2048):
        across, down = Board(side, side)._size()
        assert across == down and across % side == 0 and across <= max(drawing_board.SHARP, side)
