"""Denoisers of classes, as samplers and guides know them: (x, sigma) -> Guess."""

import torch
from torch import Tensor

from helpers.cutouts import at
from helpers.guidance import by_time
from helpers.samplers import Guess


class Of:
    """A network of classes, painting the ones of `numbers` (n,)."""

    def __init__(self, net, numbers):
        self.net, self.process, self.numbers = net, net.process, numbers

    def __call__(self, x, sigma) -> Guess:
        return self.net(x, sigma, self.numbers)


class Classed:
    """A denoiser of classes that is led from anything at all to the ones that are wanted (classifier-free
    guidance; Ho and Salimans 2022; of several classes and away from some: Liu et al. 2022).

    net: (x, sigma, classes) -> Guess, its last class being anything. wanted: progress -> how much each class
    is wanted, (classes,), below 0 to be kept away from; or None for anything. scale: how far to go to them,
    1 being what the network takes one for; a number or a function of progress. The guess is

        anything + scale * sum of wanted[k] * (class k - anything).

    Leaves the papers: the slope of a guide goes back through the pass of the class that counts most, as if it
    were the whole guess, so that one has to be led back, however many there are.
    """

    def __init__(self, net, wanted=None, scale=1.0):
        self.net, self.wanted, self.scale, self.process = net, wanted, scale, net.process
        self.pace = by_time(net.process)

    def __call__(self, x: Tensor, sigma: float) -> Guess:
        shares = self.shares(float(self.pace(sigma)))
        first, *others = sorted(shares, key=shares.get, reverse=True)
        guess = self.told(x, sigma, first)
        with torch.no_grad():
            led = (shares[first] - 1) * guess.clean
            for number in others:
                led += shares[number] * self.told(x, sigma, number).clean
        return guess._replace(clean=guess.clean + led)

    def told(self, x, sigma, number):
        """What the network sees where it is told this class."""
        return self.net(x, sigma, torch.full((len(x),), number, device=x.device))

    def shares(self, progress):
        """class -> its share of the guess; all sum to 1, and none is nothing but rounding."""
        anything = self.net.classes - 1
        wanted = self.wanted(progress).tolist() if self.wanted else []
        shares = {number: at(self.scale, progress) * share for number, share in enumerate(wanted)}
        shares[anything] = shares.get(anything, 0) + 1 - sum(shares.values())
        return {number: share for number, share in shares.items() if abs(share) > 1e-6}
