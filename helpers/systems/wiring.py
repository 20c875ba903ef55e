"""From knobs to things: perceptors, targets, guides, canvases in their masks. Used by every guided system."""

import logging
from dataclasses import replace
from functools import cached_property, reduce
from operator import add

import torch

from helpers import arrangement, guides, images, machine, perceptors, prompts, schedules, thrift
from helpers.augment import Augment
from helpers.canvas import Masked
from helpers.cutouts import Cutouts, at
from helpers.guides import Part, Prompts, Story
from helpers.settings import present
from helpers.systems import priors
from helpers.systems.diffused import Diffused
from helpers.systems.likes import tastes
from helpers.systems.optimized import Optimized

log = logging.getLogger(__name__)
THRIFTY = 7 << 20       # bytes of a block worth giving back where memory is what is short; see machine.py


class Studio:
    """What a run needs besides its canvas: `device`, `rng`, the perceptors, pictures at the canvas's size.

    Names and pictures are looked at first, networks are loaded when they are needed: whatever is wrong is
    Refused before any download.
    """

    def __init__(self, settings):
        self.device = machine.device(settings.device)
        self.rng, self.thrift = machine.dice(settings.seed), thrift.Thrift(settings.memory, self.device)
        self.names = perceptors.names(settings.perceptors)
        for name in self.names:
            perceptors.check(name)
        self.prior_model = priors.model(settings, self.names) if isinstance(settings, Optimized) else ""
        self.size = settings.width, settings.height
        self.start = self.mask = None       # the picture it starts from, (1, 3, h, w); where it is painted
        self.beginning = None               # or what is there before the first step, where that is known
        if present(settings.init_image):
            whole = images.open(settings.init_image)
            self.start = images.fit(whole, *self.size).to(self.device)
            if present(settings.mask):
                self.mask = images.open_mask(settings.mask, *self.size, over=whole).to(self.device)

    @cached_property
    def eyes(self):
        eyes = [perceptors.load(name, self.device) for name in self.names]
        for eye in eyes:
            eye.begin()     # before there is a picture, whose slopes need the memory
        return [self.thrift.eye(eye) for eye in eyes]

    def keep_memory(self, most=machine.LARGE):
        """Now that networks are loaded (from here on what they leave would stay): let blocks below `most`
        bytes be kept for the next step."""
        if self.device.type == "cpu":
            machine.keep_memory(min(most, THRIFTY) if self.thrift.plan.recompute else most)

    @property
    def anchor(self):
        """What init_weight pulls to."""
        return self.beginning if self.start is None else self.start

    def picture(self, source):
        return images.open(source, *self.size).to(self.device)

    def rough(self, settings):
        """The picture to start from under its grain; anchors and masks keep to the clean one."""
        grain = torch.randn(self.start.shape, generator=self.rng).to(self.start)
        return (self.start + settings.init_grain * grain).clamp(0, 1)

    def masked(self, canvas, settings):
        """The canvas, seen through the mask where there is one."""
        if self.mask is None:
            return canvas
        return Masked(canvas, self.start, self.mask, settings.mask_softness)


def shrunk(settings, own, name):
    """Say so where most of what a generator of `own` pixels makes is not shown."""
    if max(settings.width, settings.height) <= own // 2:
        log.warning("%s makes pictures of %d x %d, and they are shrunk to %d x %d: "
                    "try width=%d and height=%d", name, own, own, settings.width, settings.height, own, own)


def everything(settings, studio, total, told=None, passed=None):
    """The whole guide: prompts in every perceptor's eyes, scene by scene, and tastes; see wishes."""
    return wishes(settings, studio, total, told, passed) + tastes(settings, studio)


def scene(settings, passed):
    """The number of the scene that is told after so many steps."""
    count = settings.scenes()
    return guides.scene_at(passed, count, settings.story_every or settings.length() / count,
                           settings.beginnings())


def wishes(settings, studio, total, told=None, passed=None):
    """Prompts for each perceptor; a story where there are several scenes. `told`: scenes instead of
    prompts. passed: progress -> how many of the `total` steps are behind, where they are not as long as each
    other."""
    if told is None:
        told = prompts.scenes(settings.prompts) if settings.prompts.strip(" |^") else []
    passed = passed or (lambda progress: progress * total)
    kinds = [kind or [[]] for kind in
             (told, prompts.pictures(settings.image_prompts), prompts.noise(settings.noise_prompts))]
    scenes = []
    for i in range(max(map(len, kinds))):
        scene, shown, noises = (kind[i % len(kind)] for kind in kinds)
        seen = [replace(one, text=studio.picture(one.text)) for one in shown]
        scenes.append([look(settings, studio, eye, scene, seen, noises, lambda now: passed(now) / total)
                       for eye in studio.eyes])
    turns = settings.turns(len(studio.eyes))
    blends = [reduce(add, [turn * ((1 / len(scene)) * guide)
                           for turn, guide in zip(turns, scene, strict=True)]) for scene in scenes]
    if len(blends) == 1:
        return blends[0]
    return Story(blends, settings.story_every or total / len(blends), passed, settings.beginnings())


def look(settings, studio, eye, scene, seen, noises, way):
    """One scene in the eyes of one perceptor, empty where there is nothing to look for. way: progress -> part
    of the way behind."""
    parts, paces = [], settings.paces(scene, way)
    if scene:
        parts.append(guides.words(eye, scene, settings.distance, paces))
    if seen:
        pictures = [(one.text, one.weight, one.stop) for one in seen]
        parts.append(guides.images(eye, pictures, prompts.during(seen, way=way)))
    if noises:
        parts.append(guides.noises(eye, noises))
    if settings.encoding.strip():
        parts.append(guides.saved(eye, settings.encoding))
    if not parts:
        return guides.Blend([])
    aims = reduce(add, parts)
    whole = looking(settings, studio, eye, aims)
    arranged = [part for prompt, pace in zip(scene, paces or [1] * len(scene), strict=True)
                for part in apart(settings, studio, eye, prompt, pace)]
    if arranged:
        whole = (1 - settings.arrange) * whole + settings.arrange * reduce(add, arranged)
    if isinstance(settings, Diffused):
        whole = (1 / settings.whole(scene, aims.weights.tolist())) * whole
    return whole


def looking(settings, studio, eye, aims, few=False):
    if settings.fuzzy:
        aims = guides.fuzzy(aims, settings.fuzzy, torch.Generator().manual_seed(settings.seed))
    return Prompts(eye, cutouts(settings, studio, eye, few), aims, settings.distance, settings.averaging,
                   schedules.parse(settings.rivalry), studio.thrift.plan.looks)


def apart(settings, studio, eye, prompt, pace):
    """What a prompt puts beside, over or on another, each in its part of the picture."""
    if not settings.arrange or prompt.weight <= 0:
        return []
    return [Part(looking(settings, studio, eye, guides.words(eye, [replace(prompt, text=text)],
                                                             settings.distance, [pace]), few=True), box)
            for text, box in arrangement.parts(prompt.text)]


def cutouts(settings, studio, eye, few=False):
    """How a perceptor looks at the picture; few: at a part of it, at a third of the price."""
    schedule = schedules.parse
    share = settings.shares(len(studio.eyes))[studio.eyes.index(eye)]
    overview, crops = (times(share, schedule(count)) for count in (settings.overview, settings.crops))

    def third(progress):
        return max(1, (overview(progress) + crops(progress)) / 3)

    bell = (settings.crop_mean, settings.crop_spread) if settings.crop_sizes == "bell" else None
    return Cutouts(eye.size, third if few else overview, 0 if few else crops,
                   power=schedule(settings.crop_power), smallest=schedule(settings.smallest_crop),
                   largest=schedule(settings.largest_crop), center=schedule(settings.center), bell=bell,
                   augment=Augment(settings.augment, studio.rng), noise=schedule(settings.look_noise),
                   gray=schedule(settings.gray_crops), rng=studio.rng)


def times(share, count):
    """The schedule of a count, of which somebody takes a share that may change, too."""
    return lambda progress: at(share, progress) * count(progress)


def looks(settings, image, progress=0.0):
    """What each perceptor is shown of image (1, 3, h, w) at this moment: a list of (n, 3, size, size)."""
    studio = Studio(settings)
    return [cutouts(settings, studio, eye)(image.to(studio.device), progress).clamp(0, 1)
            for eye in studio.eyes]
