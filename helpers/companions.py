"""Knobs that do nothing without another one, or beside it: told where they are turned all the same.

    for line in idle(settings): …       # "mask_softness does nothing without mask"
"""

from dataclasses import MISSING
from numbers import Real

from . import prompts, schedules
from .knobs import knobs
from .settings import present

BELL, EVEN, FILM, WORDS = "crop_sizes=bell", "crop_sizes=even", "film or frames", "story=words"
VQGAN, CHUNKY, FFT = (f"drawer={name}" for name in ("vqgan", "chunky pixels", "fft"))
# A knob: what it needs, one or another knob that is not off, or that has this value.
NEEDS = {"target_weight": "target_image", "palette_weight": "palette", "mask_softness": "mask",
         "smallest_crop": "crops", "largest_crop": "crops", "center": "crops", "gray_crops": "crops",
         "crop_power": EVEN, "crop_mean": BELL, "crop_spread": BELL, "smooth_edges": "smoothness",
         "smooth_blur": "smoothness", "edge_sides": "edge",
         "symmetry_axis": "symmetry", "edge_color": "edge", "edge_picture": "edge", "edge_width": "edge",
         "init_decay": "init_weight", "prior_model": "prior",
         "vqgan": VQGAN, "codes": VQGAN, "code_pull": VQGAN, "start": VQGAN, "cell": CHUNKY,
         "wave_decay": FFT, "wave_colors": FFT, "frame_steps": FILM, "film_smoothing": FILM,
         "frame_weight": "frames", "frame_likeness": "frames",
         "prime_steps": "init_image", "prime_rate": "init_image", "fit_steps": "init_image",
         "story_start": WORDS, "story_words": WORDS, "story_separator": "story=sentences",
         "class_temperature": "max_classes", "stations": "walk", "classifier_scale": "classifier",
         "eta": "sampler=ddim or sampler=dpmpp_2m_sde", "mirror_at": "mirror"}
OFF = ("", "off")


def idle(settings) -> list[str]:
    """A line for each knob that was turned in vain."""
    known = knobs(type(settings))
    turned = [name for name, value in settings.changed().items()
              if name in NEEDS and (known[name].rehearsal is MISSING or value != known[name].rehearsal)]
    lines = [(name, NEEDS[name].split(" or ")) for name in turned]
    return [f"{name} does nothing without {' or '.join(map(_written, needs))}" for name, needs in lines
            if not any(_met(settings, need) for need in needs)] + list(_passed_over(settings))


def _written(need) -> str:
    name, mark, value = need.partition("=")
    return f"{name}={value!r}" if mark else name


def _met(settings, need) -> bool:
    name, mark, wanted = need.partition("=")
    value = getattr(settings, name)
    if mark:
        return value == wanted
    if knobs(type(settings))[name].kind == "schedule":
        return any(schedules.parse(value).values)
    if isinstance(value, str):
        return value.strip(" |^") not in OFF
    return bool(value) if isinstance(value, Real) else present(value)


def _passed_over(settings):
    """Lines on knobs that others overrule."""
    if present(getattr(settings, "frames", "")) and present(settings.init_image):
        yield "the film does not begin with init_image: frames are painted over, from the first on"
    if hasattr(settings, "smallest_crop"):
        low, high = map(schedules.parse, (settings.smallest_crop, settings.largest_crop))
        if any(low(now / 100) > high(now / 100) for now in range(101)):
            yield "smallest_crop is larger than largest_crop: they change places"
    if hasattr(settings, "save_at") and settings.tiles == 1:
        late = [step for step in prompts.rising(settings.save_at, "save_at") if step > settings.length()]
        if late:
            yield f"save_at has {late[0]}, which never comes: there are {settings.extent()}"
    if getattr(settings, "secondary", "").strip() not in ("", "auto") and not settings.small():
        yield "secondary does nothing without through='secondary' or autoguidance"
