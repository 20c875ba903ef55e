"""What Disco Diffusion's settings are in our words, knob by knob; see old_settings.py.

Scales: Disco adds clip_guidance_scale * distance, summed over perceptors, and every other scale beside it, on
pictures in [-1, 1]. Here all is multiplied by guidance_scale, perceptors are averaged, and pictures are in
[0, 1]. So guidance_scale = clip_guidance_scale * perceptors; Smooth, 10 times the squared differences, is 2.5
times Disco's, and smoothness = tv_scale / 2.5 / guidance_scale; init_likeness = init_scale / guidance_scale.
"""

import re

from . import schedules
from .errors import Refused
from .old_names import EYES, IDLE, MOVING, OPENAI, RENAMED
from .prompts import HEAVIEST

NOTHING = (None, "", "none", "None", False)
SMALLEST = 224          # pixels a perceptor of 2021 sees
KNOWN = RENAMED.keys() | MOVING | IDLE.keys() | EYES.keys() | {"text_prompts", "clip_guidance_scale"}


class Reading:
    """Old settings, taken up one after the other; `notes` say what was changed or left."""

    def __init__(self, old: dict):
        self.old, self.left, self.notes = old, dict(old), []
        # what stills of Disco have and we have by default otherwise
        self.new = {"range": 0, "rivalry": 0, "upscaler": "", "look_noise": 0.01,
                    "augment": "flip, affine, gray, jitter", "perceptors": "ViT-B/32, ViT-B/16, RN50"}

    def result(self) -> tuple[dict, list[str]]:
        for step in (self.renamed, self.sizes, self.eyes, self.networks, self.texts, self.scales, self.start,
                     self.looks, self.rest):
            step()
        return self.new, self.notes

    def take(self, *names, default=None):
        """The value of the first of these names that is there, taken up."""
        found = [self.left.pop(name) for name in names if name in self.left]
        return found[0] if found else default

    def note(self, name: str, why: str):
        self.notes.append(f"{name} {str(self.old.get(name))[:60]}: {why}")

    def renamed(self):
        for name, knob in RENAMED.items():
            value = self.take(name)
            if value is None:
                continue
            if isinstance(value, (str, list)) and "[" in str(value):
                value = str(schedules.parse(plain(value), name))     # refused under its old name
            self.new[knob] = value
        seed = self.take("seed", "set_seed")
        if seed not in (*NOTHING, "random_seed"):
            self.new["seed"] = self.number("seed", seed) % 2**32
        saves = self.take("intermediate_saves")
        if isinstance(saves, list):
            self.new["save_at"] = ", ".join(str(self.number("intermediate_saves", step)) for step in saves)
        elif saves:
            self.new["every"] = max(1, int(self.new.get("steps", 250)) // (self.number("saves", saves) + 1))

    def number(self, name, value) -> int:
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,20}", str(value).strip()):
            raise Refused(f"{name} is {str(value)[:40]!r}", "it must be a whole number", "correct the file")
        return int(value)

    def sizes(self):
        both = self.take("width_height", "width_height_for_512x512_models", "width_height_for_256x256_models")
        if isinstance(both, list) and len(both) == 2:
            self.new["width"], self.new["height"] = both
        for side in ("width", "height"):
            given = self.number(side, self.new.get(side, {"width": 1280, "height": 768}[side]))
            self.new[side] = max(64, given // 64 * 64)
            if self.new[side] != given:
                self.notes.append(f"{side} {given}: it went down to a multiple of 64, {self.new[side]}")

    def eyes(self):
        names = [EYES[name] for name in EYES if self.take(name) is True]
        for name in self.take("clip_models", default=[]) or []:
            model, _, tag = str(name).partition("::")
            names.append(OPENAI.get(model, f"{model}:{tag}") if tag == "openai" else f"{model}:{tag}")
        turns = self.take("clip_models_schedules")
        if isinstance(turns, dict):
            told = [turns.get(key, 1) for key in self.old.get("clip_models") or []]
            self.new["perceptor_weights"] = " | ".join(str(schedules.parse(plain(one))) for one in told)
        if names:
            self.new["perceptors"] = ", ".join(dict.fromkeys(names))
        elif EYES.keys() & self.old.keys() or "clip_models" in self.old:
            raise Refused("no CLIP model is on", "somebody has to look", "turn one on, such as ViTB32")

    def networks(self):
        model = self.take("diffusion_model", default="512x512_diffusion_uncond_finetune_008100")
        if model == "custom":
            self.note("diffusion_model", "name your own file as model")
        else:
            self.new["model"] = str(model)
        second = self.take("use_secondary_model", default=True)
        self.new["through"] = "secondary" if second else "network"
        if second:
            self.new["secondary"] = "secondary_model_imagenet_2"

    def texts(self):
        self.new["prompts"] = self.prompts("text_prompts")
        shown = self.prompts("image_prompts")
        if shown:
            self.new["image_prompts"] = shown
        scatter, strength = self.take("fuzzy_prompt"), self.take("rand_mag", default=0.05)
        if scatter:
            self.new["fuzzy"] = strength

    def prompts(self, name) -> str:
        """Those of frame 0, their weights divided by the size of their sum, as Disco does."""
        given = self.take(name)
        if isinstance(given, dict) and "prompts" in given:         # discoart's own form
            given = [f"{one.get('text', '')}:{one.get('weight', 1)}" for one in given["prompts"]]
        if isinstance(given, dict):
            frames = sorted(given, key=lambda key: int(key) if str(key).lstrip("-").isdigit() else 0)
            if len(frames) > 1:
                self.note(name, "only the first frame's are used: animation comes later")
            given = given[frames[0]] if frames else []
        given = [given] if isinstance(given, str) else given or []
        pairs = [self.weighed(str(text)) for text in given]
        total = abs(sum(weight for _, weight in pairs))
        total = total if total >= 1e-3 else sum(abs(weight) for _, weight in pairs)     # which Disco refused
        return " | ".join(f"{text}:{schedules.written(round(weight / (total or 1), 6))}"
                          for text, weight in pairs)

    def weighed(self, text) -> tuple[str, float]:
        """Its words and the number behind its last colon."""
        words, _, last = text.rpartition(":")
        has = bool(words) and re.fullmatch(schedules.NUMBER, last.strip()) is not None
        weight = float(last) if has else 1.0
        if abs(weight) > HEAVIEST * 1e4:
            raise Refused(f"a prompt has the weight {last.strip()}", "that is too large a number",
                          "correct the file")
        clean = re.sub(r"\s*[|^]\s*", ", ", words if has else text).strip()
        return clean, weight

    def scales(self):
        count = len(self.new["perceptors"].split(","))
        strong = self.take("clip_guidance_scale", default=5000)
        self.new["guidance_scale"] = str(schedules.parse(plain(strong), "clip_guidance_scale").times(count))
        most = max(schedules.parse(self.new["guidance_scale"]).values) or 1.0
        for name, knob, factor in (("tv_scale", "smoothness", 2.5), ("init_scale", "init_likeness", 1.0)):
            value = self.take(name)
            if value and (knob == "smoothness" or self.old.get("init_image") not in NOTHING):
                self.new[knob] = str(schedules.parse(plain(value), name).times(1 / factor / most))
                if knob == "init_likeness":
                    self.note(name, "the perceptors judge likeness now, not LPIPS")
        clamp = self.take("clamp_grad", default=True)
        self.new["clamp"] = str(schedules.parse(plain(self.take("clamp_max", default=0.05)), "clamp_max"))
        if not clamp:
            self.new["clamp"] = 0
        self.new["threshold"] = 0 if self.take("clip_denoised") else 1

    def start(self):
        image = self.take("init_image")
        if image not in NOTHING:
            self.new["init_image"] = str(image)
        clouds, mode = self.take("perlin_init"), self.take("perlin_mode", default="mixed")
        if clouds:
            self.new["perlin"] = mode
            if self.new.pop("init_image", None):
                self.note("init_image", "perlin_init took its place")
        self.new.setdefault("skip", 10)

    def looks(self):
        if self.take("skip_augs"):
            self.new["augment"], self.new["look_noise"] = "", 0
        short = min(self.new["width"], self.new["height"])
        self.new["smallest_crop"] = round(min(1.0, SMALLEST / short), 4)
        across, down = self.take("use_horizontal_symmetry"), self.take("use_vertical_symmetry")
        when = self.take("transformation_percent", default=[0.09])
        if across or down:
            self.new["mirror"] = "both" if across and down else "left-right" if across else "up-down"
            self.new["mirror_at"] = ", ".join(map(str, when if isinstance(when, list) else [when]))

    def rest(self):
        """What is left, said."""
        moving = sorted(MOVING & self.left.keys())
        if moving:
            mode = str(self.old.get("animation_mode", "None"))
            why = "of no effect on a still" if mode == "None" else "animation comes later"
            self.notes.append(f"{', '.join(moving)}: {why}")
        for name in self.left.keys() - MOVING:
            if name in IDLE or self.left[name] not in NOTHING:
                self.note(name, IDLE.get(name, "there is no counterpart"))
            else:
                self.notes.append(f"{name}: nothing is set")


def plain(value):
    """A schedule as numbers: what was on or off is 1 or 0."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        return re.sub(r"\bFalse\b", "0", re.sub(r"\bTrue\b", "1", value))
    return [plain(one) for one in value] if isinstance(value, list) else value
