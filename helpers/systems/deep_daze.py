"""DeepDaze (lucidrains and Ryan Murdock, 2021): CLIP paints by training a SIREN, a network of sines that is
the picture.

The network maps a place to a color; every step renders it once, looks at it many times, and moves all of its
weights.
"""

from dataclasses import dataclass

from helpers.errors import Refused
from helpers.settings import knob
from helpers.systems.guided import FINE
from helpers.systems.optimized import Optimized


@dataclass(frozen=True, kw_only=True)
class Settings(Optimized):
    """DeepDaze's knobs under an artist's names; the originals' in parentheses."""

    width: int = knob(128, "width in pixels (image_width, size)", low=32, high=1024, step=8, rehearsal=40)
    height: int = knob(128, "height in pixels (image_width, size)", low=32, high=1024, step=8, rehearsal=32)
    steps: int = knob(40, "how long to paint (epochs, iterations)", low=1, high=30000, step=1, rehearsal=3)
    crops: int = knob(6, "looks at parts of the picture per step; 0 only sees it whole "
                      "(batch_size, gradient_accumulate_every, do_cutout, cutn, num_cuts)", low=0, high=128,
                      step=1, live=True, rehearsal=4, group=FINE)
    layers: int = knob(5, "layers of sines: more is more intricate (num_layers, deeper)", low=2, high=64,
                       step=1, rehearsal=3)
    hidden: int = knob(192, "sines per layer (hidden_size)", low=16, high=512, step=16, rehearsal=32,
                      group=FINE)
    stride: int = knob(1, "pixels between points rendered while it learns, shifted at every step; above 1 "
                       "it is quicker, and hairlines may stay between them", low=1, high=4, step=1,
                       rehearsal=1, group=FINE)
    w0: float = knob(30.0, "detail the first layer starts with: waves across the picture (theta_initial)",
                     low=1, high=200, step=1, group=FINE)
    theta: float = knob(30.0, "how quickly the deeper layers bend (theta_hidden)", low=1, high=200, step=1,
                        group=FINE)
    averaging: float = knob(0.3, "how much the mean of all looks counts against each look (averaging_weight)",
                            low=0, high=1, step=0.05, live=True, group=FINE)
    distance: str = knob("cosine", "how likeness is measured", choices=("spherical", "cosine"), live=True,
                         group=FINE)
    optimizer: str = knob("AdamP", "the rule by which it learns from a look (optimizer)",
                          choices=("Adam", "AdamW", "RAdam", "NAdam", "Adamax", "Adagrad", "RMSprop", "SGD",
                                   "AdamP", "DiffGrad"), group=FINE)
    prime_steps: int = knob(200, "steps to learn init_image before painting (start_image_train_iters)", low=1,
                            high=5000, step=1, rehearsal=3, group=FINE)
    prime_rate: float = knob(3e-4, "how boldly it learns init_image (start_image_lr)", low=1e-6, high=1e-2,
                             step=1e-6, group=FINE)
    story: str = knob("off", "tell a long prompt as a story: a window of words that moves on, or sentence by "
                      "sentence (create_story)", choices=("off", "words", "sentences"), group=FINE)
    story_start: int = knob(5, "words in the first window (story_start_words)", low=1, high=50, step=1,
                            group=FINE)
    story_words: int = knob(5, "words that join per scene (story_words_per_epoch)", low=1, high=50, step=1,
                            group=FINE)
    story_separator: str = knob(".", "what ends a sentence (story_separator)", group=FINE)

    def check(self):
        super().check()
        if self.story == "sentences" and not self.story_separator:
            raise Refused("story_separator is empty", "it is what ends a sentence", "try '.'")
        if self.story != "off" and not self.prompts.strip():
            raise Refused("prompts is empty", "a story needs words", "try a few sentences")

    def tells(self):
        return self.story != "off" or super().tells()


def paint(settings, state=None):
    """A Painting of these settings, from the beginning or a saved state."""
    from helpers.networks.siren import Siren
    from helpers.precision import number_type
    from helpers.systems import optimizing, wiring

    studio = wiring.Studio(settings)
    half = number_type(studio.device, narrow=False)     # float16 would lose the slopes of its weights
    canvas = Siren(settings.height, settings.width, settings.hidden, settings.layers, settings.w0,
                   settings.theta, studio.rng, half, settings.stride).to(studio.device)
    if studio.thrift.plan.recompute:
        canvas.saved = 0

    made = optimizing.painting(settings, studio, studio.masked(canvas, settings), state,
                           told=lambda settings: chapters(settings, studio.eyes[0]))
    if studio.start is not None:
        primed = canvas.approach(studio.rough(settings), settings.prime_steps, settings.prime_rate)
        made.opening = (f"init_image: step {step} of {settings.prime_steps} towards it" for step in primed)
    return made


def chapters(settings, eye):
    """The scenes of a story told word by word or sentence by sentence; None where none is told."""
    from helpers import prompts
    if settings.story == "off":
        return None
    if settings.story == "words":
        texts = prompts.windows(settings.prompts, settings.story_words, eye.count_tokens, eye.room,
                                settings.story_start)
    else:
        texts = [part.strip() for part in settings.prompts.split(settings.story_separator) if part.strip()]
    return [[prompts.Prompt(text)] for text in texts]
