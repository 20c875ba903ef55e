"""Prompts: how far every look at the picture is from what it should be, in a perceptor's eyes.

Targets are words, pictures or noise, all of them rows in the perceptor's space with a weight and a stop:

    targets = words(perceptor, prompts.parse("fog | neon:0.5 | text:-0.3")) + images(perceptor, [(photo,
    0.5)]) guide = Prompts(perceptor, Cutouts(perceptor.size, rng=rng), targets)
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from helpers.cutouts import Cutouts, at
from helpers.errors import Refused
from helpers.guides.base import Guide
from helpers.world.words import rivals

SHARPNESS = 30.0        # of the comparison with rivals; CLIP learns 100, small perceptors stay near this


@dataclass(frozen=True)
class Targets:
    """`rows` (p, d) of unit length; `weights` (p,), below 0 pushes away; `stops` (p,), -inf never stops.

    A target stops pulling once its distance is below its stop; one that pushes stops beyond -stop.
    """

    rows: Tensor
    weights: Tensor
    stops: Tensor
    rivals: tuple = ()      # of (weight, row (1, d), rows (m, d)): a text, and what it must not be taken for

    def __add__(self, other):
        names = ("rows", "weights", "stops")
        joined = [torch.cat([getattr(self, name), getattr(other, name)]) for name in names]
        return Targets(*joined, self.rivals + other.rivals)


def targets(rows, weights, stops=None):
    stops = [None] * len(weights) if stops is None else stops
    numbers = torch.tensor([float("-inf") if stop is None else float(stop) for stop in stops])
    weights = torch.tensor([float(weight) for weight in weights])
    return Targets(F.normalize(rows.float(), dim=-1), weights.to(rows.device), numbers.to(rows.device))


@torch.no_grad()
def words(perceptor, prompts, distance="spherical"):
    """Targets of text; `prompts` are Prompt(text, weight, stop).

    Where it is known how near real pictures come to their sentences, that is the stop of a prompt without
    one: nearer still is only what fools the perceptor.
    """
    rows, real = perceptor.encode_text([prompt.text for prompt in prompts]), None
    if perceptor.likeness is not None:
        real = real_distance(perceptor.likeness, distance)
    stops = [real if prompt.stop is None and prompt.weight > 0 else prompt.stop for prompt in prompts]
    found = targets(rows, [prompt.weight for prompt in prompts], stops)
    told = []
    for prompt, row in zip(prompts, found.rows, strict=True):
        others = rivals(prompt.text) if prompt.weight > 0 and perceptor.small else []
        if others:
            told.append((prompt.weight, row[None], perceptor.encode_text(others)))
    return replace(found, rivals=tuple(told))


@torch.no_grad()
def images(perceptor, pictures):
    """Targets of pictures [((1, 3, h, w), weight, stop), ...]: each the mean of whole and square looks at
    it."""
    rows = []
    for picture, *_ in pictures:
        looks = Cutouts(perceptor.size, overview=4, crops=0, rng=torch.Generator().manual_seed(0))(picture)
        rows.append(perceptor.encode_image(looks).mean(0))
    return targets(torch.stack(rows), [weight for _, weight, *_ in pictures],
                   [more[0] if more else None for _, _, *more in pictures])


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


class Prompts(Guide):
    """Mean over looks of the weighted distance to each target.

    `averaging`: the part of the loss taken from the mean of all looks rather than from each (DeepDaze's
    averaging_weight).
    """

    def __init__(self, perceptor, cutouts, targets, distance="spherical", averaging=0.0, rivalry=0.0):
        super().__init__()
        self.perceptor, self.cutouts = perceptor.requires_grad_(False), cutouts
        self.distance, self.averaging = DISTANCES[distance], averaging
        self.targets, self.rivalry = targets, rivalry
        self.in_flight = None           # looks encoded at once; None = all of them

    def forward(self, image, progress=0.0):
        looks = self.encode(self.cutouts(image, progress)).float()
        each = self.penalty(looks)
        if self.averaging > 0:
            means = looks.unflatten(0, (-1, len(image))).mean(0)        # of each picture's looks
            each = torch.lerp(each, self.penalty(means), self.averaging)
        rivalry = at(self.rivalry, progress)
        return each + rivalry * self.confusion(looks) if rivalry else each

    def confusion(self, looks):
        """How easily looks are taken for a rival: the contrastive loss, per prompt."""
        looks, total = F.normalize(looks, dim=-1), looks.new_zeros(())
        for weight, row, rows in self.targets.rivals:
            odds = SHARPNESS * looks @ torch.cat([row, rows]).T
            total = total - weight * odds.log_softmax(-1)[:, 0].mean()
        return total / SHARPNESS

    def penalty(self, looks):
        aim = self.targets
        away = self.distance(F.normalize(looks, dim=-1)[:, None], aim.rows[None]) * aim.weights.sign()
        # the value reported is the true distance; the gradient is that of max(distance, stop): none once it
        # is enough
        enough = torch.maximum(away, aim.stops)
        return ((enough + (away - enough).detach()) * aim.weights.abs()).sum(1).mean()

    def encode(self, looks):
        if self.in_flight is None or self.in_flight >= len(looks):
            self.seen = len(looks)
            return self.perceptor.encode_image(looks)
        parts = [checkpoint(self.perceptor.encode_image, part, use_reentrant=False)
                 for part in looks.split(self.in_flight)]
        return torch.cat(parts)

    def economize(self):
        """Halve the looks in flight; each part is then encoded again on the way back instead of being
        remembered."""
        now = self.in_flight or getattr(self, "seen", 0) or 32
        if now <= 1:
            return False
        self.in_flight = now // 2
        return True
