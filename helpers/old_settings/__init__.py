"""Settings of the dead originals, as ours: Disco Diffusion's `_settings.txt` (JSON), or a YAML of discoart.

    system, values, unmatched = read("TimeToDisco(0)_settings.txt")
    settings = systems.load(system).Settings.of(**values)

What a file leaves out is what stood there by default. `unmatched` says, line by line, what has no counterpart
or means something else here: nothing is dropped in silence. The same words, rules and numbers, not the same
pixels: noise is drawn in another way.
"""

import importlib
import math

from ..errors import Refused
from ..knobs import knobs
from . import files, names, scales, wishes
from .files import may_be
from .values import Old, alike, meant, number, shown, together
from .wishes import LATER

__all__ = ["SYSTEM", "may_be", "read"]
SYSTEM = "disco_diffusion"
SEEDS = 2**32
# Disco Diffusion scattered what CLIP's encode_text answers before it is made a unit row: of ViT-B/32 that is
# about so long, and a scatter of 0.05 in 512 directions left a cosine of 0.99.
LENGTH = 10
KNOWN = {*names.DISCO, *names.OWN, *names.ALIASES, *names.ANIMATION, *names.GONE}


def read(path) -> tuple[str, dict, list[str]]:
    """(system, values of its knobs, lines on what has no counterpart) of a file; Refused where it is none."""
    given = files.mapping(path)
    if not given.keys() & KNOWN:
        raise Refused(f"'{path}' has no settings of Disco Diffusion",
                      "they have names such as text_prompts and clip_guidance_scale",
                      "give the _settings.txt of a picture")
    given = {name if name not in names.ALIASES or names.ALIASES[name] in given else names.ALIASES[name]: value
             for name, value in given.items()}
    discoart = bool(given.keys() & names.OWN) or files.is_yaml(path) and not given.keys() & names.CLIPS.keys()
    # looked up late, as a plug-in is: this stands below systems and knows none of them
    ranges = knobs(importlib.import_module("..systems", __package__).load(SYSTEM).Settings)
    defaults = names.DISCO | names.ANIMATION | {name: default for name, (default, _) in names.GONE.items()}
    group = given.get("cut_schedules_group")    # several settings at once, unless the file has its own
    if discoart:
        defaults |= names.DISCOART | names.GROUPS.get(str(group), {})
    old = Old(given, defaults, ranges, discoart)
    share = wishes.words(old)
    for part in (picture, steps, networks, looks, beginning, mirrors):
        part(old)
    scales.guidance(old, wishes.perceptors(old), share)
    rest(old)
    return SYSTEM, old.values, old.unmatched


def picture(old):
    """Its size, the seed, how many."""
    sides = old("width_height") or [old("width"), old("height")]
    if not isinstance(sides, list) or len(sides) != 2:
        raise Refused(f"width_height is {shown(sides)!r}", "it is a width and a height", "try [1280, 768]")
    for name, side in zip(("width", "height"), sides, strict=True):
        side = number(side, name)
        old.hold(name, int(side // 64 * 64), name)
        if side % 64:
            old.unmatched.append(f"{name} {side}: {old.values[name]}, as there, in steps of 64")
    if old("seed") not in (None, "random_seed"):
        old.values["seed"] = old.whole("seed") % SEEDS
        if old.whole("seed") != old.values["seed"]:
            old.note("seed", f"seeds go up to {SEEDS - 1}; it is {old.values['seed']} here")
    old.hold("pictures", old.whole("batch_size"), "batch_size")


def steps(old):
    """How many, which are left out, which are shown."""
    count, skipped = old.whole("steps"), str(old("skip_steps")).strip()
    left_out = old.whole("skip_steps") if not skipped.endswith("%") else \
        math.floor(count * number(skipped[:-1], "skip_steps") / 100)
    old.hold("steps", count, "steps")
    if 0 <= left_out < count > old.values["steps"]:     # as large a part of fewer
        left_out = left_out * old.values["steps"] // count
        old.note("skip_steps", f"{left_out}, as large a part of {old.values['steps']} steps")
    most = old.values["steps"] - 1
    old.values["skip"] = min(max(left_out, 0), most)
    if old.values["skip"] != left_out:
        old.note("skip_steps", f"{most + 1} steps can leave out 0 to {most}; it was held there")
    if old("display_rate") is not None:
        old.hold("every", old.whole("display_rate"), "display_rate")
    if at := saved(old("intermediate_saves"), most + 1 - old.values["skip"]):
        old.values["save_at"] = ", ".join(map(str, at))
    # the levels over which steps were spread follow from their number
    if count > 0 and not alike(old("diffusion_steps"), 1000 // count * count if count < 1000 else count):
        old.note("diffusion_steps", "steps are spread over all noise levels")


def saved(told, length) -> list[int]:
    """After which of so many steps pictures were saved: those told, or as many, evenly apart."""
    if isinstance(told, list):
        return sorted({int(number(step, "intermediate_saves")) for step in told} - {0})
    count = min(int(number(told or 0, "intermediate_saves")), length - 1)
    return [(k + 1) * length // (count + 1) for k in range(count)]


def networks(old):
    """What paints, and what is looked through."""
    name = str(old("diffusion_model")).strip().removesuffix(".pt")
    if name == "custom":
        size = f"{old.values['width']} x {old.values['height']}"
        old.note("diffusion_model", "its weights are a file of your own: give that as model; the built-in "
                 f"one, which paints else, learned from 64 x 64, not {size}")
    else:
        old.values["model"] = name
    small = old.schedule("use_secondary_model")
    if not small.constant:
        old.note("use_secondary_model", "it does not change on the way here; the small network is used")
    old.values["through"] = "secondary" if any(small.values) else "network"
    eta, sampler = old.number("eta"), str(old("diffusion_sampling_mode"))
    if sampler == "ddim" and eta > 1:
        old.note("eta", "ddim draws as much noise anew as there is at 1; it was held there")
        eta = 1
    old.hold("eta", eta, "eta")
    old.values |= {"sampler": sampler, "threshold": "0" if old.truth("clip_denoised") else "1",
                   "classifier": "", "kind": ""}
    # a clamp_max of 0 let no slope through, ours lets any
    steepest = together(lambda on, most: max(most, 1e-6) if on else 0, old.schedule("clamp_grad"),
                        old.schedule("clamp_max"))
    old.put("clamp", steepest, "clamp_max")


def looks(old):
    """How the picture is looked at."""
    for name, key in (("overview", "cut_overview"), ("crops", "cut_innercut"), ("crop_power", "cut_ic_pow"),
                      ("gray_crops", "cut_icgray_p"), ("batches", "cutn_batches")):
        old.put(name, old.schedule(key), key)
    # Disco laid grain of deviation 0.01 over a look three times. Ours has a strength of 0 up to s, which
    # deviates by s / sqrt(3): as much where s is 0.03.
    plain = old.truth("skip_augs")
    old.values |= {"augment": "" if plain else "flip, affine, jitter, gray",
                   "look_noise": "0" if plain else "0.03", "fuzzy": 0.0, "arrange": 0.0}
    group = old("cut_schedules_group")
    if group is not None and str(group) not in names.GROUPS:
        old.note("cut_schedules_group", "there was no such group" + meant(group, names.GROUPS))
    if old.truth("fuzzy_prompt"):
        old.hold("fuzzy", round(float(old.number("rand_mag")) / LENGTH, 6), "rand_mag")
        old.note("fuzzy_prompt", "scattered without its cut at 0, which took half of every direction away")
        old.note("rand_mag", f"fuzzy is a {LENGTH}th of it, as rows are of length 1 here and were about "
                             f"{LENGTH} there")
    else:
        old.idle("rand_mag", "it counts with fuzzy_prompt alone")


def beginning(old):
    """The picture or the clouds below the noise."""
    start = str(old("init_image")).strip()
    start = "" if start.lower() == "none" else start
    old.values |= {"perlin": "off", "init_image": start}
    if old.truth("perlin_init"):
        old.values |= {"perlin": str(old("perlin_mode")), "init_image": ""}
        if start:
            old.note("init_image", "perlin_init took its place")
    else:
        old.idle("perlin_mode", "it counts with perlin_init alone")


def mirrors(old):
    """Where it is folded."""
    across, down = old.truth("use_horizontal_symmetry"), old.truth("use_vertical_symmetry")
    old.values["mirror"] = "both" if across and down else "left-right" if across else \
        "up-down" if down else "off"
    if old.values["sampler"] == "plms":
        for key in ("use_horizontal_symmetry", "use_vertical_symmetry"):
            old.idle(key, "plms never mirrored")
        old.values["mirror"] = "off"
    when = old("transformation_percent")
    when = [number(part, "transformation_percent") for part in (when if isinstance(when, list) else [when])]
    old.values["mirror_at"] = ", ".join(f"{100 * part:.6g}%" for part in when)


def rest(old):
    """What nobody asked for."""
    for key in list(old.left):
        if key in names.ANIMATION:
            old.idle(key, LATER)
        elif key in names.GONE:
            old.idle(key, names.GONE[key][1])
        elif key in names.DISCO:
            old.idle(key, "something else in the file says so instead")
        elif key in names.ALIASES:
            old.note(key, f"{names.ALIASES[key]} is there, too, and counts")
        else:
            old.note(key, "nothing was called so" + meant(key, KNOWN))
