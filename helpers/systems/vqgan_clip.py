"""VQGAN-CLIP (Katherine Crowson and Ryan Murdock, 2021): CLIP paints by moving the latents of a VQGAN.

Editing is the same with a picture to start from and a mask; films and styled films go on from picture to
picture. The other drawers (pixels, cells of pixels, waves) have no generator, so all you see is what the
perceptors want and the prior expects.
"""

from dataclasses import dataclass

from helpers.errors import Refused
from helpers.settings import knob, present
from helpers.systems.guided import FINE
from helpers.systems.optimized import Optimized

DRAWERS = ("vqgan", "pixels", "chunky pixels", "fft")


@dataclass(frozen=True, kw_only=True)
class Settings(Optimized):
    """VQGAN-CLIP's knobs under an artist's names; the originals' in parentheses."""

    steps: int = knob(40, "how long to paint (iterations, max_itter)", low=1, high=5000, step=1, rehearsal=3)
    drawer: str = knob("vqgan", "what paints (drawer)", choices=DRAWERS)
    vqgan: str = knob("vqgan-world", "which VQGAN: a name from the catalogue or your own file "
                      "(vqgan_config, vqgan_checkpoint, vqgan_model_name)", group=FINE)
    codes: str = knob("nearest", "between latents and decoder: the nearest code, a soft mixture, nothing, or "
                      "codes drawn by chance (quantize)", choices=("nearest", "soft", "free", "chance"),
                      group=FINE)
    code_pull: float = knob(0.0, "hold latents near the codes (commitment)", low=0, high=10, step=0.05,
                            group=FINE)
    rivalry: str = knob(2, "how clearly it must be this thing, color, place and sky and no other, for the "
                        "built-in perceptors, who know of others", low=0, high=10, kind="schedule",
                        live=True, group=FINE)
    start: str = knob("gray", "what is there before the first step, without init_image (init_noise)",
                      choices=("codes", "gray", "gradient", "pixels", "snow"), group=FINE)
    cell: int = knob(8, "side of a chunky pixel, in pixels (pixel_size, pixel_scale)", low=2, high=128,
                     step=1, group=FINE)
    wave_decay: float = knob(1.5, "fft: 1 is natural, more is softer (decay)", low=0, high=3, step=0.05,
                             group=FINE)
    wave_colors: float = knob(1.0, "fft: strength of colors (colors)", low=0, high=4, step=0.05, group=FINE)

    film: int = knob(0, "pictures of a film, 0 paints just one (num_video_frames, make_zoom_video)", low=0,
                     high=5000, step=1, group=FINE)
    frame_steps: int = knob(8, "steps for each picture of a film after the first (iterations_per_frame, "
                            "zoom_frequency)", low=1, high=500, step=1, rehearsal=1, group=FINE)
    zoom: str = knob(1, "film: come closer above 1, per picture (zoom_scale)", low=0.5, high=2,
                     kind="schedule", group=FINE)
    rotate: str = knob(0, "film: degrees turned clockwise per picture (angle)", low=-180, high=180,
                       kind="schedule", group=FINE)
    shift_x: str = knob(0, "film: pixels to the right per picture (zoom_shift_x)", low=-500, high=500,
                        kind="schedule", group=FINE)
    shift_y: str = knob(0, "film: pixels down per picture (zoom_shift_y)", low=-500, high=500,
                        kind="schedule", group=FINE)
    film_smoothing: float = knob(0.0, "how much of the picture before stays in each (z_smoother, "
                                 "z_smoother_alpha, z_smoother_buffer_len)", low=0, high=0.95, step=0.05,
                                 group=FINE)
    frames: str = knob("", "a folder of frames to paint over, one by one (video_style_dir)", kind="folder",
                       group=FINE)
    frame_weight: str = knob(2, "how close to each frame in colors and places "
                             "(current_source_frame_image_weight)", low=0, high=100, kind="schedule",
                             group=FINE)
    frame_likeness: float = knob(0.0, "each frame as an image prompt (current_source_frame_prompt_weight)",
                                 low=0, high=10, step=0.1, group=FINE)

    def check(self):
        super().check()
        if present(self.mask) and (self.film or self.frames):
            raise Refused("mask is given for a film", "a mask keeps a part of one picture",
                          "drop the mask or the film")
        moving = [name for name in ("zoom", "rotate", "shift_x", "shift_y") if getattr(self,
                                                                                       name) != still(name)]
        if moving and not self.film and not self.frames:
            raise Refused(f"{moving[0]} is set but film is 0",
                          "the camera moves from picture to picture of a film", "try film=30")

    def anchored(self):
        return not present(self.frames)     # these are what a film of them begins with, not `start`

    def filming(self):
        return bool(self.film or present(self.frames))

    def beginnings(self):
        """As elsewhere; a film's scenes begin with pictures."""
        numbers = super().beginnings()
        return [self.steps + (n - 1) * self.frame_steps for n in numbers] if self.filming() else numbers

    def length(self):
        if self.filming():      # how many pictures a folder has is seen when it is opened
            return self.steps + (self.film - 1) * self.frame_steps if self.film else 0
        return self.steps

    def extent(self):
        return f"{self.film} pictures" if self.film else super().extent()


def still(name):
    return "1" if name == "zoom" else "0"


def paint(settings, state=None):
    """A Painting of these settings, from the beginning or a saved state."""
    import torch

    from helpers.systems import film, optimizing, wiring

    studio = wiring.Studio(settings)
    canvas = drawn(settings, studio).to(studio.device)
    if studio.start is not None and not state:
        canvas.fit(studio.rough(settings))
    elif studio.start is None:
        with torch.no_grad():
            studio.beginning = canvas.eval()().clone()      # init_weight pulls to it (mse_withzeros)
    canvas = studio.masked(canvas, settings)
    reel, hooks = roll(settings, studio, film) if settings.film or settings.frames else (None, [])
    made = optimizing.painting(settings, studio, canvas, state, reel=reel, hooks=hooks,
                           begun=present(settings.frames))
    if hooks:
        made.finish = hooks[0].finish(made)
    if settings.drawer == "vqgan":
        made.networks.append(settings.vqgan)
    return made


def drawn(settings, studio):
    """The canvas of the chosen drawer, as random as its seed."""
    from helpers.canvas import Pixels, Waves
    width, height, rng = settings.width, settings.height, studio.rng
    if settings.drawer == "pixels":
        return Pixels(height, width, rng=rng)
    if settings.drawer == "chunky pixels":
        return Pixels(height, width, settings.cell, rng=rng)
    if settings.drawer == "fft":
        return Waves(height, width, settings.wave_decay, settings.wave_colors, rng=rng)
    import torch

    from helpers.frozen import forgetful_
    from helpers.networks import latents, lean, vqgan
    from helpers.packed import packed_
    from helpers.precision import lower_, number_type
    network = vqgan.load(settings.vqgan, studio.device, precision="auto")
    if studio.device.type == "cpu" or studio.thrift.plan.recompute:
        lean.lean_(network.decoder).to(memory_format=torch.channels_last)
    lower_(network.decoder, number_type(studio.device, network.precision))
    studio.thrift.network(packed_(forgetful_(network.decoder)))
    return latents.Latents(network, height, width, settings.codes, settings.start, settings.code_pull, rng,
                           rng)


def roll(settings, studio, film):
    """The reel of a film and what happens between its pictures."""
    count = settings.film
    if settings.frames:
        found = film.inputs.pictures_in(settings.frames)
        count = min(count, len(found)) if count else len(found)
    reel = film.Reel(count, settings.steps, settings.frame_steps)
    hooks = [film.Camera(reel, settings)]
    if settings.frames:
        hooks.append(film.Sources(reel, settings, studio))
    return reel, hooks
