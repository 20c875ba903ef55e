"""Comparisons on a page: choose two knobs and their values, paint the grid, see it grow.

    view = CompareView(asked);  view.look();  view.box      # asked() -> (system, settings), or Refused

It is painted in a thread of its own. Core ipywidgets only, those that 7.7 and 8 both have.
"""

import html
import logging
import textwrap
import threading
import time
from contextlib import closing

from . import compare, picture_files, studio, systems
from .bars import watched
from .controls import BETWEEN, SHARE
from .errors import Refused
from .page import INDENT, LINE, LOOK, WITHIN, button, inline, kept, note, tried
from .knobs import knobs
from .told import coming
from .warned import heard

WIDTH = 720         # pixels of the grid, at most
CELL = 192          # of the picture of the cell under way
EMPTY = (f'<div style="{LINE};opacity:0.75">What the knobs behind Paint say is painted once for each pair of '
         'values. The grid appears here.</div>')
LOOKS = "max-width:100%;border-radius:4px"
log = logging.getLogger(__name__)


class CompareView:
    """One comparison at a time, new or an earlier one."""

    def __init__(self, asked):
        import ipywidgets as w
        self._asked, self._worker, self._stopping, self.comparison = asked, None, threading.Event(), None
        self.earlier = w.Dropdown(description="comparison", options=[("a new one", "")], **LOOK)
        self.axes = {way: (w.Dropdown(description=way, **LOOK),
                           w.Text(description="values", placeholder="1, 2, 3 or fog; a car, blue",
                                  continuous_update=False, **LOOK)) for way in ("across", "down")}
        self.axes["across"][1].value = "1, 2, 3"
        self.paint = button("Paint", "what is missing of the grid, each cell a run", self._begin, width="7em")
        self.stop = button("Stop", "after the step under way; it can go on later", self._stopping.set,
                           width="7em")
        self.paint.button_style, self.paint.icon, self.stop.icon = "primary", "play", "stop"
        self.said = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.bar = w.FloatProgress(min=0, max=1, layout={"width": WITHIN, "height": "14px"})
        self.line, self.picture = w.HTML(), w.HTML(EMPTY, layout={"width": WITHIN})
        self.cell = w.Image(format="jpeg", layout={"display": "none", "width": f"{CELL}px"})
        rows = [widget for axis in self.axes.values() for widget in axis]
        left = w.VBox([self.earlier, *rows, w.HBox([self.paint, self.stop], layout={"margin": INDENT})],
                      layout={"width": "35em", "max_width": "100%", "margin": "0 12px 12px 0"})
        right = w.VBox([self.said, self.bar, self.line, self.cell, self.picture],
                       layout={"flex": "1 1 20em", "min_width": "0", "max_width": f"{WIDTH + 8}px"})
        self.box = w.HBox([left, right], layout={"flex_flow": "row wrap", "align_items": "flex-start"})
        self.earlier.observe(self._choose, "value")
        self._rest()

    @property
    def painting(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def look(self):
        """The knobs of the system that is chosen now, and the comparisons there are."""
        if self.painting:
            return
        try:
            _, settings = self._asked()
        except Refused as refused:
            note(self.said, str(refused))
            return
        note(self.said, "")
        known = list(knobs(type(settings)))
        for way, first, default in (("across", [], "seed"), ("down", [("nothing", "")], "")):
            menu = self.axes[way][0]
            chosen = menu.value if menu.value in known else default
            menu.options = [*first, *((name.replace("_", " "), name) for name in known)]
            menu.value = chosen
        self._list(self.earlier.value)

    def wait(self, timeout: float | None = None):
        """Until it rests."""
        if self._worker:
            self._worker.join(timeout)

    def _list(self, chosen):
        folders = {str(folder): named(folder) for folder in compare.all_comparisons()}
        self.earlier.unobserve(self._choose, "value")
        self.earlier.options = [("a new one", ""), *((name, folder) for folder, name in folders.items())]
        self.earlier.value = chosen if chosen in folders else ""
        self.earlier.observe(self._choose, "value")

    def _choose(self, change):
        """Show an earlier comparison, to be gone on with."""
        self.comparison, self.picture.value, self.line.value, self.bar.value = None, EMPTY, "", 0
        tried(self.said, lambda: self._take(compare.open(change["new"])) if change["new"] else None)
        self._rest()

    def _take(self, comparison):
        self.comparison = comparison
        if not comparison.picture.exists():
            comparison.keep()
        count = len(comparison.cells())
        done = count - len(comparison.missing)
        self.bar.value, self.line.value = done / count, f"{done} of {count} cells are painted"
        self._show()

    def _begin(self):
        tried(self.said, self._start)

    def _start(self):
        if self.comparison is None:
            system, settings = self._asked()
            across, down = ((menu.value, text.value) for menu, text in self.axes.values())
            lines = []
            with heard(lines.append):
                self._take(compare.begin(system, settings, across, down if down[0] else None))
            note(self.said, "\n".join(lines))
            self._list(str(self.comparison.folder))
            self._rest()
        self._stopping.clear()
        self.paint.disabled, self.stop.disabled, self.earlier.disabled = True, False, True
        self.line.value = "getting ready"
        self._worker = threading.Thread(target=self._work, args=(self.comparison,), daemon=True)
        self._worker.start()

    def _work(self, comparison):
        """In a thread of its own, which has nobody to raise anything to."""
        try:
            with watched(lambda one: setattr(self.line, "value", html.escape(coming(one)))):
                self._follow(comparison)
            self._show()
        except Exception as error:
            log.error("no comparison: %s", error, exc_info=not isinstance(error, Refused))
            note(self.said, str(error) or type(error).__name__)
        finally:
            self._rest()

    def _follow(self, comparison):
        """Show how it comes about, cell by cell."""
        with closing(comparison.paint()) as frames:
            shown, due, cell = 0.0, 0.0, 1
            for one in frames:
                if one.cell != cell:
                    cell = one.cell
                    self._show(rests=False)
                if time.monotonic() - shown >= BETWEEN or one.done == 1:
                    self.bar.value, self.line.value = one.done, html.escape(told(one))
                    shown = time.monotonic()
                if one.frame.step and shown >= due:
                    due = self._glimpse(one)
                if self._stopping.is_set():
                    self.line.value = f"stopped in cell {one.cell} of {one.cells}"
                    break
            else:
                self.bar.value = 1.0
                place = html.escape(str(comparison.picture))
                self.line.value = f'<div style="{LINE}">kept as {place}</div>'

    def _rest(self):
        self.stop.disabled, self.earlier.disabled, self.cell.layout.display = True, False, "none"
        self.paint.description = "Go on" if self.comparison else "Paint"
        self.paint.disabled = self.comparison is not None and not self.comparison.missing
        for widget in (widget for axis in self.axes.values() for widget in axis):
            widget.layout.display = "none" if self.comparison else None     # it has its own

    def _glimpse(self, one) -> float:
        """Show what the cell under way looks like; when that is to be done again."""
        began = time.monotonic()
        image = one.look() if one.frame.image is None else one.frame.image
        self.cell.value, self.cell.layout.display = studio.jpeg(image, CELL), None
        return began + max(BETWEEN, (time.monotonic() - began) / SHARE)

    def _show(self, rests=True):
        paper = picture_files.load(self.comparison.picture)
        small = studio.jpeg(paper, min(WIDTH, paper.width))
        link = kept(self.comparison.picture, f"{self.comparison.folder.name}.png") if rests else ""
        self.picture.value = f'<img alt="the comparison" style="{LOOKS}" src="{inline(small)}"><br>{link}'


def named(folder) -> str:
    """A comparison in a menu: what is compared, of which words, when it was begun, and with what."""
    try:
        one = compare.open(folder)
    except Refused:         # which is said where it is chosen
        return folder.name
    plan = one.plan
    ways = " x ".join(str(axis["knob"]).replace("_", " ") for axis in (plan["across"], plan["down"]) if axis)
    words = textwrap.shorten(str(plan["settings"].get("prompts") or "no words"), 40, placeholder=" …")
    return " · ".join(filter(None, [f"{ways}: {words}", one.begun, systems.proper(str(plan["system"]))]))


def told(one) -> str:
    """How far it is, in a line."""
    left = f", {studio.clock(one.left)} left" if one.left is not None else ""
    if one.frame.note and not one.frame.step:
        return f"cell {one.cell} of {one.cells}: {one.frame.note}"
    return f"cell {one.cell} of {one.cells}, step {one.frame.step} of {one.frame.total}{left}"
