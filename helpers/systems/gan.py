"""GAN (Goodfellow 2014; BigGAN-deep, Brock, Donahue and Simonyan 2019): noise and the name of a thing
become a picture, at once.

Noise can be drawn again, mixed, walked through, and searched: given a picture, for a part of it that fits the
rest.
"""

from dataclasses import dataclass

from helpers.errors import Refused
from helpers.settings import Settings as Knobs, present
from helpers.settings import knob
from helpers.systems.guided import FINE

TOGETHER = 8        # pictures made at a time


@dataclass(frozen=True, kw_only=True)
class Settings(Knobs):
    """A GAN's knobs."""

    prompts: str = knob("lighthouse", "names of its classes: cat, a mixture cat | boat:0.5, one after "
                        "another cat ^ boat; empty is any", kind="prompts", live=True)
    pictures: int = knob(9, "how many, each of its own noise", low=1, high=64, step=1, rehearsal=2)
    truncation: float = knob(0.6, "how typical: 0.4 is sure and alike, 1 wild", low=0.05, high=1, step=0.05,
                             live=True)
    walk: int = knob(0, "pictures of a film that walks from noise to noise and back, 0 none", low=0,
                     high=5000, step=1)
    grid: int = knob(0, "side of a square of pictures between four corners, 0 none", low=0, high=16, step=1)
    width: int = knob(128, "width in pixels, of each", low=32, high=2048, step=32, rehearsal=64)
    height: int = knob(128, "height in pixels, of each", low=32, high=2048, step=32, rehearsal=64)
    seed: int = knob(0, "same seed, same noise", low=0, high=2**32 - 1, step=1)

    stations: int = knob(4, "noises that a walk comes by", low=2, high=100, step=1, group=FINE)
    init_image: str = knob("", "a picture to find among what the GAN can make: path or address",
                           kind="image", group=FINE)
    mask: str = knob("", "white where that picture is made anew, so that the rest fits", kind="image",
                     group=FINE)
    mask_softness: int = knob(6, "width of the soft edge inside the mask, in pixels", low=0, high=256, step=1,
                              group=FINE)
    fit_steps: int = knob(200, "steps to find it", low=1, high=5000, step=1, rehearsal=3, group=FINE)
    every: int = knob(10, "steps of that from one look to the next, beside that at the first", low=1,
                      high=1000, step=1, rehearsal=1, group=FINE)
    gan: str = knob("biggan-world", "which BigGAN: a name from the catalogue or your own file", group=FINE)
    device: str = knob("auto", "where to compute; auto takes a GPU where there is one",
                       choices=("auto", "cpu", "cuda", "mps"), group=FINE)

    def check(self):
        super().check()
        ways = {"walk": self.walk, "grid": self.grid, "init_image": present(self.init_image)}
        if sum(map(bool, ways.values())) > 1:
            both = " and ".join(name for name, on in ways.items() if on)
            raise Refused(f"{both} are set together", "each makes other pictures", "leave one of them")
        if present(self.mask) and not present(self.init_image):
            raise Refused("mask is given without init_image", "a mask keeps a part of a picture",
                          "give that picture as init_image")


def paint(settings, state=None):
    """Slides of samples, of a walk or of a grid; with init_image a Painting that looks for it."""
    from helpers import machine
    from helpers.networks import biggan, class_names, mixing
    from helpers.systems import wiring

    device, names = machine.device(settings.device), class_names.of(settings.gan)
    if names:
        mixing.shares(settings.prompts, names)          # refused before anything is downloaded
    aim = aimed(settings) if present(settings.init_image) else None
    network = biggan.load(settings.gan, device, precision="auto")
    wiring.shrunk(settings, network.size, settings.gan)
    shares = mixing.shares(settings.prompts, network.names)
    made = search(settings, network, shares, *aim) if aim else slides(settings, network, shares)
    made.networks.append(settings.gan)
    if state:
        made.load_state_dict(state)
    return made


def slides(settings, network, shares):
    """Every picture at once, or those of a walk one after another."""
    import torch

    from helpers.machine import dice
    from helpers.networks import mixing
    from helpers.slides import Slides

    scenes = 1 if shares is None else len(shares)
    count = 4 if settings.grid else max(settings.stations, scenes) if settings.walk else 1
    stations = mixing.Stations(network, count, 1 if settings.grid else settings.pictures, shares,
                               dice(settings.seed))

    def render(now):
        def picture(step):
            if now.grid:
                z, classes = stations.square(now.grid)
            else:
                z, classes = stations.at(step / now.walk if now.walk else 0.0)
            parts = zip((now.truncation * z).split(TOGETHER), classes.split(TOGETHER), strict=True)
            return torch.cat([mixing.sized(network(*part, now.truncation), now.height, now.width)
                              for part in parts])
        return picture

    made = Slides(render(settings), settings.walk or 1)

    def retune(new):
        """Other classes and another truncation, from the next picture on."""
        stations.told(mixing.shares(new.prompts, network.names))
        made.render = render(new)

    made.retune = retune
    return made


def aimed(settings):
    """(init_image at the size of the picture, where it is made anew or None)"""
    from helpers import images

    size, whole = (settings.width, settings.height), images.open(settings.init_image)
    mask = images.open_mask(settings.mask, *size, over=whole) if present(settings.mask) else None
    if mask is not None and mask.min() > 254 / 255:
        raise Refused("the mask is all white", "black says what stays, and the rest is made to fit it",
                      "paint what is to stay black, or leave the mask out")
    return images.fit(whole, *size), mask


def search(settings, network, shares, picture, mask):
    """Move latents until their picture is `picture`, wherever the mask is black."""
    import torch

    from helpers import loop, machine
    from helpers.canvas import Patched
    from helpers.guides import Likeness
    from helpers.networks import mixing, noise

    picture, mask = (None if part is None else part.to(network.device) for part in (picture, mask))
    where = None if mask is None else 1 - mask
    drawn = noise.Noise(network, settings.height, settings.width, settings.pictures, settings.truncation,
                        seed=settings.seed)
    drawn.begin_near(picture, where, shares)
    canvas = drawn if mask is None else Patched(drawn, picture, mask, settings.mask_softness)
    made = loop.Painting(canvas.to(network.device), Likeness(picture, where), steps=settings.fit_steps,
                         seed=settings.seed, rng=machine.dice(settings.seed), every=settings.every)

    made.memory["told"] = settings.prompts         # saved: a resumed search has chosen already
    def retune(new):
        """Go on with another truncation; of other classes, where others are named."""
        drawn.truncation = new.truncation
        named = mixing.shares(new.prompts, network.names)
        if named is not None and new.prompts != made.memory["told"]:
            drawn.choose(named[torch.arange(settings.pictures) % len(named)])
            made.memory["told"] = new.prompts

    made.retune = retune
    return made
