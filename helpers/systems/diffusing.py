"""From knobs to a guided diffusion: networks, noise levels, the guide, the picture it starts from."""

import logging
from bisect import bisect_right

import torch

from helpers import diffusion, guidance, images, noise_levels, prompts, schedules, tiling, weights
from helpers.canvas import feather
from helpers.errors import Refused
from helpers.frames import nth
from helpers.frozen import forgetful_
from helpers.guides import Range
from helpers.machine import LARGE, mix
from helpers.networks import adm, secondary
from helpers.packed import packed_
from helpers.systems import diffused, finishing, wiring
from helpers.systems.classes import asked, classed, lead, reader_of, reading, told

log = logging.getLogger(__name__)


class Easel:
    """What a run of these settings paints with: networks, noise levels, the guided denoiser. net: the
    diffusion network, where it is loaded already. one_look: as of a Diffusion."""

    def __init__(self, settings, studio, net=None, one_look=False):
        self.studio, self.one_look = studio, one_look
        asked(settings)
        if told := weights.known(settings.model, "adm")[0]["config"]:       # before it is downloaded
            fitted(settings, adm.checked({**adm.DEFAULTS, **told}))
        net = net or adm.load(settings.model, studio.device, precision="auto")
        studio.thrift.network(packed_(forgetful_(net)))
        fitted(settings, net.config)
        self.process = net.process
        self.at(settings)
        self.reader, small = reading(settings, studio), beside(settings, studio)
        self.painter = classed(settings, net, studio)
        painter = guidance.Sharper(self.painter, small, schedules.parse(settings.autoguidance))
        self.denoise = guidance.Guided(painter, None, through=settings.way(), secondary=small,
                                       held=held(settings, studio))

    def at(self, settings):
        """The same networks, at the steps of other settings."""
        self.now = settings         # as turned by live knobs
        self.levels, self.skip = stair(settings, self.process), settings.skipped()
        pace = guidance.by_time(self.process)
        self.begun = [pace(level) for level in self.levels[self.skip:-1].tolist()]
        return self

    @property
    def networks(self):
        """Catalogue names of what paints and looks."""
        return [*self.studio.names, self.now.model, *([self.now.small()] if self.denoise.secondary else []),
                *([reader_of(self.now)] if self.reader else [])]

    def picture(self, start, seeds, hooks=()):
        """A Diffusion that begins with `start` (1, 3, h, w) below the noise of each seed."""
        settings = self.now
        x = diffusion.start(start.to(self.studio.device), seeds, self.levels[self.skip])
        made = diffusion.Diffusion(self.denoise, x, self.levels, sampler=settings.sampler, seeds=seeds,
                                   rng=self.studio.rng, skip=self.skip, before_step=hooks,
                                   every=looked(settings),
                                   **options(settings))
        self.tune(made, settings)
        made.one_look = self.one_look
        made.savings = self.studio.thrift.savings()
        made.retune = lambda new: self.tune(made, new)
        return made

    def tune(self, made, settings):
        """Set what live knobs turn."""
        self.now, denoise = settings, self.denoise
        guide = wiring.everything(settings, self.studio, settings.length(), passed=self.passed)
        denoise.guide = guide + schedules.parse(settings.range) * Range()
        for name, knob in (("scale", "guidance_scale"), ("batches", "batches"), ("clamp", "clamp"),
                           ("threshold", "threshold")):
            setattr(denoise, name, schedules.parse(getattr(settings, knob)))
        denoise.center = settings.even_light
        lead(self.painter, settings, self.passed)
        denoise.noisy = told(settings, self.reader, self.passed) if self.reader else None
        made.repeats = settings.repeated()
        made.rest, made.pull = schedules.parse(settings.guide_every), settings.most_pull

    def passed(self, progress):
        """Steps of this run that are behind at a progress, which goes by noise: each begins at its level."""
        return max(0, bisect_right(self.begun, progress) - 1)

    def large(self):
        """init_image painted over in windows, each with the guide's eyes on it alone."""
        settings = self.now
        size = settings.width * settings.tiles, settings.height * settings.tiles
        image = images.open(settings.init_image, *size).to(self.studio.device)

        def paint(window, number):
            self.studio.start = window      # what anchors keep to
            return self.picture(self.studio.rough(self.now), [mix(self.now.seed, number)])

        made = tiling.Tiled(image, settings.height, settings.width, paint, looked(settings))
        made.retune = lambda new: self.tune(made.inner, new)
        return made


def painting(settings, studio, state=None, *, start=None, hooks=(), one_look=False):
    """A painting of these settings, from its beginning or from a saved state. start: the picture below the
    noise, (1, 3, h, w) in [0, 1], in place of init_image. one_look: as of a Diffusion."""
    if idle := settings.idle():
        where = "" if len(idle) == settings.scenes() else f" in scene {', '.join(map(str, idle))}"
        log.warning("all that is to be followed%s has the weight 0, and nothing pulls the picture: "
                    "try 'fog:1'", where)
    easel = Easel(settings, studio, one_look=one_look)
    if settings.tiles > 1:
        made = easel.large()
    else:
        if start is None:
            start = studio.rough(settings) if studio.start is not None else torch.full(
                (1, 3, settings.height, settings.width), 0.5)
        seeds = [(settings.seed + k) % 2**32 for k in range(settings.pictures)]
        made = easel.picture(start, seeds, hooks)
    # what a U-Net or several perceptors keep for slopes is most of the memory
    lavish = settings.way() == "network" or len(studio.names) > 1
    studio.keep_memory(wiring.THRIFTY if lavish else LARGE)
    made.networks = easel.networks
    finishing.finish(made, settings, studio)
    if state:
        made.load_state_dict(state)
    return made


def looked(settings):
    """step -> is the picture looked at after it?"""
    keep, due = set(prompts.rising(settings.save_at, "save_at")), nth(settings.every)
    return lambda step: due(step) or step in keep


def fitted(settings, config):
    """Refused where a network of this config cannot paint pictures of this size, or none worth it."""
    own = config["image_size"]
    step = adm.step(config)
    for side in ("width", "height"):
        given = getattr(settings, side)
        if given % step:
            raise Refused(f"{side} is {given}", f"{settings.model} takes steps of {step}",
                          f"try {max(step, round(given / step) * step)}")
    if settings.model != diffused.OURS and min(settings.width, settings.height) <= own // 2:
        raise Refused(f"the picture is {settings.width} x {settings.height}",
                      f"{settings.model} learned from pictures of {own} x {own}, and half as large they come "
                      "out black", f"try width={own} and height={own}")


def stair(settings, process):
    """Noise levels, falling to 0, (steps + 1,)."""
    if settings.noise_levels == "karras":
        low, high = max(float(process.sigmas[0]), 0.02), min(float(process.sigmas[-1]), 80.0)
        return noise_levels.karras(settings.steps, low, high)
    return process.respaced(settings.steps) if settings.noise_levels == "respaced" else \
        process.even(settings.steps)


def options(settings):
    """What the sampler takes beside levels and noise."""
    return {"eta": settings.eta} if settings.sampler in diffused.WITH_ETA else {}


def beside(settings, studio):
    """The small network, or None."""
    if not settings.small():
        return None
    return packed_(forgetful_(secondary.load(settings.small(), studio.device, precision="auto")))


def held(settings, studio):
    """What stays as it is: (picture in [-1, 1], mask), or None."""
    if studio.mask is None:
        return None
    return 2 * studio.start - 1, feather(studio.mask, settings.mask_softness)
