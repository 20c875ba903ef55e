"""Guidance: a denoiser that paints what a guide likes (Dhariwal and Nichol 2021; with CLIP: Crowson 2021).

    denoise = Guided(net, guide, scale=1000)
    for state in samplers.ddim(denoise, x, levels, noise): …        # a sampler never knows that it is guided

The guide looks at the clean picture that the noisy one is taken for. Its slope there, over all its looks, is
led back to the noisy picture by one vector-Jacobian product, however many perceptors and looks there were.
"""

import math

import torch
from torch import Tensor

from helpers.abreast import abreast
from helpers.cutouts import at
from helpers.samplers import Guess

WAYS = ("network", "secondary", "guess")


class Guided:
    """(x, sigma) -> Guess, x (n, 3, h, w) = picture + sigma * noise, the picture in [-1, 1].

    net: what paints, (x, sigma) -> Guess. scale: the guidance scale. secondary: a network to look through
    instead of `net` (helpers/networks/secondary.py). through: "network" leads the slope back through what
    paints, "secondary" through the other, "guess" nowhere: it is taken at the clean picture. batches: how
    often looks are drawn anew, for a mean of their slopes (cutn_batches). clamp: the largest root mean square
    of a slope, 0 for any (clamp_max). center: takes each color's mean off the slope. threshold: of every
    picture, the share of values that stay within [-1, 1] before it is scaled to fit, 1 for no scaling
    (Saharia et al. 2022). pace: (sigma) -> progress, by which scale, guide and the others may change. noisy:
    a guide on x itself, (x, sigma, progress) -> {name: loss}, whose slope is added unscaled (a classifier's).
    held: (picture in [-1, 1], mask (1, 1, h, w), 0 where the picture stays whatever is guessed).
    """

    def __init__(self, net, guide, *, scale=1000.0, secondary=None, through="network", batches=1, clamp=0.05,
                 center=False, threshold=1.0, pace=None, noisy=None, held=None):
        self.net, self.guide, self.scale, self.secondary, self.through = net, guide, scale, secondary, through
        self.batches, self.clamp, self.center, self.threshold = batches, clamp, center, threshold
        self.noisy, self.held = noisy, held
        self.torn = False           # was the last slope not a number? A tensor, once it is known
        self.resting = False        # is the guide not asked now?
        self.again = False          # does the last slope hold, without another look?
        self.led = False            # did anyone say which way, at the last step?
        self.pace = pace or by_time(net.process)
        self.losses = {}            # of the last step, by name
        self.plain = None           # the clean picture as it was before guidance, (n, 3, h, w)
        self.slope = None           # what was added to it, in the units of clamp

    def __call__(self, x: Tensor, sigma: float) -> Guess:
        progress = float(self.pace(sigma))
        if self.again:
            with torch.no_grad():
                return self.pulled(self.keep(self.net(x, sigma)), sigma, progress)
        self.losses, self.torn = {}, False
        scale = 0 if self.resting else at(self.scale, progress)
        self.led = bool(scale or self.noisy)
        if not scale and not self.noisy:
            guess = self.keep(self.net(x, sigma))
            self.plain, self.slope = guess.clean, torch.zeros_like(x)
            return guess._replace(clean=fitted(guess.clean, at(self.threshold, progress)))
        size = math.sqrt(1 + sigma**2)
        small = (x / size).detach().requires_grad_()        # variance preserved: the unit of the originals
        with torch.enable_grad():
            if scale:
                guess, seen = self.look(small, sigma, size)
                wish = scale * self.wish(seen.detach(), progress)
                slope = sum(abreast([lambda: self.led_back(wish, seen, small),
                                     lambda: self.warned(small, sigma, size, progress)], x))
            else:
                slope = self.warned(small, sigma, size, progress)
                with torch.no_grad():
                    guess = self.keep(self.net(x, sigma))
        self.slope = self.tamed(slope, progress)
        return self.pulled(guess, sigma, progress)

    def pulled(self, guess, sigma, progress):
        """The guess, moved against the slope."""
        self.plain = guess.clean.detach()
        moved = self.plain - sigma**2 / math.sqrt(1 + sigma**2) * self.slope
        clean = fitted(moved, at(self.threshold, progress))
        return self.keep(Guess(clean, None if guess.variance is None else guess.variance.detach()))

    def led_back(self, wish, seen, small):
        """The slope at the noisy picture of what is wished of the one that is seen."""
        return wish if self.through == "guess" else torch.autograd.grad(seen, small, wish)[0]

    def keep(self, guess):
        """The guess, with the picture where the mask is black."""
        if self.held is None:
            return guess
        picture, mask = self.held
        return guess._replace(clean=picture + mask * (guess.clean - picture))

    def warned(self, small, sigma, size, progress):
        """The slope of the guide on the noisy picture itself; none without one."""
        if not self.noisy:
            return torch.zeros_like(small)
        leaf = small.detach().requires_grad_()
        losses = self.noisy(leaf * size, sigma, progress)
        self.losses |= {name: loss.detach() / len(small) for name, loss in losses.items()}
        return self.sound(torch.autograd.grad(sum(losses.values()), leaf)[0])

    def sound(self, slope):
        """The slope, or none where it is not a number; nothing is read back from the device."""
        whole = slope.isfinite().all()
        self.torn = ~whole | self.torn
        return torch.where(whole, slope, 0)

    def look(self, small, sigma, size):
        """The network's guess, and what the guide sees: at first the clean picture, by and by the noisy one
        (Disco Diffusion's blend)."""
        if self.through == "network":
            guess = through = self.keep(self.net(small * size, sigma))
        else:
            with torch.no_grad():
                guess = self.keep(self.net(small * size, sigma))
            through = guess if self.through == "guess" else self.keep(self.secondary(small * size, sigma))
        share = sigma / size
        return guess, share * through.clean + (1 - share) * small

    def wish(self, seen: Tensor, progress: float) -> Tensor:
        """Slope of the guide's loss at what it sees."""
        total, batches = torch.zeros_like(seen), max(1, round(at(self.batches, progress)))
        for _ in range(batches):
            leaf = seen.clone().requires_grad_()
            losses = self.guide.score((leaf + 1) / 2, progress)
            loss = sum(losses.values()) * len(seen)         # a guide gives the mean over pictures
            if loss.requires_grad:
                total += torch.autograd.grad(loss, leaf)[0] / batches
            for name, value in losses.items():
                self.losses[name] = self.losses.get(name, 0) + value.detach() / batches
        return self.sound(total)

    def tamed(self, slope: Tensor, progress: float) -> Tensor:
        """Each picture's slope, centered and no steeper than clamp."""
        if self.center:
            slope = slope - slope.mean((2, 3), keepdim=True)
        limit = at(self.clamp, progress)
        if limit:
            steep = slope.square().mean((1, 2, 3), keepdim=True).sqrt()
            slope = slope * (limit / steep.clamp(min=limit))
        return slope


class Sharper:
    """A denoiser that goes on in the direction from a worse one's guess to its own: the clean picture is
    better + weight * (better - worse) (autoguidance; Karras et al. 2024).

    better, worse: (x, sigma) -> Guess. weight: a number, or a function of progress; 0 asks the better alone,
    and needs no worse. Leaves the paper: the worse one may be of another architecture, and of no classes.
    """

    def __init__(self, better, worse, weight):
        self.better, self.worse, self.weight, self.process = better, worse, weight, better.process
        self.pace = by_time(better.process)

    def __call__(self, x: Tensor, sigma: float) -> Guess:
        guess, weight = self.better(x, sigma), at(self.weight, float(self.pace(sigma)))
        if not weight:
            return guess
        return guess._replace(clean=guess.clean + weight * (guess.clean - self.worse(x, sigma).clean))


def by_time(process):
    """sigma -> progress, even in the time of a network's own levels."""
    return lambda sigma: 1 - process.time(sigma) / (len(process.sigmas) - 1)


def fitted(clean: Tensor, share: float) -> Tensor:
    """Dynamic thresholding: pictures of which more than 1 - share of the values lie beyond 1 are scaled; with
    a share of 0 the values are cut off instead."""
    if share >= 1:
        return clean
    if not share:
        return clean.clamp(-1, 1)
    edge = clean.abs().flatten(1).quantile(share, 1).clamp(min=1).view(-1, 1, 1, 1)
    return clean.clamp(-edge, edge) / edge
