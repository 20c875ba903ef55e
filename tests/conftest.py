"""Fixtures that more than one file needs."""

import signal

import pytest

from helpers import cli

# `make test &` in a shell script starts with this signal ignored; tests of the stop button raise it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def run(capsys):
    """(status, stdout, stderr) of a command."""
    def run(*words):
        status = cli.main(list(words))
        said = capsys.readouterr()
        return status, said.out, said.err
    return run
