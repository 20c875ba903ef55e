"""Little memory: the plan for a card, and that no plan changes the picture."""

import pytest
import stand_ins
import torch
from counting import Memory
from small_cases import PAIRS, knobs, shrunk
from torch import nn

from benchmarks import ours, report
from helpers import frozen, machine, perceptors, thrift
from helpers.networks import latents, lean
from helpers.thrift import GIB, Plan, Thrift

GUIDED = ("deep-daze-512", "big-sleep-512", "vqgan-clip-256", "diffusion-256", "disco-512")


@pytest.mark.parametrize("card, plan", [(24, Plan()), (16, Plan()), (12, Plan(64)), (8, Plan(32, True)),
                                        (6, Plan(16, True)), (4, Plan(8, True, True)),
                                        (1, Plan(8, True, True))])
def test_a_plan_for_every_card(card, plan, monkeypatch):
    assert thrift.plan(card, "cpu") == plan
    limits = []
    facts = {"total": 80 * GIB, "free": round((card - thrift.CONTEXT) * GIB) - GIB // 8}
    monkeypatch.setattr(machine, "memory", lambda device: facts)
    monkeypatch.setattr(machine, "idle", lambda device: GIB // 8)       # what an earlier run has given up
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda part, _: limits.append(part))
    assert thrift.plan(0, "cuda") == thrift.plan(card, "cuda") == plan
    assert limits == [1.0, pytest.approx((card - thrift.CONTEXT) / 80)]


def test_nothing_is_saved_where_nobody_asks():
    assert thrift.plan(0, "cpu") == Plan()
    lavish = Thrift(0, "cpu")
    eye, net = stand_ins.Eye(), nn.Conv2d(3, 3, 1)
    assert lavish.eye(eye) is eye and lavish.network(net) is net and len(lavish.savings()) == 1
    assert not Thrift(4, "cpu").savings()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return knobs(tmp_path_factory.mktemp("networks"))


@pytest.mark.parametrize("name", GUIDED)
def test_little_memory_moves_the_picture_alike(name, small, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_PRECISION", "fp32")
    cases = [shrunk(PAIRS[name], small, memory=memory, crops=9) for memory in (0, 4)]
    rich, poor = (ours.made(case, case.settings(None))() for case in cases)
    assert report.cosine(rich, poor) > 0.99999


@pytest.fixture(scope="module")
def eye():
    return perceptors.load("disco-resnet")


def test_a_perceptor_that_waits_says_the_same(eye, monkeypatch):
    visits, weight = [], next(eye.parameters())
    visiting = thrift.visiting
    monkeypatch.setattr(thrift, "visiting", lambda net, at: visits.append(at) or visiting(net, at))
    looks = torch.rand(2, 3, eye.size, eye.size, generator=machine.dice(1)).requires_grad_()

    def said(who):
        rows = who.encode_image(looks)
        slope, = torch.autograd.grad((rows @ who.encode_text(["a red boat"]).T).sum(), looks)
        return rows.detach(), slope

    whole, waiting = said(eye), said(thrift.Waiting(eye, "cpu"))
    assert all(map(torch.equal, whole, waiting))
    assert visits == ["cpu"] * 3, "there, reading, and back"
    assert thrift.Waiting(eye, "cpu").size == eye.size and next(eye.parameters()) is weight


def test_a_visit_ends_at_home():
    """Where there is no other device, another precision stands for it: `to` takes both."""
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).requires_grad_(False)
    parts = [*net.parameters(), *net.buffers()]
    homes = [tensor.data_ptr() for tensor in parts]
    with pytest.raises(ZeroDivisionError), thrift.visiting(net, torch.float64):
        assert {tensor.dtype for tensor in parts} == {torch.float64}
        raise ZeroDivisionError
    assert [tensor.data_ptr() for tensor in parts] == homes


def kept(canvas):
    """Bytes that a picture holds on to for the way back, and its slope."""
    with Memory() as memory:
        image = canvas()
        held = memory.now
    slope, = torch.autograd.grad(image.square().sum(), canvas.z)
    return held, slope


def least(network):
    return thrift.recompute_(frozen.forgetful_(network))


@pytest.mark.parametrize("deed, share", [(frozen.forgetful_, 0.6), (least, 0.4)])
def test_networks_keep_less_for_the_way_back(deed, share):
    net = stand_ins.coder()
    lean.lean_(net.decoder).to(memory_format=torch.channels_last)
    canvas = latents.Latents(net, 64, 64, "free", "codes", 0.0, machine.dice(1), machine.dice(1))
    plain, slope = kept(canvas)
    less, same = kept(canvas) if deed(net.decoder) else None
    assert less < share * plain
    assert torch.allclose(slope, same, rtol=1e-4, atol=1e-7)
    assert kept(canvas)[0] == less and deed(net.decoder) and kept(canvas)[0] == less, "once is enough"
