"""The guides: two small CLIPs with different towers, trained adversarially so that their gradients mean
something.

A plainly trained small CLIP is satisfied by texture that no eye reads. Training it on pictures moved by a
bounded
L2 attack (Madry et al. 2018; for CLIP: Mao et al. 2023) makes its gradient point at objects (Santurkar et
al. 2019).
Training uses "free" attacks (Shafahi et al. 2019): every batch is shown REPLAYS times, and the one
backward pass that
trains the weights also moves the attack on, so robustness costs no extra passes. Leaves the paper: L2
instead of
L-infinity, a radius drawn per picture, and a fresh random start for every batch.
"""

import gzip
import math

import numpy as np
import torch
from torch.nn import functional as F

from ...precision import lean_
from .. import drawing, words
from . import data
from .common import ZOO, Training, autocast, publish
from .looks import look, to_tensor, weather

REPLAYS = 3
TEXT = {"context_length": 32, "width": 192, "heads": 3, "layers": 3}
CONFIGS = {
    "disco-resnet": {
        "embed_dim": 256,
        "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 2], "width": 32, "head_width": 64},
        "text_cfg": TEXT,
    },
    "disco-vit": {
        "embed_dim": 256,
        "vision_cfg": {"image_size": 64, "layers": 6, "width": 192, "head_width": 64, "patch_size": 8},
        "text_cfg": TEXT,
    },
}


def write_words(path=ZOO / "words.bpe.gz"):
    """A BPE file for open_clip's tokenizer in which every word of the world is one token and others fall
    to letters.

    Each word is first split by the merges so far; what remains is joined from the left. Later merges have
    a lower
    priority, so they never disturb an earlier word.
    """
    merges = []
    for word in words.vocabulary():
        parts = [*word[:-1], word[-1] + "</w>"]
        rank = {m: i for i, m in enumerate(merges)}
        while len(parts) > 1:
            pairs = [(rank.get(p, math.inf), i) for i, p in enumerate(zip(parts, parts[1:], strict=False))]
            best, i = min(pairs)
            if best == math.inf:
                i = 0
                merges.append((parts[0], parts[1]))
                rank[merges[-1]] = len(merges) - 1
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
    text = "#version: discotheque\n" + "\n".join(" ".join(m) for m in merges)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return 512 + len(merges) + 2


def build(name):
    from open_clip.model import CLIP
    from open_clip.tokenizer import SimpleTokenizer

    vocabulary = write_words()
    config = {**CONFIGS[name], "text_cfg": {**TEXT, "vocab_size": vocabulary}}
    tokenizer = SimpleTokenizer(bpe_path=str(ZOO / "words.bpe.gz"), context_length=TEXT["context_length"])
    vision = {**config["vision_cfg"]}
    if isinstance(vision["layers"], list):
        vision["layers"] = tuple(vision["layers"])
    model = CLIP(config["embed_dim"], vision, config["text_cfg"])
    lean_(model)
    return model, tokenizer, config


MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # CLIP's own


def plain_attention():
    """Attention written out: on CPUs the fused kernel's backward pass is several times slower at 64
    tokens.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel

    return sdpa_kernel(SDPBackend.MATH)


def encode(model, images, device):
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    with plain_attention(), autocast(device):
        return F.normalize(
            model.visual(((images - mean) / std).contiguous(memory_format=torch.channels_last)).float(),
            dim=-1,
        )


def contrast(image, text, scale):
    logits = scale * image @ text.T
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def tell(model, tokenizer, said, device):
    with plain_attention(), autocast(device):
        return F.normalize(model.encode_text(tokenizer(said).to(device)).float(), dim=-1)


def radius(progress, eps, warm):
    """0 while warming up on clean pictures, then growing to `eps`."""
    return 0.0 if progress < warm else eps * min(1.0, 0.25 + 0.75 * (progress - warm) / 0.4)


def fresh(source, turn, reach, rng, device):
    """A new batch with new words, and a random start for its attack."""
    chosen, pixels = source.batch(turn)
    images = weather(look(to_tensor(pixels, device), 64, rng), rng)
    radii = (0.3 + 0.7 * torch.rand(len(images), 1, 1, 1, generator=rng)).to(device) * reach
    noise = torch.randn(images.shape, generator=rng).to(device)
    delta = noise / length(noise) * radii * 0.5
    return {
        "said": data.captions(chosen, np.random.default_rng([3, turn])),
        "images": images,
        "radii": radii,
        "delta": delta,
    }


def length(x):
    return x.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


@torch.no_grad()
def climb(images, delta, slope, radii, stride):
    """One step of the attack up its slope, back into the ball and into [0, 1]."""
    delta = delta + slope / length(slope) * radii * stride
    delta = delta * (radii / length(delta)).clamp(max=1)
    return (images + delta).clamp(0, 1) - images


def attack(model, images, text, eps, steps, device):
    """L2 projected gradient ascent on the contrastive loss within `eps`, from the picture itself."""
    radii, delta = torch.full((len(images), 1, 1, 1), eps, device=device), torch.zeros_like(images)
    for _ in range(steps):
        delta = delta.detach().requires_grad_()
        loss = contrast(encode(model, images + delta, device), text, model.logit_scale.exp())
        delta = climb(images, delta.detach(), torch.autograd.grad(loss, delta)[0], radii, 2 / steps)
    return delta.detach()


def train(name, minutes=60, device="cpu", batch=160, eps=3.0, warm=0.1):
    """Clean for the first `warm` of the time, then attacked with radii growing to `eps`."""
    torch.manual_seed(1 if name == "disco-vit" else 0)
    model, tokenizer, config = build(name)
    model = model.to(device)
    model.visual = model.visual.to(memory_format=torch.channels_last)
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    rate = 1e-3 if name == "disco-resnet" else 7e-4
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], rate, (0.9, 0.98)
    )
    training = Training(
        name, {"model": model}, {"model": optimizer}, minutes, averaged="model", decay=0.998, device=device
    )
    source = data.Batches(batch)

    shown = {}

    def work(step, progress):
        rng = torch.Generator().manual_seed(step)
        if step % REPLAYS == 0 or not shown:
            shown.update(fresh(source, step // REPLAYS, radius(progress, eps, warm), rng, device))
        delta = shown["delta"].requires_grad_()
        text = tell(model, tokenizer, shown["said"], device)
        loss = contrast(
            encode(model, shown["images"] + delta, device), text, model.logit_scale.exp().clamp(max=100)
        )
        optimizer.zero_grad()
        delta.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        shown["delta"] = climb(shown["images"], delta.detach(), delta.grad, shown["radii"], 0.8)
        return {"loss": loss.item(), "radius": shown["radii"].mean().item()}

    yield from training.run(work)
    metrics = measure(training.average, tokenizer, device)
    publish(
        name,
        "perceptor",
        training.average,
        config,
        training,
        metrics,
        tokenizer="words.bpe.gz",
        guide=True,
        robust={"norm": "L2 over a 64 x 64 picture in [0, 1]", "radius": eps, "replays": REPLAYS},
    )
    yield metrics


def measure(model, tokenizer, device="cpu", count=1000):
    """Retrieval among 100 on scenes never trained on: clean, under a 5-step attack of radius 2, and on
    held-out pairs.
    """
    model.eval().requires_grad_(False)
    out = {}
    for label, held in (("seen pairs", False), ("held-out pairs", True)):
        chosen = [data.scene(10_000_000 + i, held) for i in range(count)]
        images = to_tensor(np.stack([drawing.draw(s, 64) for s in chosen]), device)
        with torch.no_grad(), autocast(device):
            text = F.normalize(
                model.encode_text(tokenizer([words.prompt(s) for s in chosen]).to(device)).float(), dim=-1
            )
        for kind in ("clean", "attacked"):
            hits = 0
            for i in range(0, count, 100):
                x, t = images[i : i + 100], text[i : i + 100]
                if kind == "attacked":
                    x = x + attack(model, x, t, 2.0, 5, device)
                with torch.no_grad():
                    hits += (
                        ((encode(model, x, device) @ t.T).argmax(1).cpu() == torch.arange(100)).sum().item()
                    )
            out[f"R@1 of 100, {label}, {kind}"] = round(hits / count, 4)
    return out
