"""The film maker on a page: the pictures of a run as mp4, webm or gif, seen where it is made.

    maker = FilmMaker();  maker.take(run.folder);  maker.box

The film is made in a thread of its own, by `studio.film`, and carries the settings of the run. Core
ipywidgets only, those that 7.7 and 8 both have.
"""

import html
import logging
import threading
from pathlib import Path

from . import films, gallery, studio
from .errors import Refused
from .page import INDENT, LINE, LOOK, button, inline, note, tipped

RECENT = 50                 # runs to choose from
HEAVIEST = 24 << 20         # bytes of a film that a page shows
KINDS = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif"}
HELP = {"fps": "pictures per second", "loop": "loop: the end goes over into the beginning; ping-pong: there "
        "and back", "crossfade": "blended pictures between each two",
        "smoothing": "how much of a picture its neighbors show, against flicker",
        "hold": "seconds the last picture stays"}
NOTHING = f'<div style="{LINE};opacity:0.75">No run has frames yet. What you paint can be filmed here.</div>'
log = logging.getLogger(__name__)


class FilmMaker:
    """Of one run at a time."""

    def __init__(self):
        import ipywidgets as w
        slide = LOOK | {"continuous_update": False}
        self.run = w.Dropdown(description="run", **LOOK)
        self.kind = w.Dropdown(options=[(kind[1:], kind) for kind in films.CODECS], description="kind",
                               **LOOK)
        self.knobs = {"fps": w.IntSlider(15, 1, 60, description="fps", **slide),
                      "loop": w.Dropdown(options=films.LOOPS, description="loop", **LOOK),
                      "crossfade": w.IntSlider(0, 0, 16, description="crossfade", **slide),
                      "smoothing": w.FloatSlider(0.0, min=0, max=0.95, step=0.05, description="smoothing",
                                                 **slide),
                      "hold": w.FloatSlider(0.0, min=0, max=10, step=0.5, description="hold", **slide)}
        for name, widget in self.knobs.items():
            tipped(widget, HELP[name])
        self.make = button("Make the film", "kept in the folder of the run", self._begin, width="9em",
                           margin=INDENT)
        self.make.button_style = "primary"
        self.empty = w.HTML(NOTHING, layout={"display": "none"})
        self.said = w.HTML(layout={"display": "none", "max_width": "100%"})
        self.line, self.film = w.HTML(), w.HTML(layout={"width": "100%"})
        self._worker = None
        left = w.VBox([self.empty, self.run, self.kind, *self.knobs.values(), self.make],
                      layout={"width": "35em", "max_width": "100%", "margin": "0 12px 12px 0"})
        right = w.VBox([self.said, self.line, self.film], layout={"flex": "1 1 20em", "min_width": "0",
                                                                  "max_width": "488px"})
        self.box = w.HBox([left, right], layout={"flex_flow": "row wrap", "align_items": "flex-start"})
        self.look()

    def look(self):
        """Which runs there are; the chosen one stays chosen."""
        chosen, found = self.run.value, [
            (_named(entry), str(entry.folder)) for entry in gallery.entries()[:RECENT]
            if any((entry.folder / "frames").glob("[0-9]*.png"))]
        self.run.options = found
        self.make.disabled, self.empty.layout.display = not found, "none" if found else None
        if chosen and Path(chosen).is_dir():
            self.take(chosen)
        elif found:
            self.take(found[0][1])

    def take(self, folder):
        """Choose a run, also one that is not among the latest."""
        folder = str(folder)
        if folder not in [value for _, value in self.run.options]:
            self.run.options = [(Path(folder).name, folder), *self.run.options]
        self.run.value, self.make.disabled = folder, False

    def wait(self, timeout: float | None = None):
        """Until the film that is being made is done."""
        if self._worker:
            self._worker.join(timeout)

    def _begin(self):
        note(self.said, "")
        self.make.disabled, self.line.value = True, "making the film"
        asked = {name: widget.value for name, widget in self.knobs.items()}
        about = Path(self.run.value), self.kind.value, asked
        self._worker = threading.Thread(target=self._work, args=about, daemon=True)
        self._worker.start()

    def _work(self, folder, kind, asked):
        """In a thread of its own, which has nobody to raise anything to."""
        try:
            path = studio.film(folder, folder / f"film{kind}", **asked)
            self.film.value = shown(path)
            self.line.value = f'<div style="{LINE}">{html.escape(str(path))}, {_weight(path)}</div>'
        except Exception as error:
            log.error("no film: %s", error, exc_info=not isinstance(error, Refused))
            self.line.value = ""
            note(self.said, str(error) or type(error).__name__)
        finally:
            self.make.disabled = False


def shown(path) -> str:
    """A film as HTML that holds the film itself; only a word of one too heavy for a page."""
    if path.stat().st_size > HEAVIEST:
        return f'<div style="{LINE}">too large to be shown here</div>'
    source = inline(path.read_bytes(), KINDS[path.suffix.lower()])
    look = "display:block;width:100%;border-radius:4px"
    return f'<img alt="the film" src="{source}" style="{look}">' if path.suffix.lower() == ".gif" else \
        f'<video controls autoplay muted loop playsinline src="{source}" style="{look}"></video>'


def _named(entry) -> str:
    return f"{entry.started[5:16].replace('T', ' ')}  {entry.prompts[:48] or 'no words'}, seed {entry.seed}"


def _weight(path) -> str:
    return f"{max(0.01, path.stat().st_size / 1e6):.2f} MB"
