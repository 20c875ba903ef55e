"""The embedded ADM (Dhariwal and Nichol 2021): noise at any level becomes a picture of the world, 64 px.

It answers v instead of the noise and leaves out the learned variance (Salimans and Ho 2022: the error then
counts alike at every level), levels are drawn from a bell curve (Karras et al. 2022), and it works on 2 x 2
pixels folded into channels: all three for more pictures an hour. An error counts five times where a thing
is, or things would be little of what it learns; where noise hides if there is one, it leans toward one.
"""

import numpy as np
import torch
from torch.nn import functional as F

from ... import weights
from ...networks import adm
from ...networks.adm_lean import attentive_
from ...noise_levels import karras
from ...samplers import SAMPLERS
from .. import drawing
from .. import judge as judges
from . import data
from .common import Training, compiled_, publish
from .looks import to_tensor

CONFIG = {"image_size": 64, "num_channels": 64, "num_res_blocks": 1, "channel_mult": "1,2,3",
          "attention_resolutions": "16", "num_head_channels": 32, "resblock_updown": False,
          "learn_sigma": False, "objective": "v", "unshuffle": 2}
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
    optimizer = torch.optim.AdamW(model.unet.parameters(), 6e-4, (0.9, 0.99), weight_decay=0.01)
    training = Training(name, {"model": model.unet}, {"model": optimizer}, minutes, averaged="model",
                        decay=0.9995, device=device, further=further)

    yield from training.run(lesson(model, optimizer, pixels, batch, device))
    model.unet.load_state_dict(training.average.state_dict())
    metrics = measure(model.eval())
    publish(name, "adm", model.unet, CONFIG, training, metrics,
            f"{count} scenes of helpers.world, three of four in plain style")
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


def lesson(model, optimizer, pixels, batch, device):
    """A step of training: pictures under noise, and how far off the clean ones are that `model` sees."""
    def work(step, progress):
        chosen, x, sigma, noisy = shown(pixels, batch, step, device)
        s = sigma.to(device).view(-1, 1, 1, 1)
        off = model(noisy, sigma).clean - x
        error = (off * (1 + s.square()).sqrt() / s).square()            # v's
        loss = (error * heed(chosen).to(device)).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"loss": loss}
    return work


@torch.no_grad()
def samples(model, count, steps=50, seed=0):
    """(count, 3, 64, 64) in [0, 1], drawn without any guide."""
    device, out = next(model.parameters()).device, []
    scale = karras(steps, 0.01, 80)
    for start in range(0, count, 50):
        rng = torch.Generator().manual_seed(seed + start)
        x = scale[0] * torch.randn(min(50, count - start), 3, SIDE, SIDE, generator=rng)
        for state in SAMPLERS["dpmpp_2m"](model, x.to(device), scale, noise=None):
            x = state.x
        out.append((x.cpu() + 1) / 2)
    return torch.cat(out).clamp(0, 1)


@torch.no_grad()
def measure(model, count=400):
    """Of unguided samples: the share in which the judge is sure of a thing, and their distance from pictures
    never trained on (see `distance`), beside that of two halves of those."""
    judge = judges.load(next(model.parameters()).device)
    drawn = np.stack([drawing.draw(data.plain(40_000_000 + i), SIDE) for i in range(2 * count)])
    seen = {"samples": samples(model, count), "real": to_tensor(drawn, "cpu")}
    features = {name: torch.cat([judge.trunk((part - 0.5) * 4) for part in images.split(100)])
                for name, images in seen.items()}
    sure = {name: judge.thing(rows).softmax(1).amax(1).ge(0.8).float().mean().item()
            for name, rows in features.items()}
    return {"a thing, samples": round(sure["samples"], 4), "a thing, real": round(sure["real"], 4),
            "distance": round(distance(features["samples"], features["real"][:count]), 3),
            "distance, real": round(distance(features["real"][count:], features["real"][:count]), 3)}


def distance(one, other):
    """Frechet distance of two sets of rows (n, d), as of normal distributions (Heusel et al. 2017)."""
    (m, a), (n, b) = ((rows.double().mean(0), rows.double().T.cov()) for rows in (one, other))
    both = torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt().sum()
    return ((m - n).square().sum() + a.trace() + b.trace() - 2 * both).item()
