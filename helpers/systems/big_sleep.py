"""BigSleep (Ryan Murdock, January 2021): CLIP steers the noise a BigGAN makes pictures of.

The generator knows from its training what things look like; words move its latents and the mixture of classes
at every layer until the picture is what they say. Leaves the original: it begins with the most liked of many
random pictures, not with any.
"""

from dataclasses import dataclass

from helpers.errors import Refused
from helpers.settings import knob
from helpers.systems.guided import FINE
from helpers.systems.optimized import Optimized


@dataclass(frozen=True, kw_only=True)
class Settings(Optimized):
    """BigSleep's knobs under an artist's names; the originals' in parentheses."""

    steps: int = knob(120, "how long to paint (epochs, iterations)", low=1, high=30000, step=1, rehearsal=3)
    pictures: int = knob(1, "how many at once, the first of this seed, the others of the next", low=1,
                         high=16, step=1, group=FINE)
    truncation: float = knob(0.8, "how typical: 0.4 is sure and alike, 1 wild", low=0.05, high=1, step=0.05)
    start_class: str = knob("", "a class to begin with, by name, such as lighthouse", group=FINE)
    gan: str = knob("biggan-world", "which BigGAN: a name from the catalogue or your own file", group=FINE)
    max_classes: int = knob(0, "how many classes may be mixed at each layer, 0 all (max_classes)", low=0,
                            high=1000, step=1, group=FINE)
    class_temperature: float = knob(2.0, "with max_classes: how evenly they are mixed (class_temperature)",
                                    low=0.1, high=20, step=0.1, group=FINE)
    latent_pull: float = knob(4.0, "how strictly latents stay what the BigGAN learned from; BigSleep's is 1",
                              low=0, high=20, step=0.1, group=FINE)
    class_pull: float = knob(4.0, "how strongly one class is preferred to many; BigSleep's is 1",
                             low=0, high=20, step=0.1, group=FINE)
    latents: str = knob("", "begin with the latents of another run: its checkpoint.safetensors", kind="file",
                        group=FINE)
    search: int = knob(384, "random pictures looked at first, and again where words change, to begin with "
                       "the one liked most; 0 begins anywhere", low=0, high=4096, step=1, rehearsal=16,
                       group=FINE)
    fit_steps: int = knob(150, "steps to find init_image among what the BigGAN can make", low=1, high=5000,
                          step=1, rehearsal=2, group=FINE)
    rivalry: str = knob(2, "how clearly it must be this thing, color, place and sky and no other, for the "
                        "built-in perceptors, who know of others", low=0, high=10, kind="schedule",
                        live=True, group=FINE)
    distance: str = knob("cosine", "how likeness is measured", choices=("spherical", "cosine"), live=True,
                         group=FINE)
    best: bool = knob(False, "end with what was liked most on the way, not with the last (save_best)",
                      group=FINE)
    ema: float = knob(0.9, "show a running mean of the last steps: 0 off, 0.99 long (ema_decay)", low=0,
                      high=0.999, step=0.001, group=FINE)
    prior: str = knob(0, "how closely to follow a diffusion of the same words that paints beside; 0 leaves "
                      "it to the BigGAN", low=0, high=1000, kind="schedule", live=True, group=FINE)

    def check(self):
        super().check()
        if self.best and self.tells():
            raise Refused("best is set for a story", "its scenes want different pictures",
                          "leave best off, or the ^ out of prompts")


def paint(settings, state=None):
    """A Painting of these settings, from the beginning or a saved state."""
    from helpers import loop, states
    from helpers.networks import biggan, class_names, noise
    from helpers.systems import best, dreams, optimizing, wiring

    kind, names = settings.start_class.strip(), class_names.of(settings.gan)
    first = class_names.number(kind, names) if kind and names else None
    studio = wiring.Studio(settings)
    earlier = states.load(settings.latents) if settings.latents.strip() and not state else None
    # In bfloat16 its slopes lean by 8 degrees, and CPUs gain no more than a twelfth of a step by it.
    precision = "fp32" if studio.device.type == "cpu" else "auto"
    network = studio.thrift.network(biggan.load(settings.gan, studio.device, precision=precision))
    first = network.number(kind) if kind and first is None else first
    wiring.shrunk(settings, network.size, settings.gan)
    canvas = noise.Noise(network, settings.height, settings.width, settings.pictures, settings.truncation,
                         settings.max_classes, settings.class_temperature, first, settings.latent_pull,
                         settings.class_pull, settings.seed).to(studio.device)
    if earlier:
        canvas.take_up(loop.shown(earlier))
    made = optimizing.painting(settings, studio, studio.masked(canvas, settings), state, begun=True)
    made.networks.append(settings.gan)
    begun = bool(settings.latents.strip())
    if studio.start is not None and not begun:
        made.opening = (f"init_image: step {step} of {settings.fit_steps} towards it"
                        for step in canvas.approach(studio.rough(settings), settings.fit_steps))
    elif settings.search and settings.prompts.strip(" |^") and not begun:
        made.opening = dreams.first(settings, studio, canvas, first)
        dreams.follow(made, settings, studio, canvas)
    if settings.best:
        best.keep(made)
    return made
