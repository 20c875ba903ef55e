"""Mixtures of what a BigGAN makes pictures of: classes by their names, and ways from noise to noise.

    shares = mixing.shares("cat | boat:0.5 ^ castle", network.names)       # one row per scene
    stations = mixing.Stations(network, 4, pictures, shares, rng)
    z, classes = stations.at(0.5)                                   # half way from the first to the second
"""

import torch
from torch.nn import functional as F

from .. import prompts
from ..errors import Refused
from . import class_names
from .biggan import latents


def shares(text, names):
    """(scenes, classes), rows that sum to 1: how much of each of the classes `names` every scene of a text
    has; None where the text is empty and any class may come. Refused where a prompt names no class or is
    weighed below 0."""
    if not text.strip(" |^"):
        return None
    return torch.stack([mixture(scene, names) for scene in prompts.scenes(text)])


def mixture(scene, names):
    """(classes,): the prompts of one scene by their weights; one that names several classes shares evenly."""
    row = torch.zeros(len(names))
    for prompt in scene:
        if prompt.weight < 0:
            raise Refused(f"{prompt.text!r} has the weight {prompt.weight:g}", "a GAN mixes what is there",
                          "leave it out, or paint with big_sleep, which can keep away from things")
        if prompt.timed:
            raise Refused(f"{str(prompt)!r} acts in a part of the way", "a GAN paints all at once",
                          "leave out what follows the @, or paint with big_sleep")
        numbers = class_names.found(prompt.text, names)[0] or [class_names.number(prompt.text, names)]
        row[numbers] += prompt.weight / len(numbers)
    if not row.sum():
        raise Refused("all weights are 0", "something has to be in the mixture", "try cat | boat:0.5")
    return row / row.sum()


class Stations:
    """`count` latents and classes for each of `pictures`, and the places between them.

    Places are (pictures, z_dim) of noise for truncation 1, and (pictures, classes). Latents move along the
    great circle (White 2016), which keeps them as long as noise is, classes along the straight line.
    """

    def __init__(self, network, count, pictures, shares, rng):
        self.count, self.pictures = count, pictures
        self.z = latents((count, pictures, network.z_dim), 1.0, rng).to(network.device)
        chance = torch.randint(network.classes, (count, pictures), generator=rng)
        self.chance = F.one_hot(chance, network.classes).to(self.z)
        self.told(shares)

    def told(self, shares):
        """Other classes at the same noise: scenes go round, from station to station and picture to picture;
        classes drawn by chance where there are none."""
        if shares is None:
            self.classes = self.chance
            return
        turn = torch.arange(self.count)[:, None] + torch.arange(self.pictures)[None]
        self.classes = shares.to(self.z)[turn % len(shares)]

    def at(self, part):
        """The place after `part` of the way, 0..1, around all stations and back to the first."""
        number, rest = divmod(part * self.count, 1)
        a, b = int(number) % self.count, (int(number) + 1) % self.count
        return arc(self.z[a], self.z[b], rest), self.classes[a].lerp(self.classes[b], rest)

    def square(self, side):
        """(side * side, …): row by row between four stations in the corners, of one picture each."""
        steps = torch.linspace(0, 1, side).tolist() if side > 1 else [0.0]
        across = [[(arc(self.z[a], self.z[b], t), self.classes[a].lerp(self.classes[b], t)) for t in steps]
                  for a, b in ((0, 1), (2, 3))]
        places = [(arc(z0, z1, t), c0.lerp(c1, t)) for t in steps
                  for (z0, c0), (z1, c1) in zip(*across, strict=True)]
        return tuple(torch.cat(part) for part in zip(*places, strict=True))


def arc(a, b, t):
    """Between rows a and b (n, d), `t` of the way: turned evenly, and as long as lies between."""
    angle = F.cosine_similarity(a, b, -1).clamp(-1, 1).arccos()[:, None]
    if t in (0, 1) or not (angle > 1e-4).all():
        return a.lerp(b, float(t))
    long = [row.norm(dim=1, keepdim=True) for row in (a, b)]
    turned = (((1 - t) * angle).sin() * a / long[0] + (t * angle).sin() * b / long[1]) / angle.sin()
    return turned * long[0].lerp(long[1], t)


def sized(image, height, width):
    """Pictures (n, 3, h, w) scaled to height x width."""
    if image.shape[-2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bicubic", antialias=True,
                         align_corners=False).clamp(0, 1)
