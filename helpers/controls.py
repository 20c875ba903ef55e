"""Controls: the buttons of a session, its picture as it is painted, how far it is, what it thinks.

    controls = Controls(begin, went)        # begin() -> a new Session, or Refused
    controls.box;  controls.session

Buttons return at once; the painter's thread brings the page up to date, a few times a second at most.
"""

import html
import time

from . import plots, studio
from .errors import Refused
from .forms import LINE, WITHIN, button, note

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
           "undo": ("Undo", "undo", "back to an earlier state; what was turned since is taken back"),
           "branch": ("Branch", "code-fork", "a new run that goes on from here; this one is kept"),
           "stop": ("Stop", "stop", "end it here; everything is kept")}
AFTER = {"back": "going back", "end": "ending after this step", "rest": "resting after this step"}
EMPTY = ('<div style="box-sizing:border-box;width:100%;aspect-ratio:1;display:flex;align-items:center;'
         'justify-content:center;border:1px dashed currentColor;border-radius:6px;opacity:0.5">'
         'The picture appears here.</div>')


class Controls:
    """`begin` makes a session of what the knobs say. `went` is called where the settings of the session have
    become others: it went back, or is another one."""

    def __init__(self, begin, went):
        import ipywidgets as w
        self.session, self._begin, self._went = None, begin, went
        self._shown, self._cost, self._status, self._seen = 0.0, 0.0, None, None
        self.buttons = {name: button(text, tip, lambda name=name: self._press(name), width="7em")
                        for name, (text, _, tip) in BUTTONS.items()}
        for name, (_, icon, _) in BUTTONS.items():
            self.buttons[name].icon = icon
        self.buttons["paint"].button_style = "primary"
        self.said = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.waiting = w.HTML(layout={"display": "none", "max_width": WITHIN})
        self.empty = w.HTML(EMPTY, layout={"width": WITHIN})
        self.picture = w.Image(format="jpeg", layout={"display": "none", "max_width": "100%"})
        self.bar = w.FloatProgress(min=0, max=1, layout={"width": WITHIN, "height": "14px"})
        self.line, self.plot = w.HTML(), w.HTML(layout={"width": WITHIN})
        row = w.HBox(list(self.buttons.values()), layout={"flex_flow": "row wrap", "max_width": "24em"})
        room = {"flex": "1 1 16em", "min_width": "0", "max_width": f"{WIDTH + 8}px"}
        self.box = w.VBox([row, self.said, self.waiting, self.empty, self.picture, self.bar, self.line,
                           self.plot], layout=room)
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
        self.session.undo()
        self._went()

    def _branch(self):
        painting, twin = self.session.status == "painting", self.session.branch()
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
        if session is None:
            return
        self.bar.value = session.frame.step / max(1, session.frame.total) if session.frame else 0
        if session.frame:       # until then the picture before it stays
            self._show(session.picture)
        self.line.value = f'<div style="{LINE}">{html.escape(told(session))}</div>'
        self.plot.value = plots.curves(session.losses)
        if session.error is not None:
            self.say(str(session.error) or type(session.error).__name__)

    def _show(self, frame):
        if frame is not None and frame is not self._seen:
            self.picture.value = studio.jpeg(frame.image, WIDTH)
        self.picture.layout.display = None if frame else "none"
        self.empty.layout.display = "none" if frame else None
        self._seen = frame


def told(session) -> str:
    """How far it is, in a line."""
    frame, status = session.frame, session.status
    if status == "painting" and not (frame and frame.step):
        return frame and frame.note or "getting ready"
    if frame is None:
        origin = session.run.manifest.get("branch", {})
        return f"a branch of {origin['from']}, after step {origin['step']}" if origin else status
    steps = f"step {frame.step} of {frame.total}"
    if after := session.after:      # a step may take long: what was pressed is heard all the same
        return f"{steps}, {AFTER[after]}"
    if status != "painting":
        return f"{status} after {steps}, kept in {session.run.folder.name}"
    left = f", {studio.clock(session.left)} left" if session.left is not None else ""
    return f"{steps}{left}, {session.memory / 1e9:.1f} GB in use"
