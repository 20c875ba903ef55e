"""The noisy classifier of ADM (Dhariwal and Nichol 2021): which class is this, seen through the noise?

    net = load("classifier-world", device)      # embedded; or "256x256_classifier", a path …
    odds = net(x, sigma)                        # picture + sigma * noise (n, 3, h, w) -> logits (n, classes)

Its slope toward a class, added to a denoiser's, paints that class: classifier guidance.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..noise_levels import Process
from ..precision import run
from .adm import DEFAULTS as OF_THE_NETWORK
from .adm import SCHEDULES, checked, official, shape, trained

DEFAULTS = {"num_channels": 128, "num_head_channels": 64, "pool": "attention", "learn_sigma": False}


class Classifier(nn.Module):
    """`config`: as of adm.ADM, and pool, one of the package's. Attention pooling fixes the size of pictures
    to image_size."""

    def __init__(self, config: dict, precision: str = "fp32"):
        super().__init__()
        config = {**DEFAULTS, **config}
        pool = config.pop("pool")
        self.config = config = checked({**OF_THE_NETWORK, **config})
        self.precision, self.classes = precision, config["classes"]
        self.process = Process(SCHEDULES[config["noise_schedule"]](config["diffusion_steps"]))
        self.names = [str(number) for number in range(self.classes)]
        self.fold = config["unshuffle"]
        self.unet = official().EncoderUNetModel(in_channels=3 * self.fold**2, out_channels=self.classes,
                                                pool=pool, **shape(config))

    def forward(self, x: Tensor, sigma: float) -> Tensor:
        """sigma: above 0, one for all or (n,)."""
        sigma = torch.as_tensor(sigma, dtype=torch.float64).expand(len(x))
        time = self.process.time(sigma).to(x)
        size = (1 + sigma.square()).sqrt().to(x).view(-1, 1, 1, 1)
        return run(self, self.unet, F.pixel_unshuffle(x / size, self.fold), time)


def build(config: dict, precision: str = "fp32") -> Classifier:
    """One with random weights."""
    return Classifier(config, precision)


def load(name: str, device="cpu", *, precision: str = "fp32") -> Classifier:
    """A trained one by name or path, frozen and fast. Refused: no such, or not the network its card tells."""
    return trained(build, "classifier", name, device, precision)
