"""Knobs shared by every system that paints by looking. Standard library only; wiring.py makes guides."""

import itertools
from dataclasses import dataclass

from helpers import palettes, prompts, schedules
from helpers.errors import Refused
from helpers.settings import Common, knob, present
from helpers.systems.stories import Story

FINE, PAIR = "Fine tuning", 2       # PAIR: how many perceptors are built in
MOST_TIMES = 10
ARRANGE = ("how much things count by themselves, each in its part of the picture, where a prompt puts one "
           "over, on or beside another")
AUGMENTATIONS = ("flip", "rotate", "affine", "zoom", "perspective", "elastic", "warp", "jitter", "gray",
                 "sharpness", "blur", "noise", "erase")
SIDES = ("left", "right", "top", "bottom")


@dataclass(frozen=True, kw_only=True)
class Guided(Story, Common):
    """Everything between a prompt and a picture that does not depend on how the picture is made."""

    prompts: str = knob("a red lighthouse by the sea at sunset",
                        "what to paint: castle | snow:0.5 | crowd:-0.3, snow @40%-80% of the way alone, "
                        "scenes of a story with ^ (text, text_prompts)", kind="prompts", live=True)
    width: int = knob(128, "width in pixels (size, output_image_size)", low=32, high=2048, step=32,
                      rehearsal=64)
    height: int = knob(128, "height in pixels (size, output_image_size)", low=32, high=2048, step=32,
                       rehearsal=64)
    every: int = knob(5, "steps from one look at the picture to the next, beside that at the first step "
                      "(save_every, save_frequency, display_freq, display_rate)", low=1, high=1000, step=1,
                      rehearsal=1, group=FINE)

    # What else it should be
    prompt_weights: str = knob("", "how the weights of prompts change on the way, one schedule for each: "
                               "1 | 0: 0, 0.5: 1", live=True, group=FINE)
    perceptor_weights: str = knob("", "how much each perceptor has to say, one schedule for each: "
                                  "0: 1, 0.5: 0 | 1 (clip_models_schedules)", live=True, group=FINE)
    perceptor_looks: str = knob("", "how many times overview and crops each perceptor takes, one schedule "
                                "for each: 1 | 0: 0.5, 1: 2", live=True, group=FINE)
    image_prompts: str = knob("", "pictures to come close to, as words do: a.png | b.png:0.5 (img)",
                              kind="images", group=FINE)
    noise_prompts: str = knob("", "seeds of directions without words: 7 | 8:0.5 ^ 9 (noise_prompt_seeds, "
                              "noise_prompt_weights)", kind="noise", group=FINE)
    encoding: str = knob("", "a file of saved rows, .npy or .safetensors, to come close to (clip_encoding, "
                         "vector_prompts)", kind="file", group=FINE)
    story_every: int = knob(0, "steps per scene of a story, 0 shares the run evenly (change_prompt_every)",
                            low=0, high=5000, step=1, group=FINE)
    story_at: str = knob("", "or where its later scenes begin, with commas: after 30, 75 steps of this run "
                         "(skipped ones aside), or pictures of a film (change_prompts_on_frame)", group=FINE)
    target_image: str = knob("", "pictures to come close to in colors and places: a.png | b.png:0.5 "
                         "(target_images)", kind="images", group=FINE)
    target_weight: str = knob(1, "how close to the target image", low=-10, high=100, kind="schedule",
                              live=True, group=FINE)

    # How it is looked at
    overview: int = knob(6, "looks at the whole picture per step", low=0, high=64, step=1, live=True,
                         group=FINE)
    crops: int = knob(6, "looks at parts of the picture per step (cutn, num_cuts)", low=0, high=128, step=1,
                      live=True, rehearsal=4, group=FINE)
    smallest_crop: str = knob(0.65, "side of the smallest part looked at, of the picture's "
                              "(lower_bound_cutout, saturate_bound)", low=0.05, high=1, kind="schedule",
                              live=True, group=FINE)
    largest_crop: str = knob(1, "side of the largest part looked at, of the picture's (upper_bound_cutout)",
                             low=0.05, high=1, kind="schedule", live=True, group=FINE)
    crop_power: str = knob(1, "above 1 looks at smaller parts, below 1 at larger ones (cut_pow, cut_power)",
                           low=0.05, high=100, kind="schedule", live=True, group=FINE)
    crop_sizes: str = knob("even", "how sizes are drawn: even, or a bell around crop_mean (gauss_sampling)",
                           choices=("even", "bell"), live=True, group=FINE)
    crop_mean: float = knob(0.6, "middle of the bell of sizes (gauss_mean)", low=0.05, high=1, step=0.05,
                            live=True, group=FINE)
    crop_spread: float = knob(0.2, "width of the bell of sizes (gauss_std)", low=0.01, high=1, step=0.01,
                              live=True, group=FINE)
    center: str = knob(0, "gather looks in the middle: 0 no, 2 a bit, 8 a lot (center_bias, center_focus)",
                       low=0, high=20, kind="schedule", live=True, group=FINE)
    gray_crops: str = knob(0, "the share of looks at parts that sees no colors", low=0, high=1,
                           kind="schedule", live=True, group=FINE)
    augment: str = knob("flip, affine", "changes made to every look, with commas (augments, use_augs)",
                        choices=AUGMENTATIONS, kind="list", live=True, group=FINE)
    look_noise: str = knob(0.05, "grain laid over every look (noise_fac)", low=0, high=1, kind="schedule",
                           live=True, group=FINE)
    distance: str = knob("spherical", "how likeness is measured", choices=("spherical", "cosine"), live=True,
                         group=FINE)
    arrange: float = knob(0.0, ARRANGE, low=0, high=1, step=0.05, live=True, group=FINE)
    rivalry: str = knob(1, "how clearly it must be this thing, color, place and sky and no other, for the "
                        "built-in perceptors, who know of others", low=0, high=10, kind="schedule",
                        live=True, group=FINE)
    fuzzy: float = knob(0.0, "scatter what is looked for, in 25 copies (fuzzy_prompt, rand_mag)", low=0,
                        high=1, step=0.01, live=True, group=FINE)
    averaging: float = knob(0.0, "how much the mean of all looks counts against each look (averaging_weight)",
                            low=0, high=1, step=0.05, live=True, group=FINE)

    # Tastes
    smoothness: str = knob(0, "how smooth (tv_weight, tv_scale, smoothness_weight)", low=-10, high=100,
                           kind="schedule", live=True, group=FINE)
    smooth_edges: str = knob("square", "which differences count: all, less on edges, not beyond 0.5 "
                             "(smoothness_type)", choices=("square", "log", "clipped"), live=True, group=FINE)
    smooth_blur: float = knob(0.0, "pixels of blur over what is compared, so that finer grain may stay "
                              "(smoothness_gaussian_std)", low=0, high=8, step=0.25, live=True, group=FINE)
    saturation: str = knob(0, "stronger colors above 0, duller below (saturation_weight)", low=-10, high=10,
                           kind="schedule", live=True, group=FINE)
    symmetry: str = knob(0, "how like its mirror image (symmetry_weight)", low=-10, high=100, kind="schedule",
                         live=True, group=FINE)
    symmetry_axis: str = knob("left-right", "what mirrors what", choices=("left-right", "up-down", "both"),
                              live=True, group=FINE)
    palette: str = knob("", "colors to keep to: navy, #ffcc00, black->white\\5, @photo.png", kind="palette",
                        live=True, group=FINE)
    palette_weight: str = knob(1, "how strictly to keep to the palette (palette_weight)", low=-10, high=100,
                               kind="schedule", live=True, group=FINE)
    edge: str = knob(0, "how plain the border (edge_weight, edge_color_weight)", low=-10, high=100,
                     kind="schedule", live=True, group=FINE)
    edge_color: str = knob("white", "color of the border", live=True, group=FINE)
    edge_picture: str = knob("", "or a picture whose border it should have (edge_input_image)", kind="image",
                             group=FINE)
    edge_width: float = knob(0.1, "width of the border, of the short side (edge_thickness)",
                             low=0.01, high=0.4, step=0.01, live=True, group=FINE)
    edge_sides: str = knob(", ".join(SIDES), "where it has a border, with commas (edge_margins)",
                           choices=SIDES, kind="list", live=True, group=FINE)

    # Where it starts and what stays
    init_image: str = knob("", "a picture to start from: path or address (init_image, start_image_path)",
                           kind="image")
    init_weight: str = knob(0, "pull back to the picture it started from (init_weight, mse_withzeros)", low=0,
                            high=100, kind="schedule", live=True, group=FINE)
    init_likeness: str = knob(0, "keep it recognizable: likeness to the picture it started from, in the "
                              "perceptors' eyes (init_scale)", low=0, high=100, kind="schedule", live=True,
                              group=FINE)
    init_decay: float = knob(0.0, "the part of that pull gone by the end (mse_decay_rate, mse_epoches, "
                             "init_image_method)", low=0, high=1, step=0.05, live=True, group=FINE)
    init_grain: float = knob(0.0, "grain laid over the picture it starts from, for details to grow on "
                             "(use_noise)", low=0, high=1, step=0.05, group=FINE)
    mask: str = knob("", "paint only where this picture is white; the rest of init_image stays "
                     "(constraint_regions)", kind="image", group=FINE)
    mask_softness: int = knob(0, "blend inside the mask's edge, in pixels", low=0, high=64, step=1,
                              group=FINE)

    def check(self):
        super().check()
        if not present(self.init_image):
            for is_set, wrong, needs in (
                    (self.init_grain, "init_grain is set", "it is laid over the picture to start from"),
                    (not self.anchored() and any(schedules.parse(self.init_weight).values),
                     "init_weight is set", "it pulls back to the picture to start from"),
                    (any(schedules.parse(self.init_likeness).values), "init_likeness is set",
                     "it is likeness to the picture to start from"),
                    (present(self.mask), "mask is given", "a mask keeps a part of a picture")):
                if is_set:
                    raise Refused(f"{wrong} without init_image", needs, "give that picture as init_image")
        held = prompts.pictures(self.target_image, "target_image")
        if len(held) > 1 or any(one.stop is not None or one.timed for one in itertools.chain(*held)):
            raise Refused(f"target_image is {self.target_image!r}",
                          "its pictures hold all the time, without scenes, starts and stops",
                          "try 'a.png | b.png:0.5'")
        if not any(schedules.parse(self.overview).values + schedules.parse(self.crops).values):
            raise Refused("overview and crops are both 0", "somebody has to look", "try overview=4")
        for scene in prompts.scenes(self.prompts) if self.prompts.strip(" |^") else []:
            self.paces(scene)
        count = len([name for name in self.perceptors.split(",") if name.strip()]) or PAIR
        self.turns(count)
        self.shares(count)
        if self.palette.strip():
            palettes.parse(self.palette)
        palettes.color(self.edge_color, "edge_color")
        if not self.edge_sides.strip(" ,"):
            raise Refused("edge_sides is empty", "a border has a side at least", "try 'left, right'")

    def anchored(self):
        """Is there something for init_weight to pull to without init_image?"""
        return False

    def paces(self, scene, way=None):
        """How much each prompt of a scene counts on the way, functions of progress; () where all always do
        alike. way: see prompts.during."""
        written = schedules.several(self.prompt_weights, "prompt_weights", len(scene), "prompts")
        return prompts.during(scene, written, way)

    def turns(self, count):
        """A schedule for each of `count` perceptors."""
        text = self.perceptor_weights
        return schedules.several(text, "perceptor_weights", count, "perceptors") or (1,) * count

    def shares(self, count):
        """How many times overview and crops each of `count` perceptors takes, a schedule each."""
        found = schedules.several(self.perceptor_looks, "perceptor_looks", count, "perceptors")
        if any(value > MOST_TIMES for schedule in found for value in schedule.values):
            raise Refused(f"perceptor_looks is {self.perceptor_looks!r}",
                          f"a perceptor takes {MOST_TIMES} times overview and crops at most",
                          "give fewer to the others")
        return found or (1,) * count

    def length(self):
        """Steps of the whole run; 0 where that is not known before it begins."""
        return self.steps

    def extent(self):
        """The length in words, in the unit of story_at."""
        return f"{self.steps} steps"
