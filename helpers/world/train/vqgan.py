"""The embedded VQGAN (Esser et al. 2021): reconstruction, perceptual loss in the robust guide's features,
patch adversary.

Leaves the paper: codes are L2-normalized and dead ones restarted from data (ViT-VQGAN, Yu et al. 2022),
the perceptual
loss is in an embedded guide's features instead of VGG's, and the adversary's weight is a constant that
ramps up.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .. import judge as judges
from .. import drawing
from . import data, perceptor
from .common import Training, autocast, publish
from .looks import to_tensor

CONFIG = {
    "l2_codes": True,
    "embed_dim": 32,
    "n_embed": 1024,
    "ddconfig": {
        "double_z": False,
        "z_channels": 64,
        "resolution": 128,
        "in_channels": 3,
        "out_ch": 3,
        "ch": 32,
        "ch_mult": [1, 1, 2, 4],
        "num_res_blocks": 1,
        "attn_resolutions": [16],
        "dropout": 0.0,
    },
}


class Features(nn.Module):
    """Activations of the stem and three stages of the guide's ResNet, unit length per pixel: the
    perceptual space.
    """

    def __init__(self, visual):
        super().__init__()
        self.visual = visual.eval().requires_grad_(False)

    def forward(self, images):
        v = self.visual
        mean = torch.tensor(perceptor.MEAN, device=images.device).view(1, 3, 1, 1)
        std = torch.tensor(perceptor.STD, device=images.device).view(1, 3, 1, 1)
        x = v.stem((images - mean) / std)
        out = [x]
        for stage in (v.layer1, v.layer2, v.layer3):
            x = stage(x)
            out.append(x)
        return [F.normalize(x.float(), dim=1) for x in out]


def restart(codes, z, used, rng):
    """Move codes that nobody used onto latents of this batch."""
    dead = (used < 0.02).nonzero().flatten()
    if len(dead):
        rows = z[torch.randint(len(z), (len(dead),), generator=rng).to(z.device)]
        codes.data[dead] = rows.detach()
        used[dead] = 1.0
    return len(dead)


def train(name="vqgan-world", minutes=60, device="cpu", batch=24, guide="disco-resnet"):
    from ... import weights
    from ...networks.vqgan import build
    from taming.modules.discriminator.model import NLayerDiscriminator, weights_init

    torch.manual_seed(2)
    model = (
        build(CONFIG, "bf16" if device != "cpu" else "fp32")
        .to(device, memory_format=torch.channels_last)
        .train()
        .requires_grad_(True)
    )
    critic = NLayerDiscriminator(3, 48, 2).apply(weights_init).to(device, memory_format=torch.channels_last)
    clip, _, _ = perceptor.build(guide)
    clip.load_state_dict({k: v.float() for k, v in weights.zoo(guide)[1].items()})
    features = Features(clip.visual.to(device, memory_format=torch.channels_last))
    painter = torch.optim.Adam(model.parameters(), 6e-4, (0.5, 0.95))
    adversary = torch.optim.Adam(critic.parameters(), 4e-4, (0.5, 0.9))
    used = nn.Parameter(torch.ones(CONFIG["n_embed"], device=device), requires_grad=False)
    tally = nn.ParameterList([used])
    training = Training(
        name,
        {"model": model, "critic": critic, "tally": tally},
        {"model": painter, "critic": adversary},
        minutes,
        averaged="model",
        decay=0.998,
        device=device,
    )
    source = data.Batches(batch)

    def work(step, progress):
        rng = torch.Generator().manual_seed(step)
        _, pixels = source.batch(step)
        images = to_tensor(pixels, device)
        images = images if step % 4 == 3 else crop(images, 64, rng)
        if step % 4 == 3:
            images = images[: batch // 3]
        images = images.contiguous(memory_format=torch.channels_last)
        noise = 0.15 * torch.rand(len(images), 1, 1, 1, generator=rng).to(device)
        with autocast(device):
            z = model.encode(images)
        codes, loss_codes, index = look_up(model, z.float())
        used.data.mul_(0.995).index_add_(0, index, torch.full((len(index),), 1.0, device=device))
        shaken = F.normalize(
            codes + noise * torch.randn(codes.shape, generator=rng).to(device) * codes.shape[1] ** -0.5 * 2,
            dim=1,
        )
        with autocast(device):
            remade = model.decode(shaken)
        remade = remade.float()
        weight = 0.15 * min(1.0, max(0.0, (progress - 0.3) / 0.2))
        pixel = (remade - images).abs().mean() + (remade - images).square().mean()
        with autocast(device):
            pairs = zip(features(remade), features(images), strict=True)
            near = sum((a - b).square().sum(1).mean() for a, b in pairs)
            fooled = (
                -critic(remade.contiguous(memory_format=torch.channels_last) * 2 - 1).float().mean()
                if weight
                else torch.zeros(())
            )
        loss = pixel + 0.35 * near + loss_codes + weight * fooled
        painter.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        painter.step()
        dead = (
            restart(
                model.quantize.embedding.weight,
                F.normalize(z.permute(0, 2, 3, 1).flatten(0, 2).float(), dim=1),
                used,
                rng,
            )
            if step % 40 == 0 and progress < 0.6
            else 0
        )
        told = torch.zeros(())
        if weight:
            with autocast(device):
                real, fake = (
                    critic(images * 2 - 1).float(),
                    critic(remade.detach().contiguous(memory_format=torch.channels_last) * 2 - 1).float(),
                )
            told = (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2
            adversary.zero_grad()
            told.backward()
            adversary.step()
        return {
            "pixel": pixel,
            "near": near,
            "codes": loss_codes,
            "fooled": fooled,
            "told": told,
            "restarted": dead,
        }

    yield from training.run(work)
    metrics = measure(training.average, device)
    publish(name, "vqgan", training.average, CONFIG, training, metrics)
    yield metrics


def crop(images, size, rng):
    y, x = torch.randint(images.shape[-2] - size + 1, (2,), generator=rng).tolist()
    return images[..., y : y + size, x : x + size]


def look_up(model, z, commit=0.25):
    """Nearest codes of latents (n, d, h, w), straight-through; the codebook and commitment losses; the
    indices.
    """
    unit = F.normalize(z, dim=1)
    flat = unit.permute(0, 2, 3, 1).flatten(0, 2)
    book = model.quantize.table()
    index = (flat.detach() @ book.detach().T).argmax(1)
    codes = book[index].view(len(z), *z.shape[-2:], -1).permute(0, 3, 1, 2)
    loss = ((codes - unit.detach()).square().sum(1) + commit * (unit - codes.detach()).square().sum(1)).mean()
    return unit + (codes - unit).detach(), loss, index


@torch.no_grad()
def measure(model, device="cpu", count=500):
    """At 128 px: the judge's accuracy on originals and on reconstructions, pixel error, codes in use."""
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
    out = {
        "L1": round((remade - images).abs().mean().item(), 4),
        "codes in use": len(torch.cat(indices).unique()),
    }
    for label, pictures in (("originals", images), ("reconstructions", remade)):
        grades = judges.grades(judge(pictures), chosen)
        out[f"judge on {label}"] = {k: round(v.float().mean().item(), 4) for k, v in grades.items()}
    return out
