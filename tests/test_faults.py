"""Runs that cannot be lost: killed at any moment, on disks that fail, without their folder or their manifest.

KILLS=50 (as `make nightly` has it) kills so many painters; FAULTS_SEED=7 draws other moments.
"""

import builtins
import contextlib
import errno
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import victim
from PIL import Image
from test_runs import litter, paint, pixels, refusal, settings, small  # noqa: F401

from helpers import history, manifests, recording, run_folder, runs, safe_files, states
from helpers.errors import Refused
from helpers.session import Session

KILLS, SEED = int(os.environ.get("KILLS", 8)), int(os.environ.get("FAULTS_SEED", 0))
CHOSEN = settings(steps=20, pause=0.005, seed=5)


@pytest.fixture(scope="module")
def victims():
    victims = victim.Victims()
    yield victims
    victims.school.communicate(timeout=60)


@pytest.fixture(scope="module")
def whole(victims, tmp_path_factory):
    """Way -> (run that nobody interrupts, seconds it takes)."""
    found = {}
    for way in victim.WAYS:
        run, begun = runs.start("small", CHOSEN, tmp_path_factory.mktemp(way)), time.monotonic()
        victims.hire(way, run.folder)
        assert victims.gone() == 0
        found[way] = run, time.monotonic() - begun
    return found


@pytest.fixture(scope="module", autouse=True)
def everywhere():
    """The small system also where a fixture of this module starts a run."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (runs, run_folder):
            patch.setattr(module, "system_named", lambda name: victim.small_system)
        yield


def outcome(run) -> dict:
    """File -> bytes of what a painting comes to: the picture and its frames, of the run and of its branch."""
    name = victim.done(run, "branched")
    both = [run, *([runs.open(run.folder.parent / name)] if name else [])]
    return {(n, path.name): path.read_bytes() if path == one.picture else pixels(path)
            for n, one in enumerate(both) for path in [one.picture, *one.frames]}


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment_it_comes_to_the_same_picture(tmp_path, victims, whole, number):
    way = list(victim.WAYS)[number % len(victim.WAYS)]
    reference, seconds = whole[way]
    moment = random.Random(f"{SEED}/{number}").uniform(0, seconds)
    run = runs.start("small", CHOSEN, tmp_path)
    painter = victims.hire(way, run.folder)
    time.sleep(moment)
    with contextlib.suppress(ProcessLookupError):       # it was faster
        os.kill(painter, signal.SIGKILL)
    victims.gone()
    about = f"FAULTS_SEED={SEED}, {way}, killed after {moment:.4f} s"
    for one in runs.all_runs(tmp_path):
        manifests.told(one.folder)
        for path in [*one.frames, *one.folder.glob("picture.png")]:
            Image.open(path).load()
    victims.hire(way, run.folder)
    assert victims.gone() == 0, about
    assert outcome(run) == outcome(reference), about
    for one in runs.all_runs(tmp_path):     # also what was left of a branch half made
        victim.finished(one)
        assert runs.open(one.folder).manifest["status"] == "finished" and not litter(one.folder), about


# ---------------------------------------------------------------- disks that fail

@pytest.fixture
def faults(monkeypatch):
    """Begin to let the file system fail now and then; yields a function that sets how often."""
    chance, often = random.Random(SEED), [0.0]

    def frail(real):
        def call(*arguments, **options):
            if chance.random() < often[0]:
                code = chance.choice([errno.ENOSPC, errno.EIO])
                raise OSError(code, os.strerror(code))
            return real(*arguments, **options)
        return call

    def write_bytes(path, data):        # half of it is written before the disk is full
        half = len(data) // 2 if chance.random() < often[0] else len(data)
        real(path, data[:half])
        if half < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    real = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    for name in ("replace", "fsync", "unlink", "mkdir"):
        monkeypatch.setattr(os, name, frail(getattr(os, name)))
    return lambda share: often.__setitem__(0, share)


@pytest.mark.parametrize("way", victim.WAYS)
def test_where_writes_fail_at_random_it_goes_on_or_is_refused(tmp_path, faults, whole, way, monkeypatch):
    run, said = runs.start("small", CHOSEN.but(pause=0), tmp_path), []
    kept = recording.kept
    for attempt in range(60):
        monkeypatch.setattr(recording, "kept", kept)        # `undone` asks for more checkpoints
        faults(0.06 if attempt < 40 else 0)
        try:
            victim.WAYS[way](runs.open(run.folder))
            break
        except Refused as refused:
            said.append(str(refused))
        finally:
            faults(0)
        assert manifests.told(run.folder)["status"] in ("new", "painting", "stopped", "failed", "finished")
        for path in [*run.frames, *run.folder.glob("picture.png")]:
            Image.open(path).load()
    assert said and not [text for text in said if "could not be saved; " not in text]
    assert [pixels(path) for path in run.frames] == [pixels(path) for path in whole[way][0].frames]
    assert pixels(run.picture) == pixels(whole[way][0].picture)
    assert not litter(run.folder)


@pytest.mark.parametrize("painted", [0, 4])
def test_the_folder_is_removed_while_it_is_painted(tmp_path, painted):
    run = runs.start("small", settings(), tmp_path)
    frames = runs.record(run.paint(), run, every=1, checkpoint_seconds=0)
    for _ in range(painted):
        next(frames)
    shutil.rmtree(run.folder)
    assert refusal(lambda: list(frames) or next(runs.record(run.resume(), run))).endswith(
        "could not be saved; its folder is gone: put it back, then resume; or start again")
    assert not run.folder.exists()      # half a run would only confuse
    session = Session(run)
    assert "its folder is gone" in refusal(session.start)
    assert not run.folder.exists()


@contextlib.contextmanager
def read_only(folder):
    """For root, who may write in any folder, a read-only mount; skipped where neither can be had."""
    if os.geteuid():
        change, undo = ["chmod", "-R", "a-w", folder], ["chmod", "-R", "u+w", folder]
    else:
        change, undo = ["mount", "--bind", "-o", "ro", folder, folder], ["umount", "--lazy", folder]
    if subprocess.run(change, capture_output=True).returncode:
        pytest.skip("not allowed to mount")
    try:
        yield
    finally:
        subprocess.run(undo, check=True)


def test_a_folder_that_can_only_be_read(tmp_path):
    run, said = paint(tmp_path), []
    before = {path: path.read_bytes() for path in run.folder.rglob("*.*")}
    with read_only(tmp_path):
        said.append(refusal(lambda: list(runs.record(runs.resume(run.folder), run.folder))))
        said.append(refusal(runs.start, "small", runs.load(run.folder), tmp_path))
        assert [one.folder for one in runs.all_runs(tmp_path)] == [run.folder]
    for text in said:
        assert text.endswith("could not be saved; the folder can only be read: choose another folder, "
                             "for example DISCOTHEQUE_RUNS=~/runs")
    assert {path: path.read_bytes() for path in run.folder.rglob("*.*")} == before


# ---------------------------------------------------------------- manifests that are damaged

def damaged(run, how):
    path = run.folder / "manifest.json"
    data = path.read_bytes()
    path.write_bytes({"half": data[:len(data) // 2], "empty": b"", "zeros": bytes(len(data)), "list": b"[]",
                      "deep": b"[" * 100_000, "strange": b'{"system": "small", "settings": 7}',
                      "latin": "{\"system\": \"f\xeate\"}".encode("latin-1")}[how])


@pytest.mark.parametrize("how", ["half", "empty", "zeros", "list", "deep", "strange", "latin"])
def test_a_damaged_manifest_is_mended_from_the_picture(tmp_path, how, caplog):
    whole = paint(tmp_path / "whole", settings(seed=3))
    run = runs.start("small", settings(seed=3), tmp_path)
    for frame in runs.record(run.paint(), run, every=2, checkpoint_seconds=0):
        if frame.step == 7:
            break
    del frame
    damaged(run, how)
    mended = runs.open(run.folder)
    assert mended.settings == settings(seed=3) and mended.manifest["status"] == "stopped"
    assert runs.load(run.folder / "manifest.json") == settings(seed=3)
    assert f"'{run.folder}/manifest.json' cannot be read; what its last picture says counts" in caplog.text
    assert [one.folder for one in runs.all_runs(tmp_path)] == [run.folder]
    victim.finished(mended)
    assert mended.picture.read_bytes() == whole.picture.read_bytes()
    assert manifests.told(run.folder)["status"] == "finished"


def test_a_picture_that_is_gone_too(tmp_path):
    run, other = paint(tmp_path, every=5), paint(tmp_path)
    damaged(run, "half")
    run.picture.write_bytes(run.picture.read_bytes()[:99])      # the last frame still knows
    assert runs.open(run.folder).settings == settings()
    run.picture.unlink(), shutil.rmtree(run.folder / "frames")
    assert refusal(runs.open, run.folder).startswith(
        f"'{run.folder}/manifest.json' cannot be read; the reader says '")
    assert [one.folder for one in runs.all_runs(tmp_path)] == [other.folder]


@pytest.mark.parametrize("facts", [
    {"system": 7}, {"system": None}, {"settings": []}, {"live": {}}, {"live": [7]}, {"live": [{"step": -1}]},
    {"live": [{"step": 1e99}]}, {"live": [{}]}, {"inputs": {"a": 7}}, {"inputs": {"a": {"from": None}}},
    {"inputs": []}, {"weights": {"a": 7}}, {"started": 7}, {"step": "x"}, {"seconds": float("nan")},
    {"total": True}], ids=str)
def test_a_strange_manifest_hides_no_other_run(tmp_path, facts):
    run, other = (runs.start("small", settings(), tmp_path) for _ in range(2))
    (run.folder / "manifest.json").write_text(json.dumps(run.manifest | facts))
    assert refusal(runs.open, run.folder) == f"'{run.folder}/manifest.json' cannot be read; the reader " \
        f"says 'strange {next(iter(facts))}': load a picture of the run instead"
    assert [one.folder for one in runs.all_runs(tmp_path)] == [other.folder]


def test_facts_of_two_threads_and_processes_all_stay(tmp_path):
    run = runs.start("small", settings(), tmp_path)
    code = ("import sys\nfrom helpers.manifests import change\n"
            "for n in range(40):\n    change(sys.argv[1], {}, **{f'process-{n}': n})")
    other = subprocess.Popen([sys.executable, "-c", code, run.folder], cwd=victim.HERE.parent)
    hands = [threading.Thread(target=lambda hand=hand: [
        manifests.change(run.folder, {}, **{f"{hand}-{n}": n}) for n in range(40)]) for hand in range(3)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(60)
    assert other.wait(60) == 0
    kept = manifests.told(run.folder)
    assert {f"{who}-{n}" for who in (0, 1, 2, "process") for n in range(40)} <= kept.keys()


# ---------------------------------------------------------------- many runs, and clocks that lie

def test_a_gallery_of_many_runs_opens_their_manifests_and_nothing_else(tmp_path, monkeypatch):
    first = paint(tmp_path)
    for number in range(2, 200):
        shutil.copytree(first.folder, f"{first.folder}-{number}")
    opened, real = [], io.open
    monkeypatch.setattr(io, "open", lambda path, *more, **options: opened.append(Path(path)) or real(
        path, *more, **options))
    monkeypatch.setattr(builtins, "open", io.open)
    found = runs.all_runs(tmp_path)
    assert [run.folder.name.removeprefix(first.folder.name) for run in found] == \
        ["", *(f"-{number}" for number in range(2, 200))]
    assert sorted(opened) == sorted(run.folder / "manifest.json" for run in found)


def test_a_clock_that_goes_backwards(tmp_path, monkeypatch):
    class Clock(datetime):
        back = timedelta()

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - cls.back
    monkeypatch.setattr(runs, "datetime", Clock)
    first = paint(tmp_path)
    Clock.back = timedelta(days=400)
    early = runs.start("small", settings(), tmp_path)
    frames = runs.record(early.paint(), early, checkpoint_seconds=0)
    next(frames)
    Clock.back = timedelta(days=800)
    frames.close()
    session = Session(runs.open(early.folder))
    session.listen(lambda: session.left is None or lefts.append(session.left))
    lefts = []
    session.start()
    assert session.wait(60) == "finished" and lefts and min(lefts) >= 0
    again = [runs.start("small", settings(), tmp_path) for _ in range(3)]
    assert [run.folder for run in runs.all_runs(tmp_path)] == \
        [run.folder for run in [*again, early, first]]
    assert runs.open(early.folder).manifest["seconds"] >= 0
    assert early.picture.read_bytes() == first.picture.read_bytes()


def test_the_order_of_runs_is_that_of_time_in_any_zone(tmp_path):
    told = ["2026-03-01T10:00:00+01:00", "2026-03-01T09:30:00+00:00", "2026-03-01T12:00:00+02:30",
            "yesterday", ""]
    made = [runs.start("small", settings(), tmp_path) for _ in told]
    for run, started in zip(made, told, strict=True):
        run.note(started=started)
    assert [run.manifest["started"] for run in runs.all_runs(tmp_path)] == ["yesterday", "", *told[:3]]


# ---------------------------------------------------------------- what a kill leaves

def test_a_killed_run_goes_on_from_the_last_of_its_states(tmp_path):
    """Its checkpoint may be older."""
    session = Session(runs.start("small", settings(steps=40), tmp_path))
    session.listen(lambda: session.frame and session.frame.step >= 9 and session.pause())
    session.start()
    victim.calm(session)
    run = session.run
    shutil.copy(session.history.place(4), run.checkpoint)
    session.stop()
    session.wait(60)
    shutil.copy(session.history.place(4), run.checkpoint)       # as a kill may leave it
    assert history.History(run).steps[-1] == 9
    taken_up = Session(runs.open(run.folder))
    taken_up.step()
    victim.calm(taken_up)
    assert taken_up.frame.step == 10 and taken_up.history.steps == [*range(11)]


def stopped_at_8(folder):
    """A session that was, of 40 steps."""
    session = Session(runs.start("small", settings(steps=40), folder))
    session.listen(lambda: session.frame and session.frame.step >= 8 and session.pause())
    session.start()
    victim.calm(session)
    session.stop()
    session.wait(60)
    return session


def test_the_state_that_a_kill_came_before_is_kept_by_the_next(tmp_path):
    """Its checkpoint was written, and it was not: the picture goes on from there, and can go back to it."""
    session = stopped_at_8(tmp_path)
    session.history.place(8).unlink()
    taken_up = Session(runs.open(session.run.folder))
    taken_up.step()
    victim.calm(taken_up)
    assert taken_up.history.steps == [*range(10)]


def test_undo_is_refused_where_a_later_state_cannot_be_removed(tmp_path, monkeypatch):
    """It would be gone on from, with knobs that were turned before it."""
    session = stopped_at_8(tmp_path)
    there, later = history.History(session.run), session.history.place(7)
    real = os.unlink

    def stuck(path, *rest, **more):
        if Path(path) == later:
            raise OSError(errno.EIO, "Input/output error")
        return real(path, *rest, **more)
    monkeypatch.setattr(os, "unlink", stuck)
    with pytest.raises(Refused, match="Input/output error"):
        there.rewind(3)
    monkeypatch.undo()
    assert states.about(there.latest())["step"] == 8, "it is still where it was"
    there.rewind(3)
    assert states.about(there.latest())["step"] == 3


def test_what_is_half_written_is_swept_by_who_holds_the_folder_alone(tmp_path):
    run = runs.start("small", settings(), tmp_path)
    frames = runs.record(run.paint(), run)
    next(frames)
    half = run.folder / f"{safe_files.SPARE}00099.png"
    half.write_bytes(b"half")
    runs.resume(run.folder)             # which looks at a run that somebody else is painting
    assert half.exists()
    frames.close()
    list(runs.record(runs.resume(run.folder), run.folder))
    assert not litter(run.folder)


def test_a_spare_that_leads_elsewhere_is_not_followed(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / f"{safe_files.SPARE}a.png").symlink_to(tmp_path / "mine.txt")
    safe_files.write(tmp_path / "a.png", b"picture")
    assert (tmp_path / "mine.txt").read_text() == "mine" and (tmp_path / "a.png").read_bytes() == b"picture"


def test_the_proof_that_a_folder_can_be_written_to_leaves_what_is_there(tmp_path):
    (tmp_path / "room").write_text("mine")
    safe_files.folder(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("room", "mine")]
