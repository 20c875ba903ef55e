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
    """This machine in words."""
    words = [machine.describe(device), model()] if device.type == "cpu" else [machine.describe(device)]
    return ", ".join([*filter(None, words), called(number_type(device))])


def called(dtype):
    return next(name for name, kind in PRECISIONS.items() if kind == dtype)


def model():
    """What the processor calls itself, where Linux tells."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def merged(cases, name, path=TABLE):
    """The report with these cases in it; older ones stay if they are of the same machine."""
    old = json.loads(path.read_text()) if path.exists() else {}
    kept = old["cases"] if old.get("machine") == name else {}
    return {"machine": name, "cases": kept | {case: rounded(row) for case, row in cases.items()}}


def rounded(row):
    """Four digits are more than a clock can tell; a cosine is told by what it lacks."""
    return {key: value if value is None else round(value, 6) if key == "cosine" else float(f"{value:.4g}")
            for key, value in row.items()}


def keep(report, path=TABLE):
    safe_files.write(path, (json.dumps(report, indent=1) + "\n").encode())


def shown(report):
    """The table as text."""
    width = max(map(len, report["cases"]), default=4) + 2
    lines = [report["machine"], " " * width + "".join(f"{title:>10}" for title in COLUMNS.values())]
    for name, row in report["cases"].items():
        numbers = ("" if row[key] is None else f"{row[key]:.5f}" if key == "cosine" else f"{row[key]:.4g}"
                   for key in COLUMNS)
        lines.append(f"{name:{width}}" + "".join(f"{number:>10}" for number in numbers))
    return "\n".join(lines)
