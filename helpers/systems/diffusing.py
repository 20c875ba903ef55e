"""From knobs to a guided diffusion: networks, noise levels, the guide, the picture it starts from."""

import torch

from helpers import diffusion, guidance, images, noise_levels, prompts, schedules, weights
from helpers.canvas import feather
from helpers.errors import Refused
from helpers.guides import Range
from helpers.networks import adm, adm_classifier, class_names, secondary, upscaler
from helpers.samplers import Guess
from helpers.systems import diffused, wiring
from helpers.systems.guided import present

UPSCALER = "upscaler-world"


class Of:
    """A network of classes, painting the ones of `numbers` (n,)."""

    def __init__(self, net, numbers):
        self.net, self.process, self.numbers = net, net.process, numbers

    def __call__(self, x, sigma) -> Guess:
        return self.net(x, sigma, self.numbers)


def painting(settings, studio, state=None, *, start=None, hooks=()):
    """A Diffusion of these settings, from its beginning or from a saved state. start: the picture below the
    noise, (1, 3, h, w) in [0, 1], in place of init_image."""
    net = adm.load(settings.model, studio.device, precision="auto")
    fitted(settings, net)
    seeds = [(settings.seed + k) % 2**32 for k in range(settings.pictures)]
    levels, skip = stair(settings, net.process), settings.skipped()
    denoise = guidance.Guided(classed(settings, net, studio, len(seeds)), None, through=settings.through,
                              secondary=beside(settings, studio), held=held(settings, studio))
    reader = reading(settings, studio)
    tune(denoise, settings, studio, reader)
    if start is None:
        start = studio.rough(settings) if studio.start is not None else torch.full(
            (1, 3, settings.height, settings.width), 0.5)
    x = diffusion.start(start.to(studio.device), seeds, levels[skip])
    keep = set(prompts.rising(settings.save_at, "save_at"))
    made = diffusion.Diffusion(denoise, x, levels, sampler=settings.sampler, seeds=seeds, rng=studio.rng,
                               every=lambda step: step % settings.every == 0 or step in keep, skip=skip,
                               before_step=hooks, **options(settings))
    made.networks = [*studio.names, settings.model, *([settings.secondary] if denoise.secondary else []),
                     *([settings.classifier] if reader else [])]
    made.rest, made.pull = schedules.parse(settings.guide_every), settings.most_pull
    enlarge(made, settings, studio)

    def retune(new):
        """Turn live knobs while painting."""
        tune(denoise, new, studio, reader)
        made.rest, made.pull = schedules.parse(new.guide_every), new.most_pull

    made.retune = retune
    if state:
        made.load_state_dict(state)
    return made


def enlarge(made, settings, studio):
    """Let the finished picture go through an upscaler, if one is wanted."""
    name, ours = settings.upscaler.strip(), weights.embedded()
    if name == "auto":      # whoever learned from photographs is not enlarged by who learned from this world
        name = UPSCALER if settings.model in ours and UPSCALER in ours else ""
    if name:
        net = upscaler.load(name, studio.device)
        made.finish = lambda image: upscaler.upscale(net, image)
        made.networks.append(name)


def fitted(settings, net):
    """Refused where the network cannot paint pictures of this size, or none that are worth it."""
    own = net.config["image_size"]
    for name in ("width", "height"):
        side = getattr(settings, name)
        if side % net.step:
            near = max(net.step, round(side / net.step) * net.step)
            raise Refused(f"{name} is {side}", f"{settings.model} paints in steps of {net.step}",
                          f"try {near}")
    if min(settings.width, settings.height) <= own // 2:
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


def classed(settings, net, studio, count):
    """The network, of one class where it has some: the one asked for, or any."""
    if not net.classes:
        if settings.kind.strip():
            raise Refused(f"kind is {settings.kind!r}", f"{settings.model} knows no classes",
                          "leave kind empty, or take a network of classes")
        return net
    if settings.kind.strip():
        numbers = torch.full((count,), class_names.number(settings.kind, net.names))
    else:
        numbers = torch.randint(net.classes, (count,), generator=studio.rng)
    return Of(net, numbers.to(studio.device))


def beside(settings, studio):
    """The small network to look through, or None."""
    if settings.through != "secondary":
        return None
    return secondary.load(settings.secondary, studio.device, precision="auto")


def held(settings, studio):
    """What stays as it is: (picture in [-1, 1], mask), or None."""
    if not present(settings.mask):
        return None
    mask = images.open_mask(settings.mask, *studio.size).to(studio.device)
    return 2 * studio.start - 1, feather(mask, settings.mask_softness)


def tune(denoise, settings, studio, reader):
    """Set what live knobs turn."""
    guide = wiring.everything(settings, studio, settings.steps)
    denoise.guide = guide + schedules.parse(settings.range) * Range()
    for name, knob in (("scale", "guidance_scale"), ("batches", "batches"), ("clamp", "clamp"),
                       ("threshold", "threshold")):
        setattr(denoise, name, schedules.parse(getattr(settings, knob)))
    denoise.center = settings.even_light
    denoise.noisy = told(settings, reader) if reader else None


def reading(settings, studio):
    """The classifier, or None."""
    if not settings.classifier.strip():
        return None
    return adm_classifier.load(settings.classifier, studio.device, precision="auto")


def told(settings, reader):
    """A guide on the noisy picture: the classifier's word for the class asked for."""
    words = settings.classifier_kind.strip()
    numbers = [class_names.number(words, reader.names)] if words else \
        class_names.found(settings.prompts, reader.names)[0]
    if not numbers:
        raise Refused(f"{settings.classifier} knows nothing of {settings.prompts!r}",
                      f"it knows {class_names.listed(reader.names)}", "name one of these as classifier_kind")
    scale = schedules.parse(settings.classifier_scale)

    def noisy(x, sigma, progress):
        odds = reader(x, sigma).log_softmax(-1)[:, numbers]
        return {"classifier": -scale(progress) * odds.mean(1).sum()}
    return noisy
