"""Upscalers: networks that make a finished picture larger, and invent what it would have shown.

    large = upscale(load("upscaler-world", device), image)      # (n, 3, 4h, 4w)

They are of the ESRGAN family (Wang et al. 2018), and any checkpoint of it that spandrel reads will do.
"""

import torch
from torch import nn

from .. import weights
from ..errors import Refused
from ..precision import run

TILE, RIM = 256, 16     # pixels of a part of a large picture, and of its surroundings seen with it


def build(config: dict) -> nn.Module:
    """One with random weights; config: num_filters, num_blocks, scale."""
    from spandrel.architectures.ESRGAN import ESRGAN
    return ESRGAN(**config)


def load(name: str, device="cpu") -> nn.Module:
    """A trained one by name or path, frozen; its shape is read off the weights. `scale` says how many times
    larger. Refused: no such, or no upscaler that is known."""
    from spandrel import ImageModelDescriptor, ModelLoader
    _, state = weights.load(name, "upscaler")
    try:
        found = ModelLoader().load_from_state_dict({key: value.float() for key, value in state.items()})
    except Exception as error:      # whatever its detectors stumble over
        raise Refused(f"{name} does not hold an upscaler that is known", "ESRGAN and its kin are",
                      "check the file") from error
    if not isinstance(found, ImageModelDescriptor) or found.input_channels != 3:
        raise Refused(f"{name} does not enlarge pictures", "an upscaler takes colors and gives colors",
                      "take another one")
    net = found.model.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
    net.scale, net.precision = found.scale, "auto"
    return net


@torch.no_grad()
def upscale(net, image):
    """(n, 3, h, w) in [0, 1] -> (n, 3, scale * h, scale * w) in [0, 1]; large pictures in parts that see
    their surroundings."""
    height, width = image.shape[-2:]
    large = image.new_empty(*image.shape[:2], height * net.scale, width * net.scale)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            up, back = max(0, top - RIM), max(0, left - RIM)
            part = image[..., up:top + TILE + RIM, back:left + TILE + RIM]
            made = run(net, net, part)
            y, x = (top - up) * net.scale, (left - back) * net.scale
            place = large[..., top * net.scale:(top + TILE) * net.scale,
                          left * net.scale:(left + TILE) * net.scale]
            place.copy_(made[..., y:y + place.shape[-2], x:x + place.shape[-1]])
    return large.clamp(0, 1)
