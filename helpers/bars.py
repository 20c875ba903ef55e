"""How far a download is: a bar on the terminal or under the cell, or told to who shows it elsewhere.

    with bar("last.ckpt") as progress: progress(done, total)        # of bytes, total 0 where it is unknown
    with watched(tell): …       # in this thread: tell(Download), tell(None) once it is over, in place of bars
"""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

BETWEEN = 0.2       # seconds from one telling to the next, at least
_here = threading.local()


@dataclass(frozen=True)
class Download:
    """`done` of `total` bytes of a file; `left`: seconds to its end, once that can be told."""

    name: str
    done: int
    total: int
    left: float | None


@contextmanager
def watched(tell):
    """Tell of this thread's downloads while the block lasts."""
    before, _here.tell = getattr(_here, "tell", None), tell
    try:
        yield
    finally:
        _here.tell = before


@contextmanager
def bar(name: str):
    """What is to be called with (done, total) as a file comes; nothing is shown before."""
    tell = getattr(_here, "tell", None)
    shown = _Told(name, tell) if tell else _Drawn(name)
    try:
        yield shown
    finally:
        shown.close()


class _Drawn:
    """A bar of tqdm's."""

    def __init__(self, name):
        self.name, self.bar = name, None

    def __call__(self, done, total):
        from tqdm import tqdm
        if self.bar is None:        # what was there before it went on says nothing of its pace
            self.bar = tqdm(desc=self.name, total=total or None, initial=done, unit="B", unit_scale=True,
                            dynamic_ncols=True)
        self.bar.update(done - self.bar.n)

    def close(self):
        if self.bar is not None:
            self.bar.close()


class _Told:
    """Downloads for who watches, a few a second."""

    def __init__(self, name, tell):
        self.name, self.tell, self.first, self.last = name, tell, None, 0.0

    def __call__(self, done, total):
        now = time.monotonic()
        if self.first is None:
            self.first = done, now
        if now - self.last >= BETWEEN or done == total:
            came, spent = done - self.first[0], now - self.first[1]
            left = (total - done) * spent / came if total and came > 0 else None
            self.tell(Download(self.name, done, total, left))
            self.last = now

    def close(self):
        self.tell(None)
