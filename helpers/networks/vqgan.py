"""VQGAN (Esser, Rombach and Ommer 2021): pictures as a grid of vectors from a codebook.

    net = load("vqgan-world", device)            # embedded; or "imagenet_f16_16384", "gumbel_f8", a path …
    z = net.encode(image)                        # (n, 3, h, w) in [0, 1] -> (n, d, h/f, w/f), continuous
    image = net.decode(net.quantize(z))          # [0, 1], not clamped: overshoot shows

Encoder and decoder are taming-transformers' own; parameter names are those of the official checkpoints, less
the loss. The codebook is here: taming's draws random numbers (Gumbel) or computes a loss nobody asked for.
"""

import contextlib
import os
import re

import torch
import torch.nn.functional as F
from taming.modules.diffusionmodules.model import Decoder, Encoder
from torch import Tensor, nn

from .. import weights
from ..errors import Refused
from ..precision import run

STAGE = "first_stage_model."  # of a transformer trained on top (Net2Net)
PARTS = ("encoder.", "decoder.", "quantize.", "quant_conv.", "post_quant_conv.")


class StraightThrough(torch.autograd.Function):
    """The codes forward, the latents' gradient backward."""

    @staticmethod
    def forward(ctx, z, codes):
        return codes

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class Codebook(nn.Module):
    """n codes of d numbers. Called with latents (n, d, h, w), it gives the nearest codes, straight-through.

    on_sphere: codes and latents count by their direction only, and that is what the decoder sees."""

    def __init__(self, n: int, d: int, on_sphere: bool = False):
        super().__init__()
        self.embedding = nn.Embedding(n, d)
        self.on_sphere = on_sphere

    def table(self) -> Tensor:
        """The codes, (n, d)."""
        return F.normalize(self.embedding.weight, dim=1) if self.on_sphere else self.embedding.weight

    def latent(self, z: Tensor) -> Tensor:
        """The part of a latent (n, d, h, w) that counts."""
        return F.normalize(z, dim=1) if self.on_sphere else z

    encoded = latent  # what the encoder says, as a latent

    @torch.no_grad()
    def nearest(self, z: Tensor) -> Tensor:
        """Index of the code nearest to each latent, (n, h, w)."""
        rows, table = self.latent(z).movedim(1, -1).flatten(0, 2), self.table()
        distance = rows.square().sum(1, keepdim=True) + table.square().sum(1) - 2 * rows @ table.t()
        return distance.argmin(1).view(z.shape[0], *z.shape[2:])

    def codes(self, indices: Tensor) -> Tensor:
        """(n, h, w) -> (n, d, h, w)"""
        return F.embedding(indices, self.table()).movedim(-1, 1).contiguous()

    def forward(self, z: Tensor) -> Tensor:
        return StraightThrough.apply(self.latent(z), self.codes(self.nearest(z)).detach())


class GumbelCodebook(Codebook):
    """The encoder scores every code and the best one is the latent (Gumbel noise is for training)."""

    def __init__(self, n: int, d: int, channels: int):
        nn.Module.__init__(self)
        self.proj = nn.Conv2d(channels, n, 1)
        self.embed = nn.Embedding(n, d)
        self.on_sphere = False

    def table(self) -> Tensor:
        return self.embed.weight

    def encoded(self, h: Tensor) -> Tensor:
        return self.codes(self.proj(h).argmax(1))


class VQGAN(nn.Module):
    """`config`: ddconfig (taming's own), embed_dim, n_embed, and optionally gumbel, l2_codes, groups.

    groups: of every group norm, instead of taming's 32. At 32 channels those would be one channel each, which
    forgets how strong a channel is as a whole and invites spots that say it (Karras et al. 2020).
    """

    def __init__(self, config: dict, precision: str = "fp32"):
        super().__init__()
        shape, n, d = config["ddconfig"], config["n_embed"], config["embed_dim"]
        channels = shape["z_channels"]
        self.config, self.precision = config, precision
        self.factor = 2 ** (len(shape["ch_mult"]) - 1)  # pixels per latent, each way
        self.encoder = Encoder(**shape)
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # it announces itself
            self.decoder = Decoder(**shape)
        self.quantize = (GumbelCodebook(n, d, channels) if config.get("gumbel")
                         else Codebook(n, d, bool(config.get("l2_codes"))))
        self.quant_conv = nn.Conv2d(channels, d, 1)
        self.post_quant_conv = nn.Conv2d(d, channels, 1)
        for norm in self.modules():
            if isinstance(norm, nn.GroupNorm):
                norm.num_groups = config.get("groups", norm.num_groups)

    def encode(self, image: Tensor) -> Tensor:
        """(n, 3, h, w) in [0, 1], sides a multiple of `factor` -> latents (n, d, h/f, w/f).

        They are not quantized yet, except a Gumbel net's, which are codes already."""
        return self.quantize.encoded(run(self, nn.Sequential(self.encoder, self.quant_conv), image * 2 - 1))

    def decode(self, z: Tensor) -> Tensor:
        """(n, d, h, w) -> (n, 3, h*f, w*f), [0, 1] but for overshoot."""
        return (run(self, nn.Sequential(self.post_quant_conv, self.decoder), z) + 1) / 2

    def code_range(self) -> tuple[Tensor, Tensor]:
        """Least and greatest of each channel over all codes, (1, d, 1, 1) each: where latents are kept."""
        table = self.quantize.table().detach()
        return table.amin(0).view(1, -1, 1, 1), table.amax(0).view(1, -1, 1, 1)

    @property
    def device(self) -> torch.device:
        return self.post_quant_conv.weight.device


def build(config: dict, precision: str = "fp32") -> VQGAN:
    """A VQGAN with random weights."""
    return VQGAN(config, precision)


def load(name: str, device="cpu", *, precision: str = "fp32") -> VQGAN:
    """A trained one by name or path, frozen. Its shape is read off the weights where no card tells it."""
    card, state = weights.load(name, "vqgan", tidy)
    try:
        net = build({**infer(state), **card["config"], "n_embed": _codes(state).shape[0]}, precision)
        net.load_state_dict(state)
    except (KeyError, ValueError, RuntimeError) as error:
        raise Refused(f"{name} does not hold the VQGAN it should",
                      "one has an encoder, a decoder and codes, named as in taming-transformers",
                      "check the file, or try 'vqgan-world'") from error
    net = net.eval().requires_grad_(False).to(device)
    # channels_last suits a GPU; on CPU torch's group norm is ten times slower backward in it
    return net.to(memory_format=torch.channels_last) if net.device.type == "cuda" else net


def tidy(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the VQGAN alone: out of a transformer's first stage, without loss and bookkeeping."""
    if any(key.startswith(STAGE) for key in state):
        state = {key.removeprefix(STAGE): value for key, value in state.items() if key.startswith(STAGE)}
    return {key: value for key, value in state.items() if key.startswith(PARTS)}


def infer(state: dict[str, Tensor]) -> dict:
    """The config of a tidied state; attention is told by the level it sits on (of a nominal 256 pixels)."""
    levels = 1 + max(int(key.split(".")[2]) for key in state if key.startswith("encoder.down."))
    ch = state["encoder.conv_in.weight"].shape[0]
    widths = [state[f"encoder.down.{i}.block.0.conv2.weight"].shape[0] for i in range(levels)]
    attended = {int(key.split(".")[2]) for key in state if re.match(r"encoder\.down\.\d+\.attn", key)}
    shape = {"ch": ch, "out_ch": state["decoder.conv_out.weight"].shape[0],
             "ch_mult": [width // ch for width in widths],
             "num_res_blocks": 1 + max(int(key.split(".")[4]) for key in state
                                       if key.startswith("encoder.down.0.block.")),
             "attn_resolutions": [256 >> level for level in sorted(attended)], "resolution": 256,
             "in_channels": state["encoder.conv_in.weight"].shape[1],
             "z_channels": state["decoder.conv_in.weight"].shape[1], "double_z": False, "dropout": 0.0}
    return {"ddconfig": shape, "embed_dim": _codes(state).shape[1], "n_embed": _codes(state).shape[0],
            "gumbel": "quantize.proj.weight" in state}


def _codes(state: dict[str, Tensor]) -> Tensor:
    return state["quantize.embed.weight" if "quantize.embed.weight" in state else "quantize.embedding.weight"]
