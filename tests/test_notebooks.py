"""The rules of a notebook, checked on every one; nbval executes them besides (see the Makefile)."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from helpers import notebooks, press

ROOT = Path(__file__).parents[1]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ACTS = ["## 1. Set up", "## 2. Choose", "## 3. Paint", "## 4. Keep", "## 5. Go further"]
CHECKED = "# NBVAL_CHECK_OUTPUT"


@pytest.fixture(params=PATHS, ids=lambda p: p.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_form(cell):
    return cell.id in notebooks.FORMS


def test_there_are_notebooks():
    assert [p.stem for p in PATHS][:1] == ["00_start_here"]
    assert all(re.fullmatch(r"\d\d_[a-z_]+", p.stem) for p in PATHS)


def test_short_and_in_order(notebook):
    assert len(notebook.cells) <= 16
    nbformat.validate(notebook)
    headings = [c.source.splitlines()[0] for c in notebook.cells if c.source.startswith("## ")]
    assert headings == ACTS
    kinds = "".join("f" if c.id in ("setup", *notebooks.FORMS) else c.cell_type[0] for c in notebook.cells)
    assert kinds.startswith("mm") and "ff" not in kinds, "no two form cells side by side"


def test_cells_have_names(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids) and all(re.fullmatch("[a-z]+(-[a-z0-9]+)*", i) for i in ids)


def test_the_title_is_one_sentence_and_a_badge(notebook):
    title, sentence, *rest = [line for line in notebook.cells[0].source.splitlines() if line]
    assert title.startswith("# ") and sentence.endswith(".") and ". " not in sentence
    assert notebooks.BADGE in rest[-1]


def test_the_history_is_two_paragraphs_and_one_equation(notebook):
    text = notebook.cells[1].source
    assert len(re.split(r"\n\s*\n", text.strip())) == 2
    assert text.count("$$") == 2


def test_acts_open_in_at_most_forty_words(notebook):
    for cell in notebook.cells:
        if cell.source.startswith("##"):
            opening = cell.source.split("\n\n")[1]
            assert len(opening.split()) <= 40, f"{cell.id}: {len(opening.split())} words"


def test_no_place_is_left_to_be_filled(notebook):
    for cell in notebook.cells:
        assert len(cell.source) > 15, cell.id
        if cell.cell_type == "markdown":
            assert not re.search(r"\b[A-Z]{2,}_[A-Z]+\b|TODO|FIXME", cell.source), cell.id


def test_code_is_a_few_plain_lines(notebook):
    for cell in code(notebook):
        assert is_form(cell) or len(cell.source.splitlines()) <= 12, cell.id
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.ClassDef | ast.While | ast.Global), cell.id
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 10, cell.id
            if isinstance(node, ast.For):
                assert not re.search("range|steps|frames", ast.unparse(node.iter)), "loops live in helpers"
        assert is_form(cell) or not re.search(r"sys\.path|pip install|^[!%]|eval\(|exec\(", cell.source, re.M)


def test_generated_text_is_up_to_date(path, notebook):
    cells = {cell.id: cell.source for cell in notebook.cells}
    fresh = notebooks.renewed(path.stem, cells)
    stale = [name for name, source in fresh.items() if source != cells[name]]
    assert not stale, "run: python -m helpers.notebooks"
    folded = {cell.id for cell in notebook.cells if cell.metadata.get("jupyter", {}).get("source_hidden")}
    assert folded == cells.keys() & {"setup", "fine"}


def test_the_readme_is_up_to_date():
    text = (ROOT / "README.md").read_text()
    titles = {p.stem: nbformat.read(p, as_version=4).cells[0].source for p in PATHS}
    assert notebooks.readme(text, titles) == text, "run: python -m helpers.notebooks"
    assert all(f"notebooks/{name}.ipynb" in text for name in titles)


def test_the_readme_points_at_files_that_are_there():
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", (ROOT / "README.md").read_text())
    assert not [link for link in links if "gallery" not in link and not (ROOT / link).exists()]


def test_the_address_is_written_in_one_place():
    """Outside pyproject.toml it stands only in generated text."""
    repository = notebooks.address()["repository"]
    sources = [*ROOT.glob("helpers/**/*.py"), *ROOT.glob("tests/*.py"), ROOT / "Makefile"]
    assert not [p.name for p in sources if repository in p.read_text()]


def test_outputs_are_light_and_clean(path, notebook):
    assert path.stat().st_size <= press.HEAVIEST
    assert notebook.metadata == press.KEPT
    counts = [cell.execution_count for cell in code(notebook)]
    assert counts in ([None] * len(counts), list(range(1, len(counts) + 1))), "run: make notebooks"
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.id
            assert press.WIDGET not in output.get("data", {}), cell.id


def test_text_that_must_hold_is_compared(notebook):
    marked = [cell for cell in code(notebook) if "NBVAL" in cell.source]
    assert marked, "one cell at least prints something that can be compared"
    for cell in marked:
        assert CHECKED in cell.source.splitlines(), "the marker counts only alone on its line"
        if cell.execution_count is not None:
            assert cell.outputs, f"{cell.id} promises an output"


# The set-up cell, where there is a checkout and where there is none.

def set_up(folder, source, **environment):
    """Run a set-up cell twice in one process whose working folder is `folder`, as a hasty person would."""
    script = folder / "cell.py"
    twice = f"{source}\n{source}\nprint('home', os.getcwd())\n"
    script.write_text("import sys\nsys.path.insert(0, '')        # as in a kernel\n" + twice)
    return subprocess.run([sys.executable, str(script)], cwd=folder, text=True, capture_output=True,
                          timeout=300, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def source():
    return notebooks.setup("import helpers")


def test_set_up_finds_the_checkout_from_inside(source, tmp_path):
    deep = tmp_path / "suite" / "notebooks" / "mine"
    deep.mkdir(parents=True)
    (tmp_path / "suite" / "helpers").symlink_to(ROOT / "helpers")
    done = set_up(deep, source, PATH="/nowhere")
    assert done.returncode == 0, done.stderr
    assert f"home {(tmp_path / 'suite').resolve()}" in done.stdout and "ready and paints on" in done.stdout


def test_set_up_fetches_the_suite_once(source, tmp_path):
    bare, tools = tmp_path / "content", tmp_path / "tools"
    bare.mkdir()
    tools.mkdir()
    git = tools / "git"
    git.write_text(f'#!/bin/sh\necho "$@" >> {tools}/asked\neval where=\\$$#\nmkdir "$where"\n'
                   f'ln -s {ROOT}/helpers "$where/helpers"\n')
    git.chmod(0o755)
    for _ in range(2):
        done = set_up(bare, source, PATH=f"{tools}:{os.environ['PATH']}")
        assert done.returncode == 0, done.stderr
        assert f"home {(bare / 'discotheque').resolve()}" in done.stdout
    about, home = notebooks.address(), bare.resolve() / "discotheque"
    assert (tools / "asked").read_text().splitlines() == [
        f"clone --quiet --depth 1 --branch {about['version']} {about['url']} {home}"]


def test_what_is_there_stays_when_something_is_missing(monkeypatch):
    asked = []
    versions = {"torch": "2.8.0+cu126", "ipywidgets": "7.7.1", "anything": "1"}
    there = [SimpleNamespace(name=n, version=v) for n, v in versions.items()]
    monkeypatch.setattr(notebooks, "missing", lambda: ["open_clip"])
    monkeypatch.setattr(notebooks, "distributions", lambda: there)
    monkeypatch.setattr(notebooks.subprocess, "run", lambda words, check: asked.append(words))
    notebooks.ready()
    (words,) = asked
    assert words[1:4] == ["-m", "pip", "install"] and "-U" not in words and "--upgrade" not in words
    assert words[-2:] == ["torch==2.8.0+cu126", "ipywidgets==7.7.1"]


def test_nothing_is_installed_when_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(notebooks, "missing", lambda: [])
    monkeypatch.setattr(notebooks.subprocess, "run", None)
    assert "ready and paints on" in notebooks.ready()
