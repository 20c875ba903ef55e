"""The embedded BigGAN-deep (Brock, Donahue and Simonyan 2019): noise and a class become a thing somewhere.

It learns pictures of one thing in plain style; which thing is the class, and color, place, sky and pose are
left to the noise. A quarter of the pictures show two things, half of each class: so mixed classes mean both.
Hinge loss, spectral norm on both sides, a running mean of the weights, statistics measured afterwards. Leaves
the paper: the critic looks with a guide's eyes (see critic.py), and the other guide says of which class it
takes a picture to be (Sauer et al. 2023), which teaches classes long before the critic knows them, and counts
less and less, since what is easily named has few colors; steps of both sides alternate one to one, latents of
64 numbers go to every block whole, the statistics are of 11 truncations.
"""

import numpy as np
import torch
from torch.nn import functional as F

from ... import perceptors, weights
from ...networks.biggan import build, latents
from ...networks.biggan_training import finished, go_on_, measure_, one_of, trainable
from .. import judge as judges
from .. import scenes
from . import critic, data, features
from .common import Training, autocast, publish
from .looks import to_tensor

THINGS, COLORS = list(scenes.THINGS), list(scenes.COLORS)
CONFIG = {"layers": [[0, 16, 16], [1, 16, 16], [0, 16, 16], [1, 16, 8], [0, 8, 8], [1, 8, 4], [0, 4, 4],
                     [1, 4, 1]],
          "width": 20, "attention": 4, "z_dim": 64, "class_dim": 64, "classes": len(THINGS), "n_stats": 11}
SIDE = 64
NAMED, SHARPNESS = 0.5, 30.0        # how much it counts at first what a guide takes a picture for; see guides


class Names:
    """How far a guide is from taking pictures (n, 3, h, w) in [0, 1] for their classes (n, classes)."""

    def __init__(self, name, device):
        self.eyes = perceptors.load(name, device).requires_grad_(False)
        words = data.names(np.random.default_rng(4))[-len(THINGS):]
        with torch.no_grad():
            self.rows = self.eyes.encode_text(words)

    def __call__(self, images, classes):
        seen = F.normalize(self.eyes.encode_image(images).float(), dim=1)
        return F.cross_entropy(SHARPNESS * seen @ self.rows.T, classes)


class Lesson:
    """One step of both sides, and now and then a look at what the running mean can do."""

    def __init__(self, device, batch, guide, other, count, looks=10):
        self.device, self.batch, self.looks = device, batch, looks
        self.pixels = data.pictures(count, SIDE, "few-")
        self.classes = data.named([data.few(i) for i in range(count)])[1]
        self.model = trainable(build(CONFIG, "auto"), torch.Generator().manual_seed(3)).to(device)
        self.critic = critic.Critic(features.load(guide, device), len(THINGS), gain=4.0).to(device)
        self.named = Names(other, device)
        self.painter = torch.optim.Adam(self.model.parameters(), 3e-4, (0.0, 0.99))
        self.adversary = torch.optim.Adam(self.critic.parameters(), 3e-4, (0.0, 0.99))
        self.training, self.seen = None, {}

    def real(self, rng):
        """Pictures, half of them flipped, and their classes (n, classes)."""
        chosen = torch.randint(len(self.pixels), (self.batch,), generator=rng).sort().values
        images = to_tensor(self.pixels[chosen.numpy()], self.device)
        flipped = (torch.rand(self.batch, 1, 1, 1, generator=rng) < 0.5).to(self.device)
        return torch.where(flipped, images.flip(-1), images), self.classes[chosen].to(self.device)

    def fake(self, classes, rng):
        z = torch.randn(len(classes), CONFIG["z_dim"], generator=rng)
        return self.model(z.to(self.device), classes)

    def __call__(self, step, progress):
        if self.looks and progress >= self.seen.get("next", 0):
            self.seen = self.look(progress)
        rng = torch.Generator().manual_seed(step)
        images, classes = self.real(rng)
        with torch.no_grad():
            fakes = self.fake(classes, rng)
        with autocast(self.device):
            told = critic.told(self.critic(critic.shaken(images, rng), classes),
                               self.critic(critic.shaken(fakes, rng), classes))
        self.adversary.zero_grad()
        told.backward()
        self.adversary.step()
        _, classes = self.real(rng)
        fakes = critic.shaken(self.fake(classes, rng), rng)
        with autocast(self.device):
            fooled = critic.fooled(self.critic(fakes, classes))
        named = self.named(fakes, classes)
        self.painter.zero_grad()
        (fooled + NAMED * (1 - progress) ** 2 * named).backward()
        self.painter.step()
        seen = {k: v for k, v in self.seen.items() if k != "next"}
        return {"told": told, "fooled": fooled, "named": named} | seen

    def look(self, progress):
        """What the judge says of 1,000 samples now, and when to ask again."""
        found = measure(done(self.training.average), self.device, 1000)
        return {"thing": found["thing, truncation 0.6"], "pairs": found["pairs, truncation 1"],
                "next": progress + 1 / self.looks}


def train(name="biggan-world", minutes=120, device="cpu", batch=64, guide="disco-resnet",
          other="disco-darknet", count=60_000, further=False):
    """Needs both guides and the judge in the zoo, or is Refused; further: its first weights are the published
    ones. Yields notes of its progress; at last it is published and its metrics are yielded."""
    for needed in (guide, other, "judge"):
        weights.zoo(needed)         # refused now rather than in an hour
    torch.manual_seed(5)
    lesson = Lesson(device, batch, guide, other, count)
    if further:
        go_on_(lesson.model, weights.zoo(name)[1])
    parts = {"model": lesson.model, "critic": lesson.critic}
    optimizers = {"model": lesson.painter, "critic": lesson.adversary}
    lesson.training = training = Training(name, parts, optimizers, minutes, averaged="model", device=device)
    if further:
        training.before = weights.zoo(name)[0]["training"]
    yield from training.run(lesson)
    model = done(training.average)
    metrics = measure(model, device)
    publish(name, "biggan", model, CONFIG, training, metrics,
            f"helpers.world, {count} scenes of one or two things in plain style", names=THINGS)
    yield metrics


def done(average):
    """The finished network of a running mean, with its statistics. A mean of unit vectors is shorter than
    one, and sigma would be with it, so singular vectors are normed anew."""
    with torch.no_grad():
        for key, value in average.state_dict().items():
            if key.endswith(("._u", "._v")):
                value.copy_(F.normalize(value, dim=0))
    return measure_(finished(average), one_of(len(THINGS), 64), torch.Generator().manual_seed(0))


@torch.no_grad()
def measure(model, device="cpu", count=5000):
    """The judge on `count` samples of each truncation: how often the thing is the class asked for, and which
    share of the (thing, color) pairs of the training pictures is seen among all of them."""
    judge, out = judges.load(device), {}
    for truncation in (0.6, 1.0):
        rng, right, pairs = torch.Generator().manual_seed(1), [], set()
        for start in range(0, count, 100):
            asked = torch.arange(start, min(start + 100, count)) % len(THINGS)
            z = latents((len(asked), model.z_dim), truncation, rng).to(device)
            reading = judge(model(z, F.one_hot(asked, len(THINGS)).float().to(device), truncation))
            things = reading["thing"].argmax(1).cpu()
            right.append((things == asked).float())
            colors = reading["color"].argmax(2).cpu()[torch.arange(len(asked)), things]
            pairs |= set(zip(things.tolist(), colors.tolist(), strict=True))
        known = {(THINGS.index(item.thing), COLORS.index(item.color)) for item in data.PAIRS}
        out[f"thing, truncation {truncation:g}"] = round(torch.cat(right).mean().item(), 4)
        out[f"pairs, truncation {truncation:g}"] = round(len(pairs & known) / len(known), 4)
    return out
