"""pytorch-pretrained-biggan, the reference of BigGAN-deep's parity: built from a config, no download."""

import sys
import types

import torch

UNUSED = {"boto3": (), "botocore": (), "botocore.exceptions": ("ClientError",),
          "scipy": (), "scipy.stats": ("truncnorm",)}  # for its downloads and for drawing noise


def package():
    """Its module. It imports more than its networks need: inert names stand for what is not imported yet."""
    inert = [name for name in UNUSED if name not in sys.modules]
    for name in inert:
        sys.modules[name] = types.ModuleType(name)
        for one in UNUSED[name]:
            setattr(sys.modules[name], one, type(one, (Exception,), {}))
    try:
        import pytorch_pretrained_biggan
    finally:
        for name in inert:
            del sys.modules[name]
    return pytorch_pretrained_biggan


def layers(size):
    """(doubles, channels in, channels out) of each block, as published."""
    middle = [(False, 8, 8)] + [(True, 8, 8), (False, 8, 8)] * (size > 128)
    blocks = [(False, 16, 16), (True, 16, 16), (False, 16, 16), (True, 16, 8), *middle,
              (True, 8, 4), (False, 4, 4), (True, 4, 2), (False, 2, 2), (True, 2, 1)]
    return blocks + [(False, 1, 1), (True, 1, 1)] * (size == 512)


@torch.no_grad()
def network(size, seed=0, **changes):
    """With random weights and statistics that differ from truncation to truncation."""
    torch.manual_seed(seed)
    config = package().BigGANConfig.from_dict({"output_dim": size, "layers": layers(size), **changes})
    net = package().BigGAN(config).eval().requires_grad_(False)
    for module in net.modules():
        if hasattr(module, "running_means"):
            module.running_means.normal_(0, 0.3)
            module.running_vars.uniform_(0.3, 2)
        if hasattr(module, "weight_orig"):
            settle(module)
    net.generator.layers[config.attention_layer_position].gamma.fill_(0.7)
    net.generator.bn.weight.normal_(1, 0.1)
    net.generator.bn.bias.normal_(0, 0.1)
    return net


def settle(module):
    """u and v nearer to singular vectors, as a trained network has; random ones make sigma tiny or worse."""
    weight = module.weight_orig.flatten(1)
    for _ in range(3):
        module.weight_v.copy_(torch.nn.functional.normalize(module.weight_u @ weight, dim=0))
        module.weight_u.copy_(torch.nn.functional.normalize(weight @ module.weight_v, dim=0))
