"""Processes that train together: alike in the end, led by the mean of what each has seen."""

import json
import subprocess
import sys
from pathlib import Path

import torch

from helpers.world.train import company

SCRIPT = """
import json, sys, torch
from helpers.world.train import common, company, data
layer = torch.nn.Linear(3, 2, bias=False)
torch.nn.init.ones_(layer.weight)
optimizer = torch.optim.SGD(layer.parameters(), 0.1)
training = common.Training("student", {"layer": layer}, {"layer": optimizer}, 1 / 60, averaged="layer")
told, rates, number = [], [], company.meet()[0]
def work(step, progress):
    told.append(step)
    rates.append(optimizer.param_groups[0]["lr"])
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
    optimizer.zero_grad()
    layer(x).square().mean().backward()
    optimizer.step()
    training.seconds += 0.1 * number                            # one is slower
    return {}
list(training.run(work))
common.publish("student", "toy", layer, {}, training, {})
seen = {"told": told, "rates": rates, "weight": layer.weight.tolist(),
        "drawn": int(data.pictures(3, 64, "mostly-plain-")[2].sum())}
open(f"{sys.argv[1]}/{number}.json", "w").write(json.dumps(seen))
"""


def test_two_processes_learn_as_one_that_sees_what_both_do(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_TRAIN", str(tmp_path / "train"))
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "zoo"))
    monkeypatch.setenv("PYTHONPATH", str(Path(company.__file__).parents[3]))
    (tmp_path / "script.py").write_text(SCRIPT)
    subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
                    str(tmp_path / "script.py"), str(tmp_path)], check=True, timeout=300)
    one, other = (json.loads((tmp_path / f"{number}.json").read_text()) for number in (0, 1))
    steps = len(one["told"])
    assert one["told"] == list(range(0, 2 * steps, 2)) and other["told"] == list(range(1, 2 * steps, 2))
    assert one["drawn"] == other["drawn"] > 0 and one["rates"] == other["rates"]
    card = json.loads((tmp_path / "zoo" / "student.json").read_text())["training"]
    assert card["steps"] == steps and "2 processes" in card["machine"]
    assert one["weight"] == other["weight"]
    torch.testing.assert_close(torch.tensor(one["weight"]), alone(one["rates"]))


def alone(rates):
    """What one process makes of the pictures of both, four and four to a step."""
    weight = torch.ones(2, 3, requires_grad=True)
    for step, rate in enumerate(rates):
        x = torch.cat([torch.randn(4, 3, generator=torch.Generator().manual_seed(2 * step + number))
                       for number in (0, 1)])
        slope, = torch.autograd.grad((x @ weight.T).square().mean(), weight)
        weight = (weight - rate * slope).detach().requires_grad_()
    return weight.detach()


def test_a_process_alone_is_the_first_and_waits_for_nobody():
    assert company.meet() == (0, 1) and company.first() and company.latest(2.5) == 2.5
    company.wait()
