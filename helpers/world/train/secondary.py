"""The embedded secondary network (after Crowson 2021): what a noisy picture of the world is, for guides."""

import numpy as np
import torch

from ...networks import secondary
from .. import drawing
from . import data
from .adm import SIDE, lesson
from .common import Training, compiled_, publish
from .looks import to_tensor

CONFIG = {"widths": [24, 48, 64, 96, 128], "times": 16}


def train(name="secondary-world", minutes=40, device="cpu", batch=32, count=80_000, further=False):
    """further: see Training. Yields notes of its progress; at last it is published and its metrics are
    yielded."""
    torch.manual_seed(13)
    pixels = data.pictures(count, SIDE, "mostly-plain-")
    model = secondary.build(CONFIG, "auto").to(device, memory_format=torch.channels_last)
    compiled_(model, device)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, (0.9, 0.99), weight_decay=0.01)
    training = Training(name, {"model": model}, {"model": optimizer}, minutes, averaged="model", decay=0.999,
                        device=device, further=further)
    yield from training.run(lesson(model, [optimizer], pixels, batch, device))
    metrics = measure(training.average)
    publish(name, "secondary", training.average, CONFIG, training, metrics,
            f"{count} scenes of helpers.world, three of four in plain style")
    yield metrics


@torch.no_grad()
def measure(model, count=200):
    """On pictures never trained on: root mean square error of the clean picture for some noises, 0..1, beside
    that of the mean picture."""
    drawn = np.stack([drawing.draw(data.plain(40_000_000 + i), SIDE) for i in range(count)])
    x = 2 * to_tensor(drawn, "cpu") - 1
    noise, out = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)), {}
    for sigma in (0.3, 1.0, 3.0, 10.0):
        off = model((x + sigma * noise).to(next(model.parameters()).device), sigma).clean.cpu() - x
        out[f"noise {sigma:g}"] = round(off.square().mean().sqrt().item() / 2, 4)
    return out | {"without": round((x - x.mean(0)).square().mean().sqrt().item() / 2, 4)}
