"""A painter: paints a run in a thread of its own, as far as is wished, and keeps everything as ever.

Wishes stand on a desk: steps to paint, knobs to turn, a state to go back to, an end. The painter looks there
between steps. A rest is the clean end of a recording, so a kernel that dies while it lasts loses nothing; the
next recording goes on with the same painting.
"""

import logging
import threading
from contextlib import ExitStack, closing

from . import images, machine, recording, safe_files
from .bars import watched
from .errors import Refused
from .history import History
from .view import View
from .warned import heard

log = logging.getLogger(__name__)


class Painter(View):
    """Of a run that is new, or that rests.

    `status`: new, painting, paused, stopped, finished, failed. `error`: what went wrong, a Refused or any
    other exception, until something else is wished. `warnings`: what was warned of on the way, in words.
    `coming`: the Download under way, or None.
    """

    def __init__(self, run):
        super().__init__()
        self.run, self.history = run, History(run)
        was = run.manifest.get("status", "new")
        self.status = "stopped" if was == "painting" else was       # that one was killed
        self.error, self.warnings, self.coming = None, (), None
        self._listeners = []
        self._desk = threading.Condition()
        self._more, self._turned, self._back, self._ending = 0, {}, None, False     # what is wished
        self._painter = None            # the thread, while there is one
        self._resting = True            # all that was wished is done

    def listen(self, callback):
        """Call this, without arguments, after each step and change of status, in the painter's thread."""
        self._listeners.append(callback)

    def wait(self, timeout: float | None = None) -> str:
        """Until it rests or has ended, at most so many seconds; the status then."""
        with self._desk:
            self._desk.wait_for(lambda: self._resting, timeout)
            return self.status

    @property
    def after(self) -> str:
        """What comes after the step under way: "back", "end", "rest"; "" where it paints on, or rests."""
        with self._desk:
            if self._back is not None:
                return "back"
            if self.status != "painting" or self._more and not self._ending:
                return ""
            return "end" if self._ending else "rest"

    def _wish(self, more, back=None):
        """So many more steps, first going back where that is wished; a painter comes where one is needed."""
        with self._desk:
            if self._painter is None:
                if not more and back is None:
                    return
                hold = ExitStack()
                hold.enter_context(safe_files.alone(self.run.folder))       # Refused here, at once
                self._painter = threading.Thread(target=self._work, args=(hold,), daemon=True)
                self._painter.start()
            self._more, self.error, self._resting = more, None, False
            self._back = self._back if back is None else back
            self._ending = self._ending and not more
            self.status = "painting" if more else self.status
            self._desk.notify_all()

    def _work(self, hold):
        """The life of the thread; `hold` is what holds the folder."""
        try:
            with heard(self._warned), watched(self._comes):
                self._paint(hold)
        except Exception as error:      # a thread has nobody to raise it to
            log.error("painting failed: %s", error, exc_info=not isinstance(error, Refused))
            with self._desk:
                self.error = error
                self._leave("failed", hold)
        self._tell()
        with self._desk:
            self._resting = self._painter is None       # unless the next one has come already
            self._desk.notify_all()

    def _comes(self, download):
        self.coming = download
        self._tell()

    def _warned(self, text):
        if text not in self.warnings:
            self.warnings = (*self.warnings, text)[-3:]

    def _paint(self, hold):
        painting = None
        while wish := self._next(hold):
            if wish == "back" or painting is None:
                painting = self._opened()
            elif wish == "turn":
                self._turn(painting)
            else:
                self._stretch(painting)

    def _next(self, hold) -> str:
        """Rest until something is wished: "back", "paint" or "turn", which is also done before an end; "" is
        that end."""
        if self._idle():
            self._tell("paused")
        with self._desk:
            while self._idle():
                self._resting = True
                self._desk.notify_all()
                self._desk.wait()
            if self._back is not None:
                return "back"
            finished = self.run.manifest["status"] == "finished"
            if finished or self._ending and not self._turned:
                self._leave("finished" if finished else "stopped", hold)
                return ""
            return "turn" if self._ending else "paint"

    def _idle(self) -> bool:
        return not (self._more or self._ending or self._back is not None
                    or self.run.manifest["status"] == "finished")

    def _leave(self, status, hold):
        """Let go of the folder; from here on another painter may come."""
        hold.close()
        self.status, self._painter = status, None
        self._more, self._turned, self._back, self._ending = 0, {}, None, False

    def _opened(self):
        """The painting as the folder has it, after going back where that is wished."""
        run = self.run
        with self._desk:
            back = self._back
            if back is not None:
                self.history.rewind(back)
        self._tell()
        painting = run.paint() if run.manifest["status"] == "new" else run.resume()
        self._keep(painting)                        # a killed run may lack the one of this very step
        self._device = machine.device(run.settings.device)
        self._still(painting)
        if self.picture is not None:
            run.keep_picture(images.png(self.picture.image, run.text()))
        with self._desk:
            self._back = None if self._back == back else self._back
        return painting

    def _stretch(self, painting):
        """Paint until something else is wished, or there is nothing more to paint."""
        with closing(recording.kept(painting, self.run, self._keep)) as frames:
            self._tell("painting")
            self._turn(painting)
            self._begin(painting)
            for frame in frames:
                self._see(painting, frame)
                with self._desk:
                    self._more = max(0, self._more - bool(frame.step))
                self._tell()
                if not self._more or self._ending or self._back is not None:
                    break
                self._turn(painting)
        self._still(painting)
        self._keep(painting, always=True)

    def _keep(self, painting, always=False):
        """Keep its state to go back to; not where somebody wants to, who chose among those that are there."""
        with self._desk:
            if self._back is None:
                self.history.keep(painting, always)

    def _turn(self, painting):
        """Turn what is to be turned; where the painting cannot, it goes on as it was."""
        with self._desk:
            values, self._turned = self._turned, {}
        if values:
            try:
                self.run.turn(painting, **values)
            except Refused as refused:
                self.error = refused
                self._tell()

    def _tell(self, status=None):
        """Tell the listeners; what goes wrong with one of them is no trouble of the painting."""
        self.status = status or self.status
        for listener in list(self._listeners):
            try:
                listener()
            except Exception:
                log.exception("a listener failed")
