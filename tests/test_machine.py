"""The machine: device by name, dice that differ, threads, versions."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from helpers import machine
from helpers.errors import Refused

ROOT = Path(__file__).parents[1]


def test_device_of_this_machine(monkeypatch):
    monkeypatch.delenv("DEVICE", raising=False)
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert machine.device().type == best
    assert machine.device("cpu") == torch.device("cpu")
    monkeypatch.setenv("DEVICE", "cpu")
    assert machine.device("auto") == torch.device("cpu")


@pytest.mark.parametrize("present, expected", [(["cuda", "cpu"], "cuda"), (["mps", "cpu"], "mps"),
                                               (["cpu"], "cpu")])
def test_auto_takes_the_best(monkeypatch, present, expected):
    monkeypatch.delenv("DEVICE", raising=False)
    monkeypatch.setattr(machine, "_present", lambda torch: present)
    monkeypatch.setattr(machine, "repeatable", lambda torch: None)
    assert machine.device().type == expected


def test_refused_devices(monkeypatch):
    monkeypatch.setattr(machine, "_present", lambda torch: ["cpu"])
    with pytest.raises(Refused) as said:
        machine.device("gpu")
    assert str(said.value) == "device is 'gpu'; it is one of 'auto', 'cpu', 'cuda', 'mps': try 'auto'"
    with pytest.raises(Refused) as said:
        machine.device("cuda")
    assert str(said.value) == ("device is 'cuda'; this machine has 'cpu': try 'auto', "
                               "or in Colab choose Runtime > Change runtime type > GPU")
    monkeypatch.setenv("DEVICE", "mps")
    with pytest.raises(Refused) as said:
        machine.device()
    assert str(said.value) == "device is 'mps'; this machine has 'cpu': try 'auto'"


def test_cuda_is_made_repeatable(monkeypatch):
    asked = []
    monkeypatch.setattr(machine, "_present", lambda torch: ["cuda", "cpu"])
    monkeypatch.setattr(machine, "repeatable", asked.append)
    assert machine.device("cuda") == torch.device("cuda") and asked


def test_mix_never_repeats_nearby():
    seeds = [machine.mix(seed, step) for seed in range(-20, 200) for step in range(-1, 200)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2 ** 63 for seed in seeds)
    assert machine.mix(2 ** 64, 0) != machine.mix(0, 0) != machine.mix(0, -1)
    assert machine.mix(0, 0) == 6017775124710473527     # for ever: old runs are to be repeatable


def test_dice():
    first, again, other = (torch.rand(4, generator=machine.dice(7, step)) for step in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_threads_are_ours(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert machine.threads() == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert machine.threads() == machine.cores() >= 1
    assert machine.threads(before) == before


FAULTS = """
import resource, sys, torch
from helpers import machine
{}
def faults():
    for size in (10, 20, 10, 20):       # 40 and 80 MB, as a step takes and gives them back
        torch.ones(size << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
before = [faults() for _ in range(4)]
print(faults() - before[-1])
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no glibc")
def test_memory_is_kept_for_the_next_step(monkeypatch):
    def faults(deed):
        done = subprocess.run([sys.executable, "-c", FAULTS.format(deed)], cwd=ROOT, text=True,
                              stdout=subprocess.PIPE, check=True)
        return int(done.stdout)
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    assert faults("machine.keep_memory()") < 1000 < faults("")
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "1000000")
    assert faults("machine.keep_memory()") > 1000, "who says otherwise is heard"


def test_facts():
    said = machine.versions()
    assert {"python", "torch", "pillow"} <= said.keys()
    assert machine.memory()["free"] <= machine.memory()["total"]
    assert machine.describe().startswith("CPU, ")
    assert not machine.in_notebook() and not machine.in_colab()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_facts():
    assert machine.memory("cuda")["free"] > 0 and "GB" in machine.describe("cuda")
