"""Where BigSleep's dreams begin, and how it leaves one for the next when the words change.

Left alone, latents drift only as far as their neighbors: the second scene of a story would be painted over
the first. So the search for a beginning is made again for other words, and the picture glides to its find.
"""

import torch

from helpers import prompts
from helpers.machine import dice
from helpers.networks import class_names
from helpers.networks.mixing import sized
from helpers.networks.noise import logits, most_liked
from helpers.systems import wiring

GLIDE = 12      # steps from one dream to the next


def first(settings, studio, canvas, kind):
    """Begin at the most liked of many random pictures, of one `kind` of thing or of any; yields notes on the
    way."""
    told = prompts.scenes(settings.prompts)[0]
    scene = [prompt for prompt in told if prompt.acts(0)] or told
    named = [] if kind is not None else named_in(scene, canvas)
    for seen in canvas.begin_best(liking(scene, studio), settings.search, kind, named):
        yield f"{seen} of about {settings.search * len(canvas.dice)} random pictures looked at"


def named_in(scene, canvas):
    """The classes that a scene names, unless it wants to be kept away from them."""
    words = " | ".join(prompt.text for prompt in scene if prompt.weight > 0)
    return class_names.found(words, canvas.generator.names)[0]


def liking(scene, studio):
    """Pictures (n, 3, h, w) -> (n,), how like the words of a scene they are, at one look each."""
    weights = [prompt.weight for prompt in scene]
    rows = [eye.encode_text([prompt.text for prompt in scene]).T for eye in studio.eyes]

    def likes(images):
        seen = [eye.encode_image(sized(images, eye.size, eye.size)).float() @ row
                for eye, row in zip(studio.eyes, rows, strict=True)]
        return sum(seen) @ seen[0].new_tensor(weights)
    return likes


def follow(painting, settings, studio, canvas):
    """Let a loop.Painting dream anew wherever its words change, by a story or by hand."""
    dreams, turn = Dreams(settings, studio, canvas), painting.retune
    painting.before_step.append(dreams)

    def retune(new):
        turn(new)
        dreams.now = new

    painting.retune = retune


class Dreams:
    """A hook before each step; what it is up to is in the painting's memory, which is saved with the rest."""

    def __init__(self, settings, studio, canvas):
        self.now, self.studio, self.canvas = settings, studio, canvas

    def __call__(self, painting):
        scene = self.scene(painting.step)
        wants = " | ".join(prompt.text for prompt in scene if prompt.weight > 0)
        if painting.memory.setdefault("wants", wants) != wants:
            painting.memory["wants"] = wants
            if wants:
                painting.memory |= self.other(scene, painting.step)
        self.glide(painting.memory)

    def scene(self, step):
        """The prompts that count at a step, acting or not: one that begins later turns the dream, while
        another scene is another one; [] where there are none."""
        settings = self.now
        told = prompts.scenes(settings.prompts) if settings.prompts.strip(" |^") else [[]]
        return told[wiring.scene(settings, step) % len(told)]

    @torch.no_grad()
    def other(self, scene, step):
        """Another place to glide to, for each picture."""
        likes, named, found = liking(scene, self.studio), named_in(scene, self.canvas), []
        for k in range(len(self.canvas.dice)):
            rng = dice((self.now.seed + k) % 2**32, step)
            found.append(most_liked(self.canvas.candidates(likes, self.now.search, rng, None, named)))
        z, kinds = map(torch.stack, zip(*found, strict=True))
        return {"next.z": z[:, None].expand_as(self.canvas.z).contiguous(),
                "next.scores": logits(kinds)[:, None].expand_as(self.canvas.scores).contiguous(),
                "glide": GLIDE}

    @torch.no_grad()
    def glide(self, memory):
        """One step nearer to the next dream."""
        if not memory.get("glide"):
            return
        for name in ("z", "scores"):
            here = getattr(self.canvas, name)
            here.lerp_(memory[f"next.{name}"].to(here), 1 / memory["glide"])
        memory["glide"] -= 1
