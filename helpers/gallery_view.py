"""The gallery on a page: pictures of all runs, page by page, and what can be done with the chosen one.

    view = GalleryView(Acts(use, begin, again, go_on, film));  view.open();  view.box

What can be done is called with the folder of a run, see run_details. Core ipywidgets only, those that 7.7 and
8 both have.
"""

import html

from . import gallery, systems
from .page import LINE, WITHIN, button, inline, tried
from .run_details import Details

PAGE = 12           # pictures on a page
CARD = 118          # pixels, its width
TRASHED = "in the trash"
FRAME = ("box-sizing:border-box;width:100%;aspect-ratio:1;border-radius:4px;display:flex;align-items:center;"
         "justify-content:center;font-size:12px")
DASHED = f"{FRAME};border:1px dashed currentColor;opacity:0.5"
WORDS = ("font-size:12px;line-height:1.35;height:2.7em;overflow:hidden;overflow-wrap:anywhere;"
         "display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical")
DIM = "font-size:11px;opacity:0.75;line-height:1.5;white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
EMPTY = f'<div style="{LINE};opacity:0.75;padding:2em 0">{{}}</div>'


class GalleryView:
    """Filters, a page of cards, and the details of one run."""

    def __init__(self, acts):
        import ipywidgets as w
        self.chosen, self.at, self.found, self._trash = None, 0, [], False
        half = {"layout": {"width": "15em", "max_width": WITHIN}, "style": {"description_width": "4em"}}
        self.words = w.Text(description="words", placeholder="castle fog …", continuous_update=False, **half)
        self.system = w.Dropdown(options=[("any", ""), *systems.menu()],
                                 description="system", **half)
        self.show = w.Dropdown(options=["all", "starred", *gallery.STATUSES, TRASHED], description="show",
                               **half)
        for widget in (self.words, self.system, self.show):
            widget.observe(lambda _: self.open(), "value")
        self.newer = button("Newer", "the page before", lambda: self._turn(-1), width="6em")
        self.older = button("Older", "the next page", lambda: self._turn(1), width="6em")
        again = button("Look again", "find what was painted meanwhile", self.look, width="8em")
        self.where, self.said = w.HTML(), w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.cards = [_Card(self) for _ in range(PAGE)]
        self.empty = w.HTML(layout={"display": "none"})
        self.grid = w.HBox([card.box for card in self.cards], layout={"flex_flow": "row wrap"})
        self.details = Details(acts, self.look, self.do)
        wrap = {"flex_flow": "row wrap", "align_items": "center"}
        left = w.VBox([self.empty, self.grid,
                       w.HBox([self.newer, self.older, again, self.where], layout=wrap)],
                      layout={"flex": "1 1 22em", "min_width": "0", "margin": "0 12px 0 0"})
        upward = {"flex_flow": "row wrap-reverse", "align_items": "flex-end"}   # details on top where narrow
        filters = w.HBox([self.words, self.system, self.show], layout=wrap | {"margin": "0 0 8px 0"})
        self.box = w.VBox([filters, self.said,
                           w.HBox([left, self.details.box], layout=upward)])

    def open(self):
        """Look from the newest on, as the filters say."""
        self.at = 0
        self.look()

    def look(self):
        """Bring the page up to date with the runs."""
        self._trash, show = self.show.value == TRASHED, self.show.value
        self.found = gallery.find(self.words.value, self.system.value,
                                  show if show in gallery.STATUSES else "", show == "starred",
                                  gallery.trash() if self._trash else None)
        self.at = max(0, min(self.at, (len(self.found) - 1) // PAGE * PAGE))
        self._fill()

    @property
    def page(self) -> list:
        return self.found[self.at:self.at + PAGE]

    def choose(self, entry):
        """Show the details of a run, or of none."""
        self.chosen = entry
        beside = [one for one in self.page if entry and one.folder != entry.folder]
        for card in self.cards:
            card.pick.button_style = "info" if entry and card.entry == entry else ""
        self.details.show(entry, beside, len(gallery.entries(gallery.trash())) if self._trash else None)

    def star(self, entry):
        gallery.star(entry.folder, not entry.starred)
        self.look()

    def do(self, act):
        """Do something; what cannot be is said on top."""
        tried(self.said, act)

    def _turn(self, way):
        self.at += way * PAGE
        self._fill()

    def _fill(self):
        page, count = self.page, len(self.found)
        for card, entry in zip(self.cards, [*page, *[None] * (PAGE - len(page))], strict=True):
            card.show(entry, starrable=not self._trash)
        filtered = self.words.value or self.system.value or self.show.value not in ("all", TRASHED)
        words = "No run is like that." if filtered else "The trash is empty." if self._trash else \
            "Nothing is painted yet. What you paint appears here."
        self.empty.value = EMPTY.format(words)
        self.empty.layout.display = "none" if page else None
        self.where.value = f"{self.at + 1} to {self.at + len(page)} of {count:,}" if page else ""
        self.newer.disabled, self.older.disabled = not self.at, self.at + PAGE >= count
        here = self.chosen and next((one for one in self.found if one.folder == self.chosen.folder), None)
        self.choose(here)


class _Card:
    """One run of a page."""

    def __init__(self, view):
        import ipywidgets as w
        self.entry, self.look = None, w.HTML(layout={"width": f"{CARD}px", "overflow": "hidden"})
        self.star = button("☆", "star it, or take the star away",
                           lambda: view.do(lambda: view.star(self.entry)), width="34px", padding="0")
        self.pick = button("Open", "what it is made of, and what can be done with it",
                           lambda: view.choose(self.entry), flex="1 1 auto", width="auto")
        self.box = w.VBox([self.look, w.HBox([self.star, self.pick])],
                          layout={"width": f"{CARD + 4}px", "margin": "0 8px 12px 0"})

    def show(self, entry, starrable):
        self.entry, self.box.layout.display = entry, None if entry else "none"
        if entry is None:
            return
        words, small = html.escape(entry.prompts, quote=True), gallery.thumbnail(entry.folder)
        picture = f'<div style="{DASHED}">no picture yet</div>' if small is None else (
            f'<img alt="{words}" src="{inline(small)}" '
            f'style="{FRAME};object-fit:cover">')
        rests = f"{entry.status} · " * entry.unfinished
        below = html.escape(rests + systems.proper(entry.system), quote=True)
        self.look.value = (f'<div style="width:{CARD}px">{picture}'
                           f'<div style="{WORDS}" title="{words}">{words or "no words"}</div>'
                           f'<div style="{DIM}" title="{below}">{below}</div></div>')
        self.star.description = "★" if entry.starred else "☆"
        self.star.disabled = not starrable
