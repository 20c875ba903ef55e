"""Every system, end to end, on stand-ins for its trained networks (seconds; the pictures are of nothing)."""

import importlib

import numpy as np
import pytest
import stand_ins
import torch
from PIL import Image
from stand_ins import half, photo

from helpers import frames, images, loop, states, systems
from helpers.errors import Refused
from helpers.settings import knobs
from helpers.systems import guided


# BigSleep joins the registry when its BigGAN joins the zoo; it is tested like the others already.
SYSTEMS = {**systems.SYSTEMS, "big_sleep": "helpers.systems.big_sleep"}


@pytest.fixture(autouse=True)
def eyes(monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.setattr(systems, "SYSTEMS", SYSTEMS)
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
    frames = list(systems.load(name).paint(small(name)))
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
    "prompts": ({}, "castle"), "every": None, "device": None, "perceptors": ({}, "disco-darknet"),
          "seed": ({}, 9),
    "width": ({}, 96), "height": ({}, 96), "image_prompts": ({}, photo(1)), "noise_prompts": ({}, "7:0.5"),
    "story_every": (STORY, 1), "story_at": (STORY, "1"), "target_image": ({}, photo(1)),
          "target_weight": ({"target_image": photo(1)}, "9"),
    "overview": ({}, 7), "crops": ({}, 9), "smallest_crop": ({}, "0.1"), "largest_crop": ({}, "0.6"),
    "crop_power": ({}, "3"), "crop_sizes": ({}, "bell"), "crop_mean": ({"crop_sizes": "bell"}, 0.4),
    "crop_spread": ({"crop_sizes": "bell"}, 0.02), "center": ({}, "5"), "augment": ({}, "flip, erase"),
    "look_noise": ({}, "0.3"), "averaging": ({}, 0.8), "smoothness": ({}, "5"),
    "rivalry": ({"prompts": "a red car"}, "5"),
    "smooth_edges": ({"smoothness": "5"}, "log"), "saturation": ({}, "3"), "symmetry": ({}, "5"),
    "symmetry_axis": ({"symmetry": "5"}, "both"), "palette": ({}, "red, blue"),
    "palette_weight": ({"palette": "red, blue"}, "20"), "edge": ({}, "5"),
          "edge_color": ({"edge": "5"}, "red"),
    "edge_picture": ({"edge": "5"}, photo(3)), "edge_width": ({"edge": "5"}, 0.3),
    "init_image": ({}, photo(2)), "init_weight": ({}, "20"),
    "init_decay": ({"init_weight": "20"}, 1.0), "init_grain": ({"init_image": photo(2)}, 0.5),
    "mask": ({"init_image": photo(2)}, half()),
    "mask_softness": ({"init_image": photo(2), "mask": half()}, 8), "learning_rate": ({}, "0.01"),
    "patience": ({"steps": 6, "learning_rate": "0.00001"}, 1),
    "weight_decay": ({}, 0.5), "encoding": "file",
    "optimizer": ({}, "RMSprop"), "ema": ({}, 0.2),
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
    "latents": "file", "fit_steps": ({"init_image": photo(2)}, 9),
    # VQGAN-CLIP
    "drawer": ({}, "fft"), "vqgan": None, "codes": ({}, "free"), "code_pull": ({"codes": "free"}, 5.0),
    "prior": ({}, "30"), "prior_noise": ({"prior": "30"}, "0: 3, 1: 2"),
    "start": ({}, "gradient"), "cell": ({"drawer": "chunky pixels"}, 5),
          "wave_decay": ({"drawer": "fft"}, 2.0),
    "wave_colors": ({"drawer": "fft"}, 3.0), "film": ({}, 3), "frame_steps": (FILM, 3), "zoom": (FILM, "1.2"),
    "rotate": (FILM, "20"), "shift_x": (FILM, "5"), "shift_y": (FILM, "5"), "film_smoothing": (FILM, 0.7),
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
    from helpers import augment, optimizers
    assert guided.OPTIMIZERS == tuple(optimizers.OPTIMIZERS)
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
    ("vqgan_clip", {"init_image": photo(2), "mask": half(), "init_weight": "1"})])
def test_resume_gives_the_same_pixels(name, values):
    settings = small(name, **{"steps": 7, "learning_rate": "0.05"} | values)
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


@pytest.mark.parametrize("name", SYSTEMS)
def test_penalised_prompts_move_away(name, eyes):
    from helpers.cutouts import Cutouts
    rate = {"deep_daze": "0.001"}.get(name, "0.1")

    def distance(text):
        image = picture(name, prompts=text, steps=25, learning_rate=rate, crops=4, ema=0)
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


def test_live_knobs_turn_while_painting():
    painting = systems.load("vqgan_clip").paint(small("vqgan_clip", steps=6))
    next(painting)
    painting.retune(small("vqgan_clip", steps=6, symmetry="9", learning_rate="0.001"))
    frame = next(painting)
    assert "symmetry" in frame.losses and painting.optimizer.param_groups[0]["lr"] == 0.001


def test_several_perceptors_count_as_one(eyes):
    one = systems.load("vqgan_clip").paint(small("vqgan_clip", perceptors="disco-resnet"))
    both = systems.load("vqgan_clip").paint(small("vqgan_clip"))
    assert one.networks == ["disco-resnet", "vqgan-world", "vqgan-world-prior"]
    assert both.networks == ["disco-resnet", "disco-darknet", "vqgan-world", "vqgan-world-prior"]
    other = systems.load("vqgan_clip").paint(small("vqgan_clip", perceptors="disco-darknet"))
    alone = [next(painting).losses["prompts"] for painting in (one, other)]
    assert next(both).losses["prompts"] == pytest.approx(sum(alone) / 2, abs=0.1), "their mean, not their sum"


def test_noise_prompts_are_seen_by_every_perceptor():
    """pixray gave them to its last one only."""
    settings = small("vqgan_clip", prompts="moon", noise_prompts="7 | 8:-1")
    guide = systems.load("vqgan_clip").paint(settings).guide
    eyes = [module for module in guide.modules() if type(module).__name__ == "Prompts"]
    assert [eye.targets.weights.tolist() for eye in eyes] == [[1, 1, -1], [1, 1, -1]]


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


TRADITIONAL = """
    adaptiveLR: patience; augments: augment; averaging_weight: averaging; batch_size: crops
    center_bias: center; center_focus: center; change_prompt_every: story_every
    change_prompts_on_frame: story_at; clip_encoding: encoding; clip_model: perceptors
    constraint_regions: mask; create_story: story; cuda_device: device
    current_source_frame_image_weight: frame_weight; current_source_frame_prompt_weight: frame_likeness
    cut_method: overview; cut_pow: crop_power; cut_power: crop_power; cutn: crops; decay: wave_decay
    deeper: layers; display_freq: every; do_cutout: crops; edge_input_image: edge_picture
    edge_thickness: edge_width; edge_weight: edge; epochs: steps; gauss_mean: crop_mean
    gauss_sampling: crop_sizes; gauss_std: crop_spread; gradient_accumulate_every: crops
    hidden_size: hidden; image_width: width; img: image_prompts; init_image_method: init_decay
    init_noise: start; iterations: steps; iterations_per_frame: frame_steps
    lower_bound_cutout: smallest_crop; lr: learning_rate; max_itter: steps; model_name: perceptors
    mse_decay_rate: init_decay; mse_epoches: init_decay; mse_withzeros: init_weight; noise_fac: look_noise
    noise_prompt_seeds: noise_prompts; noise_prompt_weights: noise_prompts; num_cuts: crops
    num_layers: layers; num_video_frames: film; opt: optimizer; output_image_size: width
    palette_weight: palette_weight; pixel_size: cell; saturate_bound: smallest_crop
    saturation_weight: saturation; save_every: every; size: width; smoothness_type: smooth_edges
    smoothness_weight: smoothness; start_image_lr: prime_rate; start_image_path: init_image
    start_image_train_iters: prime_steps; step_size: learning_rate; story_start_words: story_start
    story_words_per_epoch: story_words; symmetry_weight: symmetry; target_images: target_image
    text: prompts; text_prompts: prompts; theta_hidden: theta; theta_initial: w0; tv_scale: smoothness
    tv_weight: smoothness; upper_bound_cutout: largest_crop; use_augs: augment; use_noise: init_grain
    vector_prompts: encoding; video_style_dir: frames; vqgan_checkpoint: vqgan; vqgan_config: vqgan
    vqgan_model_name: vqgan; z_smoother: film_smoothing; z_smoother_alpha: film_smoothing; zoom_scale: zoom
    zoom_shift_x: shift_x; zoom_shift_y: shift_y"""


def test_every_option_of_the_originals_leads_to_its_knob():
    """Names an artist may know from DeepDaze, VQGAN-CLIP and pixray, in the systems that have the knob."""
    for line in TRADITIONAL.replace("\n", ";").split(";")[1:]:
        old, new = line.strip().split(": ")
        tables = [knobs(settings_of(name)) for name in SYSTEMS]
        named = [table[new].traditional for table in tables if new in table]
        assert any(old in names for names in named), line


def test_frames_come_from_a_painting():
    painting = systems.load("vqgan_clip").paint(small("vqgan_clip"))
    assert isinstance(painting, loop.Painting) and isinstance(next(painting), frames.Frame)
