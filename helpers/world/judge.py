"""The judge: reads thing, color, number, relation, place, sky and style from a picture. Never a guide.

Its architecture, seed and data order are its own; no guide is trained on it, selected by it or sees it.
"""

import torch
from torch import nn
from torch.nn import functional as F

from .places import PLACES
from .scenes import COLORS, RELATIONS, THINGS
from .skies import SKIES
from .styles import STYLES

HEADS = {
    "relation": ["", *RELATIONS],
    "place": list(PLACES),
    "sky": list(SKIES),
    "style": list(STYLES),
    "count": [1, 2, 3, 4],
}
SIZE = 64


class Judge(nn.Module):
    """(n, 3, h, w) in [0, 1] -> {"thing": (n, 32) logits, "color": (n, 32, 10), "place": (n, 8), …}."""

    def __init__(self, trunk="resnet10t"):
        super().__init__()
        import timm

        self.trunk = timm.create_model(trunk, num_classes=0)
        width = self.trunk.num_features
        self.thing = nn.Linear(width, len(THINGS))
        self.color = nn.Linear(width, len(THINGS) * len(COLORS))
        self.heads = nn.ModuleDict({k: nn.Linear(width, len(v)) for k, v in HEADS.items()})

    def forward(self, images):
        if images.shape[-2:] != (SIZE, SIZE):
            images = F.interpolate(images, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)
        features = self.trunk((images - 0.5) * 4)
        out = {k: head(features) for k, head in self.heads.items()}
        return out | {
            "thing": self.thing(features),
            "color": self.color(features).unflatten(1, (len(THINGS), len(COLORS))),
        }


def labels(scenes):
    """What is true of each scene, as tensors the readings are compared with; color is -1 where a thing is
    absent.
    """
    things, colors = list(THINGS), list(COLORS)
    presence, paint = torch.zeros(len(scenes), len(things)), torch.full((len(scenes), len(things)), -1)
    for row, scene in enumerate(scenes):
        for item in scene.items:
            presence[row, things.index(item.thing)] = 1
            paint[row, things.index(item.thing)] = colors.index(item.color)
    truth = {
        "relation": [s.relation for s in scenes],
        "place": [s.place for s in scenes],
        "sky": [s.sky for s in scenes],
        "style": [s.style for s in scenes],
        "count": [s.first.count for s in scenes],
    }
    return {"thing": presence, "color": paint} | {
        k: torch.tensor([HEADS[k].index(v) for v in values]) for k, values in truth.items()
    }


@torch.no_grad()
def grades(reading, scenes):
    """Right or wrong per picture: thing (all asked things lead the list), color (of all asked things),
    place, sky, style.
    """
    truth, out = labels(scenes), {}
    present = truth["thing"].bool()
    leading = torch.stack(
        [
            torch.zeros_like(p).index_fill(0, r.topk(int(p.sum())).indices, True)
            for p, r in zip(present, reading["thing"].cpu(), strict=False)
        ]
    )
    out["thing"] = (leading == present).all(1)
    said = reading["color"].argmax(-1).cpu()
    out["color"] = ((said == truth["color"]) | ~present).all(1)
    for k in ("place", "sky", "style", "relation", "count"):
        out[k] = reading[k].argmax(-1).cpu() == truth[k]
    return out


@torch.no_grad()
def likelihood(reading, scenes):
    """(pictures, scenes): log probability the judge gives each scene's description; the basis of
    R-precision.
    """
    truth = labels(scenes)
    share = truth["thing"] / truth["thing"].sum(1, keepdim=True)
    score = reading["thing"].float().cpu().log_softmax(-1) @ share.T
    score -= torch.special.entr(share).sum(1)  # so that two things asked for cost no more than one
    color = reading["color"].float().cpu().log_softmax(-1)
    for j, paint in enumerate(truth["color"]):
        for t in (paint >= 0).nonzero().flatten():
            score[:, j] += color[:, t, paint[t]]
    for k in ("place", "sky", "style"):
        score += reading[k].float().cpu().log_softmax(-1)[:, truth[k]]
    return score


@torch.no_grad()
def r_precision(reading, scenes, among=50, seed=0):
    """Per picture: is its own prompt the likeliest of `among` prompts (its own and others drawn from the
    list)?
    """
    score = likelihood(reading, scenes)
    hits, rng = [], torch.Generator().manual_seed(seed)
    for i in range(len(scenes)):
        others = [j for j in torch.randperm(len(scenes), generator=rng).tolist() if scenes[j] != scenes[i]][
            : among - 1
        ]
        hits.append(bool((score[i, i] > score[i, others]).all()))
    return torch.tensor(hits)


def load(device="cpu"):
    from .. import weights

    card, state = weights.zoo("judge")
    judge = Judge(**card["config"])
    judge.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return judge.to(device).eval().requires_grad_(False)
