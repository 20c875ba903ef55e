"""Controls: the buttons of a session, its picture as it is painted, how far it is, what it thinks.

    controls = Controls(begin, went)        # begin() -> a new Session, or Refused
    controls.box;  controls.session

Buttons return at once; the painter's thread brings the page up to date, a few times a second at most.
"""

import html
import time
from contextlib import suppress

from . import picture_files, plots, studio
from .errors import Refused
from .page import LINE, WITHIN, button, kept, note
from .told import LAST, chosen, place, states, told

BETWEEN = 0.2       # seconds from picture to picture, at least
SHARE = 0.02        # of the time, at most, goes into showing
WIDTH = 480         # pixels of the picture on the page
ENABLED = {None: ("paint", "step"), "new": ("paint", "step"),
           "painting": ("pause", "step", "undo", "branch", "stop"),
           "paused": ("pause", "step", "undo", "branch", "stop"),
           "stopped": ("paint", "pause", "step", "undo", "branch"),
           "failed": ("paint", "pause", "step", "undo", "branch"),
           "finished": ("paint", "undo", "branch")}
BUTTONS = {"paint": ("Paint", "play", "a new picture, as the knobs say"),
           "pause": ("Pause", "pause", "rest after this step, or go on"),
           "step": ("Step", "step-forward", "one step, then rest"),
           "undo": ("Undo", "undo", "back to the state before, or to the one chosen below; what came "
                    "since is gone, but for a finished picture: that is kept, and a branch goes on"),
           "branch": ("Branch", "code-fork", "a new run that goes on from here, or the state chosen below; "
                      "this one is kept"),
           "stop": ("Stop", "stop", "end it here; everything is kept")}
EMPTY = ('<div style="box-sizing:border-box;width:100%;aspect-ratio:1;display:flex;align-items:center;'
         'justify-content:center;border:1px dashed currentColor;border-radius:6px;opacity:0.5">'
         'The picture appears here.</div>')


class Controls:
    """`begin` makes a session of what the knobs say. `went` is called where the settings of the session have
    become others: it went back, or is another one."""

    def __init__(self, begin, went):
        import ipywidgets as w
        self.session, self._begin, self._went = None, begin, went
        self._shown, self._cost, self._status, self._seen, self._linked = 0.0, 0.0, None, None, None
        self.buttons = {name: button(text, tip, lambda name=name: self._press(name), width="7em")
                        for name, (text, _, tip) in BUTTONS.items()}
        for name, (_, icon, _) in BUTTONS.items():
            self.buttons[name].icon = icon
        self.buttons["paint"].button_style = "primary"
        self.said = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.warned = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.waiting = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.empty = w.HTML(EMPTY, layout={"width": WITHIN})
        self.picture = w.Image(format="jpeg", layout={"display": "none", "max_width": "100%"})
        self.bar = w.FloatProgress(min=0, max=1, layout={"width": WITHIN, "height": "14px"})
        self.line, self.plot = w.HTML(), w.HTML(layout={"width": WITHIN})
        row = w.HBox(list(self.buttons.values()), layout={"flex_flow": "row wrap", "max_width": "24em"})
        self.state = w.Dropdown(description="undo to", options=states(None),
                                layout={"width": "21.7em", "max_width": WITHIN},
                                style={"description_width": "4.5em"})
        self.file = w.HTML(layout={"display": "none"})
        room = {"flex": "1 1 16em", "min_width": "0", "max_width": f"{WIDTH + 8}px"}
        self.box = w.VBox([row, self.state, self.said, self.warned, self.waiting, self.empty, self.picture,
                           self.bar, self.line, self.file, self.plot], layout=room)
        self.refresh()

    @property
    def steerable(self) -> bool:
        """Is there a picture that goes on, or can?"""
        return self.session is not None and self.session.status in ("painting", "paused", "stopped")

    def say(self, text: str):
        """Something that is wrong, or to be known, in its place; "" is nothing."""
        note(self.said, text)

    def wait_for(self, names):
        """Say which knobs are turned but cannot act on this picture."""
        told = ", ".join(name.replace("_", " ") for name in names)
        note(self.waiting, told and f"for the next picture: {told}")

    def turn(self, knobs: dict) -> bool:
        """Turn live knobs of the picture that is painted; were they?"""
        try:
            self.session.turn(**knobs)
        except Refused as refused:
            self.say(str(refused))
            return False
        self.say("")
        return True

    def take(self, session):
        """Show this one from now on; the one before it ends."""
        if self.session is not None:
            self.session.stop()
        self.session = session
        session.listen(lambda: self._heard(session))
        self.state.value = LAST
        before = session.run.picture
        if session.frame is None and before.is_file():      # of a run that rests
            with suppress(Refused):                         # it may be damaged, and painted on all the same
                self._show(picture_files.load(before))

    def _press(self, name):
        self.say("")
        try:
            getattr(self, f"_{name}")()
        except Refused as refused:
            self.say(str(refused))
        self.refresh()

    def _paint(self):
        self.line.value = "getting ready"
        self.take(self._begin())
        self.session.start()

    def _pause(self):
        self.session.pause() if self.session.status == "painting" else self.session.resume()

    def _step(self):
        if self.session is None:
            self.take(self._begin())
        self.session.step()

    def _undo(self):
        if self.session.status == "finished":       # which is kept: what goes back is a branch
            self._branch()
            return
        self.session.undo(chosen(self.state))
        self.state.value = LAST
        self._went()

    def _branch(self):
        painting, twin = self.session.status == "painting", self.session.branch(chosen(self.state))
        self.take(twin)
        if painting:
            twin.start()
        self._went()

    def _stop(self):
        self.session.stop()

    def _heard(self, session):
        """From the painter's thread: show it, unless that was done a moment ago."""
        if session is not self.session:
            return
        began = time.monotonic()
        soon = began - self._shown < max(BETWEEN, self._cost / SHARE)
        if soon and session.status == "painting" == self._status:
            return
        self.refresh()
        self._shown = time.monotonic()
        self._cost = self._shown - began

    def refresh(self):
        """Bring the page up to date with the session."""
        session, self._status = self.session, self.session.status if self.session else None
        for name, each in self.buttons.items():
            each.disabled = name not in ENABLED[self._status]
        resting = self._status in ("paused", "stopped", "failed")
        self.buttons["pause"].description = "Resume" if resting else "Pause"
        self.buttons["pause"].icon = "play" if resting else "pause"
        self._offer_states()
        if session is None:
            return
        note(self.warned, "; ".join(session.warnings))
        step, total = place(session)
        self.bar.value = step / max(1, total)
        if session.frame:       # until then the picture before it stays
            self._show(session.picture and session.picture.image)
        self._link(session.run)
        self.line.value = f'<div style="{LINE}">{html.escape(told(session))}</div>'
        self.plot.value = plots.curves(session.losses)
        if session.error is not None:
            self.say(str(session.error) or type(session.error).__name__)

    def _show(self, image):
        if image is not None and image is not self._seen:
            self.picture.value = studio.jpeg(image, WIDTH)
        self.picture.layout.display = "none" if image is None else None
        self.empty.layout.display = None if image is None else "none"
        self._seen = image

    def _link(self, run):
        """While it rests its picture can be saved; read again only where it is another one."""
        resting = self._status != "painting" and run.picture.is_file()
        if resting and self._linked != (now := (run.picture, run.picture.stat().st_mtime_ns)):
            self._linked, self.file.value = now, kept(run.picture, f"{run.folder.name}.png")
        self.file.layout.display = None if resting else "none"

    def _offer_states(self):
        """What can be gone back to; the chosen one stays chosen while it is there."""
        options, before = states(self.session), self.state.value
        if list(self.state.options) != options:
            self.state.options = options
            self.state.value = before if before in [value for _, value in options] else LAST
        self.state.disabled = len(options) == 1
