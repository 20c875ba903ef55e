"""The embedded noisy classifier (Dhariwal and Nichol 2021): which thing is this, seen through the noise?

Where a picture shows two things, half of the answer is each. Leaves the paper: it begins with what the
looking half of the denoiser has learned, and pools without attention, so that any size will do.
"""

import numpy as np
import torch
from torch.nn import functional as F

from ... import weights
from ...networks import adm_classifier
from ...networks.adm_lean import attentive_
from .. import drawing, scenes
from . import data
from .adm import CONFIG as DENOISER
from .adm import SIDE, shown
from .common import Training, compiled_, publish
from .looks import to_tensor

THINGS = list(scenes.THINGS)
ALIKE = ("image_size", "num_channels", "num_res_blocks", "channel_mult", "attention_resolutions",
         "num_head_channels", "resblock_updown", "unshuffle")
CONFIG = {key: DENOISER[key] for key in ALIKE} | {"pool": "adaptive", "classes": len(THINGS)}


def train(name="classifier-world", minutes=40, device="cpu", batch=64, count=80_000, further=False,
          denoiser="adm-world"):
    """further: see Training. denoiser: the member of the zoo it begins with. Yields notes of its progress; at
    last it is published and its metrics are yielded. Refused where the zoo has no such denoiser."""
    learned = weights.zoo(denoiser)[1]
    torch.manual_seed(14)
    pixels = data.pictures(count, SIDE, "mostly-plain-")
    truth = data.named([data.plain(i) for i in range(count)])[1]
    model = adm_classifier.build(CONFIG, "auto").to(device, memory_format=torch.channels_last)
    begin_(model.unet, learned)
    attentive_(model.unet)
    compiled_(model.unet, device)
    optimizer = torch.optim.AdamW(model.unet.parameters(), 4e-4, (0.9, 0.99), weight_decay=0.05)
    training = Training(name, {"model": model.unet}, {"model": optimizer}, minutes, averaged="model",
                        decay=0.999, device=device, further=further)

    def work(step, progress):
        chosen, _, sigma, noisy = shown(pixels, batch, step, device)
        loss = F.cross_entropy(model(noisy, sigma), truth[chosen].to(device))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"loss": loss}

    yield from training.run(work)
    model.unet.load_state_dict(training.average.state_dict())
    metrics = measure(model.eval())
    publish(name, "classifier", model.unet, CONFIG, training, metrics,
            f"{count} scenes of helpers.world, three of four in plain style", names=THINGS)
    yield metrics


def begin_(unet, learned):
    """Begin with those of the tensors `learned` that have the same names and shapes here. What a denoiser
    adds to the time where it may be anything is added for good."""
    here = unet.state_dict()
    if "label_emb.weight" in learned:
        bias = learned["time_embed.2.bias"] + learned["label_emb.weight"][-1]
        learned = learned | {"time_embed.2.bias": bias}
    unet.load_state_dict(here | {key: value.float() for key, value in learned.items()
                                 if key in here and value.shape == here[key].shape})


@torch.no_grad()
def measure(model, count=400):
    """On pictures never trained on: how often a thing that is there comes first, under some noises."""
    chosen = [data.plain(40_000_000 + i) for i in range(count)]
    x = 2 * to_tensor(np.stack([drawing.draw(scene, SIDE) for scene in chosen]), "cpu") - 1
    there, device = data.named(chosen)[1] > 0, next(model.parameters()).device
    noise, out = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)), {}
    for sigma in (0.1, 0.5, 1.0, 3.0):
        said = torch.cat([model(part, sigma).argmax(1).cpu()
                          for part in (x + sigma * noise).to(device).split(100)])
        out[f"noise {sigma:g}"] = round(there[torch.arange(count), said].float().mean().item(), 4)
    return out
