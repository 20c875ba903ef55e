"""Knobs of every system whose canvas is moved by an optimizer: how boldly, and by which rule."""

from dataclasses import dataclass

from helpers.settings import knob
from helpers.systems.guided import FINE, Guided

OPTIMIZERS = ("Adam", "AdamW", "RAdam", "NAdam", "Adamax", "Adagrad", "RMSprop", "SGD", "AdamP", "DiffGrad")


@dataclass(frozen=True, kw_only=True)
class Optimized(Guided):
    """The pace of painting."""

    learning_rate: str = knob(0, "how boldly each step paints; 0 is what suits the canvas (lr, step_size)",
                              low=0, high=10, kind="schedule", live=True, group=FINE)
    optimizer: str = knob("Adam", "the rule by which it learns from a look (opt)", choices=OPTIMIZERS,
                          group=FINE)
    patience: int = knob(0, "halve the pace after so many steps without progress, 0 never (adaptiveLR)",
                         low=0, high=1000, step=1, group=FINE)
    weight_decay: float = knob(0.0, "pull of all parameters toward zero (weight_decay)", low=0, high=1,
                               step=0.001, group=FINE)
    ema: float = knob(0.8, "show a running mean of the last steps: 0 off, 0.99 long (ema_decay)", low=0,
                      high=0.999, step=0.001, group=FINE)
    prior: str = knob(15, "how closely to follow a diffusion of the same words that paints beside, 0 paints "
                      "without", low=0, high=1000, kind="schedule", live=True, group=FINE)
    prior_model: str = knob("auto", "its network: of the catalogue or your own file, nothing for none; auto "
                            "is the built-in one beside built-in perceptors, none beside others", group=FINE)
