"""Tiny stand-ins with the shape of the real things: seconds are for tests, weights are for painting."""

import torch
from torch import nn
from torch.nn import functional as F


class Eye(nn.Module):
    """A perceptor: a fixed smooth map from small pictures to unit rows, and words hashed to places on it."""

    def __init__(self, size=16, dim=12, name="eye"):
        super().__init__()
        rng = torch.Generator().manual_seed(size)
        self.size, self.dim, self.name = size, dim, name
        self.weight = nn.Parameter(torch.randn(3 * 16, dim, generator=rng))

    def encode_text(self, words):
        rows = [torch.randn(self.dim, generator=torch.Generator().manual_seed(sum(map(ord, w)))) for w in words]
        return F.normalize(torch.stack(rows), dim=-1).to(self.weight)

    def encode_image(self, images):
        assert images.shape[1:] == (3, self.size, self.size), images.shape
        return F.normalize((F.adaptive_avg_pool2d(images, 4) - 0.5).flatten(1) @ self.weight, dim=-1)

    def count_tokens(self, text):
        return len(text.split()) + 2

    context = 8

    def unknown_words(self, text):
        return []


class Coder(nn.Module):
    """A VQGAN: 8 pixels a side become one latent of 4 numbers, 16 codes."""

    factor, l2_codes = 8, False

    def __init__(self, dim=4):
        super().__init__()
        rng = torch.Generator().manual_seed(3)
        self.table = nn.Parameter(torch.randn(16, dim, generator=rng))
        self.mix = nn.Parameter(torch.randn(3, dim, generator=rng) / 2)

    @property
    def codes(self):
        return self.table

    def encode(self, image):
        small = F.avg_pool2d(image * 2 - 1, self.factor)
        return torch.einsum("ck,nkhw->nchw", torch.linalg.pinv(self.mix), small)

    def decode(self, z):
        rgb = torch.einsum("kc,nchw->nkhw", self.mix, z)
        return F.interpolate((rgb + 1) / 2, scale_factor=self.factor, mode="bilinear")
