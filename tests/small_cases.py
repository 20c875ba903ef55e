"""The benchmark's cases in small: the networks of the published architectures, a few channels wide."""

from dataclasses import replace

import stand_ins
import torch
from open_clip.model import CLIP

from benchmarks import networks
from benchmarks.cases import CASES
from helpers.networks import adm, secondary

PAIRS = {name: case for name, case in CASES.items() if case.original}


def eye(vision):
    torch.manual_seed(3)
    text = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1}
    return networks.awake_(CLIP(32, {"image_size": 64, "width": 64, **vision}, text, quick_gelu=True))


def knobs(folder):
    """Knobs that name tiny networks, made in `folder`, and few of everything."""
    def save(net, kind, config, name):
        return networks.save(net, kind, config, folder / f"{name}.safetensors")

    generator = {"layers": [(0, 4, 4), (1, 4, 2), (1, 2, 1)], "width": 16, "attention": 1, "classes": 5,
                 "z_dim": 6, "class_dim": 5, "n_stats": 3}
    second = {"widths": [8, 8, 8]}
    denoiser = {**stand_ins.SMALL, "unshuffle": 1, "learn_sigma": True, "objective": "noise"}
    eyes = {"ViT-B/32": save(eye({"layers": 2, "patch_size": 16}), "perceptor", {}, "vit"),
            "RN50": save(eye({"layers": (1, 1, 1, 1), "width": 8}), "perceptor", {}, "rn")}
    return {"perceptors": eyes, "width": 64, "height": 64, "layers": 3, "hidden": 32, "crops": 4,
            "batches": "2",
            "vqgan": save(stand_ins.coder(), "vqgan", stand_ins.TINY, "vqgan"),
            "gan": save(networks.generator(generator), "biggan", generator, "gan"),
            "model": save(networks.awake_(adm.build(denoiser)), "adm", denoiser, "adm"),
            "secondary": save(secondary.build(second), "secondary", second, "second")}


def shrunk(case, small, **more):
    """The case with the knobs it has turned down."""
    knobs = {**case.knobs, **{name: small[name] for name in small if name in case.knobs}}
    knobs |= {"hidden": 32} if case.system == "deep_daze" else {}
    names = [name.strip() for name in case.knobs["perceptors"].split(",")]
    knobs["perceptors"] = ", ".join(small["perceptors"][name] for name in names if name != "ViT-B/16")
    return replace(case, knobs=knobs | more)
