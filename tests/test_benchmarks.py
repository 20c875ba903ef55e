"""Benchmarks: both sides of every case do the same, in a small world, and what came out is kept."""

import json
from types import SimpleNamespace

import pytest
import torch
from small_cases import PAIRS, knobs, shrunk

from benchmarks import __main__ as program
from benchmarks import gpu, originals, ours, race, report, studio, unfinished, worker
from benchmarks.cases import CASES, GPU, case_of, chosen
from helpers import machine
from helpers.errors import Refused

ALL_SEEN = {"overview": 4, "crops": 0, "augment": "", "look_noise": "0", "gray_crops": "0"}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return knobs(tmp_path_factory.mktemp("networks"))


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


def test_the_floor_of_a_whole_picture_counts_each_step(tmp_path, monkeypatch):
    """The first one of BigSleep looks around before it."""
    one = torch.ones(10, 10)

    def step(products):
        return [one @ one for _ in range(products)]

    class Whole:
        painting = map(step, (2, 3))

        def __call__(self):
            return step(50)

    monkeypatch.setattr(ours, "made", lambda *_: Whole())
    assert worker.measure(CASES["world-gan"], "exact", tmp_path) == {"flops": 55 * 2 * 10**3}


def test_reports_are_merged_by_machine(tmp_path):
    row = {"seconds": 1.23456, "original_seconds": None, "ratio": None, "peak_gib": 2.0,
           "original_peak_gib": None, "floor_seconds": 1.0, "cosine": 0.99987654}
    path = tmp_path / "bench.json"
    report.keep(report.merged({"a": row}, "here", path), path)
    report.keep(report.merged({"b": row | {"ratio": 2.5}}, "here", path), path)
    kept = json.loads(path.read_text())
    assert kept["machine"] == "here" and list(kept["cases"]) == ["a", "b"]
    assert kept["cases"]["a"] == row | {"seconds": 1.235, "cosine": 0.999877}
    report.keep(report.merged({"c": row}, "there", path), path)
    moved = json.loads(path.read_text())
    assert moved["machine"] == "there" and list(moved["cases"]) == ["c"]
    assert moved["elsewhere"] == {"here": kept["cases"]}
    report.keep(report.merged({"c": {"seeds": [row]}}, "there", path, "race"), path)
    both = report.merged({"d": row}, "here", path)
    assert list(both["cases"]) == ["a", "b", "d"] and both["elsewhere"] == {"there": moved["cases"]}
    assert both["race"]["cases"]["c"]["seeds"][0]["seconds"] == 1.235
    assert "0.99988" in report.shown(kept).splitlines()[-1]


def test_cases_by_name():
    assert list(chosen(["rn50"])) == ["rn50"] and list(chosen([])) == list(CASES)
    with pytest.raises(Refused) as refused:
        chosen(["rn5"])
    assert str(refused.value).startswith("no case called 'rn5'; did you mean 'rn50'?")
    assert case_of("vqgan-clip-768@8").knobs["memory"] == 8 and case_of("rn50") is CASES["rn50"]


ROW = {"seconds": 1.0, "original_seconds": None, "ratio": None, "peak_gib": 2.0, "original_peak_gib": None,
       "floor_seconds": 0.5, "cosine": 1.0}


class Bench:
    """The program, its measurements made up: `broken` sides fail."""

    def __init__(self, folder, monkeypatch):
        self.asked, self.broken, self.table = [], set(), folder / "bench.json"
        monkeypatch.setattr(report, "TABLE", self.table)
        monkeypatch.setattr(unfinished, "PLACE", folder / "unfinished.json")
        monkeypatch.setattr(program, "alone", self.alone)
        monkeypatch.setattr(program.torch, "load", lambda path: [torch.ones(1)])

    def alone(self, name, side, folder):
        self.asked.append((name, side))
        if (name, side) in self.broken:
            raise KeyboardInterrupt if side == "exact" else Refused("too large", "small ones are not", "one")
        return {"seconds": 1.0, "peak_gib": 2.0, "rate": 1.0, "flops": 1.0}

    def cases(self):
        return json.loads(self.table.read_text())["cases"]


@pytest.fixture
def bench(tmp_path, monkeypatch):
    return Bench(tmp_path, monkeypatch)


def test_what_fails_is_told_and_the_others_go_on(bench, capsys):
    bench.broken = {("rn50", "ours"), ("vit-b-32", "original")}
    assert program.main(["rn50", "vit-b-32", "world-gan", "--rounds", "2"]) == 1
    cases, said = bench.cases(), capsys.readouterr().out
    assert cases["rn50"] == {"error": "too large; small ones are not: one"}
    assert cases["vit-b-32"]["seconds"] == 1 and cases["vit-b-32"]["original_seconds"] is None
    assert "too large" in cases["vit-b-32"]["original_error"] and cases["world-gan"]["ratio"] is None
    assert "rn50 failed, about" in said and "error: too large" in said
    bench.broken, bench.asked = set(), []
    assert program.main(["rn50", "vit-b-32", "world-gan", "--rounds", "2"]) == 0
    assert {name for name, _ in bench.asked} == {"rn50"} and bench.cases()["rn50"]["seconds"] == 1


def test_a_run_that_was_stopped_goes_on(bench, capsys):
    bench.broken = {("vit-b-32", "exact")}
    with pytest.raises(KeyboardInterrupt):
        program.main(["rn50", "vit-b-32"])
    assert list(bench.cases()) == ["rn50"], "what is finished is kept at once"
    bench.broken, bench.asked = set(), []
    assert program.main(["rn50", "vit-b-32", "--rounds", "2"]) == 0 and len(bench.asked) == 10, "another run"
    bench.broken = {("vit-b-32", "exact")}
    with pytest.raises(KeyboardInterrupt):
        program.main(["rn50", "vit-b-32"])
    bench.broken, bench.asked = set(), []
    assert program.main(["rn50", "vit-b-32"]) == 0 and bench.asked[0] == ("vit-b-32", "ours")
    assert "1 of 2 cases are there from before" in capsys.readouterr().out
    bench.asked = []
    assert program.main(["rn50", "vit-b-32"]) == 0 and bench.asked[0] == ("rn50", "ours"), "finished: anew"


def test_a_fresh_run_begins_anew(bench):
    bench.broken = {("vit-b-32", "exact")}
    with pytest.raises(KeyboardInterrupt):
        program.main(["rn50", "vit-b-32"])
    bench.broken, bench.asked = set(), []
    assert program.main(["rn50", "vit-b-32", "--fresh"]) == 0 and bench.asked[0] == ("rn50", "ours")


@pytest.mark.parametrize("rounds, words", [("0", "rounds is 0; it takes at least one: try 3")])
def test_rounds_are_at_least_one(bench, rounds, words, capsys):
    with pytest.raises(SystemExit):
        program.main(["rn50", "--rounds", rounds])
    assert words in capsys.readouterr().err and not bench.asked


def test_a_measurement_that_dies_says_of_what(monkeypatch, tmp_path):
    done = SimpleNamespace(returncode=1, stdout="", stderr="Traceback\nOutOfMemoryError: no room\n")
    monkeypatch.setattr(program.subprocess, "run", lambda *_, **__: done)
    for code, words in ((1, "OutOfMemoryError: no room"), (-9, "it was killed")):
        done.returncode = code
        with pytest.raises(Refused) as refused:
            program.alone("rn50", "ours", tmp_path)
        assert str(refused.value).startswith(f"rn50 (ours) did not come to its end ({words});")


def test_the_report_says_what_ours_computes_in(monkeypatch):
    for dtype, words in ((torch.bfloat16, ", bf16"), (torch.float32, ", fp32, for want of bf16")):
        monkeypatch.setattr(report, "number_type", lambda device, dtype=dtype: dtype)
        assert report.here(torch.device("cpu")).endswith(words)


def test_processors_of_one_name_are_told_apart_by_family_and_model(tmp_path):
    table = tmp_path / "cpuinfo"
    assert report.model(table) == ""
    for family, model in (("25", "17"), ("26", "2")):
        one = f"cpu family\t: {family}\nmodel\t\t: {model}\nmodel name\t: AMD EPYC\n"
        table.write_text(f"processor\t: 0\n{one}\nprocessor\t: 1\n{one}")
        assert report.model(table) == f"AMD EPYC ({family}/{model})"
    table.write_text("model name\t: Fast One\n")
    assert report.model(table) == "Fast One"


def test_no_table_of_a_gpu_without_one(monkeypatch, capsys):
    monkeypatch.setattr(machine, "_present", lambda torch: ["cpu"])
    monkeypatch.setattr(gpu, "run", None)
    with pytest.raises(SystemExit) as left:
        program.main(["gpu"])
    assert left.value.code == 2 and "device is 'cuda'; this machine has 'cpu'" in capsys.readouterr().err


def test_the_table_of_a_gpu(tmp_path, monkeypatch):
    """Of a card of 10 GB that cannot do the largest case as a 4 GB card."""
    monkeypatch.setattr(machine, "memory", lambda device: {"total": 10 << 30})
    monkeypatch.setattr(report, "here", lambda device: "a card")
    asked = []

    def alone(name, side, folder):
        asked.append(name)
        if name == "deep-daze-512@4":
            raise Refused("too large", "small ones are not", "one")
        return {"seconds": 0.25, "peak_gib": 3.0, "rate": 1.0}

    page, table = tmp_path / "README.md", tmp_path / "bench.json"
    page.write_text(f"above\n{gpu.BEGIN}old\n{gpu.END}\nbelow\n")
    table.write_text('{"machine": "here", "cases": {"a": 1}}')
    cases = chosen(["deep-daze-512", "big-sleep-512"], GPU)
    status = gpu.run(cases, 1, "cuda", lambda *_: ROW | {"original_error": "too large"}, alone, table, page)
    assert status == 1 and asked[:3] == ["deep-daze-512@4", "deep-daze-512@6", "deep-daze-512@8"]
    kept = json.loads(table.read_text())
    assert kept["cases"] == {"a": 1} and "error" in kept["gpu"]["cases"]["deep-daze-512"]["cards"]["4"]
    *_, first, second, _, below = page.read_text().splitlines()
    assert first.startswith("| deep-daze-512 | 1 | 2 |  | fails | 0.25 s, 3 GiB |") and below == "below"
    assert second.startswith("| big-sleep-512 | 1 | 2 |  | 0.25 s, 3 GiB |")
    gpu.publish({}, page)
    assert page.read_text() == f"above\n{gpu.BEGIN}{gpu.NONE}{gpu.END}\nbelow\n"


def test_the_readme_has_the_table_that_was_measured():
    assert gpu.BEGIN + gpu.markdown(gpu.kept()) + gpu.END in gpu.README.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", race.RACES)
def test_a_race_has_an_end(name, monkeypatch, capsys):
    monkeypatch.setenv("REHEARSAL", "1")
    monkeypatch.setattr(race, "STEPS", 1)
    row = race.run(name, race.RACES[name], 1, "a red boat")
    assert capsys.readouterr().out.startswith(f"  {name}, seed 1: ")
    assert 0 < row["seconds"] <= row["end"][0] and 0 < row["original_seconds"] <= row["original_end"][0]
    assert row["loss"] <= max(row["end"][1], row["original_end"][1])


def test_a_race_is_timed_to_where_both_come(monkeypatch, capsys):
    monkeypatch.setattr(race, "Judge", lambda text: None)
    monkeypatch.setattr(race, "Step", lambda *_: None)
    monkeypatch.setattr(race, "settings_of", lambda *_: None)
    ways = {"theirs": [(1.0, 0.9), (2.0, 0.4), (3.0, 0.2)], "ours": [(0.5, 0.6), (0.7, 0.4)]}
    for side in ways:
        monkeypatch.setattr(race, side, lambda *_, side=side: ways[side])

    def row():
        return race.run("any", race.RACES["deep-daze"], 1, "a red boat")
    assert (row()["loss"], row()["original_seconds"], row()["seconds"]) == (0.4, 2.0, 0.7)
    ways["ours"] = [(0.5, 0.6), (0.7, 0.1)]
    assert (row()["loss"], row()["original_seconds"], row()["seconds"]) == (0.2, 3.0, 0.7)
    ways["theirs"].append((4.0, 0.5))
    assert (row()["loss"], row()["original_seconds"]) == (0.2, 3.0), "it went on, and away from the words"


def test_a_race_is_kept(monkeypatch, tmp_path, capsys):
    runs = iter([{"original_seconds": 6.0, "seconds": taken} for taken in (2.0, 1.0, 3.0)])
    monkeypatch.setattr(race, "run", lambda *_: next(runs))
    table = tmp_path / "bench.json"
    monkeypatch.setattr(report, "TABLE", table)
    race.main(["disco-diffusion"])
    assert json.loads(table.read_text())["race"]["cases"]["disco-diffusion"]["ratio"] == 3.0
    assert "3 times as quick, the median of 3" in capsys.readouterr().out


def test_what_the_studio_costs_is_kept(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(studio, "BESIDE", {"vqgan_clip": {"steps": 4, "width": 32, "height": 32, "every": 1}})
    monkeypatch.setattr(report, "TABLE", tmp_path / "bench.json")
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path))       # given back afterwards
    studio.main(["--runs", "30"])
    kept = json.loads((tmp_path / "bench.json").read_text())["studio"]["cases"]
    assert 0 < kept["vqgan_clip"]["share"] < 1 and kept["vqgan_clip"]["seconds"] > 0
    assert kept["opening"].pop("runs") == 30 and all(value > 0 for value in kept["opening"].values())
    assert "vqgan_clip: " in capsys.readouterr().out


def test_races_are_of_every_system_that_is_guided():
    assert {case.system for case in race.RACES.values()} == {case.system for case in PAIRS.values()}
