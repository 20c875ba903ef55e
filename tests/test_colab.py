"""The set-up cell and the panel as in Colab: its ipywidgets 7.7.1, and a stand-in of google.colab."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import notebooks
from helpers.errors import Refused

ROOT = Path(__file__).parents[1]
OLD = Path(sys.prefix) / "colab"        # the Makefile puts it there
STUBS = {"google/__init__.py": "", "google/colab/__init__.py": "",
         "google/colab/drive.py": "def mount(place):\n    assert place == '/content/drive'\n",
         "pip/__init__.py": "raise SystemExit('nothing is to be installed')"}
DRIVE = "/content/drive/MyDrive/discotheque"
PANEL = """
import ipywidgets, sys
assert ipywidgets.__version__ == "7.7.1"
from helpers import run_folder
from helpers.panel import Panel
panel = Panel("deep_daze", prompts="a red boat")
panel.widgets["width"].value = 64
panel.system = "vqgan_clip"
print("panel", panel.settings.prompts, panel.settings.width, "home", run_folder.home())
"""

needs_old_widgets = pytest.mark.skipif(not OLD.is_dir(), reason="COLAB IS NOT SIMULATED: `make env`")


@pytest.fixture
def colab(tmp_path):
    """A function that runs a script as a fresh Colab runtime would, in /content."""
    for name, text in STUBS.items():
        (tmp_path / "stubs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stubs" / name).write_text(text)
    content = tmp_path / "content"
    content.mkdir()
    (content / "discotheque").symlink_to(ROOT)

    def run(script):
        paths = os.pathsep.join(map(str, [tmp_path / "stubs", OLD]))
        environment = os.environ | {"PYTHONPATH": paths, "COLAB_RELEASE_TAG": "1", "OMP_NUM_THREADS": "1"}
        return subprocess.run([sys.executable, "-"], input=script, cwd=content, text=True,
                              capture_output=True, timeout=300, env=environment)     # "-": as a kernel does
    return run


@needs_old_widgets
@pytest.mark.parametrize("on_drive", [False, True])
def test_set_up_and_panel_in_colab(colab, on_drive):
    """Twice in one process: nothing is installed, nothing restarted."""
    source = notebooks.setup("import helpers").replace("keep_on_drive = False", f"keep_on_drive = {on_drive}")
    done = colab(source + "\n" + source + PANEL)
    assert done.returncode == 0, done.stderr
    *said, panel = done.stdout.splitlines()
    kept = f"; runs are kept in {DRIVE}" * on_drive
    assert len(said) == 2 and all(line.startswith("Discotheque is ready") for line in said)
    assert all(line.endswith(kept) for line in said)
    assert panel == f"panel a red boat 64 home {DRIVE if on_drive else 'runs'}"


def test_drive_is_refused_elsewhere():
    with pytest.raises(Refused) as refused:
        notebooks.ready(on_drive=True)
    assert str(refused.value) == (
        "keep_on_drive is on; only Colab can reach Google Drive: "
        "leave it off here, and say DISCOTHEQUE_RUNS=/any/folder where runs should be kept")
