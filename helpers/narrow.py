"""Weights read now and then, kept in float16 where that loses nothing: half the memory of text towers.

    words = Narrow(model)
    words.begin(but=model.visual)       # once the weights are there
    with words.wide():                  # as they were, bit by bit
        rows = model.encode_text(tokens)
"""

import contextlib
import threading

import torch
from torch import nn

LOCK = threading.RLock()        # one of them is read at a time


class Narrow:
    """A frozen network whose weights, from `begin` on, are kept in float16 between uses, if that holds them
    exactly, as those that were published in it."""

    def __init__(self, network: nn.Module):
        self.network, self.kept = network, []

    @torch.no_grad()
    def begin(self, but: nn.Module):
        """Keep all weights narrow, less those of a part."""
        others = {id(weight) for weight in but.parameters()}
        self.kept = [weight for weight in self.network.parameters()
                     if id(weight) not in others and exact_in_half(weight)]
        for weight in self.kept:
            weight.data = weight.data.half()

    @contextlib.contextmanager
    def wide(self):
        """All of them in float32, for the time being."""
        with LOCK:
            homes = [weight.data for weight in self.kept]
            try:
                for weight in self.kept:
                    weight.data = weight.data.float()
                yield
            finally:
                for weight, home in zip(self.kept, homes, strict=True):
                    weight.data = home


def exact_in_half(weight) -> bool:
    """Does float16 hold each of these float32 numbers?"""
    return weight.dtype == torch.float32 and torch.equal(weight.half().float(), weight)
