"""The prior: a guided diffusion of the same words paints beside, small, and the canvas follows it.

Perceptors are pleased by much that is no picture. What a diffusion network knows of pictures comes in as
another painter's view: as the canvas goes on, it goes down its noise levels, and the guide Prior draws the
canvas to the clean picture it sees below the noise.
"""

import re
import zlib
from functools import cached_property
from itertools import takewhile
from math import lcm

import torch

from helpers import images, schedules
from helpers.guides import Blend, Prior, scene_at
from helpers.machine import mix
from helpers.networks import adm, upscaler
from helpers.settings import knobs, present
from helpers.systems import classes, clip_guided_diffusion, diffusing, finishing, priors, wiring

# It takes as many steps as the canvas,
DONE = 0.8          # in so much of the way: then its picture is finished, and the canvas's can be;
AHEAD = 0.6         # as this power of it, for in the first ones there is little to follow,
SOFT = 0.75         # and in so much of its own way no detail yet that is worth enlarging.
# The share of its steps that it leaves out where something is on the canvas: what was painted or given; the
# picture before in a film, which is to be seen in the next; a scene of which other words make another one.
PAINTED, NEXT_PICTURE, OTHER_WORDS = 0.5, 0.67, 0.25
MEMORY = "beside"   # what a painting keeps of it
# What the diffusion has its own of. Whatever else is turned, and it knows, holds for it, too.
OWN = {"width", "height", "steps", "seed", "every", "story_every", "story_at"}


def networks(settings, studio):
    """Catalogue names of what paints beside."""
    if not priors.acts(settings, studio):
        return []
    settings = clip_guided_diffusion.Settings(model=studio.prior_model)
    beside = classes.reader_of(settings), finishing.upscaler_of(settings)
    return [settings.model, *(name for name in beside if name)]


class Beside:
    """A hook of a loop.Painting: the diffusion that paints beside.

    It begins anew wherever another picture begins: where the words change, by a scene or by hand, and with
    each picture of a film. What is on the canvas then lies below its noise, and some of its steps are left
    out, as with an init_image. Its state is in the painting's memory, saved with the rest.

    picture: step -> the number of a film's picture. begun: is something on the canvas before the first step?
    """

    def __init__(self, studio, picture=None, begun=False):
        self.studio, self.picture, self.begun = studio, picture or (lambda step: 0), begun
        self.now = self.told = None     # settings, as turned by live knobs, and scenes in place of prompts
        self.turned = False             # have they been, since the last step?
        self.net = self.easel = self.diffusion = None
        self.kept = None                # what the painting's memory has of it
        self.seen = None                # what it has in mind, (n, 3, h, w) in [0, 1]

    def guide(self, settings, told=None):
        """What draws the canvas to the picture it has in mind. Asked again, live knobs are turned. told: the
        scenes of a story that `prompts` does not part by ^."""
        self.now, self.told, self.turned = settings, told, True
        if not priors.acts(settings, self.studio):
            return Blend([])
        self.net = self.net or adm.load(self.studio.prior_model, self.studio.device, precision="auto")
        return schedules.parse(settings.prior) * Prior(lambda: self.seen)

    def __call__(self, painting):
        memory = painting.memory
        if not priors.acts(self.now, self.studio) or not schedules.parse(self.now.prior)(painting.progress):
            memory.pop(MEMORY, None)
            self.diffusion = self.seen = None
            return
        kept, here = memory.get(MEMORY), self.here(painting, painting.step)
        if not kept or kept["here"] != here:
            ahead = takewhile(lambda step: self.here(painting, step) == here,
                              range(painting.step, painting.steps))
            kept = {"here": here, "from": painting.step, "steps": sum(1 for _ in ahead),
                    "over": self.over(painting.step, kept, here)}
            self.diffusion = self.start(kept, painting.image())
        elif not self.diffusion or kept is not self.kept:       # another state was loaded
            self.diffusion = self.start(kept, painting.image())
            self.diffusion.load_state_dict(kept["state"])
            self.look()
        elif self.turned:
            self.diffusion.retune(self.settings(kept))
        self.turned = False
        self.follow(kept, painting.step)
        self.kept = memory[MEMORY] = kept | {"state": self.diffusion.state_dict()}

    def over(self, step, kept, here):
        """How much of its steps it leaves out, to begin with what is on the canvas; 0 begins with nothing."""
        if kept:
            return OTHER_WORDS if kept["here"][-1] != here[-1] else NEXT_PICTURE
        return PAINTED if step or self.begun else 0

    def here(self, painting, step):
        """The number of the film's picture, that of the scene, and its words as prompts are written."""
        count = len(self.told) if self.told else self.now.scenes()
        every = self.now.story_every or painting.steps / count
        scene = scene_at(step, count, every, self.now.beginnings())
        words = part(self.now.prompts, scene)
        if self.told:       # word by word, so whatever marks are in it are none of prompts
            words = " | ".join(re.sub(r"[|^:@]", " ", one.text) for one in self.told[scene])
        return [self.picture(step), scene, words]

    def follow(self, kept, step):
        """Keep pace with the canvas, at so many steps of it."""
        way = ((step - kept["from"]) / (DONE * kept["steps"])) ** AHEAD
        due = min(self.diffusion.steps, 1 + int(way * self.diffusion.steps))
        if self.diffusion.step < due:
            while self.diffusion.step < due:
                next(self.diffusion)
            self.look()

    def look(self):
        """See what it has in mind: the clean picture below its noise, enlarged where its pictures are."""
        image, soft = self.diffusion.image(), self.diffusion.progress < SOFT
        self.seen = image if soft or not self.enlarger else upscaler.upscale(self.enlarger, image)

    def start(self, kept, image):
        """A Diffusion at its beginning; image (n, 3, h, w), or gray, lies below its noise."""
        settings = self.settings(kept)
        if not self.easel:
            studio = wiring.Studio(settings)
            studio.eyes = self.studio.eyes      # those who look at the canvas look at this picture, too
            self.easel = diffusing.Easel(settings, studio, self.net)
            self.studio.keep_memory()
        image = torch.full_like(image, 0.5) if not kept["over"] else image
        small = images.fit(image, settings.width, settings.height, "stretch")
        seeds = [(settings.seed + k) % 2**32 for k in range(len(image))]
        return self.easel.at(settings).picture(small, seeds)

    def settings(self, kept):
        """Of the diffusion: what has been turned that it knows, and its own size and steps."""
        now, known = self.now, knobs(clip_guided_diffusion.Settings)
        values = {name: value for name, value in now.changed().items() if name in known.keys() - OWN}
        _, scene, words = kept["here"]
        values |= {name: part(getattr(now, name), scene) for name in ("image_prompts", "noise_prompts")}
        scale = self.net.config["image_size"] / min(now.width, now.height)
        for name in ("width", "height"):
            step = lcm(self.net.step, known[name].step)
            length = max(1, round(getattr(now, name) * scale / step)) * step
            values[name] = min(length, known[name].high)
        if not present(now.init_image):
            values.pop("init_weight", None)     # the canvas pulls to its own beginning, which is noise here
        values["mask_softness"] = min(round(now.mask_softness * scale), known["mask_softness"].high)
        most = len(self.net.process.sigmas) // 4        # of the levels of noise that there are to choose from
        steps = min(kept["steps"], most)
        whole = max(2, round(steps / (1 - kept["over"])))
        values |= {"steps": whole, "skip": min(whole - 1, round(kept["over"] * whole))}
        own = mix(now.seed, zlib.crc32(type(now).__module__.encode()))      # or all systems would draw alike
        return clip_guided_diffusion.Settings.from_dict(values | {
            "prompts": words, "model": self.studio.prior_model, "seed": mix(own, kept["from"]) % 2**32})

    @cached_property
    def enlarger(self):
        name = finishing.upscaler_of(self.easel.now)
        return upscaler.load(name, self.studio.device) if name else None


def part(told, scene):
    """A scene of a story that is parted by ^; whatever is not, is told in all."""
    parts = [one for one in told.split("^") if one.strip(" \t\n|")] if isinstance(told, str) else []
    return parts[scene % len(parts)] if parts else told
