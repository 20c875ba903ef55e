"""What a guided step costs, counted and never timed: products, operators, memory, waits; and how it grows."""

from itertools import pairwise

import pytest
import torch
from counting import Calls, Memory, Reads
from small_cases import PAIRS, eye, knobs, shrunk
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import networks, originals, ours, worker

GUIDED = [name for name, case in PAIRS.items() if not case.alone and name not in
          ("vqgan-clip-384", "diffusion-512")]      # the same in small as their neighbors
MORE = 0.05     # of the operators of a step: what another torch may call


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return knobs(tmp_path_factory.mktemp("networks"))


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_PRECISION", "fp32")     # counts are the same on every machine


def step_of(name, small, **more):
    case = shrunk(PAIRS[name], small, **more)
    return ours.made(case, case.settings(None))


def lines(counts):
    """Does each differ from the one before by the same?"""
    return len({after - before for before, after in pairwise(counts)}) == 1 and counts[-1] > counts[0]


def falling(counts, sizes):
    """Does each unit of size cost no more the more there are of them? But for 1 in 100, the one attention in
    the middle of a decoder."""
    each = [count / size for count, size in zip(counts, sizes, strict=True)]
    return all(after <= 1.01 * before for before, after in pairwise(each))


def flops(step):
    return worker.counted(step)[0]


def even(step):
    """Floating point operations outside of attention, whose work grows with the square of its places."""
    with FlopCounterMode(display=False) as counter:
        step()
    counts = counter.get_flop_counts()["Global"]
    return sum(count for operator, count in counts.items() if "attention" not in str(operator))


def calls(step):
    with Calls() as counted:
        step()
    return counted.number


def peak(step):
    with Memory() as memory:
        step()
    return memory.peak


def test_products_are_counted_exactly():
    x, w = torch.ones(3, 5, requires_grad=True), torch.ones(5, 7)
    assert flops(lambda: list(torch.autograd.grad((x @ w).sum(), x))) == 2 * (2 * 3 * 5 * 7)  # there and back


def test_memory_is_counted_exactly():
    with Memory() as memory:
        a = torch.ones(1000)
        b = a.view(10, 100) + 1         # a view takes none
        del a
        c = b.relu_().sum()
    assert memory.peak == 8000 and memory.now == 4004 and c == 2000


def test_what_is_read_back_is_counted():
    x = torch.ones(3, requires_grad=True)
    with Reads([x]) as reads:
        y = (x * 2).sum()
        assert y > 1 and torch.ones(1).item() == 1
        float(y.detach().square())
    assert reads.number == 2            # what does not depend on x waits for nothing


# Floating point operations of a step on the networks of small_cases.py, and operators called.
COSTS = {
    "vit-b-32": (27_859_456, 219),
    "rn50": (61_128_704, 333),
    "vqgan-clip-256": (1_081_077_088, 2_515),
    "deep-daze-512": (106_764_800, 879),
    "big-sleep-512": (56_403_920, 891),
    "diffusion-256": (2_704_554_496, 2_433),
    "diffusion-256-secondary": (1_346_648_576, 1_540),
    "disco-512": (2_422_354_816, 4_255),
}


@pytest.mark.parametrize("name", ["vit-b-32", "rn50", *GUIDED])
def test_a_step_costs_what_it_did(name, small):
    """Fewer is fine: then write it down here."""
    step = step_of(name, small)
    step()
    products, operators = COSTS[name]
    assert flops(step) == products
    assert 0.9 * operators < calls(step) <= operators * (1 + MORE)


@pytest.mark.parametrize("name", GUIDED)
def test_every_step_costs_the_same(name, small):
    step = step_of(name, small)
    step()
    with Memory() as memory:
        counts = [(flops(step), calls(step), memory.now) for _ in range(3)]
    assert len(set(counts[1:])) == 1, "and nothing is left behind"


@pytest.mark.parametrize("name", GUIDED)
def test_work_and_memory_grow_with_crops_as_lines(name, small):
    sizes = 2, 4, 6, 8
    steps = [step_of(name, small, crops=crops, overview=0) for crops in sizes]
    assert lines([flops(step) for step in steps])
    assert falling([peak(step) for step in steps], sizes)


@pytest.mark.parametrize("name", GUIDED)
def test_no_operator_is_called_crop_by_crop(name, small):
    changed = {"overview": 0, "look_noise": "0.1", "augment": "flip, affine, jitter, erase"}
    counts = set()
    for crops in (4, 8, 12, 16):
        step = step_of(name, small, crops=crops, **changed)
        step()
        counts.add(calls(step))
    assert len(counts) == 1


@pytest.mark.parametrize("name", GUIDED)
def test_work_and_memory_grow_no_faster_than_pixels(name, small):
    sides = (64, 96, 128, 160)
    counts = []
    for side in sides:
        step = step_of(name, {**small, "width": side, "height": side})
        counts.append((even(step), peak(step)))
    assert all(falling(count, [side**2 for side in sides]) for count in zip(*counts, strict=True))


@pytest.mark.parametrize("name", GUIDED)
def test_a_step_waits_for_one_answer_at_most(name, small):
    step = step_of(name, small)
    step()
    painting = step.painting
    with Reads(getattr(painting, "weights", {"x": getattr(painting, "x", None)}).values()) as reads:
        step()
    assert reads.number == 1, "whether it is a number, at its end"


# Sizes at which painting and looking count, not what it takes to begin.
LARGER = {"deep-daze-512": {"layers": 8, "hidden": 64, "crops": 8},
          "diffusion-256": {"width": 96, "height": 96, "crops": 16}}


@pytest.fixture(scope="module")
def deep(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("deep") / "vit.safetensors"
    saved = networks.save(eye({"layers": 8, "patch_size": 16}), "perceptor", {}, path)
    return small | {"perceptors": small["perceptors"] | {"ViT-B/32": saved}}


@pytest.mark.parametrize("name", ["vit-b-32", "rn50", *GUIDED])
def test_memory_is_at_most_seven_tenths_of_the_originals(name, deep, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_PRECISION", "bf16")     # what ours runs in where the hardware can
    case = shrunk(PAIRS[name], deep, **LARGER.get(name, {"crops": 32}))
    settings = case.settings(None)
    sides = ours.made(case, settings), getattr(originals, case.original)(settings)
    for step in sides:
        step()
    mine, theirs = map(peak, sides)
    assert mine <= 0.7 * theirs
