"""Networks of published shapes with random weights, as files that every loader opens."""

import json
import math
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

from helpers import weights
from helpers.networks import adm, biggan, biggan_blocks, secondary, vqgan

TRUNCATION = 1.0    # that a random BigGAN's statistics are taken at


def own(name: str, folder: Path) -> str:
    """The path of a network like the public one of this name; made where it is not there yet. Names that are
    embedded, or none, stay as they are."""
    entry = weights.catalogue().get(name)
    if not entry:
        return name
    path = folder / f"{name.replace('/', '-')}.safetensors"
    if not path.exists():
        with torch.random.fork_rng():
            torch.manual_seed(len(name))
            save(MAKERS[entry["kind"]](entry["config"]), entry["kind"], entry["config"], path)
    return str(path)


def save(network, kind: str, config: dict, path: Path) -> str:
    """Weights in half precision, and the card beside them."""
    network = network.unet if kind == "adm" else network
    state = {key: value.half() if value.is_floating_point() else value
             for key, value in network.state_dict().items()}
    path.with_suffix(".json").write_text(json.dumps({"kind": kind, "config": config}))
    save_file(state, path)
    return str(path)


def clip(config):
    return awake_(open_clip.model.CLIP(**open_clip.get_model_config(config["open_clip"])))


def denoiser(config):
    return awake_(adm.build(config))


@torch.no_grad()
def generator(config):
    """A BigGAN whose norms know what they will see, as training leaves them: without, bfloat16 and float32
    would not even agree on the picture."""
    net = awake_(biggan.build(config)).eval()

    def take(norm, given):
        spread, middle = torch.var_mean(given[0], (0, 2, 3))
        norm.running_means.copy_(middle.expand_as(norm.running_means))
        norm.running_vars.copy_(spread.expand_as(norm.running_vars))

    norms = [module for module in net.modules() if isinstance(module, biggan_blocks.Norm)]
    hooks = [norm.register_forward_pre_hook(take) for norm in norms]
    # a norm's `bent` calls the module, and so the hook, before it looks its statistics up
    net(torch.randn(2, net.z_dim), torch.rand(2, net.classes).softmax(-1), TRUNCATION)
    for hook in hooks:
        hook.remove()
    return net


@torch.no_grad()
def awake_(network):
    """Whatever begins at zero says nothing, and would cost no precision: give it small random weights."""
    for name, parameter in network.named_parameters():
        if not parameter.any() and not name.endswith("bias"):
            scale = 0.7 / math.sqrt(parameter[0].numel()) if parameter.ndim > 1 else 0.5
            parameter.normal_(0, scale)
    return network


MAKERS = {"perceptor": clip, "vqgan": vqgan.build, "biggan": generator, "adm": denoiser,
          "secondary": secondary.build}
