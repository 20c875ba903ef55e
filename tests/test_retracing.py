"""Commands for earlier states: undone and gone on with, branched, and what cannot be gone back to."""

import shutil
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from test_cli import images_of, workshop                 # noqa: F401

from helpers import runs, safe_files, systems
from helpers.history import History
from helpers.session import Session

LONG = 60       # seconds until a wait is given up as lost


def folder_in(out):
    return Path(out.splitlines()[-1].removeprefix("run      "))


@pytest.fixture
def whole(run):
    """A run of 12 steps, painted on the terminal to its end."""
    status, out, err = run("paint", "fog", "--system", "small_system")
    assert status == 0, err
    return folder_in(out)


@pytest.fixture
def paint_to(run, monkeypatch):
    """paint_to(27, "paint", …): a command that Ctrl-C ends after that step -> the folder of its run."""
    record = runs.record

    def paint_to(step, *words):
        def interrupted(painting, folder):
            frames = record(painting, folder)
            for frame in frames:
                yield frame
                if frame.step == step:
                    frames.throw(KeyboardInterrupt)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "record", interrupted)
            status, out, _ = run(*words)
        assert status == 130
        return folder_in(out)
    return paint_to


@pytest.fixture
def stopped(paint_to):
    """One that rests after 27 of 40 steps, between two states that are kept."""
    return paint_to(27, "paint", "fog", "--system", "small_system", "--steps", "40")


def kept(folder):
    """Every file of a run, but for what is only there to be held."""
    return {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*")
            if path.is_file() and path.name[0] != "."}


def same(a, b):
    """The last picture byte for byte, earlier ones by their pixels: they do not know what is turned later."""
    first, second = runs.open(a), runs.open(b)
    return first.picture.read_bytes() == second.picture.read_bytes() and \
        [(path.name, images_of(path)) for path in first.frames] == \
        [(path.name, images_of(path)) for path in second.frames]


# ---------------------------------------------------------------- states

def test_states_are_listed(run, whole, stopped):
    frames = {step: whole / "frames" / f"{step:05}.png" for step in (10, 12)}
    status, out, _ = run("states", str(whole))
    assert status == 0 and out.splitlines() == [
        "      0  the beginning", "      2", "      4", "      6", "      8", f"     10  {frames[10]}",
        f"*    12  {frames[12]}"]
    status, out, _ = run("states", str(stopped / "picture.png"))
    assert [line.split()[0] for line in out.splitlines()] == \
        ["0", "4", "8", "12", "16", "20", "24", "*"] and out.splitlines()[-1] == "*    27"


def test_a_new_run_has_its_beginning(run):
    made = runs.start("small_system", systems.load("small_system").Settings())
    assert run("states", str(made.folder))[1] == "*     0  the beginning\n"
    assert run("undo", str(made.folder))[::2] == (
        2, "nothing is painted yet; there is nothing to go back to: paint first\n")


# ---------------------------------------------------------------- undo

@pytest.mark.parametrize("step", [0, 4, 8])
def test_undone_and_gone_on_it_is_as_if_it_never_was(run, whole, step):
    before = kept(whole)
    status, out, err = run("undo", str(whole), str(step))
    assert status == 0 and folder_in(out) == whole
    assert err == (f"back after step {step} of 12; go on with:\n"
                   f"  python -m helpers paint --resume '{whole}'\n")
    now = runs.open(whole)
    assert (now.manifest["status"], now.manifest["step"]) == ("stopped", step)
    assert now.picture.exists() == bool(step) and all(int(path.stem) <= step for path in now.frames)
    assert run("paint", "--resume", str(whole))[0] == 0
    after = kept(whole)
    assert before.keys() == after.keys()
    differ = {path.name for path in before if before[path] != after[path]}
    assert all(name == "manifest.json" or name.endswith(".safetensors") for name in differ), \
        "which tell how long it took"


def test_the_picture_is_that_of_the_step(run, whole):
    frame = images_of(whole / "frames" / "00010.png")
    assert images_of(whole / "picture.png") != frame
    assert run("undo", str(whole), "10")[0] == 0 and images_of(whole / "picture.png") == frame


def test_undo_goes_one_state_back(run, stopped):
    for step in (24, 20, 16):
        assert run("undo", str(stopped))[2].startswith(f"back after step {step} of 40")


def test_what_was_turned_since_is_forgotten(run, whole):
    made = runs.open(run("branch", str(whole), "4", "--contrast", "3")[1].splitlines()[-1][9:])
    assert runs.turns(made.folder) == [{"step": 4, "contrast": 3.0}]
    assert run("undo", str(made.folder), "4")[0] == 0 and runs.turns(made.folder) == []
    assert run("paint", "--resume", str(made.folder))[0] == 0 and same(made.folder, whole)


def test_going_back_may_be_cut_short_anywhere(run, stopped, monkeypatch, tmp_path):
    """Whatever is left to do, the run goes on from one of both ends, to the same picture."""
    line = ("--system", "small_system", "--steps", "40")
    whole = folder_in(run("paint", "fog", *line)[1])
    acts = {name: getattr(safe_files, name) for name in ("forget", "write")}
    for last in range(12):
        copy, left = shutil.copytree(stopped, tmp_path / f"runs/{last}"), [last]

        def cut(name, *given, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return acts[name](*given)
        with monkeypatch.context() as patch:
            for name in acts:
                patch.setattr(safe_files, name, partial(cut, name))
            with suppress(KeyboardInterrupt):
                History(runs.open(copy)).rewind(8)
        assert run("paint", "--resume", str(copy))[0] == 0
        assert images_of(copy / "picture.png") == images_of(whole / "picture.png"), last
    assert left[0] >= 0, "the last of them was not cut short"


# ---------------------------------------------------------------- branch

@pytest.mark.parametrize("step", [0, 6])
def test_a_branch_is_that_of_a_session(run, whole, step):
    before = kept(whole)
    session = Session(runs.open(whole)).branch(step)
    session.turn(contrast=4.0, pause=0.001)
    session.start()
    assert session.wait(LONG) == "finished"
    status, out, err = run("branch", str(whole), str(step), "--contrast", "4", "--pause=0.001")
    assert status == 0 and "small_system: 100%" in err
    twin = runs.open(folder_in(out))
    assert same(twin.folder, session.run.folder) and not same(twin.folder, whole)
    assert twin.manifest["branch"] == session.run.manifest["branch"] == {"from": whole.name, "step": step}
    assert runs.turns(twin.folder) == [{"step": step, "contrast": 4.0, "pause": 0.001}]
    assert kept(whole) == before


def test_a_branch_of_where_it_rests(run, stopped):
    status, out, _ = run("branch", str(stopped))
    assert status == 0 and runs.open(folder_in(out)).manifest["branch"]["step"] == 27
    assert run("paint", "--resume", str(stopped))[0] == 0 and same(folder_in(out), stopped)


def test_a_run_of_a_plain_cell_is_branched_where_it_rests():
    """No states were kept on its way."""
    made = runs.start("small_system", systems.load("small_system").Settings())
    frames = runs.record(made.paint(), made)
    for frame in frames:
        if frame.step == 7:
            break
    frames.close()
    assert Session(made).branch().run.manifest["branch"]["step"] == 7


def test_words_that_nobody_knows_are_named(run, whole, monkeypatch):
    from helpers import vocabulary
    monkeypatch.setattr(vocabulary, "check", lambda settings: f"of {settings.contrast}")
    assert run("branch", str(whole), "4", "--contrast", "2")[2].startswith("of 2.0\n")


def test_help_of_a_branch_lists_what_can_be_turned(capsys, whole):
    from helpers import cli
    with pytest.raises(SystemExit):
        cli.main(["branch", str(whole), "--help"])
    said = capsys.readouterr().out
    assert "--contrast X" in said and "--steps" not in said


# ---------------------------------------------------------------- what cannot be

STATES = "those after 0, 4, 8, 12, 16, 20, 24"


@pytest.mark.parametrize("line, said", [
    ("undo {} 23", f"there is no state after step 23; {STATES} are kept: choose one of them"),
    ("undo {} 27", f"there is no state after step 27; {STATES} are kept: choose one of them"),
    ("branch {} 30", f"there is no state after step 30; {STATES}, 27 are kept: choose one of them"),
    ("undo {} -1", "step is '-1'; it must be a whole number"),
    ("undo {} last", "step is 'last'; it must be a whole number"),
    ("undo {} " + "9" * 5000, f"step is '{'9' * 5000}'; it must be a whole number"),
    ("branch {} 4 --steps 9", "steps cannot be turned while painting; other knobs can: start a new run"),
    ("branch {} 4 --contrast 9", "contrast is 9; it must be between 0 and 4: try 4"),
    ("branch {} 4 --contrats 2", "no setting called 'contrats'; did you mean 'contrast'?"),
])
def test_what_is_refused_leaves_everything(run, stopped, line, said):
    before, found = kept(stopped), len(runs.all_runs())
    assert run(*line.format(stopped).split())[::2] == (2, said + "\n")
    after = kept(stopped)
    assert {path: after[path] for path in before} == before and len(runs.all_runs()) == found
    assert after.keys() - before.keys() <= {Path("states/00027.safetensors")}      # where it rests


def test_a_finished_run_branches_before_its_end(run, whole):
    status, _, err = run("branch", str(whole), "12")
    assert status == 2 and err.startswith("there is no state after step 12; those after 0, ")
    assert len(runs.all_runs()) == 1
    status, out, _ = run("branch", str(whole))
    twin = runs.open(folder_in(out))
    assert status == 0 and 0 < twin.manifest["branch"]["step"] < 12 == twin.manifest["step"]


@pytest.mark.parametrize("command", ["undo", "branch"])
def test_a_run_that_another_process_paints(run, stopped, command):
    before = kept(stopped)
    code = ("import sys\nfrom helpers import safe_files\nwith safe_files.alone(sys.argv[1]):\n"
            "    print('held', flush=True)\n    sys.stdin.read()")
    other = subprocess.Popen([sys.executable, "-c", code, stopped], cwd=Path(__file__).parents[1], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == "held\n"
        assert run(command, str(stopped), "8")[::2] == (
            2, f"'{stopped}' is being painted already; one painting at a time goes on in a folder: "
            "wait for it, or stop it first\n")
        assert run("states", str(stopped))[0] == 0
    finally:
        other.communicate()
    assert kept(stopped) == before and len(runs.all_runs()) == 1
    assert run(command, str(stopped), "8")[0] == 0


def test_what_is_no_run(run, tmp_path):
    for command in ("states", "undo", "branch"):
        assert run(command, "nowhere")[2].startswith("'nowhere' is not a run; ")
        assert run(command)[2] == ("the following arguments are required: run; "
                                   f"python -m helpers {command} --help lists what there is\n")


def test_a_checkpoint_that_is_none(run, stopped):
    (stopped / "checkpoint.safetensors").write_bytes(b"nothing")
    status, _, err = run("paint", "--resume", str(stopped))
    assert status == 2 and "cannot be read" in err
    assert run("branch", str(stopped), "8")[0] == 0, "the states are whole"
