"""The diffusion loop: noise becomes a picture, one noise level after the other. It yields Frames, as loop.py.

    denoise = Guided(net, guide, scale=1000)
    for frame in Diffusion(denoise, start(levels[0], shape, seeds), levels, seeds=seeds, rng=rng): …

Every draw of a step depends on its number and a seed alone: the guide's looks on the first seed, the noise on
each picture's own. So a resumed run paints the same pixels, and noise is the same alone and among others.
"""

import math
from itertools import islice

import torch

from helpers.abreast import fine
from helpers.cutouts import at
from helpers.errors import Refused
from helpers.frames import Frames, fitting
from helpers.loop import PATIENCE
from helpers.machine import dice, mix
from helpers.samplers import SAMPLERS

MOST_PARTS = 8      # of one step


class Diffusion(Frames):
    """Frames of x (n, 3, h, w) = picture + levels[skip] * noise on its way down; before_step may move x.

    denoise: a guidance.Guided. levels: falling to 0, (steps + 1,). sampler: a name of SAMPLERS, with its
    `options`. seeds: n of them. rng: of the guide's looks. skip: steps left out at the start.
    """

    def __init__(self, denoise, x, levels, *, sampler="ddim", seeds=(0,), rng=None, every=1, skip=0,
                 before_step=(), **options):
        super().__init__(len(levels) - 1 - skip, every, before_step)
        self.denoise, self.x, self.levels, self.skip = denoise, x, levels, skip
        self.sampler, self.options = SAMPLERS[sampler], options
        self.seeds, self.rng = list(seeds), rng if rng is not None else torch.Generator()
        self.memory = ()
        self.seen = None            # what x is taken for, before guidance; nothing before the first step
        self.failures = 0
        self.rest = 1               # the guide looks at every n-th step; may be a function of progress
        self.finish = None          # a last touch to the finished picture, (n, 3, h, w) in [0, 1]
        self.pull = 0.0             # the most the guide may move the picture in one step, rms; 0 is any
        self.repeats = 1            # how often a step is taken; may be a function of progress
        self.take = 0               # how often this step was taken before
        self.one_look = False       # does a step that is taken again go by its first take's slope?
        self.begun = x              # where it last began

    @property
    def guide(self):
        return self.denoise.guide

    @property
    def sigma(self):
        """The noise level of x."""
        return float(self.levels[self.skip + self.step])

    def one_step(self):
        with fine(self.x):
            state = fitting(self.stepped, self.economize)
        losses, whole = self.denoise.losses, state.x.isfinite().all()
        answers = [torch.as_tensor(answer, dtype=torch.float32, device=whole.device)
                   for answer in (whole, self.denoise.torn, *losses.values())]
        sound, torn, *numbers = torch.stack(answers).tolist()       # the only wait of a step
        if not sound:
            raise Refused(f"the picture is not a number after step {self.step + 1}",
                          "a picture needs finite steps",
                          "try a lower guidance_scale, or another network or precision")
        self.failures = self.failures + 1 if torn else 0
        if self.failures >= PATIENCE:
            raise Refused(f"the guide's slope was not a number {PATIENCE} steps in a row",
                          "a picture needs finite steps", "try a lower guidance_scale, or fewer perceptors")
        # as a saved state comes back, or else sums would be rounded another way after it
        self.x, self.seen = state.x.contiguous(), self.denoise.plain.contiguous()
        self.memory = tuple(part.contiguous() if torch.is_tensor(part) else part for part in state.memory)
        return dict(zip(losses, numbers, strict=True))

    def stepped(self):
        """The sampler's next state. It is made anew for each step, so whatever moved x is seen.

        Taken again, a step begins with its noise put back on what came of it, so that the network can mend
        what the guide pulled out of shape (recurrence: Lugmayr et al. 2022, Bansal et al. 2023). What a
        sampler remembers is of another noise then, so it goes on as if it had just begun. `one_look`
        leaves the papers: at this level other looks want much the same.
        """
        self.rng.manual_seed(mix(self.seeds[0], self.step))
        progress, self.take = float(self.denoise.pace(self.sigma)), 0
        self.denoise.resting = self.step % max(1, round(at(self.rest, progress))) > 0
        state, low = self.taken(self.x, self.memory), float(self.levels[self.skip + self.step + 1])
        times = round(at(self.repeats, progress)) if low and self.denoise.led else 1
        for self.take in range(1, times):
            fresh = noise(self.x, self.seeds, mix(self.step + 1, 2 * self.take))
            state = self.taken(state.x + math.sqrt(self.sigma**2 - low**2) * fresh)
        return state

    def taken(self, x, memory=()):
        """The state after the step from x, with the sampler's memory of the way there."""
        self.begun, self.denoise.again = x, self.one_look and self.take > 0
        state, parts = next(self.way(x, self.levels, memory)), self.parts()
        if parts > 1:
            state = next(islice(self.way(x, self.finer(parts), memory), parts - 1, None))
        return state

    def way(self, x, levels, memory):
        """The sampler's states from x on, down these levels."""
        return self.sampler(self.denoise, x, levels, self.noise, start=self.skip + self.step,
                            memory=memory, **self.options)

    def parts(self):
        """In how many the step is to be taken, so that the guide pulls little enough in each (after Crowson's
        clip-guided-diffusion of 2024, which chooses its next level by that)."""
        high, low = (float(level) for level in self.levels[self.skip + self.step:][:2])
        if not self.pull:
            return 1
        moved = high**2 / math.sqrt(1 + high**2) * (1 - low / high) * self.denoise.slope
        most = moved.square().mean((1, 2, 3)).sqrt().max().item()
        return min(MOST_PARTS, math.ceil(most / self.pull)) if math.isfinite(most) else 1

    def finer(self, parts):
        """The levels with this step in so many parts, even in the logarithm; the last step of all is even in
        sigma, as it goes down to nothing."""
        here = self.skip + self.step
        high, low = (float(level) for level in self.levels[here:here + 2])
        ways = [part / parts for part in range(1, parts)]
        between = [high * (low / high) ** way if low else high * (1 - way) for way in ways]
        return [*map(float, self.levels[:here + 1]), *between, *map(float, self.levels[here + 1:])]

    def noise(self, step):
        """(n, 3, h, w), each picture's from its own seed; `step` counts finer levels, too."""
        part = step - self.skip - self.step - 1
        number = self.step + 1 if not part else (self.step + 1) * 1_000_003 + part
        return noise(self.x, self.seeds, mix(number, 2 * self.take + 1) if self.take else number)

    def image(self):
        """The picture as it is now, (n, 3, h, w) in [0, 1]: what the noise is taken for, and at last x."""
        now = self.x if self.step >= self.steps else self.seen
        if now is None:             # before the first step: no more than a glimpse
            now = self.x / (1 + self.sigma**2) ** 0.5
        image = ((now + 1) / 2).detach().clamp(0, 1).float()
        return self.finish(image) if self.finish and self.step >= self.steps else image

    def state_dict(self):
        """Enough for the very same next step."""
        return {"step": self.step, "seconds": self.seconds, "failures": self.failures, "x": self.x,
                "seen": self.seen, "memory": {str(i): part for i, part in enumerate(self.memory)}}

    def load_state_dict(self, state):
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self.failures, self.x = int(state["failures"]), state["x"].to(self.x)
        self.seen = None if state["seen"] is None else state["seen"].to(self.x)
        parts = state.get("memory", {})
        kept = (parts[str(i)] for i in range(len(parts)))
        self.memory = tuple(part.to(self.x) if torch.is_tensor(part) else part for part in kept)


def noise(like, seeds, step=-1):
    """Standard normal, as large as `like`, (n, 3, h, w): each picture's from a seed of its own; step -1 is
    what comes before the first one."""
    drawn = [torch.randn(like.shape[1:], generator=dice(seed, step), dtype=torch.float32) for seed in seeds]
    return torch.stack(drawn).to(like)


def start(picture, seeds, sigma):
    """x at noise level sigma, where `picture` (1 or n, 3, h, w) in [0, 1] lies below the noise."""
    clean = (2 * picture - 1).expand(len(seeds), -1, -1, -1)
    return clean + float(sigma) * noise(clean, seeds)


class Inside:
    """A hook that keeps what happens inside every n-th step: what is there, what it is taken for, and
    which way the guide wants it, as pictures in three rows, with captions.

        inside = Inside(painting, 10)
        for frame in painting: …
        studio.sheet(*inside.rows(), columns=len(inside.kept))
    """

    def __init__(self, painting, every=10):
        self.every, self.kept, self.before = max(1, every), [], None
        painting.before_step.append(self)

    def __call__(self, painting):
        if self.before:
            step, sigma = self.before
            inside, x = painting.denoise, painting.begun[:1]
            self.kept.append((step, x / (1 + sigma**2) ** 0.5, inside.plain, inside.slope))
        self.before = None if painting.step % self.every else (painting.step + 1, painting.sigma)

    def rows(self):
        """(pictures (1, 3, h, w) in [0, 1], captions): all that is there, all guesses, all slopes."""
        pictures, captions = [], []
        for row, name in enumerate(("there", "taken for", "wanted")):
            for step, *parts in self.kept:
                part = parts[row][:1]
                if name == "wanted":        # against the slope, so strong that it can be seen
                    part = -part / (3 * part.square().mean().sqrt()).clamp(min=1e-9)
                pictures.append(((part + 1) / 2).clamp(0, 1).float())
                captions.append(f"step {step}: {name}")
        return pictures, captions
