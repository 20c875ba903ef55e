"""`python -m helpers.world.quality [SYSTEM …]`: does a system paint what the prompt says? The judge's table.

100 fixed prompts, half of them of combinations kept from training (see scenes.held_out), each painted at
default settings
with its own seed. Pictures stay under `.train/quality/SYSTEM/`, so a stopped run goes on; the table is
`assets/quality.json`.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch

from .. import images
from ..systems import SYSTEMS, load
from . import drawing, judge, scenes, words
from .train.data import STATE

TABLE = Path(__file__).resolve().parents[2] / "assets" / "quality.json"
GALLERY = TABLE.parent / "gallery"
SHOWN = ("r_precision", "thing", "color", "sky", "place")


def asked():
    """The 100 scenes asked for: 50 of seen and 50 of held-out combinations, a fifth of each with two
    things, in plain style.
    """
    out = []
    for held in (False, True):
        rng = np.random.default_rng([424242, held])
        while sum(1 for h, _ in out if h == held) < 50:
            scene = scenes.sample(rng, held, style="flat")
            pairs = sum(1 for h, s in out if h == held and s.second)
            if scene.first.count == 1 and (
                pairs < 10 if scene.second else sum(1 for h, s in out if h == held and not s.second) < 40
            ):
                out.append((held, scene))
    return [h for h, _ in out], [s for _, s in out]


def paint_one(job):
    """Paint prompt `index` with `system` and keep it; returns the seconds it took, from settings to
    picture.
    """
    system, index, text, folder, threads, knobs = job
    note = folder / f"{index:03}.json"
    if note.exists():
        return json.loads(note.read_text())["seconds"]
    torch.set_num_threads(threads)
    module = load(system)
    began = time.monotonic()
    *_, frame = module.paint(module.Settings.of(prompts=text, seed=index, **knobs))
    seconds = time.monotonic() - began
    images.to_pil(frame.image).save(folder / f"{index:03}.png")
    note.write_text(json.dumps({"prompt": text, "seconds": round(seconds, 2)}))
    return seconds


def grade(pictures, wanted, held, seconds=0.0):
    """A row of the table: mean of each grade, over all prompts and over held-out ones."""
    reader = judge.load()
    reading = [reader(part) for part in torch.cat(pictures).split(50)]
    reading = {k: torch.cat([r[k] for r in reading]) for k in reading[0]}
    right = {k: v.float() for k, v in judge.grades(reading, wanted).items() if k in SHOWN}
    right["r_precision"] = judge.r_precision(reading, wanted, min(50, len(wanted))).float()
    apart = torch.tensor(held)

    def means(chosen):
        return {k: round(right[k][chosen].mean().item(), 3) for k in SHOWN}

    row = means(torch.ones_like(apart)) | ({"held_out": means(apart)} if apart.any() else {})
    return row | {"seconds": round(float(seconds), 1), "n": len(wanted)}


def from_pixels(pixels):
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255


def ends():
    """The ceiling, real renderings of the prompts, and the floor, renderings of other prompts."""
    held, wanted = asked()
    drawn = [from_pixels(drawing.draw(s, 128)) for s in wanted]
    return {"ceiling": grade(drawn, wanted, held), "floor": grade(drawn[37:] + drawn[:37], wanted, held)}


def measure(system, workers=1, knobs=None, folder=None, count=100):
    """Paint what is missing, then grade; yields progress texts and at last the row."""
    held, wanted = asked()
    chosen = list(range(0, 100, 100 // count))
    folder = folder or STATE / "quality" / system
    folder.mkdir(parents=True, exist_ok=True)
    threads = max(1, torch.get_num_threads() // workers)
    jobs = [(system, i, words.prompt(wanted[i]), folder, threads, knobs or {}) for i in chosen]
    took = []
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            for job, seconds in zip(jobs, pool.map(paint_one, jobs), strict=False):
                took.append(seconds)
                yield f"{system} {len(took)}/{len(jobs)}, {seconds:.1f} s: {job[2]}"
    else:
        for job in jobs:
            took.append(paint_one(job))
            yield f"{system} {len(took)}/{len(jobs)}, {took[-1]:.1f} s: {job[2]}"
    pictures = [images.open(folder / f"{i:03}.png") for i in chosen]
    pictures = [
        torch.nn.functional.interpolate(p, (128, 128), mode="bilinear", antialias=True) for p in pictures
    ]
    yield grade(pictures, [wanted[i] for i in chosen], [held[i] for i in chosen], sum(took) / len(took))


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m helpers.world.quality", description=__doc__)
    parser.add_argument("systems", nargs="*", help=f"default: all of {', '.join(SYSTEMS)}")
    parser.add_argument(
        "--workers", type=int, default=1, help="pictures painted at a time, with fewer threads each"
    )
    given = parser.parse_args(arguments)
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    table |= ends()
    for system in given.systems or SYSTEMS:
        for said in measure(system, given.workers):
            if isinstance(said, str):
                sys.stdout.write(said + "\n")
                sys.stdout.flush()
            else:
                table[system] = said
    TABLE.write_text(json.dumps(table, indent=1) + "\n")
    sys.stdout.write(
        "\n".join(
            [
                " " * 14 + "".join(f"{k:>12}" for k in SHOWN),
                *(f"{name:14}" + "".join(f"{row[k]:12.2f}" for k in SHOWN) for name, row in table.items()),
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
