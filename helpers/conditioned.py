"""Denoisers of classes, as samplers and guides know them: (x, sigma) -> Guess."""

from functools import partial

import torch
from torch import Tensor

from helpers.abreast import abreast
from helpers.cutouts import at
from helpers.guidance import by_time
from helpers.samplers import Guess


class Of:
    """A network of classes, painting the ones of `numbers` (n,)."""

    def __init__(self, net, numbers):
        self.net, self.process, self.numbers = net, net.process, numbers

    def __call__(self, x, sigma) -> Guess:
        return self.net(x, sigma, self.numbers)


DRAWN = -1      # the number that stands for each picture's own class


class Classed:
    """A denoiser of classes that is led from anything at all to the ones that are wanted (classifier-free
    guidance; Ho and Salimans 2022; of several classes and away from some: Liu et al. 2022).

    net: (x, sigma, classes) -> Guess, its last class being anything. wanted: progress -> how much each class
    is wanted in each quarter of the picture, (classes, 2, 2), below 0 to be kept away from; or None for the
    class that was `drawn` for each picture, (n,), or, if none were, for anything. scale: how far to go to
    them, 1 being what the network takes one for; a number or a function of progress. In each spot the guess
    is

        anything + scale * sum of wanted[k] * (class k - anything).

    Leaves the papers: the slope of a guide goes back through the pass of the class that counts most, as if it
    were the whole guess, so that one has to be led back, however many there are.
    """

    def __init__(self, net, wanted=None, scale=1.0):
        self.net, self.wanted, self.scale, self.process = net, wanted, scale, net.process
        self.pace, self.drawn = by_time(net.process), None

    def __call__(self, x: Tensor, sigma: float) -> Guess:
        shares = self.shares(x.shape, float(self.pace(sigma)))
        first, *others = sorted(shares, key=lambda number: shares[number].mean().item(), reverse=True)
        shares = {number: share.to(x) for number, share in shares.items()}
        guess, *rest = abreast([lambda: self.told(x, sigma, first),
                                *(partial(self.glimpse, x, sigma, number) for number in others)], x)
        with torch.no_grad():
            led = (shares[first] - 1) * guess.clean
            for number, clean in zip(others, rest, strict=True):
                led += shares[number] * clean
        return guess._replace(clean=guess.clean + led)

    @torch.no_grad()
    def glimpse(self, x, sigma, number):
        """What it sees then, without a way back."""
        return self.told(x, sigma, number).clean

    def told(self, x, sigma, number):
        """What the network sees where it is told this class."""
        numbers = self.drawn if number == DRAWN else torch.full((len(x),), number)
        return self.net(x, sigma, numbers.to(x.device))

    def wishes(self, progress):
        """Each class that is wanted, and how much in each quarter of the picture."""
        if self.wanted:
            rows = self.wanted(progress)
            return [(number, rows[number]) for number in rows.flatten(1).any(1).nonzero().flatten().tolist()]
        return [] if self.drawn is None else [(DRAWN, torch.ones(2, 2))]

    def shares(self, shape, progress):
        """class -> its share of the guess in each spot, (h, w), of a picture of this shape; all sum to 1, and
        none is nothing but rounding. On the CPU, as which classes to ask depends on them."""
        anything = self.net.classes - 1
        shares = {number: at(self.scale, progress) * spread(where, shape)
                  for number, where in self.wishes(progress)}
        rest = 1 - sum(shares.values(), spread(torch.zeros(2, 2), shape))
        shares[anything] = shares.get(anything, 0) + rest
        return {number: share for number, share in shares.items() if share.abs().max() > 1e-6}


def spread(quarters, shape):
    """What holds in each quarter (2, 2) -> what holds in each spot of a picture of this shape, (h, w): one
    goes over into the next in a fifth of the side."""
    upper, left = ((0.5 + (0.5 - (torch.arange(n) + 0.5) / n) / 0.2).clamp(0, 1) for n in shape[-2:])
    down, across = torch.stack([upper, 1 - upper], 1), torch.stack([left, 1 - left])
    return down @ quarters @ across
