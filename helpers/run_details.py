"""One run on a page: its picture, what it is made of, and what can be done with it.

    details = Details(Acts(use, begin, again, go_on, film), changed, do);  details.show(entry);  details.box
"""

import html
from collections.abc import Callable
from typing import NamedTuple

from . import gallery, picture_files, studio, systems
from .curtain import Curtain
from .errors import Refused
from .page import LINE, WITHIN, button, inline, kept

WIDTH = 400         # pixels of the picture
FACTS = ("display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 1em;font-size:13px;"
         "line-height:1.45;overflow-wrap:anywhere;margin-bottom:12px")
HINT = f'<div style="{LINE};opacity:0.75">Open a run to see what it is made of.</div>'


class Acts(NamedTuple):
    """What can be done with a run; each is called with its folder."""

    use: Callable       # take its settings
    begin: Callable     # take its picture to start from
    again: Callable     # paint it again, with all that was turned on the way
    go_on: Callable     # go on with it; where it is finished, have it to go back and branch
    film: Callable      # make a film of it


class Details:
    """`acts`: see Acts. `changed`: called where it is another gallery now. `do`: calls what may be Refused,
    and says so."""

    def __init__(self, acts: Acts, changed, do):
        import ipywidgets as w
        self.entry, self._do, self._changed, self._sure = None, do, changed, False
        self.picture, self.facts = w.HTML(layout={"width": WITHIN}), w.HTML(layout={"max_width": WITHIN})
        self.beside = w.Dropdown(description="slide against", style={"description_width": "7em"},
                                 layout={"width": "24em", "max_width": WITHIN})
        self.beside.observe(lambda _: self._look(), "value")
        ways = {"use": ("Use these settings", "turn all knobs as they were when it began",
                        lambda: acts.use(self.entry.folder)),
                "begin": ("Start from it", "the picture to start from (init_image); the other knobs stay",
                          lambda: acts.begin(self.entry.folder)),
                "again": ("Paint it again", "a new run, with all that was turned on the way",
                          lambda: acts.again(self.entry.folder)),
                "go on": ("", "onto the easel: to go on, back, or branch from it",
                          lambda: acts.go_on(self.entry.folder)),
                "film": ("Film it", "to the film maker", lambda: acts.film(self.entry.folder)),
                "delete": ("Delete", "into the trash, from where it can be had again",
                           lambda: gallery.delete(self.entry.folder)),
                "restore": ("Restore", "out of the trash", lambda: gallery.restore(self.entry.folder))}
        self.buttons = {name: button(text, tip, lambda name=name, act=act: self._press(name, act),
                                     width="auto") for name, (text, tip, act) in ways.items()}
        self.empty = button("", "all of them, for good", self._empty, width="auto")
        self.acts = w.HBox([*self.buttons.values(), self.empty], layout={"flex_flow": "row wrap"})
        self.box = w.VBox([self.picture, self.beside, self.acts, self.facts],
                          layout={"flex": "1 1 20em", "min_width": "0", "max_width": f"{WIDTH + 8}px"})
        self.show(None)

    def show(self, entry, beside=(), trashed=None):
        """A run, or none. `beside`: others to see it against. `trashed`: how many runs the trash has, where
        that is what is looked at."""
        self.entry, self._sure = entry, False
        seen = entry is not None and _picture_of(entry).is_file()
        others = [(_named(one), str(one.folder)) for one in beside if seen and _picture_of(one).is_file()]
        self.beside.options = [("no other", ""), *others]
        self.beside.value = ""
        self.empty.description = f"Empty the trash ({trashed})"
        self.empty.button_style = ""
        here = entry and trashed is None
        self.buttons["go on"].description = "Continue" if entry and entry.unfinished else "Take it up again"
        shown = {"use": entry, "begin": seen and here, "again": here, "go on": here,
                 "film": seen and trashed is None, "delete": here,
                 "restore": entry and trashed is not None}
        for name, each in self.buttons.items():
            each.layout.display = None if shown[name] else "none"
        self.empty.layout.display = None if trashed else "none"
        self.beside.layout.display = None if others else "none"
        self.facts.value = HINT if entry is None else _facts(entry)
        self._look()

    def _look(self):
        """The picture, or two of them with a handle between."""
        try:
            self.picture.value = self._picture()
        except Refused as refused:
            self.picture.value = f'<div style="{LINE}"><b>{html.escape(str(refused))}</b></div>'

    def _picture(self) -> str:
        if self.entry is None or not _picture_of(self.entry).is_file():
            return ""
        if self.beside.value:
            return Curtain(self.entry.folder, self.beside.value,
                           (_named(self.entry), self.beside.label), WIDTH).html
        small = studio.jpeg(picture_files.load(_picture_of(self.entry)), WIDTH)
        return (f'<img alt="{html.escape(self.entry.prompts, quote=True)}" src="{inline(small)}" '
                f'style="display:block;width:100%;border-radius:4px">'
                + kept(_picture_of(self.entry), f"{self.entry.folder.name}.png"))

    def _press(self, name, act):
        self._do(act)
        if name in ("delete", "restore"):
            self._changed()

    def _empty(self):
        """At the second press, for good."""
        if self._sure:
            self._do(gallery.empty)
            self._changed()
            return
        self._sure, self.empty.button_style = True, "danger"
        self.empty.description = "Really delete them for good"


def _picture_of(entry):
    return entry.folder / "picture.png"


def _named(entry) -> str:
    return f"seed {entry.seed}: {entry.prompts[:40] or 'no words'}"


def _facts(entry) -> str:
    """What a picture is made of, in two columns."""
    try:
        told = gallery.details(entry.folder)
    except Refused as refused:
        return f'<div style="{LINE}"><b>{html.escape(str(refused))}</b></div>'
    steps = f"{entry.step} of {told['total']} steps in {studio.clock(told['seconds'])}"
    rows = {"prompts": told["prompts"], "system": systems.proper(told["system"]), "status": entry.status,
            "why": told["error"], "seed": told["seed"], **told["knobs"],
            "live changes": told["turned"] or "", "painted": steps if told["total"] else "",
            "begun": told["started"][:16].replace("T", " "), "folder": entry.folder.name}
    cells = [f'<span style="opacity:0.75">{html.escape(str(name).replace("_", " "))}</span>'
             f'<span>{html.escape(str(value))}</span>' for name, value in rows.items() if value != ""]
    return f'<div style="{FACTS}">{"".join(cells)}</div>'
