"""Getting along with little graphics memory: the same picture, in smaller bites.

    thrift = Thrift(settings.memory, device)        # for a card of so many GB; 0: for what is free
    eye, network = thrift.eye(eye), thrift.network(network)
"""

import contextlib
from dataclasses import dataclass
from functools import partial
from itertools import chain

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from . import machine

GIB = 1 << 30
CONTEXT = 0.6       # GiB that CUDA itself takes of a card
BLOCKS = ("LeanBlock", "LeanAttention", "ResnetBlock", "AttnBlock")     # of U-Nets, decoders, generators


@dataclass(frozen=True)
class Plan:
    """looks: how many each perceptor encodes at once, None for all. recompute: blocks of networks are
    computed again on the way back. aside: perceptors wait in main memory for their turn."""

    looks: int | None = None
    recompute: bool = False
    aside: bool = False


# From so many GiB up; each serves the card of the size behind it.
PLANS = ((15.0, Plan()), (11.0, Plan(64)),                          # 16 and more, 12
         (7.0, Plan(32, recompute=True)), (5.0, Plan(16, recompute=True)),      # 8, 6
         (0.0, Plan(8, recompute=True, aside=True)))                # 4


def plan(memory: float, device) -> Plan:
    """The plan for a card of `memory` GB, which is then all that may be taken of this one; 0: for what is
    free on it, and outside of CUDA nothing is saved."""
    free = memory - CONTEXT
    on_card = torch.device(device).type == "cuda"
    if on_card:
        size = machine.memory(device)["total"]
        torch.cuda.set_per_process_memory_fraction(min(1.0, free * GIB / size) if memory else 1.0, device)
    if not memory:
        if not on_card:
            return Plan()
        free = (machine.memory(device)["free"] + machine.idle(device)) / GIB
    return next(plan for least, plan in PLANS if free >= least)


class Thrift:
    """What a run does to fit into memory: by its plan, and by way of `savings` where that was not enough."""

    def __init__(self, memory: float, device):
        self.device, self.plan, self.lavish = device, plan(memory, device), []

    def eye(self, eye: nn.Module) -> nn.Module:
        """The perceptor, in main memory but when it is its turn if that is the plan."""
        return Waiting(eye, self.device) if self.plan.aside else eye

    def network(self, network: nn.Module) -> nn.Module:
        """The network, keeping little for the way back if that is the plan."""
        self.lavish.append(network)
        return recompute_(network) if self.plan.recompute else network

    def savings(self) -> list:
        """What a painting may do when memory runs out, beside looking at less at a time; see Frames."""
        if self.plan.recompute or not self.lavish:
            return []
        return [("computing again what was kept", lambda: [recompute_(net) for net in self.lavish])]


def recompute_(network: nn.Module) -> nn.Module:
    """Let each block of a network be computed again on the way back, in place."""
    for block in network.modules():
        if type(block).__name__ in BLOCKS and "forward" not in vars(block):
            block.forward = partial(checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False)
    return network


class Waiting(nn.Module):
    """A perceptor that is on the device only while it looks or reads; with the results of one that stays."""

    def __init__(self, eye: nn.Module, device):
        super().__init__()
        eye.begin()             # its tower is made lean where it will look
        self.eye, self.device = eye.to("cpu"), device

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("eye"), name)

    def encode_text(self, words: list[str]) -> Tensor:
        with visiting(self.eye, self.device):
            return self.eye.encode_text(words)

    def encode_image(self, images: Tensor) -> Tensor:
        return Look.apply(images, self.eye, self.device)


class Look(torch.autograd.Function):
    """encode_image, once there and once more on the way back."""

    @staticmethod
    def forward(ctx, images, eye, device):
        ctx.save_for_backward(images)
        ctx.eye, ctx.device = eye, device
        with visiting(eye, device):
            return eye.encode_image(images)

    @staticmethod
    def backward(ctx, slope):
        images = ctx.saved_tensors[0].detach().requires_grad_()
        with torch.enable_grad(), visiting(ctx.eye, ctx.device):
            return torch.autograd.grad(ctx.eye.encode_image(images), images, slope)[0], None, None


@contextlib.contextmanager
def visiting(network: nn.Module, device):
    """A frozen network on the device, for the time being; nothing needs to be brought back."""
    homes = [(tensor, tensor.data) for tensor in chain(network.parameters(), network.buffers())]
    try:
        for tensor, home in homes:
            tensor.data = home.to(device, non_blocking=True)
        yield network
    finally:
        for tensor, home in homes:
            tensor.data = home
