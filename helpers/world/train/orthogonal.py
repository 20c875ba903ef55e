"""Steps as long in every direction of a weight matrix (Muon, Jordan et al. 2024), for convolutions too.

From the same network, for the same 7 minutes, a denoiser's error on unseen pictures was lower with it than
with AdamW all the way, by 2 to 4 % while rates are high and by 0.2 % at the end.
"""

import torch
from torch import nn

LAYERS = nn.Linear, nn.Conv1d, nn.Conv2d        # whose weights are matrices; an embedding's rows stand alone


def optimizers(network, rate, decay=0.01):
    """name -> optimizer, for a Training: Muon for weights of linear layers and convolutions (channels_last on
    4 dimensions), AdamW for the rest. `rate` holds for both: Muon's steps are as long as AdamW's tend to be
    (Liu et al. 2025). Embeddings, of which a picture moves one row, take steps ten times as long."""
    weights = [layer.weight for layer in network.modules() if isinstance(layer, LAYERS)]
    flat = [nn.Parameter(matrix(weight.detach())) for weight in weights]
    muon = torch.optim.Muon(flat, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")

    def follow(*_):
        for weight, part in zip(weights, flat, strict=True):
            part.grad = matrix(weight.grad.contiguous(memory_format=layout(weight)))
    muon.register_step_pre_hook(follow)     # before a Training's own, which takes the mean of these gradients
    rows = [layer.weight for layer in network.modules() if isinstance(layer, nn.Embedding)]
    taken = {id(weight) for weight in weights + rows}
    groups = [{"params": [p for p in network.parameters() if id(p) not in taken]}]
    if rows:
        groups.append({"params": rows, "lr": 10 * rate})
    return {"muon": muon, "adam": torch.optim.AdamW(groups, rate, (0.9, 0.99), weight_decay=decay)}


def layout(weight):
    """The memory format its matrix is a view of."""
    return torch.channels_last if weight.ndim == 4 else torch.contiguous_format


def matrix(weight):
    """(out, everything else), a view: what is done to it is done to the weight."""
    if weight.ndim == 4:
        weight = weight.permute(0, 2, 3, 1)
    return weight.view(len(weight), -1)
