"""Pix2pix (Isola et al. 2017): a sketch becomes a picture, a picture changes its style, at once.

A U-Net has learned from pairs what belongs to what: it keeps the layout it is given and paints it anew. No
words are read. What a sketch does not tell, its colors, is drawn by chance or taken from another picture.
"""

from dataclasses import dataclass

from helpers.errors import Refused
from helpers.settings import Settings as Knobs, present
from helpers.settings import knob
from helpers.systems.guided import FINE
from helpers.world.styles import STYLES

TOGETHER = 4        # pictures painted at a time


@dataclass(frozen=True, kw_only=True)
class Settings(Knobs):
    """A pix2pix's knobs."""

    init_image: str = knob("", "what to begin with: a sketch, black brush on white paper, or a picture; path "
                           "or address", kind="image")
    style: str = knob("watercolor", "the style it is painted in", choices=tuple(STYLES))
    colors: str = knob("", "a picture whose colors a sketch takes, empty leaves them to chance", kind="image")
    pictures: int = knob(4, "how many at once; of a sketch each has other colors", low=1, high=16, step=1,
                         rehearsal=2)
    clean: bool = knob(False, "for a sketch that was photographed: make paper white and strokes black")
    width: int = knob(128, "width in pixels, of each", low=32, high=1024, step=32, rehearsal=64)
    height: int = knob(128, "height in pixels, of each", low=32, high=1024, step=32, rehearsal=64)
    seed: int = knob(0, "same seed, same colors", low=0, high=2**32 - 1, step=1)

    painter: str = knob("pix2pix-world", "which pix2pix: a name from the catalogue or your own file",
                        group=FINE)
    device: str = knob("auto", "where to compute; auto takes a GPU where there is one",
                       choices=("auto", "cpu", "cuda", "mps"), group=FINE)


def paint(settings, state=None):
    """Slides of one step: all pictures at once."""
    import torch

    from helpers import images, machine
    from helpers.networks import pix2pix
    from helpers.slides import Slides

    if not present(settings.init_image):
        raise Refused("init_image is empty", "pix2pix paints from a sketch or a picture",
                      "draw one, black on white, or give the path of one")
    device, rng = machine.device(settings.device), machine.dice(settings.seed)
    network = pix2pix.load(settings.painter, device, precision="auto")
    style = network.number(settings.style)
    given = images.open(settings.init_image, settings.width, settings.height)
    given = (cleaned(given) if settings.clean else given).to(device)
    z = network.draw(settings.pictures, rng)
    if present(settings.colors):
        mean, spread = network.read(images.open(settings.colors).to(device))
        z = mean + (spread / 2).exp() * torch.randn(z.shape, generator=rng).to(device)

    def render(step):
        return torch.cat([network(given, style, part) for part in z.split(TOGETHER)])

    made = Slides(render, networks=[settings.painter])
    if state:
        made.load_state_dict(state)
    return made


def cleaned(image):
    """A photographed sketch (1, 3, h, w) with its paper white, whatever light lay on it, and its darkest
    strokes black."""
    from torch.nn import functional as F

    gray = image.mean(1, keepdim=True)
    reach = min(image.shape[-2:]) // 16
    paper = F.pad(gray, (reach,) * 4, mode="replicate")
    paper = F.max_pool2d(paper, 2 * reach + 1, 1)
    light = gray / paper.clamp(min=0.01)
    dark = light.quantile(0.01).clamp(max=0.6)
    return ((light - dark) / (0.9 - dark)).clamp(0, 1).expand(-1, 3, -1, -1)
