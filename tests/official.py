"""Files as their authors saved them: networks of taming's own parts, in Lightning's wrap."""

import sys
import types

import torch
from open_clip.model import CLIP
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import GumbelQuantize, VectorQuantizer2
from torch import nn

SMALL = {"ch": 32, "out_ch": 3, "num_res_blocks": 1, "resolution": 256, "in_channels": 3, "z_channels": 32,
         "double_z": False, "dropout": 0.0}
F16 = {"embed_dim": 32, "n_embed": 64,
       "ddconfig": {**SMALL, "ch_mult": [1, 1, 2, 2, 4], "attn_resolutions": [16]}}
F8 = {"embed_dim": 32, "n_embed": 48, "gumbel": True,
      "ddconfig": {**SMALL, "ch_mult": [1, 1, 2, 4], "attn_resolutions": [32]}}


class Official(nn.Module):
    """taming.models.vqgan.VQModel and GumbelVQ without Lightning: the same parts, names and order of work."""

    def __init__(self, config):
        super().__init__()
        shape, n, d = config["ddconfig"], config["n_embed"], config["embed_dim"]
        self.encoder, self.decoder = Encoder(**shape), Decoder(**shape)
        self.loss = nn.Sequential(nn.Conv2d(3, 4, 3))  # stands for LPIPS and the discriminator
        self.quantize = (GumbelQuantize(shape["z_channels"], d, n_embed=n) if config.get("gumbel")
                         else VectorQuantizer2(n, d, beta=0.25))
        self.quant_conv = nn.Conv2d(shape["z_channels"], d, 1)
        self.post_quant_conv = nn.Conv2d(d, shape["z_channels"], 1)

    def encode(self, x):
        return self.quantize(self.quant_conv(self.encoder(x)))[0]

    def decode(self, quant):
        return self.decoder(self.post_quant_conv(quant))


def network(config, seed=0):
    """With random weights, the codes as far apart as trained ones are."""
    torch.manual_seed(seed)
    net = Official(config).eval().requires_grad_(False)
    codes = net.quantize.embed if config.get("gumbel") else net.quantize.embedding
    codes.weight.normal_()
    return net


def save(net, path, prefix="", zipped=True, extra=None):
    """A Lightning checkpoint of 2021: nested, with callbacks and an optimizer, of a module that is gone."""
    gone = types.ModuleType("gone_logger")
    callback = type("ImageLogger", (), {"__module__": "gone_logger"})
    gone.ImageLogger = callback
    state = net.state_dict()
    if prefix:
        state = {f"{prefix}{key}": value for key, value in state.items()}
        state |= {"transformer.tok_emb.weight": torch.ones(8, 4), "transformer.head.weight": torch.ones(4, 8)}
    logger = callback()
    logger.__dict__.update(batch_freq=750, last=torch.ones(2))
    adam = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": []}
    whole = {"epoch": 12, "global_step": 345, "pytorch-lightning_version": "1.0.8", "state_dict": state,
             "callbacks": {callback: {"logger": logger}}, "optimizer_states": [adam], **(extra or {})}
    sys.modules["gone_logger"] = gone
    try:
        torch.save(whole, path, _use_new_zipfile_serialization=zipped)
    finally:
        del sys.modules["gone_logger"]
    return path


def clip(seed=0):
    """A model of OpenAI's shape and activation, small: ViT-B/32 with two layers of 64."""
    torch.manual_seed(seed)
    text = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 2}
    vision = {"layers": 2, "width": 64, "patch_size": 32, "image_size": 224}
    return CLIP(32, vision, text, quick_gelu=True).eval().requires_grad_(False)
