"""Resemblance: is it still the picture it started from? Judged by a perceptor, look by look."""

import torch
from torch.nn import functional as F

from helpers.cutouts import cut
from helpers.guides.base import Guide


class Resemblance(Guide):
    """Mean distance, 1 - cosine, of looks at the image and the same looks at a picture (1, 3, h, w).

    In the place of LPIPS on VGG, which is one network more to fetch: a perceptor's rows say what is to be
    seen, not where, and so many looks at parts are taken.
    """

    def __init__(self, perceptor, picture, cutouts):
        super().__init__()
        self.perceptor, self.cutouts = perceptor.requires_grad_(False), cutouts
        self.register_buffer("picture", picture.clone())

    def forward(self, image, progress=0.0):
        boxes = self.cutouts.boxes(*image.shape[-2:], progress)
        seen = self.perceptor.encode_image(cut(image, boxes, self.perceptor.size)).float()
        with torch.no_grad():
            aim = self.perceptor.encode_image(cut(self.picture.to(image), boxes, self.perceptor.size)).float()
        return 1 - F.cosine_similarity(seen, aim.repeat_interleave(len(image), 0), dim=-1).mean()
