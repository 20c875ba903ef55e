"""Presets: those that come with the suite are legal, turn something and stay as they are; one's own stand
beside them; the command line has both."""

import json

import pytest

from helpers import presets, systems
from helpers.errors import Refused
from helpers.knobs import knobs

SHIPPED = [(system, name) for system in systems.SYSTEMS for name in presets.built_in(system)]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path))
    monkeypatch.delenv("REHEARSAL", raising=False)
    return tmp_path


@pytest.mark.parametrize("system, name", SHIPPED)
def test_what_comes_with_the_suite_is_legal_and_turns_knobs(system, name):
    cls, values = systems.load(system).Settings, presets.load(name, system)
    changed = cls.from_dict(values).changed()
    assert changed == {knob: cls.from_dict({knob: value}).to_dict()[knob] for knob, value in values.items()}
    assert changed and "prompts" not in changed and "seed" not in changed, "those are the artist's"
    assert all(type(value) is knobs(cls)[knob].type for knob, value in values.items())


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_every_system_of_words_has_three_to_five_with_a_line_of_help(system):
    about = presets.told(system)
    assert len(about) in (range(3, 6) if "prompts" in knobs(systems.load(system).Settings) else [0])
    for name, line in about.items():
        assert name == name.lower() and len(name) <= 20 and 15 <= len(line) <= 70 and not line.endswith(".")
    assert len({json.dumps(presets.load(name, system)) for name in about}) == len(about), "two are the same"


def test_no_system_is_misspelled():
    assert presets._shipped().keys() <= systems.SYSTEMS.keys()


def test_ones_own_stand_behind_and_leave_the_others_alone(home):
    shipped = list(presets.built_in("gan"))
    presets.save("Abc", "gan", {"truncation": 0.5})
    assert list(presets.told("gan")) == [*shipped, "Abc"] and presets.told("gan")["Abc"] == "your own"
    for name in (shipped[0], f" {shipped[0].upper()} "):
        with pytest.raises(Refused) as refused:
            presets.save(name, "gan", {"truncation": 0.5})
        name = name.strip()
        assert str(refused.value) == (f"the preset {name!r} comes with the suite; it stays as it is: "
                                      f"try 'my {name}'")
    presets.save(shipped[0], "pix2pix", {"pictures": 2})        # which has none of that name
    assert presets.load("Abc", "gan") == {"truncation": 0.5}


def test_one_saved_before_the_suite_had_that_name_is_kept_apart(home, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(presets, "built_in", lambda system: {})
        presets.save("wild", "gan", {"truncation": 0.95})
    assert presets.load("wild", "gan")["truncation"] == 1 and "wild" in presets.built_in("gan")
    assert presets.load("my wild", "gan") == {"truncation": 0.95}


def test_what_is_loaded_may_be_changed():
    presets.load("wild", "gan")["truncation"] = 0.1
    assert presets.load("wild", "gan")["truncation"] == 1


def test_on_the_command_line(run, home):
    status, said, _ = run("presets", "--system", "gan")
    assert status == 0 and {line.split()[0] for line in said.splitlines()} == {"gan"}
    assert all(f"  {name} " in said and about in said for name, about in presets.told("gan").items())
    presets.save("fog", "gan", {"truncation": 0.5})
    said = run("presets")[1]
    assert {line.split()[0] for line in said.splitlines()} == {system for system, _ in SHIPPED}
    assert "fog               your own" in said


def test_it_is_painted_with_and_knobs_given_come_first(run, home, monkeypatch):
    monkeypatch.setenv("REHEARSAL", "1")
    status, said, _ = run("paint", "cat", "--system", "gan", "--preset", "wild", "--pictures", "3")
    assert status == 0, said
    picture = said.splitlines()[0].removeprefix("picture  ")
    settings = json.loads(run("settings", picture, "--json")[1])["settings"]
    assert (settings["truncation"], settings["prompts"]) == (1, "cat")
    status, _, wrong = run("paint", "cat", "--system", "gan", "--preset", "wlid")
    assert status == 2 and wrong == "no preset called 'wlid'; did you mean 'wild'?\n"
    status, _, wrong = run("paint", "--resume", picture, "--preset", "quick sketch")
    assert status == 2 and wrong.startswith("--resume goes on with the settings of the run; it takes no oth")


def test_help_names_them(capsys):
    from helpers import cli
    with pytest.raises(SystemExit):
        cli.main(["paint", "--system", "big_sleep", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert f"before those given: {', '.join(presets.built_in('big_sleep'))}, or one of your own" in said
