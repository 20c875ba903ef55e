"""What can be seen of a painting while it is painted: cheap to keep up, and safe to read from any thread."""

import math
import time
from dataclasses import replace

from . import machine
from .frames import Frame

BETWEEN = 0.2       # seconds from look to look, where the painting itself does not look
SHARE = 0.03        # of the time, at most, goes into such looks
POINTS = 512        # of each loss, at most


class View:
    """frame: the latest Frame, or None. picture: the latest one with an image. losses: name of a term ->
    ((step, value), …), thinned out where there are many. left: seconds to the end, once that can be told."""

    def __init__(self):
        self.frame = self.picture = self.left = None
        self.losses = {}
        self._device = "cpu"
        self._began = 0.0, 0                        # when painting began, and after which step
        self._looked, self._cost = -math.inf, 0.0   # when, and how long it took

    @property
    def memory(self) -> int:
        """Bytes in use, of this process or of its GPU."""
        return machine.used(self._device)

    def _begin(self, painting):
        """It is painted from here on."""
        self._began = time.monotonic(), painting.step

    def _see(self, painting, frame):
        """Take note of a step."""
        frame = self._looked_at(painting, frame)
        if frame.image is not None:
            self.picture = frame
        for name, loss in frame.losses.items():
            points = (*self.losses.get(name, ()), (frame.step, loss))
            self.losses = self.losses | {name: points if len(points) <= POINTS else points[::2]}
        began, first = self._began
        if frame.step > first:
            pace = (time.monotonic() - began) / (frame.step - first)
            self.left = pace * (frame.total - frame.step)
        self.frame = frame

    def _looked_at(self, painting, frame) -> Frame:
        """The frame with an image, also between two looks of the painting, as long as that is cheap."""
        began = time.monotonic()
        if frame.image is None and frame.step and began - self._looked >= max(BETWEEN, self._cost / SHARE):
            frame = replace(frame, image=painting.image())
            self._cost = time.monotonic() - began
        if frame.image is not None:
            self._looked = time.monotonic()
        return frame

    def _still(self, painting):
        """See where it rests; what was seen of later steps is forgotten."""
        here = painting.step
        self.losses = {name: tuple(point for point in points if point[0] <= here)
                       for name, points in self.losses.items()}
        if not here:
            self.frame = Frame(0, painting.steps, None)
            self.picture = None
        elif self.picture is None or self.picture.step != here:
            losses = self.frame.losses if self.frame and self.frame.step == here else {}
            self.frame = self.picture = Frame(here, painting.steps, painting.image(), losses,
                                              painting.seconds)
