"""What came out: one entry per case, the table, assets/bench.json."""

import json
import statistics
from pathlib import Path

import torch

from helpers import machine, safe_files
from helpers.precision import PRECISIONS, number_type

TABLE = Path(__file__).parents[1] / "assets" / "bench.json"
COLUMNS = {"seconds": "seconds", "original_seconds": "original", "ratio": "ratio", "floor_seconds": "floor",
           "peak_gib": "GiB", "original_peak_gib": "original", "cosine": "cosine"}


def entry(ours, originals, exact, slopes):
    """Of measurements (dicts of worker.measure): medians of their seconds, the largest of their peaks."""
    seconds = median(ours, "seconds")
    theirs = median(originals, "seconds") if originals else None
    return {"seconds": seconds, "original_seconds": theirs, "ratio": theirs and theirs / seconds,
            "peak_gib": max(one["peak_gib"] for one in ours),
            "original_peak_gib": max((one["peak_gib"] for one in originals), default=None),
            "floor_seconds": exact["flops"] / median(ours, "rate"), "cosine": cosine(*slopes)}


def median(measured, key):
    return statistics.median(one[key] for one in measured)


def cosine(ours, exact):
    """Of two lists of slopes, each as one long vector; None where nothing is moved."""
    a, b = (torch.cat([slope.flatten() for slope in slopes]).double() if slopes else None
            for slopes in (ours, exact))
    return None if a is None else float(a @ b / (a.norm() * b.norm()))


def here(device):
    """This machine in words, and what ours computes in on it."""
    words = [machine.describe(device), model()] if device.type == "cpu" else [machine.describe(device)]
    return ", ".join([*filter(None, words), computing(device)])


def computing(device):
    """The precision of ours there."""
    name = called(number_type(device))
    return f"{name}, for want of bf16" if name == "fp32" else name


def called(dtype):
    return next(name for name, kind in PRECISIONS.items() if kind == dtype)


def model(table=Path("/proc/cpuinfo")):
    """What the processor calls itself, where Linux tells, and its family and model: a virtual one often gives
    no more than "AMD EPYC", be its matrix units half as fast as another's."""
    lines = table.read_text().splitlines() if table.exists() else []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    name, number = told.get("model name", ""), [told[key] for key in ("cpu family", "model") if key in told]
    return f"{name} ({'/'.join(number)})" if name and number else name


def merged(rows, place, path=None, part=""):
    """The whole file with these rows in the table called `part` ("" is that of `make bench`). Older rows of
    the same machine stay in it, those of others stay under "elsewhere"."""
    path = path or TABLE
    whole = json.loads(path.read_text()) if path.exists() else {}
    old = whole.get(part, {}) if part else whole
    known = {**old.get("elsewhere", {}), **({old["machine"]: old["cases"]} if old.get("cases") else {})}
    cases = known.pop(place, {}) | {name: rounded(row) for name, row in rows.items()}
    table = {"machine": place, "cases": cases, "elsewhere": known}
    return whole | ({part: table} if part else table)


def rounded(value, name=""):
    """Four digits are more than a clock can tell; a cosine is told by what it lacks."""
    if isinstance(value, dict):
        return {key: rounded(inside, key) for key, inside in value.items()}
    if isinstance(value, list):
        return [rounded(inside) for inside in value]
    if isinstance(value, float):
        return round(value, 6) if name == "cosine" else float(f"{value:.4g}")
    return value


def keep(report, path=None):
    safe_files.write(path or TABLE, (json.dumps(report, indent=1) + "\n").encode())


def shown(report):
    """The table as text."""
    width = max(map(len, report["cases"]), default=4) + 2
    lines = [report["machine"], " " * width + "".join(f"{title:>10}" for title in COLUMNS.values())]
    for name, row in report["cases"].items():
        numbers = (written(key, row.get(key)) for key in COLUMNS)
        lines.append(f"{name:{width}}" + "".join(f"{number:>10}" for number in numbers))
        lines += [" " * width + f"{key}: {row[key]}" for key in ("error", "original_error") if key in row]
    return "\n".join(lines)


def written(key, number):
    if number is None:
        return ""
    return f"{number:.5f}" if key == "cosine" else f"{number:.4g}"
