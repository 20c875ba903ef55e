"""ADM, its classifier and the secondary network: the same pictures as guided_diffusion's own, only faster."""

import math

import official_adm as official
import pytest
import torch
from official_adm import noisy, shaken_, sigma_of

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
                "noise_schedule": "cosine"}}


@pytest.fixture
def publish(tmp_path, monkeypatch):
    with official.publishing(tmp_path, monkeypatch) as publish:
        yield publish


@pytest.mark.parametrize("shape", SMALL)
@pytest.mark.parametrize("t", [0, 500, 999])
def test_it_sees_what_the_package_sees(publish, shape, t):
    config = SMALL[shape]
    net, process = official.network(config)
    publish(net, shape, "adm", config)
    ours, sigma = adm.load(shape), sigma_of(process, t)
    x, classes = noisy(sigma), torch.tensor([3, 977]) if config.get("class_cond") else None
    told = process.p_mean_variance(net, x / math.sqrt(1 + sigma**2), torch.full((2,), t), clip_denoised=False,
                                   model_kwargs={"y": classes} if classes is not None else {})
    guess = ours(x, sigma, classes)
    assert (guess.clean - told["pred_xstart"]).abs().max() < 1e-5 * max(1, sigma)
    low, high = process.posterior_log_variance_clipped[t], math.log(process.betas[t])
    assert (low + (high - low) * guess.variance - told["log_variance"]).abs().max() < 1e-4


@pytest.mark.parametrize("t", [0, 500, 999])
def test_the_classifier_says_what_the_package_says(publish, t):
    heads = {"num_channels": 64, "num_res_blocks": 1, "attention_resolutions": "16,8", "image_size": 64}
    net = shaken_(official.classifier(64, 64, 1, "16,8"))
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
    odd = net(x[..., :21, :37], 1.0).clean
    assert odd.shape[-2:] == (21, 37) and odd.isfinite().all()
