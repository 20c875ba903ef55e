"""The embedded pix2pix (Isola et al. 2017): sketches and pictures of the world become pictures in its styles.

Three quarters of what it is shown are rough sketches in black on white, the rest scenes in any style but the
one asked for; the target is the same scene in that style. Leaves the paper: hinge loss; a critic, and beside
L1 a likeness, that look with a guide's eyes (see critic.py); and since no sketch tells its colors, half of
BicycleGAN's way (Zhu et al. 2017) to many pictures from one: two thirds of the sketches are painted with
numbers read off the target and compared with it, a third with those of another picture, for the critic alone.
Its other half, that what is painted must tell numbers drawn at random, made the painter write them as tiles.
"""

import numpy as np
import torch
from torch.nn import functional as F

from ... import weights
from ...networks.pix2pix import KEPT, build
from .. import drawing, scenes
from .. import judge as judges
from . import critic, data, features
from .common import Training, autocast, publish
from .looks import to_tensor, weather
from .sketches import sketch

STYLES = list(scenes.STYLES)
CONFIG = {"widths": [40, 80, 160, 240, 256], "top": 24, "z_dim": 16, "told": 64, "reader": 16,
          "styles": STYLES}
SIDE = 128


class Pairs:
    """Scenes in all styles: pixels (6 * scenes, 128, 128, 3) of data.alike(6 * first) and those after it."""

    def __init__(self, pixels, first=0):
        self.pixels, self.first, self.count = pixels, first, len(pixels) // len(STYLES)

    def pictures(self, numbers, styles):
        """Scenes (n,) in these styles (n,) -> (n, 3, 128, 128) in [0, 1]."""
        return to_tensor(self.pixels[(len(STYLES) * numbers + styles).numpy()], "cpu")

    def scene(self, number, style):
        return data.alike(len(STYLES) * (self.first + int(number)) + int(style))

    def sketches(self, numbers, rng):
        """Scenes (n,) as somebody would sketch them, (n, 3, 128, 128)."""
        plain = torch.full_like(numbers, STYLES.index("flat"))
        things = data.masks([self.scene(number, 0) for number in numbers], SIDE)
        return sketch(self.pictures(numbers, plain), things, rng)


class Lesson:
    """One step of both sides. batch: pictures per step, in steps of four: the first half are sketches painted
    as the target was, a quarter sketches painted by chance, the last quarter pictures."""

    def __init__(self, device, batch, guide, count):
        self.device, self.batch = device, batch
        self.told, self.sketched = batch // 2, batch - batch // 4
        self.pairs = Pairs(data.pictures(len(STYLES) * count, SIDE, "alike-"))
        self.eyes = features.load(guide, device)
        self.model = build(CONFIG, "auto").to(device, memory_format=torch.channels_last)
        self.critic = critic.Critic(self.eyes, len(STYLES), beside=3, gain=4.0).to(device)
        self.painter = torch.optim.Adam(self.model.parameters(), 6e-4, (0.5, 0.99))
        self.adversary = torch.optim.Adam(self.critic.parameters(), 3e-4, (0.0, 0.99))

    def shown(self, rng):
        """What is given, what it should become, and the number of that style."""
        numbers = torch.randint(self.pairs.count, (self.batch,), generator=rng)
        styles = torch.randint(len(STYLES), (self.batch,), generator=rng)
        others = (styles + torch.randint(1, len(STYLES), (self.batch,), generator=rng)) % len(STYLES)
        n = self.sketched
        pictures = weather(self.pairs.pictures(numbers[n:], others[n:]), rng, 0.05, 0.15)
        given = torch.cat([self.pairs.sketches(numbers[:n], rng), pictures])
        wanted = self.pairs.pictures(numbers, styles)
        return given.to(self.device), wanted.to(self.device), styles.to(self.device)

    def painted(self, given, wanted, styles, rng):
        """(pictures, how much the z they were painted with tells of the target)."""
        mean, spread = self.model.read(wanted[:self.told])
        noise = torch.randn(self.batch, CONFIG["z_dim"], generator=rng).to(self.device)
        z = mean + (spread / 2).exp() * noise[:self.told]
        z = torch.cat([z, z.detach()[:self.batch - self.told]])
        told = (mean.square() + spread.exp() - 1 - spread).sum(1).mean() / 2
        return self.model(given, styles, z), told

    def __call__(self, step, progress):
        rng = torch.Generator().manual_seed(step)
        given, wanted, styles = self.shown(rng)
        painted, told = self.painted(given, wanted, styles, rng)
        classes = F.one_hot(styles, len(STYLES)).float()
        seen = critic.shaken(torch.cat([painted, wanted, given], 1), rng)
        fake, real, beside = (x.contiguous(memory_format=torch.channels_last) for x in seen.split(3, 1))
        real, beside = real.detach(), beside.detach()
        with autocast(self.device):
            truth = self.eyes(real)
            maps = self.eyes(fake)
        terms = {"told": self.tell(fake.detach(), real, beside, classes, maps, truth)}
        with autocast(self.device):
            terms["fooled"] = critic.fooled(self.critic(fake, classes, beside, maps))
        terms |= self.compared(painted, wanted, maps, truth) | {"kept": told}
        loss = 10 * terms["pixel"] + 0.5 * terms["near"] + 0.15 * terms["fooled"] + 0.01 * terms["kept"]
        self.painter.zero_grad()
        loss.backward()
        self.painter.step()
        return terms

    def tell(self, fake, real, beside, classes, maps, truth):
        """The critic's step."""
        maps = [x.detach() for x in maps]
        with autocast(self.device):
            loss = critic.told(self.critic(real, classes, beside, truth),
                               self.critic(fake, classes, beside, maps))
        self.adversary.zero_grad()
        loss.backward()
        self.adversary.step()
        return loss

    def compared(self, painted, wanted, maps, truth):
        """How far it is from the target, in pixels and in a guide's eyes, where the target can be known."""
        known = torch.ones(self.batch, device=self.device)
        known[self.told:self.sketched] = 0
        near = sum((a - b).square().sum(1).mean((1, 2)) for a, b in zip(maps, truth, strict=True))
        pixel = (painted - wanted).abs().mean((1, 2, 3))
        return {"pixel": (known * pixel).sum() / known.sum(), "near": (known * near).sum() / known.sum()}


def train(name="pix2pix-world", minutes=90, device="cpu", batch=8, guide="disco-resnet", count=6000,
          further=False):
    """Needs `guide` and the judge in the zoo, or is Refused; count: scenes; further: see Training. Yields
    notes of its progress; at last it is published and its metrics are yielded."""
    for needed in (guide, "judge"):
        weights.zoo(needed)         # refused now rather than in an hour
    torch.manual_seed(8)
    lesson = Lesson(device, batch, guide, count)
    parts = {"model": lesson.model, "critic": lesson.critic}
    optimizers = {"model": lesson.painter, "critic": lesson.adversary}
    training = Training(name, parts, optimizers, minutes, averaged="model", device=device, further=further)
    yield from training.run(lesson)
    numbers = torch.arange(KEPT)
    training.average.remember_(lesson.pairs.pictures(numbers % count, numbers % len(STYLES)).to(device))
    metrics = measure(training.average, device)
    publish(name, "pix2pix", training.average, CONFIG, training, metrics,
            f"helpers.world, {count} scenes in {len(STYLES)} styles")
    yield metrics


@torch.no_grad()
def measure(model, device="cpu", count=120):
    """On `count` scenes never trained on, for each kind of input: distance from the true picture (of
    sketches, painted with the colors of the true one and with any), and the judge's readings."""
    judge, first = judges.load(device), 5_000_000
    pixels = [drawing.draw(data.alike(len(STYLES) * first + i), SIDE) for i in range(len(STYLES) * count)]
    pairs, numbers, out = Pairs(np.stack(pixels), first), torch.arange(count), {}
    rng = torch.Generator().manual_seed(1)
    for kind, (given, styles) in tasks(pairs, numbers, rng).items():
        truth, z = pairs.pictures(numbers, styles).to(device), model.draw(count, rng)
        painted = many(model, given, styles, z)
        apart = {kind: painted - truth}
        if kind == "sketches":
            apart["sketches, colors told"] = many(model, given, styles, model.read(truth)[0]) - truth
            apart["two colorings"] = many(model, given, styles, z.flip(0)) - painted
        out |= {f"L1, {name}": difference.abs().mean().item() for name, difference in apart.items()}
        asked = [pairs.scene(*pair) for pair in zip(numbers, styles, strict=True)]
        for label, images in ((f"from {kind}", painted), (f"true, for {kind}", truth)):
            grades = judges.grades(judge(images), asked)
            out |= {f"{what}, {label}": grades[what].float().mean().item() for what in ("style", "thing")}
    return {name: round(value, 4) for name, value in out.items()}


def tasks(pairs, numbers, rng):
    """Kind of input -> (pictures to begin with, numbers of the styles wanted), a task for each scene."""
    pencil, turns = STYLES.index("pencil sketch"), 1 + numbers // len(STYLES) % (len(STYLES) - 1)
    wanted, others = numbers % len(STYLES), (numbers + turns) % len(STYLES)
    return {"sketches": (pairs.sketches(numbers, rng), wanted),
            "pencil sketches": (pairs.pictures(numbers, torch.full_like(numbers, pencil)),
                                (pencil + turns) % len(STYLES)),
            "pictures": (pairs.pictures(numbers, others), wanted)}


def many(model, given, styles, z):
    """All of them, 20 at a time."""
    parts = zip(*(x.to(model.device).split(20) for x in (given, styles, z)), strict=True)
    return torch.cat([model(*part) for part in parts])
