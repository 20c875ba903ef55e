"""Processes that train a member together, each on pictures of its own: their gradients are averaged.

    torchrun --nproc-per-node 2 -m helpers.world.train adm-world

Two processes of one thread each see 40 % more pictures in an hour than one of two threads. All of them must
move the same parameters at every step. Started in any other way, a process is alone, and nothing here does
anything.
"""

import os

import torch
from torch import distributed


def meet():
    """Find the others; returns (number of this process, how many there are)."""
    if not distributed.is_torchelastic_launched():
        return 0, 1
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")
    return distributed.get_rank(), distributed.get_world_size()


def first():
    """Is this the one that draws, tells and publishes?"""
    return os.environ.get("RANK", "0") == "0"


def wait():
    """Until all are here."""
    if meet()[1] > 1:
        distributed.barrier()


def share_(optimizer):
    """Let every step of it follow the mean of all processes' gradients."""
    if meet()[1] > 1:
        optimizer.register_step_pre_hook(lambda optimizer, *_: mean_(
            [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]))


def mean_(tensors):
    """Put the mean over all processes into each of these, in one message."""
    message = torch.cat([t.flatten() for t in tensors])
    distributed.all_reduce(message)
    for t, part in zip(tensors, message.div_(meet()[1]).split([t.numel() for t in tensors]), strict=True):
        t.copy_(part.view_as(t))


def latest(seconds):
    """The greatest of all processes' clocks, so that they stop at the same step."""
    if meet()[1] == 1:
        return seconds
    clock = torch.tensor(seconds, dtype=torch.float64)
    distributed.all_reduce(clock, distributed.ReduceOp.MAX)
    return clock.item()
