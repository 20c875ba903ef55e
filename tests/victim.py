"""A process to be killed: paints the runs in a folder to the end, each time as if it had never been stopped.

    victim.Victims().hire("steered", folder)        # -> process id; `gone()` says how it ended
"""

import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import small_system

from helpers import recording, run_folder, runs, safe_files
from helpers.session import Session

HERE = Path(__file__).parent
OFTEN = 0.02                                            # seconds between checkpoints
TURNS = {4: {"contrast": 3.0}, 9: {"contrast": 0.5}}    # by step
FAR, BACK, TWIN = 12, 6, 16                             # where it goes back from, and to; where it branches


def small():
    """Whatever the name, the system is the small one."""
    run_folder.system_named = runs.system_named = lambda name: small_system


def plain(run):
    for _ in runs.record(run.resume(), run, every=3, checkpoint_seconds=OFTEN):
        pass


def steered(run):
    """Knobs are turned after some steps, unless the manifest says that they were."""
    def steer():
        if painting.step in TURNS and painting.step not in [one["step"] for one in run.manifest["live"]]:
            run.turn(painting, **TURNS[painting.step])
    painting = run.resume()
    steer()
    for _ in runs.record(painting, run, every=3, checkpoint_seconds=OFTEN):
        steer()


def undone(run):
    """Painted too far, taken back, turned, finished; then a branch of it is turned and finished, too."""
    recording.kept = functools.partial(recording.kept, every=3, checkpoint_seconds=OFTEN)
    if not done(run, "undone"):
        session = Session(run)
        session.listen(lambda: session.frame and session.frame.step >= FAR and session.pause())
        session.start()
        calm(session)
        session.undo(BACK)
        calm(session)
        turned(session, contrast=2.0)
        mark(run, "undone", "yes")
    finished(runs.open(run.folder))
    if not done(run, "branched"):
        twin = Session(runs.open(run.folder)).branch(TWIN)
        turned(twin, contrast=4.0)
        mark(run, "branched", twin.run.folder.name)
    finished(runs.open(run.folder.parent / done(run, "branched")))


def turned(session, **knobs):
    """Turn knobs where it rests, noted at once."""
    session.turn(**knobs)
    session.step(), session.stop()
    calm(session)


def finished(run):
    if run.manifest["status"] != "finished":
        session = Session(run)
        session.start()
        calm(session)


def calm(session):
    session.wait(60)
    if session.error:
        raise session.error


def done(run, what) -> str:
    path = run.folder / what
    return path.read_text() if path.exists() else ""


def mark(run, what, text):
    safe_files.write(run.folder / what, text.encode())


WAYS = {"plain": plain, "steered": steered, "undone": undone}


class Victims:
    """One after the other, forked from a process in which torch is imported already."""

    def __init__(self):
        env = os.environ | {"PYTHONPATH": f"{HERE.parent}:{HERE}", "OMP_NUM_THREADS": "1"}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.school = subprocess.Popen([sys.executable, __file__], env=env, text=True, **pipes)

    def hire(self, way, folder) -> int:
        self.school.stdin.write(f"{way} {folder}\n")
        self.school.stdin.flush()
        return int(self.said())

    def gone(self) -> int:
        """Its exit status, negative where a signal ended it."""
        return int(self.said())

    def said(self) -> str:
        line = self.school.stdout.readline()
        if not line:
            raise AssertionError(self.school.stderr.read())
        return line


def main():
    small()
    for line in sys.stdin:
        way, folder = line.split()
        child = os.fork()
        if child == 0:
            WAYS[way](runs.open(folder))
            os._exit(0)
        print(child, flush=True)
        status = os.waitpid(child, 0)[1]
        print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
