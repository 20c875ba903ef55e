"""Keeping what is painted: frames, the latest picture, states to go back to, a checkpoint to go on from, and
always a clean end.

    for frame in record(painting, run):     # passes every Frame on
        …

Where a step or a write is under way, Ctrl-C waits until it is complete: what is kept fits together.
A second Ctrl-C does not wait.
"""

import signal
import threading
import time
from contextlib import contextmanager, suppress

from . import images, safe_files, states
from .errors import Refused
from .history import History

SECONDS = 20.0      # between checkpoints: about what a kill may cost


def record(painting, run, every: int | None = None, checkpoint_seconds: float = SECONDS):
    """Save frames, states, now and then a checkpoint, and at any end the picture, and how it went.

    every: save each nth frame; 0 saves none, None those that come with an image, as the settings want it.

    Interrupts and errors go on to the caller once everything is kept. Refused where another painting goes on
    in this folder.
    """
    with safe_files.alone(run.folder):
        yield from kept(painting, run, History(run).keep, every, checkpoint_seconds)


def kept(painting, run, state, every: int | None = None, checkpoint_seconds: float = SECONDS):
    """What `record` does, for who holds the folder already: the same painting may be stopped, and then go on
    in another recording. state: called with the painting after each step, to keep its state."""
    keeper = _Keeper(painting, run, state, every, checkpoint_seconds)
    try:
        while True:
            with unhurried():
                frame = keeper.next()
            if frame is None:
                break
            yield frame
    except (KeyboardInterrupt, GeneratorExit):
        keeper.end("stopped")
        raise
    except Exception as error:
        keeper.fail(error)
        raise
    keeper.end("finished")


@contextmanager
def unhurried():
    """Hold Ctrl-C back until the block is done; the second one is heard at once."""
    if threading.current_thread() is not threading.main_thread():
        yield           # interrupts come to the main thread only
        return
    before, calls = signal.getsignal(signal.SIGINT), []

    def later(number, place):
        calls.append(number)
        if len(calls) > 1:
            raise KeyboardInterrupt

    if not callable(before):    # ignored, or handled outside Python
        yield
        return
    signal.signal(signal.SIGINT, later)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if calls:
        before(signal.SIGINT, None)


class _Keeper:
    """What a recording remembers between frames."""

    def __init__(self, painting, run, state, every, seconds):
        self.painting, self.run, self.state = painting, run, state
        self.every, self.seconds = every, seconds
        self.start = self.saved = time.monotonic()
        self.before = run.manifest.get("seconds", 0.0)
        self.frame, self.kept, self.torn = None, None, False

    def next(self):
        """One step, and what is to be kept of it; None at the end."""
        self.torn = True        # an interrupt inside a step leaves half of the numbers new
        frame = next(self.painting, None)
        self.torn = False
        if frame is None or not frame.step:     # before the first step there is nothing to keep
            return frame
        first, self.frame = self.frame is None, frame
        if self.due(frame):
            self.picture(frame.image, series=True)
        self.state(self.painting)       # last: who goes on from it misses nothing
        if time.monotonic() - self.saved >= self.seconds:
            self.picture(frame.image)
            self.checkpoint()
            self.note("painting")
        elif first:             # one that is killed before its first checkpoint is not new
            self.note("painting")
        return frame

    def due(self, frame) -> bool:
        if self.every is None:
            return frame.image is not None
        return bool(self.every) and (frame.step % self.every == 0 or frame.step >= frame.total)

    def picture(self, image=None, series=False):
        """Keep the picture as it is now, also as a part of the series, unless it is kept already."""
        step = self.frame.step if self.frame else 0
        if self.kept == step:
            return
        data = images.png(self.painting.image() if image is None else image, self.run.text())
        if series:
            self.run.keep_frame(step, data)
        self.run.keep_picture(data)
        self.kept = step

    def singles(self):
        """Keep each of several pictures by itself, too, beside the sheet of all."""
        last = self.frame and self.frame.image
        several = self.painting.image() if last is None else last
        if len(several) > 1:
            self.run.keep_singles([images.png(one, self.run.text()) for one in several])

    def checkpoint(self):
        if not self.torn and self.frame is not None:
            states.save(self.run.checkpoint, self.painting.state_dict(), {"step": self.frame.step})
            self.saved = time.monotonic()

    def note(self, status, **more):
        steps = {} if self.frame is None else {"step": self.frame.step, "total": self.frame.total}
        spent = round(self.before + time.monotonic() - self.start, 1)
        self.run.note(status=status, seconds=spent, **steps, **more)

    def end(self, status):
        """Keep everything; Ctrl-C has to wait for it."""
        if self.frame is not None and self.frame.step >= self.frame.total:
            status = "finished"
        with unhurried():
            if self.frame is not None or status == "finished":
                self.picture()
                self.singles()
            self.checkpoint()
            self.note(status)

    def fail(self, error):
        """Say why in the manifest; a run that never painted anything leaves nothing behind."""
        if self.frame is None and not self.run.started:
            self.run.discard()
            return
        with suppress(Refused):     # the disk may be what failed
            self.note("failed", error=str(error))
