"""Warnings, for who looks at a page and no log."""

import logging
import threading
from contextlib import contextmanager


@contextmanager
def heard(tell):
    """Call `tell(text)` for each warning of the suite in this thread, while the block lasts."""
    ear, ours = _Ear(tell), logging.getLogger(__package__)
    ours.addHandler(ear)
    try:
        yield
    finally:
        ours.removeHandler(ear)


class _Ear(logging.Handler):
    def __init__(self, tell):
        super().__init__(logging.WARNING)
        self._tell, self._thread = tell, threading.get_ident()

    def emit(self, record):
        if record.thread == self._thread and record.levelno == logging.WARNING:     # errors are told as such
            self._tell(record.getMessage())
        elif not logging.getLogger().handlers and logging.lastResort:
            logging.lastResort.handle(record)       # as without this ear, which is one handler too many
