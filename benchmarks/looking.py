"""CLIP and its crops in the manner of the originals: float32, crop by crop, OpenAI's attention."""

from types import SimpleNamespace

import torch
from torch.nn import functional as F
from torchvision import transforms as T

from helpers import perceptors
from helpers.guides import cosine, spherical
from helpers.prompts import wanted
from helpers.systems.wiring import cutouts

DISTANCES = {"cosine": cosine, "spherical": spherical}
SMOOTH = T.InterpolationMode.BILINEAR
AUGMENTS = {"flip": T.RandomHorizontalFlip(), "affine": T.RandomAffine(15, (0.1, 0.1), shear=5,
                                                                       interpolation=SMOOTH),
            "perspective": T.RandomPerspective(0.2, 0.7, interpolation=SMOOTH), "gray": T.RandomGrayscale(),
            "jitter": T.ColorJitter(0.1, 0.1, 0.1, 0.1), "erase": T.RandomErasing(0.7, (0.1, 0.4))}


class Eye:
    """CLIP, and the crops it is shown: `eye(image, boxes)` -> rows of unit length, (crops, d)."""

    def __init__(self, name, settings, device, frozen=True):
        plain = perceptors.load(name, device, precision="fp32")
        self.model, self.size, self.device = plain.model, plain.size, device
        self.mean, self.std = plain.mean, plain.std
        self.row = plain.encode_text([wanted(settings.prompts)])
        self.distance = DISTANCES[settings.distance]
        self.rng = torch.Generator()
        self.cutouts = cutouts(settings, SimpleNamespace(rng=self.rng, eyes=[self]), self)
        names = [word.strip() for word in settings.augment.split(",") if word.strip()]
        self.augment = T.Compose([AUGMENTS[word] for word in names])
        self.grain = float(settings.look_noise)
        self.model.requires_grad_(not frozen)
        sequence_first_(self.model.visual)

    def draw(self, seed, image, progress=0.0):
        """The boxes that ours looks at in the step of this seed."""
        self.rng.manual_seed(seed)
        return self.cutouts.boxes(*image.shape[-2:], progress)

    def __call__(self, image, boxes):
        looks = self.augment(cut(image, boxes, self.size))
        if self.grain:
            strength = torch.rand(len(looks), 1, 1, 1, device=looks.device) * self.grain
            looks = looks + strength * torch.randn_like(looks)
        return self.encode(looks)

    def encode(self, looks):
        with half(self.device):
            return F.normalize(self.model.encode_image((looks - self.mean) / self.std).float(), dim=-1)

    def away(self, rows):
        """Mean distance of rows (n, d) to the words."""
        return self.distance(rows[:, None], self.row[None]).mean()


def half(device):
    """OpenAI's CLIP and the U-Nets ran in float16 on CUDA, in float32 elsewhere."""
    return torch.autocast(device.type, torch.float16, enabled=device.type == "cuda")


def sequence_first_(visual):
    """Let a transformer compute in the layout it was published with: places before pictures."""
    if not hasattr(visual, "transformer"):
        return
    visual.transformer.batch_first = False
    for block in visual.transformer.resblocks:
        block.attn.batch_first = False


def cut(image, boxes, size):
    """Crop by crop, each cut out and resampled by itself."""
    looks = []
    for top, left, tall, wide in boxes.round().int().tolist():
        part = image[:, :, top:top + tall, left:left + wide]
        looks.append(F.interpolate(part, (size, size), mode="bilinear", antialias=True, align_corners=False))
    return torch.cat(looks)
