"""The press: notebooks executed and made fit to be looked at before they are run.

    python -m helpers.press [notebooks/06_vqgan_clip.ipynb …]        # what `make notebooks` does

Every notebook runs from its first cell in a fresh kernel, at full settings. What people do not need to see
(progress bars, live widgets, timings, films) is dropped, pictures become small JPEGs, and the result must fit
in `HEAVIEST` bytes.
"""

import base64
import copy
import io
import sys
from pathlib import Path

from . import safe_files
from .errors import Refused
from .notebooks import HOME, refresh

HEAVIEST = 300_000                          # bytes of one notebook with its outputs
KEPT = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "colab": {"provenance": []}, "accelerator": "GPU"}
SIZES = ((512, 85), (384, 80), (320, 70))   # longest side of a picture, JPEG quality
FILM = "A film; it plays here when you run the cell."
PANEL = "The panel; it opens here when you run the cell."
WIDGET = "application/vnd.jupyter.widget-view+json"
SHOWN = ("text/plain", "text/html", "text/markdown", "image/png", "image/jpeg", "image/gif")


def execute(notebook, seconds=1800):
    """Run every cell of a notebook node in notebooks/, as Jupyter would; an error in a cell is raised."""
    from nbclient import NotebookClient
    client = NotebookClient(notebook, timeout=seconds, kernel_name="python3",
                            resources={"metadata": {"path": str(HOME / "notebooks")}})
    return client.execute()


def clean(notebook, side=512, quality=85):
    """Keep what a reader needs: text, pictures up to `side` pixels, the same metadata everywhere."""
    notebook.metadata.clear()
    notebook.metadata.update(KEPT)
    for cell in notebook.cells:
        cell.metadata = {"cellView": "form"} if cell.source.startswith("#@title") else {}
        if cell.cell_type == "code":
            cell.outputs = [tidy(output, side, quality) for output in cell.outputs if worth_seeing(output)]
    return notebook


def worth_seeing(output):
    """Not warnings, and not the widgets that are progress bars."""
    if output.output_type == "stream":
        return output.name == "stdout"
    return WIDGET not in output.get("data", {}) or is_panel(output)


def is_panel(output):
    """A box of widgets, or tabs of them: it needs a live kernel, but readers should know that it is there."""
    return WIDGET in output.data and output.data.get("text/plain", "").startswith(("VBox(", "Tab("))


def tidy(output, side, quality):
    """An output with only what every viewer shows: pictures shrunk, films left to be run."""
    output.pop("metadata", None)
    if "data" in output:
        output.metadata = {}
        if is_panel(output):
            output.data = {"text/plain": PANEL}
        output.data = {kind: value for kind, value in output.data.items() if kind in SHOWN}
        if "data:video" in output.data.get("text/html", ""):
            output.data = {"text/plain": FILM}
        if "<script" in output.data.get("text/html", ""):       # a board: it draws where its cell was run
            del output.data["text/html"]
        for kind in {"image/png", "image/jpeg"} & output.data.keys():
            output.data["image/jpeg"] = lighter(output.data.pop(kind), side, quality)
    return output


def lighter(picture, side, quality):
    """A picture as base64 text -> a JPEG as base64 text, no side longer than `side` pixels."""
    from PIL import Image
    shrunk = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    shrunk.thumbnail((side, side))
    packed = io.BytesIO()
    shrunk.save(packed, "JPEG", quality=quality, optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


def fitted(notebook):
    """The text of the clean notebook at the best of SIZES that is light enough, else at the smallest."""
    import nbformat
    for side, quality in SIZES:
        text = nbformat.writes(clean(copy.deepcopy(notebook), side, quality)) + "\n"
        if len(text.encode()) <= HEAVIEST:
            break
    return text


def save(text, path):
    """Write a notebook whole or not at all; one that is too heavy is refused and the old one stays."""
    if len(text.encode()) > HEAVIEST:
        raise Refused(f"{path.name} has {len(text.encode())} bytes", f"a notebook may have {HEAVIEST}",
                      "show fewer pictures in it")
    safe_files.write(path, text.encode())


def press(path):
    """Refresh, execute, clean and save one notebook."""
    import nbformat
    refresh([path])
    save(fitted(execute(nbformat.read(path, as_version=4))), path)


def main(arguments):
    from tqdm import tqdm
    paths = [Path(a) for a in arguments] or sorted((HOME / "notebooks").glob("*.ipynb"))
    for path in (bar := tqdm(paths, unit="notebook")):
        bar.set_description(path.stem)
        press(path)
    refresh(paths)


if __name__ == "__main__":
    main(sys.argv[1:])
