"""One picture that tells how a GAN is doing: what it paints, how much of its world that is, and where from.

    image = chart([Signs(…), …], "4000 pictures", minutes=3)       # (1, 3, 672, 768) in [0, 1]
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...images import grid

PAPER, INK, FAINT, RULES = "#fafaf8", "#282828", "#777770", "#e4e4de"
SAMPLES, TRAINED, NEW = "#c8325a", "#2c62d6", "#e08a1e"
WIDE, HIGH = 768, 672               # pixels
ACROSS, DOWN, COUPLES = 9, 8, 12    # samples in a row, rows of them; samples beside their nearest
STRIDE = 17                         # from one of those to the next, so that they are of different kinds


@dataclass(frozen=True)
class Signs:
    """A look at a GAN after `minutes`. samples (n, 3, h, w), and for each the training picture nearest to it.

    kinds: how many kinds, pairs of thing and color, are seen in the samples, of those shown in the training
    pictures. apart: mean distance of samples to the nearest training picture; apart_new, of new real ones.
    The critic's mean answers: to pictures trained on, to new real ones, to samples.
    """

    minutes: float
    samples: Tensor
    nearest: Tensor
    kinds: int
    shown: int
    apart: float
    apart_new: float
    on_trained: float
    on_new: float
    on_samples: float

    def numbers(self) -> dict[str, float]:
        """For a Frame: coverage, distance (1 is that of new pictures), and the critic's three answers."""
        return {"coverage": self.kinds / self.shown, "distance": self.apart / self.apart_new,
                "trained": self.on_trained, "new": self.on_new, "samples": self.on_samples}


def chart(history: list[Signs], heading: str, minutes: float) -> Tensor:
    """The last look in pictures, all of them as lines over `minutes`: (1, 3, 672, 768) in [0, 1]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure, now = Figure((WIDE / 100, HIGH / 100), dpi=100, facecolor=PAPER), history[-1]
    canvas = FigureCanvasAgg(figure)
    figure.text(0.02, 0.966, heading, fontsize=11, weight="bold", color=INK)
    pictures(figure, 66, 407, now.samples[:ACROSS * DOWN], ACROSS,
             f"What it paints: {now.kinds} of {now.shown} kinds")
    couples = torch.stack([now.samples, now.nearest])[:, ::STRIDE][:, :COUPLES]
    pictures(figure, 459, 737, couples.flatten(0, 1), COUPLES,
             "Samples, and below each the training picture nearest to it: "
             f"{now.apart / now.apart_new:.0%} as far as that of a new picture")
    once = torch.cat([signs.samples[:1] for signs in history])
    pictures(figure, 614, 43 * len(once), once, len(once), "The first sample, from look to look")
    lines(figure, 98, "Kinds the judge sees", history, minutes,
          {"shown": (TRAINED, "in training pictures"), "kinds": (SAMPLES, "in samples")})
    lines(figure, 226, "Distance to the nearest training picture", history, minutes,
          {"apart_new": (NEW, "of new pictures"), "apart": (SAMPLES, "of samples")})
    lines(figure, 354, "How real, says the critic", history, minutes,
          {"on_trained": (TRAINED, "training pictures"), "on_new": (NEW, "new pictures"),
           "on_samples": (SAMPLES, "samples")})
    canvas.draw()
    pixels = torch.tensor(np.asarray(canvas.buffer_rgba()))[..., :3].float()
    return pixels.permute(2, 0, 1)[None] / 255


def placed(figure, left: float, top: float, width: float, height: float, **options):
    """Axes at a place given in pixels from the upper left corner."""
    return figure.add_axes((left / WIDE, 1 - (top + height) / HIGH, width / WIDE, height / HIGH), **options)


def pictures(figure, top: float, width: float, images: Tensor, columns: int, title: str):
    """(n, 3, h, w) in a grid of square cells."""
    axes = placed(figure, 16, top, width, width / columns * -(-len(images) // columns))
    axes.imshow(grid(images.float().cpu(), columns)[0].permute(1, 2, 0).numpy(), aspect="auto",
                interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, loc="left", fontsize=9.5, color=INK, pad=5)


def lines(figure, top: float, title: str, history: list[Signs], minutes: float, drawn: dict):
    """A chart of signs over time: {name: (color, what it is)}."""
    axes = placed(figure, 470, top, 270, 68, facecolor=PAPER)
    times = [signs.minutes for signs in history]
    for name, (color, words) in drawn.items():
        axes.plot(times, [getattr(signs, name) for signs in history], color=color, label=words, linewidth=2,
                  clip_on=False, solid_capstyle="round")
    axes.axhline(0, color=RULES, linewidth=0.8, zorder=0)       # 0 is always in sight
    axes.set_xlim(0, minutes)
    axes.xaxis.set_major_formatter("{x:g} min")
    axes.locator_params(axis="x", nbins=4)
    axes.locator_params(axis="y", nbins=3)
    axes.margins(y=0.1)
    axes.tick_params(labelsize=8, length=0, colors=FAINT)
    axes.grid(axis="y", color=RULES, linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.legend(fontsize=8.5, frameon=False, ncols=len(drawn), loc="lower left", bbox_to_anchor=(-0.03, 0.95),
                handlelength=0, handletextpad=0, columnspacing=1.2, labelcolor="linecolor", borderaxespad=0)
    axes.set_title(title, loc="left", fontsize=9.5, color=INK, pad=17)
