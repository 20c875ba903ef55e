"""guided_diffusion's networks with random weights, and their files as published, to compare ours with."""

import hashlib
import json
import math
from contextlib import contextmanager

import torch
from guided_diffusion import script_util
from loopback import serve
from torch import nn

from helpers import downloads

# What every published one was told by its training script; see also disco.md section 4.
ALIKE = {"attention_resolutions": "32,16,8", "num_res_blocks": 2, "learn_sigma": True,
         "resblock_updown": True, "use_scale_shift_norm": True, "diffusion_steps": 1000,
         "rescale_timesteps": True}


def shaken_(net, seed=0):
    """Random weights everywhere: the package starts the last layer of every block at 0."""
    rng = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        scale = 0.5 if parameter.ndim == 1 else 0.7 / math.sqrt(parameter[0].numel())
        kept = parameter.data if parameter.ndim == 1 else 0
        parameter.data = kept + scale * torch.randn(parameter.shape, generator=rng)
    return net.eval().requires_grad_(False)


def flags(config):
    """All that the package's script asks for."""
    return {**script_util.model_and_diffusion_defaults(), **ALIKE, **config}


def network(config, seed=0):
    """The package's network and its process, built by its own script."""
    net, process = script_util.create_model_and_diffusion(**flags(config))
    return shaken_(net, seed), process


def classifier(side, width, depth, attended="32,16,8"):
    """The package's classifier by its own script, not yet shaken."""
    return script_util.create_classifier(side, False, width, depth, attended, True, True, "attention")


def noisy(sigma, side=64, n=2, seed=5):
    rng = torch.Generator().manual_seed(seed)
    picture = torch.rand(n, 3, side, side, generator=rng) * 2 - 1
    return picture + sigma * torch.randn(n, 3, side, side, generator=rng)


def sigma_of(process, t):
    return math.sqrt(1 / process.alphas_cumprod[t] - 1)


@contextmanager
def publishing(folder, monkeypatch):
    """publish(net, name, kind, config) -> its file as the package saves it; it is on a server of this machine
    then, and in a catalogue with its checksum."""
    monkeypatch.setenv("DISCOTHEQUE_CACHE", str(folder / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)
    with serve() as site:
        def publish(net, name, kind, config):
            path = folder / f"{name}.pt"
            torch.save(net.state_dict(), path)
            site.files[f"/{name}"] = data = path.read_bytes()
            told = "".join(f"\nconfig.{key} = {json.dumps(value)}" for key, value in config.items())
            mirror = f'url = "{site.url("/" + name)}", sha256 = "{hashlib.sha256(data).hexdigest()}"'
            catalogue = folder / "catalogue.toml"
            catalogue.write_text(f'["{name}"]\nkind = "{kind}"\nfile = "{name}.pt"{told}\n'
                                 f'mirrors = [ {{ {mirror} }} ]\n')
            monkeypatch.setenv("DISCOTHEQUE_CATALOGUE", str(catalogue))
            return path
        yield publish


class Secondary(nn.Module):
    """Crowson's network by its description (disco.md section 4): six levels, each of which sees what it was
    given beside what those below made of it. The time is told as waves of 8 frequencies."""

    def __init__(self):
        super().__init__()
        lowest = Beside(nn.AvgPool2d(2), layer(256, 512), layer(512, 512), layer(512, 512), layer(512, 256),
                        doubled())
        fifth = level(256, 256, lowest)
        fourth = level(128, 256, fifth)
        third = level(128, 128, fourth)
        second = level(64, 128, third)
        self.timestep_embed = nn.Linear(1, 8, bias=False)
        self.net = nn.Sequential(layer(3 + 16, 64), layer(64, 64), second, layer(128, 64),
                                 nn.Conv2d(64, 3, 3, 1, 1))

    def forward(self, x, t):
        """x of variance preserved, t (n,) from 0, clean, to 1, noise alone -> (v, the clean picture)."""
        angles = 2 * math.pi * self.timestep_embed(t[:, None])
        waves = torch.cat([angles.cos(), angles.sin()], 1)[:, :, None, None]
        v = self.net(torch.cat([x, waves.repeat(1, 1, *x.shape[2:])], 1))
        turn = (t * math.pi / 2)[:, None, None, None]
        return v, turn.cos() * x - turn.sin() * v


class Beside(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return torch.cat((self.main(x), x), 1)


def level(above, width, below):
    return Beside(nn.AvgPool2d(2), layer(above, width), layer(width, width), below, layer(2 * width, width),
                  layer(width, above), doubled())


def layer(ins, outs):
    return nn.Sequential(nn.Conv2d(ins, outs, 3, 1, 1), nn.ReLU())


def doubled():
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
