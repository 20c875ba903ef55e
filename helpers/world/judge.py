"""The judge: reads thing, color, number, relation, place, sky and style from a picture. Never a guide.

    reading = load()(images)                        # (n, 3, h, w) in [0, 1] -> logits by name
    right = grades(reading, scenes)                 # {"thing": (n,) bool, "color": …}
    hits = r_precision(reading, scenes)             # (n,) bool

Its architecture, seed and data order are its own; no guide is trained on it, selected by it or sees it.
"""

import torch
from torch import nn
from torch.nn import functional as F

from .places import PLACES
from .scenes import COLORS, COUNTS, RELATIONS, THINGS
from .skies import SKIES
from .styles import STYLES

HEADS = {"relation": ["", *RELATIONS], "place": list(PLACES), "sky": list(SKIES), "style": list(STYLES),
         "count": list(COUNTS)}
SIZE = 64       # pixels it looks at; other sizes are resampled


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
        heads = {k: head(features) for k, head in self.heads.items()}
        thing, color = self.thing(features), self.color(features)
        return heads | {"thing": thing, "color": color.unflatten(1, (len(THINGS), len(COLORS)))}


def labels(scenes):
    """What is true of n scenes: {"thing": (n, 32) of 0 and 1, "color": (n, 32) indices, "place": (n,), …}.

    The color of a thing that is not there is -1.
    """
    things, colors = list(THINGS), list(COLORS)
    presence, paint = torch.zeros(len(scenes), len(things)), torch.full((len(scenes), len(things)), -1)
    for row, scene in enumerate(scenes):
        for item in scene.items:
            presence[row, things.index(item.thing)] = 1
            paint[row, things.index(item.thing)] = colors.index(item.color)
    truth = {k: [getattr(s, k) for s in scenes] for k in HEADS if k != "count"}
    truth["count"] = [s.first.count for s in scenes]
    rest = {k: torch.tensor([HEADS[k].index(v) for v in values]) for k, values in truth.items()}
    return {"thing": presence, "color": paint} | rest


@torch.no_grad()
def grades(reading, scenes):
    """Right or wrong per picture, (n,) bool by name.

    thing: everything asked for leads the list. color: right on everything asked for, seen or not, so that it
    is not counted twice when a thing is missing. Others: the likeliest is the one asked for.
    """
    truth = labels(scenes)
    present = truth["thing"].bool()
    leading = [torch.zeros_like(p).index_fill(0, r.topk(int(p.sum())).indices, True)
               for p, r in zip(present, reading["thing"].cpu(), strict=True)]
    said = reading["color"].argmax(-1).cpu()
    right = {"thing": (torch.stack(leading) == present).all(1),
             "color": ((said == truth["color"]) | ~present).all(1)}
    return right | {k: reading[k].argmax(-1).cpu() == truth[k]
                    for k in ("place", "sky", "style", "relation", "count")}


@torch.no_grad()
def likelihood(reading, scenes):
    """(pictures, scenes): the log probability the judge gives each scene's description in each picture."""
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
def r_precision(reading, scenes, pool=(), among=50, seed=0):
    """(n,) bool: is a picture's own prompt the likeliest of `among`, the others from `pool` or `scenes`?"""
    pool = list(pool or scenes)
    own, score = likelihood(reading, scenes).diagonal(), likelihood(reading, pool)
    hits, rng = [], torch.Generator().manual_seed(seed)
    for i, scene in enumerate(scenes):
        order = torch.randperm(len(pool), generator=rng).tolist()
        others = [j for j in order if pool[j] != scene][: among - 1]
        hits.append(bool((own[i] > score[i, others]).all()))
    return torch.tensor(hits)


def load(device="cpu"):
    """The trained one, from the zoo, frozen. Refused where the zoo has none yet."""
    from .. import weights

    card, state = weights.zoo("judge")
    judge = Judge(**card["config"])
    judge.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return judge.to(device).eval().requires_grad_(False)
