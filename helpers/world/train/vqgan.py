"""The embedded VQGAN (Esser et al. 2021): it remakes pictures from codes, and a critic makes it sharp.

Leaves the paper: codes are L2-normalized (ViT-VQGAN, Yu et al. 2022), drawn from the latents once these mean
something, restarted when dead, and settled among the latents at last; likeness is judged by an embedded
guide's features instead of VGG's, of whole pictures at the size the guide knows; a pixel of a thing counts as
four of the background, which is most of every picture; the critic's weight does not balance gradients but
ramps up. Trained further, the decoder alone learns: latents stay what they were, and what was saved of them
stays true.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ... import weights
from .. import drawing
from .. import judge as judges
from . import data, features
from .codes import Census, look_up, settle
from .common import Training, autocast, publish
from .critic import tell
from .looks import to_tensor

CONFIG = {
    "l2_codes": True,
    "embed_dim": 32,
    "n_embed": 16384,
    "groups": 8,
    "ddconfig": {"double_z": False, "z_channels": 64, "resolution": 128, "in_channels": 3, "out_ch": 3,
                 "ch": 32, "ch_mult": [1, 2, 2, 4], "num_res_blocks": 1, "attn_resolutions": [16],
                 "dropout": 0.0},
}
THINGS = 3.0    # how much more a pixel counts where there is a thing
FREE = 0.04     # part of the training before codes are used at all; then they are drawn from the latents


class Lesson:
    """One step of training: remake a batch, compare, move the painter; then the critic learns to tell.

    batch: crops of 64 px per step; guide: the perceptor of the zoo whose features judge likeness; known: the
    codes mean something from the beginning, and only the decoder learns.
    """

    def __init__(self, device, batch, guide, known=False):
        from taming.modules.discriminator.model import NLayerDiscriminator, weights_init

        from ...networks.vqgan import build

        self.device, self.batch, self.known, self.source = device, batch, known, data.Batches(batch)
        self.model = build(CONFIG, "auto").to(device).train().requires_grad_(True)
        for part in (self.model.encoder, self.model.quant_conv, self.model.quantize) if known else ():
            part.requires_grad_(False)
        self.critic = NLayerDiscriminator(3, 48, 2).apply(weights_init).to(device)
        self.features = features.load(guide, device)
        learning = [p for p in self.model.parameters() if p.requires_grad]
        self.painter = torch.optim.Adam(learning, 2e-4 if known else 6e-4, (0.5, 0.95))
        self.adversary = torch.optim.Adam(self.critic.parameters(), 4e-4, (0.5, 0.9))
        used = torch.full((CONFIG["n_embed"],), float(known), device=device)
        self.tally = nn.ParameterList([nn.Parameter(used, False)])
        self.census = Census(self.model.quantize.embedding.weight, self.tally[0])

    def pictures(self, step, rng):
        """By turns crops of 64 px and a few whole pictures of 128 px: norms see as much as when painting; and
        how much each of their pixels counts, 1 on average."""
        scenes, pixels = self.source.batch(step)
        n = self.batch // 3 if step % 2 else self.batch
        both = torch.cat([to_tensor(pixels[:n], self.device), data.masks(scenes[:n]).to(self.device)], 1)
        images, things = (both if step % 2 else crop(both, 64, rng)).split([3, 1], 1)
        weight = 1 + THINGS * things
        return images.contiguous(), weight / weight.mean()

    def remade(self, images, progress, step, rng):
        """Through codes and back: (pictures, loss of the codes). A little noise on the codes, so that the
        decoder forgives a guide's slips."""
        z = self.model.encode(images).float()
        codes, loss, index = look_up(self.model, z)
        if progress < FREE and not self.known:
            codes, loss = F.normalize(z, dim=1), torch.zeros((), device=self.device)
        else:
            self.census.count(index)
            if step % 10 == 0 and progress < 0.6 and not self.known:
                self.census.restart(z, rng)
        noise = torch.randn(codes.shape, generator=rng) * torch.rand(len(codes), 1, 1, 1, generator=rng)
        shaken = F.normalize(codes + noise.to(self.device) * 0.3 * codes.shape[1] ** -0.5, dim=1)
        return self.model.decode(shaken).float(), loss

    @torch.no_grad()
    def settled(self, model, count=2000):
        """Move its codes to where they serve its latents of so many pictures best; yields notes of it."""
        latents, counts = [], []
        for step in range(count // self.batch):
            scenes, pixels = self.source.batch(step)
            z = F.normalize(model.encode(to_tensor(pixels, self.device)), dim=1)
            latents.append(z.movedim(1, -1).flatten(0, 2))
            things = F.avg_pool2d(data.masks(scenes).to(self.device), model.factor)
            counts.append(1 + THINGS * things.flatten())
        rounds = settle(model.quantize.embedding.weight, torch.cat(latents), torch.cat(counts),
                        torch.Generator().manual_seed(0))
        for number, away in enumerate(rounds):
            yield {"round": number, "codes away": round(away, 5)}

    def __call__(self, step, progress):
        rng = torch.Generator().manual_seed(step)
        images, counts = self.pictures(step, rng)
        remade, codes = self.remade(images, progress, step, rng)
        weight = 0.1 * min(1.0, max(0.0, (progress - (0.1 if self.known else 0.4)) / 0.2))
        away = remade - images
        terms = {"pixel": (counts * (away.abs() + away.square())).mean(), "codes": codes}
        with autocast(self.device):
            pairs = zip(*(self.features(seen(x)) for x in (remade, images)), strict=True)
            terms["near"] = sum((a - b).square().sum(1).mean() for a, b in pairs)
            if weight:
                terms["fooled"] = -self.critic(remade * 2 - 1).float().mean()
        loss = 2 * terms["pixel"] + 0.25 * terms["near"] + codes + weight * terms.get("fooled", 0.0)
        self.painter.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.painter.step()
        if weight:
            terms["told"] = tell(self.critic, self.adversary, images, remade.detach())
        return terms | {"live codes": self.census.live}


def train(name="vqgan-world", minutes=60, device="cpu", batch=24, guide="disco-resnet",
          further=False):
    """Needs `guide` and the judge in the zoo, or is Refused; further: see Training. Yields notes of its
    progress; at last it is published and its metrics are yielded."""
    for needed in (guide, "judge"):
        weights.zoo(needed)         # refused now rather than in an hour
    torch.manual_seed(2)
    lesson = Lesson(device, batch, guide, further)
    parts = {"model": lesson.model, "critic": lesson.critic, "tally": lesson.tally}
    optimizers = {"model": lesson.painter, "critic": lesson.adversary}
    training = Training(name, parts, optimizers, minutes, averaged="model", decay=0.998, device=device,
                        further=further)
    yield from training.run(lesson)
    if not further:
        yield from lesson.settled(training.average)
    metrics = measure(training.average, device)
    publish(name, "vqgan", training.average, CONFIG, training, metrics)
    yield metrics


def seen(images):
    """Pictures at the 64 px at which a guide knows whole ones."""
    if images.shape[-1] == 64:
        return images
    return F.interpolate(images, (64, 64), mode="bilinear", antialias=True, align_corners=False)


def crop(images, size, rng):
    """The same square out of all of them, somewhere."""
    y, x = torch.randint(images.shape[-2] - size + 1, (2,), generator=rng).tolist()
    return images[..., y : y + size, x : x + size]


@torch.no_grad()
def measure(model, device="cpu", count=500):
    """At 128 px, on scenes never trained on, half of held-out combinations: pixel error, codes in use, and
    the judge's readings of originals and of what became of them."""
    judge = judges.load(device)
    model.eval()
    chosen = [data.scene(30_000_000 + i, bool(i % 2)) for i in range(count)]
    images = to_tensor(np.stack([drawing.draw(s, 128) for s in chosen]), device)
    remade, indices = [], []
    for part in images.split(20):
        codes, _, index = look_up(model, model.encode(part))
        remade.append(model.decode(codes).clamp(0, 1))
        indices.append(index)
    remade = torch.cat(remade)
    out = {"L1": round((remade - images).abs().mean().item(), 4),
           "codes in use": len(torch.cat(indices).unique())}
    for label, pictures in (("originals", images), ("reconstructions", remade)):
        grades = judges.grades(judge(pictures), chosen)
        out[f"judge on {label}"] = {k: round(v.float().mean().item(), 4) for k, v in grades.items()}
    return out
