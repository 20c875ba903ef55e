"""Refused: three parts, one sentence, wherever it is read."""

import pickle

from helpers.errors import Refused


def test_three_parts_make_a_sentence():
    assert str(Refused("width is 500", "it goes in steps of 32", "try 480 or 512")) == \
        "width is 500; it goes in steps of 32: try 480 or 512"
    assert str(Refused("it is gone")) == "it is gone"
    assert str(Refused("it is gone", "", "look")) == "it is gone; look"


def test_it_survives_a_journey_between_processes():
    refused = pickle.loads(pickle.dumps(Refused("a", "b", "c")))
    assert (refused.wrong, refused.allowed, refused.advice) == ("a", "b", "c")


def test_a_notebook_shows_the_sentence_and_no_traceback(capsys):
    from IPython.core.interactiveshell import InteractiveShell
    shell = InteractiveShell()
    shell.run_cell("from helpers.errors import Refused\nraise Refused('width is 500', '', 'try 480')")
    assert capsys.readouterr().out.strip() == "width is 500; try 480"
