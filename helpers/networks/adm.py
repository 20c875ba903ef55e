"""ADM (Dhariwal and Nichol 2021): the U-Net of guided diffusion, which sees the picture through the noise.

    net = load("adm-world", device)             # embedded; or "256x256_diffusion_uncond", a path …
    guess = net(x, sigma)                       # x (n, 3, h, w) = picture + sigma * noise, picture in [-1, 1]
    guess.clean, guess.variance                 # what it takes the picture for; the learned variance or None

The U-Net is guided_diffusion's own, and so are its parameter names; noise is told in sigma (see
noise_levels.py), and `net.process` are the levels it was trained at.
"""

import importlib
import math
import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import weights
from ..errors import Refused, unknown
from ..noise_levels import Process, cosine_betas, linear_betas
from ..precision import run
from ..samplers import Guess
from . import class_names
from .adm_lean import lean_
from .loading import fill_

# The package's settings by its own names, and ours: `objective` is what the U-Net answers, the noise or v
# (Salimans and Ho 2022); `time` is how it is told the noise: as the timestep of its schedule, or as the angle
# whose tangent is sigma, a right one being 1000; `unshuffle` of n folds n x n pixels into channels before it
# and back behind it; `anything`: the last of its classes is none in particular (Ho and Salimans 2022).
DEFAULTS = {"image_size": 256, "num_channels": 256, "num_res_blocks": 2, "channel_mult": "",
            "attention_resolutions": "32,16,8", "num_heads": 4, "num_head_channels": -1,
            "num_heads_upsample": -1, "use_scale_shift_norm": True, "resblock_updown": True, "dropout": 0.0,
            "use_new_attention_order": False, "class_cond": False, "learn_sigma": True,
            "diffusion_steps": 1000, "noise_schedule": "linear", "rescale_timesteps": True,
            "classes": 1000, "objective": "noise", "time": "schedule", "unshuffle": 1, "anything": False}
# What training scripts and old notebooks write beside these; none of it shapes the network.
IDLE = {"use_checkpoint", "use_fp16", "timestep_respacing", "batch_size", "clip_denoised", "num_samples",
        "use_ddim", "predict_xstart", "use_kl", "rescale_learned_sigmas", "sigma_small"}
MULTIPLIERS = {512: (0.5, 1, 1, 2, 2, 4, 4), 256: (1, 1, 2, 2, 4, 4), 128: (1, 1, 2, 3, 4), 64: (1, 2, 3, 4)}
SCHEDULES = {"linear": linear_betas, "cosine": cosine_betas}
OBJECTIVES, TIMES = ("noise", "v"), ("schedule", "angle")


class ADM(nn.Module):
    """`config`: see DEFAULTS. `classes` of forward: numbers (n,), for a class-conditional one; Refused where
    they are missing and it knows no `anything`."""

    def __init__(self, config: dict, precision: str = "fp32"):
        super().__init__()
        self.config = config = checked({**DEFAULTS, **config})
        self.precision, self.fold = precision, config["unshuffle"]
        self.process = Process(SCHEDULES[config["noise_schedule"]](config["diffusion_steps"]))
        self.scale = 1000 / config["diffusion_steps"] if config["rescale_timesteps"] else 1.0
        self.classes = config["classes"] if config["class_cond"] else 0
        self.names = [str(number) for number in range(self.classes)]
        colors = 3 * self.fold**2
        self.unet = official().UNetModel(
            in_channels=colors, out_channels=(2 if config["learn_sigma"] else 1) * colors,
            num_classes=self.classes or None, num_heads_upsample=config["num_heads_upsample"],
            **shape(config))

    @property
    def step(self) -> int:
        """Sides of pictures are multiples of this."""
        return step(self.config)

    def time(self, sigma: Tensor) -> Tensor:
        """What the U-Net is told of a level."""
        if self.config["time"] == "angle":
            return sigma.atan() * (2000 / math.pi)
        return self.process.time(sigma) * self.scale

    def forward(self, x: Tensor, sigma: float, classes: Tensor | None = None) -> Guess:
        """x (n, 3, h, w), sides multiples of `step`; sigma above 0, one for all or (n,)."""
        if classes is None and self.config["anything"]:
            classes = torch.full((len(x),), self.classes - 1, device=x.device)
        if bool(self.classes) == (classes is None):
            raise Refused(f"classes are {'missing' if self.classes else 'given'}",
                          f"{'this' if self.classes else 'no'} network is of one class at a time",
                          "name one" if self.classes else "leave them out")
        sigma = torch.as_tensor(sigma, dtype=torch.float64).expand(len(x))
        time = self.time(sigma).to(x)
        sigma = sigma.to(x).view(-1, 1, 1, 1)
        size = (1 + sigma.square()).sqrt()
        said = run(self, self.unet, F.pixel_unshuffle(x / size, self.fold), time,
                   *([] if classes is None else [classes]))
        said = F.pixel_shuffle(said, self.fold)
        told, *rest = said.chunk(2, 1) if self.config["learn_sigma"] else (said,)
        clean = x - sigma * told if self.config["objective"] == "noise" else x / size**2 - sigma / size * told
        return Guess(clean, (rest[0] + 1) / 2 if rest else None)


def build(config: dict, precision: str = "fp32") -> ADM:
    """A denoiser with random weights."""
    return ADM(config, precision)


def load(name: str, device="cpu", *, precision: str = "fp32") -> ADM:
    """A trained one by name or path, frozen and fast. Refused: no such, or not the network its card tells."""
    return trained(build, "adm", name, device, precision)


def trained(build, kind, name, device, precision):
    """What `build` makes of a card, with its weights and the names of its classes; see load."""
    card, state = weights.load(name, kind)
    with torch.device("meta"):      # no random numbers drawn to be thrown away
        net = build(card["config"], precision)
    fill_(net.unet, state, name, "guided_diffusion's")
    net.names = card.get("names") or (class_names.imagenet() if net.classes == 1000 else net.names)
    return lean_(net.to(device, memory_format=torch.channels_last))


def official():
    """guided_diffusion's module of U-Nets; its decorators are of an older torch, and warn."""
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        return importlib.import_module("guided_diffusion.unet")


def checked(config: dict) -> dict:
    """The config without what is idle, or Refused where no network can be built of it."""
    config = {key: value for key, value in config.items() if key not in IDLE}
    if extra := sorted(config.keys() - DEFAULTS.keys()):
        raise unknown("setting of an ADM network", extra[0], DEFAULTS)
    for name, options in (("noise_schedule", SCHEDULES), ("objective", OBJECTIVES), ("time", TIMES)):
        if config[name] not in options:
            raise unknown(name, config[name], options)
    if config["anything"] and not config["class_cond"]:
        raise Refused("anything is a class of a network without classes", "it is the last of them",
                      "set class_cond, or leave anything out")
    if not config["channel_mult"] and config["image_size"] not in MULTIPLIERS:
        raise Refused(f"image_size is {config['image_size']}",
                      f"without channel_mult it is {said(MULTIPLIERS)}",
                      "write channel_mult, such as '1,2,3'")
    widths = [int(factor * config["num_channels"]) for factor in multipliers(config)]
    if any(width % 32 for width in widths):
        raise Refused(f"a level has {next(width for width in widths if width % 32)} channels",
                      "its norms are of 32 groups", "correct num_channels or channel_mult")
    return config


def step(config: dict) -> int:
    """Sides of pictures are multiples of this, for a network of this config (all of DEFAULTS in it)."""
    return config["unshuffle"] * 2 ** (len(multipliers(config)) - 1)


def said(options):
    *most, last = sorted(options)
    return f"{', '.join(map(str, most))} or {last}"


def shape(config: dict) -> dict:
    """The part of a config that U-Net and classifier share, in the package's words."""
    side = config["image_size"] // config["unshuffle"]
    attended = [side // int(size) for size in config["attention_resolutions"].split(",")]
    alike = ("num_res_blocks", "dropout", "num_heads", "num_head_channels", "use_scale_shift_norm",
             "resblock_updown", "use_new_attention_order")
    return {"image_size": side, "model_channels": config["num_channels"],
            "attention_resolutions": tuple(attended), "channel_mult": multipliers(config),
            **{key: config[key] for key in alike}}


def multipliers(config: dict) -> tuple:
    """Channels of each level in units of num_channels; without channel_mult, the package's for that size."""
    given = config["channel_mult"]
    if isinstance(given, str):
        given = [float(part) for part in given.split(",") if part.strip()]
    return tuple(given) or MULTIPLIERS[config["image_size"]]
