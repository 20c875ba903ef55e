"""`python -m helpers.world.quality [SYSTEM …] [--workers 2]`: does a system paint what the prompt says?

100 fixed prompts, half of them of combinations kept from training (scenes.held_out), each painted at default
settings with its own seed and read by the judge; the table goes to `assets/quality.json`. Pictures are kept
below `.train/quality/SYSTEM/`, in a folder for these settings and weights: a stopped run goes on, a changed
default or a retrained network paints anew, a changed program does not show.
"""

import argparse
import hashlib
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

import torch
from torch.nn import functional as F

from .. import images, machine, perceptors, safe_files, schedules, studio, weights
from ..networks import class_names
from ..settings import knobs as settings_knobs
from ..systems import SYSTEMS, load
from ..systems.classes import CLASSIFIER
from ..systems.diffused import OURS, SMALL
from ..systems.finishing import UPSCALER
from . import drawing, words
from .grading import SHOWN, SIDE, asked, from_pixels, grade
from .train.data import home

TABLE = Path(__file__).resolve().parents[2] / "assets" / "quality.json"
GALLERY = TABLE.parent / "gallery"
AUTO = {"upscaler": [UPSCALER], "classifier": [CLASSIFIER], "secondary": [SMALL[0]],    # what "auto" is
        "prior_model": [OURS, CLASSIFIER, UPSCALER]}


def measure(system, workers=1, knobs=None, folder=None, count=100):
    """Paint what is missing, then grade: yields texts of progress and at last the row (a dict).

    workers: pictures painted at a time, sharing the threads. knobs: settings to turn. count: how many of the
    100 prompts, evenly spread. An unknown system or knob is Refused.
    """
    held, wanted = asked()
    chosen = [i * 100 // count for i in range(count)]
    module = load(system)
    settings = module.Settings.of(**knobs or {})
    folder = (folder or home() / "quality" / system) / key(settings)
    folder.mkdir(parents=True, exist_ok=True)
    threads = max(1, torch.get_num_threads() // workers)
    texts = [words.prompt(wanted[i]) for i in chosen]
    jobs = [(module.__name__, settings, i, text, folder, threads)
            for i, text in zip(chosen, texts, strict=True)]
    took = []
    for seconds in painted(jobs, workers):
        took.append(seconds)
        yield f"{system} {len(took)}/{count}, {seconds:.1f} s: {texts[len(took) - 1]}"
    pictures = [images.open(folder / f"{i:03}.png") for i in chosen]
    if not knobs:
        part = slice(None, None, max(1, count // 20))
        hang(system, pictures[part], [heard(settings, text) for text in texts[part]])
    pictures = [F.interpolate(p, (SIDE, SIDE), mode="bilinear", antialias=True) for p in pictures]
    yield grade(pictures, [wanted[i] for i in chosen], [held[i] for i in chosen], sum(took) / count)


def heard(settings, text):
    """What is heard of a prompt: of a GAN without perceptors, the names of its classes."""
    if hasattr(settings, "perceptors"):
        return text
    names = class_names.of(settings.gan)
    return " and ".join(names[number] for number in class_names.found(text, names)[0])


def hang(system, pictures, texts):
    """Twenty of them on one sheet in the gallery."""
    page = studio.sheet(pictures[:20], texts[:20], columns=5, side=256)
    with safe_files.whole(GALLERY / f"{system}.jpg") as spare:
        page.convert("RGB").save(spare, "JPEG", quality=90)


def key(settings):
    """12 hex digits that change with any setting, with the weights of any network that takes part, and with
    how alike a guide takes a picture and its words to be."""
    values = settings.to_dict()
    eyes = perceptors.names(values["perceptors"]) if "perceptors" in values else []
    networks = [*eyes, *values.values()]
    idle = {"prior_model"} if not any(schedules.parse(values.get("prior", 0)).values) else set()
    networks += [name for knob, names in AUTO.items() if knob in values.keys() - idle for name in names]
    known = set(weights.names()) | set(eyes)
    prints = {name: weights.fingerprint(name) for name in networks if isinstance(name, str) and name in known}
    prints["likeness"] = [weights.card_of(eye).get("likeness") for eye in eyes if eye in weights.embedded()]
    text = json.dumps([values, prints], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def painted(jobs, workers):
    """Seconds of each job, in order."""
    if workers == 1:
        yield from map(paint_one, jobs)
        return
    # Fresh processes: a forked one would wait forever for the threads its parent had, and has no GPU.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(paint_one, jobs)


def paint_one(job):
    """Paint one prompt and keep it, unless it is there; the seconds it took, from settings to picture: of
    the clock on a GPU, of all cores on a CPU, where others may be at work."""
    module, settings, index, text, folder, threads = job
    note, picture = folder / f"{index:03}.json", folder / f"{index:03}.png"
    said = json.loads(note.read_text()) if note.exists() and picture.exists() else {}
    if said.get("prompt") == text:
        return said["seconds"]
    torch.set_num_threads(threads)
    clock = time.process_time if machine.device(settings.device).type == "cpu" else time.monotonic
    began = clock()
    single = {"pictures": 1} if hasattr(settings, "pictures") else {}
    *_, frame = import_module(module).paint(settings.but(prompts=text, seed=index, **single))
    seconds = round(clock() - began, 2)
    with safe_files.whole(picture) as spare:
        images.to_pil(frame.image).save(spare)
    safe_files.write(note, json.dumps({"prompt": text, "seconds": seconds}).encode())
    return seconds


def ends():
    """The ceiling, real renderings of the prompts, and the floor, renderings of other prompts."""
    held, wanted = asked()
    drawn = [from_pixels(drawing.draw(s, SIDE)) for s in wanted]
    return {"ceiling": grade(drawn, wanted, held), "floor": grade(drawn[37:] + drawn[:37], wanted, held)}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m helpers.world.quality", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    judged = [name for name in SYSTEMS if "prompts" in settings_knobs(load(name).Settings)]
    parser.add_argument("systems", nargs="*", help=f"default: all of {', '.join(judged)}")
    parser.add_argument("--workers", type=int, default=1, help="pictures painted at a time, sharing threads")
    parser.add_argument("--count", type=int, default=100, help="how many of the 100 prompts, evenly spread")
    given = parser.parse_args(arguments)
    fresh = ends()
    for system in given.systems or judged:
        for row, knobs in rows(system):
            for said in measure(system, given.workers, knobs, count=given.count):
                if isinstance(said, str):
                    say(said)
                else:
                    fresh[row] = said
            table = (json.loads(TABLE.read_text()) if TABLE.exists() else {}) | fresh   # others may add rows
            safe_files.write(TABLE, (json.dumps(table, indent=1) + "\n").encode())
    say(shown(table))


def rows(system):
    """(name of a row, knobs turned for it): a diffusion is measured once more without guidance."""
    yield system, {}
    if "guidance_scale" in settings_knobs(load(system).Settings):
        yield f"{system}, unguided", {"guidance_scale": "0"}


def shown(table):
    """The table as text."""
    head = " " * 14 + "".join(f"{k:>12}" for k in SHOWN)
    return "\n".join([head, *(f"{name:14}" + "".join(f"{row[k]:12.2f}" for k in SHOWN)
                              for name, row in table.items())])


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
