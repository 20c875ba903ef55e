"""The prior of the embedded VQGAN: a denoiser of the latents of pictures, 128 px (Karras et al. 2022)."""

import numpy as np
import torch
from torch.nn import functional as F

from ... import weights
from ...networks import vqgan
from ...networks.prior import LatentPrior
from .. import drawing, scenes
from . import data
from .common import Training, publish
from .looks import to_tensor

STYLES = list(scenes.STYLES)
CONFIG = {"channels": 32, "width": 64, "mult": [1, 2, 2], "blocks": 1, "styles": STYLES}


def latents(network, count):
    """(count, d, 16, 16) fp16 latents of plain(0) to plain(count - 1) on the sphere, kept beside the pictures
    under the fingerprint of the VQGAN they are of."""
    path = data.home() / f"latents-{count}-{weights.fingerprint('vqgan-world')[:12]}.npy"
    if not path.exists():
        pixels, out = data.pictures(count, kind="plain-"), []
        with torch.no_grad():
            for i in range(0, count, 50):
                z = network.encode(to_tensor(pixels[i : i + 50], "cpu"))
                out.append(F.normalize(z, dim=1).half().numpy())
        part = path.with_suffix(".part.npy")
        np.save(part, np.concatenate(out))
        part.rename(path)
    return np.load(path, mmap_mode="r")


def train(name="vqgan-world-prior", minutes=40, device="cpu", batch=64, count=40_000, further=False):
    """Needs the VQGAN in the zoo, or is Refused; further: see Training. Yields notes of its progress; at last
    it is published and its metrics are yielded."""
    torch.manual_seed(9)
    network = vqgan.load("vqgan-world", "cpu", precision="auto")
    clean = latents(network, count)
    styles = torch.tensor([STYLES.index(data.plain(i).style) for i in range(count)])
    model = LatentPrior(CONFIG).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), 6e-4, (0.9, 0.99), weight_decay=0.01)
    training = Training(name, {"model": model}, {"model": optimizer}, minutes, averaged="model", decay=0.999,
                        device=device, further=further)

    def work(step, progress):
        rng = torch.Generator().manual_seed(step)
        chosen = torch.randint(count, (batch,), generator=rng).sort().values
        x = torch.from_numpy(clean[chosen.numpy()].astype(np.float32)).to(device) * model.scale
        sigma = (torch.randn(batch, generator=rng) * 1.1 - 0.4).exp().clamp(0.03, 12).to(device)
        noise = torch.randn(x.shape, generator=rng).to(device)
        s = sigma.view(-1, 1, 1, 1)
        guess = model(x + s * noise, sigma, styles[chosen].to(device))
        loss = ((guess - x).square() * (s.square() + 1) / s.square()).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"loss": loss.item()}

    yield from training.run(work)
    metrics = measure(training.average.to("cpu"), network)
    publish(name, "prior", training.average, CONFIG, training, metrics,
            f"latents of {count} scenes of helpers.world, every second one in plain style")
    yield metrics


@torch.no_grad()
def measure(model, network, count=200):
    """On latents of scenes in plain style never trained on: mean squared error of the denoised ones (variance
    1) for some noises, beside that of the best guess without a network, x / (1 + sigma^2)."""
    model.eval()
    pixels = np.stack([drawing.draw(data.plain(30_000_000 + 2 * i), 128) for i in range(count)])
    x = torch.cat([network.encode(part) for part in to_tensor(pixels, "cpu").split(50)])
    x = F.normalize(x, dim=1) * model.scale
    noise, out = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)), {}
    for sigma in (0.2, 0.5, 1.0, 3.0):
        noisy = x + sigma * noise
        error = (model(noisy, torch.full((count,), sigma)) - x).square().mean().item()
        plain = (noisy / (1 + sigma**2) - x).square().mean().item()
        out[f"noise {sigma}"] = {"error": round(error, 4), "without": round(plain, 4)}
    return out
