"""The notebooks' housekeeping: what is the same in all of them is written here, once.

    python -m helpers.notebooks        # renew what is generated: heads, set-up cells, forms, README tables

Heads (picture, Colab badge), set-up cells and the README's table hold the suite's address, which lives in
pyproject.toml and nowhere else. `ready()` is what a set-up cell calls when it has found its way home.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from .errors import Refused

HOME = Path(__file__).parents[1]
DRIVE = "/content/drive"
NEEDED = ("torch", "torchvision", "open_clip", "taming", "safetensors", "pooch", "imageio_ffmpeg",
          "ipywidgets")
KEPT = ("torch", "torchvision", "ipywidgets", "numpy")      # Colab's own: another version breaks its machine
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"

SETUP = '''\
#@title Set up {{ display-mode: "form" }}
#@markdown Finds the suite, or fetches it (in Colab), and adds what is missing. Run it as often as you like.
keep_on_drive = False #@param {{type:"boolean"}}
import os, pathlib, subprocess
places = [here := pathlib.Path.cwd(), *here.parents, here / "discotheque"]
home = next((p for p in places if (p / "helpers" / "notebooks.py").exists()), places[-1])
if not home.exists():
    subprocess.run("git clone --quiet --depth 1 --branch {version} {url}".split() + [str(home)], check=True)
os.chdir(home)
from helpers.notebooks import ready
print(ready(keep_on_drive))
{imports}'''
FOLDED = ("setup", "fine")      # what JupyterLab shows as "…" until somebody asks; Colab folds all forms
FORMS = {"form": ("Choose", "Essential"), "fine": ("Fine tuning", "Fine tuning")}     # cell id: title, group


def address():
    """{"repository": "owner/name", "version": "branch or tag", "url": …} from pyproject.toml."""
    about = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["discotheque"]
    return {**about, "url": f"https://github.com/{about['repository']}"}


def setup(imports):
    """Source of a set-up cell; `imports` is its last line, the one thing that differs between notebooks."""
    return SETUP.format(imports=imports, **address())


def form(notebook_imports, cell_id):
    """Source of a form cell, from the Settings of the system that the set-up cell imports."""
    from . import forms, systems
    system = notebook_imports.split()[-1]
    return forms.colab_form(systems.load(system).Settings, *FORMS[cell_id])


def renewed(name, cells):
    """{cell id: source} of what is generated in a notebook, given the same for all its cells."""
    imports = cells["setup"].splitlines()[-1]
    fresh = {"title": head(name, cells["title"]), "setup": setup(imports)}
    return fresh | {cell_id: form(imports, cell_id) for cell_id in FORMS if cell_id in cells}


def badge(name):
    """Markdown of the Colab badge of notebooks/<name>.ipynb."""
    a = address()
    link = f"https://colab.research.google.com/github/{a['repository']}/blob/{a['version']}/notebooks/{name}.ipynb"
    return f"[![Open in Colab]({BADGE})]({link})"


def picture(name):
    """Markdown of assets/gallery/<name>.png, empty until there is one; Colab needs the full address."""
    if not (HOME / "assets" / "gallery" / f"{name}.png").exists():
        return ""
    raw = "https://raw.githubusercontent.com/{repository}/{version}".format(**address())
    return f"![Painted by this notebook]({raw}/assets/gallery/{name}.png)"


def head(name, text):
    """A title cell with its generated lines renewed: title and sentence stay, picture and badge follow."""
    kept = [line for line in text.splitlines() if line and not line.startswith(("![", "[!["))]
    return "\n\n".join(filter(None, [*kept, picture(name), badge(name)]))


def table(notebooks):
    """The README's rows: {name: title cell} -> markdown, in the order of history."""
    rows = ["| notebook | what it does | open |", "|---|---|---|"]
    for name, text in sorted(notebooks.items()):
        title, sentence = [line for line in text.splitlines() if line][:2]
        rows.append(f"| [{title.lstrip('# ')}](notebooks/{name}.ipynb) | {sentence} | {badge(name)} |")
    return "\n".join(rows)


def quality(path=HOME / "assets" / "quality.json"):
    """The judge's table as markdown, whole percents; a plain sentence while nothing has been measured."""
    if not path.exists():
        return "Not measured yet."
    rows = ["| system | 1 of 50 | thing | color | sky | place | held-out thing | seconds | pictures |",
            "|---|---|---|---|---|---|---|---|---|"]
    for system, row in json.loads(path.read_text(encoding="utf-8")).items():
        shares = [row.get(name) for name in ("r_precision", "thing", "color", "sky", "place")]
        shares = ["" if s is None else f"{s:.0%}" for s in [*shares, row.get("held_out", {}).get("thing")]]
        rows.append(f"| {' | '.join([system, *shares])} | {row.get('seconds', 0):.0f} | {row.get('n', '')} |")
    return "\n".join(rows)


def public():
    """The public checkpoints of the catalogue as a markdown table."""
    from . import weights
    rows = ["| name | what it is for | download | licence |", "|---|---|---|---|"]
    for name, entry in weights.catalogue().items():
        size = f"{entry['size'] / 1e9:.1f} GB" if entry.get("size") else "large"
        rows.append(f"| `{name}` | {entry['purpose']} | {size} | {entry['licence']} |")
    return "\n".join(rows)


def readme(text, notebooks):
    """README text with its generated parts renewed."""
    for name, written in (("notebooks", table(notebooks)), ("quality", quality()), ("public", public())):
        start, end = (f"<!-- {word} {name} -->" for word in ("begin", "end"))
        text = re.sub(f"(?s)(?<={start}\n).*?(?={end})", lambda _, w=written: w + "\n", text)
    return text


def missing():
    """Names of packages that painting needs and this Python has not."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def ready(on_drive=False):
    """Install what is missing, leave alone what is there, and say what the suite will paint on; `on_drive`:
    keep the runs on Google Drive, where they outlive the machine that Colab lends."""
    kept_on_drive = f"; runs are kept in {keep_on_drive()}" if on_drive else ""
    if missing():
        kept = [f"{d.name}=={d.version}" for d in distributions() if d.name in KEPT]
        wanted = ["-r", str(HOME / "requirements.txt"), *kept]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wanted], check=True)
        importlib.invalidate_caches()
    from . import machine
    device = machine.device("auto")
    advice = "; faster: Runtime > Change runtime type > GPU" * (device.type == "cpu" and machine.in_colab())
    return f"Discotheque is ready and paints on {machine.describe(device)}{advice}{kept_on_drive}"


def keep_on_drive():
    """Where runs are kept from now on, on the Google Drive of whoever uses Colab, who is asked for it."""
    if importlib.util.find_spec("google") is None or importlib.util.find_spec("google.colab") is None:
        raise Refused("keep_on_drive is on", "only Colab can reach Google Drive",
                      "leave it off here, and say DISCOTHEQUE_RUNS=/any/folder where runs should be kept")
    from google.colab import drive
    drive.mount(DRIVE)
    os.environ["DISCOTHEQUE_RUNS"] = f"{DRIVE}/MyDrive/discotheque"
    return os.environ["DISCOTHEQUE_RUNS"]


def refresh(paths=()):
    """Renew the generated text of these notebooks (all, if none is named) and of the README. Outputs stay."""
    import nbformat
    everything = sorted((HOME / "notebooks").glob("*.ipynb"))
    for path in paths or everything:
        notebook = nbformat.read(path, as_version=4)
        fresh = renewed(path.stem, {cell.id: cell.source for cell in notebook.cells})
        for cell in notebook.cells:
            cell.source = fresh.get(cell.id, cell.source)
            if cell.id in FOLDED:
                cell.metadata["jupyter"] = {"source_hidden": True}
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    titles = {path.stem: nbformat.read(path, as_version=4).cells[0].source for path in everything}
    page = HOME / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8"), titles), encoding="utf-8")


if __name__ == "__main__":
    refresh([Path(name) for name in sys.argv[1:]])
