"""What is measured, one entry each."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import networks
from helpers.errors import unknown
from helpers.systems import SYSTEMS, load

NETWORKS = ("perceptors", "vqgan", "gan", "model", "secondary")     # knobs that name networks
PICTURE = Path(__file__).parents[1] / "assets" / "gallery" / "front.png"
WORLD = {"pix2pix": {"init_image": str(PICTURE)}}       # what whole pictures need beside the defaults


@dataclass(frozen=True)
class Case:
    """One step of `system` with these knobs, beside that of a function in originals.py; without one it is a
    whole picture that is timed. `alone`: only the perceptor, without what paints."""

    system: str
    original: str = ""
    knobs: dict = field(default_factory=dict)
    alone: bool = False

    def settings(self, folder):
        """The knobs as a record, every public network a random one in `folder`."""
        knobs = dict(self.knobs)
        for name in NETWORKS:
            if name in knobs:
                named = [word.strip() for word in knobs[name].split(",")]
                knobs[name] = ", ".join(networks.own(word, folder) for word in named)
        return load(self.system).Settings.of(**knobs)


def square(side):
    return {"width": side, "height": side}


def vqgan_clip(side):
    return Case("vqgan_clip", "vqgan_clip", {
        **square(side), "vqgan": "imagenet_f16_16384", "perceptors": "ViT-B/32", "overview": 0, "crops": 32,
        "augment": "affine, perspective, jitter, erase", "look_noise": "0.1", "start": "codes",
        "steps": 1000, "every": 1000})


def perceptor(name):
    return Case("vqgan_clip", "perceptor", {"perceptors": name, "overview": 0, "crops": 32}, alone=True)


def diffusion(side, through, eyes="ViT-B/32"):
    model = {256: "256x256_diffusion_uncond", 512: "512x512_diffusion_uncond_finetune_008100"}[side]
    return Case("clip_guided_diffusion", "diffusion", {
        **square(side), "model": model, "perceptors": eyes, "overview": 0, "crops": 16, "augment": "",
        "look_noise": "0", "smallest_crop": "0.4", "through": through,
        "secondary": "secondary_model_imagenet_2", "range": "0", "skip": 25, "every": 1000})


# Knobs are those of the originals' defaults.
CASES = {
    "vit-b-32": perceptor("ViT-B/32"),
    "rn50": perceptor("RN50"),
    "vqgan-clip-256": vqgan_clip(256),
    "vqgan-clip-384": vqgan_clip(384),
    "deep-daze-512": Case("deep_daze", "deep_daze", {
        **square(512), "perceptors": "ViT-B/32", "layers": 16, "hidden": 256, "overview": 0, "crops": 16,
        "augment": "", "look_noise": "0", "smallest_crop": "0.1", "learning_rate": "0.00001", "steps": 1000,
        "every": 1000}),
    "big-sleep-512": Case("big_sleep", "big_sleep", {
        **square(512), "gan": "biggan-deep-512", "perceptors": "ViT-B/32", "overview": 0, "crops": 128,
        "augment": "", "look_noise": "0", "smallest_crop": "0.5", "largest_crop": "0.95",
        "crop_sizes": "bell", "crop_mean": 0.8, "crop_spread": 0.3, "truncation": 1.0, "search": 0,
        "latent_pull": 1.0, "class_pull": 1.0, "learning_rate": "0.07", "steps": 1000, "every": 1000}),
    "diffusion-256": diffusion(256, "network"),
    "diffusion-256-secondary": diffusion(256, "secondary"),
    "diffusion-512": diffusion(512, "network"),
    "disco-512": Case("disco_diffusion", "diffusion", {
        **square(512), "model": "512x512_diffusion_uncond_finetune_008100",
        "secondary": "secondary_model_imagenet_2", "perceptors": "ViT-B/32, ViT-B/16, RN50", "batches": "4",
        "augment": "flip, affine, gray, jitter", "look_noise": "0.01", "range": "0", "steps": 250,
        "skip": 100, "every": 1000}),
    **{f"world-{name.replace('_', '-')}": Case(name, knobs=WORLD.get(name, {})) for name in SYSTEMS},
}

# Of a GPU: the sizes artists ask for, on the whole card and on cards of so many GB (NAME@GB).
CARDS = (4, 6, 8, 12, 16)
GPU = {
    "vqgan-clip-512": vqgan_clip(512),
    "vqgan-clip-768": vqgan_clip(768),
    "disco-1280x768": replace(CASES["disco-512"], knobs=CASES["disco-512"].knobs | {"width": 1280,
                                                                                    "height": 768}),
    "diffusion-512-vit-l-14": diffusion(512, "network", "ViT-L/14"),
    "big-sleep-512": CASES["big-sleep-512"],
    "deep-daze-512": CASES["deep-daze-512"],
}


def case_of(name):
    """The case of this name; NAME@GB is that of a GPU on a card of so many GB."""
    name, _, card = name.partition("@")
    case = (CASES | GPU)[name]
    return replace(case, knobs=case.knobs | {"memory": int(card)}) if card else case


def chosen(names, cases=CASES):
    """These cases, or all."""
    for name in names:
        if name not in cases:
            raise unknown("case", name, cases)
    return {name: cases[name] for name in names or cases}
