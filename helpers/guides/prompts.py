"""Prompts: how far every look at the picture is from what it should be, in a perceptor's eyes.

    guide = Prompts(perceptor, Cutouts(perceptor.size, rng=rng), targets)       # see targets.py
"""

import torch
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from helpers.cutouts import at
from helpers.guides.base import Guide
from helpers.guides.targets import DISTANCES

SHARPNESS = 30.0        # of the comparison with rivals; CLIP learns 100, small perceptors stay near this


class Prompts(Guide):
    """Mean over looks of the weighted distance to each target.

    `averaging`: the part of the loss taken from the mean of all looks rather than from each (DeepDaze's
    averaging_weight). `in_flight`: looks encoded at once, None for all; each part of more is encoded again on
    the way back.
    """

    def __init__(self, perceptor, cutouts, targets, distance="spherical", averaging=0.0, rivalry=0.0,
                 in_flight=None):
        super().__init__()
        self.perceptor, self.cutouts = perceptor.requires_grad_(False), cutouts
        self.distance, self.averaging = DISTANCES[distance], averaging
        self.targets, self.rivalry, self.in_flight = targets, rivalry, in_flight

    def asks(self, image, progress=0.0):
        looks = (yield self.encode, self.cutouts(image, progress)).float()
        each = self.penalty(looks, progress)
        if self.averaging > 0:
            means = looks.unflatten(0, (-1, len(image))).mean(0)        # of each picture's looks
            each = torch.lerp(each, self.penalty(means, progress), self.averaging)
        rivalry = at(self.rivalry, progress)
        return each + rivalry * self.confusion(looks, progress) if rivalry else each

    def confusion(self, looks, progress=0.0):
        """How easily looks are taken for a rival: a contrastive loss for each thing, color, place and sky
        that a prompt names, so that a missing thing does not outweigh a wrong place."""
        looks, total = F.normalize(looks, dim=-1), looks.new_zeros(())
        for weight, row, rows in self.targets.rivals:
            odds = SHARPNESS * looks @ torch.cat([row, rows]).T
            total = total - at(weight, progress) * odds.log_softmax(-1)[:, 0].mean()
        return total / SHARPNESS

    def penalty(self, looks, progress=0.0):
        aim, weights = self.targets, self.targets.now(progress)
        away = self.distance(F.normalize(looks, dim=-1)[:, None], aim.rows[None]) * aim.weights.sign()
        # the value reported is the true distance; the gradient is that of max(distance, stop): none once it
        # is enough
        enough = torch.maximum(away, aim.stops)
        return ((enough + (away - enough).detach()) * weights.abs()).sum(1).mean()

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
