"""The painting loop: render, look, step. It yields Frames and never shows, saves, prints or catches what is
not its own.

    for frame in paint(canvas, guide, steps=200, seed=7, rng=rng):
        ...                                     # frame.image is None on steps nobody looks at

Every draw of a step comes from `rng`, seeded by (seed, step) alone, so a resumed run paints the same pixels.
"""

import logging
import math

import torch
from torch.func import functional_call

from helpers import optimizers
from helpers.cutouts import at
from helpers.errors import Refused
from helpers.frames import Frames, fitting
from helpers.machine import mix

log = logging.getLogger(__name__)
PATIENCE = 3        # steps in a row that may come out as NaN


class Painting(Frames):
    """Frames of a canvas that is moved to please a guide.

    `learning_rate`: number or function of progress; None or 0 is the canvas's own. `ema`: decay of the
    running mean of parameters that is shown, 0 shows them as they are. `patience`: see optimizers.Brake.
    `start`: the step it begins after. `before_step` is free to move the canvas or change the guide.
    """

    def __init__(self, canvas, guide, *, steps, seed=0, rng=None, optimizer="Adam", learning_rate=None,
                 weight_decay=0.0, patience=0, ema=0.0, every=1, start=0, before_step=()):
        super().__init__(steps, every, before_step)
        self.canvas, self.guide, self.seed = canvas, guide, seed
        self.rng = rng if rng is not None else torch.Generator()
        self.learning_rate = learning_rate or canvas.learning_rate
        self.step, self.failures = start, 0
        self.weights = {name: p for name, p in canvas.named_parameters() if p.requires_grad}
        self.optimizer = optimizers.make(optimizer, list(self.weights.values()), at(self.learning_rate, 0.0),
                                         weight_decay)
        self.brake = optimizers.Brake(patience)
        self.decay, self.mean, self.averaged = ema, {}, 0
        self.total = None           # loss of the last step, a scalar, without the guide's prior: whom that
                                    # follows moves on, so less of it is no progress
        self.memory = {}            # tensors that hooks keep between steps; saved with the rest
        self.finish = None          # a last touch to the parameters shown: name -> tensor to the same

    def begin(self):
        self.rng.manual_seed(mix(self.seed, self.step))

    def one_step(self):
        """Try until it fits into memory, then move the canvas; name -> loss."""
        losses, sound = fitting(self.slopes, self.economize)
        self.move(sound)
        return losses

    def slopes(self):
        """Render, look, and lead the loss back to the parameters; also whether all of it is a number."""
        self.rng.manual_seed(mix(self.seed, self.step))
        self.canvas.train()
        self.optimizer.zero_grad(set_to_none=True)
        losses = self.guide.score(self.canvas(), self.progress)
        prior = losses.get("prior", 0)
        losses["prior"] = prior + self.canvas.prior(self.progress)
        total = sum(losses.values())
        self.total = (total - prior).detach()
        if total.requires_grad:
            total.backward()
        slopes = [p.grad for p in self.weights.values() if p.grad is not None]
        probe = total.detach() + sum((slope * 0).sum() for slope in slopes)    # NaN * 0 is NaN, infinity too
        found = [loss.detach().to(probe) for loss in losses.values()]
        *numbers, probe = torch.stack([*found, probe]).tolist()                 # the only wait of a step
        return dict(zip(losses, numbers, strict=True)), math.isfinite(probe)

    def move(self, sound):
        self.failures = 0 if sound else self.failures + 1
        if self.failures >= PATIENCE:
            raise Refused(f"the loss was not a number {PATIENCE} steps in a row",
                          "a picture needs finite steps", "try a lower learning_rate, or another optimizer")
        if not sound:
            log.warning("step %d came out as NaN and is skipped", self.step + 1)
            return
        for group in self.optimizer.param_groups:
            group["lr"] = at(self.learning_rate, self.progress) * self.brake(self.total)
        self.optimizer.step()
        self.canvas.project_()
        self.average()

    @torch.no_grad()
    def average(self):
        if self.decay <= 0:
            return
        self.averaged += 1
        for name, p in self.weights.items():
            if name not in self.mean:
                self.mean[name] = torch.zeros_like(p)
            self.mean[name].lerp_(p, 1 - self.decay)

    def settle(self):
        """Forget the running mean: the canvas has been moved to another place."""
        self.mean, self.averaged = {}, 0

    def shown(self):
        """The parameters as shown: their running mean, corrected for its start at zero, or as they are."""
        seen = self.weights
        if self.averaged:
            seen = corrected(self.mean, self.decay, self.averaged)
        seen = {name: p.detach() for name, p in seen.items()}
        return self.finish(seen) if self.finish else seen

    @torch.no_grad()
    def image(self):
        """The picture as it is now, (n, 3, h, w) in [0, 1]."""
        self.canvas.eval()
        return functional_call(self.canvas, self.shown(), ()).detach().clamp(0, 1).float()

    def state_dict(self):
        """Nested dicts with text keys; tensors, numbers and text in the leaves. Enough for the very same
        next step."""
        return {"step": self.step, "seconds": self.seconds, "failures": self.failures,
                "canvas": {name: p.detach() for name, p in self.canvas.state_dict().items()},
                "optimizer": {str(k): dict(v) for k, v in self.optimizer.state_dict()["state"].items()},
                "brake": dict(vars(self.brake)), "averaged": self.averaged, "mean": dict(self.mean),
                "decay": self.decay,
                "total": self.total, "memory": dict(self.memory)}

    @torch.no_grad()
    def load_state_dict(self, state):
        self.step, self.averaged = int(state["step"]), int(state["averaged"])
        self.seconds, self.failures = float(state["seconds"]), int(state["failures"])
        self.canvas.load_state_dict(state["canvas"])
        vars(self.brake).update(state["brake"])
        full = self.optimizer.state_dict()
        full["state"] = {int(k): dict(v) for k, v in state.get("optimizer", {}).items()}
        self.optimizer.load_state_dict(full)
        place = next(iter(self.weights.values())).device
        self.mean = {name: mean.to(place, copy=True) for name, mean in state.get("mean", {}).items()}
        self.total, self.memory = state.get("total"), dict(state.get("memory", {}))


def corrected(mean, decay, count):
    """A running mean of `count` steps that began at zero, as if it had begun with the first of them."""
    return {name: value / (1 - decay ** count) for name, value in mean.items()}


def shown(state):
    """The parameters a picture was shown with, name -> tensor, of a Painting's `state_dict`; {} where it is
    none."""
    if not isinstance(state, dict) or not isinstance(state.get("canvas"), dict):
        return {}
    if state.get("averaged") and state.get("decay"):
        return state["canvas"] | corrected(state["mean"], state["decay"], state["averaged"])
    return state["canvas"]


def paint(canvas, guide, **options) -> Painting:
    """See Painting."""
    return Painting(canvas, guide, **options)
