"""Tiny stand-ins with the shape of the real things: seconds are for tests, weights are for painting."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from helpers import perceptors, weights
from helpers.networks import adm, adm_classifier, biggan, secondary, upscaler, vqgan

TINY = {"ddconfig": {"ch": 32, "out_ch": 3, "ch_mult": [1, 1, 1, 1], "num_res_blocks": 1,
                     "attn_resolutions": [], "resolution": 64, "in_channels": 3, "z_channels": 8,
                     "double_z": False, "dropout": 0.0},
        "embed_dim": 4, "n_embed": 24}

SMALL = {"image_size": 32, "num_channels": 32, "num_res_blocks": 1, "channel_mult": "1,1",
         "attention_resolutions": "8", "num_head_channels": 32, "learn_sigma": False, "objective": "v",
         "unshuffle": 2}
TOLD_BY_WEIGHTS = ("biggan", "adm", "classifier", "secondary")     # whose names of classes no card tells


class Eye(nn.Module):
    """A perceptor: a fixed smooth map from small pictures to unit rows, and words hashed to places on it."""

    room, small, likeness = 8, True, None

    def __init__(self, size=16, dim=12, name="eye"):
        super().__init__()
        rng = torch.Generator().manual_seed(size)
        self.size, self.dim, self.name = size, dim, name
        self.weight = nn.Parameter(torch.randn(3 * 16, dim, generator=rng))
        self.calls = []

    def begin(self):
        """There is nothing to make lean."""

    def encode_text(self, words):
        rows = [torch.randn(self.dim, generator=torch.Generator().manual_seed(sum(map(ord, word))))
                for word in words]
        return F.normalize(torch.stack(rows), dim=-1).to(self.weight)

    def encode_image(self, images):
        assert images.shape[1:] == (3, self.size, self.size), images.shape
        self.calls.append(len(images))
        return F.normalize((F.adaptive_avg_pool2d(images, 4) - 0.5).flatten(1) @ self.weight, dim=-1)

    def count_tokens(self, text):
        return len(text.split())

    def unknown_words(self, text):
        return []


def photo(seed=0, height=64, width=64):
    """A soft picture of six by six colors, as an array."""
    small = np.random.default_rng(seed).integers(30, 220, (6, 6, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.BICUBIC))


def half():
    """A mask of 64 x 64 whose right half is white."""
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 32:] = 255
    return mask


def coder():
    """A VQGAN of random weights, 8 pixels to a latent."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return vqgan.build(TINY).eval().requires_grad_(False)


def generator():
    """A BigGAN of random weights, 16 pixels, that has four classes."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        made = biggan.build({"layers": [(1, 4, 4), (1, 4, 2)], "width": 4, "attention": None, "classes": 4,
                             "z_dim": 6, "class_dim": 5, "n_stats": 3})
    made.names = ["car", "boat", "cat", "dog"]
    return made.eval().requires_grad_(False)


def denoiser(classes=0, anything=False):
    """An ADM of random weights, for pictures of 32 pixels; with as many classes, the last may be anything."""
    with torch.random.fork_rng():
        torch.manual_seed(8)
        made = adm.build(SMALL | {"class_cond": bool(classes), "classes": classes or 1000,
                                  "anything": anything})
        for p in made.unet.parameters():
            if p.ndim > 1 and not p.any():
                p.data.normal_(0, 0.03)     # the package begins with zeros, which say nothing
    made.names = ["car", "boat", "cat", "dog"][:classes - anything] + ["anything"] * anything
    return made.eval().requires_grad_(False)


def second(levels=2):
    """A secondary network of random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(9)
        return secondary.build({"widths": [8] * levels}).eval().requires_grad_(False)


def reader():
    """A classifier of random weights that reads four classes through noise."""
    with torch.random.fork_rng():
        torch.manual_seed(10)
        made = adm_classifier.build(SMALL | {"pool": "adaptive", "classes": 4, "unshuffle": 1})
        made.unet.out[-2].weight.data.normal_(0, 1)
    made.names = ["car", "boat", "cat", "dog"]
    return made.eval().requires_grad_(False)


class Twice(nn.Upsample):
    """An upscaler that invents nothing."""

    scale, precision = 2, "auto"

    def __init__(self):
        super().__init__(scale_factor=2)


def install(monkeypatch):
    """Systems find stand-ins where trained networks would be."""
    eyes = {"disco-resnet": Eye(16), "disco-darknet": Eye(12)}
    monkeypatch.setattr(perceptors, "load", lambda name, device="cpu", **_: eyes.setdefault(name, Eye(20)))
    network = coder()
    monkeypatch.setattr(vqgan, "load", lambda name, device="cpu", **_: network)
    known = weights.known

    def there(name, kind="", *knob):
        told_by_weights = {"name": name, "config": {}}, Path(name)
        return told_by_weights if kind in TOLD_BY_WEIGHTS else known(name, kind, *knob)
    monkeypatch.setattr(weights, "known", there)
    made = generator()
    monkeypatch.setattr(biggan, "load", lambda name, device="cpu", **_: made)
    nets = {"adm-world": denoiser(), "of classes": denoiser(4), "of anything": denoiser(5, True)}
    monkeypatch.setattr(adm, "load", lambda name, device="cpu", **_: nets[name])
    beside, judge = second(), reader()
    large = second(5)
    monkeypatch.setattr(secondary, "load", lambda name, *_, **__: large if name == "large" else beside)
    monkeypatch.setattr(adm_classifier, "load", lambda name, device="cpu", **_: judge)
    monkeypatch.setattr(upscaler, "load", lambda name, device="cpu", **_: Twice())
    monkeypatch.setattr(weights, "embedded", lambda: ["disco-resnet", "disco-darknet", "adm-world"])
    monkeypatch.setattr(weights, "fingerprint", lambda name: f"stand-in for {name}")
    return eyes
