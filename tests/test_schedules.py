"""Schedules: numbers over progress, parsed and never evaluated."""

import pytest

from helpers.errors import Refused
from helpers.schedules import parse, several


@pytest.mark.parametrize("text, progress, value", [
    ("0.3", 0.7, 0.3), (2, 0.5, 2.0), (0.1, 0.0, 0.1), ("1e-2", 1, 0.01), (" -.5 ", 0, -0.5),
    ("0: 1, 0.5: 0.2", 0.0, 1.0), ("0: 1, 0.5: 0.2", 0.25, 0.6), ("0: 1, 0.5: 0.2", 0.5, 0.2),
    ("0: 1, 50%: 0.2", 0.25, 0.6), ("0:(1), 50 % : ( 0.2 )", 0.25, 0.6), ("0: 1, 1: 0,", 0.5, 0.5),
    ("0.2: 3, 0.6: 5", 0.1, 3.0), ("0.2: 3, 0.6: 5", 0.9, 5.0),          # held at both ends
    ("1: 0, 0: 1", 0.25, 0.75),                                          # any order
    ("0: 1, 0.5: 1, 0.5: 0, 1: 0", 0.49, 1.0), ("0: 1, 0.5: 1, 0.5: 0, 1: 0", 0.5, 0.0),  # a jump
])
def test_values(text, progress, value):
    assert parse(text)(progress) == pytest.approx(value)


@pytest.mark.parametrize("given, text", [
    ("0: 1, 50%: 0.2", "0: 1, 0.5: 0.2"), (0.1, "0.1"), (3, "3"), ("1e-5", "1e-05"),
    ("0:.25,1:(-4)", "0: 0.25, 1: -4"), (0.1 + 0.2, "0.30000000000000004"), ("1: 0, 0: 1", "0: 1, 1: 0"),
])
def test_text_round_trips(given, text):
    schedule = parse(given)
    assert str(schedule) == text
    assert parse(str(schedule)) == schedule and parse(schedule) is schedule


def test_values_and_constant():
    assert parse("0: 1, 0.5: 0.2").values == [1, 0.2]
    assert parse("3").constant and parse("0: 3, 1: 3").constant and not parse("0: 3, 1: 4").constant


WRITTEN = "a schedule is a number or keyframes of progress and value: try '0: 1, 0.5: 0.2'"
OUTSIDE = "positions go from 0 to 1, or from 0% to 100%: try '0: 1, 0.5: 0.2'"


@pytest.mark.parametrize("given, message", [
    ("fast", f"schedule is 'fast'; {WRITTEN}"),
    ("", f"schedule is ''; {WRITTEN}"),
    ("nan", f"schedule is 'nan'; {WRITTEN}"),
    (float("inf"), f"schedule is 'inf'; {WRITTEN}"),
    (True, f"schedule is True; {WRITTEN}"),
    (None, f"schedule is None; {WRITTEN}"),
    ("__import__('os')", f"schedule is \"__import__('os')\"; {WRITTEN}"),
    ("0: 1, 0.5", f"schedule has '0.5' in '0: 1, 0.5'; {WRITTEN}"),
    ("0: 1, half: 2", f"schedule has 'half: 2' in '0: 1, half: 2'; {WRITTEN}"),
    ("0: 1,, 1: 2", f"schedule is '0: 1,, 1: 2'; {WRITTEN}"),
    ("0: 1, 100: 0", f"schedule has a keyframe at 100 in '0: 1, 100: 0'; {OUTSIDE}"),
    ("0: 1, 120%: 0", f"schedule has a keyframe at 120% in '0: 1, 120%: 0'; {OUTSIDE}"),
    ("-1: 1", f"schedule has a keyframe at -1 in '-1: 1'; {OUTSIDE}"),
    ("0: 1e999", "schedule has 1e999 in '0: 1e999'; that is too large a number: try '0: 1, 0.5: 0.2'"),
])
def test_refusals(given, message):
    with pytest.raises(Refused) as refused:
        parse(given)
    assert str(refused.value) == message


def test_refusals_name_the_knob():
    with pytest.raises(Refused, match="^learning_rate is 'fast'; "):
        parse("fast", "learning_rate")


@pytest.mark.parametrize("text, written", [
    ("[12]*400+[4]*600", "[12]*400+[4]*600"), (" [0.2] * 400 + 600*[0] ", "[0.2]*400+[0]*600"),
    ("[1]*999+[2]", "[1]*999+[2]*1"), ("[1, 1]*500", "[1]*1000"), ("[7]*5000", "[7]*1000")])
def test_lists_of_disco_diffusion(text, written):
    schedule = parse(text)
    assert str(schedule) == written and parse(written) == schedule


def test_a_list_has_a_number_for_each_noise_level():
    schedule = parse("[12]*400+[4]*600")
    for time in range(1000):
        assert schedule(1 - time / 999) == (12 if 999 - time < 400 else 4)
    assert schedule(1 - 599.5 / 999) == 4, "999 - floor(599.5) is 400"
    assert schedule.values == [12, 4] and not schedule.constant and parse("[1]*1000").constant
    assert parse([1] * 999 + [3])(1) == 3


@pytest.mark.parametrize("text, said", [
    ("[12]*400", "x has 400 numbers in '[12]*400'; a list has one for each of 1000 noise levels: let the "
     "counts sum to 1000, or try '0: 1, 0.5: 0.2'"),
    ("[12]*400+[4]*", "x has '[4]*' in '[12]*400+[4]*'; a list is written as '[12]*400+[4]*600': try '0: 1, "
     "0.5: 0.2'"),
    ("2*[1]*500", "x has '2*[1]*500' in '2*[1]*500'; a list is written as '[12]*400+[4]*600': try '0: 1, "
     "0.5: 0.2'"),
    ("[exit()]*1000", "x has '[exit()]*1000' in '[exit()]*1000'; a list is written as '[12]*400+[4]*600': "
     "try '0: 1, 0.5: 0.2'"),
    ("[1e999]*1000", "x has 1e999 in '[1e999]*1000'; that is too large a number: try '0: 1, 0.5: 0.2'"),
    ("[1]+" * 9999, "x has 39996 letters; a schedule has 20000 at most: try '0: 1, 0.5: 0.2'")])
def test_lists_that_are_none(text, said):
    with pytest.raises(Refused) as refusal:
        parse(text, "x")
    assert str(refusal.value) == said


def test_several_schedules():
    one, two = several("1 | 0: 0, 0.5: 1", "x", 2, "prompts")
    assert one(0.3) == 1 and two(0.25) == 0.5 and several("  ", "x", 2, "prompts") == ()
    for text, said in (("1 | 2 | 3", "x has 3 schedules; there are 2 prompts: write one for each, such as "
                                     "'1 | 1'"),
                       ("1", "x has 1 schedule; there are 2 prompts: write one for each, such as '1 | 1'"),
                       ("1 | -1", "x is '1 | -1'; what it multiplies by is 0 or more: to keep away from "
                                  "something give its prompt a weight below 0")):
        with pytest.raises(Refused) as refusal:
            several(text, "x", 2, "prompts")
        assert str(refusal.value) == said
