"""The embedded ADM (Dhariwal and Nichol 2021): noise at any level becomes a picture of the world, 64 px.

It answers v instead of the noise and leaves out the learned variance (Salimans and Ho 2022: the error then
counts alike at every level), levels are drawn from a bell curve (Karras et al. 2022), and it works on 2 x 2
pixels folded into channels: all three for more pictures an hour. An error counts five times where a thing
is, or things would be little of what it learns; where noise hides if there is one, it leans toward one.
It is told which thing a picture shows, and now and then nothing, so that it can be led by the difference
(classifier-free guidance; Ho and Salimans 2022).
"""

import numpy as np
import torch
from torch.nn import functional as F

from ... import weights
from ...conditioned import Classed
from ...networks import adm
from ...networks.adm_lean import attentive_
from ...noise_levels import karras
from ...samplers import SAMPLERS
from .. import drawing, scenes
from .. import judge as judges
from . import data, orthogonal
from .common import Training, compiled_, publish
from .looks import to_tensor

CONFIG = {"image_size": 64, "num_channels": 64, "num_res_blocks": 1, "channel_mult": "1,2,3",
          "attention_resolutions": "16", "num_head_channels": 32, "resblock_updown": False,
          "learn_sigma": False, "objective": "v", "unshuffle": 2,
          "class_cond": True, "classes": len(scenes.THINGS) + 1, "anything": True}
NAMES = [*scenes.THINGS, "anything"]
UNTOLD = 0.2            # how often it is not told what a picture shows
SIDE = 64


def levels(count, rng):
    """`count` noise levels: most where things take shape."""
    return (torch.randn(count, generator=rng) * 1.3 - 0.6).exp().clamp(0.005, 150)


def train(name="adm-world", minutes=180, device="cpu", batch=32, count=80_000, further=False):
    """further: see Training. Yields notes of its progress; at last it is published and its metrics are
    yielded. Needs the judge in the zoo, or is Refused."""
    weights.zoo("judge")            # refused now rather than in hours
    torch.manual_seed(12)
    pixels = data.pictures(count, SIDE, "mostly-plain-")
    model = adm.build(CONFIG, "auto").to(device, memory_format=torch.channels_last)
    attentive_(model.unet)
    compiled_(model.unet, device)
    optimizers = orthogonal.optimizers(model.unet, 1e-3)
    training = Training(name, {"model": model.unet}, optimizers, minutes, averaged="model", decay=0.9995,
                        device=device, further=further)

    yield from training.run(lesson(model, optimizers.values(), pixels, batch, device,
                                   lambda *which: [told(*which).to(device)]))
    model.unet.load_state_dict(training.average.state_dict())
    metrics = measure(model.eval())
    publish(name, "adm", model.unet, CONFIG, training, metrics,
            f"{count} scenes of helpers.world, three of four in plain style", names=NAMES)
    yield metrics


def shown(pixels, batch, step, device):
    """What a step shows: numbers of some pictures, these in [-1, 1], noise levels, and them under it."""
    rng, grains = torch.Generator().manual_seed(step), torch.Generator(device).manual_seed(step)
    chosen = torch.randint(len(pixels), (batch,), generator=rng).sort().values
    x, sigma = 2 * to_tensor(pixels[chosen.numpy()], device) - 1, levels(batch, rng)
    noise = torch.randn(x.shape, generator=grains, device=device)
    return chosen, x, sigma, x + sigma.to(device).view(-1, 1, 1, 1) * noise


def heed(chosen):
    """(n, 1, 64, 64): how much an error counts, on average 1: more where a thing or its outline is."""
    things = F.max_pool2d(data.masks([data.plain(int(i)) for i in chosen], SIDE), 3, 1, 1)
    return (1 + 4 * things) / (1 + 4 * things).mean()


def told(chosen, step):
    """The class (n,) that it is told each picture is of: a thing in it, or anything."""
    rng = torch.Generator().manual_seed(step)
    shares = data.named([data.plain(int(i)) for i in chosen])[1]
    things = torch.multinomial(shares, 1, generator=rng)[:, 0]
    return torch.where(torch.rand(len(things), generator=rng) < UNTOLD, len(NAMES) - 1, things)


def lesson(model, optimizers, pixels, batch, device, hints=lambda chosen, step: []):
    """A step of training: pictures under noise, and how far off the clean ones are that `model` sees. hints:
    (numbers of pictures, step) -> what else it is given."""
    def work(step, progress):
        chosen, x, sigma, noisy = shown(pixels, batch, step, device)
        s = sigma.to(device).view(-1, 1, 1, 1)
        off = model(noisy, sigma, *hints(chosen, step)).clean - x
        error = (off * (1 + s.square()).sqrt() / s).square()            # v's
        loss = (error * heed(chosen).to(device)).mean()
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        return {"loss": loss}
    return work


@torch.no_grad()
def samples(denoise, count, device, steps=50, seed=0):
    """(count, 3, 64, 64) in [0, 1], drawn without any guide."""
    out, scale = [], karras(steps, 0.01, 80)
    for start in range(0, count, 50):
        rng = torch.Generator().manual_seed(seed + start)
        x = scale[0] * torch.randn(min(50, count - start), 3, SIDE, SIDE, generator=rng)
        for state in SAMPLERS["dpmpp_2m"](denoise, x.to(device), scale, noise=None):
            x = state.x
        out.append((x.cpu() + 1) / 2)
    return torch.cat(out).clamp(0, 1)


@torch.no_grad()
def measure(model, count=400, strictness=2.0):
    """Of unguided samples: the share in which the judge is sure of a thing, and their distance from pictures
    never trained on (see `distance`), beside that of two halves of those. Of samples that are told a thing,
    each in its turn, this strictly: the same share, and that in which the judge names that thing."""
    device = next(model.parameters()).device
    judge, each = judges.load(device), max(1, count // len(scenes.THINGS))
    drawn = np.stack([drawing.draw(data.plain(40_000_000 + i), SIDE) for i in range(2 * count)])
    rows = torch.eye(len(NAMES))[:-1, :, None, None].expand(-1, -1, 2, 2)
    wanted = [lambda progress, row=row: row for row in rows]
    led = [samples(Classed(model, one, strictness), each, device, seed=k) for k, one in enumerate(wanted)]
    seen = {"samples": samples(model, count, device), "real": to_tensor(drawn, "cpu"), "told": torch.cat(led)}
    features = {name: torch.cat([judge.trunk((part.to(device) - 0.5) * 4) for part in images.split(100)])
                for name, images in seen.items()}
    odds = {name: judge.thing(rows).softmax(1).cpu() for name, rows in features.items()}
    sure = {name: round(rows.amax(1).ge(0.8).float().mean().item(), 4) for name, rows in odds.items()}
    right = odds["told"].argmax(1) == torch.arange(len(wanted)).repeat_interleave(each)
    return {"a thing, samples": sure["samples"], "a thing, told": sure["told"], "a thing, real": sure["real"],
            "the thing told": round(right.float().mean().item(), 4),
            "distance": round(distance(features["samples"], features["real"][:count]), 3),
            "distance, real": round(distance(features["real"][count:], features["real"][:count]), 3)}


def distance(one, other):
    """Frechet distance of two sets of rows (n, d), as of normal distributions (Heusel et al. 2017)."""
    (m, a), (n, b) = ((rows.double().mean(0), rows.double().T.cov()) for rows in (one, other))
    both = torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt().sum()
    return ((m - n).square().sum() + a.trace() + b.trace() - 2 * both).item()
