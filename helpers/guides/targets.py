"""Targets: words, pictures, noise or saved rows, as rows in a perceptor's space with a weight and a stop.

    targets = words(perceptor, prompts.parse("fog | neon:0.5")) + images(perceptor, [(photo, 0.5)])
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.cutouts import Cutouts, at
from helpers.errors import Refused
from helpers.guides.base import product
from helpers.world.words import rivals


@dataclass(frozen=True)
class Targets:
    """`rows` (p, d) of unit length; `weights` (p,), below 0 pushes away; `stops` (p,), -inf never stops.

    A target stops pulling once its distance is below its stop; one that pushes stops beyond -stop. `paces`,
    one for each or none, numbers or functions of progress that weights are multiplied by.
    """

    rows: Tensor
    weights: Tensor
    stops: Tensor
    rivals: tuple = ()      # of (weight, row (1, d), rows (m, d)): a text, and what it must not be taken for,
                            # differing in one thing, one color, the place or the sky: each counts by itself
    paces: tuple = ()

    def __add__(self, other):
        names = ("rows", "weights", "stops")
        joined = [torch.cat([getattr(self, name), getattr(other, name)]) for name in names]
        paces = tuple(pace for part in (self, other) for pace in part.paces or (1,) * len(part.weights))
        return Targets(*joined, self.rivals + other.rivals, paces if self.paces or other.paces else ())

    def now(self, progress):
        """The weights (p,) at this moment."""
        if not self.paces:
            return self.weights
        return self.weights * self.weights.new_tensor([at(pace, progress) for pace in self.paces])


def targets(rows, weights, stops=None):
    stops = [None] * len(weights) if stops is None else stops
    numbers = torch.tensor([float("-inf") if stop is None else float(stop) for stop in stops])
    weights = torch.tensor([float(weight) for weight in weights])
    return Targets(F.normalize(rows.float(), dim=-1), weights.to(rows.device), numbers.to(rows.device))


@torch.no_grad()
def words(perceptor, prompts, distance="spherical", paces=()):
    """Targets of text; `prompts` are Prompt(text, weight, stop). `paces`: see Targets.

    Where it is known how near real pictures come to their sentences, that is the stop of a prompt without
    one: nearer still is only what fools the perceptor.
    """
    rows, real = perceptor.encode_text([prompt.text for prompt in prompts]), None
    if perceptor.likeness is not None:
        real = real_distance(perceptor.likeness, distance)
    stops = [real if prompt.stop is None and prompt.weight > 0 else prompt.stop for prompt in prompts]
    found = targets(rows, [prompt.weight for prompt in prompts], stops)
    told = []
    for prompt, row, pace in zip(prompts, found.rows, paces or [1] * len(prompts), strict=True):
        for others in rivals(prompt.text) if prompt.weight > 0 and perceptor.small else []:
            told.append((product(prompt.weight, pace), row[None], perceptor.encode_text(others)))
    return replace(found, rivals=tuple(told), paces=tuple(paces))


def fuzzy(found, strength, rng, copies=25):
    """Targets each in `copies`, scattered by `strength` (Disco Diffusion's fuzzy_prompt, but without its cut
    at 0, which took half of every direction away)."""
    rows = found.rows.repeat(copies, 1)
    noise = torch.randn(rows.shape, generator=rng).to(rows)
    scattered = F.normalize(rows + strength * noise, dim=-1)
    return replace(found, rows=scattered, weights=found.weights.repeat(copies) / copies,
                   stops=found.stops.repeat(copies), paces=found.paces * copies)


@torch.no_grad()
def images(perceptor, pictures, paces=()):
    """Targets of pictures [((1, 3, h, w), weight, stop), ...]: each the mean of whole and square looks at
    it. `paces`: see Targets."""
    rows = []
    for picture, *_ in pictures:
        looks = Cutouts(perceptor.size, overview=4, crops=0, rng=torch.Generator().manual_seed(0))(picture)
        rows.append(perceptor.encode_image(looks).mean(0))
    found = targets(torch.stack(rows), [weight for _, weight, *_ in pictures],
                    [more[0] if more else None for _, _, *more in pictures])
    return replace(found, paces=tuple(paces))


@torch.no_grad()
def noises(perceptor, prompts):
    """Targets of pure chance [(seed, weight), ...]: directions nobody has a word for."""
    some = perceptor.encode_text(["noise"])
    rows = [torch.randn(some.shape[-1], generator=torch.Generator().manual_seed(seed)) for seed, _ in prompts]
    return targets(torch.stack(rows).to(some.device), [weight for _, weight in prompts])


def saved(perceptor, path):
    """Targets from a file of rows, .npy or .safetensors; those as long as this perceptor's count."""
    try:
        if str(path).endswith(".safetensors"):
            from safetensors.torch import load_file
            found = list(load_file(path).values())
        else:
            found = [torch.from_numpy(np.load(path, allow_pickle=False))]
        rows = [row for rows in found for row in rows.float().reshape(-1, rows.shape[-1])]
    except Exception as error:      # a broken file can raise anything at all inside the readers
        raise Refused(f"encoding '{path}' cannot be read", "it is a .npy or .safetensors file of rows",
                      "check the path") from error
    rows = [row for row in rows if len(row) == perceptor.dim and row.isfinite().all()]
    if not rows:
        raise Refused(f"encoding '{path}' has no row of {perceptor.dim} numbers",
                      f"that is how long those of {perceptor.name} are", "save it from the same perceptor")
    return targets(torch.stack(rows).to(perceptor.encode_text(["row"])), [1.0] * len(rows))


def spherical(x, y):
    """Half the squared great-circle distance between unit rows, as in VQGAN-CLIP: 2 asin(|x - y| / 2)^2."""
    return (x - y).norm(dim=-1).div(2).clamp(max=1 - 1e-6).arcsin().square().mul(2)


def cosine(x, y):
    """1 - cos, as in DeepDaze and BigSleep."""
    return 1 - (x * y).sum(-1)


DISTANCES = {"spherical": spherical, "cosine": cosine}


def real_distance(likeness, distance):
    """The distance of two unit rows whose cosine is `likeness`."""
    one, other = torch.tensor([1.0, 0.0]), torch.tensor([likeness, math.sqrt(1 - likeness**2)])
    return DISTANCES[distance](one, other).item()
