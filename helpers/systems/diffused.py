"""Knobs shared by the systems in which noise becomes a picture: networks, levels, samplers, guidance.

Standard library only; diffusing.py turns these knobs into a painting.
"""

from dataclasses import dataclass
from itertools import zip_longest
from math import inf
from numbers import Real

from helpers import prompts, schedules
from helpers.errors import Refused
from helpers.settings import knob, present
from helpers.systems.guided import ARRANGE, FINE, Guided

SAMPLERS = ("ddim", "plms", "ddpm", "euler", "heun", "dpmpp_2m", "dpmpp_2m_sde")
LEVELS = ("respaced", "even", "karras")
WAYS = ("network", "secondary", "guess")
OURS = "adm-world"                                          # the built-in model,
SMALL = "secondary-world", "secondary_model_imagenet_2"     # and what is small: beside it, and beside others
THROUGH = ("how the slope of a look is led back: through what paints, through a small network beside it, or "
           "not at all; auto is the first for the built-in model, the second for others "
           "(use_secondary_model)")
SHAPING = "[1]*230+[2]*570+[1]*200"     # from a noise level of 20 to 0.7 of adm-world's
WITH_ETA = ("ddim", "dpmpp_2m_sde")


@dataclass(frozen=True, kw_only=True)
class Diffused(Guided):
    """What a guided diffusion has beside prompts, looks and tastes."""

    width: int = knob(64, "width in pixels (image_size, side_x)", low=32, high=2048, step=8, rehearsal=48)
    height: int = knob(64, "height in pixels (image_size, side_y)", low=32, high=2048, step=8, rehearsal=48)
    steps: int = knob(50, "steps from noise to picture (diffusion_steps, timestep_respacing)", low=2,
                      high=1000, step=1, rehearsal=3)
    guidance_scale: str = knob(2000, "how strictly words are followed (clip_guidance_scale)", low=0,
                               high=1e6, kind="schedule", live=True)
    skip: int = knob(-1, "steps left out at the start, so that more of init_image stays; -1 is half of them "
                     "with something to start from, seven eighths in tiles, else none "
                     "(skip_steps, skip_timesteps)", low=-1, high=999, step=1, group=FINE)
    pictures: int = knob(1, "how many at once, each of its own noise (batch_size)", low=1, high=64, step=1,
                         group=FINE)

    tiles: int = knob(1, "paint over init_image at so many times width and height, window by window, before "
                      "the upscaler has its turn (go_big)", low=1, high=16, step=1, group=FINE)
    upscaler: str = knob("auto", "what makes the finished picture larger: a network of the catalogue or your "
                         "own file, nothing for none; auto is the built-in one for the built-in model",
                         rehearsal="", group=FINE)
    model: str = knob(OURS, "what paints: a diffusion network of the catalogue or your own file "
                      "(diffusion_model, custom_path, model_path)", group=FINE)
    kind: str = knob("auto", "for a network of classes: the one it paints, by name; auto is what the "
                     "prompts name where a guide follows them, by a network that can paint anything, too, "
                     "else one by chance, or anything where init_image shows it; empty is anything, or "
                     "one by chance (class_cond)", group=FINE)
    kind_scale: str = knob(2, "how strictly, by a network that can paint anything, too; each thing takes a "
                           "pass of it, and anything one (classifier-free guidance)",
                           low=0, high=20, kind="schedule", live=True, group=FINE)
    sampler: str = knob("ddim", "the way from noise to picture (diffusion_sampling_mode)", choices=SAMPLERS,
                        group=FINE)
    eta: float = knob(0.8, "how much noise is drawn anew on the way, by ddim and dpmpp_2m_sde", low=-1,
                      high=2, step=0.05, group=FINE)
    noise_levels: str = knob("respaced", "where its steps lie: evenly in the network's own time, as ddim "
                             "counts or as ddpm, or denser near the end", choices=LEVELS, group=FINE)
    through: str = knob("network", THROUGH, choices=("auto", *WAYS), group=FINE)
    secondary: str = knob("auto", "that small network; auto is the built-in one for the built-in model, and "
                          "Crowson's for others", group=FINE)
    autoguidance: str = knob(0, "how far to keep from the faults that the small network makes more of "
                             "(autoguidance): words are followed less; try [0]*450+[2]*290+[0]*260",
                             low=0, high=10, kind="schedule", group=FINE)
    guide_every: str = knob(1, "look at every step (1), at every second one (2), and so on", low=1, high=50,
                            kind="schedule", live=True, group=FINE)
    repeats: str = knob(0, "take each step so often, its noise put back in between, and what the guide "
                        "pulled out of shape is mended (recurrence, time travel); a plain 0 is twice while "
                        "things take shape by the built-in model, else once", low=0, high=20, kind="schedule",
                        live=True, group=FINE)
    most_pull: float = knob(0.0, "take a step in smaller ones where the guide would move the picture by more "
                            "than this, as an rms of pixels from -1 to 1; 0 never (max_cond)", low=0, high=10,
                            step=0.01, live=True, group=FINE)
    save_at: str = knob("", "look at these steps, too: 10, 25 (intermediate_saves)", group=FINE)
    batches: str = knob(1, "how often looks are drawn anew per step, for a calmer slope (cutn_batches)",
                        low=1, high=64, kind="schedule", live=True, group=FINE)
    clamp: str = knob(0.2, "the steepest a slope may be, 0 for any (clamp_max)", low=0, high=10,
                      kind="schedule", live=True, group=FINE)
    even_light: bool = knob(False, "leave the mean of each color alone (grad_center)", live=True, group=FINE)
    threshold: str = knob(1, "scale pictures of which less than this share keeps within black and white "
                          "(dynamic thresholding), 1 none, 0 cuts it off (clip_denoised)", low=0, high=1,
                          kind="schedule", live=True, group=FINE)
    range: str = knob(0.05, "keep within black and white (range_scale, sat_scale)", low=0, high=100,
                      kind="schedule", live=True, group=FINE)
    classifier: str = knob("auto", "a classifier that sees through noise, to be led by its word for what the "
                           "prompts name, too; auto is the built-in one for the built-in model", group=FINE)
    classifier_scale: str = knob(40, "how strictly; OpenAI's take 1 to 10 (classifier_scale)", low=0,
                                 high=1000, kind="schedule", live=True, group=FINE)
    classifier_kind: str = knob("", "one class in place of what the prompts name", group=FINE)

    arrange: float = knob(0.4, f"{ARRANGE}; above 0, a network of classes draws each in its half",
                         low=0, high=1, step=0.05, live=True, group=FINE)
    overview: str = knob(6, "looks at the whole picture per step (cut_overview)", low=0, high=64,
                         kind="schedule", live=True, group=FINE)
    crops: str = knob(6, "looks at parts of the picture per step (cutn, cut_innercut)", low=0, high=256,
                      kind="schedule", live=True, rehearsal="4")

    def __post_init__(self):
        low, high = {"ddim": (-1, 1), "dpmpp_2m_sde": (0, 2)}.get(self.sampler, (-inf, inf))
        if isinstance(self.eta, Real) and (self.eta < low or self.eta > high):     # before the knob's range,
            raise Refused(f"eta is {schedules.written(self.eta)}",                  # which is wider
                          f"for {self.sampler} it goes from {low} to {high}", "try 0.8")
        super().__post_init__()

    def check(self):
        super().check()
        prompts.rising(self.save_at, "save_at")
        if self.skip >= self.steps:
            raise Refused(f"skip is {self.skip}",
                          f"{self.steps} steps can leave out {self.steps - 1} at most",
                          f"try {self.steps // 2}")
        if self.tiles > 1 and (not present(self.init_image) or present(self.mask) or self.pictures > 1):
            raise Refused(f"tiles is {self.tiles}", "one picture to start from is painted over, all of it",
                          "give init_image, no mask, and pictures=1")
        if self.classifier_kind.strip() and not self.classifier.strip():
            raise Refused("classifier_kind is set without classifier", "it is what a classifier looks for",
                          "try classifier='auto'")

    def skipped(self):
        """Steps left out at the start."""
        if self.skip >= 0:
            return self.skip
        if self.tiles > 1:
            return self.steps * 7 // 8
        return self.steps // 2 if self.begun() else 0

    def begun(self):
        """Does something lie below the first noise that is to shine through?"""
        return present(self.init_image) and not present(self.mask)

    def way(self):
        """How slopes are led back, one of WAYS."""
        if self.through != "auto":
            return self.through
        return "network" if self.model == OURS else "secondary"

    def repeated(self):
        """How often a step is taken, as a schedule."""
        given = schedules.parse(self.repeats)
        auto = given.constant and given(0) == 0
        return schedules.parse(SHAPING if self.model == OURS else 1) if auto else given

    def small(self):
        """The small network's name, "" where nothing asks it."""
        if self.way() != "secondary" and not any(schedules.parse(self.autoguidance).values):
            return ""
        name = self.secondary.strip()
        return SMALL[self.model != OURS] if name == "auto" else name

    def greatest(self, scene, weights):
        """The magnitude of each weight of a scene where its schedule is highest; its prompts come first."""
        written = schedules.several(self.prompt_weights, "prompt_weights", len(scene), "prompts")
        peaks = [max(schedule.values) for schedule in written]
        return [abs(weight) * peak for weight, peak in zip_longest(weights, peaks, fillvalue=1.0)]

    def whole(self, scene, weights):
        """What they are divided by, as in Disco Diffusion: their sum, so that guidance_scale alone says how
        strictly words are followed; 1 where all are 0."""
        return sum(self.greatest(scene, weights)) or 1.0

    def idle(self):
        """The numbers of the scenes, from 1, in which nothing that is to be followed weighs anything."""
        if self.encoding.strip():
            return []
        told = prompts.scenes(self.prompts) if self.prompts.strip(" |^") else []
        shown, noise = prompts.pictures(self.image_prompts), prompts.noise(self.noise_prompts)
        kinds = [[self.greatest(scene, [one.weight for one in scene]) for scene in told],
                 [[one.weight for one in scene] for scene in shown],
                 [[weight for _, weight in scene] for scene in noise]]
        return [number + 1 for number in range(self.scenes())
                if not any(any(kind[number % len(kind)]) for kind in kinds if kind)]

    def length(self):
        return self.steps - self.skipped()

    def extent(self):
        return f"{self.length()} steps"
