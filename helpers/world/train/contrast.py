"""What a perceptor makes of pictures and words, the loss between the two, and attacks on it."""

import torch
from torch.nn import functional as F

from .common import autocast

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # CLIP's own


def plain_attention():
    """Attention written out: on CPUs the fused kernel's slope takes several times as long at 64 tokens."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    return sdpa_kernel(SDPBackend.MATH)


def standard(images):
    """[0, 1] -> what the towers were made for: mean 0, deviation 1, per channel."""
    mean, std = (torch.tensor(v, device=images.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (images - mean) / std


def encode(model, images, device):
    """(n, 3, h, w) in [0, 1] -> (n, d) unit rows."""
    x = standard(images).contiguous(memory_format=torch.channels_last)
    with plain_attention(), autocast(device):
        return F.normalize(model.visual(x).float(), dim=-1)


def contrast(image, text, scale):
    """CLIP's loss between n pictures and their n texts, both ways (Radford et al. 2021). What `text` has
    beyond n are wrong sentences, to which a picture must not be nearer than to its own."""
    logits, n = scale * image @ text.T, len(image)
    target = torch.arange(n, device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits[:, :n].T, target)) / 2


def tell(model, tokenizer, said, device):
    """n sentences -> (n, d) unit rows."""
    return read(model, tokenizer(said).to(device), device)


def read(model, tokens, device):
    """Tokens of n sentences -> (n, d) unit rows.

    As open_clip's encode_text, but for as many tokens as the longest sentence has: attention is causal, so
    what is behind the end of a text changes nothing and is half of the work."""
    ends = tokens.argmax(1)
    tokens = tokens[:, : int(ends.max()) + 1]
    size = tokens.shape[1]
    with plain_attention(), autocast(device):
        x = model.token_embedding(tokens) + model.positional_embedding[:size]
        x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:size, :size]))
        x = x[torch.arange(len(x), device=device), ends] @ model.text_projection
    return F.normalize(x.float(), dim=-1)


def naming(image, text, truth, scale):
    """Cross entropy of what each of n pictures shows among m names, a softmax of its own over each part.

    text: rows of the names, parts one after the other; truth: for each part (n, m_i), whose rows sum to 1."""
    logits = (scale * image @ text.T).split([t.shape[1] for t in truth], 1)
    return sum(F.cross_entropy(part, t) for part, t in zip(logits, truth, strict=True)) / len(truth)


def length(x):
    """L2 norm of each picture, (n, 1, 1, 1), never 0."""
    return x.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


@torch.no_grad()
def climb(images, delta, slope, radii, stride):
    """One step of the attack `delta` up its slope, back into the ball and the picture into [0, 1].

    radii (n, 1, 1, 1): of the L2 balls; stride: length of the step as a share of them.
    """
    delta = delta + slope / length(slope) * radii * stride
    delta = delta * (radii / length(delta)).clamp(max=1)
    return (images + delta).clamp(0, 1) - images


def attack(model, images, text, eps, steps, device):
    """What to add to images (n, 3, h, w) so that they fit their texts (n, d) worse, at most `eps` long.

    L2 projected gradient ascent on the contrastive loss, from the pictures themselves (Madry et al. 2018).
    """
    radii, delta = torch.full((len(images), 1, 1, 1), eps, device=device), torch.zeros_like(images)
    for _ in range(steps):
        delta = delta.detach().requires_grad_()
        loss = contrast(encode(model, images + delta, device), text, model.logit_scale.exp())
        delta = climb(images, delta.detach(), torch.autograd.grad(loss, delta)[0], radii, 2 / steps)
    return delta.detach()
