"""Which diffusion network says what a painting should look like besides; beside.py lets it paint."""

from helpers import schedules, weights
from helpers.errors import Refused
from helpers.systems.diffused import OURS


def model(settings, perceptors):
    """The network's name, or ""; auto is the built-in one where all perceptors are built in, too: who looks
    for things of the world of photographs would find them at odds with it. Refused where it is unknown, or
    always of one class."""
    name, ours = settings.prior_model.strip(), weights.embedded()
    if name == "auto":
        return OURS if {OURS, *perceptors} <= set(ours) else ""
    config = weights.known(name, "adm", "prior_model")[0]["config"] if name else {}
    if config.get("class_cond") and not config.get("anything"):
        raise Refused(f"prior_model is {name!r}", "it paints one class at a time, and prompts may name none",
                      "take one without, such as 256x256_diffusion_uncond")
    return name


def acts(settings, studio):
    """Is there a network, and does it ever count?"""
    return bool(studio.prior_model) and any(schedules.parse(settings.prior).values)
