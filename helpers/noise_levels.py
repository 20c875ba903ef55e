"""Noise levels: where a picture stands between noise and clean.

Everywhere here a noisy picture is x = picture + sigma * noise ("variance exploding"). ADM networks were
trained on the same at another scale, sqrt(ab) * picture + sqrt(1 - ab) * noise, where ab falls from 1 as the
timestep rises: that is x / sqrt(1 + sigma^2), and sigma = sqrt((1 - ab) / ab).

    process = Process(linear_betas())
    levels = process.respaced(250)      # (251,), falling, the last one 0; levels[10:] skips 10 steps
    process.time(levels[0])             # the timestep that a network is told: 996
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, repeat

import numpy as np
import torch
from torch import Tensor

from .errors import Refused


def linear_betas(count: int = 1000) -> Tensor:
    """(count,) float64: the share of noise that each timestep adds, rising in a line (Ho et al. 2020), scaled
    so that any count ends as noisy."""
    return _line(1e-4, 0.02, count) * (1000 / count)


def cosine_betas(count: int = 1000) -> Tensor:
    """(count,) float64: the shares that let ab fall as a squared cosine (Nichol and Dhariwal 2021, eq. 17),
    none above 0.999."""
    edges = _line(0, 1, count + 1)
    kept = ((edges + 0.008) / 1.008 * (math.pi / 2)).cos().square()
    return (1 - kept[1:] / kept[:-1]).clamp(max=0.999)


@dataclass(frozen=True, eq=False)
class Process:
    """The noise that a network was trained under. betas: (count,) on the CPU, between 0 and 1, or Refused."""

    betas: Tensor

    def __post_init__(self):
        low, high = float(self.betas.min()), float(self.betas.max())
        if not 0 < low <= high < 1:
            raise Refused(f"betas go from {low:g} to {high:g}", "they lie between 0 and 1",
                          "try a schedule of 1000 timesteps")

    @cached_property
    def sigmas(self) -> Tensor:
        """(count,) float64, the level of each timestep, rising."""
        kept = (1 - self.betas.double()).cumprod(0)
        return ((1 - kept) / kept).sqrt()

    @cached_property
    def _logs(self) -> np.ndarray:
        return np.log(self.sigmas.numpy())

    def sigma(self, time: float | Tensor) -> float | Tensor:
        """The level at a timestep, between two in a line of log sigma, held outside 0..count - 1. Of a number
        a number, of a tensor one of float64 on the CPU."""
        return _like(time, np.exp(np.interp(_numbers(time), np.arange(len(self.betas)), self._logs)))

    def time(self, sigma: float | Tensor) -> float | Tensor:
        """The timestep of a level, 0..count - 1: the inverse of `sigma`, 0 included."""
        inside = _numbers(sigma).clip(float(self.sigmas[0]), float(self.sigmas[-1]))
        return _like(sigma, np.interp(np.log(inside), self._logs, np.arange(len(self.betas))))

    def respaced(self, steps: int) -> Tensor:
        """(steps + 1,) levels of the package's "ddim{steps}", the last one 0; Refused outside 1..count.

        As the notebooks of 2021 asked for it: the same schedule over the largest multiple of `steps`
        timesteps up to count, and of those every s-th, from 0 up. Where that multiple is not count, a network
        is still told the timestep of its own process (`time`), up to 5 off what the package tells it.
        """
        multiple = self._over(len(self.betas) // self._checked(steps) * steps).sigmas
        times = [i * len(multiple) // steps for i in range(steps)]
        return self._falling(multiple[times])

    def even(self, steps: int) -> Tensor:
        """(steps + 1,) falling levels of the package's plain "{steps}", the last one 0; Refused outside
        1..count."""
        stride = (len(self.betas) - 1) / max(self._checked(steps) - 1, 1)
        times = accumulate(repeat(stride, steps - 1), initial=0.0)  # summed, so that halves round as there
        return self._falling(self.sigmas[[round(time) for time in times]])

    def _checked(self, steps: int) -> int:
        count = len(self.betas)
        if not 1 <= steps <= count:
            raise Refused(f"steps is {steps}", f"it goes from 1 to {count}",
                          f"try {min(max(steps, 1), count)}")
        return steps

    def _over(self, count: int) -> "Process":
        """The same schedule over so many timesteps; betas of an unknown one stay as they are."""
        for schedule in (linear_betas, cosine_betas):
            if torch.equal(schedule(len(self.betas)), self.betas.double()):
                return Process(schedule(count))
        return self

    def _falling(self, levels: Tensor) -> Tensor:
        """One step has all the way to go, while in the package "ddim1" fails and "1" begins at the lowest."""
        levels = levels.flip(0) if len(levels) > 1 else self.sigmas[-1:]
        return torch.cat([levels, levels.new_zeros(1)])


def karras(steps: int, low: float, high: float, rho: float = 7.0) -> Tensor:
    """(steps + 1,) float64 levels falling from high to low (Karras et al. 2022, eq. 5), and the last one 0;
    rho: the larger, the more of them are low. Refused unless steps >= 1 and 0 < low < high."""
    if steps < 1:
        raise Refused(f"steps is {steps}", "it is at least 1", "try 30")
    if not 0 < low < high < math.inf:
        raise Refused(f"levels go from {high:g} to {low:g}", "they fall and stay above 0",
                      "try from 80 to 0.01")
    levels = _line(high ** (1 / rho), low ** (1 / rho), steps) ** rho
    return torch.cat([levels, levels.new_zeros(1)])


def _line(start: float, end: float, count: int) -> Tensor:
    """On the CPU, also where a network is just being built on another device."""
    return torch.linspace(start, end, count, dtype=torch.float64, device="cpu")


def _numbers(given: float | Tensor) -> np.ndarray:
    return torch.as_tensor(given, dtype=torch.float64, device="cpu").numpy()


def _like(given: float | Tensor, read: np.ndarray) -> float | Tensor:
    return torch.as_tensor(read) if isinstance(given, Tensor) else float(read)
