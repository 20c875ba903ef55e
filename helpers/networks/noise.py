"""Noise: a canvas whose parameters are what a BigGAN makes pictures of: latents, and how much of each class.

    canvas = Noise(biggan.load("biggan-world"), 128, 128, pictures=4, truncation=0.8, seed=7)

Every conditioning site of the generator has a latent and classes of its own (Murdock's BigSleep, 2021): early
ones say what is where, late ones what it is made of. Pictures are scaled to the size asked for.
"""

import torch
from torch import nn
from torch.nn import functional as F

from helpers.canvas import Canvas
from helpers.errors import Refused
from helpers.machine import dice
from helpers.networks.biggan import latents
from helpers.networks.mixing import sized

NONE = -3.9         # a class that is not there, as a logit: BigSleep's own
SURE = 3.9
TRIES = 64          # random pictures among which `approach` looks for a first likeness
PART = 16           # of them at a time
HELD = 0.05         # of the prior, while a picture is approached: more of it comes out blurred (0.019 against
                    # 0.014 mean square), without it latents go where no words lead them back


class Noise(Canvas):
    """`pictures` of height x width at once: the first of the draws of `seed`, the second of those of the next
    seed, and so on.

    truncation: scales the latents and says which statistics hold, above 0 to 1. most: how many classes count
    per site, the strongest (0: all), through a softmax of `temperature`. first: number of a class to begin
    with. anchor, choice: weights of the two parts of `prior`.
    """

    learning_rate = 0.03

    def __init__(self, network, height, width, pictures=1, truncation=1.0, most=0, temperature=2.0,
                 first=None, anchor=1.0, choice=1.0, seed=0):
        super().__init__()
        self.network, self.height, self.width, self.truncation = [network], height, width, truncation
        self.most, self.temperature, self.anchor, self.choice = most, temperature, anchor, choice
        self.dice = [dice((seed + k) % 2**32) for k in range(pictures)]
        z, scores = zip(*[(torch.randn(network.sites, network.z_dim, generator=rng),
                           torch.randn(network.sites, network.classes, generator=rng)) for rng in self.dice],
                        strict=True)
        scores = NONE + 0.3 * torch.stack(scores)
        if first is not None:
            scores[..., first] = SURE
        self.z = nn.Parameter(torch.stack(z).to(network.device))
        self.scores = nn.Parameter(scores.to(network.device))

    @property
    def generator(self):
        return self.network[0]      # in a list, so that its frozen weights are not ours to save

    def forward(self):
        image = self.generator(self.truncation * self.z, self.classes(), self.truncation)
        return sized(image, self.height, self.width)

    def classes(self):
        """(pictures, sites, classes): how much of each class there is."""
        if not self.most:
            return self.scores.sigmoid()
        left, total = self.scores, torch.zeros_like(self.scores)
        for _ in range(min(self.most, self.scores.shape[-1])):
            shares = (left / self.temperature).softmax(-1)
            one = F.one_hot(left.argmax(-1), left.shape[-1])
            total = total + one * shares
            left = left.masked_fill(one.bool(), float("-inf"))
        return total

    def prior(self, progress=0.0):
        """BigSleep's two losses, divided by 100 since likeness counts 1 here and 100 there: latents should be
        drawn from a normal distribution, and one class should be enough."""
        z = self.z.flatten(0, 1)
        spread, middle = z.std(1), z.mean(1)
        unit = (z - middle[:, None]) / spread[:, None].clamp(min=1e-6)
        normal = ((1 - spread).abs().mean() + middle.abs().mean() + 4 * z.square().mean().clamp(min=1)
                  + (unit.pow(4).mean(1) - 3).abs().mean() + unit.pow(3).mean(1).abs().mean())
        weakest = self.classes().sort(-1).values[..., :-1]      # all but one, however many there are
        return (self.anchor * normal + self.choice * (50 * weakest).square().mean()) / 100

    def approach(self, image, steps=150):
        """The nearest of some random pictures, then `steps` towards `image` (1, 3, h, w), pixel by pixel;
        yields the number of each step."""
        aim = F.interpolate(image.to(self.z), (self.generator.size,) * 2, mode="bicubic", antialias=True,
                            align_corners=False)
        self.begin_near(image)
        adam = torch.optim.Adam([self.z, self.scores], 0.05)
        for step in range(steps):
            away = self.generator(self.truncation * self.z, self.classes(), self.truncation) - aim
            coarse = F.avg_pool2d(away, 4).square().mean()
            adam.zero_grad()
            (away.square().mean() + coarse + HELD * self.prior()).backward()
            adam.step()
            yield step + 1

    @torch.no_grad()
    def begin_near(self, image, where=None, shares=None):
        """Begin each picture at that of some random latents and classes whose picture is nearest to `image`.

        image: (1, 3, h, w). where: (1, 1, h, w), the weight of each pixel. shares: (scenes, classes), as
        mixing.shares, to begin with one of these.
        """
        net = self.generator
        eye = torch.eye(net.classes) if shares is None else shares.cpu()

        def likes(made):
            away = sized(made, *image.shape[-2:]) - image.to(made)
            away = away if where is None else away * where.to(away)
            return -away.square().flatten(1).mean(1)
        for k, rng in enumerate(self.dice):
            kinds = eye[torch.randint(len(eye), (TRIES,), generator=rng)]
            self.begin(k, *most_liked(self.drawn(kinds, likes, rng)))

    @torch.no_grad()
    def begin_best(self, likes, tries, first=None, named=()):
        """Begin each picture at the best of its `candidates`; yields how many have been looked at."""
        looked = 0
        for k, rng in enumerate(self.dice):
            seen = []
            for part in self.candidates(likes, tries, rng, first, named):
                seen.append(part)
                looked += len(part[0])
                yield looked
            self.begin(k, *most_liked(seen))

    @torch.no_grad()
    def candidates(self, likes, tries, rng, first=None, named=()):
        """`tries` random places and how much `likes`, pictures (n, 3, h, w) -> (n,), likes them: half of any
        class, half of those or pairs of those that were liked best, or of the `named` ones. first: of this
        class alone. Parts as of `drawn`."""
        eye, half = torch.eye(self.generator.classes), (tries + 1) // 2
        order = torch.randperm(len(eye), generator=rng)[torch.arange(half) % len(eye)]
        order = order if first is None else torch.full_like(order, first)
        seen = []
        for part in self.drawn(eye[order], likes, rng):
            seen.append(part[2])
            yield part
        ranked = order[torch.cat(seen).argsort(descending=True).cpu()]
        best = torch.tensor(list(named) or list(dict.fromkeys(ranked.tolist()))[:4])
        pairs = best[torch.randint(len(best), (2, half), generator=rng)]
        yield from self.drawn(eye[pairs].mean(0), likes, rng)

    def drawn(self, kinds, likes, rng):
        """PART at a time: random latents (n, z_dim), the classes (n, classes) given them, how much their
        pictures are liked (n,)."""
        net, kinds = self.generator, kinds.to(self.z)
        z = latents((len(kinds), net.z_dim), 1.0, rng).to(self.z)
        for part, kind in zip(z.split(PART), kinds.split(PART), strict=True):
            yield part, kind, likes(net(self.truncation * part, kind, self.truncation))

    @torch.no_grad()
    def begin(self, k, z, kind):
        """Begin picture k at a latent (z_dim,) and its classes (classes,), at every site."""
        self.z[k], self.scores[k] = z, logits(kind)

    @torch.no_grad()
    def choose(self, kinds):
        """Be of these classes at every site, (pictures or 1, classes), rows that sum to 1."""
        self.scores.copy_(logits(kinds)[:, None].expand_as(self.scores))

    def take_up(self, state):
        """Begin with the latents of another canvas, its parameters by name; Refused where they do not fit."""
        state = {name.removeprefix("canvas."): value for name, value in state.items()}      # out of a mask
        here = {name: tuple(value.shape) for name, value in self.state_dict().items()}
        there = {name: tuple(value.shape) for name, value in state.items() if hasattr(value, "shape")}
        if here != there:
            raise Refused(f"the latents are {there.get('z', 'none')}", f"these pictures have {here['z']}",
                          "take those of a run with the same BigGAN and as many pictures")
        self.load_state_dict(state)


def logits(kinds):
    """Classes that sum to 1 -> the scores of a canvas that shows them."""
    return NONE + (SURE - NONE) * kinds


def most_liked(parts):
    """The latent and classes liked most among parts of `Noise.drawn`."""
    z, kinds, liked = [torch.cat(columns) for columns in zip(*parts, strict=True)]
    best = liked.argmax()
    return z[best], kinds[best]
