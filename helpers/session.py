"""A session: a run that is painted in a thread of its own, and steered while it is.

    session = Session(runs.start("vqgan_clip", settings))
    session.start();  session.pause();  session.step();  session.resume();  session.stop()
    session.turn(prompts="fog over a castle", crops=12)     # before the next step; noted, to be replayed
    session.undo();  other = session.branch(40);  session.wait()

Every verb may be called from any thread and returns at once; what cannot be is Refused there, and the
painting goes on. What can be seen meanwhile, see View and Painter: status, frame, picture, losses, left,
memory, error.
"""

import math
from contextlib import ExitStack

from . import runs, safe_files
from .errors import Refused
from .painter import Painter
from .run_folder import turned


class Session(Painter):
    """Of a Run that is new, or that rests; to paint is Refused while somebody else paints it."""

    def start(self):
        """Paint, from the beginning or from where it rests."""
        self._paint_on(math.inf)

    resume = start

    def pause(self):
        """Rest after the step under way."""
        self._wish(0)

    def step(self):
        """One step, then rest; the one under way, where it is painted."""
        with self._desk:
            self._paint_on(1 if self._more == math.inf else self._more + 1)

    def stop(self):
        """End after the step under way, with everything kept; `start` goes on from there."""
        with self._desk:
            self._ending = self._painter is not None
            self._wish(0)

    def turn(self, **knobs):
        """Turn live knobs before the next step. What only the painting itself can refuse is the `error`
        then."""
        with self._desk:
            self._unfinished()
            wanted = self._turned | knobs
            self.run.change(self._now, wanted)
            self._turned, self.error = wanted, None

    def undo(self, step: int | None = None):
        """Go back to the state after this step, one of `history.steps`, or the last of them before now. What
        was turned since is forgotten; it rests or goes on, as it did."""
        with self._desk:
            self._wish(self._more, self._known(step, self._now - 1))
            self._turned = {}

    def branch(self, step: int | None = None) -> "Session":
        """A new run that goes on from the state after this step, or the last kept that something is to be
        painted after; this one is left as it is. Refused where somebody else paints it."""
        with self._desk, ExitStack() as hold:
            if self._painter is None:
                hold.enter_context(safe_files.alone(self.run.folder))
                self.history.settle()
            step, run = self._known(step, self._now - self._over), self.run
            live = [*self.history.turns(step), *self.history.coming(self._now)]
            twin = runs.start(run.system, run.settings, run.folder.parent, live)
            twin.note(branch={"from": run.folder.name, "step": step})
            self.history.lend(twin, step)
            other = Session(twin)
            if self._turned and step == self._now:
                other.turn(**self._turned)
        return other

    @property
    def steps(self) -> list[int]:
        """After how many steps it can be gone back to, or branched from: those of the states that are kept,
        growing, up to where it is. 0 is the beginning."""
        return [step for step in self.history.steps if step <= self._now]

    @property
    def settings(self):
        """As they are now, with what was turned."""
        with self._desk:
            there = self.run.turns(self._now) if self._back is None else self.history.turns(self._back)
            return turned(self.run.settings, [*there, self._turned])

    def _paint_on(self, more):
        with self._desk:
            self._unfinished()
            self._wish(more)

    def _unfinished(self):
        if self._over:
            raise Refused("the picture is finished", "an earlier state of it can go on",
                          "undo, or branch from it")

    @property
    def _over(self) -> bool:
        """Is it finished, and stays so?"""
        return self.run.manifest["status"] == "finished" and self._back is None

    @property
    def _now(self) -> int:
        """The step it is at, or will be at once it has gone back."""
        if self._back is not None:
            return self._back
        return self.frame.step if self.frame else self.history.now

    def _known(self, step, last) -> int:
        """A step up to `last` that can be gone back to; None is the latest."""
        kept = [known for known in self.steps if known <= last]
        if not kept:
            raise Refused("nothing is painted yet", "there is nothing to go back to", "paint first")
        if step is not None and step not in kept:
            raise Refused(f"there is no state after step {step}",
                          f"those after {', '.join(map(str, kept))} are kept", "choose one of them")
        return kept[-1] if step is None else step
