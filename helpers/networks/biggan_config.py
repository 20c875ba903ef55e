"""The shape of a BigGAN-deep: what may be asked for, what a file of weights holds, and how the two differ."""

import math

from torch import Tensor

from ..errors import Refused, unknown
from .biggan_blocks import REDUCTION

START = 4  # pixels each way that the first layer makes
DEFAULTS = {"z_dim": 128, "class_dim": 128, "classes": 1000, "width": 128, "attention": 8, "n_stats": 51,
            "eps": 1e-4}


def checked(config: dict) -> dict:
    """The config, or Refused where no network can be built of it."""
    if extra := sorted(config.keys() - DEFAULTS.keys() - {"layers"}):
        raise unknown("setting of a BigGAN", extra[0], ["layers", *DEFAULTS])
    layers, attention = config["layers"], config["attention"]
    for (_, _, out), (_, width, _) in zip(layers, layers[1:], strict=False):
        if out != width:
            raise Refused(f"a layer gives {out} channels and the next takes {width}",
                          "they are the same number", "correct layers: [doubles pixels, in, out]")
    for up, width, out in layers:
        if config["width"] * width % REDUCTION or out > width:
            raise Refused(f"a layer is {[up, width, out]} of {config['width']} channels",
                          f"channels in go in steps of {REDUCTION}, and no more come out than go in",
                          "correct layers or width")
    if attention is not None and not 0 <= attention < len(layers):
        raise Refused(f"attention is {attention}", f"it is None or a block, 0 to {len(layers) - 1}",
                      "try the block at half the picture's size")
    if config["n_stats"] < 2:
        raise Refused(f"n_stats is {config['n_stats']}", "statistics are stored for 2 truncations at least",
                      "try 11 or 51")
    return config


def infer(state: dict[str, Tensor]) -> dict:
    """The config of a tidied state, but for eps. Every second block doubles the pixels, as in all published
    ones: the weights do not tell."""
    places = sorted({int(key.split(".")[2]) for key in state if key.startswith("generator.layers.")})
    parts = [{key.split(".", 3)[3]: value.shape for key, value in state.items()
              if key.startswith(f"generator.layers.{place}.")} for place in places]
    blocks = [(shapes["conv_0.weight"][1], shapes["conv_3.weight"][0])
              for shapes in parts if "gamma" not in shapes]
    width = math.gcd(*(side for block in blocks for side in block))
    attended = [place for place, shapes in enumerate(parts) if "gamma" in shapes]
    class_dim, classes = state["embeddings.weight"].shape
    return {"layers": [(i % 2 == 1, ins // width, out // width) for i, (ins, out) in enumerate(blocks)],
            "attention": attended[0] if attended else None, "width": width, "classes": classes,
            "class_dim": class_dim, "z_dim": state["generator.gen_z.weight"].shape[1] - class_dim,
            "n_stats": len(state["generator.bn.running_means"])}


def unfit(name: str, config: dict, state: dict[str, Tensor]) -> Refused:
    """Why these tensors are not the BigGAN of this config, in words."""
    advice = "check the file, and that it is of this size"
    try:
        shape = {**DEFAULTS, **infer(state)}
    except (KeyError, IndexError, TypeError, ValueError):
        return Refused(f"{name} holds no BigGAN-deep", "its parameters are named as in "
                       "pytorch-pretrained-biggan", advice)
    asked = {**shape, **config}
    others = [(spelled(key, shape), spelled(key, asked)) for key in shape if key != "width"]
    others = [(has, wants) for has, wants in others if has != wants]
    if not others:
        return Refused(f"{name} is a BigGAN with parts missing or too many", "its parameters are named as in "
                       "pytorch-pretrained-biggan", advice)
    has, wants = (", ".join(part) for part in zip(*others, strict=True))
    return Refused(f"{name} is a BigGAN of {has}", f"it should be one of {wants}", advice)


def spelled(key: str, config: dict) -> str:
    """One part of a config in words."""
    if key != "layers":
        return f"{key} {config[key]}"
    layers, width = config["layers"], config["width"]
    usual = all(bool(up) == (place % 2 == 1) for place, (up, _, _) in enumerate(layers))
    size = f"{START * 2 ** (len(layers) // 2)} px, " if usual else ""
    return f"{size}{len(layers)} blocks of {' '.join(str(out * width) for _, _, out in layers)} channels"
