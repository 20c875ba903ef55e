"""Small tasks side by side, one core each: a small network's products are over before a second core joins in.

    with fine(x):                                   # a step of a small picture
        one, other = abreast([partial(net, x, cat), partial(net, x, dog)], x)
    rows = asked([(eye.encode_image, looks), (other.encode_image, more)])      # slopes, too, side by side

On CPUs of two or three cores. Elsewhere, and what is large, goes one by one, on all there is.
"""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier, local

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

FEW = 3             # cores; measured on two. Of more, several share each product, and two tasks would use two
LOOKS = 1 << 19     # numbers that go into a perceptor; of more, each of its products keeps several cores busy
PAINTED = 1 << 15   # and into a U-Net
here = local()      # the cores that a thread has given up for the time being


def small(x: Tensor, most: int) -> bool:
    return x.device.type == "cpu" and x.numel() <= most


def count() -> int:
    """How many cores there are for this thread, and those beside it."""
    return getattr(here, "cores", 0) or torch.get_num_threads()


def apart(x: Tensor, most: int) -> bool:
    return 1 < count() <= FEW and small(x, most) and not is_in_torch_dispatch_mode()


@contextlib.contextmanager
def fine(x: Tensor):
    """If x is small, let this thread compute on one core: another is no help, and waits on its feet, in the
    way of what goes side by side."""
    cores = torch.get_num_threads()
    if not (1 < cores <= FEW and small(x, PAINTED)):
        yield
        return
    workers(cores)
    here.cores = cores
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(cores)
        here.cores = 0


def abreast(tasks: list, x: Tensor, most: int = PAINTED) -> list:
    """What each of these functions of nothing, which have to do with x, returns; they must not draw from the
    same chance. Gradients are on or off as here. Whoever counts operations sees one after the other."""
    if len(tasks) < 2 or not apart(x, most):
        return [task() for task in tasks]
    with_slopes = torch.is_grad_enabled()

    def alone(task):
        with torch.set_grad_enabled(with_slopes):
            return task()
    return list(workers(count()).map(alone, tasks))


def asked(questions: list) -> list[Tensor]:
    """[(function, x), ...] -> [function(x), ...], there and back side by side. Only x is led back to; its
    rows have nothing to do with each other. Within a `fine` step, those of a single question are parted."""
    if not questions:
        return []
    functions, inputs = zip(*questions, strict=True)
    if len(questions) > 1:
        return list(Asked.apply(functions, *inputs))
    parts = inputs[0].chunk(count()) if torch.get_num_threads() == 1 and apart(inputs[0], LOOKS) else inputs
    if len(parts) == 1:
        return [functions[0](inputs[0])]
    return [torch.cat(Asked.apply(functions * len(parts), *parts))]


class Asked(torch.autograd.Function):
    @staticmethod
    def forward(ctx, functions, *inputs):
        leaves = [x.detach().requires_grad_(x.requires_grad) for x in inputs]
        with torch.enable_grad():
            tasks = [lambda f=f, x=x: f(x) for f, x in zip(functions, leaves, strict=True)]
            answers = abreast(tasks, largest(leaves), LOOKS)
        ctx.ways = list(zip(answers, leaves, strict=True))
        return tuple(answer.detach() for answer in answers)

    @staticmethod
    @once_differentiable
    def backward(ctx, *slopes):
        def back(way, slope):
            answer, leaf = way
            return torch.autograd.grad(answer, leaf, slope)[0] if leaf.requires_grad else None
        tasks = [lambda w=w, s=s: back(w, s) for w, s in zip(ctx.ways, slopes, strict=True)]
        return None, *abreast(tasks, largest([leaf for _, leaf in ctx.ways]), LOOKS)


def largest(tensors: list) -> Tensor:
    return max(tensors, key=Tensor.numel)


@cache
def workers(cores: int) -> ThreadPoolExecutor:
    """So many threads, each of one core."""
    ready = Barrier(cores)

    def begin():
        torch.get_num_threads()         # a thread's first question sets it to what holds for all
        torch.set_num_threads(1)
        ready.wait()
    pool = ThreadPoolExecutor(cores, thread_name_prefix="abreast")
    for task in [pool.submit(begin) for _ in range(cores)]:
        task.result()
    torch.set_num_threads(cores)        # threads to come begin with what was set last
    return pool


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=workers.cache_clear)     # a child has none of its parent's threads
