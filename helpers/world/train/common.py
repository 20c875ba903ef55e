"""What all trainings share: resume, a schedule by the clock, averaged weights, the card at the end."""

import copy
import json
import math
import os
import platform
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

from .data import STATE

ZOO = Path(__file__).resolve().parents[3] / "assets" / "zoo"


class Training:
    """Parts (name -> module), one optimizer each, a clock. `progress` runs from 0 to 1 over `minutes` of
    work.
    """

    def __init__(
        self, name, parts, optimizers, minutes, averaged="", decay=0.999, keep_every=150, device="cpu"
    ):
        self.name, self.parts, self.optimizers, self.minutes = name, parts, optimizers, minutes
        self.step, self.seconds, self.log, self.keep_every, self.decay = 0, 0.0, [], keep_every, decay
        self.device = device
        self.average = copy.deepcopy(parts[averaged]).eval().requires_grad_(False) if averaged else None
        self.source = parts.get(averaged)
        self.rates = {k: [g["lr"] for g in o.param_groups] for k, o in optimizers.items()}
        self.path = STATE / name / "state.pt"
        if self.path.exists():
            self.load()

    @property
    def progress(self):
        return min(1.0, self.seconds / (60 * self.minutes))

    def load(self):
        state = torch.load(self.path, weights_only=True, map_location=self.device)
        for k, part in self.parts.items():
            part.load_state_dict(state["parts"][k])
        for k, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][k])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.step, self.seconds, self.log = state["step"], state["seconds"], state["log"]

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        torch.save(
            {
                "parts": {k: p.state_dict() for k, p in self.parts.items()},
                "optimizers": {k: o.state_dict() for k, o in self.optimizers.items()},
                "average": self.average.state_dict() if self.average is not None else {},
                "step": self.step,
                "seconds": self.seconds,
                "log": self.log,
            },
            part,
        )
        os.replace(part, self.path)

    def run(self, work, every=50):
        """Call `work(step, progress) -> {name: number}` until the time is used up; cosine rates, warm-up
        of 2 %.
        """
        saved = tick = time.monotonic()
        while self.progress < 1:
            p = self.progress
            rate = min(1.0, p / 0.02 + 0.02) * (0.04 + 0.96 * 0.5 * (1 + math.cos(math.pi * p)))
            for k, optimizer in self.optimizers.items():
                for group, base in zip(optimizer.param_groups, self.rates[k], strict=False):
                    group["lr"] = base * rate
            numbers = work(self.step, p)
            self.step += 1
            self.follow()
            now = time.monotonic()
            self.seconds, tick = self.seconds + now - tick, now
            if self.step % every == 0:
                self.log.append(
                    {
                        "step": self.step,
                        "seconds": round(self.seconds),
                        **{k: round(float(torch.as_tensor(v).detach()), 4) for k, v in numbers.items()},
                    }
                )
                yield self.log[-1]
            if now - saved > self.keep_every:
                self.save()
                saved = now
        self.save()

    @torch.no_grad()
    def follow(self):
        if self.average is None:
            return
        d = min(self.decay, (1 + self.step) / (10 + self.step))
        for a, b in zip(self.average.state_dict().values(), self.source.state_dict().values(), strict=False):
            a.lerp_(b, 1 - d) if a.is_floating_point() else a.copy_(b)


def publish(name, kind, module, config, training, metrics, **more):
    """Write `assets/zoo/NAME.safetensors` (fp16) and its card; returns the card."""
    ZOO.mkdir(parents=True, exist_ok=True)
    tensors = {
        k: v.detach().cpu().half().contiguous().clone() if v.is_floating_point() else v.detach().cpu().clone()
        for k, v in module.state_dict().items()
    }
    save_file(tensors, ZOO / f"{name}.safetensors")
    log = training.log
    card = {
        "name": name,
        "kind": kind,
        "config": config,
        "parameters": sum(p.numel() for p in module.parameters()),
        "license": "MIT",
        **more,
        "metrics": metrics,
        "training": {
            "steps": training.step,
            "minutes": round(training.seconds / 60, 1),
            "data": "helpers.world, scenes 0 to 59999",
            "machine": machine(),
            "torch": torch.__version__,
            "curve": log[:: max(1, len(log) // 24)],
        },
    }
    (ZOO / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n")
    return card


def machine():
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{os.cpu_count()} {platform.machine()} CPU cores, {torch.get_num_threads()} threads"


def autocast(device):
    """bf16 where it is fast (AMX, CUDA); fp32 elsewhere."""
    fast = device != "cpu" or torch.backends.mkldnn.is_available()
    return torch.autocast(
        device if device != "mps" else "cpu", torch.bfloat16, enabled=fast and device != "mps"
    )
