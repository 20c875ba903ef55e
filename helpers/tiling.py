"""Tiling: a large picture painted over window by window, each as large as a network likes its pictures.

    for frame in Tiled(large, 512, 512, paint): …       # paint(window, number) -> a Diffusion from it

Windows overlap by half and fade into what is there, so a picture of any size is finished with the memory of
a small one (progrock's and discoart's "go big").
"""

import torch

from helpers.frames import Frames


class Tiled(Frames):
    """Frames of `image` (1, 3, H, W) in [0, 1], painted over in windows of height x width, row by row.

    paint: (window (1, 3, height, width), its number) -> Diffusion, of as many steps for each window.
    """

    def __init__(self, image, height, width, paint, every=1):
        self.places = [(top, left) for top in starts(image.shape[-2], height)
                       for left in starts(image.shape[-1], width)]
        self.canvas, self.size, self.paint = image.clone(), (height, width), paint
        self.inner = self.begun(0)
        self.each = self.inner.steps
        self.finish = None          # a last touch to the finished picture, (1, 3, H, W) in [0, 1]
        super().__init__(self.each * len(self.places), every)

    def begun(self, number):
        """The painting of a window, from what is there now."""
        return self.paint(self.window(*self.places[number]).clone(), number)

    def window(self, top, left):
        return self.canvas[..., top:top + self.size[0], left:left + self.size[1]]

    def one_step(self):
        number, step = divmod(self.step, self.each)
        if not step and number:
            self.inner = self.begun(number)
        frame = next(self.inner)
        if self.inner.step == self.each:
            self.paste(self.canvas, number)
        return frame.losses

    def paste(self, canvas, number):
        """Lay the window's picture over the canvas, faint toward its borders, but not toward those of the
        whole picture."""
        top, left = self.places[number]
        part = canvas[..., top:top + self.size[0], left:left + self.size[1]]
        rows, columns = (ramp(start, length, whole) for start, length, whole in
                         zip((top, left), self.size, canvas.shape[-2:], strict=True))
        shown = self.inner.image()[:1].to(part)
        part += (rows[:, None] * columns).to(part) * (shown - part)

    def image(self):
        """The whole picture as it is now."""
        canvas = self.canvas.clone()
        if 0 < self.inner.step < self.each:
            self.paste(canvas, (self.step - 1) // self.each)
        canvas = canvas.clamp(0, 1)
        return self.finish(canvas) if self.finish and self.step >= self.steps else canvas

    def state_dict(self):
        """Enough for the very same next step."""
        return {"step": self.step, "seconds": self.seconds, "canvas": self.canvas,
                "inner": self.inner.state_dict()}

    def load_state_dict(self, state):
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self.canvas = state["canvas"].to(self.canvas)
        self.inner = self.begun(max(0, self.step - 1) // self.each)
        self.inner.load_state_dict(state["inner"])


def starts(whole, window):
    """Where windows begin, so that neighbors overlap by half or more and the last one ends with the whole."""
    count = max(0, -(-2 * (whole - window) // window))
    return [round(i * (whole - window) / count) for i in range(count + 1)] if count else [0]


def ramp(start, length, whole):
    """(length,) rising from the window's border to 1 in a quarter of it, where that is not the whole's."""
    place = (torch.arange(length) + 0.5) / (length / 4)
    rise, fall = place.clamp(max=1), place.flip(0).clamp(max=1)
    return (rise if start else torch.ones(length)) * (fall if start + length < whole else 1)
