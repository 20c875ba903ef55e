"""The table of a GPU: seconds per step and GiB at its most, of the whole card and of cards of 4 to 16 GB.

    python -m benchmarks gpu [CASE …]       # or make bench CASE=gpu

On a small card the knob `memory` says how small it is: no more than that may be taken of this one, and the
run must come to its end. Numbers go to assets/bench.json, the table into the README.
"""

import argparse
import json
import re
import tempfile
from pathlib import Path

from benchmarks import report
from benchmarks.cases import CARDS, GPU, chosen
from helpers import machine, safe_files
from helpers.errors import Refused

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- begin gpu -->\n", "<!-- end gpu -->"
NONE = ("Not measured yet. `make bench CASE=gpu` measures and fills in this "
        "table.\n")


def main(words, measured, alone):
    """The exit status. measured, alone: of benchmarks.__main__, the sides of a case and one of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks gpu", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(GPU)}")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of the whole card")
    given = parser.parse_args(words)
    try:
        cases = chosen(given.cases, GPU)
        here = machine.device("cuda")
    except Refused as refusal:
        parser.error(str(refusal))
    return run(cases, given.rounds, here, measured, alone)


def run(cases, rounds, device, measured, alone, table=None, page=README):
    """Measure, and keep every case when it is there; 1 where one failed."""
    place, failed = report.here(device), 0
    with tempfile.TemporaryDirectory() as folder:
        for name, case in cases.items():
            row = tried(lambda n=name, c=case: measured(n, c, Path(folder), rounds))
            row["cards"] = {str(card): tried(lambda n=f"{name}@{card}": alone(n, "ours", folder))
                            for card in CARDS if card <= machine.memory(device)["total"] / 2**30 + 1}
            failed |= any("error" in part for part in (row, *row["cards"].values()))
            whole = report.merged({name: row}, place, table, "gpu")
            report.keep(whole, table)
            publish(whole["gpu"], page)
    return int(failed)


def tried(measure):
    """A row, or what went wrong."""
    try:
        return dict(measure())
    except Refused as refusal:
        return {"error": str(refusal)}


def publish(part, page=README):
    """Put the table into the README."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(f"(?s)(?<={BEGIN}).*?(?={END})", lambda _: markdown(part), text)
    safe_files.write(page, text.encode())


def markdown(part):
    """The part "gpu" of the report as a table of markdown; a sentence where there is none."""
    if not part:
        return NONE
    rows = [f"{part['machine']}; seconds per step, GiB of its memory\n",
            "| case | seconds | GiB | original | " + " | ".join(f"{card} GB" for card in CARDS) + " |",
            "|---" * (4 + len(CARDS)) + "|"]
    for name, row in part["cases"].items():
        theirs = {"seconds": row.get("original_seconds"), "peak_gib": row.get("original_peak_gib")}
        cells = [cell(row, "seconds"), cell(row, "peak_gib"), both(theirs),
                 *(both(row["cards"].get(str(card), {})) for card in CARDS)]
        rows.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(rows) + "\n"


def both(row):
    """'0.21 s, 3.6 GiB', or that it did not come to its end."""
    if "error" in row:
        return "fails"
    return f"{cell(row, 'seconds')} s, {cell(row, 'peak_gib')} GiB" if row.get("seconds") else ""


def cell(row, key):
    return "fails" if "error" in row else f"{row[key]:.3g}"


def kept(table=report.TABLE):
    """The part of the report that is the GPU's, {} where none was measured."""
    return json.loads(table.read_text()).get("gpu", {}) if table.exists() else {}
