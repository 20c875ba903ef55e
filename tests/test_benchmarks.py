"""Benchmarks: both sides of every case do the same, in a small world; what can be counted does not grow."""

import json
from dataclasses import replace

import pytest
import stand_ins
import torch
from open_clip.model import CLIP
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks import __main__ as program
from benchmarks import networks, originals, ours, race, report, worker
from benchmarks.cases import CASES
from helpers.errors import Refused
from helpers.networks import adm, secondary

PAIRS = {name: case for name, case in CASES.items() if case.original}
ALL_SEEN = {"overview": 4, "crops": 0, "augment": "", "look_noise": "0", "gray_crops": "0"}


def eye(vision):
    torch.manual_seed(3)
    text = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1}
    return networks.awake_(CLIP(32, {"image_size": 64, "width": 64, **vision}, text, quick_gelu=True))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Knobs that name tiny networks, and few of everything."""
    folder = tmp_path_factory.mktemp("networks")

    def save(net, kind, config, name):
        return networks.save(net, kind, config, folder / f"{name}.safetensors")

    generator = {"layers": [(0, 4, 4), (1, 4, 2), (1, 2, 1)], "width": 16, "attention": 1, "classes": 5,
                 "z_dim": 6, "class_dim": 5, "n_stats": 3}
    second = {"widths": [8, 8, 8]}
    denoiser = {**stand_ins.SMALL, "unshuffle": 1, "learn_sigma": True, "objective": "noise"}
    eyes = {"ViT-B/32": save(eye({"layers": 2, "patch_size": 16}), "perceptor", {}, "vit"),
            "RN50": save(eye({"layers": (1, 1, 1, 1), "width": 8}), "perceptor", {}, "rn")}
    return {"perceptors": eyes, "width": 64, "height": 64, "layers": 3, "hidden": 32, "crops": 4,
            "vqgan": save(stand_ins.coder(), "vqgan", stand_ins.TINY, "vqgan"),
            "gan": save(networks.generator(generator), "biggan", generator, "gan"),
            "model": save(networks.awake_(adm.build(denoiser)), "adm", denoiser, "adm"),
            "secondary": save(secondary.build(second), "secondary", second, "second")}


def shrunk(case, small, **more):
    """The case with the knobs it has turned down."""
    knobs = {**case.knobs, **{name: small[name] for name in small if name in case.knobs}}
    knobs |= {"hidden": 32} if case.system == "deep_daze" else {}
    names = [name.strip() for name in case.knobs["perceptors"].split(",")]
    knobs["perceptors"] = ", ".join(small["perceptors"][name] for name in names if name != "ViT-B/16")
    return replace(case, knobs=knobs | more)


def both(case):
    settings = case.settings(None)
    return ours.made(case, settings), getattr(originals, case.original)(settings)


@pytest.mark.parametrize("name", PAIRS)
def test_both_sides_do_the_same(name, small, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_PRECISION", "fp32")
    mine, theirs = both(shrunk(PAIRS[name], small, **({} if PAIRS[name].alone else ALL_SEEN)))
    assert report.cosine(mine(), theirs()) > 0.9999


@pytest.mark.parametrize("name", PAIRS)
def test_both_sides_run_as_they_are_measured(name, small):
    mine, theirs = both(shrunk(PAIRS[name], small))
    for step in (mine, mine, theirs, theirs):
        slopes = step()
        assert slopes and all(slope.isfinite().all() and slope.any() for slope in slopes)


def test_a_measurement_has_its_numbers(small, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "ENOUGH", 0)
    case = shrunk(PAIRS["vqgan-clip-256"], small)
    told = {side: worker.measure(case, side, tmp_path) for side in ("ours", "original", "exact")}
    assert told["ours"].keys() == told["original"].keys() == {"seconds", "peak_gib", "rate"}
    slopes = [torch.load(tmp_path / f"{side}.pt") for side in ("ours", "exact")]
    row = report.entry([told["ours"]], [told["original"]], told["exact"], slopes)
    assert list(row) == ["seconds", "original_seconds", "ratio", "peak_gib", "original_peak_gib",
                         "floor_seconds", "cosine"]
    assert 0 < row["floor_seconds"] < row["seconds"] and row["cosine"] > 0.98


def test_reports_of_one_machine_are_merged(tmp_path):
    row = {"seconds": 1.23456, "original_seconds": None, "ratio": None, "peak_gib": 2.0,
           "original_peak_gib": None, "floor_seconds": 1.0, "cosine": 0.99987654}
    path = tmp_path / "bench.json"
    report.keep(report.merged({"a": row}, "here", path), path)
    report.keep(report.merged({"b": row | {"ratio": 2.5}}, "here", path), path)
    kept = json.loads(path.read_text())
    assert kept["machine"] == "here" and list(kept["cases"]) == ["a", "b"]
    assert kept["cases"]["a"] == row | {"seconds": 1.235, "cosine": 0.999877}
    assert list(report.merged({"c": row}, "elsewhere", path)["cases"]) == ["c"]
    assert "0.99988" in report.shown(kept).splitlines()[-1]


def test_cases_by_name():
    assert list(program.chosen(["rn50"])) == ["rn50"] and list(program.chosen([])) == list(CASES)
    with pytest.raises(Refused) as refused:
        program.chosen(["rn5"])
    assert str(refused.value).startswith("no case called 'rn5'; did you mean 'rn50'?")


@pytest.mark.parametrize("name", race.RACES)
def test_a_race_has_an_end(name, monkeypatch, capsys):
    monkeypatch.setattr(race, "STEPS", 1)
    case = race.RACES[name]
    few = replace(case, knobs=case.knobs | {"crops": 2, "layers": 3} if name == "deep-daze" else
                  case.knobs | {"crops": 2})
    assert race.run(name, few, 1, "a red boat") >= 0
    assert capsys.readouterr().out.startswith(f"  {name}, seed 1: theirs ")


def test_products_are_counted_exactly():
    x, w = torch.ones(3, 5, requires_grad=True), torch.ones(5, 7)
    flops, _ = worker.counted(lambda: list(torch.autograd.grad((x @ w).sum(), x)))
    assert flops == 2 * (2 * 3 * 5 * 7)     # there and back


def flops(case):
    """Of each of two steps, which cost the same."""
    step = ours.made(case, case.settings(None))
    first, second = (worker.counted(step)[0] for _ in range(2))
    assert first == second
    return first


GUIDED = ("deep-daze-512", "big-sleep-512", "vqgan-clip-256", "diffusion-256-secondary")


@pytest.mark.parametrize("name", GUIDED)
def test_work_grows_with_crops_as_a_line(name, small):
    counts = [flops(shrunk(PAIRS[name], small, crops=crops)) for crops in (2, 4, 6, 8)]
    steps = {after - before for before, after in zip(counts, counts[1:], strict=False)}
    assert len(steps) == 1 and steps.pop() > 0


@pytest.mark.parametrize("name", ["deep-daze-512", "vqgan-clip-256"])      # a U-Net's attention grows faster
def test_work_grows_no_faster_than_pixels(name, small):
    sides = (64, 96, 128, 160)
    counts = [flops(shrunk(PAIRS[name], small, width=side, height=side)) for side in sides]
    per_pixel = [count / side**2 for side, count in zip(sides, counts, strict=True)]
    assert per_pixel == sorted(per_pixel, reverse=True)


class Calls(TorchDispatchMode):
    """Counts operators."""

    number = 0

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        self.number += 1
        return operator(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", GUIDED)
def test_no_operator_is_called_crop_by_crop(name, small):
    called = []
    for crops in (4, 16):
        changed = {"look_noise": "0.1", "augment": "flip, affine, jitter, erase"}
        case = shrunk(PAIRS[name], small, crops=crops, **changed)
        step = ours.made(case, case.settings(None))
        step()
        with Calls() as calls:
            step()
        called.append(calls.number)
    assert called[0] == called[1]
