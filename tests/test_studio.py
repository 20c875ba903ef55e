"""The studio: frames are seen, filmed and laid side by side; what is made can be read back."""

import base64
import io
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import imageio.v3 as imageio
import numpy as np
import pytest
import small_system
import torch
from PIL import Image

from helpers import films, images, machine, run_folder, runs, safe_files, studio
from helpers.errors import Refused
from helpers.frames import Frame


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for module in (runs, run_folder):
        monkeypatch.setattr(module, "system_named", lambda name: small_system)


@pytest.fixture
def slot(monkeypatch):
    """A notebook that remembers what its one display slot was told."""
    told = []
    monkeypatch.setattr(studio, "_slot", lambda: SimpleNamespace(update=lambda data, raw: told.append(data)))
    return told


@pytest.fixture
def run(tmp_path):
    run = runs.start("small", small_system.Settings(steps=6, width=32, height=24), tmp_path)
    for _ in runs.record(run.paint(), run, every=2):
        pass
    return run


def grays(*levels, size=(24, 32)):
    return [np.full((*size, 3), level, np.uint8) for level in levels]


def levels(path):
    """Mean brightness of each picture of a film."""
    return [round(float(frame[..., :3].mean())) for frame in imageio.imiter(path)]


def refusal(call, *arguments, **options):
    with pytest.raises(Refused) as said:
        call(*arguments, **options)
    return str(said.value)


# ---------------------------------------------------------------- show

def test_show_outside_of_notebooks_only_paints():
    frames = [Frame(n, 3, torch.rand(1, 3, 4, 4), {}) for n in (1, 2, 3)]
    assert studio.show(frames) is frames[-1]
    assert studio.show([]) is None


def test_show_draws_into_one_slot(slot):
    frames = [Frame(n, 4, None if n % 2 else torch.rand(1, 3, 8, 16), {"prompts": 0.5}) for n in (1, 2, 3, 4)]
    assert studio.show(iter(frames), seconds=0, width=64) is frames[-1]
    assert len(slot) == 5
    assert "<img" not in slot[0]["text/html"] and '<progress value="1" max="4"' in slot[0]["text/html"]
    assert "<img" in slot[1]["text/html"] and "step 2 of 4, 0 s left   prompts 0.500" in slot[1]["text/plain"]
    assert slot[4].keys() == {"image/jpeg", "text/plain"}       # the picture that stays: plain, small
    assert Image.open(io.BytesIO(base64.b64decode(slot[4]["image/jpeg"]))).size == (64, 32)


def test_show_says_what_comes_before_the_first_step(slot):
    frames = [Frame(0, 2, None, {}, 9.0, "16 of 32 looked at"), Frame(1, 2, torch.rand(1, 3, 8, 8))]
    studio.show(frames, seconds=0)
    assert "16 of 32 looked at" in slot[0]["text/html"] and "step 1 of 2, 0 s left" in slot[1]["text/plain"]


def test_show_does_not_hurry(slot):
    studio.show([Frame(n, 50, torch.rand(1, 3, 8, 8)) for n in range(1, 51)], seconds=60)
    assert len(slot) == 2


def test_the_stop_button_keeps_picture_and_frame(slot, tmp_path):
    run = runs.start("small", small_system.Settings(steps=50), tmp_path)

    def stopped(frames):
        for frame in frames:
            yield frame
            if frame.step == 4:
                signal.raise_signal(signal.SIGINT)

    last = studio.show(stopped(runs.record(run.paint(), run)), seconds=0)
    assert last.step == 4 and "image/jpeg" not in slot[0]
    run = runs.start("small", small_system.Settings(steps=50), tmp_path)
    painting = run.paint()
    painting.before_step.append(lambda p: p.step == 7 and signal.raise_signal(signal.SIGINT))
    last = studio.show(runs.record(painting, run), seconds=0)
    kept = runs.open(run.folder)
    assert last.step == 7 and kept.manifest["status"] == "stopped" and kept.manifest["step"] == 8
    assert run.picture.exists() and "image/jpeg" in slot[-1]


def test_stopping_between_steps_ends_the_recording_at_once(slot, tmp_path, monkeypatch):
    run = runs.start("small", small_system.Settings(steps=50), tmp_path)
    real = studio._live

    def live(seen, frame, *rest):
        if frame.step == 6:
            raise KeyboardInterrupt
        return real(seen, frame, *rest)

    monkeypatch.setattr(studio, "_live", live)
    assert studio.show(runs.record(run.paint(), run), seconds=0).step == 6
    assert runs.open(run.folder).manifest["status"] == "stopped"


def test_show_in_a_real_notebook(monkeypatch):
    """IPython's own machinery accepts what the slot is told."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.testing.globalipapp import get_ipython     # noqa: F401  (importing starts nothing)
    from IPython.utils.capture import capture_output
    monkeypatch.setattr(machine, "in_notebook", lambda: True)
    InteractiveShell.instance()
    try:
        with capture_output() as caught:
            studio.show([Frame(1, 1, torch.rand(1, 3, 8, 8), {"prompts": 1.0})], width=32)
        assert [list(output.data) for output in caught.outputs][-1] == ["image/jpeg", "text/plain"]
    finally:
        InteractiveShell.clear_instance()
    assert "IPython" in sys.modules


def test_clock_and_progress():
    assert [studio.clock(s) for s in (0.2, 59.4, 59.6, 61, 3599, 3600, 7265)] == \
        ["0 s", "59 s", "1 min 00 s", "1 min 01 s", "59 min 59 s", "1 h 00 min", "2 h 01 min"]
    first, now = Frame(101, 200, None), Frame(110, 200, None, {"a": 0.25, "b": 2.0})     # resumed at step 100
    assert studio.progress(now, first, 10.0) == "step 110 of 200, 1 min 30 s left   a 0.250  b 2.000"
    assert studio.progress(Frame(200, 200, None), first, 10.0) == "step 200 of 200"


# ---------------------------------------------------------------- film

@pytest.mark.parametrize("suffix", films.CODECS)
def test_a_film_of_a_run_can_be_read_back(run, suffix):
    path = studio.film(run, run.folder / f"film{suffix}", fps=10)
    frames = list(imageio.imiter(path))
    assert len(frames) == 3 and frames[0].shape[:2] == (24, 32)
    for frame, kept in zip(frames, run.frames, strict=True):
        gray = [np.asarray(Image.fromarray(picture[..., :3]).convert("L"), float)
                for picture in (frame, np.asarray(Image.open(kept)))]
        assert np.abs(gray[0] - gray[1]).mean() < 12       # of noise, the worst there is for a film
    assert films.read_text(path) == run.text()
    assert runs.load(path) == run.settings
    assert not list(run.folder.glob(safe_files.SPARE + "*"))


def test_a_film_of_a_folder_and_its_default_place(run, tmp_path):
    assert studio.film(run.folder) == run.folder / "film.mp4"
    (run.folder / "film.mp4").unlink()
    assert studio.film(run.folder / "frames") == run.folder / "film.mp4"
    assert runs.load(run.folder / "film.mp4") == run.settings
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in (10, 9, 8):
        images.save_png(folder / f"{number}.png", grays(number * 20)[0])
    assert levels(studio.film(folder, tmp_path / "a.gif")) == [160, 180, 200]
    assert films.read_text(tmp_path / "a.gif") is None


def test_a_film_of_frames(tmp_path):
    frames = [Frame(n, 3, None if n == 2 else torch.full((1, 3, 16, 16), n / 4)) for n in (1, 2, 3)]
    assert levels(studio.film(iter(frames), tmp_path / "a.gif")) == [64, 191]


def test_order_crossfade_hold_and_smoothing(tmp_path):
    def film(*pictures, **options):
        return levels(films.write(grays(*pictures), tmp_path / "a.gif", fps=10, **options))
    assert film(0, 100, 200) == [0, 100, 200]
    assert film(0, 100, 200, loop="ping-pong") == [0, 100, 200, 100]
    assert film(0, 100, 200, crossfade=1) == [0, 50, 100, 150, 200]
    assert film(0, 100, 200, crossfade=1, loop="loop") == [0, 50, 100, 150, 200, 100]
    assert film(0, 100, 200, crossfade=1, loop="ping-pong") == [0, 50, 100, 150, 200, 150, 100, 50]
    assert film(0, 100, smoothing=0.5) == [33, 67]
    moving = [8 * n for n in range(30)]
    assert film(*moving, smoothing=0.5)[10:20] == moving[10:20], "nothing lags behind"
    flicker = film(*[100, 140] * 15, smoothing=0.5)[10:20]
    assert max(flicker) - min(flicker) <= 5
    assert film(7) == film(7, loop="loop", crossfade=2) == film(7, loop="ping-pong") == [7]
    films.write(grays(0, 90), tmp_path / "b.mp4", fps=4, hold=1.0)
    assert len(levels(tmp_path / "b.mp4")) == 6


@pytest.mark.parametrize("options, count", [
    ({}, 5), ({"crossfade": 2}, 13), ({"loop": "ping-pong"}, 8), ({"loop": "loop", "crossfade": 1}, 10),
    ({"hold": 1.0}, 10)])
def test_a_film_lasts_as_long_as_it_should(tmp_path, options, count):
    path = films.write(grays(0, 50, 100, 150, 200), tmp_path / "a.mp4", fps=99, length=1.0, **options)
    about = imageio.immeta(path, plugin="FFMPEG")
    assert len(levels(path)) == count and about["duration"] == pytest.approx(1 + options.get("hold", 0), 0.05)
    assert films.write(grays(7), tmp_path / "b.gif", length=0.5, crossfade=2).exists()


def test_gifs_say_whether_they_go_round(tmp_path):
    once = films.write(grays(0, 90), tmp_path / "a.gif", fps=20)
    again = films.write(grays(0, 90), tmp_path / "b.gif", loop="loop", fps=20)
    assert "loop" not in Image.open(once).info and Image.open(again).info["loop"] == 0
    assert Image.open(once).info["duration"] == 50


def test_odd_and_changing_sizes(tmp_path):
    path = films.write([*grays(50, size=(15, 31)), *grays(100, size=(40, 40))], tmp_path / "a.mp4")
    assert imageio.imread(path, index=0).shape == (16, 32, 3)
    assert levels(path) == [pytest.approx(50, abs=2), pytest.approx(100, abs=2)]


def test_settings_with_odd_letters_survive(tmp_path):
    text = {"settings": {"prompts": "a=b; #c 'd' \"e\" \\f\n höher | 蛇:0.5"}, "system": "x"}
    for suffix in films.CODECS:
        assert films.read_text(films.write(grays(9, 10), tmp_path / f"a{suffix}", text=text)) == text


def test_refused_films(tmp_path):
    assert refusal(films.write, grays(1), tmp_path / "a.avi") == \
        "the film ends in '.avi'; choose one of '.mp4', '.webm', '.gif'"
    assert refusal(films.write, grays(1), tmp_path / "a.mp4", fps=0) == \
        "fps is 0; it must be between 0.1 and 120: try 0.1"
    assert refusal(films.write, grays(1), tmp_path / "a.mp4", loop="round") == \
        "loop is 'round'; choose one of 'once', 'loop', 'ping-pong'"
    assert refusal(films.write, [], tmp_path / "a.mp4") == \
        "there are no frames to film; a film needs one at least: " \
        "paint with a smaller number of steps between saved frames"
    assert refusal(studio.film, tmp_path) == \
        f"there are no pictures in '{tmp_path}'; they end in .png, .jpg, .jpeg, .webp, .gif, .bmp, " \
        ".tif, .tiff, .avif: check the path"
    assert refusal(studio.film, tmp_path / "x") == \
        f"there is no folder '{tmp_path}/x'; frames are pictures in a folder: check the path"
    for length, near in ((-1, "0.02"), (0.01, "0.02"), (99, "20")):
        assert refusal(films.write, grays(1, 2), tmp_path / "a.mp4", length=length) == \
            f"length is {length:g}, of 2 pictures; it must be between 0.02 and 20 seconds: try {near}"
    (tmp_path / "empty.png").touch()
    assert "is empty (0 bytes)" in refusal(films.write, [tmp_path / "empty.png"], tmp_path / "a.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["empty.png"]


def test_a_film_that_fails_halfway_leaves_nothing(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no")
    for suffix in films.CODECS:
        pictures = [*grays(*range(20)), tmp_path / "broken.png"]
        assert "cannot be read as a picture" in refusal(films.write, pictures, tmp_path / f"a{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.png"]


def test_colors_of_films_are_true(tmp_path):
    colors = [(200, 30, 30), (20, 160, 60), (30, 60, 220), (250, 250, 250)]
    pictures = [np.full((32, 32, 3), color, np.uint8) for color in colors]
    for suffix, near in ((".mp4", 4), (".webm", 4), (".gif", 0)):
        frames = list(imageio.imiter(films.write(pictures, tmp_path / f"a{suffix}")))
        for color, frame in zip(colors, frames, strict=True):
            assert np.abs(frame[16, 16, :3].astype(int) - color).max() <= near, (suffix, color, frame[16, 16])


def test_a_film_on_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "none", disk]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("not allowed to mount")
    try:
        noise = np.random.default_rng(0).integers(0, 255, (20, 128, 128, 3), np.uint8)
        for suffix in films.CODECS:
            assert "the disk is full: free some space" in refusal(films.write, noise, disk / f"a{suffix}")
            assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)


# ---------------------------------------------------------------- sheet

def test_sheet(run, tmp_path):
    pictures = [run, run.picture, str(run.folder), *grays(99), torch.rand(1, 3, 64, 16),
                Frame(1, 1, torch.rand(1, 3, 8, 8))]
    paper = studio.sheet(pictures, ["fog", "a very long caption that has to go on in another line " * 3, "ü"],
                         tmp_path / "sheet.png", side=64)
    assert paper.size == (4 + 3 * 68, 4 + 2 * 68 + round(3 * 11 * 1.35))     # captions in the first row only
    assert studio.sheet([run, run], side=64).size == (4 + 2 * 68, 4 + 48 + 4)
    assert Image.open(tmp_path / "sheet.png").size == paper.size
    assert studio.sheet(pictures, columns=6, side=32).size == (4 + 6 * 36, 4 + 36)
    assert refusal(studio.sheet, []) == \
        "there are no pictures for the sheet; it needs one at least: give some"


def test_how_a_picture_came_about(run):
    for number in range(1, 12):
        run.keep_frame(number, images.png(torch.rand(1, 3, 8, 8)))
    paper = studio.steps(run, 4)
    assert paper.width == 4 * 124 + 4 and paper.height < 200, "one row"
    assert studio.steps(run, 40).height > 3 * 120, "each frame once"
