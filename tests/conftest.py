"""Fixtures that more than one file needs."""

import pytest

from helpers import cli


@pytest.fixture
def run(capsys):
    """(status, stdout, stderr) of a command."""
    def run(*words):
        status = cli.main(list(words))
        said = capsys.readouterr()
        return status, said.out, said.err
    return run
