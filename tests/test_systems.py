"""Every system, end to end, on stand-ins for its trained networks (seconds; the pictures are of nothing)."""

import importlib
import re

import numpy as np
import pytest
import stand_ins
import torch
from PIL import Image
from stand_ins import half, photo

from helpers import frames, images, loop, states, systems, vocabulary
from helpers.errors import Refused
from helpers.settings import knobs
from helpers.systems import diffused, guided


# Those that a guide leads; the others have tests of their own.
SYSTEMS = {name: path for name, path in systems.SYSTEMS.items()
           if issubclass(systems.load(name).Settings, guided.Guided)}


DIFFUSIONS = [name for name in SYSTEMS if issubclass(systems.load(name).Settings, diffused.Diffused)]


@pytest.fixture(autouse=True)
def eyes(monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    return stand_ins.install(monkeypatch)


def settings_of(name):
    return importlib.import_module(SYSTEMS[name]).Settings


def small(name, **values):
    """Settings of a small run: every look kept."""
    module = systems.load(name)
    base = module.Settings().rehearsal().to_dict() | {"prompts": "moon | sea:-0.3"}
    return module.Settings.from_dict(base | values)


def picture(name, **values):
    return list(systems.load(name).paint(small(name, **values)))[-1].image


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_rehearsal_touches_everything_in_no_time(name):
    frames = [frame for frame in systems.load(name).paint(small(name)) if frame.step]
    assert [frame.step for frame in frames] == [1, 2, 3]
    settings = small(name)
    assert frames[-1].image.shape == (1, 3, settings.height, settings.width)
    assert "prompts" in frames[-1].losses


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_same_seed_the_same_picture(name):
    assert torch.equal(picture(name, seed=3), picture(name, seed=3))
    assert not torch.equal(picture(name, seed=3), picture(name, seed=4))


# What each knob needs to matter, and the value it is turned to. Anything missing here is doubled or switched.
STORY = {"prompts": "moon ^ sea", "steps": 4}
FILM = {"film": 3, "steps": 2}
TURNED = {
    "prompts": ({}, "castle"), "every": None, "device": None, "memory": None,
    "perceptors": ({}, "disco-darknet"), "seed": ({}, 9),
    "width": ({}, 96), "height": ({}, 96), "image_prompts": ({}, photo(1)), "noise_prompts": ({}, "7:0.5"),
    "prompt_weights": ({}, "0: 1, 1: 0.5 | 2"), "perceptor_weights": ({}, "1 | 0"),
    "perceptor_looks": ({}, "1 | 0: 3, 1: 0.2"),
    "fuzzy": ({}, 0.1), "save_at": None, "tiles": ({"init_image": photo(2)}, 2), "most_pull": ({}, 0.01),
    "repeats": ({}, "3"),
    "story_every": (STORY, 1), "story_at": (STORY, "1"), "target_image": ({}, photo(1)),
          "target_weight": ({"target_image": photo(1)}, "9"),
    "stride": ({}, 2), "overview": ({}, 7), "crops": ({}, 9), "smallest_crop": ({}, "0.1"),
    "largest_crop": ({}, "0.6"),
    "crop_power": ({}, "3"), "crop_sizes": ({}, "bell"), "crop_mean": ({"crop_sizes": "bell"}, 0.4),
    "crop_spread": ({"crop_sizes": "bell"}, 0.02), "center": ({}, "5"), "augment": ({}, "flip, erase"),
    "look_noise": ({}, "0.3"), "averaging": ({}, 0.8), "smoothness": ({}, "5"),
    "rivalry": ({"prompts": "a red car"}, "5"), "arrange": ({"prompts": "a car over a boat"}, 0.9),
    "smooth_edges": ({"smoothness": "5"}, "log"), "smooth_blur": ({"smoothness": "5"}, 2.0),
    "saturation": ({}, "3"), "symmetry": ({}, "5"),
    "symmetry_axis": ({"symmetry": "5"}, "both"), "palette": ({}, "red, blue"),
    "palette_weight": ({"palette": "red, blue"}, "20"), "edge": ({}, "5"),
          "edge_color": ({"edge": "5"}, "red"),
    "edge_picture": ({"edge": "5"}, photo(3)), "edge_width": ({"edge": "5"}, 0.3),
    "edge_sides": ({"edge": "5"}, "left, top"),
    "init_image": ({}, photo(2)), "init_weight": ({"init_image": photo(2)}, "20"),
    "init_likeness": ({"init_image": photo(2)}, "9"),
    "init_decay": ({"init_image": photo(2), "init_weight": "20"}, 1.0),
    "init_grain": ({"init_image": photo(2)}, 0.5),
    "mask": ({"init_image": photo(2)}, half()),
    "mask_softness": ({"init_image": photo(2), "mask": half()}, 8), "learning_rate": ({}, "0.01"),
    "patience": ({"steps": 6, "learning_rate": "0.00001"}, 1),
    "weight_decay": ({}, 0.5), "encoding": "file",
    "optimizer": ({}, "RMSprop"), "ema": ({}, 0.2),
    "prior": ({}, "90"), "prior_model": ({"prior": "90"}, ""),
    # DeepDaze
    "layers": ({}, 5), "hidden": ({}, 48), "w0": ({}, 60.0), "theta": ({}, 20.0),
    "prime_steps": ({"init_image": photo(2)}, 9), "prime_rate": ({"init_image": photo(2)}, 1e-3),
    "story": ({"prompts": "one two three. four five six seven", "steps": 4}, "words"),
    "story_start": ({"prompts": "a b c d e f g h i j k l", "story": "words", "steps": 4}, 2),
    "story_words": ({"prompts": "a b c d e f g h i j k l", "story": "words", "steps": 4}, 1),
    "story_separator": ({"prompts": "one two. three; four", "story": "sentences", "steps": 4}, ";"),
    # BigSleep
    "pictures": ({}, 2), "truncation": ({}, 0.4), "start_class": ({}, "Boat"), "gan": None,
    "max_classes": ({}, 2), "class_temperature": ({"max_classes": 2}, 0.5), "latent_pull": ({}, 9.0),
    "class_pull": ({}, 9.0), "best": ({"steps": 30, "learning_rate": "0.5", "ema": 0}, True),
    "search": ({}, 0),
    "latents": "file", "fit_steps": ({"init_image": photo(2)}, 9),
    # VQGAN-CLIP
    "drawer": ({}, "fft"), "vqgan": None, "codes": ({}, "free"), "code_pull": ({"codes": "free"}, 5.0),
    "start": ({}, "gradient"), "cell": ({"drawer": "chunky pixels"}, 5),
          "wave_decay": ({"drawer": "fft"}, 2.0),
    "wave_colors": ({"drawer": "fft"}, 3.0), "film": ({}, 3), "frame_steps": (FILM, 3), "zoom": (FILM, "1.2"),
    "rotate": (FILM, "20"), "shift_x": (FILM, "5"), "shift_y": (FILM, "5"), "film_smoothing": (FILM, 0.7),
    # Guided diffusion
    "guidance_scale": ({}, "5"), "skip": ({"init_image": photo(2)}, 2), "model": None,
    "kind": ({"model": "of classes", "kind": "cat"}, "dog"),
    "kind_scale": ({"model": "of anything", "kind": "cat"}, "5"),
    "sampler": ({}, "dpmpp_2m"), "eta": ({}, 0.3),
    "noise_levels": ({}, "karras"), "through": ({}, "guess"), "secondary": None,
    "guide_every": ({}, "2"), "batches": ({}, "2"), "clamp": ({}, "0.001"), "even_light": ({}, True),
    "threshold": ({}, "0.6"), "range": ({}, "50"), "classifier": ({"prompts": "a cat"}, "any"),
    "classifier_scale": ({"prompts": "a cat", "classifier": "any"}, "9"),
    "autoguidance": ({}, "1"),
    "gray_crops": ({}, "1"), "upscaler": ({}, "any"), "perlin": ({}, "color"), "mirror": ({}, "both"),
    "mirror_at": ({"mirror": "both"}, "60%"),
    "classifier_kind": ({"prompts": "a cat", "classifier": "any"}, "dog"),
    "frames": "folder", "frame_weight": ({"frames": "folder"}, "50"),
    "frame_likeness": ({"frames": "folder"}, 5.0),
}
PLAIN = {}      # pictures before any knob was turned
CASES = [(name, knob) for name in SYSTEMS for knob in knobs(settings_of(name))
         if TURNED.get(knob, ()) is not None]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("frames")
    for i in range(3):
        Image.fromarray(photo(10 + i)).save(path / f"{i}.png")
    np.save(path / "row.npy", np.arange(12.0))
    rng = torch.Generator().manual_seed(8)
    latents = {"z": torch.randn(1, 3, 6, generator=rng), "scores": torch.randn(1, 3, 4, generator=rng)}
    states.save(path / "checkpoint.safetensors", {"canvas": latents})
    return str(path)


@pytest.mark.parametrize("name, knob", CASES)
def test_every_knob_is_alive(name, knob, folder):
    """DeepDaze shipped three knobs for years that did nothing."""
    if knob == "frames":
        given, value = {}, folder
    elif knob == "distance":
        given, value = {}, {"spherical": "cosine", "cosine": "spherical"}[small(name).distance]
    elif knob == "encoding":
        given, value = {"perceptors": "disco-resnet"}, folder + "/row.npy"
    elif knob == "latents":
        given, value = {}, folder + "/checkpoint.safetensors"
    elif knob == "steps":
        given, value = {}, 5
    else:
        given, value = TURNED[knob]
    given = {key: folder if str(text) == "folder" else text for key, text in given.items()}
    if name == "vqgan_clip":
        given = {"codes": "soft"} | given       # whose smallest move is seen; a nearest code may stay
    if (name, str(given)) not in PLAIN:
        PLAIN[name, str(given)] = picture(name, **given)
    before, after = PLAIN[name, str(given)], picture(name, **given | {knob: value})
    assert before.shape != after.shape or not torch.equal(before, after)


def test_each_knob_is_on_the_list():
    named = {knob for name in SYSTEMS for knob in knobs(settings_of(name))}
    assert named - TURNED.keys() == {"distance", "steps"}


def test_choices_are_what_there_is():
    from helpers import augment, guidance, optimizers, samplers
    from helpers.systems import optimized
    assert optimized.OPTIMIZERS == tuple(optimizers.OPTIMIZERS)
    assert diffused.SAMPLERS == tuple(samplers.SAMPLERS) and diffused.WAYS == guidance.WAYS
    assert set(guided.AUGMENTATIONS) == set(augment.AUGMENTATIONS)


@pytest.mark.parametrize("codes", ["nearest", "soft", "free", "chance"])
def test_codes(codes):
    image = picture("vqgan_clip", codes=codes, steps=5)
    assert not torch.equal(image, picture("vqgan_clip", codes=codes, steps=1))
    assert torch.equal(image, picture("vqgan_clip", codes=codes, steps=5))


def test_latents_stay_where_the_codes_are():
    painting = systems.load("vqgan_clip").paint(small("vqgan_clip", learning_rate="5", steps=4))
    list(painting)
    canvas = painting.canvas
    assert (canvas.z >= canvas.low).all() and (canvas.z <= canvas.high).all()


@pytest.mark.parametrize("name, values", [
    ("deep_daze", {}), ("vqgan_clip", {}), ("vqgan_clip", {"codes": "chance"}),
    ("big_sleep", {"pictures": 3, "max_classes": 2}), ("big_sleep", {"init_image": photo(2)}),
    ("big_sleep", {"best": True, "steps": 14, "learning_rate": "0.5"}),
    ("vqgan_clip", {"film": 4, "steps": 3, "zoom": "1.1", "film_smoothing": 0.5, "frame_steps": 2}),
    ("vqgan_clip", {"drawer": "fft", "optimizer": "DiffGrad"}), ("vqgan_clip", {"prompts": "sea ^ moon"}),
    ("vqgan_clip", {"init_image": photo(2), "mask": half(), "init_weight": "1"}),
    ("clip_guided_diffusion", {}), ("clip_guided_diffusion", {"sampler": "plms", "pictures": 2}),
    ("clip_guided_diffusion", {"sampler": "dpmpp_2m_sde", "init_image": photo(2), "skip": 1}),
    ("clip_guided_diffusion", {"model": "of classes", "through": "secondary", "guide_every": "2"})])
def test_resume_gives_the_same_pixels(name, values):
    pace = {"learning_rate": "0.05"} if "learning_rate" in knobs(settings_of(name)) else {}
    settings = small(name, **{"steps": 7} | pace | values)
    paint = systems.load(name).paint
    straight = list(paint(settings))[-1].image
    painting = paint(settings)
    for _ in range(4):
        next(painting)
    resumed = paint(settings, painting.state_dict())
    assert torch.equal(list(resumed)[-1].image, straight)


@pytest.mark.parametrize("drawer", ["vqgan", "pixels", "chunky pixels", "fft"])
@pytest.mark.parametrize("softness", [0, 8])
def test_mask_keeps_the_rest(drawer, softness):
    start = photo(2)
    image = picture("vqgan_clip", drawer=drawer, init_image=start, mask=half(), steps=5,
                    mask_softness=softness, learning_rate="0.5")
    kept = images.open(start)[..., :32]
    assert (image[..., :32] - kept).abs().max() <= 1 / 255
    assert (image[..., 40:] - images.open(start)[..., 40:]).abs().mean() > 0.01


def test_init_weight_pulls_to_the_picture_not_to_gray():
    start = photo(2)
    far, near = (picture("vqgan_clip", drawer="pixels", init_image=start, init_weight=weight, steps=40,
                         learning_rate="0.05") for weight in ("0", "100"))
    aim = images.open(start)
    assert (near - aim).abs().mean() < 0.3 * (far - aim).abs().mean()
    assert (near - aim).abs().mean() < 0.3 * (near - 0.5).abs().mean()


def test_vqgan_clip_pulls_back_to_what_it_began_with():
    """mse_withzeros, which needs no picture."""
    first, far, near = (picture("vqgan_clip", drawer="pixels", start="snow", init_weight=weight, steps=steps,
                                learning_rate=rate, ema=0)
                        for weight, steps, rate in (("0", 1, "1e-9"), ("0", 40, "0.05"), ("100", 40, "0.05")))
    assert (near - first).abs().mean() < 0.3 * (far - first).abs().mean()


@pytest.mark.parametrize("name", SYSTEMS)
def test_penalised_prompts_move_away(name, eyes):
    from helpers.cutouts import Cutouts
    # alone, as with stand-ins it is chance what another painter has in mind; the diffusions have none beside
    pace = {"learning_rate": {"deep_daze": "0.001"}.get(name, "0.1"), "ema": 0, "prior": "0"}
    pace = {"clamp": "1"} if name in DIFFUSIONS else pace

    def distance(text):
        image = picture(name, prompts=text, steps=25, crops=4, **pace)
        away = [1 - eye.encode_image(Cutouts(eye.size, 1, 0)(image)) @ eye.encode_text(["moon"]).T
                for eye in (eyes["disco-resnet"], eyes["disco-darknet"])]
        return float(sum(away).detach())
    assert distance("moon") < distance("sea:0.01") < distance("moon:-1")


def test_a_story_ends_with_its_last_scene():
    told, last = (picture("vqgan_clip", prompts=text, steps=4, codes="soft") for text in ("sea ^ moon",
                                                                                          "moon"))
    assert not torch.equal(told, last)
    painting = systems.load("deep_daze").paint(small("deep_daze", prompts="One two. Three four. Five.",
                                                     story="sentences", steps=6))
    story = next(module for module in painting.guide.modules() if type(module).__name__ == "Story")
    assert [story.scene(step / 6) for step in range(6)] == [0, 0, 1, 1, 2, 2]


def test_story_windows_count_tokens_not_letters(eyes):
    """DeepDaze cut its window at 77 letters."""
    chapters = systems.load("deep_daze").chapters
    settings = small("deep_daze", prompts=" ".join(f"extraordinarily{i}" for i in range(12)), story="words",
                     story_start=4, story_words=4)
    texts = [scene[0].text.split() for scene in chapters(settings, eyes["disco-resnet"])]
    assert [len(words) for words in texts] == [4, 8, 8] and texts[-1][-1] == "extraordinarily11"


def test_film_gives_one_picture_per_frame_and_moves():
    settings = small("vqgan_clip", film=4, steps=3, frame_steps=2, drawer="pixels", shift_x="16",
                     learning_rate="0.0001", ema=0)
    frames = list(systems.load("vqgan_clip").paint(settings))
    shown = [frame.image for frame in frames if frame.image is not None]
    assert len(frames) == 9 and len(shown) == 4
    assert torch.allclose(shown[1][..., 16:], shown[0][..., :-16], atol=0.01)
    assert torch.allclose(shown[3][..., 48:], shown[0][..., :16], atol=0.02)


def test_styled_frames_follow_their_source(folder):
    settings = small("vqgan_clip", frames=folder, steps=20, frame_steps=20, drawer="pixels",
                     frame_weight="100", learning_rate="0.05", ema=0)
    shown = [frame.image for frame in systems.load("vqgan_clip").paint(settings) if frame.image is not None]
    sources = [images.open(photo(10 + i)) for i in range(3)]
    away = torch.tensor([[(a - b).abs().mean() for b in sources] for a in shown])
    assert away.argmin(1).tolist() == [0, 1, 2] and away.diagonal().max() < 0.1


@pytest.mark.parametrize("drawer", ["vqgan", "pixels"])
def test_styled_frames_keep_the_memory_of_the_optimizer(drawer, folder):
    """nerdyrodent's began anew with every frame."""
    painting = systems.load("vqgan_clip").paint(small("vqgan_clip", frames=folder, steps=3, frame_steps=2,
                                                      drawer=drawer))
    optimizer, memories = painting.optimizer, []
    for frame in painting:
        (state,) = optimizer.state.values()
        assert painting.optimizer is optimizer and state["step"] == frame.step
        memories.append(state["exp_avg"].clone())
        if frame.step > 1:      # it is what it was, moved by the slope of this step alone
            (weights,) = painting.weights.values()
            assert torch.allclose(memories[-1], 0.9 * memories[-2] + 0.1 * weights.grad, atol=1e-6)
    assert len(memories) == 7 and memories[2].abs().max() > 0


def test_live_knobs_turn_while_painting():
    painting = systems.load("vqgan_clip").paint(small("vqgan_clip", steps=6))
    next(painting)
    painting.retune(small("vqgan_clip", steps=6, symmetry="9", learning_rate="0.001"))
    frame = next(painting)
    assert "symmetry" in frame.losses and painting.optimizer.param_groups[0]["lr"] == 0.001


def test_several_perceptors_count_as_one(eyes):
    one = systems.load("vqgan_clip").paint(small("vqgan_clip", perceptors="disco-resnet"))
    both = systems.load("vqgan_clip").paint(small("vqgan_clip"))
    assert one.networks == ["disco-resnet", "adm-world", "vqgan-world"]
    assert both.networks == ["disco-resnet", "disco-darknet", "adm-world", "vqgan-world"]
    other = systems.load("vqgan_clip").paint(small("vqgan_clip", perceptors="disco-darknet"))
    alone = [next(painting).losses["prompts"] for painting in (one, other)]
    assert next(both).losses["prompts"] == pytest.approx(sum(alone) / 2, abs=0.1), "their mean, not their sum"


def test_noise_prompts_are_seen_by_every_perceptor():
    """pixray gave them to its last one only."""
    settings = small("vqgan_clip", prompts="moon", noise_prompts="7 | 8:-1")
    guide = systems.load("vqgan_clip").paint(settings).guide
    eyes = [module for module in guide.modules() if type(module).__name__ == "Prompts"]
    assert [eye.targets.weights.tolist() for eye in eyes] == [[1, 1, -1], [1, 1, -1]]


@pytest.mark.parametrize("kind", ["prompts", "image_prompts", "noise_prompts"])
def test_each_kind_of_prompts_tells_a_story(kind, folder):
    told = {"prompts": "sea ^ moon", "image_prompts": f"{folder}/0.png ^ {folder}/1.png:0.5",
            "noise_prompts": "7 ^ 8:-1"}
    painting = systems.load("vqgan_clip").paint(small("vqgan_clip", **{"prompts": "", kind: told[kind]}))
    (story,) = [module for module in painting.guide.modules() if type(module).__name__ == "Story"]
    first, last = ([eye.targets.rows for eye in scene.modules() if type(eye).__name__ == "Prompts"]
                   for scene in story.guides)
    assert len(first) == len(last) == 2 and not any(map(torch.equal, first, last))


def test_one_story_of_three_kinds_of_prompts():
    settings = small("vqgan_clip", prompts="sea ^ moon", noise_prompts="7 ^ 8 ^ 9", story_at="1, 2")
    painting = systems.load("vqgan_clip").paint(settings)
    (story,) = [module for module in painting.guide.modules() if type(module).__name__ == "Story"]
    assert len(story.guides) == settings.scenes() == 3


@pytest.mark.parametrize("knob", ["image_prompts", "noise_prompts", "encoding"])
def test_what_may_stand_for_words_alone(knob, folder):
    value = {"image_prompts": photo(1), "noise_prompts": "7", "encoding": f"{folder}/row.npy"}[knob]
    values = {"prompts": "", knob: value, "perceptors": "disco-resnet", "steps": 30, "learning_rate": "0.1"}
    settings = small("vqgan_clip", **values)
    assert not vocabulary.check(settings)
    shown = list(systems.load("vqgan_clip").paint(settings))
    assert shown[-1].losses["prompts"] < shown[0].losses["prompts"]


def test_several_target_images_each_count():
    one, other = photo(1), photo(2)
    given = {"drawer": "pixels", "target_weight": "100", "steps": 40, "learning_rate": "0.05", "ema": 0}
    image = picture("vqgan_clip", target_image=[(one, 1.0), (other, 3.0)], **given)
    aims = images.open(one) / 4 + images.open(other) * 3 / 4
    assert (image - aims).abs().mean() < 0.3 * (image - images.open(other)).abs().mean()


def test_wide_pictures():
    assert picture("vqgan_clip", width=96, height=32).shape == (1, 3, 32, 96)
    assert picture("deep_daze", width=72, height=40).shape == (1, 3, 40, 72)


@pytest.mark.parametrize("name, values, message", [
    ("vqgan_clip", {"mask": half()}, "mask is given without init_image; a mask keeps a part of a picture: "
                                     "give that picture as init_image"),
    ("vqgan_clip", {"zoom": "1.1"},
     "zoom is set but film is 0; the camera moves from picture to picture of a "
                                    "film: try film=30"),
    ("deep_daze", {"overview": 0, "crops": 0}, "overview and crops are both 0; somebody has to look: "
                                               "try overview=4"),
    ("vqgan_clip", {"palette": "red, blu"}, "palette has 'blu'; colors are names such as navy, or #rrggbb: "
                                            "try 'navy, #ffcc00, white' or 'black->white\\5'"),
    ("vqgan_clip", {"story_every": 5},
     "story_every is set but prompts has one scene; scenes are parted by ^: "
                                       "try 'a house in the snow ^ a house on fire'"),
    ("deep_daze", {"story_at": "5"}, "story_at is set but prompts has one scene; scenes are parted by ^: "
                                     "try 'a house in the snow ^ a house on fire'"),
    ("deep_daze", {"prompts": "a ^ b", "story_at": "30, 9"},
     "story_at is '30, 9'; it takes rising whole numbers above 0: try '30, 75'"),
    ("deep_daze", {"prompts": "a ^ b", "story_at": "soon"},
     "story_at is 'soon'; it takes rising whole numbers above 0: try '30, 75'"),
    ("vqgan_clip", {"prompts": "a ^ b ^ c", "story_at": "3"},
     "story_at has 1 of 2 beginnings; the first of the 3 scenes begins by itself, each other one needs its "
     "own: try '30, 75'"),
    ("deep_daze", {"prompts": "a ^ b", "steps": 30, "story_at": "30"},
     "story_at is '30'; the end comes after 30 steps: try earlier beginnings"),
    ("vqgan_clip", {"prompts": "a ^ b", "film": 4, "story_at": "4"},
     "story_at is '4'; the end comes after 4 pictures: try earlier beginnings"),
    ("vqgan_clip", {"init_grain": 0.5}, "init_grain is set without init_image; it is laid over the picture "
     "to start from: give that picture as init_image"),
    ("vqgan_clip", {"edge_sides": " ,"}, "edge_sides is empty; a border has a side at least: "
     "try 'left, right'"),
    ("vqgan_clip", {"frames": "folder", "init_weight": "2"}, "init_weight is set without init_image; it "
     "pulls back to the picture to start from: give that picture as init_image"),
    ("disco_diffusion", {"init_weight": "0: 0, 1: 2"}, "init_weight is set without init_image; it pulls back "
     "to the picture to start from: give that picture as init_image"),
    ("deep_daze", {"target_image": "a.png ^ b.png"}, "target_image is 'a.png ^ b.png'; its pictures hold all "
     "the time, without scenes, starts and stops: try 'a.png | b.png:0.5'"),
    ("deep_daze", {"target_image": "a.png:1:0.2"}, "target_image is 'a.png:1:0.2'; its pictures hold all "
     "the time, without scenes, starts and stops: try 'a.png | b.png:0.5'"),
    ("big_sleep", {"prompts": "a ^ b", "best": True},
     "best is set for a story; its scenes want different pictures: leave best off, or the ^ out of prompts"),
    ("deep_daze", {"prompts": "a ^ b", "story_at": "3", "story_every": 2},
     "story_every and story_at are both set; either says when scenes change: leave story_every at 0"),
])
def test_refusals(name, values, message):
    with pytest.raises(Refused) as refusal:
        small(name, **values)
    assert str(refusal.value) == message


def test_scenes_of_a_film_begin_with_its_pictures():
    film = small("vqgan_clip", prompts="a ^ b ^ c", film=4, steps=7, frame_steps=3, story_at="1, 3")
    assert film.beginnings() == [7, 13]
    assert small("vqgan_clip", prompts="a ^ b ^ c", steps=20, story_at="1, 3").beginnings() == [1, 3]


def test_encoding_must_fit(tmp_path):
    np.save(tmp_path / "row.npy", np.arange(5.0))
    with pytest.raises(Refused) as refusal:
        picture("deep_daze", encoding=str(tmp_path / "row.npy"))
    assert str(refusal.value) == (f"encoding '{tmp_path / 'row.npy'}' has no row of 12 numbers; that is how "
                                  "long those of eye are: save it from the same perceptor")
    with pytest.raises(Refused) as refusal:
        picture("deep_daze", encoding="nowhere.npy")
    assert str(refusal.value) == ("encoding 'nowhere.npy' cannot be read; it is a .npy or .safetensors file "
                                  "of rows: check the path")


@pytest.mark.parametrize("rows", [None, np.float32(3), np.array(["a"]), np.empty((0, 0)),
                                  np.full(12, np.nan)])
def test_no_encoding_of_any_bytes_gets_further_than_a_refusal(rows, tmp_path):
    path = tmp_path / "row.npy"
    path.touch() if rows is None else np.save(path, rows)
    with pytest.raises(Refused, match="cannot be read|has no row of 12 numbers"):
        systems.load("deep_daze").paint(small("deep_daze", encoding=str(path)))


def test_unknown_system():
    with pytest.raises(Refused) as refusal:
        systems.load("deepdaze")
    assert str(refusal.value) == "no system called 'deepdaze'; did you mean 'deep_daze'?"


# Every option of the originals, and the knob it leads to or what the answer says. The paragraphs of the
# second are nerdyrodent's VQGAN-CLIP, rkhamilton's, EleutherAI's, and pixray.
ORIGINALS = {"deep_daze": """
    text: prompts; img: image_prompts; clip_encoding: encoding; encoding: encoding; lr: learning_rate
    learning_rate: learning_rate; optimizer: optimizer; num_layers: layers; deeper: layers; seed: seed
    hidden_size: hidden; theta_initial: w0; theta_hidden: theta; image_width: width; batch_size: crops
    gradient_accumulate_every: crops; epochs: steps; iterations: steps; lower_bound_cutout: smallest_crop
    upper_bound_cutout: largest_crop; saturate_bound: smallest_crop; gauss_sampling: crop_sizes
    gauss_mean: crop_mean; gauss_std: crop_spread; do_cutout: crops; center_bias: center
    center_focus: center; averaging_weight: averaging; model_name: perceptors; jit: leave it out
    start_image_path: init_image; start_image_train_iters: prime_steps; start_image_lr: prime_rate
    create_story: story; story_start_words: story_start; story_words_per_epoch: story_words
    story_separator: story_separator; save_every: every; save_progress: every; save_gif: film RUN
    save_video: film RUN; save_date_time: DISCOTHEQUE_RUNS; open_folder: DISCOTHEQUE_RUNS
    overwrite: DISCOTHEQUE_RUNS""", "vqgan_clip": """
    prompts: prompts; image_prompts: image_prompts; noise_prompt_seeds: noise_prompts
    noise_prompt_weights: noise_prompts; iterations: steps; save_every: every; save_freq: every; size: width
    init_image: init_image; init_noise: start; init_weight: init_weight; clip_model: perceptors
    vqgan_config: vqgan; vqgan_checkpoint: vqgan; learning_rate: learning_rate; step_size: learning_rate
    optimiser: optimizer; opt: optimizer; cut_method: overview=0; num_cuts: crops; cut_power: crop_power
    augments: augment; seed: seed; deterministic: leave it out; make_video: film RUN; make_zoom_video: film
    zoom_start: steps; zoom_frequency: frame_steps; zoom_scale: zoom; zoom_shift_x: shift_x
    zoom_shift_y: shift_y; change_prompt_every: story_every; video_length: --length 10
    output_video_fps: --fps 30; input_video_fps: --fps 15; video_style_dir: frames; output: DISCOTHEQUE_RUNS
    cuda_device: device

    output_image_size: width; text_prompts: prompts; noise_prompts: noise_prompts
    init_image_method: init_decay; init_weight_method: init_decay; num_video_frames: film
    iterations_per_frame: frame_steps; iterations_for_first_frame: steps; vqgan_model_name: vqgan
    vqgan_model_yaml_url: vqgan=NAME=; vqgan_model_ckpt_url: vqgan=NAME=; model_dir: DISCOTHEQUE_CACHE
    change_prompts_on_frame: story_at; shift_x: shift_x; shift_y: shift_y; optimizer: optimizer
    z_smoother: film_smoothing; z_smoother_buffer_len: film_smoothing; z_smoother_alpha: film_smoothing
    adaptiveLR: patience; current_source_frame_image_weight: frame_weight; verbose: leave it out
    current_source_frame_prompt_weight: frame_likeness; cudnn_determinism: leave it out

    cutn: crops; cut_pow: crop_power; display_freq: every; tv_weight: smoothness; weight_decay: weight_decay
    mse_withzeros: init_weight; mse_decay_rate: init_decay; mse_epoches: init_decay; use_augs: augment
    noise_fac: look_noise; use_noise: init_grain; constraint_regions: mask; record_generation: film RUN
    max_itter: steps=5000

    decay: wave_decay; edge_input_image: edge_picture; edge_thickness: edge_width; edge_weight: edge
    edge_margins: edge_sides; smoothness_gaussian_std: smooth_blur
    palette_weight: palette_weight; pixel_size: cell; saturation_weight: saturation
    smoothness_type: smooth_edges; smoothness_weight: smoothness; symmetry_weight: symmetry
    target_images: target_image; tv_scale: smoothness; vector_prompts: encoding"""}
OPTIONS = [(name, *line.strip().split(": ")) for name, lines in ORIGINALS.items()
           for line in lines.replace("\n", ";").split(";") if line.strip()]


def answer(name, option):
    """What somebody hears who types it."""
    with pytest.raises(Refused) as refusal:
        settings_of(name).of(**{option: 1})
    return str(refusal.value)


@pytest.mark.parametrize("name, old, new", OPTIONS)
def test_every_option_of_the_originals_leads_to_its_knob(name, old, new):
    table = knobs(settings_of(name))
    if old in table:
        assert old == new
    elif new in table:
        assert answer(name, old) == f"no setting called {old!r}; did you mean {new!r}?"
    else:
        assert re.fullmatch(f"no setting called {old!r}; .+: .*{new}.*", answer(name, old))


@pytest.mark.parametrize("name", SYSTEMS)
def test_options_of_one_system_typed_into_another(name):
    for _, old, _ in OPTIONS:
        if old not in knobs(settings_of(name)):
            assert "choose one of" not in answer(name, old) and "nearest" not in answer(name, old)
    old, new, other = ("hidden_size", "hidden", "deep_daze") if name == "vqgan_clip" else \
        ("zoom_scale", "zoom", "vqgan_clip")
    assert answer(name, old) == \
        f"no setting called {old!r}; it is {new!r} of the system {other}: paint with that one"


def test_letters_of_aug_lead_to_augmentations():
    names = knobs(settings_of("vqgan_clip"))["augment"].choices
    for letters in "Ji Sh Gn Pe Ro Af Et Ts Cr Er Re Hf".split():
        with pytest.raises(Refused, match="augment has '..'; choose from .*: did you mean '(.*)'") as refusal:
            small("vqgan_clip", augment=f"flip, {letters}")
        assert refusal.value.advice.split("'")[1] in names
    with pytest.raises(Refused, match="did you mean 'affine, perspective, jitter, erase'.$"):
        small("vqgan_clip", augment="Af Pe Ji Er")


def test_frames_come_from_a_painting():
    painting = systems.load("vqgan_clip").paint(small("vqgan_clip"))
    assert isinstance(painting, loop.Painting) and isinstance(next(painting), frames.Frame)
