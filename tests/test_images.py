"""Pictures: whatever comes in is one tensor, whatever is bad is refused by name and reason."""

import contextlib
import http.server
import os
import struct
import threading
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from helpers import images, links, picture_files
from helpers.errors import Refused

GRAY = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
COLOR = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 10


def refusal(call, *arguments):
    with pytest.raises(Refused) as said:
        call(*arguments)
    return str(said.value)


def test_every_source_gives_the_same_tensor(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(COLOR).save(path)
    expected = torch.from_numpy(COLOR / 255.0).float().permute(2, 0, 1)[None]
    for source in (path, str(path), Image.fromarray(COLOR), COLOR, COLOR / 255.0, expected, expected[0]):
        image = images.open(source)
        assert image.shape == (1, 3, 2, 3) and image.dtype == torch.float32
        assert torch.allclose(image, expected, atol=1e-7)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr"])
def test_every_mode(mode):
    if mode in ("F", "I", "I;16"):
        pixels = (GRAY / 255.0).astype(np.float32) if mode == "F" else GRAY.astype(np.uint16) * 257
        picture = Image.fromarray(pixels).convert(mode)
    else:
        picture = Image.fromarray(COLOR).convert(mode)
    image = images.open(picture)
    assert image.shape == (1, 3, 2, 3) and 0 <= image.min() and image.max() <= 1
    if mode in ("I;16", "I", "F"):
        assert torch.allclose(image[0, 0], torch.from_numpy(GRAY / 255.0).float(), atol=1e-4)


def test_glass_lies_on_white_and_hides_from_masks():
    picture = Image.fromarray(np.array([[[255, 0, 0, 0], [255, 255, 255, 255]]], dtype=np.uint8))
    assert images.open(picture)[0, :, 0, 0].tolist() == [1, 1, 1]
    assert images.open_mask(picture).tolist() == [[[[0, pytest.approx(1)]]]]


def test_photos_lie_upright(tmp_path):
    path, exif = tmp_path / "phone.jpg", Image.Exif()
    exif[0x0112] = 6        # turned by 90 degrees
    Image.fromarray(COLOR).save(path, exif=exif)
    assert images.open(path).shape == (1, 3, 3, 2)


@pytest.mark.parametrize("how", images.WAYS)
@pytest.mark.parametrize("size", [(8, 8), (7, 31), (64, 2), (1, 1)])
def test_fit(how, size):
    image = images.fit(torch.rand(1, 3, 20, 30), *size, how)
    assert image.shape == (1, 3, size[1], size[0]) and 0 <= image.min() and image.max() <= 1


def test_crop_keeps_shapes_round():
    image = torch.zeros(1, 3, 20, 40)
    image[..., 5:15, 15:25] = 1
    cut = images.fit(image, 10, 10)
    assert cut[0, 0, 3:7, 3:7].min() > 0.9 and cut[0, 0, 0].max() < 0.1 and cut[0, 0, :, 0].max() < 0.1
    assert refusal(images.fit, image, 9, 9, "squash") == \
        "how is 'squash'; choose one of 'crop', 'stretch', 'pad'"


def test_there_and_back(tmp_path):
    images.save_png(tmp_path / "a.png", images.open(COLOR), {"prompts": "a fête", "n": 1})
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), COLOR)
    assert images.read_text(tmp_path / "a.png") == {"prompts": "a fête", "n": 1}
    images.save_png(tmp_path / "b.png", COLOR)
    assert images.read_text(tmp_path / "b.png") is None
    assert images.png(COLOR, {"a": 1}) == images.png(torch.from_numpy(COLOR).permute(2, 0, 1) / 255, {"a": 1})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_grid():
    tiles = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 1, 2, 2) / 4
    sheet = images.grid(tiles)
    assert sheet.shape == (1, 1, 4, 4)
    assert sheet[0, 0, ::2, ::2].tolist() == [[0, 0.25], [0.5, 1]]
    assert images.to_pil(torch.rand(3, 3, 8, 8)).size == (16, 16)
    assert images.to_pil(torch.full((1, 3, 2, 2), float("nan"))).getpixel((0, 0)) == (0, 0, 0)


def test_empty_missing_and_broken_files(tmp_path):
    empty, broken = tmp_path / "empty.png", tmp_path / "broken.png"
    cut, page = tmp_path / "cut.jpg", tmp_path / "page.png"
    empty.touch()
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"nonsense" * 9)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(cut)
    cut.write_bytes(cut.read_bytes()[:900])
    page.write_text("<!DOCTYPE html><html>")
    assert refusal(images.open, empty) == f"'{empty}' is empty (0 bytes); a picture has pixels in it: " \
        "save or download it again"
    for path in (broken, cut):
        assert refusal(images.open, path) == f"'{path}' cannot be read as a picture; PNG, JPEG, WebP, GIF, " \
            "BMP, TIFF and AVIF can: open it in a picture program and save it as PNG"
    assert refusal(images.open, page).startswith(f"'{page}' is a web page, not a picture; ")
    assert refusal(images.open, tmp_path / "cut.jpeg") == f"there is no file '{tmp_path}/cut.jpeg'; " \
        f"did you mean '{cut}'?"
    assert refusal(images.open, "/nowhere/x.png") == \
        "there is no file '/nowhere/x.png'; a picture is a path or a web address: check it"
    assert refusal(images.open, tmp_path) == f"'{tmp_path}' is a folder; a single picture is needed: " \
        "give the path of a file in it"
    assert refusal(images.open, os.devnull) == \
        f"'{os.devnull}' is a device, not a file; a picture is a path or a web address: check it"
    assert refusal(images.open, "x" * 999) == \
        f"'{'x' * 999}' cannot be reached; the system says 'File name too long': check the path"
    assert refusal(images.open, "~nobody-here/x.png") == "'~nobody-here/x.png' cannot be reached; " \
        "the system says 'Could not determine home directory.': check the path"


def test_no_file_of_any_bytes_gets_further_than_a_refusal(tmp_path):
    rng, whole = np.random.default_rng(1), images.png(COLOR.repeat(4, 0).repeat(4, 1), {"a": 1})
    for _ in range(200):
        data = bytearray(whole)
        for place in rng.integers(8, len(data), 4):
            data[place] = rng.integers(256)
        path = tmp_path / "x.png"
        path.write_bytes(data[:rng.integers(1, len(data) + 1)])
        with contextlib.suppress(Refused):
            assert images.open(path).ndim == 4
        with contextlib.suppress(Refused):
            images.read_text(path)


def png_header(width, height):
    """A few bytes that claim to be a huge picture."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side, said", [(40_000, "1600 megapixels"), (12_000, "12000 x 12000 pixels"),
                                        (8_001, "8001 x 8001 pixels")])
@pytest.mark.filterwarnings("error")
def test_huge_pictures_are_refused_by_their_header(tmp_path, side, said):
    path = tmp_path / "huge.png"
    path.write_bytes(png_header(side, side))
    assert refusal(images.open, path) == f"'{path}' is {said}; at most 64 megapixels are read: " \
        "shrink it first, for example to 4000 x 4000"


def test_arrays_that_are_no_pictures():
    assert refusal(images.open, np.zeros((2, 3, 5))) == \
        "the array has the shape (2, 3, 5); it must be (height, width, 3)"
    assert refusal(images.open, torch.zeros(2, 3, 4, 4)) == \
        "the tensor has the shape (2, 3, 4, 4); it must be (1, 3, height, width)"
    assert refusal(images.open, COLOR.astype(int)) == \
        "the array goes from 0 to 170; numbers in a picture go from 0 to 1: divide by 255, or hand in uint8"
    assert "goes from nan to nan" in refusal(images.open, np.full((2, 2), np.nan))
    assert "has the shape (0, 4, 3)" in refusal(images.open, np.zeros((0, 4, 3)))


def test_masks(tmp_path):
    mask = images.open_mask(np.array([[0, 255]], np.uint8), 4, 2)
    assert mask.shape == (1, 1, 2, 4)
    assert refusal(images.open_mask, np.zeros((4, 4))) == \
        "the mask is all black; white says where to paint: fill the place to change with white"


@pytest.fixture(scope="module")
def server():
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "file:///etc/passwd")
                self.end_headers()
                return
            self.send_response(404 if self.path == "/gone" else 200)
            self.end_headers()
            bodies = {"/a.png": images.png(COLOR), "/page": b"<html>hello", "/big": bytes(1 << 17)}
            self.wfile.write(bodies.get(self.path, b""))

        def log_message(self, *arguments):
            pass

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()


def test_links(server, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("DISCOTHEQUE_LOCAL_LINKS", "1")
    assert torch.equal(images.open(f"{server}/a.png"), images.open(COLOR))
    assert refusal(images.open, f"{server}/gone") == f"'{server}/gone' could not be fetched; " \
        "the server says 404 Not Found: save it in a browser and give its path"
    assert "is a web page, not a picture" in refusal(images.open, f"{server}/page")
    assert "is empty (0 bytes)" in refusal(images.open, f"{server}/empty")
    assert "could not be fetched" in refusal(images.open, f"{server}/away")
    assert refusal(links.fetch, f"{server}/big", 1000) == \
        f"'{server}/big' is too large; at most 0 MB are fetched: save it, shrink it and give its path"
    assert "the connection failed (" in refusal(links.fetch, f"{server}/big", 1 << 20, 1e-9)     # out of time
    assert "the connection failed" in refusal(images.open, "http://127.0.0.1:9/a.png")


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://a.org/b.png", "gopher://a"])
def test_other_schemes(link):
    scheme = link.partition(":")[0]
    assert refusal(images.open, link) == \
        f"'{link}' is a {scheme} address; pictures come from files, http or https: save it and give its path"


def test_programs_are_not_pictures(tmp_path):
    path = tmp_path / "a.eps"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    assert "cannot be read as a picture" in refusal(images.open, path)
    assert "EPS" not in picture_files.FORMATS
