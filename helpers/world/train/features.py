"""What a guide makes of pictures on its way to an answer: a space in which likeness can be measured."""

import torch
from torch import nn
from torch.nn import functional as F

from ... import weights
from . import perceptor
from .contrast import standard


class Features(nn.Module):
    """Pictures (n, 3, h, w) in [0, 1] -> the maps of the stem and of three stages of a guide's ResNet, unit
    length per pixel: (n, 32, h/4, w/4), (n, 128, h/4, w/4), (n, 256, h/8, w/8), (n, 512, h/16, w/16)."""

    def __init__(self, visual):
        super().__init__()
        self.visual = visual.eval().requires_grad_(False)
        stages = (visual.layer1, visual.layer2, visual.layer3)
        self.channels = [visual.conv3.out_channels, *(stage[-1].conv3.out_channels for stage in stages)]

    def forward(self, images):
        v = self.visual
        x = v.stem(standard(images))
        out = [x]
        for stage in (v.layer1, v.layer2, v.layer3):
            x = stage(x)
            out.append(x)
        return [F.normalize(x.float(), dim=1) for x in out]


def load(guide, device):
    """The features of a guide of the zoo, frozen; Refused where it is not there."""
    clip, _, _ = perceptor.build(guide)
    clip.load_state_dict({k: v.float() for k, v in weights.zoo(guide)[1].items()})
    return Features(clip.visual.to(device, memory_format=torch.channels_last))
