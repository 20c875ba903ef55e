"""Settings of Disco Diffusion and discoart, taken up without a word lost."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from helpers import cli, old_disco, old_settings, runs, systems
from helpers.errors import Refused
from helpers.systems.disco_diffusion import Settings

# A whole _settings.txt of Disco Diffusion 5, as its table of settings has it.
DISCO = {
    "text_prompts": {"0": ["A lighthouse: a painting by greg", "yellow color scheme:2"], "100": ["Later"]},
    "image_prompts": {}, "clip_guidance_scale": 5000, "tv_scale": 100, "range_scale": 150, "sat_scale": 0,
    "cutn_batches": 4, "max_frames": 10000, "interp_spline": "Linear", "init_image": None, "init_scale": 1000,
    "skip_steps": 10, "frames_scale": 1500, "frames_skip_steps": "60%", "perlin_init": False,
    "perlin_mode": "mixed", "skip_augs": False, "randomize_class": True, "clip_denoised": False,
    "clamp_grad": True, "clamp_max": 0.05, "seed": 3393225468, "fuzzy_prompt": False, "rand_mag": 0.05,
    "eta": 0.8, "width": 1290, "height": 768, "diffusion_model": "512x512_diffusion_uncond_finetune_008100",
    "use_secondary_model": True, "steps": 250, "diffusion_steps": 1000, "diffusion_sampling_mode": "ddim",
    "ViTB32": True, "ViTB16": True, "ViTL14": False, "ViTL14_336px": False, "RN101": False, "RN50": True,
    "RN50x4": False, "RN50x16": False, "RN50x64": False, "ViTB32_laion2b_e16": False,
    "ViTB32_laion400m_e31": False, "ViTB32_laion400m_32": True, "ViTB32quickgelu_laion400m_e31": False,
    "ViTB32quickgelu_laion400m_e32": False, "ViTB16_laion400m_e31": False, "ViTB16_laion400m_e32": False,
    "RN50_yffcc15m": False, "RN50_cc12m": False, "RN50_quickgelu_yfcc15m": False,
    "RN50_quickgelu_cc12m": False, "RN101_yfcc15m": False, "RN101_quickgelu_yfcc15m": False,
    "cut_overview": "[12]*400+[4]*600", "cut_innercut": "[4]*400+[12]*600", "cut_ic_pow": "[12]*300+[1]*700",
    "cut_icgray_p": "[0.2]*400+[0]*600", "key_frames": True, "angle": "0:(0)", "zoom": "0: (1), 10: (1.05)",
    "translation_x": "0: (0)", "translation_y": "0: (0)", "translation_z": "0: (10.0)",
    "rotation_3d_x": "0: (0)", "rotation_3d_y": "0: (0)", "rotation_3d_z": "0: (0)",
    "midas_depth_model": "dpt_large", "midas_weight": 0.3, "near_plane": 200, "far_plane": 10000, "fov": 40,
    "padding_mode": "border", "sampling_mode": "bicubic", "video_init_path": "init.mp4",
    "extract_nth_frame": 2, "video_init_seed_continuity": False, "turbo_mode": False, "turbo_steps": "3",
    "turbo_preroll": 10, "use_horizontal_symmetry": True, "use_vertical_symmetry": False,
    "transformation_percent": [0.09], "video_init_steps": 100, "video_init_clip_guidance_scale": 1000,
    "video_init_tv_scale": 0.1, "video_init_range_scale": 150, "video_init_sat_scale": 300,
    "video_init_cutn_batches": 4, "video_init_skip_steps": 50, "video_init_frames_scale": 15000,
    "video_init_frames_skip_steps": "70%", "video_init_flow_warp": True, "video_init_flow_blend": 0.999,
    "video_init_check_consistency": False, "video_init_blend_mode": "optical flow"}


def saved(tmp_path, what, name="old_settings.txt"):
    path = tmp_path / name
    path.write_text(what if isinstance(what, str) else json.dumps(what))
    return path


def read(tmp_path, **changed):
    return old_settings.read(saved(tmp_path, DISCO | changed))


def test_a_settings_file_of_disco_diffusion(tmp_path, caplog):
    path = saved(tmp_path, DISCO)
    with caplog.at_level(logging.WARNING):
        settings = runs.load(path)
    assert isinstance(settings, Settings) and runs.turns(path) == []
    assert settings.prompts == ("A lighthouse: a painting by greg:0.333333 | yellow color scheme:0.666667")
    assert settings.perceptors == "ViT-B/32, ViT-B/16, RN50, ViT-B-32:laion400m_e32"
    assert settings.overview == "[12]*400+[4]*600" and settings.crop_power == "[12]*300+[1]*700"
    assert (settings.steps, settings.skip, settings.seed, settings.batches) == (250, 10, 3393225468, "4")
    assert (settings.mirror, settings.folds()) == ("left-right", [22])
    assert (settings.width, settings.height, settings.through) == (1280, 768, "secondary")
    assert settings.guidance_scale == "20000", "summed over four perceptors there, a mean here"
    assert float(settings.smoothness) == pytest.approx(100 / 2.5 / 20000)
    for said in ("width 1290: it went down to a multiple of 64, 1280", "animation comes later",
                 "range_scale 150: it had no effect in Disco Diffusion", "of no effect on a still"):
        assert said in caplog.text, said


def test_no_key_is_lost(tmp_path):
    """Whatever is taken away from the file shows: in the knobs, or in the notes."""
    values, notes = read(tmp_path)
    reading = old_disco.Reading(dict(DISCO))
    reading.result()
    mentioned = " ".join(notes)
    for name in DISCO:
        taken = name not in reading.left
        assert taken or name in mentioned, name
    assert "strange_knob" in " ".join(read(tmp_path, strange_knob=3)[1])
    assert values == old_settings.read(saved(tmp_path, {**DISCO}))[0]


@pytest.mark.parametrize("changed, knobs", [
    ({"perlin_init": True, "perlin_mode": "gray"}, {"perlin": "gray"}),
    ({"init_image": "a.png"}, {"init_image": "a.png", "init_likeness": str(1000 / 20000)}),
    ({"clamp_grad": False}, {"clamp": 0}), ({"clip_denoised": True}, {"threshold": 0}),
    ({"fuzzy_prompt": True}, {"fuzzy": 0.05}), ({"skip_augs": True}, {"augment": "", "look_noise": 0}),
    ({"use_secondary_model": False}, {"through": "network"}),
    ({"intermediate_saves": [10, 20]}, {"save_at": "10, 20"}), ({"intermediate_saves": 4}, {"every": 50}),
    ({"use_vertical_symmetry": True}, {"mirror": "both", "mirror_at": "0.09"}),
    ({"cut_overview": [3] * 1000}, {"overview": "[3]*1000"}),
    ({"text_prompts": {"0": ["a|b", "c:-0.5"]}}, {"prompts": "a, b:2 | c:-1"}),
    ({"text_prompts": {"0": ["a:1", "b:-1"]}}, {"prompts": "a:0.5 | b:-0.5"}),
    ({"seed": "random_seed"}, {}),
])
def test_single_settings(tmp_path, changed, knobs):
    values, _ = read(tmp_path, **changed)
    assert {name: values[name] for name in knobs} == knobs
    if "init_image" not in changed:
        Settings.from_dict(values)


def test_a_yaml_of_discoart(tmp_path):
    path = saved(tmp_path, """
text_prompts: [a cathedral of ice, "fog:0.5"]
clip_models: ["ViT-B-32::openai", "RN50::openai", "ViT-B-16-plus-240::laion400m_e32"]
clip_models_schedules: {"RN50::openai": "[True]*400+[False]*600"}
width_height: [512, 448]
clip_guidance_scale: "[1000]*500+[4000]*500"
batch_size: 2
name_docarray: my-art
steps: 100
skip_steps: 0
""", "art.yml")
    values, notes = old_settings.read(path)
    settings = Settings.from_dict(values)
    assert settings.perceptors == "ViT-B/32, RN50, ViT-B-16-plus-240:laion400m_e32"
    assert settings.perceptor_weights == "1 | [1]*400+[0]*600 | 1"
    assert settings.guidance_scale == "[3000]*500+[12000]*500" and settings.pictures == 2
    assert "name_docarray my-art: there is no counterpart" in notes


@pytest.mark.parametrize("text, said", [
    ("[1, 2]", "holds a list; settings are names and values: check the file"),
    ("{not json", "is neither JSON nor YAML; "),
    ("{" * 5000, "is neither JSON nor YAML; "),
    ("[" * 100_000, "is neither JSON nor YAML; "),
    ("x" * 600_000, "has 600000 bytes; settings have 500000 at most: check the file"),
    ("a: &x [1]\nb: *x", "is neither JSON nor YAML; aliases are not read: check the file"),
    ("a: !!python/object/apply:os.system ['true']", "is neither JSON nor YAML; "),
    ('{"some": "thing"}', "holds no settings of Disco Diffusion; it knows none of its names: give a "
     "_settings.txt, or a YAML of discoart"),
])
def test_files_that_are_none(tmp_path, text, said):
    path = saved(tmp_path, text)
    with pytest.raises(Refused) as refusal:
        runs.load(path)
    assert str(refusal.value).startswith(f"{path} {said}")


def test_files_that_cannot_be_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xff\xfe\x00")
    for where in (path, tmp_path / "none.json"):
        with pytest.raises(Refused, match="cannot be read; settings are a text file: check the path"):
            old_settings.read(where)


@pytest.mark.parametrize("changed, said", [
    ({"cut_overview": "[12]*400"}, "cut_overview has 400 numbers in '[12]*400'; a list has one for each of "
     "1000 noise levels: let the counts sum to 1000, or try '0: 1, 0.5: 0.2'"),
    ({"cut_innercut": "[4]*400+__import__('os').system('true')"}, "cut_innercut has "),
    ({"seed": "seven"}, "seed is 'seven'; it must be a whole number: correct the file"),
    ({name: False for name in DISCO if DISCO[name] is True}, "no CLIP model is on; somebody has to look: "
     "turn one on, such as ViTB32"),
])
def test_settings_that_cannot_be(tmp_path, changed, said):
    with pytest.raises(Refused) as refusal:
        read(tmp_path, **changed)
    assert str(refusal.value).startswith(said)


def test_unknown_networks_are_refused_by_name_before_any_work(tmp_path):
    values, _ = read(tmp_path, diffusion_model="512x512_difusion")
    assert values["model"] == "512x512_difusion"
    from helpers.networks import adm
    with pytest.raises(Refused, match="no adm called '512x512_difusion'"):
        adm.load(values["model"])
    assert Path(saved(tmp_path, DISCO)).exists()


@pytest.fixture
def run(capsys):
    """(status, stdout, stderr) of a command."""
    def run(*words):
        status = cli.main(list(words))
        said = capsys.readouterr()
        return status, said.out, said.err
    return run


@pytest.fixture
def begun(monkeypatch):
    """What is about to be painted: (system, settings) of every run, which ends there."""
    asked = []
    monkeypatch.setattr(cli, "begin", lambda name, settings, *_, **__: asked.append((name, settings)) or 0)
    return asked


def test_painting_with_old_settings(tmp_path, run, begun, caplog):
    path = saved(tmp_path, DISCO)
    assert run("paint", "--from", str(path), "--steps", "20", "fog")[0] == 0
    assert begun == [("disco_diffusion", runs.load(path).but(steps=20, prompts="fog"))]
    assert "range_scale 150: it had no effect in Disco Diffusion" in caplog.text


def test_knobs_given_beside_old_settings_count_before_any_check(tmp_path, run, begun):
    path = saved(tmp_path, DISCO | {"width": 4096})
    assert run("paint", "--from", str(path)) == (2, "", "width is 4096; it must be between 32 and 2048: "
                                                        "try 2048\n") and not begun
    assert run("paint", f"--from={path}", "--size", "512x256")[0] == 0
    assert (begun[0][1].width, begun[0][1].height) == (512, 256)


@pytest.mark.parametrize("words, said", [
    (["--system", "gan"], "--from is for disco_diffusion; no other system has its knobs: leave out --system"),
    (["--resume", "runs"], "--resume goes on with the settings of the run; it takes no other knobs: "
                           "leave them out, or paint anew without --resume"),
    (["--cut_overview", "3"], "no setting called 'cut_overview'; did you mean 'overview'?"),
])
def test_what_old_settings_do_not_go_with(tmp_path, run, begun, words, said):
    path = saved(tmp_path, DISCO)
    assert run("paint", "--from", str(path), *words) == (2, "", said + "\n") and not begun


def test_what_is_not_kept_goes_to_the_standard_error(tmp_path):
    path = saved(tmp_path, DISCO | {"strange_knob": 3})
    done = subprocess.run([sys.executable, "-m", "helpers", "settings", str(path), "--json"],
                          cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert json.loads(done.stdout) == {"system": "disco_diffusion", "settings": runs.load(path).to_dict()}
    assert f"{path.name}: strange_knob 3: " in done.stderr and "Traceback" not in done.stderr


def test_the_lines_of_python_of_old_settings(tmp_path, run, monkeypatch):
    path, painted = saved(tmp_path, DISCO), []
    monkeypatch.setattr(runs, "start", lambda *asked: painted.append(asked) or Still())
    monkeypatch.setattr(runs, "record", lambda painting, run: painting)
    status, out, _ = run("settings", str(path), "--python")
    exec(out, {})
    assert status == 0 and painted == [("disco_diffusion", runs.load(path))]
    assert "init_image" not in out, "only what differs from the defaults"


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
        lines = {}
        exec(out, lines)
        assert status == 0 and lines["settings"] == runs.load(first.folder)
        assert runs.turns(lines["run"].folder) == runs.turns(first.folder) != []
        assert Image.open(lines["run"].picture).tobytes() == Image.open(first.picture).tobytes()


def test_defaults_need_no_lines(tmp_path, monkeypatch):
    monkeypatch.setitem(systems.SYSTEMS, "small_system", "small_system")
    run = runs.start("small_system", systems.load("small_system").Settings(), tmp_path)
    assert runs.script(run.folder) == (
        "from helpers import runs\nfrom small_system import Settings\n\nsettings = Settings.of()\n"
        "run = runs.start('small_system', settings)\nfor frame in runs.record(run.paint(), run):\n    pass")
