"""The diffusions of the catalogue: all are of an architecture, and each of these paints as the package's."""

import json
import math

import official_adm as official
import pytest
import torch
from guided_diffusion import script_util
from official_adm import noisy, shaken_, sigma_of
from stand_ins import Eye
from torch.nn import functional as F

from helpers import weights
from helpers.errors import Refused
from helpers.guidance import Guided
from helpers.guides.base import Guide
from helpers.networks import adm, adm_classifier, secondary

# The architectures as their training was told them (disco.md section 4; the package's README), the narrowest
# that norms and heads allow, and who is of them in the catalogue.
C512 = {"image_size": 512, "num_channels": 256, "num_head_channels": 64}
C256 = {"image_size": 256, "num_channels": 256, "num_head_channels": 64}
FAMILIES = {
    "C512": (C512, 64, "512x512_diffusion_uncond_finetune_008100 FeiArt_Handpainted_CG_Diffusion "
                       "IsometricDiffusionRevrart512px Architecture_Diffusion_1.5M 512x512_shnippi_V2 "
                       "openimages_512"),
    "C256": (C256, 32, "256x256_diffusion_uncond"),
    "CPORT": ({"image_size": 512, "num_channels": 128, "num_heads": 4}, 64,
              "portrait_generator_v001 portrait_generator_v1.5 portrait_generator_v003 "
              "portrait_generator_v004 portrait_generator_v005 concept_art_generator_v000-1_alpha "
              "concept_art_generator_v000-2_alpha"),
    "CKALI": ({"image_size": 256, "num_channels": 128, "num_heads": 1, "attention_resolutions": "16",
               "resblock_updown": False, "use_scale_shift_norm": False}, 32,
              "pixelartdiffusion_expanded pixel_art_diffusion_hard_256 pixel_art_diffusion_soft_256 "
              "pixelartdiffusion4k watercolordiffusion_2 watercolordiffusion PulpSciFiDiffusion "
              "medievaldiffusion textilediffusion lithographydiffusion floraldiffusion liminal_diffusion_v1 "
              "liminal_diffusion_source 256x256_openai_comics_faces_by_alex_spirin_084000 "
              "256x256_openai_comics_faces_v2.by_alex_spirin_114k"),
    "CUKI": ({"image_size": 256, "num_channels": 128, "num_heads": 4}, 32,
             "ukiyoe_diffusion_256_022000 Ukiyo-e_Diffusion_All_V1.by_thegenerativegeneration "
             "diffusion-deepspace-256"),
    "64": ({"image_size": 64, "num_channels": 192, "num_res_blocks": 3, "num_head_channels": 64,
            "use_new_attention_order": True, "dropout": 0.1, "noise_schedule": "cosine",
            "class_cond": True}, 64, "64x64_diffusion"),
    "128": ({"image_size": 128, "num_channels": 256, "num_heads": 4, "class_cond": True}, 32,
            "128x128_diffusion"),
    "256": ({**C256, "class_cond": True}, 32, "256x256_diffusion"),
    "512": ({**C512, "class_cond": True}, 64, "512x512_diffusion")}
each_family = pytest.mark.parametrize("family", FAMILIES)
SIDES = (64, 128, 256, 512)


@pytest.fixture(autouse=True)
def only_ours(monkeypatch):
    monkeypatch.delenv("DISCOTHEQUE_CATALOGUE", raising=False)


@pytest.fixture
def publish(tmp_path, monkeypatch):
    with official.publishing(tmp_path, monkeypatch) as publish:
        yield publish


def members(family):
    return [weights.catalogue()[name] for name in FAMILIES[family][2].split()]


def of(kind):
    return [entry for entry in weights.catalogue().values() if entry["kind"] == kind]


def shapes(network):
    return {name: tensor.shape for name, tensor in network.state_dict().items()}


# ---------------------------------------------------- at their true size, without their weights

def test_every_published_network_is_of_a_family():
    assert sorted(entry["name"] for entry in of("adm")) == \
        sorted(name for *_, names in FAMILIES.values() for name in names.split())
    assert [entry["name"] for entry in of("secondary")] == ["secondary_model_imagenet_2"]
    assert [entry["name"] for entry in of("classifier")] == [f"{s}x{s}_classifier" for s in SIDES]


@each_family
def test_every_member_was_told_what_its_family_was(family):
    told = official.flags(FAMILIES[family][0])
    for entry in members(family):
        ours = adm.checked({**adm.DEFAULTS, **entry["config"]})
        assert {key: ours[key] for key in told.keys() & ours.keys()} == \
            {key: told[key] for key in told.keys() & ours.keys()}, entry["name"]
        own = {key: value for key, value in entry["config"].items() if key not in told}
        assert own == ({"objective": "v", "time": "angle"} if entry["name"] == "openimages_512" else {})


@each_family
def test_it_has_the_parameters_of_the_package(family):
    with torch.device("meta"):
        theirs = shapes(script_util.create_model_and_diffusion(**official.flags(FAMILIES[family][0]))[0])
        for entry in members(family)[:1]:
            assert shapes(adm.build(entry["config"]).unet) == theirs
    size = sum(4 * shape.numel() for shape in theirs.values())
    assert {entry["size"] for entry in members(family)} == {size}


@pytest.mark.parametrize("side", SIDES)
def test_a_classifier_has_the_parameters_of_the_package(side):
    entry = weights.catalogue()[f"{side}x{side}_classifier"]
    with torch.device("meta"):
        theirs = shapes(official.classifier(side, 128, 4 if side == 64 else 2))
        assert shapes(adm_classifier.build(entry["config"]).unet) == theirs
    assert entry["size"] == sum(4 * shape.numel() for shape in theirs.values())


def test_the_secondary_network_has_the_parameters_of_its_description():
    entry, = of("secondary")
    ours = shapes(secondary.build(entry["config"]))
    assert ours == shapes(official.Secondary())
    assert entry["size"] == sum(4 * shape.numel() for shape in ours.values()) == 4 * 13_841_547


def test_every_mirror_is_checked():
    """By its sha256; where none was ever published, by its size."""
    entries = [*of("adm"), *of("classifier"), *of("secondary")]
    assert all(mirror.sha256 or mirror.about for entry in entries for mirror in entry["mirrors"])
    assert {entry["name"] for entry in entries if not all(mirror.sha256 for mirror in entry["mirrors"])} == {
        *(f"{side}x{side}_{what}" for side in SIDES for what in ("diffusion", "classifier")),
        "lithographydiffusion", "512x512_shnippi_V2", "openimages_512"}


# ---------------------------------------------------- narrow, with random weights, fetched by name

@each_family
def test_it_sees_what_the_package_sees(publish, family):
    """In the words of the catalogue, but narrow; noise is compared, which is what the U-Net answers."""
    flags, width, _ = FAMILIES[family]
    first = members(family)[0]
    net, process = official.network({**flags, "num_channels": width})
    publish(net, first["name"], "adm", {**first["config"], "num_channels": width})
    ours, sigma = adm.load(first["name"]), sigma_of(process, 300)
    x, classes = noisy(sigma), torch.tensor([3, 977]) if flags.get("class_cond") else None
    wanted = net(x / math.sqrt(1 + sigma**2), torch.full((2,), 300), *([] if classes is None else [classes]))
    noise, variance = wanted.chunk(2, 1)
    guess = ours(x, sigma, classes)
    assert ((x - guess.clean) / sigma - noise).abs().max() < 1e-5
    assert (guess.variance - (variance + 1) / 2).abs().max() < 1e-5


@pytest.mark.parametrize("t", [0.02, 0.5, 0.97])
def test_openimages_is_told_the_angle(publish, t):
    """As its author asks it (nshepperd's jax-guided-diffusion): v, at the thousandths of a right angle."""
    small = {"image_size": 64, "num_channels": 32, "channel_mult": "1,2", "num_head_channels": 32}
    net, _ = official.network(small)
    own = {key: weights.catalogue()["openimages_512"]["config"][key] for key in ("objective", "time")}
    publish(net, "openimages_512", "adm", {**small, **own})
    turn = t * math.pi / 2
    x = noisy(math.tan(turn))
    inside = x * math.cos(turn)
    v = net(inside, torch.full((2,), 1000 * t))[:, :3]
    wanted = inside * math.cos(turn) - v * math.sin(turn)
    assert (adm.load("openimages_512")(x, math.tan(turn)).clean - wanted).abs().max() < 1e-5


def test_the_classifier_leads_where_the_package_leads(publish):
    config = {**weights.catalogue()["64x64_classifier"]["config"], "num_channels": 64}
    net = shaken_(official.classifier(64, 64, 4))
    publish(net, "64x64_classifier", "classifier", config)
    ours, low = (adm_classifier.load("64x64_classifier", precision=one) for one in ("fp32", "bf16"))
    sigma = float(ours.process.sigmas[300])
    x, size = noisy(sigma), math.sqrt(1 + sigma**2)
    odds, slope = toward(3, lambda x: net(x / size, torch.full((2,), 300)), x)
    own, steep = toward(3, lambda x: ours(x, sigma), x)
    assert (own - odds).abs().max() < 1e-5
    assert (steep - slope).abs().max() < 1e-5 * slope.abs().max()
    assert alike(toward(3, lambda x: low(x, sigma), x)[1], slope) > 0.999


def toward(kind, reader, x):
    """(odds, their slope toward a class)"""
    leaf = x.clone().requires_grad_()
    odds = reader(leaf)
    return odds.detach(), torch.autograd.grad(odds.log_softmax(-1)[:, kind].sum(), leaf)[0]


@pytest.mark.parametrize("t", [0.01, 0.5, 0.99])
def test_the_secondary_network_sees_what_its_description_says(publish, t):
    net = shaken_(official.Secondary())
    publish(net, "secondary_model_imagenet_2", "secondary", {})
    sigma = math.tan(t * math.pi / 2)
    x = noisy(sigma)
    _, wanted = net(x / math.sqrt(1 + sigma**2), torch.full((2,), t))
    assert (secondary.load("secondary_model_imagenet_2")(x, sigma).clean - wanted).abs().max() < 1e-5


# ---------------------------------------------------- half precision

class Likes(Guide):
    """Wants pictures to be like a word, as far as a stand-in of CLIP can tell."""

    def __init__(self):
        super().__init__()
        self.eye = Eye()
        self.wanted = self.eye.encode_text(["a lighthouse"])

    def forward(self, image, progress=0.0):
        return 1 - (self.eye.encode_image(F.adaptive_avg_pool2d(image, self.eye.size)) @ self.wanted.T).mean()


def alike(one, other):
    return torch.cosine_similarity(one.flatten(), other.flatten(), dim=0)


def guided(net, x, sigma, **options):
    denoise = Guided(net, Likes(), scale=1000, clamp=0, pace=lambda sigma: 0.5, **options)
    denoise(x, sigma)
    return denoise.slope


@pytest.mark.parametrize("family", ["C256", "CKALI"])
def test_guidance_in_half_precision_leads_the_same_way(publish, family):
    config = {**members(family)[0]["config"], "num_channels": 32}
    publish(official.network(config)[0], "half", "adm", config)
    full, low = (adm.load("half", precision=precision) for precision in ("fp32", "bf16"))
    for sigma in (1.0, 100.0):
        x = noisy(sigma, n=1)
        assert alike(guided(full, x, sigma), guided(low, x, sigma)) > 0.999, sigma


def test_guidance_through_the_secondary_network_in_half_precision(publish):
    """At high noise the waves are all it knows of the time: its first layer stays exact."""
    publish(shaken_(official.Secondary()), "half", "secondary", {})
    full, low = (secondary.load("half", precision=precision) for precision in ("fp32", "bf16"))
    for sigma in (1.0, 30.0, 100.0):
        x = noisy(sigma, n=1)
        one, other = (guided(full, x, sigma, through="secondary", secondary=net) for net in (full, low))
        assert alike(one, other) > 0.999, sigma


# ---------------------------------------------------- files of one's own

OWN = {"image_size": 64, "num_channels": 32, "channel_mult": "1,2", "num_heads": 2,
       "attention_resolutions": "32, 16", "use_scale_shift_norm": False, "timestep_respacing": "ddim100",
       "use_fp16": True}


def same(ours, net, process):
    sigma = sigma_of(process, 500)
    x = noisy(sigma)
    wanted = net(x / math.sqrt(1 + sigma**2), torch.full((2,), 500))[:, :3]
    return ((x - ours(x, sigma).clean) / sigma - wanted).abs().max() < 1e-5


def test_a_checkpoint_of_ones_own_brings_its_config(publish, tmp_path):
    """The .json beside it holds all that its training script was told, in the script's words."""
    net, process = official.network({**OWN, "timestep_respacing": "", "use_fp16": False})
    path = publish(net, "ema_0.9999_058000", "adm", {})
    with pytest.raises(Refused, match="does not hold the network of its config .*: give the config it was "
                                      "trained with in a .json beside it"):
        adm.load(str(path))
    path.with_suffix(".json").write_text(json.dumps({"config": official.flags(OWN)}))
    assert same(adm.load(str(path)), net, process)


def test_a_checkpoint_of_ones_own_takes_the_config_of_a_name(publish, tmp_path):
    """NAME=PATH: what was trained on from a network of the catalogue, in place of that one."""
    config = {**members("CKALI")[0]["config"], "num_channels": 32}
    publish(official.network(config)[0], "pixelartdiffusion4k", "adm", config)
    net, process = official.network(config, seed=1)
    torch.save(net.state_dict(), tmp_path / "mine.pt")
    assert same(adm.load(f"pixelartdiffusion4k={tmp_path / 'mine.pt'}"), net, process)
    assert not (tmp_path / "cache").exists(), "nothing is downloaded"
