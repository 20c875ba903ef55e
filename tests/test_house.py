"""The house rules, read from the source: who may import whom, how long a file grows, what never appears."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HELPERS = ROOT / "helpers"

# A file imports only from a lower floor. Within a floor there are steps, from left to right; those on one
# step (a set) are equals that do not know each other. A package is one room; see test_no_circles.
FLOORS = [
    [{"errors", "traditions", "attention", "warned"},
     {"machine", "schedules", "safe_files", "links", "precision", "frozen", "fingerprints",
      "arrangement", "bars", "narrow", "abreast"},
     {"noise_levels", "prompts", "picture_files", "thrift", "page", "packed"},
     {"knobs", "images", "states", "optimizers", "palettes"},
     {"settings", "inputs", "films", "old_settings", "manifests"},
     {"canvas", "augment", "clouds", "companions"}, {"cutouts", "samplers", "frames"},
     {"loop", "slides", "guidance"}, {"diffusion", "conditioned"}, {"tiling"},
     {"world"}],
    [{"checkpoints", "downloads", "history"}, {"weight_files"}, {"weights", "forms", "recording"},
     {"run_folder"}, {"runs", "view", "gallery", "presets"}, {"painter"}, {"studio", "session"},
     {"curtain", "lattice", "outpainting", "cropping"}],
    [{"towers"}, {"perceptors", "networks", "world.judge"}, {"lengths", "world.grading"},
     {"vocabulary"}, {"notices"}, {"compare"}],
    [{"guides"}],
    [{"systems"}, {"world.train"}, {"world.quality"}],
    [{"told"},
     {"plots", "prompt_rows", "run_details", "film_maker", "talking_page", "uploads", "farm", "parsers",
      "terminal", "notebooks"},
     {"drawing_board", "framing_board", "controls", "commands", "retracing", "preparing", "press",
      "gallery_view"},
     {"crop_editor", "frame_editor", "settings_upload"}, {"editors", "cli", "compare_view", "mask_editor"},
     {"knob_board", "app"}, {"panel"}],
    [{"__main__"}],
]
FLOOR = {name: (floor, step) for floor, steps in enumerate(FLOORS)
         for step, names in enumerate(steps) for name in names}
LONGEST_FILE, LONGEST_FUNCTION = 200, 40
DRAWINGS, LONGEST_ALBUM = ("world.beings", "world.objects", "world.places"), 250     # a list of drawings

SOURCES = sorted(p for p in HELPERS.rglob("*.py") if p.read_text(encoding="utf-8").strip())
each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: name_of(p))


def name_of(path):
    """helpers/world/judge.py -> world.judge; a package is named without __init__."""
    parts = path.relative_to(HELPERS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name):
    """The entry of FLOORS that holds a module: itself, or the nearest package above it."""
    while name and name not in FLOOR:
        name = name.rpartition(".")[0]
    return name


def modules():
    return {name_of(p) for p in HELPERS.rglob("*.py")}


def imported(path):
    """Names of our own modules that a file imports, anywhere in it."""
    here, known = name_of(path).split("."), modules()
    package = here if path.name == "__init__.py" else here[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[:len(package) + 1 - node.level] if node.level else []
            full = [*base, *(node.module or "").split(".")] if node.module else base
            if not node.level:
                if full[0] != "helpers":
                    continue
                full = full[1:]
            for alias in node.names:
                deeper = ".".join([*full, alias.name])
                yield deeper if deeper in known else ".".join(full)
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("helpers.") for a in node.names if a.name.startswith("helpers."))


@each_source
def test_every_file_has_a_floor(path):
    name = name_of(path)
    assert not name or room(name), f"helpers/{name} has no floor; give it one in tests/test_house.py"


@each_source
def test_imports_point_down(path):
    name = name_of(path)
    for other in filter(None, imported(path)):
        if room(other) == room(name):       # rooms of one package may know each other; see test_no_circles
            continue
        assert FLOOR[room(other)] < FLOOR[room(name)], f"{name} imports {other}, which is not below it"


def test_no_circles():
    edges = {name_of(p): set(imported(p)) - {name_of(p)} for p in SOURCES}
    done = set()

    def visit(name, trail):
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for other in edges.get(name, ()):
                if not name.startswith(other + "."):     # a package's own __init__ is loaded anyhow
                    visit(other, [*trail, name])
            done.add(name)

    for name in edges:
        visit(name, [])


@each_source
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    longest = LONGEST_ALBUM if name_of(path) in DRAWINGS else LONGEST_FILE
    length = len(text.splitlines())
    assert length <= longest, f"{length} lines are two ideas: split it"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{node.name} is too long"


def offenses(tree):
    """What never appears in helpers, as (line, what)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "bare except"
        elif isinstance(node, ast.Global):
            yield node.lineno, "global"
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("print", "eval", "exec") or called.startswith("sys.path."):
                yield node.lineno, called
        elif isinstance(node, ast.With) and "no_grad" in ast.unparse(node.items[0]):
            if any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node)):
                yield node.lineno, "yield inside no_grad (decorate the generator instead)"
    for node in tree.body:
        if isinstance(node, ast.Assign) and "torch.device" in ast.unparse(node.value):
            yield node.lineno, "device chosen at import"


@each_source
def test_what_never_appears(path):
    found = list(offenses(ast.parse(path.read_text(encoding="utf-8"))))
    assert not found, found


def python(code):
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, timeout=120)


HEAVY = {"torch", "numpy", "PIL", "open_clip", "ipywidgets", "matplotlib", "tqdm"}
LIGHT = ["errors", "schedules", "prompts", "settings", "forms", "systems", "terminal", "cli"]


@pytest.mark.parametrize("name", ["", *LIGHT])
def test_light_modules_leave_heavy_ones_alone(name):
    if name and name not in modules():
        pytest.skip(f"helpers.{name} is not built yet")
    done = python(f"import sys; import helpers{'.' * bool(name)}{name}; print({HEAVY} & sys.modules.keys())")
    assert done.stdout.strip() == "set()", done.stderr


def test_help_is_instant():
    if "__main__" not in modules():
        pytest.skip("the command line is not built yet")
    done = python("import runpy, sys\nsys.argv = ['helpers', '--help']\n"
                  "try:\n    runpy.run_module('helpers', run_name='__main__')\n"
                  f"except SystemExit:\n    print({HEAVY} & sys.modules.keys())")
    assert done.stdout.strip().endswith("set()"), done.stderr
    assert "paint" in done.stdout


def test_planted_faults_are_found():
    code = ("import torch\ndevice = torch.device('cpu')\ndef f():\n    global x\n"
            "    try:\n        print(eval('1'))\n    except:\n        pass\n"
            "    with torch.no_grad():\n        yield 1\n")
    assert sorted(what.split()[0] for _, what in offenses(ast.parse(code))) == [
        "bare", "device", "eval", "global", "print", "yield"]


def test_requirements_are_pinned():
    """Whatever requirements.txt asks for, constraints.txt says which version CI ran."""
    def names(path):
        for line in (ROOT / path).read_text().splitlines():
            if line and line[0] not in "#-":
                yield line.split("=")[0].split(">")[0].split("<")[0].strip().lower().replace("_", "-")
    pinned = set(names("constraints.txt"))
    missing = [n for f in ("requirements.txt", "requirements-dev.txt") for n in names(f) if n not in pinned]
    assert not missing, json.dumps(missing)
