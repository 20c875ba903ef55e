"""The Makefile's one trick: what stands after `make paint` arrives at the command line, word for word."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STUB = "#!{python}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*words, **environment):
    return subprocess.run(["make", "--no-print-directory", *words], cwd=ROOT, text=True, capture_output=True,
                          env=os.environ | environment)


@pytest.fixture
def venv(tmp_path):
    """An environment that is already installed and whose python only says what it was asked."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(STUB.format(python=sys.executable))
    python.chmod(0o755)
    for stamp in (".made", ".painting", ".tools"):
        (tmp_path / stamp).touch()
    return tmp_path


def asked(venv, *words):
    done = make(*words, f"VENV={venv}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_paint_hands_over_every_knob(venv):
    words = asked(venv, "paint", "PROMPT=fog | neon:0.5", "SEED=3", "SIZE=128", "crop_power=0.5")
    assert words[:3] == ["-m", "helpers", "paint"]
    pairs = dict(zip(words[3::2], words[4::2], strict=True))
    assert pairs == {"--prompt": "fog | neon:0.5", "--seed": "3", "--size": "128", "--crop-power": "0.5"}


@pytest.mark.parametrize("prompt", [
    'a "red" $5 note', "it's `late` $(HOME) | text:-0.3", r"back\slash * ? ; &",
])
def test_prompts_need_no_escaping(venv, prompt):
    assert asked(venv, "paint", f"PROMPT={prompt}")[3:] == ["--prompt", prompt]


@pytest.mark.parametrize("given, words", [
    (["lab"], ["jupyterlab", "notebooks"]),
    (["app"], ["helpers.app"]),
    (["app", "HOST=0.0.0.0", "PORT=8000"], ["helpers.app", "--host", "0.0.0.0", "--port", "8000"]),
    (["notebooks"], ["helpers.press"]),
    (["notebooks", "NAME=notebooks/04_deep_daze.ipynb"], ["helpers.press", "notebooks/04_deep_daze.ipynb"]),
    (["zoo"], ["helpers.world.train", "all"]),
    (["zoo", "NAME=judge", "MINUTES=5"], ["helpers.world.train", "judge", "--minutes", "5"]),
    (["quality"], ["helpers.world.quality"]),
    (["bench"], ["benchmarks"]),
    (["bench", "CASE=vit-b-32", "ROUNDS=5"], ["benchmarks", "vit-b-32", "--rounds", "5"]),
    (["quality", "SYSTEM=deep_daze", "WORKERS=2"], ["helpers.world.quality", "deep_daze", "--workers", "2"]),
], ids=str)
def test_other_targets(venv, given, words):
    assert asked(venv, *given) == ["-m", *words]


def test_the_nightly_tests(venv):
    said = make("nightly", "PYTHONS=", f"VENV={venv}").stdout.splitlines()
    words, more = [json.loads(line) for line in said if line[:1] == "["]
    assert words[:3] == more[:3] == ["-m", "pytest", "-n"] and 1 <= int(words[3]) <= 4, "so many at a time"
    assert words[-3:] == ["tests/test_faults.py", "tests/test_hostile.py", "tests/test_colab.py"]
    assert "tests/test_panel.py" in more and f"PYTHONPATH={venv}/colab" in "".join(said)


def test_a_wrong_python_is_named(tmp_path):
    done = make("paint", "PYTHON=/bin/false", f"VENV={tmp_path / 'new'}")
    assert done.returncode != 0
    assert "/bin/false is not a Python 3.11 or 3.12;" in done.stdout
    assert "name another one: make PYTHON=/path/to/python3.11" in done.stdout


def test_a_missing_python_is_explained(tmp_path):
    done = make("paint", "PYTHON=", f"VENV={tmp_path / 'new'}")
    assert done.returncode != 0 and "Discotheque needs Python 3.11 or 3.12, and none was found" in done.stdout


def test_a_missing_venv_package_is_explained(tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = make("paint", f"PYTHON={python}", f"VENV={tmp_path / 'new'}")
    assert done.returncode != 0 and "on Debian: sudo apt install python3-venv" in done.stdout


def test_pythons_that_colab_may_have(venv, tmp_path):
    """One that is not found is named; ours has its environment; another gets one beside it."""
    words = ["pythons", f"VENV={venv}", "PYTHONS=9.9"]
    ours, other = venv / "bin" / "python", tmp_path / "python9.9"
    ours.write_text("#!/bin/sh\nexit 1\n")
    assert make(*words).stdout == "Python 9.9 is not here: Colab is not simulated on it\n"
    other.write_text('#!/bin/sh\ncase "$2" in *9.9*) exit 0;; esac\nexit 1\n')
    other.chmod(0o755)
    done = make(*words, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert "python9.9 is not a Python 3.11 or 3.12;" in done.stdout and done.returncode
    ours.write_text(other.read_text())
    assert (make(*words).stdout, make(*words).returncode) == ("", 0)


def test_requirements_are_installed_again_only_when_they_change(venv):
    assert "pip install" not in make("-n", "test", f"VENV={venv}").stdout
    (venv / ".painting").unlink()
    assert "pip install" in make("-n", "test", f"VENV={venv}").stdout


def test_ci_runs_make_test():
    assert (ROOT / ".ci" / "run").read_text().splitlines()[1:] == ["exec make test"]
