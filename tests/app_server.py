"""The page, served on a free port as `make app` does, for the tests that ask it or look at it."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


@contextmanager
def started(words, pattern, runs, **environment):
    """A process of this Python while the block lasts -> what `pattern` finds in what it says."""
    environment = os.environ | {"DISCOTHEQUE_RUNS": str(runs), "OMP_NUM_THREADS": "1"} | environment
    with tempfile.TemporaryFile("a+") as said:
        process = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=environment, stdout=said,
                                   stderr=subprocess.STDOUT)
        try:
            yield heard(process, said, pattern)
        finally:
            process.terminate()
            process.wait(60)


def heard(process, said, pattern, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        said.seek(0)
        if found := re.search(pattern, said.read()):
            return found[0]
        time.sleep(0.1)
    said.seek(0)
    raise AssertionError(said.read())


def served(runs):
    return started(["-m", "helpers.app", "--port", str(free_port())], r"http://\S+", runs)
