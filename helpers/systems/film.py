"""Films: a painting that goes on from picture to picture, either moving on its own or along a folder of
frames.

The first picture takes `steps`, every later one `frame_steps`. All of it is `before_step` hooks that depend
on the step alone, so a film resumes like any other painting.
"""

from helpers import images, inputs, schedules
from helpers.canvas import move
from helpers.guides import Likeness, Prompts
from helpers.guides import images as looked_at
from helpers.systems import wiring


class Reel:
    """When pictures of a film are due. `count` pictures: the first after `first` steps, then one every
    `each`."""

    def __init__(self, count, first, each):
        self.count, self.first, self.each = count, first, each
        self.total = first + (count - 1) * each

    def due(self, step):
        """Is a picture finished after this many steps?"""
        return step >= self.first and (step - self.first) % self.each == 0

    def number(self, step):
        """The picture (from 0) that the step starting now works on."""
        return 0 if step < self.first else 1 + (step - self.first) // self.each


class Camera:
    """Between pictures: zoom, turn and shift what is there, and paint on from it. The optimizer keeps its
    memory.

    `smoothing`: the part of the picture before that is still seen in each (EWMA over latents). It looks back
    only, since the next picture is painted from it; films.write smooths to both sides, and nothing lags.
    """

    def __init__(self, reel, settings):
        self.reel, self.smoothing = reel, settings.film_smoothing
        self.zoom, self.rotate, self.right, self.down = (
            schedules.parse(getattr(settings, name)) for name in ("zoom", "rotate", "shift_x", "shift_y"))

    def __call__(self, painting):
        if not self.reel.due(painting.step):
            return
        at, seen = painting.progress, painting.shown()
        moves = self.zoom(at), self.rotate(at), self.right(at), self.down(at)
        if moves != (1, 0, 0, 0):
            painting.canvas.fit(move(painting.image(), *moves))
            painting.settle()
            seen = {name: p.detach() for name, p in painting.weights.items()}
        if self.smoothing:
            painting.memory.update({name: p.clone() for name, p in seen.items()})

    def finish(self, painting):
        """What `painting.finish` should be: parameters as shown, with what was shown before in them."""
        def mix(seen):
            past = painting.memory
            return {name: p.lerp(past[name].to(p), self.smoothing) if name in past else p
                    for name, p in seen.items()}
        return mix if self.smoothing else None


class Sources:
    """Style transfer: every picture of the film is held to its own frame of a folder, and starts from the
    picture before.

    `weight`: pull to the frame in colors and places; `likeness`: the frame as an image prompt.
    """

    def __init__(self, reel, settings, studio):
        self.reel, self.settings, self.studio = reel, settings, studio
        self.paths = inputs.pictures_in(settings.frames)
        self.number = self.loaded = self.plain = None

    def __call__(self, painting):
        number = min(self.reel.number(painting.step), len(self.paths) - 1)
        if painting.step == 0:
            painting.canvas.fit(self.frame(0))
            painting.settle()
        if painting.guide is not self.loaded or number != self.number:
            self.plain = self.plain if painting.guide is self.loaded else painting.guide
            self.number, self.loaded = number, self.plain + self.hold(number)
            painting.guide = self.loaded

    def frame(self, number):
        return images.open(self.paths[number], *self.studio.size).to(self.studio.device)

    def hold(self, number):
        """The guide that keeps a picture to its frame."""
        frame = self.frame(number)
        held = schedules.parse(self.settings.frame_weight) * Likeness(frame)
        if self.settings.frame_likeness:
            for eye in self.studio.eyes:
                looks = wiring.cutouts(self.settings, self.studio, eye)
                seen = looked_at(eye, [(frame, self.settings.frame_likeness, None)])
                held = held + (1 / len(self.studio.eyes)) * Prompts(eye, looks, seen)
        return held
