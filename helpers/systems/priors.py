"""From knobs to a prior: the diffusion network that says what a painting should look like besides."""

from functools import cache

from helpers import schedules, weights
from helpers.errors import Refused
from helpers.guides import Blend, Prior
from helpers.networks import adm
from helpers.systems.diffused import OURS


def prior(settings, studio):
    """A function of settings, as turned by live knobs, that gives the guide; its network is loaded once, when
    it is first asked for. Refused before that where it is of classes."""
    name = model(settings, studio)
    told = weights.known(name, "adm")[0]["config"] if name else None
    if told and told.get("class_cond"):
        raise Refused(f"prior_model is {name!r}", "it tells classes apart, and a picture has none to go by",
                      "take one without, such as 256x256_diffusion_uncond")

    @cache
    def network():
        return adm.load(name, studio.device, precision="auto")

    def guide(now):
        if not prior_of(now, studio):
            return Blend([])
        net, weight = network(), schedules.parse(now.prior)
        return weight * Prior(net, net.config["image_size"], net.step, schedules.parse(now.prior_noise),
                              studio.rng)
    return guide


def prior_of(settings, studio):
    """The name of the network that takes part, or ""."""
    return model(settings, studio) if any(schedules.parse(settings.prior).values) else ""


def model(settings, studio):
    """The network's name, or ""; auto is the built-in one where all perceptors are built in, too: who looks
    for things of the world of photographs would find them at odds with it."""
    name, ours = settings.prior_model.strip(), weights.embedded()
    if name == "auto":
        return OURS if {OURS, *studio.names} <= set(ours) else ""
    return name
