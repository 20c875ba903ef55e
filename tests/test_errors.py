"""Refused: three parts, one sentence, wherever it is read."""

import pickle

from helpers.errors import Refused, closest, unknown


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


def test_what_begins_so_is_meant_first():
    assert closest("vqgan", ["gan", "vqgan_clip"]) == "vqgan_clip"
    assert closest("gan", ["gan_x", "gan"]) == "gan"
    assert closest("v", ["vqgan_clip"]) is None, "a letter says nothing"


def test_of_many_names_the_nearest_are_listed():
    names = [f"number {n}" for n in range(40)]
    assert str(unknown("case", "it 17", names)).startswith("no case called 'it 17'; the nearest of 40 are ")
    assert str(unknown("case", "it 17", names[:2])).endswith("choose one of 'number 0', 'number 1'")
    assert str(unknown("case", "it 17", names, "ask")) == "no case called 'it 17'; ask"
