"""ADM, its classifier and the secondary network: the same pictures as guided_diffusion's own, only faster."""

import json
import math

import pytest
import torch
from guided_diffusion import script_util
from loopback import serve

from helpers import downloads, weights
from helpers.networks import adm, adm_classifier, secondary
from helpers.noise_levels import Process, linear_betas

# One for each kind of shape in the catalogue, narrow: attention by heads and by head channels, both orders of
# q, k, v, both ways to change size, with and without scale and shift.
SMALL = {"C512": {"image_size": 64, "num_channels": 64, "channel_mult": "1,1,2", "num_head_channels": 32},
         "CPORT": {"image_size": 64, "num_channels": 32, "channel_mult": "1,2", "num_heads": 4},
         "CKALI": {"image_size": 64, "num_channels": 32, "channel_mult": "1,2,2", "num_heads": 1,
                   "attention_resolutions": "16", "resblock_updown": False, "use_scale_shift_norm": False},
         "64": {"image_size": 64, "num_channels": 32, "channel_mult": "1,2", "num_res_blocks": 3,
                "num_head_channels": 32, "use_new_attention_order": True, "dropout": 0.1, "class_cond": True,
                "noise_schedule": "cosine", "classes": 1000}}
PACKAGE = {"attention_resolutions": "32,16,8", "num_res_blocks": 2, "learn_sigma": True,
           "resblock_updown": True, "use_scale_shift_norm": True}


def shaken_(net, seed=0):
    """Random weights everywhere: the package starts the last layer of every block at 0."""
    rng = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        scale = 0.5 if parameter.ndim == 1 else 0.7 / math.sqrt(parameter[0].numel())
        kept = parameter.data if parameter.ndim == 1 else 0
        parameter.data = kept + scale * torch.randn(parameter.shape, generator=rng)
    return net.eval().requires_grad_(False)


def theirs(config, seed=0):
    """The package's network and its process, built by its own script from the same words."""
    flags = {**script_util.model_and_diffusion_defaults(), **PACKAGE, **config}
    flags.pop("classes", None)
    net, process = script_util.create_model_and_diffusion(**{**flags, "diffusion_steps": 1000,
                                                             "rescale_timesteps": True})
    return shaken_(net, seed), process


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """publish(net, name, kind, config) -> its file as the package saves it, on a server of this machine."""
    monkeypatch.setenv("DISCOTHEQUE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)
    with serve() as site:
        def publish(net, name, kind, config):
            path = tmp_path / f"{name}.pt"
            torch.save(net.state_dict(), path)
            site.files[f"/{name}"] = path.read_bytes()
            told = "".join(f"\nconfig.{key} = {json.dumps(value)}" for key, value in config.items())
            catalogue = tmp_path / "catalogue.toml"
            size = path.stat().st_size
            catalogue.write_text(f'["{name}"]\nkind = "{kind}"\nfile = "{name}.pt"{told}\n'
                                 f'mirrors = [ {{ url = "{site.url("/" + name)}", size = {size} }} ]\n')
            monkeypatch.setenv("DISCOTHEQUE_CATALOGUE", str(catalogue))
            return path
        yield publish


def noisy(sigma, side=64, n=2, seed=5):
    rng = torch.Generator().manual_seed(seed)
    picture = torch.rand(n, 3, side, side, generator=rng) * 2 - 1
    return picture + sigma * torch.randn(n, 3, side, side, generator=rng)


def sigma_of(process, t):
    return math.sqrt(1 / process.alphas_cumprod[t] - 1)


@pytest.mark.parametrize("shape", SMALL)
@pytest.mark.parametrize("t", [0, 500, 999])
def test_it_sees_what_the_package_sees(publish, shape, t):
    config = SMALL[shape]
    net, process = theirs(config)
    publish(net, shape, "adm", {**config, "rescale_timesteps": True})
    ours, sigma = adm.load(shape), sigma_of(process, t)
    x, classes = noisy(sigma), torch.tensor([3, 977]) if config.get("class_cond") else None
    told = process.p_mean_variance(net, x / math.sqrt(1 + sigma**2), torch.full((2,), t), clip_denoised=False,
                                   model_kwargs={"y": classes} if classes is not None else {})
    guess = ours(x, sigma, classes)
    assert (guess.clean - told["pred_xstart"]).abs().max() < 1e-4 * max(1, sigma)
    low, high = process.posterior_log_variance_clipped[t], math.log(process.betas[t])
    assert (low + (high - low) * guess.variance - told["log_variance"]).abs().max() < 1e-4


@pytest.mark.parametrize("t", [0, 500, 999])
def test_the_classifier_says_what_the_package_says(publish, t):
    flags = {**script_util.classifier_defaults(), "classifier_width": 64, "classifier_depth": 1,
             "classifier_attention_resolutions": "16,8"}
    heads = {"num_channels": 64, "num_res_blocks": 1, "attention_resolutions": "16,8", "image_size": 64}
    net = shaken_(script_util.create_classifier(**flags))
    publish(net, "classifier", "classifier", heads)
    process = Process(linear_betas())
    sigma, x = float(process.sigmas[t]), noisy(float(process.sigmas[t]))
    wanted = net(x / math.sqrt(1 + sigma**2), torch.full((2,), t))
    assert (adm_classifier.load("classifier")(x, sigma) - wanted).abs().max() < 1e-4 * wanted.abs().max()


def test_the_secondary_network_is_the_published_one():
    """Counted, and named as its file names them: there is no package to compare it with."""
    net = secondary.build({})
    assert sum(p.numel() for p in net.parameters()) == 13_841_547
    keys = net.state_dict().keys()
    deepest = "net.2" + 4 * ".main.3" + ".main.4.0.bias"
    wanted = {"timestep_embed.weight", "net.0.0.weight", "net.2.main.1.0.weight", deepest, "net.4.weight"}
    assert wanted <= keys
    x, sigma = noisy(0.0), 1e-6
    assert (shaken_(net)(x, sigma).clean - x).abs().max() < 1e-3, "without noise it sees what is there"


def test_half_precision_leads_the_same_way(publish):
    config = SMALL["C512"]
    publish(theirs(config)[0], "half", "adm", config)
    x, slopes = noisy(1.0), []
    for precision in ("fp32", "bf16"):
        leaf = x.clone().requires_grad_()
        adm.load("half", precision=precision)(leaf, 1.0).clean.square().sum().backward()
        slopes.append(leaf.grad.flatten())
    assert torch.cosine_similarity(*slopes, dim=0) > 0.999


# What the training of each published architecture was told (disco.md section 4; the package's README).
FLAGS = {
    "512x512_diffusion_uncond_finetune_008100": {"image_size": 512, "num_channels": 256,
                                                 "num_head_channels": 64},
    "256x256_diffusion_uncond": {"image_size": 256, "num_channels": 256, "num_head_channels": 64},
    "portrait_generator_v001": {"image_size": 512, "num_channels": 128, "num_heads": 4},
    "pixelartdiffusion4k": {"image_size": 256, "num_channels": 128, "num_heads": 1,
                            "attention_resolutions": "16", "resblock_updown": False,
                            "use_scale_shift_norm": False},
    "ukiyoe-diffusion-256": {"image_size": 256, "num_channels": 128, "num_heads": 4},
    "64x64_diffusion": {"image_size": 64, "num_channels": 192, "num_res_blocks": 3, "num_head_channels": 64,
                        "use_new_attention_order": True, "dropout": 0.1, "class_cond": True},
    "128x128_diffusion": {"image_size": 128, "num_channels": 256, "num_heads": 4, "class_cond": True},
    "256x256_diffusion": {"image_size": 256, "num_channels": 256, "num_head_channels": 64,
                          "class_cond": True},
    "512x512_diffusion": {"image_size": 512, "num_channels": 256, "num_head_channels": 64,
                          "class_cond": True}}


@pytest.mark.parametrize("name", FLAGS)
def test_published_networks_have_the_parameters_of_the_package(name):
    entry = weights.catalogue()[name]
    with torch.device("meta"):
        ours = adm.build(entry["config"]).unet.state_dict()
        package = script_util.create_model(**PACKAGE | FLAGS[name]).state_dict()
    assert {key: value.shape for key, value in ours.items()} == \
        {key: value.shape for key, value in package.items()}
    assert entry["size"] == sum(4 * value.numel() for value in ours.values())


@pytest.mark.parametrize("side", [64, 128, 256, 512])
def test_published_classifiers_have_the_parameters_of_the_package(side):
    entry = weights.catalogue()[f"{side}x{side}_classifier"]
    with torch.device("meta"):
        ours = adm_classifier.build(entry["config"]).unet.state_dict()
        package = script_util.create_classifier(side, False, 128, 4 if side == 64 else 2, "32,16,8", True,
                                                True, "attention").state_dict()
    assert {key: value.shape for key, value in ours.items()} == \
        {key: value.shape for key, value in package.items()}


def test_every_published_diffusion_can_be_built():
    kinds = {"adm": adm, "classifier": adm_classifier, "secondary": secondary}
    known = [entry for entry in weights.catalogue().values() if entry["kind"] in kinds]
    assert len(known) > 35
    shapes = {json.dumps([entry["kind"], entry["config"]], sort_keys=True): entry for entry in known}
    with torch.device("meta"):
        for entry in shapes.values():
            kinds[entry["kind"]].build(entry["config"])
