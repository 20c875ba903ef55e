"""The embedded upscaler (ESRGAN, Wang et al. 2018): pictures of 64 px become four times as large, and sharp.

It learns from crops of the world's pictures, shrunk and worn as in Real-ESRGAN (Wang et al. 2021), but only
by what paintings suffer here: blur, grain, blotches, a weave. Likeness is judged by an embedded guide's
features instead of VGG's, and an ordinary critic with the hinge loss, not a relative one, makes it sharp.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ... import weights
from ...networks import upscaler
from .. import drawing
from . import data, features
from .common import Training, autocast, publish
from .critic import tell
from .looks import to_tensor

CONFIG = {"num_filters": 32, "num_blocks": 3, "scale": 4}
SIDE, CROP = 256, 128       # pixels of a picture, of what a step sees of it


class Lesson:
    """One step of training: enlarge a batch of worn crops, compare; then the critic learns to tell."""

    def __init__(self, pixels, device, batch, guide):
        from taming.modules.discriminator.model import NLayerDiscriminator, weights_init

        self.pixels, self.device, self.batch = pixels, device, batch
        self.model = upscaler.build(CONFIG).to(device, memory_format=torch.channels_last)
        self.critic = NLayerDiscriminator(3, 32, 2).apply(weights_init).to(device)
        self.features = features.load(guide, device)
        self.painter = torch.optim.Adam(self.model.parameters(), 6e-4, (0.9, 0.99))
        self.adversary = torch.optim.Adam(self.critic.parameters(), 4e-4, (0.5, 0.9))

    def crops(self, rng):
        """(batch, 3, CROP, CROP) in [0, 1], half of them mirrored."""
        chosen = torch.randint(len(self.pixels), (self.batch,), generator=rng).sort().values.tolist()
        places = torch.randint((SIDE - CROP) // 4 + 1, (self.batch, 2), generator=rng).mul(4).tolist()
        seen = np.stack([self.pixels[i, y:y + CROP, x:x + CROP] for i, (y, x) in
                         zip(chosen, places, strict=True)])
        mirrored = torch.rand(self.batch, 1, 1, 1, generator=rng) < 0.5
        images = to_tensor(seen, self.device)
        return torch.where(mirrored.to(self.device), images.flip(-1), images)

    def __call__(self, step, progress):
        rng = torch.Generator().manual_seed(step)
        aim = self.crops(rng)
        weight = 0.05 * min(1.0, max(0.0, (progress - 0.3) / 0.2))
        with autocast(self.device):
            made = self.model(worn(shrunk(aim), rng)).float()
            pairs = zip(*(self.features(x) for x in (made, aim)), strict=True)
            near = sum((a - b).square().sum(1).mean() for a, b in pairs)
            fooled = -self.critic(made * 2 - 1).float().mean() if weight else 0.0
        away = (made - aim).abs().mean()
        loss = 2 * away + 0.25 * near + weight * fooled
        self.painter.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.painter.step()
        terms = {"pixel": away, "near": near}
        if weight:
            terms |= {"fooled": fooled, "told": tell(self.critic, self.adversary, aim, made.detach())}
        return terms


def train(name="upscaler-world", minutes=40, device="cpu", batch=12, count=8000, guide="disco-resnet",
          further=False):
    """Needs `guide` in the zoo, or is Refused; further: see Training. Yields notes of its progress; at last
    it is published and its metrics are yielded."""
    weights.zoo(guide)          # refused now rather than in an hour
    torch.manual_seed(15)
    lesson = Lesson(data.pictures(count, SIDE, "mostly-plain-"), device, batch, guide)
    training = Training(name, {"model": lesson.model, "critic": lesson.critic},
                        {"model": lesson.painter, "critic": lesson.adversary}, minutes, averaged="model",
                        decay=0.998, device=device, further=further)
    yield from training.run(lesson)
    metrics = measure(training.average, lesson.features)
    publish(name, "upscaler", training.average, CONFIG, training, metrics,
            f"{count} scenes of helpers.world, three of four in plain style")
    yield metrics


def shrunk(images):
    """A quarter of the side."""
    return F.interpolate(images, scale_factor=0.25, mode="area")


def worn(images, rng):
    """Blurred, blotched, under grain, and woven as folded pixels leave it (see adm.py), each by chance and
    more or less."""
    def amount(most):
        dice = torch.rand(2, len(images), 1, 1, 1, generator=rng)
        return (dice[0] * most * (dice[1] < 0.6)).to(images)

    soft = F.interpolate(F.avg_pool2d(images, 2), size=images.shape[-2:], mode="bilinear")
    images = images.lerp(soft, amount(0.7))
    full = images.shape[-1]
    for side, most in ((full, 0.06), (full // 2, 0.06), (full // 6, 0.05)):
        grain = torch.randn(*images.shape[:2], side, side, generator=rng).to(images)
        images = images + amount(most) * F.interpolate(grain, images.shape[-2:], mode="bicubic")
    weave = torch.randn(*images.shape[:2], 2, 2, generator=rng).to(images)
    images = images + amount(0.03) * weave.repeat(1, 1, full // 2, full // 2)
    return images.clamp(0, 1)


@torch.no_grad()
def measure(model, seen, count=100):
    """Of pictures never trained on, worn: how far what it makes of them is from the large ones, in dB and by
    the guide's features, beside bicubic enlargement."""
    device = next(model.parameters()).device
    drawn = np.stack([drawing.draw(data.plain(40_000_000 + i), SIDE) for i in range(count)])
    out, rng = {}, torch.Generator().manual_seed(0)
    aim = to_tensor(drawn, device)
    small = worn(shrunk(aim), rng)
    made = torch.cat([model(part).clamp(0, 1) for part in small.split(10)])
    for name, images in (("made", made), ("bicubic", F.interpolate(small, scale_factor=4, mode="bicubic"))):
        error = (images - aim).square().mean((1, 2, 3))
        near = torch.cat([sum((a - b).square().sum(1).mean((1, 2)) for a, b in
                              zip(seen(x), seen(y), strict=True))
                          for x, y in zip(images.split(10), aim.split(10), strict=True)])
        out |= {f"{name}, dB": round(-10 * error.log10().mean().item(), 2),
                f"{name}, near": round(near.mean().item(), 4)}
    return out
