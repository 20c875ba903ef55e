"""What a perceptor makes of pictures and words, the loss between the two, and attacks on it."""

import torch
from torch.nn import functional as F

from .common import autocast

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
