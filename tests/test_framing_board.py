"""The framing board in a real browser: what the mouse, a finger and the keys make of the rectangle.

Its page stands alone here, with a plain text field in place of Python.
"""

import pytest
import stand_ins
from PIL import Image
from test_journey import browser, drag                  # noqa: F401

from helpers.framing_board import FramingBoard

PICTURE = Image.fromarray(stand_ins.photo(height=240, width=320))       # on a page of 400 x 300
LENGTHS = ([320, 360, 440, 520], [240, 300, 400])


@pytest.fixture
def opened(browser):                                    # noqa: F811
    """A function that opens the page of a board, in which `said()` is what it says."""
    context = browser.new_context(viewport={"width": 600, "height": 500}, has_touch=True)

    def open_(board):
        page = context.new_page()
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        field = f'<div class="{board._name}-heard"><textarea></textarea></div>'
        page.set_content(f"<div>{board._markup()}{field}</div>")
        page.locator("textarea").fill(board._heard.value)
        page.wait_for_timeout(400)      # it listens now and then
        page.said = page.locator("textarea").input_value
        return page
    yield open_
    context.close()


def within(box=(0, 0, 320, 240), shape=None):
    board = FramingBoard(PICTURE)
    board.put(box, shape)
    return board


def around(box=(0, 0, 320, 240)):
    board = FramingBoard(PICTURE, LENGTHS)
    board.put(box)
    return board


def pulled(page, what, across, down):
    """What it says after that pull, in pixels of the page."""
    drag(page, what, across, down)
    page.wait_for_timeout(250)          # until it lies still
    assert not page.wrong
    return page.said()


def test_edges_corners_and_the_part_itself_are_dragged(opened):
    page = opened(within())
    assert pulled(page, "i.r.b", -100, -50) == "0 0 240 200"
    assert pulled(page, "i.l:not(.t, .b)", 50, 7) == "40 0 240 200"
    assert pulled(page, ".box", 25, 25) == "60 20 260 220"
    assert pulled(page, ".box", 900, -900) == "120 0 320 200"           # not out of the picture
    assert pulled(page, "i.l.t", 900, 900) == "304 184 320 200"         # 16 pixels are left
    assert page.locator(".size").inner_text() == "16 × 16"


def test_another_part_is_drawn(opened):
    page = opened(within((160, 120, 320, 240)))
    edge = page.locator(".stage").bounding_box()

    def draw(*points):
        page.mouse.move(edge["x"] + points[0][0], edge["y"] + points[0][1])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(edge["x"] + x, edge["y"] + y)
        page.mouse.up()
        return page.said()
    assert draw((50, 50), (51, 51)) == "160 120 320 240"                # a click is no drawing
    assert draw((50, 50), (60, 60), (150, 100)) == "40 40 120 80"
    assert draw((300, 290), (290, 280), (250, 190)) == "200 152 240 232"


def test_a_shape_is_kept_until_it_is_not_wanted(opened):
    page = opened(within((40, 0, 280, 240), (128, 128)))
    assert pulled(page, "i.r.b", -100, -50) == "40 0 240 200 128 128"
    assert pulled(page, "i.b:not(.l, .r)", 0, -50) == "60 0 220 160 128 128"
    assert pulled(page, "i.r:not(.t, .b)", 900, 0) == "60 0 300 240 128 128"
    page.locator("textarea").fill("60 0 300 240")
    page.wait_for_timeout(400)
    assert pulled(page, "i.r:not(.t, .b)", 900, 0) == "60 0 320 240"


def test_a_frame_snaps_to_what_can_be_painted(opened):
    page = opened(around())             # a pixel of the page is 1.36 of the picture
    assert pulled(page, "i.r:not(.t, .b)", 10, 0) == "0 0 320 240"
    assert pulled(page, "i.r:not(.t, .b)", 28, 0) == "0 0 360 240"
    assert pulled(page, "i.l.t", -50, -40) == "-80 -60 360 240"
    assert pulled(page, "i.l:not(.t, .b)", 900, 0) == "0 -60 360 240"   # the picture stays in it
    assert [page.locator(f"b.{side}").inner_text() for side in "rt"] == ["+40", "+60"]


def test_the_picture_is_moved_within_its_frame(opened):
    page = opened(around((0, 0, 440, 400)))
    frame = page.locator(".box").bounding_box()
    left, up, right, down = map(int, pulled(page, ".box", 20, 900).split())
    assert left < -20 and (right - left, down - up, down) == (440, 400, 240)
    assert page.locator(".box").bounding_box() == pytest.approx(frame, abs=1)
    assert pulled(page, ".box", -900, -900) == "0 0 440 400"


def test_a_finger_will_do(opened):
    page = opened(within())
    handle = page.locator("i.r.b").bounding_box()
    x, y = handle["x"] + 14, handle["y"] + 14
    touch = page.context.new_cdp_session(page)
    for kind, points in (("touchStart", [(x, y)]), ("touchMove", [(x - 40, y - 40)]),
                         ("touchMove", [(x - 100, y - 50)]), ("touchEnd", [])):
        touch.send("Input.dispatchTouchEvent",
                   {"type": kind, "touchPoints": [{"x": one, "y": other} for one, other in points]})
    page.wait_for_timeout(250)
    assert page.said() == "0 0 240 200"


def test_keys_will_do(opened):
    page = opened(within((0, 0, 160, 120)))
    for key, said in (("ArrowRight", "3 0 163 120"), ("ArrowDown", "3 2 163 122"),
                      ("Shift+ArrowLeft", "3 2 160 122"), ("ArrowUp", "3 0 160 120")):
        page.locator(".box").press(key)
        assert page.said() == said
    page = opened(around())
    for key, said in (("Shift+ArrowRight", "0 0 360 240"), ("Shift+ArrowRight", "0 0 440 240"),
                      ("ArrowRight", "-3 0 437 240"), ("Shift+ArrowLeft", "-3 0 357 240")):
        page.locator(".box").press(key)
        assert page.said() == said


def test_it_says_so_where_nobody_listens(opened):
    page = opened(within())
    page.locator("textarea").evaluate("field => field.remove()")
    drag(page, "i.r.b", -50, -50)
    assert "use the sliders" in page.locator(".deaf:visible").inner_text()
