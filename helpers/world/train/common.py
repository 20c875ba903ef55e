"""What all trainings share: resuming, rates that follow the clock, averaged weights, the card at the end.

    training = Training("judge", {"model": model}, {"model": optimizer}, minutes=14, averaged="model")
    for numbers in training.run(work): …            # work(step, progress) -> {name: number}
    publish("judge", "judge", training.average, config, training, metrics)

State is kept in `.train/NAME/state.pt` (or below DISCOTHEQUE_TRAIN). Draw whatever is random in `work` from
the step, and a stopped training goes on as if nothing had happened.
"""

import contextlib
import copy
import json
import math
import os
import platform
import time

import torch
from safetensors import torch as safetensors

from ... import safe_files, weights
from ...errors import Refused
from ...precision import lowered, number_type
from . import company
from .data import COUNT, home


def scenes_seen(count):
    """What a card says of training data: so many scenes of `data.scene`."""
    return f"helpers.world, scenes 0 to {count - 1}"


SEEN = scenes_seen(COUNT)


class Training:
    """Parts (name -> module), optimizers by name, and a clock of working time.

    minutes: how long it works, over all resumed runs; `progress` goes from 0 to 1 over them. averaged: the
    part whose running mean (`decay`) is kept as `average`. keep_every: seconds between saved states.
    Where a state was saved under this name, it is taken up at once; else, `further`, the published weights
    are, with a clock and optimizers that begin anew. Several processes share it (see company.py).
    """

    def __init__(self, name, parts, optimizers, minutes, averaged="", decay=0.999, keep_every=150,
                 device="cpu", further=False):
        self.name, self.parts, self.optimizers, self.minutes = name, parts, optimizers, minutes
        self.step, self.seconds, self.log = 0, 0.0, []
        self.keep_every, self.decay, self.device = keep_every, decay, device
        self.average = copy.deepcopy(parts[averaged]).eval().requires_grad_(False) if averaged else None
        self.source = parts.get(averaged)
        self.rates = {k: [g["lr"] for g in o.param_groups] for k, o in optimizers.items()}
        self.path, self.before = home() / name / "state.pt", None
        for optimizer in optimizers.values():
            company.share_(optimizer)
        if further:
            card, weights_ = weights.zoo(name)
            self.before = card["training"]
        if self.path.exists():
            with alike(f"the state in {self.path}", "move it away, to begin anew"):
                self.load()
        elif further:
            with alike(f"the published {name}", "leave out --further"):
                for part in (self.source, self.average):
                    part.load_state_dict({k: v.float() if v.is_floating_point() else v
                                          for k, v in weights_.items()})

    @property
    def progress(self):
        """The part of its time that is used up, 0..1."""
        return min(1.0, self.seconds / (60 * self.minutes))

    def load(self):
        """Take up the saved state."""
        state = torch.load(self.path, weights_only=True, map_location=self.device)
        for k, part in self.parts.items():
            part.load_state_dict(state["parts"][k])
        for k, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][k])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.step, self.seconds, self.log = state["step"], state["seconds"], state["log"]

    def save(self):
        """Keep the state; a kill while it is written leaves the one before."""
        if not company.first():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        state = {"parts": {k: p.state_dict() for k, p in self.parts.items()},
                 "optimizers": {k: o.state_dict() for k, o in self.optimizers.items()},
                 "average": self.average.state_dict() if self.average is not None else {},
                 "step": self.step, "seconds": self.seconds, "log": self.log}
        torch.save(state, part)
        os.replace(part, self.path)

    def run(self, work, every=50):
        """Call `work(step, progress) -> {name: number}` until the time is used up; yields a note of its
        numbers every `every` steps. `work` steps the optimizers; their rates are set here. Each of several
        processes is told other steps, all together every one."""
        (number, processes), saved = company.meet(), time.monotonic()
        tick = saved
        while self.progress < 1:
            progress = self.progress
            self.set_rates(progress)
            numbers = work(self.step * processes + number, progress)
            self.step += 1
            self.follow()
            now = time.monotonic()
            self.seconds, tick = company.latest(self.seconds + now - tick), now
            if self.step % every == 0:
                self.log.append({"step": self.step, "seconds": round(self.seconds), **rounded(numbers)})
                yield self.log[-1]
            if now - saved > self.keep_every:
                self.save()
                saved = now
        self.save()

    def set_rates(self, progress):
        """Every optimizer's own rates, times the pace of this moment."""
        for k, optimizer in self.optimizers.items():
            for group, rate in zip(optimizer.param_groups, self.rates[k], strict=True):
                group["lr"] = rate * pace(progress)

    @torch.no_grad()
    def follow(self):
        """Move the average toward the weights: quickly at first, then by 1 - decay a step."""
        if self.average is None:
            return
        d = min(self.decay, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.state_dict().values(), self.source.state_dict().values(), strict=True)
        for mean, weight in pairs:
            mean.lerp_(weight, 1 - d) if mean.is_floating_point() else mean.copy_(weight)


@contextlib.contextmanager
def alike(what, way_out):
    """Refused where what is taken up is of another network or other optimizers."""
    try:
        yield
    except (KeyError, ValueError, RuntimeError) as error:
        raise Refused(f"{what} is not what is trained now", " ".join(str(error).split())[:200],
                      way_out) from error


def pace(progress):
    """The share of the full learning rate: warm-up over the first 2 %, then a cosine from 1 down to 0.04."""
    return min(1.0, progress / 0.02 + 0.02) * (0.04 + 0.96 * 0.5 * (1 + math.cos(math.pi * progress)))


def rounded(numbers):
    """Tensors or numbers as floats of 4 decimals, for the log."""
    return {k: round(float(torch.as_tensor(v).detach()), 4) for k, v in numbers.items()}


def publish(name, kind, module, config, training, metrics, data=SEEN, **more):
    """Put `NAME.safetensors` (fp16, readable for all) and its card into the zoo; returns the card."""
    folder, log = weights.zoo_folder(), training.log
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {k: (v.half() if v.is_floating_point() else v).detach().cpu().contiguous().clone()
               for k, v in module.state_dict().items()}
    card = {"name": name, "kind": kind, "config": config,
            "parameters": sum(p.numel() for p in module.parameters()), "license": "MIT", **more,
            "metrics": metrics,
            "training": {"steps": training.step, "minutes": round(training.seconds / 60, 1), "data": data,
                         "machine": machine(training.device), "torch": torch.__version__,
                         "curve": log[:: max(1, len(log) // 24)]}}
    if training.before:
        card["training"]["before"] = training.before        # what its first weights had been through
    if company.first():
        put(folder / f"{name}.safetensors", safetensors.save(tensors))
        put(folder / f"{name}.json", (json.dumps(card, indent=1) + "\n").encode())
    company.wait()
    return card


def put(path, data):
    """A file that is whole or not there, and that everybody may read."""
    safe_files.write(path, data)
    path.chmod(0o644)


def machine(device="cpu"):
    """What it was trained on, for the card."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    used = f"{company.meet()[1]} processes of {torch.get_num_threads()} threads"
    return f"{os.cpu_count()} {platform.machine()} CPU cores, {used}"


def compiled_(network, device):
    """On CUDA as fused kernels, for which a training is long enough; in place."""
    if torch.device(device).type == "cuda":
        network.compile()


def autocast(device):
    """bf16 where the machine computes in it; emulated, it is a hundred times slower than fp32."""
    return lowered(device, number_type(device, narrow=False))
