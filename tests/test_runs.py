"""Runs: whatever happens to the process, the disk or the folder, the picture is kept and can be had again."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import small_system
import torch
from PIL import Image
from test_images import png_header

from helpers import images, inputs, recording, run_folder, runs, safe_files, states
from helpers.errors import Refused

HERE = Path(__file__).parent
PAINTER = """
import os, signal, sys
import small_system
from helpers import run_folder, runs
run_folder.system_named = runs.system_named = lambda name: small_system
for line in sys.stdin:          # a new painter for each line: forked, so that torch is imported only once
    root, seconds = line.split()
    child = os.fork()
    if child == 0:
        print("painter", os.getpid(), flush=True)
        run = runs.all_runs(root)[0]
        for frame in runs.record(run.resume(), run, every=3, checkpoint_seconds=float(seconds)):
            print("step", frame.step, flush=True)
        break
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status = os.waitpid(child, 0)[1]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("gone", os.WTERMSIG(status), flush=True)
"""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Whatever the name, the system is the small one."""
    for module in (runs, run_folder):
        monkeypatch.setattr(module, "system_named", lambda name: small_system)
    monkeypatch.delenv("REHEARSAL", raising=False)


def settings(**values):
    return small_system.Settings(**values)


def paint(root, chosen=None, **options):
    run = runs.start("small", chosen or settings(), root)
    for _ in runs.record(run.paint(), run, **options):
        pass
    return run


def refusal(call, *arguments, **options):
    with pytest.raises(Refused) as said:
        call(*arguments, **options)
    return str(said.value)


def litter(root):
    return [path for path in Path(root).rglob("*") if path.name.startswith(safe_files.SPARE)]


def pixels(path):
    return np.asarray(Image.open(path)).tobytes()


def test_what_a_run_keeps(tmp_path):
    run = paint(tmp_path, settings(prompts="Ein Fêtenhaus | fog:0.5", seed=3), every=5)
    assert [path.name for path in run.frames] == ["00005.png", "00010.png", "00012.png"]
    assert "-small-ein-fetenhaus-fog-0-5" in run.folder.name
    kept = json.loads((run.folder / "manifest.json").read_text())
    assert (kept["system"], kept["seed"], kept["status"], kept["step"]) == ("small", 3, "finished", 12)
    assert kept["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert run.frames[-1].read_bytes() == run.picture.read_bytes()
    assert images.read_text(run.picture).keys() == {"system", "settings", "versions"}
    assert not litter(tmp_path)
    assert [r.folder for r in runs.all_runs(tmp_path)] == [run.folder]


def test_frames_pass_through_and_names_never_collide(tmp_path):
    first, second = (runs.start("small", settings(), tmp_path) for _ in range(2))
    assert first.folder != second.folder
    frames = list(runs.record(first.paint(), first, every=0))
    assert [frame.step for frame in frames] == list(range(1, 13)) and not first.frames
    assert pixels(first.picture) == images.to_pil(frames[-1].image).tobytes()


def test_settings_from_a_picture_or_folder_paint_it_again(tmp_path):
    run = paint(tmp_path, settings(seed=11, prompts="a: b | c:-0.5", ema=0.5))
    moved = tmp_path / "elsewhere.png"
    shutil.copy(run.picture, moved)
    for path in (run.picture, run.folder, run.folder / "manifest.json", run.frames[0], moved, str(moved)):
        assert runs.load(path) == run.settings == settings(seed=11, prompts="a: b | c:-0.5", ema=0.5)
        assert paint(tmp_path, runs.load(path)).picture.read_bytes() == run.picture.read_bytes()
    assert runs.system(moved) == runs.system(run.folder) == "small"


def test_loading_what_is_no_run(tmp_path):
    images.save_png(tmp_path / "a.png", torch.rand(1, 3, 4, 4))
    assert refusal(runs.load, tmp_path / "a.png") == \
        f"'{tmp_path}/a.png' carries no settings; pictures painted here do, if left as they are: " \
        "give the folder of the run"
    for wrong in ("x" * 999, "~nobody-here/x"):
        assert "' cannot be reached; the system says '" in refusal(runs.load, wrong)
        assert "' cannot be reached; the system says '" in refusal(runs.resume, wrong)
        assert "' cannot be reached; the system says '" in refusal(runs.start, "small", settings(), wrong)
        for knob in ("frames", "encoding", "init_image"):
            chosen = settings(**{knob: wrong})
            assert "' cannot be reached; the system says '" in refusal(runs.start, "small", chosen, tmp_path)
    assert refusal(runs.load, tmp_path) == \
        f"'{tmp_path}' is not a run; a run is a folder with a manifest.json: look for one in 'runs'"
    (tmp_path / "manifest.json").write_text('{"system":')
    assert "manifest.json' cannot be read; the reader says" in refusal(runs.load, tmp_path)


class Painters:
    """Processes that paint the run in a folder, one after another."""

    def __init__(self):
        env = os.environ | {"PYTHONPATH": f"{HERE.parent}:{HERE}", "OMP_NUM_THREADS": "1"}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.school = subprocess.Popen([sys.executable, "-c", PAINTER], env=env, text=True, **pipes)

    def hire(self, root, seconds=0.0) -> int:
        """A new painter's process id; `seconds` from checkpoint to checkpoint."""
        self.school.stdin.write(f"{root} {seconds}\n")
        self.school.stdin.flush()
        return int(self.said("painter"))

    def said(self, word):
        """The rest of the next line that starts so."""
        for line in self.school.stdout:
            if line.startswith(word):
                return line[len(word):].strip()
        raise AssertionError(self.school.stderr.read())

    def until_gone(self) -> list[int]:
        """The steps told before it was gone; `signal` is what ended it."""
        steps = []
        for line in self.school.stdout:
            if "gone" in line:      # perhaps behind half a line of the one who is
                self.signal = int(line.split()[-1])
                return steps
            if line.startswith("step "):
                steps.append(int(line.split()[1]))
        raise AssertionError(self.school.stderr.read())


@pytest.fixture(scope="module")
def painters():
    painters = Painters()
    yield painters
    painters.school.communicate(timeout=60)


def test_kill_at_any_moment_and_resume_to_the_same_pixels(tmp_path, painters):
    chosen, chance = settings(steps=60, pause=0.005, seed=5), random.Random(0)
    whole = paint(tmp_path / "whole", chosen, every=3)
    run = runs.start("small", chosen, tmp_path / "cut")
    lost, about = [], 0
    for more in (0, 1, 3, 7, 2, 11):
        victim = painters.hire(tmp_path / "cut")
        for _ in range(more):
            painters.said("step")
        time.sleep(chance.uniform(0, 0.02))
        os.kill(victim, signal.SIGKILL)
        steps = painters.until_gone()
        about = states.about(run.checkpoint)["step"] if run.checkpoint.exists() else 0
        lost.append(steps[-1] - about if steps else 0)
        json.loads((run.folder / "manifest.json").read_text())
        for path in [*run.frames, *run.folder.glob("picture.png")]:
            Image.open(path).load()
    assert max(lost) <= 1 and about >= 20     # here, after every step there is a checkpoint
    run = runs.open(run.folder)
    for _ in runs.record(runs.resume(run.folder), run, every=3):
        pass
    assert run.picture.read_bytes() == whole.picture.read_bytes()
    assert [p.read_bytes() for p in run.frames] == [p.read_bytes() for p in whole.frames]
    assert run.manifest["status"] == "finished" and not litter(tmp_path)


def test_resume_without_a_checkpoint_starts_again(tmp_path):
    run, whole = runs.start("small", settings(), tmp_path), paint(tmp_path)
    painting = run.paint()
    next(painting)
    for _ in runs.record(runs.resume(run.folder), run.folder):
        pass
    assert run.picture.read_bytes() == whole.picture.read_bytes()


def test_stopped_before_the_first_step_it_starts_again(tmp_path):
    run, whole = runs.start("small", settings(), tmp_path), paint(tmp_path)
    painting = run.paint()
    painting.opening = iter(["half", "all"])
    frames = runs.record(painting, run, checkpoint_seconds=0)
    assert (next(frames).note, next(frames).note) == ("half", "all")
    frames.close()
    run = runs.open(run.folder)
    assert run.manifest["status"] == "stopped" and not run.checkpoint.exists() and not run.frames
    for _ in runs.record(run.resume(), run):
        pass
    assert run.picture.read_bytes() == whole.picture.read_bytes()


def test_the_same_settings_find_what_was_cut_off(tmp_path):
    """As a notebook does that is run again after a disconnect."""
    settings = small_system.Settings(prompts="fog")
    assert runs.unfinished("small", settings, tmp_path) is None
    run = runs.start("small", settings, tmp_path)
    painting = runs.record(run.paint(), run)
    for _ in range(4):
        next(painting)
    assert runs.unfinished("small", settings, tmp_path) is None         # somebody paints it
    painting.close()
    assert runs.unfinished("small", settings, tmp_path).folder == run.folder
    assert runs.unfinished("small", settings.but(seed=1), tmp_path) is None
    assert runs.unfinished("other", settings, tmp_path) is None
    last = list(runs.record(run.resume(), run))[-1]
    assert last.step == settings.steps and runs.unfinished("small", settings, tmp_path) is None


def test_a_steered_run_is_not_that_of_its_settings(tmp_path):
    settings = small_system.Settings(prompts="fog")
    run = runs.start("small", settings, tmp_path)
    run.note(live=[{"step": 2, "contrast": 2.0}])
    assert runs.unfinished("small", settings, tmp_path) is None


def test_resuming_a_finished_run_changes_nothing(tmp_path):
    run = paint(tmp_path)
    before = run.picture.read_bytes()
    assert list(runs.record(runs.resume(run.folder), run.folder)) == []
    assert run.picture.read_bytes() == before and runs.open(run.folder).manifest["status"] == "finished"


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_keeps_the_picture_and_the_run_goes_on(tmp_path, presses):
    run, whole = (runs.start("small", settings(steps=20, pause=0.05), tmp_path) for _ in range(2))
    for _ in runs.record(whole.paint(), whole):
        pass

    def press():
        for _ in range(presses):
            time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

    seen = []
    with pytest.raises(KeyboardInterrupt):
        for frame in runs.record(run.paint(), run, checkpoint_seconds=0.1):
            seen.append(frame.step)
            if frame.step == 7:
                threading.Thread(target=press).start()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    run = runs.open(run.folder)
    assert run.manifest["status"] == "stopped" and 7 <= run.manifest["step"] < 12
    assert Image.open(run.picture).size == (16, 8)
    for _ in runs.record(run.resume(), run):
        pass
    assert run.picture.read_bytes() == whole.picture.read_bytes()


def test_ctrl_c_in_the_shell(tmp_path, painters):
    run = runs.start("small", settings(steps=200, pause=0.02), tmp_path)
    painter = painters.hire(tmp_path, 60)
    while painters.said("step") != "5":
        pass
    os.kill(painter, signal.SIGINT)
    painters.until_gone()
    assert painters.signal == signal.SIGINT
    kept = runs.open(run.folder)
    assert kept.manifest["status"] == "stopped" and kept.picture.exists()
    assert states.about(kept.checkpoint)["step"] == kept.manifest["step"] >= 5


def test_leaving_the_loop_keeps_the_picture(tmp_path):
    run = runs.start("small", settings(), tmp_path)
    for frame in runs.record(run.paint(), run):
        if frame.step == 3:
            break
    del frame
    kept = runs.open(run.folder).manifest
    assert (kept["status"], kept["step"]) == ("stopped", 3) and run.picture.exists()


def test_two_paintings_never_share_a_folder(tmp_path):
    run = runs.start("small", small_system.Settings(), tmp_path)
    first = runs.record(run.paint(), run)
    next(first)
    with pytest.raises(Refused) as refusal:
        next(runs.record(runs.resume(run.folder), run.folder))
    assert str(refusal.value) == (f"'{run.folder}' is being painted already; one painting at a time goes on "
                                  "in a folder: wait for it, or stop it first")
    first.close()
    assert list(runs.record(runs.resume(run.folder), run.folder))[-1].step == run.settings.steps


def test_a_disk_without_locks_is_painted_on(tmp_path, monkeypatch):
    def none(self, timeout=None):
        raise NotImplementedError("no flock here")
    monkeypatch.setattr(safe_files.filelock.FileLock, "acquire", none)
    assert paint(tmp_path).manifest["status"] == "finished"


def test_an_error_is_told_in_the_manifest(tmp_path):
    def breaks(painting):
        if painting.step == 4:
            raise RuntimeError("the roof fell in")

    run = runs.start("small", settings(), tmp_path)
    painting = run.paint()
    painting.before_step.append(breaks)
    with pytest.raises(RuntimeError):
        list(runs.record(painting, run, every=2))
    kept = runs.open(run.folder).manifest
    assert (kept["status"], kept["error"], kept["step"]) == ("failed", "the roof fell in", 4)


def test_refused_settings_leave_nothing_behind(tmp_path, monkeypatch):
    root = tmp_path / "runs"
    (tmp_path / "empty.png").touch()
    chosen = settings(init_image=tmp_path / "empty.png")
    assert "is empty (0 bytes)" in refusal(runs.start, "small", chosen, root)
    assert not root.exists()
    run = runs.start("small", settings(), root)
    monkeypatch.setattr(small_system, "paint", lambda *_: (_ for _ in ()).throw(Refused("no such words")))
    assert refusal(run.paint) == "no such words"
    assert not root.exists()
    Image.new("RGB", (8, 8)).save(tmp_path / "black.png")
    run = runs.start("small", settings(init_image=tmp_path / "black.png"), root)
    monkeypatch.setattr(small_system, "paint", lambda chosen, state: (_ for _ in ()).throw(
        Refused(f"'{chosen.init_image}' is all black")))
    assert refusal(run.paint) == f"'{tmp_path}/black.png' is all black"     # not the copy, which is gone
    assert not root.exists()


def test_a_refused_resume_loses_nothing(tmp_path, monkeypatch):
    run = runs.start("small", settings(), tmp_path)
    monkeypatch.setattr(small_system, "paint", lambda *_: (_ for _ in ()).throw(Refused("no weights")))
    assert refusal(runs.resume, run.folder) == "no weights"
    assert runs.open(run.folder).settings == settings()


def test_a_link_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_LOCAL_LINKS", "1")
    root = tmp_path / "runs"
    chosen = settings(init_image="http://127.0.0.1:9/a.png")
    assert "connection failed" in refusal(runs.start, "small", chosen, root)
    assert not root.exists()


def test_unwritable_folders(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    assert refusal(runs.start, "small", settings(), tmp_path / "file") == \
        f"'{tmp_path}/file' could not be saved; a file stands where a folder should be, or the reverse: " \
        "choose another folder, for example DISCOTHEQUE_RUNS=~/runs"
    assert "a file stands where" in refusal(runs.start, "small", settings(), tmp_path / "file" / "deeper")

    def closed(dir):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    monkeypatch.setattr(safe_files.tempfile, "TemporaryFile", closed)
    assert refusal(runs.start, "small", settings(), tmp_path / "new") == \
        f"'{tmp_path}/new' could not be saved; the folder can only be read: " \
        "choose another folder, for example DISCOTHEQUE_RUNS=~/runs"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_no_room_before_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 98, 2_000_000))
    assert refusal(runs.start, "small", settings(), tmp_path / "new") == \
        f"'{tmp_path}/new' has room for 2 MB; this run needs 17 MB: " \
        "free some space, save fewer frames or choose another folder"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("victim", ["frame", "picture", "checkpoint", "manifest"])
def test_the_disk_fills_up_while_painting(tmp_path, monkeypatch, victim):
    run, whole = runs.start("small", settings(), tmp_path), paint(tmp_path, every=2)
    real, count = Path.write_bytes, []

    def write_bytes(path, data):
        count.append(path.name)
        if len(count) > 9 and (victim in path.name or victim == "frame"):
            real(path, data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_bytes)
        said = refusal(lambda: list(runs.record(run.paint(), run, every=2, checkpoint_seconds=0)))
    assert said.endswith("could not be saved; the disk is full: free some space, then resume or start again")
    assert not litter(run.folder)
    for path in [*run.frames, run.picture]:
        Image.open(path).load()
    for _ in runs.record(runs.resume(run.folder), run.folder, every=2):
        pass
    assert run.picture.read_bytes() == whole.picture.read_bytes()


def test_a_disk_that_is_really_full(tmp_path):
    """Where the tests may mount: a disk of 96 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "none", disk]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("not allowed to mount")
    try:
        assert "has room for 0 MB; this run needs" in refusal(runs.start, "small", settings(), disk / "runs")
        with pytest.raises(Refused, match="the disk is full"):
            safe_files.write(disk / "a.png", bytes(1 << 20))
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)


def test_pictures_are_kept_in_the_run(tmp_path):
    cat = tmp_path / "my cat.png"
    images.save_png(cat, torch.rand(1, 3, 8, 16))
    folder = tmp_path / "film"
    folder.mkdir()
    for number in (9, 10):
        shutil.copy(cat, folder / f"{number}.png")
    chosen = settings(init_image=cat, image_prompts=f"{cat}:0.5 | {cat} ^ {cat}:-1:0.2", frames=folder)
    run = paint(tmp_path / "runs", chosen)
    kept = run.manifest["settings"]
    assert kept["init_image"] == "inputs/init_image-1.png"
    assert kept["image_prompts"] == \
        "inputs/init_image-1.png:0.5 | inputs/init_image-1.png ^ inputs/init_image-1.png:-1:0.2"
    assert [path.name for path in inputs.pictures_in(run.settings.frames)] == ["9.png", "10.png"]
    before = run.picture.read_bytes()

    alone = tmp_path / "alone.png"      # far from its run, but the cat is where it was
    shutil.copy(run.picture, alone)
    assert runs.load(run.picture).init_image == str(run.folder / "inputs/init_image-1.png")
    moved = tmp_path / "moved"
    shutil.move(run.folder, moved)
    again = paint(tmp_path / "again", runs.load(moved / "picture.png"))
    assert pixels(again.picture) == pixels(moved / "picture.png") and before != b""
    assert runs.load(alone).but(frames="").init_image == str(cat)
    cat.unlink()
    again = paint(tmp_path / "again", runs.load(moved))
    assert pixels(again.picture) == pixels(moved / "picture.png")
    assert refusal(runs.load, alone) == \
        "'inputs/init_image-1.png', which this picture was made from, is not here; " \
        f"it was '{cat}': load the folder of the run"


def test_other_files_are_kept_too(tmp_path):
    rows, photo = tmp_path / "rows.npy", tmp_path / "photo.png"
    rows.write_bytes(b"any bytes")
    Image.new("RGB", (8, 8), "#123456").save(photo)
    chosen = settings(encoding=rows, palette=f"navy, @{photo}, red->blue\\3")
    run = runs.start("small", chosen, tmp_path / "runs")
    moved = shutil.move(run.folder, tmp_path / "moved")
    rows.unlink(), photo.unlink()
    kept = runs.load(moved)
    assert Path(kept.encoding) == Path(moved) / "inputs/encoding-1.npy"
    assert Path(kept.encoding).read_bytes() == b"any bytes"
    assert kept.palette == "navy, #123456, red->blue\\3"
    assert refusal(runs.start, "small", settings(encoding=rows), tmp_path / "none") == \
        f"there is no file '{rows}'; encoding is the path of one: check it"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name, spoil, said", [
    ("1.png", lambda data: b"", "' is empty (0 bytes); a picture has pixels in it: save"),
    ("1.png", lambda data: png_header(40_000, 40_000), "' is 1600 megapixels; at most 64 megapixels"),
    ("1.png", lambda data: data[:-40], "' cannot be read as a picture; PNG, JPEG"),
    ("1.jpg", lambda data: data[:-400], "' cannot be read as a picture; PNG, JPEG"),
    ("1.webp", lambda data: data[:-40], "' cannot be read as a picture; PNG, JPEG"),
    ("1.png", lambda data: b"<html>", "' is a web page, not a picture; "),
])
def test_a_bad_picture_among_frames_is_found_before_any_work(tmp_path, name, spoil, said):
    frames, noise = tmp_path / "frames", np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    frames.mkdir()
    for other in ("0.png", name, "2.jpg"):
        Image.fromarray(noise).save(frames / other)
    chosen = settings(frames=frames)
    inputs.check(chosen)
    (frames / name).write_bytes(spoil((frames / name).read_bytes()))
    assert refusal(runs.start, "small", chosen, tmp_path / "runs").startswith(f"'{frames / name}{said}")
    assert not (tmp_path / "runs").exists()


def test_pictures_in_memory_are_kept_too(tmp_path):
    array = np.random.default_rng(0).integers(0, 255, (8, 16, 3), np.uint8)
    run = paint(tmp_path, settings(init_image=array, image_prompts=[(Image.fromarray(array), 0.5), array]))
    assert run.manifest["settings"]["image_prompts"] == \
        "inputs/image_prompts-1.png:0.5 | inputs/image_prompts-2.png:1"
    assert np.array_equal(np.asarray(Image.open(run.settings.init_image)), array)
    deep = Image.fromarray(np.linspace(0, 65535, 128).reshape(8, 16).astype(np.uint16))
    for picture in (deep, Image.fromarray(np.asarray(deep, np.float32) / 65535)):
        kept = runs.start("small", settings(init_image=picture), tmp_path).settings.init_image
        assert (images.open(kept) - images.open(picture)).abs().max() <= 0.5 / 255 + 1e-6, picture.mode


def test_states_come_back_bit_for_bit(tmp_path):
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters(), amsgrad=True)
    network(torch.rand(4, 3)).sum().backward()
    optimizer.step()
    state = {"optimizer": optimizer.state_dict(), "network": dict(network.state_dict()), "nothing": None,
             "list": [1, 2.5, "x", True, (1, torch.tensor(3, dtype=torch.int64))], "empty": {},
             "a.b": 0.1 + 0.2, "half": torch.rand(3).bfloat16(), "nan": float("inf"), 3: torch.rand(0),
             "turned": torch.rand(4, 3).T}
    shared = torch.rand(6)
    state["views"] = [shared[:3], shared[3:], shared]
    states.save(tmp_path / "s.safetensors", state, {"step": 3})
    back = states.load(tmp_path / "s.safetensors")
    assert states.about(tmp_path / "s.safetensors") == {"step": 3}

    def same(a, b):
        if isinstance(a, torch.Tensor):
            return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
        if isinstance(a, dict):
            return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
        if isinstance(a, (list, tuple)):
            return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
        return type(a) is type(b) and a == b
    assert same(state, back)
    with pytest.raises(TypeError, match="cannot keep state.x, a set"):
        states.save(tmp_path / "bad.safetensors", {"x": {1}})
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "s.safetensors").read_bytes()[:90])
    assert "cut.safetensors' cannot be read" in refusal(states.load, tmp_path / "cut.safetensors")


def test_interrupts_wait_for_the_block_but_not_twice():
    done = []
    with pytest.raises(KeyboardInterrupt):
        with recording.unhurried():
            signal.raise_signal(signal.SIGINT)
            done.append("first")
    with pytest.raises(KeyboardInterrupt):
        with recording.unhurried():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("second")
    assert done == ["first"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_knobs_turned_while_painting_turn_again(tmp_path):
    def turn(run, stop=99):
        painting = run.paint()
        for frame in runs.record(painting, run, every=3, checkpoint_seconds=0):
            if frame.step in (4, 9):
                run.turn(painting, contrast=4.0 / frame.step)
            if frame.step == stop:
                break

    whole, cut = (runs.start("small", settings(), tmp_path) for _ in range(2))
    turn(whole)
    assert whole.picture.read_bytes() != paint(tmp_path).picture.read_bytes()
    assert runs.turns(whole.picture) == runs.turns(whole.folder) == [
        {"step": 4, "contrast": 1.0}, {"step": 9, "contrast": 4 / 9}]
    again = runs.start("small", runs.load(whole.picture), tmp_path, live=runs.turns(whole.picture))
    for _ in runs.record(again.paint(), again, every=3):
        pass
    assert again.picture.read_bytes() == whole.picture.read_bytes()
    turn(cut, stop=10)
    for _ in runs.record(runs.resume(cut.folder), cut, every=3):
        pass
    assert cut.picture.read_bytes() == whole.picture.read_bytes()
    twice = runs.start("small", settings(), tmp_path, live=[{"step": 6, "pause": 0.001}])
    painting = twice.paint()
    for frame in runs.record(painting, twice):
        if frame.step == 4:
            twice.turn(painting, contrast=2.0)      # and it stays turned when the other one turns
    again = runs.start("small", settings(), tmp_path, live=runs.turns(twice.folder))
    for _ in runs.record(again.paint(), again):
        pass
    assert again.picture.read_bytes() != whole.picture.read_bytes()
    assert pixels(again.picture) == pixels(twice.picture)
    said = refusal(cut.turn, cut.paint(), steps=4)
    assert said == "steps cannot be turned while painting; other knobs can: start a new run"


def test_other_weights_are_told(tmp_path, monkeypatch, caplog):
    run = paint(tmp_path)
    run.note(weights={"toy": "a", "gone": "b"})
    monkeypatch.setattr(run_folder.weights, "fingerprint", lambda name: {"toy": "a", "gone": ""}[name])
    runs.load(run.folder)
    assert not caplog.messages      # those that are not here are not compared
    monkeypatch.setattr(run_folder.weights, "fingerprint", lambda name: "c")
    runs.load(run.folder)
    assert caplog.messages == ["toy, gone: other weights than this was painted with; it will look different"]


def test_frames_are_those_the_painting_shows(tmp_path):
    run, stopped = (runs.start("small", settings(), tmp_path) for _ in range(2))
    for _ in runs.record(run.paint(), run):
        pass
    assert [path.name for path in run.frames] == ["00001.png", "00005.png", "00010.png", "00012.png"]
    for frame in runs.record(stopped.paint(), stopped):
        if frame.step == 7:
            break
    del frame
    assert stopped.picture.exists() and [path.name for path in stopped.frames] == ["00001.png", "00005.png"]
    for _ in runs.record(stopped.resume(), stopped):
        pass
    assert [p.read_bytes() for p in stopped.frames] == [p.read_bytes() for p in run.frames]
