"""Clouds: soft random pictures to begin with, made of noise at many scales.

    start = perlin(512, 512, "mixed", rng)      # (1, 3, 512, 512) in [0, 1]
"""

import torch
from torch import Tensor


def perlin(height: int, width: int, mode: str, rng: torch.Generator) -> Tensor:
    """Disco Diffusion's start: half of it from a lattice of 1 x 1 in 12 octaves, half from one of 4 x 4 in 8.
    mode: both in "color", both "gray", or the first in color and the second gray ("mixed").

    Its octaves double; those finer than a pixel are left out, as they would only average to gray.
    """
    coarse = cloud(height, width, 1, 12, 1 if mode == "gray" else 3, rng)
    fine = cloud(height, width, 4, 8, 3 if mode == "color" else 1, rng)
    return (coarse + fine)[None].expand(1, 3, -1, -1) / 2


def cloud(height: int, width: int, lattice: int, octaves: int, colors: int, rng: torch.Generator) -> Tensor:
    """(colors, height, width) in [0, 1], each stretched to reach both: sums of Perlin noise, each octave
    twice as fine and 2/3 as strong as the one before."""
    total, strength = torch.zeros(colors, height, width), 1.0
    for octave in range(octaves):
        cells = lattice * 2**octave
        if octave and cells > max(height, width):
            break
        total += strength * gradients(height, width, cells, colors, rng)
        strength /= 1.5
    low, high = (extreme((1, 2), keepdim=True) for extreme in (total.amin, total.amax))
    return (total - low) / (high - low).clamp(min=1e-6)


def gradients(height: int, width: int, cells: int, colors: int, rng: torch.Generator) -> Tensor:
    """Perlin noise (1985; the smooth step of 2002) over cells x cells: at each corner a random direction."""
    angle = 2 * torch.pi * torch.rand(colors, cells + 1, cells + 1, generator=rng)
    y, x = (torch.arange(side) * cells / side for side in (height, width))
    top, left = y.floor().long(), x.floor().long()
    down, right = (y - top)[:, None], (x - left)[None]
    out = []
    for below in (0, 1):
        for beside in (0, 1):
            turn = angle[:, top + below][:, :, left + beside]
            out.append(turn.cos() * (right - beside) + turn.sin() * (down - below))
    across, along = (t * t * t * (t * (t * 6 - 15) + 10) for t in (right, down))
    return torch.lerp(torch.lerp(out[0], out[1], across), torch.lerp(out[2], out[3], across), along)
