"""Optimizers by name: torch's, AdamP and DiffGrad (written from their papers), and SGD at the pace of the
others."""

import math

import torch

from helpers.errors import unknown


class _Adamlike(torch.optim.Optimizer):
    """Adam with one place to change the step; weight decay shrinks weights beside it, as in AdamW."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    self.update(p, p.grad, self.state[p], group)

    def moments(self, p, grad, state, group):
        """First and second moment, both corrected for their start at zero."""
        if not state:
            state.update(step=torch.zeros(()), exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
        state["step"] += 1
        steps, (b1, b2) = state["step"].item(), group["betas"]
        state["exp_avg"].lerp_(grad, 1 - b1)
        state["exp_avg_sq"].mul_(b2).addcmul_(grad, grad, value=1 - b2)
        spread = (state["exp_avg_sq"] / (1 - b2 ** steps)).sqrt()
        return state["exp_avg"] / (1 - b1 ** steps), spread + group["eps"]

    def update(self, p, grad, state, group):
        raise NotImplementedError


class AdamP(_Adamlike):
    """Adam that does not grow scale-invariant weights (Heo et al. 2021): the radial part of such a step is
    removed."""

    def update(self, p, grad, state, group, delta=0.1):
        mean, spread = self.moments(p, grad, state, group)
        step = mean / spread
        if p.ndim > 1:
            for view in (lambda x: x.flatten()[None], lambda x: x.flatten(1)):      # as one, or by output
                weights, slope, flat = view(p), view(grad), view(mean / spread)
                cos = torch.nn.functional.cosine_similarity(weights, slope, dim=1).abs().max()
                unit = weights / (weights.norm(dim=1, keepdim=True) + group["eps"])
                tangent = (flat - unit * (unit * flat).sum(1, keepdim=True)).view_as(p)
                # chosen where it is: to branch, the GPU would have to be waited for, twice per weight
                step = torch.where(cos < delta / math.sqrt(weights.shape[1]), tangent, step)
        p.sub_(step, alpha=group["lr"])


class DiffGrad(_Adamlike):
    """Adam that slows down where the slope stops changing (Dubey et al. 2020)."""

    def update(self, p, grad, state, group):
        before = state.get("before", torch.zeros_like(p))
        mean, spread = self.moments(p, grad, state, group)
        state["before"] = grad.clone()
        p.sub_(mean / spread * torch.sigmoid((before - grad).abs()), alpha=group["lr"])


class SGD(_Adamlike):
    """Plain slopes, in units of the steepest of this tensor so far (root mean square): a learning rate that
    suits Adam, whose steps are as long whatever the slope, is as bold here. Torch's takes slopes as they
    are, a millionth of what a canvas asks for."""

    def update(self, p, grad, state, group):
        steepness = grad.square().mean().sqrt()
        state["unit"] = torch.maximum(state.get("unit", steepness), steepness)
        p.sub_(grad / state["unit"].clamp(min=1e-20), alpha=group["lr"])


OPTIMIZERS = {"Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW, "RAdam": torch.optim.RAdam,
              "NAdam": torch.optim.NAdam, "Adamax": torch.optim.Adamax, "Adagrad": torch.optim.Adagrad,
              "RMSprop": torch.optim.RMSprop, "SGD": SGD, "AdamP": AdamP, "DiffGrad": DiffGrad}


def make(name, parameters, learning_rate, weight_decay=0.0):
    """An optimizer over `parameters`, by its traditional name."""
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name](parameters, lr=learning_rate, weight_decay=weight_decay)


class Brake:
    """Halves the pace whenever the smoothed loss has not improved for `patience` steps; 0 never does."""

    def __init__(self, patience):
        self.patience, self.factor, self.waited, self.seen = patience, 1.0, 0, 0
        self.level = self.best = 0.0

    def __call__(self, loss):
        """The factor on the pace of this step, whose loss is a scalar."""
        if not self.patience:
            return 1.0
        self.level = float(loss) if not self.seen else 0.9 * self.level + 0.1 * float(loss)
        better = not self.seen or self.level < self.best - 1e-4
        self.best = self.level if better else self.best
        self.seen, self.waited = self.seen + 1, 0 if better else self.waited + 1
        if self.waited >= self.patience:
            self.factor, self.waited = self.factor / 2, 0
        return self.factor
