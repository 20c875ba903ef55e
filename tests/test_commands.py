"""Commands for what is painted already."""

import shutil

import pytest

from helpers import gallery, runs, safe_files, systems


@pytest.fixture(autouse=True)
def workshop(monkeypatch, tmp_path):
    """A small system among the others, and a folder for its runs."""
    monkeypatch.setitem(systems.SYSTEMS, "small_system", "small_system")
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("REHEARSAL", raising=False)


def begun(prompts, minute, **facts):
    run = runs.start("small_system", systems.load("small_system").Settings(prompts=prompts))
    run.note(started=f"2026-03-01T12:{minute:02}:00+00:00", **facts)
    return run.folder


def listed(run, *words):
    status, out, err = run("runs", *words)
    assert status == 0, err
    return out.splitlines()


def test_runs_are_listed(run):
    fog = begun("fog over a castle", 1, status="stopped", step=5, total=12)
    car = begun("a car", 2, status="finished", step=12, total=12, starred=True)
    assert listed(run) == [f"* finished           {car}", f"  stopped  5/12      {fog}"]
    assert listed(run, "--starred") == listed(run, "--status", "finished") == listed(run, "a", "car") == \
        [f"* finished           {car}"]
    assert listed(run, "--system", "deep_daze") == []
    assert listed(run, "--count", "1")[1:] == ["  and 1 more; --count 2 lists them all"]


def test_one_that_was_killed_is_listed_as_stopped(run):
    killed = begun("fog", 1)
    killed_after(3, runs.open(killed))
    assert runs.open(killed).manifest["status"] == "painting"
    assert listed(run) == listed(run, "--status", "stopped") == [f"  stopped  3/12      {killed}"]
    assert listed(run, "--status", "painting") == []
    with safe_files.alone(killed):
        assert listed(run) == [f"  painting 1/12      {killed}"], "somebody paints it"


def killed_after(steps, run):
    """Leave its folder as it is after so many steps."""
    copy, frames = run.folder.with_name("copy"), runs.record(run.paint(), run)
    for _ in range(steps):
        next(frames)
    shutil.copytree(run.folder, copy)
    frames.close()
    shutil.rmtree(run.folder)
    copy.rename(run.folder)


def test_a_run_is_starred_deleted_and_had_again(run):
    folder = begun("fog", 1)
    assert listed(run, "--star", str(folder)) == [] and gallery.find()[0].starred
    assert listed(run, "--unstar", str(folder)) == [] and not gallery.find()[0].starred
    away = gallery.trash() / folder.name
    assert listed(run, "--delete", str(folder)) == [f"run      {away}"]
    assert listed(run) == [] and listed(run, "--trashed") == [f"  new                {away}"]
    assert listed(run, "--restore", str(away)) == [f"run      {folder}"]
    listed(run, "--delete", str(folder))
    assert listed(run, "--empty-trash") == ["deleted  1 runs"] and listed(run, "--trashed") == []


@pytest.mark.parametrize("words, said", [
    (["--star", "a", "--delete", "b"],
     "--star and --delete are given; one thing is done at a time: leave one out\n"),
    (["--status", "finishd"], "no status called 'finishd'; did you mean 'finished'?\n"),
    (["--count", "many"], "count is 'many'; it must be a whole number\n"),
])
def test_what_cannot_be_is_refused(run, words, said):
    assert run("runs", *words)[::2] == (2, said)
