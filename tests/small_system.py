"""A system small enough to be painted thousands of times: pixels pulled toward a color, pushed by dice."""

import time
from dataclasses import dataclass

import torch

from helpers import images, loop
from helpers.settings import Common, knob


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    width: int = knob(16, "width", low=8, high=64, step=8)
    height: int = knob(8, "height", low=8, high=64, step=8)
    steps: int = knob(12, "steps", low=1, high=500, step=1)
    init_image: str = knob("", "start from this picture (init)", kind="image")
    image_prompts: str = knob("", "pictures to resemble", kind="images")
    frames: str = knob("", "a folder to repaint", kind="folder")
    encoding: str = knob("", "a file of rows", kind="file")
    palette: str = knob("", "colors to keep to", kind="palette")
    ema: float = knob(0.9, "running mean", low=0.0, high=1.0)
    contrast: float = knob(1.0, "of the noise it tends to", low=0.0, high=4.0, live=True)
    pause: float = knob(0.0, "seconds per step", low=0.0, high=9.0, live=True)


class Canvas(torch.nn.Module):
    learning_rate = 0.05

    def __init__(self, image):
        super().__init__()
        self.image = torch.nn.Parameter(image)

    def forward(self):
        return self.image

    def prior(self, progress=0.0):
        return self.image.square().mean() * 0.01

    def project_(self):
        self.image.data.clamp_(0, 1)


class Guide:
    """Toward a noise that is new in every step, so that one lost or doubled step shows."""

    def __init__(self, rng, settings):
        self.rng, self.settings = rng, settings

    def score(self, image, progress=0.0):
        time.sleep(self.settings.pause)
        noise = self.settings.contrast * torch.rand(image.shape, generator=self.rng)
        return {"noise": (image - noise).square().mean()}

    def economize(self):
        return False


def paint(settings, state=None):
    rng = torch.Generator().manual_seed(settings.seed)
    size = settings.width, settings.height
    start = images.open(settings.init_image, *size) if settings.init_image else torch.rand(
        1, 3, *size[::-1], generator=rng)
    painting = loop.paint(Canvas(start), Guide(rng, settings), steps=settings.steps, seed=settings.seed,
                          rng=rng, ema=settings.ema, every=5)
    painting.retune = lambda new: setattr(painting, "guide", Guide(rng, new))
    if state:
        painting.load_state_dict(state)
    return painting
