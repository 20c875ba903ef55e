"""What the originals looked for, and in whose eyes: their prompts and perceptors, as ours."""

import re

from .. import prompts, schedules
from ..errors import Refused
from ..prompts import HEAVIEST, Prompt
from ..schedules import NUMBER
from . import names
from .values import number, schedule, shown, together

LATER = "animation comes later"
ENTRY = {"text", "weight", "schedule"}      # what counts in an entry of discoart's schema


def words(old):
    """Set the prompts; the schedule of what the original divided all their weights by, in units of what we
    divide them by: the sum of their greatest magnitudes."""
    told = [_entry(old, one) for one in _first(old, "text_prompts")]
    seen = [_entry(old, one, "image_prompts") for one in _first(old, "image_prompts")]
    told, seen = ([(text, weight) for text, weight in many if text] for many in (told, seen))
    weights = [weight for _, weight in told + seen]
    heavy = max([abs(value) for weight in weights for value in weight.values], default=0) / HEAVIEST
    if heavy > 1:       # ours go up to 100; only how they compare matters
        told, seen = ([(text, together(lambda w: w / heavy, weight)) for text, weight in many]
                      for many in (told, seen))
        weights = [weight for _, weight in told + seen]
    if told:
        old.values["prompts"], old.values["prompt_weights"] = _written(old, told)
    elif not seen:
        old.unmatched.append("text_prompts is not there: say what to paint, with --prompts")
    if seen:
        old.values["image_prompts"] = " | ".join(_spelled(old, "image_prompts", *one) for one in seen)
        if not told:
            old.values["prompts"] = ""
    whole = sum(_greatest(weight) for _, weight in told) + sum(abs(weight(0)) for _, weight in seen) or 1
    return together(lambda size: size / whole, _sum(old, weights))


def _greatest(weight) -> float:
    """The greatest magnitude of a weight as it is written: where it changes, on one side of 0 alone."""
    return abs(max(weight.values)) if max(weight.values) > 0 else abs(min(weight.values))


def _sum(old, weights):
    """Disco Diffusion divided by the size of the sum, discoart by the root of the sum of squares."""
    def size(*now):
        return sum(w * w for w in now) ** 0.5 if old.discoart else abs(sum(now))
    share = together(size, *weights) if weights else schedules.parse(1)
    if weights and any(value < 1e-3 for value in share.values):
        if not old.discoart:
            old.note("text_prompts", "their weights sum to 0, which it refused; here they count as they are")
        share = together(lambda value: value if value >= 1e-3 else 1, share)
    return share


def _first(old, key) -> list:
    """The prompts of the first frame, as a list."""
    given = old(key)
    if isinstance(given, dict) and "prompts" in given:      # discoart's schema
        if str(given.get("version", "1")) != "1":
            raise Refused(f"{key} has the version {shown(given['version'])}", "1 is the only one there was",
                          "write a list of prompts")
        given = given["prompts"]
    if isinstance(given, dict):
        frames = {number(frame, f"a frame of {key}"): told for frame, told in given.items()}
        now = 0 if 0 in frames else min(frames, default=0)
        old.unmatched += [f"{key} at frame {frame}: {LATER}" for frame in frames if frame != now]
        given = frames.get(now)
    if given is None or given == "":
        return []
    return given if isinstance(given, list) else [given]


def _entry(old, one, key="text_prompts"):
    """(text, schedule of its weight) of "fog:0.5" or of an entry of discoart's schema."""
    more = one if isinstance(one, dict) and "text" in one else {"text": one}
    text = more["text"]
    if isinstance(text, bool | dict | list) or not isinstance(text, str | int | float):
        raise Refused(f"{key} has {shown(text)!r}", "each is words, perhaps with a weight",
                      "put it in quotes: 'fog:0.5'")
    text, _, last = str(text).rpartition(":")
    if not text.strip() or not re.fullmatch(NUMBER, last.strip()):
        text, last = f"{text}:{last}" if _ else last, "1"
    weight = schedule(more.get("weight", number(last, f"a weight of {key}")), f"a weight of {key}")
    if "schedule" in more:
        weight = together(lambda now, on: now * bool(on), weight,
                          schedule(more["schedule"], f"a schedule of {key}"))
    old.unmatched += [f"{key} has {name} {shown(more[name])} for {shown(text)}: every perceptor is told all "
                      "prompts, as they are written" for name in more if name not in ENTRY]
    return " ".join(text.split()), weight


def _written(old, told) -> tuple[str, str]:
    """The knobs prompts and prompt_weights: of a weight that changes, its sign and a schedule of its size."""
    texts, paces = [], []
    for text, weight in told:
        sign = 1 if max(weight.values) > 0 else -1
        if min(weight.values) < 0 < max(weight.values):
            old.unmatched.append(f"text_prompts {shown(text)}: its weight falls below 0, where it is held")
        first = weight if weight.constant else schedules.parse(sign)
        texts.append(_spelled(old, "text_prompts", text, first))
        paces.append("1" if weight.constant else str(together(lambda w, s=sign: max(s * w, 0), weight)))
    moving = any(not weight.constant for _, weight in told)
    return " | ".join(texts), " | ".join(paces) if moving else ""


def _spelled(old, key, text, weight) -> str:
    """A prompt as our language has it, in which | and ^ part prompts and a number behind a colon counts."""
    kept = re.sub(r"\s*[|^]\s*", ", ", text).strip()
    if prompts.parse(str(Prompt(kept, weight(0))), key) != [Prompt(kept, weight(0))]:
        kept = kept.replace(":", " ")
    if kept != text:
        old.unmatched.append(f"{key} {shown(text)}: written as {shown(kept)!r}, as | ^ and numbers behind a "
                             "colon mean something here")
    return str(Prompt(kept, weight(0)))


def perceptors(old) -> int:
    """Set who looks, and the smallest part they look at; how many they are."""
    given = old("clip_models")
    if given is not None:
        given = given if isinstance(given, list) else [given]
        eyes = {str(name): perceptor(str(name)) for name in given}
    else:
        eyes = {key: name for key, name in names.CLIPS.items() if old.truth(key)}
    old.values["perceptors"] = ", ".join(eyes.values())
    turns = old("clip_models_schedules") or {}
    if not isinstance(turns, dict):
        raise Refused(f"clip_models_schedules is {shown(turns)!r}", "it has a schedule for each name",
                      "try {'RN50::openai': '[True]*500+[False]*500'}")
    if eyes and turns.keys() & eyes.keys():
        paces = [together(bool, schedule(turns.get(name, True), f"clip_models_schedules of {shown(name)}"))
                 for name in eyes]
        old.values["perceptor_weights"] = " | ".join(map(str, paces))
    old.unmatched += [f"clip_models_schedules has {shown(name)}: it is none of the clip_models"
                      for name in turns if name not in eyes]
    if not eyes:
        old.unmatched.append("no CLIP is switched on: nobody looks, and guidance_scale is 0")
    _parts(old, eyes.values())
    return len(eyes)


def _parts(old, eyes):
    """Parts were no smaller than what a perceptor sees, in pixels; here in shares of the picture's side."""
    parts = [re.split("[-@:_]|px", name) for name in eyes]
    sides = [next((side for part, side in names.SIDES.items() if part in of), 224) for of in parts] or [224]
    across = max(1, min(old.values["width"], old.values["height"]))
    old.values["smallest_crop"] = str(schedules.parse(round(min(1, max(0.05, min(sides) / across)), 4)))
    if max(sides) > min(sides):
        old.unmatched.append(f"perceptors of {max(sides)} pixels look at parts as small as those of "
                             f"{min(sides)} do")


def perceptor(name: str) -> str:
    """'ViT-B-32::openai' -> 'ViT-B/32'; what the catalogue lacks is open_clip's, 'ViT-B-32:laion2b_e16'."""
    model, mark, tag = name.partition("::")
    if not mark:
        return names.CLIPS.get(name, name)
    model = model.strip().replace("/", "-")
    if tag == "openai":
        return names.OPENAI.get(model.removesuffix("-quickgelu"), f"{model}:{tag}")
    return f"{model}:{tag}"
