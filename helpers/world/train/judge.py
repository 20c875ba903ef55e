"""The judge's training: many losses, and much weather, for it is to read pictures that were not drawn."""

import numpy as np
import torch
from torch.nn import functional as F

from .. import drawing
from ..judge import HEADS, Judge, grades, labels
from . import data
from .common import SEEN, Training, autocast, publish
from .looks import look, to_tensor, weather


HELD = 6_666        # pictures of held-out combinations it also learns, so that the shares are natural


def loss_of(reading, truth):
    """A cross entropy per name; of colors, only those of things that are there."""
    share = truth["thing"] / truth["thing"].sum(1, keepdim=True)
    colors, painted = reading["color"].float().flatten(0, 1), truth["color"].flatten()
    terms = {"thing": F.cross_entropy(reading["thing"].float(), share),
             "color": F.cross_entropy(colors, painted, ignore_index=-1)}
    return terms | {k: F.cross_entropy(reading[k].float(), truth[k]) for k in HEADS}


def train(name="judge", minutes=14, device="cpu", batch=128, further=False):
    """Yields notes of its progress; at last it is published, and its metrics are yielded."""
    torch.manual_seed(4711)
    model = Judge().to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, (0.9, 0.99), weight_decay=0.05)
    training = Training(name, {"model": model}, {"model": optimizer}, minutes, averaged="model",
                        device=device, further=further)
    source = data.Batches(batch, held=HELD)

    def work(step, progress):
        rng = torch.Generator().manual_seed(77_000_000 + step)
        chosen, pixels = source.batch(500_000 + step)
        images = weather(look(to_tensor(pixels, device), 64, rng, closest=0.8), rng, noise=0.2)
        truth = {k: v.to(device) for k, v in labels(chosen).items()}
        with autocast(device):
            terms = loss_of(model(images.contiguous(memory_format=torch.channels_last)), truth)
        loss = sum(terms.values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        return {"loss": loss.item(), **{k: v.item() for k, v in terms.items()}}

    yield from training.run(work)
    metrics = measure(training.average, device)
    publish(name, "judge", training.average, {"trunk": "resnet10t"}, training, metrics,
            f"{SEEN}, and {HELD} of held-out combinations", guide=False)
    yield metrics


@torch.no_grad()
def measure(model, device="cpu", count=2000):
    """Shares of right readings on scenes never trained on, of seen and of held-out combinations."""
    model.eval()
    out = {}
    for label, held in (("seen pairs", False), ("held-out pairs", True)):
        chosen = [data.scene(20_000_000 + i, held) for i in range(count)]
        pixels = np.stack([drawing.draw(s, 64) for s in chosen])
        readings = [model(to_tensor(pixels[i : i + 200], device)) for i in range(0, count, 200)]
        reading = {k: torch.cat([r[k] for r in readings]) for k in readings[0]}
        out[label] = {k: round(v.float().mean().item(), 4) for k, v in grades(reading, chosen).items()}
    return out
