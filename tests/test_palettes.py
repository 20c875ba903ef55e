import numpy as np
import pytest
from PIL import Image

from helpers import palettes
from helpers.errors import Refused


def test_names_hex_and_ramps():
    assert palettes.parse("red, #00ff00; blue") == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert palettes.parse("[black, white]") == [(0, 0, 0), (1, 1, 1)]
    assert palettes.parse("black->white\\5") == [(v, v, v) for v in (0, 0.25, 0.5, 0.75, 1)]
    assert palettes.parse("") == []
    assert palettes.parse("rgb(255, 0, 0) hsl(0, 100%, 50%)") == [(1, 0, 0), (1, 0, 0)]
    assert palettes.parse("rgb(0, 0, 0)->white\\2 red") == [(0, 0, 0), (1, 1, 1), (1, 0, 0)]


def test_names_of_xkcd_have_spaces():
    rose = (192 / 255, 115 / 255, 122 / 255)
    assert palettes.parse("xkcd:dusty rose, red; XKCD:Dusty Rose") == [rose, (1, 0, 0), rose]
    assert palettes.parse("[xkcd:dusty rose->black\\2 white]") == [rose, (0, 0, 0), (1, 1, 1)]
    assert palettes.parse("black->xkcd:dusty rose\\2") == [(0, 0, 0), rose]
    assert palettes.color("tab:olive") == palettes.color("#bcbd22")


def test_from_a_picture(tmp_path):
    half = np.zeros((40, 40, 3), np.uint8)
    half[:20] = (255, 0, 0)
    Image.fromarray(half).save(tmp_path / "a photo.png")
    colors = palettes.parse(f"[@{tmp_path / 'a photo.png'} , white]")
    assert (1.0, 0.0, 0.0) in colors and (0.0, 0.0, 0.0) in colors and colors[-1] == (1, 1, 1)


@pytest.mark.parametrize("text, message", [
    ("redd", "palette has 'redd'; colors are names such as navy, or #rrggbb: "
             "try 'navy, #ffcc00, white' or 'black->white\\5'"),
    ("xkcd:dusty rosy", "palette has 'xkcd:dusty rosy'; colors are names such as navy, or #rrggbb: "
                        "try 'navy, #ffcc00, white' or 'black->white\\5'"),
    ("red->blue\\1", "palette has a ramp of 1 steps; a ramp has 2 to 64: "
                     "try 'navy, #ffcc00, white' or 'black->white\\5'")])
def test_refusals(text, message):
    with pytest.raises(Refused) as refusal:
        palettes.parse(text)
    assert str(refusal.value) == message
