"""Side by side: the same answers and slopes as one by one, on one core each, and nothing left behind."""

import os
from contextlib import nullcontext
from functools import partial
from threading import Barrier, Thread, get_ident

import pytest
import stand_ins
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers import abreast, systems
from helpers.guides import Prompts, targets

SOON = 20       # seconds to wait for the other at most


@pytest.fixture(autouse=True)
def two_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def small():
    return torch.rand(3, 4, generator=torch.Generator().manual_seed(1))


def meeting(both, said):
    """A task that ends only while another one runs."""
    both.wait(SOON)
    return said, get_ident(), torch.get_num_threads()


def test_tasks_run_at_the_same_time_on_one_core_each_and_answer_in_order():
    both = Barrier(2)
    answers = abreast.abreast([partial(meeting, both, said) for said in "ab"], small())
    assert [said for said, *_ in answers] == ["a", "b"] and {cores for *_, cores in answers} == {1}
    assert len({who for _, who, _ in answers} | {get_ident()}) == 3


@pytest.mark.parametrize("case", ["large", "one core", "many cores", "counted", "alone"])
def test_else_they_run_here_one_after_the_other(case):
    x = torch.empty(abreast.PAINTED + 1) if case == "large" else small()
    tasks = [get_ident] * (1 if case == "alone" else 3)
    if "core" in case:
        torch.set_num_threads(1 if case == "one core" else abreast.FEW + 1)
    if case == "counted":
        with FlopCounterMode(display=False):
            found = abreast.abreast(tasks, x)
    else:
        found = abreast.abreast(tasks, x)
    assert set(found) == {get_ident()} and len(found) == len(tasks)


@pytest.mark.parametrize("on", [True, False])
def test_slopes_are_followed_as_where_they_were_asked_for(on):
    with torch.set_grad_enabled(on):
        assert abreast.abreast([torch.is_grad_enabled] * 2, small()) == [on, on]


def test_what_fails_there_fails_here():
    def fail():
        raise ValueError("no")
    with pytest.raises(ValueError, match="no"):
        abreast.abreast([small, fail], small())
    assert len(abreast.abreast([small, small], small())) == 2


@pytest.mark.parametrize("fails", [False, True])
def test_a_fine_step_computes_on_one_core_and_gives_the_others_back(fails):
    both = Barrier(2)
    with pytest.raises(ValueError) if fails else nullcontext():
        with abreast.fine(small()):
            assert torch.get_num_threads() == 1
            assert len(abreast.abreast([partial(meeting, both, said) for said in "ab"], small())) == 2
            if fails:
                raise ValueError
    found = []
    other = Thread(target=lambda: found.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert torch.get_num_threads() == 2 and found == [2], "here, and in a thread begun after it"


def test_a_large_picture_keeps_all_cores():
    with abreast.fine(torch.empty(abreast.PAINTED + 1)):
        assert torch.get_num_threads() == 2


def test_answers_and_slopes_are_those_of_one_by_one():
    nets = [nn.Linear(4, wide).requires_grad_(False) for wide in (5, 6)]
    x, still = small().requires_grad_(), small()
    apart = [net(x) for net in nets]
    asked = abreast.asked([(net, x) for net in nets])
    assert all(map(torch.equal, asked, apart))
    slopes = [torch.autograd.grad(sum(part.square().sum() for part in parts), x)[0]
              for parts in (asked, apart)]
    assert torch.equal(*slopes) and slopes[0].any()
    one, other = abreast.asked([(nets[0], x), (nets[1], still)])
    assert torch.autograd.grad(one.sum() + other.sum(), x)[0].any(), "the other leads to nothing that moves"


def test_within_a_fine_step_a_single_question_is_parted_between_the_cores():
    both, net = Barrier(2), nn.Linear(4, 5).requires_grad_(False)

    def slow(rows):
        both.wait(SOON)
        return net(rows)

    x = small().requires_grad_()
    wanted = net(x)
    with abreast.fine(x):
        found, = abreast.asked([(slow, x)])
        slope, = torch.autograd.grad(found.square().sum(), x)
        alone, = abreast.asked([(net, x[:1])])
    assert torch.allclose(found, wanted) and torch.allclose(alone, wanted[:1])
    assert torch.allclose(slope, torch.autograd.grad(wanted.square().sum(), x)[0]) and slope.any()


def test_elsewhere_it_is_asked_whole_as_each_product_has_all_cores():
    seen = []
    abreast.asked([(lambda rows: seen.append(len(rows)) or rows, small())])
    assert seen == [3] and abreast.asked([]) == []


def test_a_child_process_has_workers_of_its_own():
    abreast.abreast([get_ident] * 2, small())
    if child := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    else:
        os._exit(0 if len(abreast.abreast([os.getpid] * 2, small())) == 2 else 1)


class Eye(nn.Module):
    """A perceptor that looks only while another one does, if there is a `meeting`."""

    def __init__(self):
        super().__init__()
        self.net, self.meeting = nn.Linear(12, 4), None

    def encode_image(self, looks):
        if self.meeting:
            self.meeting.wait(SOON)
        return self.net(looks.flatten(1))


def test_perceptors_of_a_blend_look_side_by_side():
    eyes = Eye(), Eye()
    aims = targets.targets(torch.rand(1, 4), [1.0])
    guides = [Prompts(eye, lambda image, _: image, aims) for eye in eyes]
    image = torch.rand(2, 3, 2, 2).requires_grad_()
    alone = sum(torch.autograd.grad(guide(image), image)[0] for guide in guides)
    eyes[0].meeting = eyes[1].meeting = Barrier(2)
    together, = torch.autograd.grad((guides[0] + guides[1])(image), image)
    assert together.any() and torch.allclose(together, alone, atol=1e-7)


def test_a_guided_picture_is_the_same_on_one_core(monkeypatch):
    """Two perceptors, a class, anything, and a classifier: whoever can work beside another does."""
    monkeypatch.setenv("DEVICE", "cpu")
    stand_ins.install(monkeypatch)
    system, beside = systems.load("clip_guided_diffusion"), []
    cls = system.Settings
    knobs = {"prompts": "a boat", "width": 32, "height": 32, "steps": 3, "model": "of anything",
             "classifier": "any"}
    settings = cls.from_dict(cls().rehearsal().to_dict() | knobs)

    def watched(cores, own=abreast.workers):
        beside.append(cores)
        return own(cores)
    monkeypatch.setattr(abreast, "workers", watched)
    pictures = []
    for cores in (2, 1):
        torch.set_num_threads(cores)
        painting = system.paint(settings)
        *_, frame = painting
        pictures.append(frame.image)
        assert torch.get_num_threads() == cores
    assert torch.equal(*pictures) and pictures[0].std() > 0
    a_step = "fine", "two passes", "two perceptors", "and back", "the classifier beside the way back"
    assert beside == [2] * len(a_step) * settings.steps
