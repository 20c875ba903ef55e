"""Sessions: a run painted in its own thread is steered, taken back, branched, and always kept."""

import logging
import threading

import loopback
import pytest
import small_system
import stand_ins
import torch
from test_runs import pixels, refusal, settings

from helpers import (
    history,
    images,
    machine,
    run_folder,
    runs,
    safe_files,
    states,
    systems,
    told,
    view,
    weights,
)
from helpers.errors import Refused
from helpers.session import Session

LONG = 60       # seconds until a wait is given up as lost


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for module in (runs, run_folder):
        monkeypatch.setattr(module, "system_named", lambda name: small_system)
    monkeypatch.delenv("REHEARSAL", raising=False)


@pytest.fixture
def begin(tmp_path):
    """A new session; whatever a test leaves painting is ended."""
    begun = []

    def begin(**values):
        begun.append(Session(runs.start("small", settings(**values), tmp_path)))
        return begun[-1]
    yield begin
    for session in begun:
        session.stop()
        session.wait(LONG)


def at(session, step, do):
    """Do something in the painter's thread right after a step, once."""
    def heard():
        if session.frame and session.frame.step == step and not done:
            done.append(step)
            do()
    done = []
    session.listen(heard)


def to(session, step):
    """Paint up to a step and rest there."""
    at(session, step, session.pause)
    session.start()
    session.wait(LONG)
    assert session.frame.step == step, session.error


def finish(session):
    session.resume()
    assert session.wait(LONG) == "finished", session.error
    return session


def replayed(session, root):
    """The run painted anew from its manifest alone, with no session."""
    path = session.run.folder
    run = runs.start("small", runs.load(path), root / "again", live=runs.turns(path))
    for _ in runs.record(run.paint(), run):
        pass
    return run


def same(a, b):
    """The last picture byte for byte; an earlier one does not know yet what is turned later."""
    return a.picture.read_bytes() == b.picture.read_bytes() and \
        [(path.name, pixels(path)) for path in a.frames] == [(path.name, pixels(path)) for path in b.frames]


# ---------------------------------------------------------------- verbs

def test_it_paints_what_a_recording_paints(begin, tmp_path):
    session = begin()
    assert (session.status, session.frame, session.left) == ("new", None, None)
    session.start()
    assert session.wait(LONG) == "finished" and session.left == 0 and session.error is None
    assert session.run.manifest["status"] == "finished" and len(session.run.frames) == 4
    assert session.picture.step == session.frame.step == 12
    assert pixels(session.run.picture) == images.to_pil(session.picture.image).tobytes()
    assert same(session.run, replayed(session, tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(safe_files.SPARE)]


def test_pause_step_and_resume(begin, tmp_path):
    session = begin()
    to(session, 4)
    kept = runs.open(session.run.folder)
    assert session.status == "paused" and session.picture.step == 4
    assert (kept.manifest["status"], states.about(kept.checkpoint)["step"]) == ("stopped", 4)
    assert pixels(kept.picture) == images.to_pil(session.picture.image).tobytes()
    session.step()
    assert session.wait(LONG) == "paused" and session.frame.step == 5
    session.step(), session.step()
    session.wait(LONG)
    assert session.frame.step == 7
    assert finish(session).run.manifest["step"] == 12
    assert same(session.run, replayed(session, tmp_path))


def test_stopped_it_goes_on(begin, tmp_path):
    session = begin()
    at(session, 5, session.stop)
    session.start()
    assert session.wait(LONG) == "stopped" and session.run.manifest["step"] == 5
    other = Session(runs.open(session.run.folder))
    assert other.status == "stopped"
    to(other, 8)
    other.stop()
    assert other.wait(LONG) == "stopped" and other.run.manifest["status"] == "stopped"
    session.run = runs.open(session.run.folder)
    assert same(finish(session).run, replayed(session, tmp_path))


def test_verbs_in_every_status(begin):
    session = begin()
    session.pause(), session.stop()         # asked of who does nothing, they are granted
    assert session.wait(0) == "new" and not session.run.started
    assert refusal(session.undo) == "nothing is painted yet; there is nothing to go back to: paint first"
    session.step()
    assert session.wait(LONG) == "paused" and session.frame.step == 1
    session.pause()
    assert session.wait(LONG) == "paused"
    session.start(), session.start()
    assert session.wait(LONG) == "finished"
    session.pause(), session.stop()
    assert session.wait(0) == "finished"
    twin = session.branch()
    assert twin.run.manifest["branch"]["step"] == 10 and finish(twin).frame.step == 12
    assert "there is no state after step 12" in refusal(session.branch, 12)
    for verb in (session.start, session.resume, session.step, lambda: session.turn(contrast=2)):
        assert refusal(verb) == \
            "the picture is finished; an earlier state of it can go on: undo, or branch from it"
    session.undo()
    session.step()
    assert session.wait(LONG) == "paused" and session.frame.step == 11


def test_stop_then_start_at_once(begin):
    session = begin()
    at(session, 3, lambda: (session.stop(), session.start()))
    session.start()
    assert session.wait(LONG) == "finished"


def test_a_rest_before_the_first_step(begin, tmp_path, monkeypatch):
    real = small_system.paint

    def paint(settings, state=None):
        painting = real(settings, state)
        painting.opening = iter(["half", "all"])
        return painting
    session = begin()
    with monkeypatch.context() as patch:
        patch.setattr(small_system, "paint", paint)
        notes = []
        session.listen(lambda: session.frame.note and session.frame.note not in notes and
                       (notes.append(session.frame.note), session.pause()))
        session.start()
        assert session.wait(LONG) == "paused" and notes == ["half"] and session.picture is None
        session.step()
        session.wait(LONG)
        session.step()
        assert session.wait(LONG) == "paused" and (session.frame.step, notes) == (1, ["half", "all"])
    assert same(finish(session).run, replayed(session, tmp_path))


def test_a_killed_run_is_taken_up(begin, tmp_path):
    session = begin()
    run = session.run
    for frame in runs.record(run.paint(), run, checkpoint_seconds=0):
        if frame.step == 5:
            kept = run.checkpoint.read_bytes()
    run.note(status="painting", step=5)
    run.checkpoint.write_bytes(kept)
    session = Session(runs.open(run.folder))
    assert session.status == "stopped"
    assert same(finish(session).run, replayed(session, tmp_path))


def test_two_sessions_on_one_folder(begin):
    session = begin()
    to(session, 3)
    other = Session(runs.open(session.run.folder))
    for verb in (other.start, other.step, other.undo):
        assert "is being painted already; one painting at a time goes on in a folder" in refusal(verb)
    assert other.status == "stopped" and other.wait(0) == "stopped"
    session.stop()
    session.wait(LONG)
    assert finish(other).frame.step == 12


# ---------------------------------------------------------------- turning

def test_knobs_turned_while_it_paints_turn_again(begin, tmp_path):
    session, plain = begin(), begin()
    at(session, 4, lambda: session.turn(contrast=3))
    at(session, 9, lambda: session.turn(contrast=0.5, pause=0.001))
    finish(session)
    assert runs.turns(session.run.folder) == [
        {"step": 4, "contrast": 3.0}, {"step": 9, "contrast": 0.5, "pause": 0.001}]
    assert same(session.run, replayed(session, tmp_path))
    assert pixels(session.run.picture) != pixels(finish(plain).run.picture)


def test_knobs_turned_at_rest_turn_once(begin, tmp_path):
    session = begin()
    session.turn(contrast=3.0)
    assert session.settings.contrast == 3 and session.status == "new"
    to(session, 4)
    for contrast in (0.2, 0.5, 2.0):
        session.turn(contrast=contrast)
    session.turn(pause=0.001)
    assert (session.settings.contrast, session.settings.pause) == (2, 0.001)
    assert runs.turns(session.run.folder) == [{"step": 0, "contrast": 3.0}]
    session.stop()          # what is turned now is not lost
    session.wait(LONG)
    assert runs.turns(session.run.folder)[1:] == [{"step": 4, "contrast": 2.0, "pause": 0.001}]
    assert same(finish(session).run, replayed(session, tmp_path))


def test_what_cannot_be_turned_is_refused_at_once(begin, tmp_path):
    session = begin()
    said = []

    def wrong():
        for knobs in ({"contrast": 9}, {"contrast": "much"}, {"steps": 4}, {"contrats": 1}):
            said.append(refusal(session.turn, **knobs))
    at(session, 4, wrong)
    finish(session)
    assert said == [
        "contrast is 9; it must be between 0 and 4: try 4",
        "contrast is 'much'; it must be a number: try 1.0",
        "steps cannot be turned while painting; other knobs can: start a new run",
        "no setting called 'contrats'; did you mean 'contrast'?"]
    assert not runs.turns(session.run.folder) and same(session.run, replayed(session, tmp_path))


def test_what_only_the_painting_refuses_is_told_and_it_goes_on(begin, tmp_path, monkeypatch):
    real = small_system.paint

    def paint(settings, state=None):
        painting = real(settings, state)
        retune = painting.retune

        def picky(new):
            retune(new)
            if new.contrast == 2:
                raise Refused("contrast is 2", "this painter likes none", "try 3")
        painting.retune = picky
        return painting
    monkeypatch.setattr(small_system, "paint", paint)
    session, errors = begin(), []
    session.listen(lambda: errors.append(session.error))
    at(session, 4, lambda: session.turn(contrast=2))
    finish(session)
    assert "contrast is 2; this painter likes none: try 3" in map(str, errors)
    assert not runs.turns(session.run.folder) and same(session.run, replayed(session, tmp_path))


# ---------------------------------------------------------------- going back

def test_undone_and_gone_on_it_is_what_its_manifest_paints(begin, tmp_path):
    session = begin()
    session.turn(contrast=2)
    at(session, 4, lambda: session.turn(contrast=4))
    to(session, 8)
    session.turn(contrast=1)
    session.undo(3)
    assert session.wait(LONG) == "paused" and session.frame.step == session.picture.step == 3
    assert session.settings.contrast == 2 and session.history.steps == [0, 1, 2, 3]
    assert runs.turns(session.run.folder) == [{"step": 0, "contrast": 2.0}] and len(session.run.frames) == 1
    assert pixels(session.run.picture) == images.to_pil(session.picture.image).tobytes()
    assert all(step <= 3 for points in session.losses.values() for step, _ in points)
    session.turn(contrast=3)
    finish(session)
    assert runs.turns(session.run.folder)[1:] == [{"step": 3, "contrast": 3.0}]
    assert same(session.run, replayed(session, tmp_path))


def test_undo_goes_on_where_it_went_on(begin, tmp_path):
    session = begin()
    at(session, 9, session.undo)
    seen = []
    session.listen(lambda: seen.append(session.frame.step))
    session.start()
    assert session.wait(LONG) == "finished" and seen.count(8) >= 2
    assert same(session.run, replayed(session, tmp_path))


def test_undo_again_and_again(begin):
    session = begin()
    to(session, 6)
    session.undo(), session.undo()
    assert session.wait(LONG) == "paused" and session.frame.step == 4
    session.undo(0)
    assert session.wait(LONG) == "paused" and (session.frame.step, session.picture) == (0, None)
    assert not session.run.picture.exists() and not session.run.checkpoint.exists()
    assert refusal(session.undo) == "nothing is painted yet; there is nothing to go back to: paint first"
    assert finish(session).frame.step == 12


@pytest.mark.parametrize("end", ["stopped", "finished"])
def test_undo_after_the_end(begin, tmp_path, end):
    session = begin()
    at(session, 9 if end == "stopped" else 99, session.stop)
    session.start()
    assert session.wait(LONG) == end
    session.undo(6)
    assert session.wait(LONG) == "paused" and session.frame.step == 6
    assert [path.name for path in session.run.frames] == ["00001.png", "00005.png"]
    assert same(finish(session).run, replayed(session, tmp_path))


def test_only_kept_states_can_be_gone_back_to(begin):
    session = begin(steps=40)
    to(session, 30)
    assert session.history.steps == [0, 4, 8, 12, 16, 20, 24, 28, 30]
    assert refusal(session.undo, 27) == "there is no state after step 27; those after 0, 4, 8, 12, 16, 20, " \
        "24, 28 are kept: choose one of them"
    assert "there is no state after step 32" in refusal(session.branch, 32)
    assert session.status == "paused" and session.error is None


def test_states_thin_out(begin, monkeypatch):
    session = begin(steps=100)
    to(session, 90)
    assert session.history.steps == [*range(0, 89, 8), 90]
    assert [history.due(step, 23, 12) for step in (2, 3)] == [True, False]
    state = states.load(session.run.checkpoint)
    one = history.weight(state)
    assert 0 < one <= session.run.checkpoint.stat().st_size
    for room, kept in ((one * 5 // 2, 2), (one // 2, 0)):
        tight = begin(steps=100)
        tight.history.room = room
        to(tight, 50)
        assert len(tight.history.steps) - 1 <= kept, tight.history.steps
        assert finish(tight).frame.step == 100


def test_a_branch_goes_its_own_way(begin, tmp_path):
    session = begin(prompts="fog")
    at(session, 4, lambda: session.turn(contrast=2))
    to(session, 7)
    before = {path: path.read_bytes() for path in session.run.folder.rglob("*") if path.is_file()}
    twin, first = session.branch(6), session.branch(0)
    other = session.branch()
    assert {path: path.read_bytes() for path in session.run.folder.rglob("*") if path.is_file()} == before
    assert twin.run.manifest["branch"] == {"from": session.run.folder.name, "step": 6}
    assert (twin.status, first.status, other.run.manifest["step"]) == ("stopped", "new", 7)
    assert runs.turns(twin.run.folder) == [{"step": 4, "contrast": 2.0}] and not runs.turns(first.run.folder)
    assert twin.history.steps == [0, 1, 2, 3, 4, 5, 6] and len(twin.run.frames) == 2
    twin.turn(contrast=4)
    for each in (twin, first, session):
        assert same(finish(each).run, replayed(each, tmp_path / each.run.folder.name))
    assert len({pixels(each.run.picture) for each in (twin, first, session)}) == 3
    assert pixels(finish(other).run.picture) == pixels(session.run.picture)


def test_what_is_still_to_be_turned_outlives_undo_and_branch(begin, tmp_path):
    session = begin()
    at(session, 4, lambda: session.turn(contrast=2))
    at(session, 9, lambda: session.turn(contrast=3))
    finish(session)
    run = session.run
    again = Session(runs.start(run.system, run.settings, tmp_path / "again", runs.turns(run.folder)))
    to(again, 6)
    assert [turn["step"] for turn in runs.turns(again.branch(3).run.folder)] == [9]
    again.undo(2), again.wait(LONG)
    assert [turn["step"] for turn in runs.turns(again.run.folder)] == [9], "4 was taken back, 9 is to come"
    again.undo(0), again.wait(LONG)
    assert [turn["step"] for turn in runs.turns(again.run.folder)] == [9]


def test_a_branch_has_what_was_turned_a_moment_ago(begin):
    session = begin()
    to(session, 4)
    session.turn(contrast=3)
    assert session.branch().settings.contrast == 3 and session.branch(2).settings.contrast == 1


def test_a_damaged_checkpoint_spoils_no_branch(begin):
    session = begin()
    to(session, 6)
    session.stop(), session.wait(LONG)
    session.run.checkpoint.write_bytes(b"no state")
    assert finish(Session(session.run).branch(4)).frame.step == 12


def test_what_failed_goes_on_from_its_last_state(begin, monkeypatch):
    session = begin(steps=30)
    score = small_system.Guide.score

    def broken(guide, image, progress=0.0):
        if progress >= 9 / 30:
            raise RuntimeError("the roof fell")
        return score(guide, image, progress)
    with monkeypatch.context() as patch:
        patch.setattr(small_system.Guide, "score", broken)
        session.start()
        assert session.wait(LONG) == "failed" and not session.run.checkpoint.exists()
    other, seen = Session(runs.open(session.run.folder)), []
    assert other.steps[-1] == 9
    other.listen(lambda: seen.append(other.frame.step if other.frame else None))
    assert finish(other).frame.step == 30 and min(filter(None, seen)) == 9
    assert pixels(other.run.picture) == pixels(finish(begin(steps=30)).run.picture)


def test_a_branch_takes_its_pictures_along(begin, tmp_path):
    images.save_png(tmp_path / "cat.png", torch.rand(1, 3, 8, 16))
    session = begin(init_image=tmp_path / "cat.png")
    to(session, 4)
    twin = session.branch()
    (tmp_path / "cat.png").unlink()
    session.stop(), session.wait(LONG), session.run.discard()
    assert finish(twin).frame.step == 12


# ---------------------------------------------------------------- when something fails

def failing(monkeypatch, step, error):
    real = small_system.paint

    def paint(settings, state=None):
        painting = real(settings, state)

        def breaks(painting):
            if painting.step == step:
                raise error
        painting.before_step.append(breaks)
        return painting
    monkeypatch.setattr(small_system, "paint", paint)


def test_a_failure_is_told(begin, tmp_path, monkeypatch, caplog):
    session, told = begin(), []
    session.listen(lambda: told.append(session.status))
    with monkeypatch.context() as patch:
        failing(patch, 6, RuntimeError("the roof fell in"))
        session.start()
        assert session.wait(LONG) == "failed" and str(session.error) == "the roof fell in"
    assert told[-1] == "failed" and "the roof fell in" in caplog.text and "Traceback" in caplog.text
    assert (session.run.manifest["status"], session.run.manifest["error"]) == ("failed", "the roof fell in")
    session.undo(4)         # and it can be gone on with
    assert session.wait(LONG) == "paused" and session.error is None
    assert same(finish(session).run, replayed(session, tmp_path))


def test_a_refused_start_leaves_no_run(begin, monkeypatch):
    session = begin()
    with monkeypatch.context() as patch:
        patch.setattr(small_system, "paint", lambda *_: (_ for _ in ()).throw(Refused("no such words")))
        session.start()
        assert session.wait(LONG) == "failed" and str(session.error) == "no such words"
    assert not session.run.folder.exists()


def test_a_full_disk_is_told(begin, monkeypatch):
    session = begin()
    to(session, 3)

    def full(*_):
        raise Refused("no room")
    with monkeypatch.context() as patch:
        patch.setattr(history.states, "save", full)
        session.start()
        assert session.wait(LONG) == "failed" and str(session.error) == "no room"
    assert finish(session).frame.step == 12


def test_a_failing_listener_is_no_trouble(begin, tmp_path, caplog):
    session, heard = begin(), []
    session.listen(lambda: 1 / 0)
    session.listen(lambda: heard.append(threading.current_thread()))
    finish(session)
    assert "a listener failed" in caplog.text and "ZeroDivisionError" in caplog.text
    assert len(heard) >= 12 and threading.main_thread() not in heard
    assert same(session.run, replayed(session, tmp_path))


def test_verbs_from_many_threads(begin, tmp_path):
    session, said = begin(steps=60), []

    def fiddle(number):
        for turn in range(20):
            try:
                [session.pause, session.step, session.resume, lambda: session.turn(contrast=number),
                 session.undo][(turn * 7 + number) % 5]()
            except Refused as refused:
                said.append(str(refused))
    session.start()
    hands = [threading.Thread(target=fiddle, args=(number,)) for number in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(LONG)
    session.wait(LONG)
    assert session.error is None and all("nothing" in text or "finished" in text for text in said)
    if session.status != "finished":
        finish(session)
    assert same(session.run, replayed(session, tmp_path))


# ---------------------------------------------------------------- what can be seen

def test_losses_and_memory(begin, monkeypatch):
    monkeypatch.setattr(view, "POINTS", 6)
    session = begin(steps=60)
    finish(session)
    assert set(session.losses) == {"noise", "prior"}
    steps = [step for step, _ in session.losses["noise"]]
    assert len(steps) <= 6 and steps == sorted(steps) and steps[0] == 1
    assert session.memory == pytest.approx(machine.used(), rel=0.2) and session.memory > 1 << 20


def test_each_step_is_in_the_curves_of_the_losses(begin):
    session = begin()
    finish(session)
    assert [step for step, _ in session.losses["noise"]] == [*range(1, session.frame.total + 1)]


def test_it_looks_between_looks_where_that_is_cheap(begin, tmp_path, monkeypatch):
    monkeypatch.setattr(view, "BETWEEN", 0.0)
    monkeypatch.setattr(view, "SHARE", 1e9)
    session, seen = begin(), set()
    session.listen(lambda: session.picture and seen.add(session.picture.step))
    finish(session)
    assert seen == set(range(1, 13)) and len(session.run.frames) == 4
    assert same(session.run, replayed(session, tmp_path))
    monkeypatch.setattr(view, "SHARE", 0.0001)
    dear, seen = begin(), set()
    dear.listen(lambda: dear.picture and seen.add(dear.picture.step))
    finish(dear)
    assert len(seen) < 12


def test_nothing_is_logged_where_nothing_is_wrong(begin, caplog):
    with caplog.at_level(logging.INFO):
        finish(begin())
    assert not caplog.messages


# ---------------------------------------------------------------- every kind of painting

@pytest.mark.parametrize("name, turned, values", [
    ("vqgan_clip", {"crops": 2, "prompts": "castle"}, {}),
    # soft codes: the smallest move is seen, where a nearest one may stay
    ("vqgan_clip", {"smoothness": "10"}, {"film": 4, "steps": 2, "frame_steps": 2, "zoom": "1.1",
                                          "codes": "soft"}),
    ("big_sleep", {"prompts": "castle"}, {"best": True}), ("deep_daze", {"learning_rate": "0.01"}, {}),
    ("disco_diffusion", {"range": "100", "clamp": "0"}, {"perlin": "mixed", "mirror": "both",
                                                                       "skip": 0}),
    ("clip_guided_diffusion", {"crops": "2"}, {"tiles": 2, "init_image": stand_ins.photo()}),
    ("gan", {"truncation": 0.4}, {"walk": 8, "prompts": "cat"}),
], ids=lambda it: it if isinstance(it, str) else "")
def test_every_kind_of_painting_is_steered(name, turned, values, begin, tmp_path, monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    stand_ins.install(monkeypatch)
    for module in (runs, run_folder):
        monkeypatch.setattr(module, "system_named", systems.load)
    cls = systems.load(name).Settings
    few = {"steps": 8, "gan": "x"} | values
    chosen = cls().rehearsal().to_dict() | {k: v for k, v in few.items() if k in cls().to_dict()}
    session = Session(runs.start(name, cls.from_dict(chosen), tmp_path))
    to(session, 4)
    session.turn(**turned)
    to(session, 6)
    session.undo(5)
    session.wait(LONG)
    twin = session.branch(3)
    for each in (session, twin):
        finish(each)
        run = runs.start(name, runs.load(each.run.folder), tmp_path / "again",
                         live=runs.turns(each.run.folder))
        for _ in runs.record(run.paint(), run):
            pass
        assert pixels(each.run.picture) == pixels(run.picture)
    assert pixels(twin.run.picture) != pixels(session.run.picture)


def test_a_download_before_the_first_step_is_told(begin, tmp_path, monkeypatch):
    paint, lines = small_system.paint, []

    def fetching(settings, state=None):
        weights.fetch("toy")
        return paint(settings, state)

    monkeypatch.setattr(small_system, "paint", fetching)
    monkeypatch.setenv("DISCOTHEQUE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DISCOTHEQUE_CATALOGUE", str(tmp_path / "catalogue.toml"))
    with loopback.serve() as site:
        site.files["/toy"] = bytes(3_000_000)
        (tmp_path / "catalogue.toml").write_text(
            f'[toy]\nkind = "vqgan"\nfile = "toy.ckpt"\nmirrors = [{{ url = "{site.url("/toy")}" }}]\n')
        session = begin(steps=3)
        session.listen(lambda: lines.append(told.told(session)))
        finish(session)
    assert "downloading toy.ckpt: 3 of 3 MB, 0 s left" in lines
    assert lines[lines.index("downloading toy.ckpt: 3 of 3 MB, 0 s left") + 1] == "getting ready"
    assert session.coming is None
