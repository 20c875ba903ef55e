"""Samplers: ways from noise to a picture, step by step down a stair of noise levels.

    for state in SAMPLERS["ddim"](denoise, x, levels, noise, eta=0.8):
        state.x                 # picture + levels[state.step] * noise
        state.guess             # the clean picture that was seen at the beginning of this step

A sampler knows nothing of networks and guides but `denoise(x, sigma: float) -> Guess`, and no chance but
`noise(step) -> tensor like x`, which those without chance never ask. So going on from a State, with
start=state.step and memory=state.memory, paints the same picture bit for bit. `levels` fall, the last is 0;
x, at levels[start], is of any floating dtype and stays as it was. Numbers are reckoned in double precision.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from .errors import Refused


class Guess(NamedTuple):
    """What a denoiser takes x for. clean: like x. variance: like x, where the network learned it: the place
    (0..1) of a step's log variance between the posterior's and beta's (Nichol and Dhariwal 2021, eq. 15)."""

    clean: Tensor
    variance: Tensor | None = None


class State(NamedTuple):
    """After a step, counted from 1: x at levels[step], guess the clean picture seen before it, and what going
    on needs beside them."""

    step: int
    x: Tensor
    guess: Tensor
    memory: tuple = ()


# Adams-Bashforth: the weights of the latest slopes, newest first.
LATEST = {1: (1,), 2: (3 / 2, -1 / 2), 3: (23 / 12, -16 / 12, 5 / 12),
          4: (55 / 24, -59 / 24, 37 / 24, -9 / 24)}


@torch.no_grad()
def ddim(denoise, x, levels, noise, *, start=0, memory=(), eta=0.0):
    """Song et al. 2021, eq. 12. eta: how much noise is drawn anew, from none to an ancestral step's at 1; the
    negative ones of old settings turn its sign. Refused outside -1..1."""
    if not -1 <= eta <= 1:
        raise Refused(f"eta is {eta:g}", "it goes from -1 to 1", "try 1")
    for step, high, low in stair(levels, start):
        clean = denoise(x, high).clean.detach()
        kept = low / high
        fresh = eta * math.sqrt(1 - kept**2)
        old = math.sqrt(1 - eta**2 + (eta * kept) ** 2)     # sqrt(1 - fresh^2), but never of less than 0
        x = clean + (x - clean) * (kept * old)
        if low * fresh:
            x = x + low * fresh * noise(step)
        yield State(step, x, clean)


def euler(denoise, x, levels, noise, *, start=0, memory=()):
    """Euler's steps along the probability flow (Karras et al. 2022): they are DDIM's without chance."""
    return ddim(denoise, x, levels, noise, start=start)


@torch.no_grad()
def ddpm(denoise, x, levels, noise, *, start=0, memory=()):
    """Ancestral steps (Ho et al. 2020), with the variance that the network learned, else the posterior's."""
    for step, high, low in stair(levels, start):
        clean, variance = denoise(x, high)
        clean = clean.detach()
        x = clean + (x - clean) * (low / high) ** 2
        if low:
            x = x + spread(variance, high, low) * noise(step)
        yield State(step, x, clean)


def spread(variance: Tensor | None, high: float, low: float) -> float | Tensor:
    """Standard deviation of an ancestral step from level high to low."""
    least = low * math.sqrt(1 - (low / high) ** 2)                  # squared, the posterior's variance
    if variance is None:
        return least
    ratio = math.log((1 + low**-2) / (1 + high**-2))                # of beta to that, as a logarithm
    return (math.log(least) + ratio / 2 * variance).exp()


@torch.no_grad()
def heun(denoise, x, levels, noise, *, start=0, memory=()):
    """Karras et al. 2022, algorithm 1: of second order, at two looks a step, one in the last."""
    for step, high, low in stair(levels, start):
        clean = denoise(x, high).clean.detach()
        x = improved(denoise, x, clean, high, low) if low else clean
        yield State(step, x, clean)


def improved(denoise, x: Tensor, clean: Tensor, high: float, low: float) -> Tensor:
    """x after a step by the mean of the slopes at its two ends, where `clean` is what x is taken for."""
    ahead = clean + (x - clean) * (low / high)
    slope = (x - clean) / high + (ahead - denoise(ahead, low).clean) / low
    return x + (low - high) / 2 * slope


@torch.no_grad()
def plms(denoise, x, levels, noise, *, start=0, memory=(), order=2):
    """Liu et al. 2022 with steps of Adams and Bashforth. order: slopes in use, 1..4, or Refused; memory: the
    latest ones. The first step is one of Heun's, not Runge-Kutta's, and the last is DDIM's (Crowson 2022).
    Its weights are those of equal steps: where steps change abruptly it is only of first order."""
    if order not in LATEST:
        raise Refused(f"order is {order}", "it is 1, 2, 3 or 4", "try 2")
    for step, high, low in stair(levels, start):
        clean = denoise(x, high).clean.detach()
        slopes = ((x - clean) / high, *memory)[:order]
        if not low:
            x = clean
        elif memory or order == 1:
            slope = sum(w * s for w, s in zip(LATEST[len(slopes)], slopes, strict=True))
            x = x + (low - high) * slope
        else:
            x = improved(denoise, x, clean, high, low)
        memory = slopes[:order - 1]
        yield State(step, x, clean, memory)


def dpmpp_2m(denoise, x, levels, noise, *, start=0, memory=()):
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2): dpmpp_2m_sde without chance."""
    return dpmpp_2m_sde(denoise, x, levels, noise, start=start, memory=memory, eta=0.0)


@torch.no_grad()
def dpmpp_2m_sde(denoise, x, levels, noise, *, start=0, memory=(), eta=1.0):
    """SDE-DPM-Solver++(2M) (Lu et al. 2022). eta: the pace at which noise is drawn anew, 1 in the paper,
    Refused below 0; memory: the clean picture before, and its level. The last step, endless in log sigma, is
    of first order."""
    if not 0 <= eta < math.inf:
        raise Refused(f"eta is {eta:g}", "it is 0 or more", "try 1")
    for step, high, low in stair(levels, start):
        clean = aim = denoise(x, high).clean.detach()
        if memory and low:
            before, above = memory
            aim = clean + (clean - before) * (math.log(high / low) / math.log(above / high) / 2)
        kept = low / high
        x = aim + (x - aim) * kept ** (1 + eta)
        fresh = math.sqrt(1 - kept ** (2 * eta))
        if low * fresh:
            x = x + low * fresh * noise(step)
        memory = (clean, high)
        yield State(step, x, clean, memory)


def stair(levels, start: int) -> list[tuple[int, float, float]]:
    """Each step after `start`, from which level and to which; Refused unless they fall to 0."""
    levels = [float(level) for level in levels]
    falling = all(math.inf > high > low for high, low in pairwise(levels))
    if len(levels) < 2 or not falling or levels[-1] != 0:
        raise Refused("the noise levels do not fall to 0", "each is below the one before and the last is 0",
                      "try noise_levels.karras(30, 0.01, 80)")
    if not 0 <= start < len(levels):
        raise Refused(f"start is {start}", f"it goes from 0 to {len(levels) - 1}", "try 0")
    return [(step + 1, *levels[step:step + 2]) for step in range(start, len(levels) - 1)]


# By name. What is keyword-only in a signature, beside start and memory, is an option.
SAMPLERS = {"ddim": ddim, "plms": plms, "ddpm": ddpm, "euler": euler, "heun": heun, "dpmpp_2m": dpmpp_2m,
            "dpmpp_2m_sde": dpmpp_2m_sde}
