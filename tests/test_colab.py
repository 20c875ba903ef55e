"""The set-up cell and the panel as in Colab: its ipywidgets 7.7.1, a stand-in of google.colab, and each
Python it may have. The one that is not ours has an environment beside ours once `make nightly` was run.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import notebooks
from helpers.errors import Refused

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12")
OLD = "colab"           # the folder in an environment where the Makefile puts Colab's widgets
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


@pytest.fixture(params=PYTHONS)
def environment(request):
    """Where a Python of that version has what painting needs."""
    ours = request.param == "{}.{}".format(*sys.version_info)
    found = Path(sys.prefix if ours else f"{sys.prefix}-{request.param}")
    if not (found / OLD).is_dir():
        pytest.skip(f"COLAB IS NOT SIMULATED ON PYTHON {request.param}; "
                    f"`make {'env' if ours else 'pythons'}` lets it")
    return found


@pytest.fixture
def colab(tmp_path, environment):
    """A function that runs a script as a fresh Colab runtime would, in /content."""
    for name, text in STUBS.items():
        (tmp_path / "stubs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stubs" / name).write_text(text)
    content = tmp_path / "content"
    content.mkdir()
    (content / "discotheque").symlink_to(ROOT)

    def run(script):
        paths = os.pathsep.join(map(str, [tmp_path / "stubs", environment / OLD]))
        said = os.environ | {"PYTHONPATH": paths, "COLAB_RELEASE_TAG": "1", "OMP_NUM_THREADS": "1"}
        return subprocess.run([environment / "bin" / "python", "-"], input=script, cwd=content, text=True,
                              capture_output=True, timeout=300, env=said)       # "-": as a kernel does
    return run


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
