"""The panel: pick a system, write a prompt, move sliders, paint, and go on moving them while it is painted.

    panel = Panel("vqgan_clip", prompts="fog over a castle")
    panel                           # in a notebook: shows the widgets
    panel.settings                  # what they say now, checked
    panel.session                   # what is painted, see session.py; None before
    print(understood(settings))     # how the words were read

Core ipywidgets only, those that 7.7 (Colab) and 8 both have. Live knobs act on the picture that is painted,
the others on the next one. Behind other tabs are all runs, comparisons and films, made when they are opened.
"""

from pathlib import Path
from threading import RLock

from . import forms, gallery, notices, page, prompts, runs, safe_files, systems
from .compare_view import CompareView
from .controls import Controls
from .film_maker import FilmMaker
from .gallery_view import GalleryView
from .knob_board import KnobBoard
from .knobs import knobs
from .run_details import Acts
from .schedules import written
from .session import Session


class Panel(KnobBoard):
    """A board of knobs, and beside it the controls of what is painted."""

    def __init__(self, system: str = "vqgan_clip", **values):
        import ipywidgets as w
        self.controls, self._acting = Controls(self._begin, self._follow), None
        self._seen = None               # the settings of a run that is painted again, as knobs follow them
        self._alone = RLock()           # whoever turns knobs: the page, or the thread of the painter
        super().__init__(system, **values)
        self.offer = w.VBox(self._cut_off(), layout={"width": "100%"})
        painting = w.HBox([self.offer, self.knobs, self.controls.box],
                          layout={"flex_flow": "row wrap", "align_items": "flex-start"})
        acts = Acts(self.use, self.begin_from, self.again, self.go_on, self.film)
        self._makers = {"Gallery": lambda: GalleryView(acts),
                        "Compare": lambda: CompareView(lambda: (self.system, self.settings)),
                        "Film": FilmMaker}
        self.rooms = {}
        self.box = w.Tab([painting, *(w.VBox() for _ in self._makers)])
        for number, title in enumerate(["Paint", *self._makers]):
            self.box.set_title(number, title)
        self.box.observe(self._enter, "selected_index")

    @property
    def session(self):
        """The Session that is painted here, or None."""
        return self.controls.session

    def use(self, folder):
        """Turn all knobs as they were when that run began."""
        run = runs.open(folder)
        self.show(run.system, run.settings)
        self.box.selected_index = 0

    def begin_from(self, folder):
        """Let the picture of a run be what the next one starts from."""
        self.widgets["init_image"].value = str(runs.open(folder).picture.absolute())
        self.box.selected_index = 0

    def again(self, folder):
        """Paint a run again as a new one, with everything that was turned on the way."""
        run = runs.open(folder)
        twin = Session(runs.start(run.system, runs.load(folder), live=runs.turns(folder)))
        if runs.turns(folder):
            twin.listen(lambda: self._replayed(twin))
        self._have(twin)

    def _replayed(self, session):
        """Let knobs follow what a run turns by itself."""
        if session is self.session and session.frame and session.settings != self._seen:
            self._seen = session.settings
            self._follow()

    def go_on(self, folder):
        """Go on painting a run that rests, with the knobs and controls here; a finished one is there to go
        back and to branch."""
        if self.session and self.session.run.folder == Path(folder) and self.controls.steerable:
            self.session.resume()       # it rests here
            self.box.selected_index = 0
        else:
            self._have(Session(runs.open(folder)))

    def _have(self, session):
        """Paint this one, with its own knobs."""
        with self._alone:       # what it turns on its first steps is followed after this
            settings = session.settings
            if session.status != "finished":
                session.start()
            self.controls.take(session)
            self.offer.children = []
            self._acting = settings
            self.show(session.run.system, settings)
        self.controls.refresh()
        self.box.selected_index = 0

    def _cut_off(self) -> list:
        """A way on with the newest run, where that ended with its connection or its machine."""
        import ipywidgets as w
        run = next(iter(gallery.entries()), None)
        if run is None or run.status != "painting" or safe_files.held(run.folder):
            return []
        said = w.HTML(layout={"max_width": page.WITHIN})
        page.note(said, f"'{run.prompts}' was cut off after step {run.step} of {run.total}.")
        return [said, page.button("Go on", "paint it to its end, with its own knobs",
                                   lambda: page.tried(said, lambda: self.go_on(run.folder)),
                                   width="7em", margin="2px 2px 14px")]

    def film(self, folder):
        """To the film maker, with that run."""
        self.room("Film").take(folder)
        self.box.selected_index = 1 + list(self._makers).index("Film")

    def room(self, title: str):
        """What is behind a tab, made when it is first asked for."""
        if title not in self.rooms:
            self.rooms[title] = self._makers[title]()
            number = list(self._makers).index(title)
            self.box.children[number + 1].children = [self.rooms[title].box]
        return self.rooms[title]

    def _enter(self, change):
        """Behind a tab that is opened everything is up to date."""
        if change["new"]:
            self.room(list(self._makers)[change["new"] - 1]).look()

    def _begin(self) -> Session:
        """A new run of what the widgets say, not painted yet."""
        settings = self.settings
        self.controls.say(notices.check(settings))
        self._acting = systems.load(self.system).Settings.from_dict(forms.values(self.widgets))
        self.controls.wait_for([])
        return Session(runs.start(self.system, settings))

    def _check(self, _=None):
        with self._alone:
            super()._check()

    def _act(self, settings):
        """Turn what is live in the picture that is painted; say what has to wait for the next one."""
        if not self.controls.steerable:
            return
        if type(settings) is not type(self._acting):
            self.controls.wait_for(["system"])
            return
        known, was, now = knobs(type(settings)), self._acting.to_dict(), settings.to_dict()
        turned = {name: value for name, value in now.items() if value != was[name]}
        live = {name: value for name, value in turned.items() if known[name].live}
        if live and self.controls.turn(live):
            self._acting = type(settings).from_dict(was | live)
        self.controls.wait_for([name for name in turned if name not in live])

    def _follow(self):
        """Let live knobs say what acts in the session, which has gone back."""
        with self._alone:
            now, known = self.session.settings, knobs(type(self._acting))
            live = {name: value for name, value in now.to_dict().items() if known[name].live}
            self._acting = type(now).from_dict(self._acting.to_dict() | live)
            if self.session.run.system == self.system:
                self._set(live)

    def _ipython_display_(self):
        from IPython.display import display
        display(self.box)


def understood(settings) -> str:
    """How the words were read, a line per prompt, and which of them mean nothing to who reads them."""
    text, lines = getattr(settings, "prompts", ""), []
    told = prompts.scenes(text) if text.strip(" |^") else []
    for number, scene in enumerate(told, 1):
        lines += [f"scene {number}"] * (len(told) > 1)
        for prompt in scene:
            stop = "" if prompt.stop is None else f", until within {written(prompt.stop)}"
            when = f", from {written(prompt.start)}% to {written(prompt.end)}% of the way" * prompt.timed
            way = "away from" if prompt.weight < 0 else "toward"
            lines.append(f"{way} {prompt.text!r}, weight {written(abs(prompt.weight))}{stop}{when}")
    return "\n".join(filter(None, [*lines, notices.check(settings)]))
