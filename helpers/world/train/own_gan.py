"""A GAN of your own, in minutes on two cores, and the two ways it fails (Goodfellow 2014; 2016, section 5.1).

    studio.show(train("collapse", minutes=2), width=768)    # a whole cell: bar, time left, chart
    train("overfitting", shaken=True)                       # does that help? every knob can be turned

A small BigGAN-deep learns 8 things in 10 colors at 32 pixels, one to a picture, in plain style. Healthy, it
comes to paint them all. Without names, and with a painter that runs ahead of its critic, it finds the one
picture this critic likes best and paints nothing else until the critic has seen through it: mode collapse.
Few pictures are learned by heart, first by the critic, then by the painter: overfitting. Leaves the paper
where biggan.py does; besides, the painter moves first, and answers count fourfold in the hinge loss.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch

from ... import machine
from ...errors import unknown
from ...frames import Frame
from ...networks.biggan import build
from ...networks.biggan_blocks import Norm
from ...networks.biggan_training import trainable
from ...precision import lowered, number_type
from ...settings import Settings as Knobs
from ...settings import knob
from .. import drawing, scenes
from .. import judge as judges
from . import critic, data, features
from .common import pace
from .looks import to_tensor
from .own_gan_chart import Signs, chart

THINGS = ("apple", "balloon", "car", "flower", "house", "mushroom", "tree", "whale")
NAMES = THINGS + tuple(scenes.COLORS)
KINDS = [item for thing in THINGS for item in data.PAIRS if item.thing == thing]    # 72: 8 are held out
PLACES, SKIES = ("meadow", "desert", "snow"), ("day", "sunset")
SIDE, SEEN, LOOKS = 32, 3 * len(KINDS), 16      # pixels; samples to a look; looks
CONFIG = {"layers": [[1, 16, 8], [1, 8, 4], [1, 4, 2]], "width": 16, "attention": None, "z_dim": 32,
          "class_dim": 32, "n_stats": 2}
RATES = {"painter": 2e-3, "critic": 2e-3}       # seven times biggan.py's: there are minutes, not hours
GAIN = 4.0          # of the critic's answers
LESSONS = {"healthy": {}, "collapse": {"named": False, "ahead": 4}, "overfitting": {"pictures": 36}}


@dataclass(frozen=True, kw_only=True)
class Settings(Knobs):
    """What a GAN is trained with."""

    minutes: float = knob(3.0, "how long it works", low=0.01, high=600, rehearsal=0.01)
    pictures: int = knob(4000, "how many it learns from", low=8, high=60_000, step=1, rehearsal=36)
    named: bool = knob(True, "both sides are told thing and color of each picture")
    shaken: bool = knob(False, "the critic sees pictures shifted and with a part missing")
    ahead: int = knob(1, "steps of the painter for each of its critic", low=1, high=50, step=1)
    batch: int = knob(32, "pictures to a step", low=2, high=512, step=1, rehearsal=4)
    seed: int = knob(0, "same seed, same first steps", low=0, high=2**32 - 1, step=1)
    device: str = knob("auto", "where to compute", choices=("auto", "cpu", "cuda", "mps"))

    def __str__(self):
        turns = (f"{self.ahead} steps of the painter to one of its critic" if self.ahead > 1 else
                 "painter and critic take turns")
        return (f"{self.pictures} pictures {'with' if self.named else 'without'} their names"
                f"{', shaken' if self.shaken else ''}; {turns}")


def train(lesson="healthy", **knobs):
    """Frames, one to a step; LOOKS of them and the first have an image, a chart. knobs: see Settings."""
    if lesson not in LESSONS:
        raise unknown("lesson", lesson, LESSONS)
    return Lesson(Settings.of(**LESSONS[lesson] | knobs)).frames()


def draw(count, rng):
    """Pictures (count, 3, 32, 32) in [0, 1] of KINDS in turn, and their names (count, 18): a 1 at the thing
    and one at the color. Where there are fewer pictures than kinds, kinds are left out evenly."""
    kinds = [KINDS[int(i * max(1, len(KINDS) / count)) % len(KINDS)] for i in range(count)]
    drawn = [scenes.Scene(kind, place=scenes.pick(rng, PLACES), sky=scenes.pick(rng, SKIES),
                          seed=int(rng.integers(2**31))) for kind in kinds]
    named = torch.tensor([[float(name in (kind.thing, kind.color)) for name in NAMES] for kind in kinds])
    return to_tensor(np.stack([drawing.draw(scene, SIDE) for scene in drawn]), "cpu"), named


class Lesson:
    """Pictures, the two players, and what is seen of them."""

    def __init__(self, settings):
        self.settings, self.device = settings, machine.device(settings.device)
        guide, self.judge = features.load("disco-resnet", self.device), judges.load(self.device)
        rng = np.random.default_rng([20260, 4, settings.seed])
        drawn = [part.to(self.device) for part in (*draw(settings.pictures, rng), *draw(SEEN, rng))]
        if not settings.named:      # one class for all says nothing
            drawn[1::2] = [names[:, :1] * 0 + 1 for names in drawn[1::2]]
        self.pictures, self.names, self.new, self.new_names = drawn
        classes = self.names.shape[1]
        with torch.random.fork_rng():
            torch.manual_seed(machine.mix(settings.seed, 0))
            painter = trainable(build(CONFIG | {"classes": classes}, "auto")).to(self.device)
            self.players = {"painter": painter,
                            "critic": critic.Critic(guide, classes, width=32, gain=GAIN).to(self.device)}
        self.optimizers = {name: torch.optim.Adam(player.parameters(), RATES[name], (0.0, 0.99))
                           for name, player in self.players.items()}
        self.shown = kinds(self.judge, self.pictures[:SEEN])
        self.apart_new = nearest(self.new, self.pictures)[0].mean().item()

    def frames(self):
        """Steps until the clock stops; the number of all of them is a guess until then."""
        minutes, began, step, due, history = self.settings.minutes, time.monotonic(), 0, 0.0, []
        while True:
            spent, image = time.monotonic() - began, None
            progress = min(1.0, spent / (60 * minutes))
            if progress >= min(due, 1.0):
                history.append(self.look(progress * minutes))
                image, due = chart(history, str(self.settings), minutes), progress + 1 / LOOKS
            total = step if progress == 1 else max(step + 1, round(step / max(progress, 1e-9)))
            yield Frame(step, total, image, history[-1].numbers(), spent)
            if progress == 1:
                return
            self.step(machine.dice(self.settings.seed, step), pace(progress))
            step += 1

    def step(self, rng, pace=1.0):
        """The painter's steps, then the critic's, on the last of what was painted."""
        for _ in range(self.settings.ahead):
            _, names = self.some(rng)
            fakes = self.paint(names, rng)
            self.learn("painter", critic.fooled(self.answer(fakes, names, rng)), pace)
        images, wanted = self.some(rng)
        real, fake = self.answer(images, wanted, rng), self.answer(fakes.detach(), names, rng)
        self.learn("critic", critic.told(real, fake), pace)

    def learn(self, name, loss, pace):
        """Move one player."""
        optimizer = self.optimizers[name]
        optimizer.param_groups[0]["lr"] = RATES[name] * pace
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def some(self, rng):
        """A batch of pictures and their names."""
        chosen = torch.randint(len(self.pictures), (self.settings.batch,), generator=rng).to(self.device)
        return self.pictures[chosen], self.names[chosen]

    def paint(self, names, rng):
        """A picture for each name, (n, 3, 32, 32), of noise of its own."""
        z = torch.randn(len(names), CONFIG["z_dim"], generator=rng)
        return self.players["painter"](z.to(self.device), names)

    def answer(self, images, names, rng=None):
        """The critic's maps; without dice it sees pictures as they are."""
        seen = critic.shaken(images, rng) if rng and self.settings.shaken else images
        with lowered(self.device, number_type(self.device, narrow=False)):
            return self.players["critic"](seen, names)

    @torch.no_grad()
    def look(self, minutes):
        """Signs of now: samples of the names it learns, always from the same noise."""
        for player in self.players.values():
            hold(player)
        names = self.names[torch.arange(SEEN, device=self.device) % len(self.names)]
        samples = self.paint(names, machine.dice(self.settings.seed))
        apart, which = nearest(samples, self.pictures)
        shown = ((self.pictures[:SEEN], self.names[:SEEN]), (self.new, self.new_names), (samples, names))
        said = [torch.stack([m.mean() for m in self.answer(*pair)]).mean().item() for pair in shown]
        for player in self.players.values():
            player.train()
        found = kinds(self.judge, samples) & self.shown
        return Signs(minutes, samples, self.pictures[which], len(found), len(self.shown), apart.mean().item(),
                     self.apart_new, *said)


def hold(player):
    """Let spectral norms stand still, so that to look changes nothing; other norms use the batch as ever."""
    for module in player.modules():
        module.training = isinstance(module, Norm)


@torch.no_grad()
def kinds(judge, images, least=0.5):
    """Those of KINDS that the judge sees in any of the pictures, as sure as `least`: a set."""
    reading = judge(images)
    sure, things = reading["thing"].softmax(1).cpu().max(1)
    tint, colors = reading["color"].softmax(2).cpu()[torch.arange(len(images)), things].max(1)
    pairs = torch.stack([things, colors], 1)[sure * tint > least].tolist()
    return {scenes.Item(list(scenes.THINGS)[t], list(scenes.COLORS)[c]) for t, c in pairs} & set(KINDS)


def nearest(images, among):
    """For each picture the distance to the nearest of `among`, a root mean square over pixels, and which that
    is: (n,) and (n,)."""
    return (torch.cdist(images.flatten(1), among.flatten(1)) / images[0].numel() ** 0.5).min(1)
