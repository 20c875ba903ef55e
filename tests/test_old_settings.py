"""Settings of the dead originals arrive whole: as knobs, or in a line that says why not."""

import json
import math
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from helpers import cli, guides, old_settings, perceptors, prompts, runs, schedules, systems, weights
from helpers.errors import Refused
from helpers.old_settings import names
from helpers.systems.disco_diffusion import Settings

# A _settings.txt of Disco Diffusion 5.7, every key, as an animator left it
WHOLE = {
    "text_prompts": {"0": ["A lighthouse by the sea, oil on canvas:2", "yellow color scheme", "text:-0.5"],
                     "100": ["A ruin", "fog:3"]},
    "image_prompts": {}, "clip_guidance_scale": 5000, "tv_scale": 2000, "range_scale": 150, "sat_scale": 500,
    "cutn_batches": 4, "max_frames": 120, "interp_spline": "Cubic", "init_image": None, "init_scale": 1000,
    "skip_steps": 10, "frames_scale": 1600, "frames_skip_steps": "55%", "perlin_init": False,
    "perlin_mode": "mixed", "skip_augs": False, "randomize_class": True, "clip_denoised": False,
    "clamp_grad": True, "clamp_max": 0.05, "seed": "2599079091", "fuzzy_prompt": False, "rand_mag": 0.05,
    "eta": 0.8, "width": 1280, "height": 768, "diffusion_model": "512x512_diffusion_uncond_finetune_008100",
    "use_secondary_model": True, "steps": 250, "diffusion_steps": 1000, "diffusion_sampling_mode": "ddim",
    "ViTB32": True, "ViTB16": True, "ViTL14": False, "ViTL14_336px": False, "RN101": False, "RN50": True,
    "RN50x4": False, "RN50x16": False, "RN50x64": False, "ViTB32_laion2b_e16": False,
    "ViTB32_laion400m_e31": False, "ViTB32_laion400m_32": True, "ViTB32quickgelu_laion400m_e31": False,
    "ViTB32quickgelu_laion400m_e32": False, "ViTB16_laion400m_e31": False, "ViTB16_laion400m_e32": False,
    "RN50_yffcc15m": True, "RN50_cc12m": False, "RN50_quickgelu_yfcc15m": False,
    "RN50_quickgelu_cc12m": False, "RN101_yfcc15m": False, "RN101_quickgelu_yfcc15m": False,
    "cut_overview": "[12]*400+[4]*600", "cut_innercut": "[4]*400+[12]*600", "cut_ic_pow": "[1]*500+[5]*500",
    "cut_icgray_p": "[0.2]*400+[0]*600", "key_frames": True, "angle": "0:(0), 20:(3)",
    "zoom": "0: (1), 10: (1.05)", "translation_x": "0:(0)", "translation_y": "0: (5)",
    "translation_z": "0: (10)", "rotation_3d_x": "0: (0)", "rotation_3d_y": "0: (0)",
    "rotation_3d_z": "0: (0.1)", "midas_depth_model": "dpt_large", "midas_weight": 0.3, "near_plane": 200,
    "far_plane": 10000, "fov": 40, "padding_mode": "border", "sampling_mode": "bicubic",
    "video_init_path": "/content/init.mp4", "extract_nth_frame": 2, "video_init_seed_continuity": False,
    "turbo_mode": True, "turbo_steps": "3", "turbo_preroll": 10, "use_horizontal_symmetry": True,
    "use_vertical_symmetry": False, "transformation_percent": [0.09], "video_init_steps": 100,
    "video_init_clip_guidance_scale": 1000, "video_init_tv_scale": 0.1, "video_init_range_scale": 150,
    "video_init_sat_scale": 300, "video_init_cutn_batches": 4, "video_init_skip_steps": 50,
    "video_init_frames_scale": 15000, "video_init_frames_skip_steps": "70%", "video_init_flow_warp": True,
    "video_init_flow_blend": 0.999, "video_init_check_consistency": False,
    "video_init_blend_mode": "optical flow",
}


def saved(folder, what, name="old_settings.txt"):
    path = folder / name
    path.write_bytes(what if isinstance(what, bytes) else
                     (what if isinstance(what, str) else json.dumps(what)).encode())
    return path


@pytest.fixture
def read(tmp_path):
    """(values, lines) of a file like WHOLE, or of YAML."""
    def read(yaml=None, **changed):
        path = saved(tmp_path, WHOLE | changed) if yaml is None else saved(tmp_path, yaml, "art.yml")
        system, values, lines = old_settings.read(path)
        assert system == "disco_diffusion"
        return values, lines
    return read


def refusal(call, *given):
    with pytest.raises(Refused) as said:
        call(*given)
    return str(said.value)


def test_a_whole_file(read):
    values, lines = read()
    assert values == {
        "prompts": "A lighthouse by the sea, oil on canvas:2 | yellow color scheme | text:-0.5",
        "prompt_weights": "", "width": 1280, "height": 768, "seed": 2599079091, "pictures": 1, "steps": 250,
        "skip": 10, "model": "512x512_diffusion_uncond_finetune_008100", "through": "secondary",
        "sampler": "ddim", "eta": 0.8, "threshold": "1",
        "clamp": "0.05", "overview": "[12]*400+[4]*600", "crops": "[4]*400+[12]*600",
        "crop_power": "[1]*500+[5]*500", "gray_crops": "[0.2]*400+[0]*600", "batches": "4",
        "augment": "flip, affine, jitter, gray", "look_noise": "0.03", "fuzzy": 0.0, "perlin": "off",
        "arrange": 0.0, "classifier": "", "kind": "",
        "init_image": "", "mirror": "left-right", "mirror_at": "9%", "smallest_crop": "0.2917",
        "perceptors": "ViT-B/32, ViT-B/16, RN50, ViT-B-32:laion400m_e32, RN50:yfcc15m",
        "guidance_scale": "35000", "smoothness": "0.0228571", "range": "0.142857"}
    assert lines == [
        "text_prompts at frame 100: animation comes later",
        "sat_scale 500: range in its place pulls harder the farther a color is beyond black or white; "
        "a tenth beyond, as hard", "range_scale 150: it had no effect there, and has none here",
        "max_frames 120: animation comes later", "interp_spline Cubic: animation comes later",
        "frames_scale 1600: animation comes later", "frames_skip_steps 55%: animation comes later",
        "angle 0:(0), 20:(3): animation comes later", "translation_y 0: (5): animation comes later",
        "rotation_3d_z 0: (0.1): animation comes later", "turbo_mode True: animation comes later"]
    assert Settings.of(**values).overview == "[12]*400+[4]*600"


def other(value):
    """Something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, list):
        return [0.5]
    if isinstance(value, dict):
        return {"0": ["another.png:0.7"]}
    if isinstance(value, str) and value.endswith(".mp4"):
        return "/content/fish.mp4"
    if isinstance(value, str) and value.startswith("["):
        return "[3]*500+[1]*500" if "0." not in value else "[0.1]*500+[1]*500"
    return {None: "a.png", "mixed": "gray", "2599079091": "7"}.get(value) or (
        value + 1 if isinstance(value, int | float) else f"other {value}")


@pytest.mark.parametrize("key", WHOLE)
def test_no_key_is_dropped_in_silence(read, key):
    """Whatever is changed in the file shows, in the knobs or in the lines."""
    assert read(**{key: other(WHOLE[key])}) != read(), key


@pytest.mark.parametrize("key", names.ANIMATION)
def test_an_animation_is_named_setting_by_setting(tmp_path, key):
    given = {"text_prompts": ["fog"], key: names.ANIMATION[key]}
    assert not [line for line in old_settings.read(saved(tmp_path, given))[2] if key in line.split()]
    given[key] = other(names.ANIMATION[key])
    assert f"{key} {given[key]}: animation comes later" in old_settings.read(saved(tmp_path, given))[2]


@pytest.mark.parametrize("key", names.GONE)
def test_what_is_gone_is_named(tmp_path, key):
    default, why = names.GONE[key]
    changed = {None: "a", True: False, False: True}.get(default, 7)
    given = {"text_prompts": ["fog"], key: changed}
    assert f"{key} {changed}: {why}" in old_settings.read(saved(tmp_path, given))[2]


def test_what_a_file_leaves_out_is_as_it_was_there(tmp_path):
    values, lines = old_settings.read(saved(tmp_path, {"text_prompts": {"0": ["fog"]}, "angle": None}))[1:]
    assert (values["width"], values["height"], values["steps"], values["skip"]) == (1280, 768, 250, 10)
    assert (values["perceptors"], values["guidance_scale"]) == ("ViT-B/32, ViT-B/16, RN50", "15000")
    assert (values["batches"], values["range"]) == ("4", "0") and "seed" not in values
    assert lines == ["range_scale 150: it had no effect there, and has none here"]
    values, lines = old_settings.read(saved(tmp_path, "steps: 100", "art.yml"))[1:]
    assert (values["skip"], values["batches"], values["guidance_scale"]) == (0, "4", "15000")
    assert "prompts" not in values
    assert lines == ["text_prompts is not there: say what to paint, with --prompts"]


def test_strange_keys_are_named(read):
    assert read(foo={"a": [1]}, stepss=3, nothing=None)[1][-3:] == [
        "foo {'a': [1]}: nothing was called so", "stepss 3: nothing was called so; did it mean 'steps'?",
        "nothing None: nothing was called so"]
    values, lines = read(set_seed=9, RN50_yfcc15m=False)
    assert values["seed"] == 2599079091 and "set_seed 9: seed is there, too, and counts" in lines
    assert "RN50_yfcc15m False: RN50_yffcc15m is there, too, and counts" in lines


@pytest.mark.parametrize("changed, knobs, line", [
    ({"seed": 7.0}, {"seed": 7}, None), ({"steps": "50", "diffusion_steps": None}, {"steps": 50}, None),
    ({"skip_steps": "50%"}, {"skip": 125}, None), ({"display_rate": 20}, {"every": 20}, None),
    ({"intermediate_saves": [50, 0, 10]}, {"save_at": "10, 50"}, None),
    ({"intermediate_saves": 5}, {"save_at": "40, 80, 120, 160, 200"}, None),
    ({"intermediate_saves": 3, "steps": 4, "skip_steps": 0}, {"save_at": "1, 2, 3"}, None),
    ({"intermediate_saves": 900, "steps": 4, "skip_steps": 2}, {"save_at": "1"}, None),
    ({"skip_steps": 250}, {"skip": 249},
     "skip_steps 250: 250 steps can leave out 0 to 249; it was held there"),
    ({"skip_steps": 900, "steps": 100}, {"skip": 99},
     "skip_steps 900: 100 steps can leave out 0 to 99; it was held there"),
    ({"skip_steps": -1}, {"skip": 0}, "skip_steps -1: 250 steps can leave out 0 to 249; it was held there"),
    ({"diffusion_steps": 1500}, {"steps": 250}, "diffusion_steps 1500: steps are spread over all noise "
                                                "levels"),
    ({"width_height": [960, 448], "width": 640}, {"width": 960, "height": 448},
     "width 640: something else in the file says so instead"),
    ({"width": 1000}, {"width": 960}, "width 1000: 960, as there, in steps of 64"),
    ({"diffusion_model": "256x256_diffusion_uncond.pt"}, {"model": "256x256_diffusion_uncond"}, None),
    ({"diffusion_model": "custom"}, {}, "diffusion_model custom: its weights are a file of your own: give "
                                        "that as model; the built-in one, which paints else, learned from "
                                        "64 x 64, not 1280 x 768"),
    ({"use_secondary_model": False}, {"through": "network"}, None),
    ({"use_secondary_model": "False"}, {"through": "network"}, None),
    ({"use_secondary_model": "[True]*500+[False]*500"}, {"through": "secondary"}, "use_secondary_model [True]"
     "*500+[False]*500: it does not change on the way here; the small network is used"),
    ({"clamp_grad": False}, {"clamp": "0"}, None),
    ({"clamp_grad": "[True]*500+[False]*500"}, {"clamp": "[0.05]*500+[0]*500"}, None),
    ({"clamp_max": 0}, {"clamp": "1e-06"}, None), ({"clip_denoised": True}, {"threshold": "0"}, None),
    ({"cutn_batches": "[2]*500+[8]*500"}, {"batches": "[2]*500+[8]*500"}, None),
    ({"cut_overview": [12] * 400 + [4] * 600}, {"overview": "[12]*400+[4]*600"}, None),
    ({"cut_overview": 99}, {"overview": "64"}, "cut_overview 99: overview is between 0 and 64; it was held "
                                               "there"),
    ({"cut_ic_pow": "[0]*200+[80]*800"}, {"crop_power": "[0.05]*200+[80]*800"},
     "cut_ic_pow [0]*200+[80]*800: crop_power is between 0.05 and 100; it was held there"),
    ({"skip_augs": True}, {"augment": "", "look_noise": "0"}, None),
    ({"fuzzy_prompt": True}, {"fuzzy": 0.005},
     "fuzzy_prompt True: scattered without its cut at 0, which took half of every direction away"),
    ({"width": 2560}, {"width": 2048}, "width 2560: width is between 32 and 2048; it was held there"),
    ({"height": 0}, {"height": 32}, "height 0: height is between 32 and 2048; it was held there"),
    ({"seed": 2**32 + 5}, {"seed": 5}, "seed 4294967301: seeds go up to 4294967295; it is 5 here"),
    ({"steps": 2000, "skip_steps": 500}, {"steps": 1000, "skip": 250},
     "skip_steps 500: 250, as large a part of 1000 steps"),
    ({"steps": 2000}, {"steps": 1000, "skip": 5},
     "steps 2000: steps is between 2 and 1000; it was held there"),
    ({"batch_size": 65}, {"pictures": 64}, "batch_size 65: pictures is between 1 and 64; it was held there"),
    ({"display_rate": 0}, {"every": 1}, "display_rate 0: every is between 1 and 1000; it was held there"),
    ({"eta": 3}, {"eta": 1}, "eta 3: ddim draws as much noise anew as there is at 1; it was held there"),
    ({"eta": -3}, {"eta": -1}, "eta -3: eta is between -1 and 2; it was held there"),
    ({"eta": 3, "diffusion_sampling_mode": "plms"}, {"eta": 2},
     "eta 3: eta is between -1 and 2; it was held there"),
    ({"fuzzy_prompt": True, "rand_mag": 50}, {"fuzzy": 1},
     "rand_mag 50: fuzzy is between 0 and 1; it was held there"),
    ({"fuzzy_prompt": True, "rand_mag": 0.2}, {"fuzzy": 0.02},
     "rand_mag 0.2: fuzzy is a 10th of it, as rows are of length 1 here and were about 10 there"),
    ({"rand_mag": 0.1}, {"fuzzy": 0.0}, "rand_mag 0.1: it counts with fuzzy_prompt alone"),
    ({"perlin_init": True, "init_image": "a.png", "perlin_mode": "gray"},
     {"perlin": "gray", "init_image": ""}, "init_image a.png: perlin_init took its place"),
    ({"perlin_init": True}, {"perlin": "mixed"},
     "init_scale 1000: it kept to the clouds of perlin_init, too; nothing does here"),
    ({"perlin_mode": "gray"}, {"perlin": "off"}, "perlin_mode gray: it counts with perlin_init alone"),
    ({"init_image": "none"}, {"init_image": ""}, None),
    ({"init_image": "a.png"}, {"init_image": "a.png", "init_likeness": "0.0285714"},
     "init_scale 1000: the perceptors judge likeness to init_image here, not LPIPS"),
    ({"init_scale": 5}, {"init_image": ""}, "init_scale 5: it counts with init_image alone"),
    ({"use_vertical_symmetry": True}, {"mirror": "both"}, None),
    ({"use_horizontal_symmetry": False, "use_vertical_symmetry": True, "transformation_percent": [0.05, 0.2]},
     {"mirror": "up-down", "mirror_at": "5%, 20%"}, None),
    ({"diffusion_sampling_mode": "plms"}, {"sampler": "plms", "mirror": "off"},
     "use_horizontal_symmetry True: plms never mirrored"),
    ({"clip_guidance_scale": 10**6}, {"guidance_scale": "1000000"}, "clip_guidance_scale 1000000: "
     "guidance_scale is between 0 and 1000000; it was held there"),
    ({"clip_guidance_scale": 0}, {"guidance_scale": "0", "smoothness": "0"},
     "clip_guidance_scale 0: where it is 0 all other scales are, too"),
    ({"tv_scale": 10**8}, {"smoothness": "100"}, "tv_scale 100000000: smoothness is between -10 and 100; it "
                                                 "was held there"),
    ({"ViTB32_laion400m_32": False, "ViTB32_laion400m_e32": "yes"}, {}, "ViTB32_laion400m_e32 yes: "
     "ViTB32_laion400m_32 is there, too, and counts"),
    ({"SLIPB16": True}, {}, "SLIPB16 True: there is no SLIP among the perceptors"),
    ({"RN50x4": True}, {"smallest_crop": "0.2917"},
     "perceptors of 288 pixels look at parts as small as those of 224 do"),
    ({key: False for key in names.CLIPS}, {"guidance_scale": "0", "perceptors": ""},
     "no CLIP is switched on: nobody looks, and guidance_scale is 0"),
])
def test_single_settings(read, changed, knobs, line):
    values, lines = read(**changed)
    assert {name: values[name] for name in knobs} == knobs
    assert line in lines if line else not [told for told in lines if told.split()[0] in changed]
    Settings.of(**values)


@pytest.mark.parametrize("told, written", [
    (["fog:0.5", "neon"], "fog:0.5 | neon"), (["Star Wars: a new hope"], "Star Wars: a new hope"),
    (["https://a.org/b.png"], "https://a.org/b.png"), (["ratio 16:9"], "ratio 16 :9"), (["fog :2 "], "fog:2"),
    (["a|b ^ c:2"], "a, b, c:2"), (["fog:2:5"], "fog 2 :5"), (["fog:500", "neon:50"], "fog:100 | neon:10"),
    (["1984"], "1984"), ([1984], "1984"), ("fog", "fog"), ({"0": "fog"}, "fog"), ({"30": ["fog"]}, "fog"),
    ({"50": ["late"], "30": ["fog"]}, "fog"), ({"0": ["fog"], "-3": ["early"]}, "fog"), (["", "fog"], "fog"),
    (["two\nlines:-1"], "two lines:-1"), (["at 12:30:45"], "at 12:30 :45"),
])
def test_prompts(read, told, written):
    values, _ = read(text_prompts=told)
    assert values["prompts"] == written
    assert str(prompts.parse(written)[0]) == written.split(" | ")[0], "and they read back the same"


@pytest.mark.parametrize("told, share", [
    (["fog"], 1), (["fog", "neon"], 1), (["fog:2", "neon:-0.5"], 1.5 / 2.5), (["fog:-3"], 1),
    (["fog:1", "neon:-1"], 1 / 2), (["fog:0"], 1)])
def test_weights_are_shared_out_by_guidance(read, told, share):
    """Disco divided by their sum, we by the sum of their magnitudes."""
    assert float(read(text_prompts=told)[0]["guidance_scale"]) == pytest.approx(25000 / share, rel=1e-5)


def test_fuzzy_prompts_scatter_as_far_as_in_the_original(read):
    """There rand_mag was laid over a row of length 10, of 512 numbers: a cosine of 0.99."""
    strength = read(fuzzy_prompt=True)[0]["fuzzy"]
    row = F.normalize(torch.ones(1, 512), dim=-1)
    told = guides.fuzzy(guides.targets.targets(row, [1.0]), strength, torch.Generator().manual_seed(0))
    original = F.normalize(10 * row + 0.05 * torch.randn(25, 512, generator=torch.Generator().manual_seed(0)))
    assert told.rows.allclose(original, atol=1e-5) and 0.99 < (told.rows @ row.T).mean() < 0.996


def test_pictures_as_prompts(read):
    values, lines = read(image_prompts={"0": ["https://a.org/b.png:3", "c.png"], "9": ["d.png"]})
    assert values["image_prompts"] == "https://a.org/b.png:3 | c.png"
    assert float(values["guidance_scale"]) == pytest.approx(25000 * 7.5 / 6.5, rel=1e-5)
    assert "image_prompts at frame 9: animation comes later" in lines
    values, _ = read(text_prompts={}, image_prompts={"0": ["c.png"]})
    assert values["prompts"] == "" and Settings.of(**values)
    values, lines = read(text_prompts={"0": ["fog:1", "neon:-1"]})
    assert any("sum to 0, which it refused" in line for line in lines)


SLOPES = [("text_prompts: [fog, 'neon:0.5']\nclip_models: [a, b, c]\ncutn_batches: 1\n"
           "tv_scale: 3000\nrange_scale: 700\n", True), ({"tv_scale": 3000}, False)]


@pytest.mark.parametrize("given, discoart", SLOPES)
def test_the_slope_is_that_of_the_original(read, given, discoart):
    """By the formulas of the originals and by our guides, at one picture."""
    values, _ = read(given) if discoart else read(text_prompts=["fog", "neon:0.5"], **given)
    settings = Settings.of(**values)
    generator = torch.Generator().manual_seed(0)
    seen = (1.5 * torch.randn(1, 3, 33, 33, generator=generator)).double().requires_grad_()
    count = 3 if discoart else 5
    eyes = [torch.randn(8, 3 * 33 * 33, generator=generator).double() for _ in range(count)]
    aims = [F.normalize(torch.randn(2, 8, generator=generator).double(), dim=-1) for _ in range(count)]

    def away(image, eye, aim):
        row = F.normalize(eye @ image.flatten(), dim=0)
        return 2 * ((row - aim).norm(dim=-1) / 2).arcsin() ** 2

    weight = torch.tensor([1.0, 0.5]).double()
    theirs = weight / (weight.norm() if discoart else weight.sum().abs())
    padded = F.pad(seen, (0, 1, 0, 1), "replicate")
    tv = ((padded[..., :-1, 1:] - seen) ** 2 + (padded[..., 1:, :-1] - seen) ** 2).mean()
    loss = 5000 * sum((theirs * away((seen + 1) / 2, *one)).sum() for one in zip(eyes, aims, strict=True))
    loss = loss + 3000 * tv + (700 * ((seen - seen.clamp(-1, 1)) ** 2).mean() if discoart else 0)
    was = torch.autograd.grad(loss, seen)[0]

    image = (seen + 1) / 2
    part = weight / settings.whole(prompts.parse(settings.prompts), weight.tolist())
    ours = sum((part * away(image, *one)).sum() for one in zip(eyes, aims, strict=True)) / count
    ours = ours + float(settings.smoothness) * guides.Smooth()(image) + float(settings.range) * (
        guides.Range()(image) if discoart else 0)
    now = torch.autograd.grad(float(settings.guidance_scale) * ours, seen)[0]
    # the originals count a border of no differences, one part in 33 here
    assert (now - was).norm() < 0.035 * was.norm()


def test_grain_deviates_as_much():
    drawn = torch.rand(10**6, generator=torch.Generator().manual_seed(0)) * 0.03
    assert drawn.square().mean().sqrt().item() == pytest.approx(math.sqrt(3) * 0.01, rel=0.01)


DISCOART = """
text_prompts:
  version: "1"
  prompts:
    - {text: a cathedral of ice, weight: "[2]*500+[1]*500"}
    - {text: "fog:-1", schedule: "[False]*500+[True]*500", spellcheck: raise}
clip_models: ["ViT-B-32::openai", "RN50::openai", "ViT-B-16-plus-240::laion400m_e32", ViTL14]
clip_models_schedules: {"RN50::openai": "[True]*400+[False]*600", "RN101::openai": true}
width_height: [512, 448]
clip_guidance_scale: "[1000]*500+[4000]*500"
tv_scale: "[0]*500+[100]*500"
batch_size: 2
name_docarray: my-art
n_batches: 4
steps: 100
seed:
display_rate: 1
"""


def test_a_yaml_of_discoart(read):
    values, lines = read(DISCOART)
    assert values["prompts"] == "a cathedral of ice | fog:-1"
    assert values["prompt_weights"] == "[2]*500+[1]*500 | [0]*500+[1]*500"
    assert values["perceptors"] == "ViT-B/32, RN50, ViT-B-16-plus-240:laion400m_e32, ViT-L/14"
    assert values["perceptor_weights"] == "1 | [1]*400+[0]*600 | 1 | 1"
    strict = schedules.parse(values["guidance_scale"])
    assert strict(0) == 6000 and strict(1) == pytest.approx(48000 / 2**0.5, rel=1e-5), "by root of squares"
    assert schedules.parse(values["smoothness"])(0) == 0
    assert schedules.parse(values["smoothness"])(1) == pytest.approx(40 * 2**0.5 / 48000, rel=1e-5)
    assert (values["width"], values["height"], values["pictures"], values["skip"], values["every"]) == (
        512, 448, 2, 0, 1)
    assert float(schedules.parse(values["range"])(0)) == pytest.approx(4 * 150 / 6000)
    assert lines == [
        "text_prompts has spellcheck raise for fog: every perceptor is told all prompts, as they are "
        "written",
        "clip_models_schedules has RN101::openai: it is none of the clip_models",
        "perceptors of 240 pixels look at parts as small as those of 224 do",
        "name_docarray my-art: every run has a folder of its own, named by date and words",
        "n_batches 4: pictures one after another are runs of their own: python -m helpers paint --series 4, "
        "or Compare across seeds in the panel"]
    Settings.of(**values)


def test_a_group_of_schedules_stands_for_what_the_file_leaves_out(read):
    values, lines = read("text_prompts: fog\ncut_schedules_group: watercolor\ncut_ic_pow: 5\n")
    assert values["overview"] == "[14]*200+[12]*200+[4]*400+[0]*200" and values["crop_power"] == "5"
    assert (values["crops"], values["batches"], lines) == ("[2]*200+[4]*200+[12]*600", "4", [])
    values, lines = read("text_prompts: fog\ncut_schedules_group: han_fav\n")
    assert values["perceptors"] == "ViT-B/32, ViT-B/16, ViT-L/14, RN101, RN50" and values["batches"] == "8"
    assert float(values["guidance_scale"]) == 5 * 12000 and float(values["clamp"]) == 0.1
    assert [line.split(" ")[0] for line in lines] == ["cut_ic_pow", "sat_scale"]    # as if written out
    plain = read("text_prompts: fog\ncut_schedules_group: default\n")
    assert plain == read("text_prompts: fog\nname_docarray:\n")
    values, lines = read("text_prompts: fog\ncut_schedules_group: water_color\n")
    assert values == plain[0]
    assert lines == ["cut_schedules_group water_color: there was no such group; did it mean 'watercolor'?"]


@pytest.mark.parametrize("group", names.GROUPS)
def test_every_group_tells_of_all_noise_levels(read, group):
    values, _ = read(f"text_prompts: fog\ncut_schedules_group: {group}\n")
    Settings.of(**values)
    for name in ("overview", "crops", "gray_crops", "crop_power"):
        made = schedules.parse(values[name])
        assert made.constant or sum(count for count, _ in made.runs) == 1000


def test_a_yaml_with_switches_is_of_disco_diffusion(read):
    values, _ = read("text_prompts: {0: [fog]}\nRN50: true\nViTB32: off\nViTB16: false\n")
    assert (values["perceptors"], values["skip"], values["range"]) == ("RN50", 10, "0")


@pytest.mark.parametrize("name, ours", [
    ("ViT-B-32::openai", "ViT-B/32"), ("ViT-B/32::laion2b_e16", "ViT-B-32:laion2b_e16"),
    ("RN50x64::openai", "RN50x64:openai"), ("ViT-L-14-336::openai", "ViT-L/14@336px"),
    ("RN50-quickgelu::openai", "RN50"), ("ViT-B/32", "ViT-B/32"), ("ViTB16", "ViT-B/16")])
def test_perceptors_by_their_names(read, name, ours):
    assert read(f"text_prompts: fog\nclip_models: '{name}'\n")[0]["perceptors"] == ours


def test_all_names_are_known():
    """What has a colon is open_clip's, and what has none the catalogue's."""
    import open_clip
    for name in [*names.CLIPS.values(), *names.OPENAI.values()]:
        model, mark, tag = name.partition(":")
        assert tag in open_clip.list_pretrained_tags_by_model(model) if mark else name in weights.names()
    assert names.DISCO["diffusion_model"] in weights.names("adm")
    assert "secondary_model_imagenet_2" in weights.names("secondary")
    assert len({*names.DISCO} & {*WHOLE}) + len({*names.ANIMATION} & {*WHOLE}) + 1 == len(WHOLE)


def test_unknown_networks_are_kept_and_refused_where_they_are_loaded(read):
    from helpers.networks import adm
    values, _ = read(diffusion_model="512x512_diffusion_uncond_finetune_08100")
    assert values["model"] == Settings.of(**values).model
    assert refusal(adm.load, values["model"]) == (
        "no adm called '512x512_diffusion_uncond_finetune_08100'; did you mean "
        "'512x512_diffusion_uncond_finetune_008100'?")
    values, _ = read("text_prompts: fog\nclip_models: ['ViT-B-32::laion2b_e61']\n")
    assert refusal(perceptors.load, values["perceptors"]).startswith(
        "no tag of ViT-B-32 in open_clip called 'laion2b_e61'; did you mean 'laion2b_e16'?")
    values, _ = read(diffusion_sampling_mode="stsp")
    assert refusal(Settings.from_dict, values).startswith("sampler is 'stsp'; choose one of 'ddim', 'plms'")


UPRIGHT = "use the file as it was saved"
PLAIN = "settings are text, numbers and lists"


@pytest.mark.parametrize("name, text, said", [
    ("a.txt", "[1, 2]", "holds a list; settings are names with values: give the _settings.txt of a picture"),
    ("a.yml", "", "holds nothing; settings are names with values: give the _settings.txt of a picture"),
    ("a.yml", "fog", "holds text; settings are names with values: give the _settings.txt of a picture"),
    ("a.json", "3", "holds 3; settings are names with values: give the _settings.txt of a picture"),
    ("a.txt", "", "cannot be read as JSON; the reader says 'Expecting value: line 1 column 1 (char 0)': "
                  f"{UPRIGHT}"),
    ("a.txt", "{'steps': 3}", "cannot be read as JSON; the reader says 'Expecting property name enclosed in "
                              f"double quotes: line 1 column 2 (char 1)': {UPRIGHT}"),
    ("a.yml", "a: [1", "cannot be read as YAML; the reader says 'while parsing a flow sequence': "
                       f"{UPRIGHT}"),
    ("a.yml", "a: !!bool x", f"cannot be read as YAML; the reader says \"'x'\": {UPRIGHT}"),
    ("a.yml", "[1]: 2", "cannot be read as YAML; the reader says 'while constructing a mapping': " + UPRIGHT),
    ("a.txt", '{"steps": ' + "9" * 5000 + "}", "cannot be read as JSON; the reader says 'Exceeds the limit "
     "(4300 digits) for integer string conversion: value has 5000 di': " + UPRIGHT),
    ("a.txt", " " * 10**7, "is larger than 500 kB; settings are a few pages of text: give the _settings.txt "
                           "of a picture"),
    ("a.yml", "#" * 10**7, "is larger than 100 kB; settings are a few pages of text: give the _settings.txt "
                           "of a picture"),
    ("a.txt", "[" * 100_000, f"is nested too deep; {PLAIN}, 12 levels at most: {UPRIGHT}"),
    ("a.yml", "[" * 90_000, f"is nested too deep; {PLAIN}, 12 levels at most: {UPRIGHT}"),
    ("a.txt", '{"steps": ' + "[" * 20 + "]" * 20 + "}", f"is nested too deep; {PLAIN}, 12 levels at most: "
                                                        f"{UPRIGHT}"),
    ("a.txt", b"\x89PNG\r\n\x1a\n\0\xff", "is no text; settings are JSON or YAML in UTF-8: for a picture "
                                          "painted here, python -m helpers again"),
    ("a.txt", '{"steps": 3}'.encode("utf-16-le"), "is no text; settings are JSON or YAML in UTF-8: for a "
                                                  "picture painted here, python -m helpers again"),
    ("a.yml", "a: &x [1]\nb: *x", f"has the alias *x; {PLAIN}: write out what it stands for"),
    ("a.yml", "a: &a [1]\nb: &b [*a,*a]\nc: [*b,*b]", f"has the alias *a; {PLAIN}: write out what it stands "
                                                      "for"),
    ("a.yml", "a: !!python/object/apply:os.system ['touch owned']",
     f"has the tag 'tag:yaml.org,2002:python/object/apply:os.system'; {PLAIN}: take that line out"),
    ("a.yml", "a: !mine 3", f"has the tag '!mine'; {PLAIN}: take that line out"),
    ("a.txt", '{"some": "thing"}', "has no settings of Disco Diffusion; they have names such as text_prompts "
                                   "and clip_guidance_scale: give the _settings.txt of a picture"),
])
def test_files_that_are_none(tmp_path, name, text, said):
    path = saved(tmp_path, text, name)
    assert refusal(runs.load, path) == f"'{path}' {said}"


def test_files_that_are_not_there(tmp_path):
    path = saved(tmp_path, WHOLE)
    assert refusal(runs.load, tmp_path / "none.yml") == (
        f"there is no file '{tmp_path / 'none.yml'}'; settings are the path of a file: check it")
    assert refusal(runs.load, tmp_path / "old_setting.txt") == (
        f"there is no file '{tmp_path / 'old_setting.txt'}'; did you mean '{path}'?")
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + json.dumps({"steps": 20}).encode())
    assert runs.load(tmp_path / "a.txt").steps == 20, "a mark of Windows' editors is none"


LIST = "a list is written as '[12]*400+[4]*600': try '0: 1, 0.5: 0.2'"


@pytest.mark.parametrize("changed, said", [
    ({"cut_overview": "[12]*400"}, "cut_overview has 400 numbers in '[12]*400'; a list has one for each of "
     "1000 noise levels: let the counts sum to 1000, or try '0: 1, 0.5: 0.2'"),
    ({"cut_innercut": "[4]*400+__import__('os').system('true')"}, "cut_innercut has \"__import__('os')."
     f"system('true')\" in \"[4]*400+__import__('os').system('true')\"; {LIST}"),
    ({"cut_ic_pow": "(1)"}, "cut_ic_pow is '(1)'; a schedule is a number or keyframes of progress and value: "
                            "try '0: 1, 0.5: 0.2'"),
    ({"cut_icgray_p": {"a": 1}}, "cut_icgray_p is {'a': 1}; a schedule is a number or keyframes of progress "
                                 "and value: try '0: 1, 0.5: 0.2'"),
    ({"clip_guidance_scale": "many"}, "clip_guidance_scale is 'many'; a schedule is a number or keyframes of "
                                      "progress and value: try '0: 1, 0.5: 0.2'"),
    ({"tv_scale": 10**400}, "tv_scale is '1" + "0" * 58 + "…'; it must be a number"),
    ({"eta": math.nan}, "eta is 'nan'; it must be a number"), ({"eta": True}, "eta is 'True'; it must be a "
                                                                              "number"),
    ({"steps": 2.5}, "steps is 2.5; it must be a whole number: try 2"),
    ({"seed": "seven"}, "seed is 'seven'; it must be a number"),
    ({"skip_steps": "some%"}, "skip_steps is 'some'; it must be a number"),
    ({"ViTB32": "maybe"}, "ViTB32 is 'maybe'; it must be True or False: try True"),
    ({"width_height": 512}, "width_height is '512'; it is a width and a height: try [1280, 768]"),
    ({"text_prompts": {"now": ["fog"]}}, "a frame of text_prompts is 'now'; it must be a number"),
    ({"text_prompts": [["fog"]]}, "text_prompts has \"['fog']\"; each is words, perhaps with a weight: "
                                  "put it in quotes: 'fog:0.5'"),
    ({"text_prompts": [{"fog": 5}]}, "text_prompts has \"{'fog': 5}\"; each is words, perhaps with a weight: "
                                     "put it in quotes: 'fog:0.5'"),
    ({"text_prompts": [":5"]}, "text_prompts has ':5'; a weight comes after words: try 'fog:0.5'"),
    ({"text_prompts": {"version": "2", "prompts": []}}, "text_prompts has the version 2; 1 is the only one "
                                                        "there was: write a list of prompts"),
    ({"text_prompts": {"prompts": [{"text": "fog", "weight": "[1]*5"}]}}, "a weight of text_prompts has 5 "
     "numbers in '[1]*5'; a list has one for each of 1000 noise levels: let the counts sum to 1000, or "
     "try '0: 1, 0.5: 0.2'"),
    ({"transformation_percent": ["x"]}, "transformation_percent is 'x'; it must be a number"),
    ({"clip_models": ["RN50"], "clip_models_schedules": [1]}, "clip_models_schedules is '[1]'; it has a "
     "schedule for each name: try {'RN50::openai': '[True]*500+[False]*500'}"),
])
def test_settings_that_cannot_be(read, changed, said):
    assert refusal(lambda: read(**changed)) == said


@pytest.mark.parametrize("value", [None, "", "x", 0, -1, 1e300, True, [], [None], {}, {"0": None}, "\ud800",
                                   "\x1b[31m", {"prompts": None}, "%", ":"])
@pytest.mark.parametrize("key", [*WHOLE, "width_height", "clip_models", "clip_models_schedules", "batch_size",
                                 "intermediate_saves", "display_rate", "strange"])
def test_nothing_but_refusals(read, key, value):
    """Whatever stands where, it is read or refused."""
    try:
        values, lines = read(**{key: value})
        Settings.from_dict(values)
        assert all(line.isprintable() for line in lines)
    except Refused as refused:
        assert len(str(refused)) < 400


@pytest.fixture
def begun(monkeypatch):
    """What is about to be painted: (system, settings) of every run, which ends there."""
    asked = []
    monkeypatch.setattr(cli, "begin", lambda name, settings, *_, **__: asked.append((name, settings)) or 0)
    return asked


def test_painting_with_old_settings(tmp_path, run, begun, caplog):
    path = saved(tmp_path, WHOLE)
    assert run("paint", "--from", str(path), "--steps", "20", "fog")[0] == 0
    assert begun == [("disco_diffusion", runs.load(path).but(steps=20, prompts="fog"))]
    assert "range_scale 150: it had no effect there" in caplog.text


def test_knobs_given_beside_old_settings_count_before_any_check(tmp_path, run, begun):
    path = saved(tmp_path, WHOLE | {"cut_overview": 0, "cut_innercut": 0})
    status, out, err = run("paint", "--from", str(path))
    assert (status, out, begun) == (2, "", []) and err.endswith(
        "overview and crops are both 0; somebody has to look: try overview=4\n")
    assert run("paint", f"--from={path}", "--overview", "4", "--size", "512x256")[0] == 0
    assert (begun[0][1].overview, begun[0][1].width, begun[0][1].height) == ("4", 512, 256)


@pytest.mark.parametrize("words, said", [
    (["--system", "gan"], "--from is for disco_diffusion; no other system has its knobs: leave out --system"),
    (["--resume", "runs"], "--resume goes on with the settings of the run; it takes no other knobs: "
                           "leave them out, or paint anew without --resume"),
    (["--cut_overview", "3"], "no setting called 'cut_overview'; did you mean 'overview'?"),
])
def test_what_old_settings_do_not_go_with(tmp_path, run, begun, words, said):
    path = saved(tmp_path, WHOLE)
    assert run("paint", "--from", str(path), *words) == (2, "", said + "\n") and not begun


def test_what_is_not_kept_goes_to_the_standard_error(tmp_path):
    path = saved(tmp_path, WHOLE | {"strange_knob": 3})
    done = subprocess.run([sys.executable, "-m", "helpers", "settings", str(path), "--json"],
                          cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert json.loads(done.stdout) == {"system": "disco_diffusion", "settings": runs.load(path).to_dict()}
    assert f"{path.name}: strange_knob 3: " in done.stderr and "Traceback" not in done.stderr


def test_the_lines_of_python_of_old_settings(tmp_path, run, monkeypatch):
    path, painted = saved(tmp_path, WHOLE), []
    monkeypatch.setattr(runs, "start", lambda *asked: painted.append(asked) or Still())
    monkeypatch.setattr(runs, "record", lambda painting, run: painting)
    status, out, _ = run("settings", str(path), "--python")
    runpy.run_path(lines_in(tmp_path, out))
    assert status == 0 and painted == [("disco_diffusion", runs.load(path))]
    assert "init_image" not in out, "only what differs from the defaults"


def lines_in(folder, text):
    """A program of these lines; its path."""
    (folder / "lines.py").write_text(text)
    return str(folder / "lines.py")


class Still:
    def paint(self):
        return iter(())


def test_the_lines_of_python_of_a_picture(tmp_path, run, monkeypatch):
    """They paint the very same picture, with what was turned on the way."""
    monkeypatch.setitem(systems.SYSTEMS, "small_system", "small_system")
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path))
    first = runs.start("small_system", systems.load("small_system").Settings(prompts='a "red" boat', seed=7))
    painting = first.paint()
    for frame in runs.record(painting, first):
        if frame.step == 4:
            first.turn(painting, contrast=3.0)
    for path in (first.picture, first.folder, first.folder / "manifest.json"):
        status, out, _ = run("settings", str(path), "--python")
        lines = runpy.run_path(lines_in(tmp_path, out))
        assert status == 0 and lines["settings"] == runs.load(first.folder)
        assert runs.turns(lines["run"].folder) == runs.turns(first.folder) != []
        assert Image.open(lines["run"].picture).tobytes() == Image.open(first.picture).tobytes()


def test_defaults_need_no_lines(tmp_path, monkeypatch):
    monkeypatch.setitem(systems.SYSTEMS, "small_system", "small_system")
    run = runs.start("small_system", systems.load("small_system").Settings(), tmp_path)
    assert runs.script(run.folder) == (
        "from helpers import runs\nfrom small_system import Settings\n\nsettings = Settings.of()\n"
        "run = runs.start('small_system', settings)\nfor frame in runs.record(run.paint(), run):\n    pass")
