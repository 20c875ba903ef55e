"""Half precision: which one, where; and that float16 says what float32 says, whatever the size of slopes.

No GPU is asked: its float16 is computed on the CPU (as_gpu.py), with the same range and roundings.
"""

import logging
from functools import partial

import official_adm as official
import open_clip
import pytest
import stand_ins
import torch
from as_gpu import AsGPU
from official_adm import noisy, shaken_, sigma_of
from test_perceptors import alive, look, tiny, words  # noqa: F401 (words is a fixture)
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from helpers import perceptors, precision
from helpers.errors import Refused
from helpers.guidance import Guided
from helpers.guides.base import Guide
from helpers.networks import adm, adm_classifier, secondary
from helpers.precision import number_type, run

FULL, HALF, BRAIN = torch.float32, torch.float16, torch.bfloat16


@pytest.fixture(autouse=True)
def no_wish(monkeypatch):
    monkeypatch.delenv("DISCOTHEQUE_PRECISION", raising=False)


@pytest.fixture
def gpu(monkeypatch):
    """gpu(capability): this machine has one of that kind."""
    def have(*capability):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported",
                            lambda including_emulation=True: including_emulation or capability >= (8, 0))
    return have


@pytest.mark.parametrize("capability, wanted", [
    ((5, 2), FULL), ((6, 0), FULL), ((6, 1), FULL), ((7, 0), HALF), ((7, 5), HALF), ((8, 0), BRAIN),
    ((9, 0), BRAIN), ((12, 0), BRAIN)], ids=str)
def test_each_gpu_has_its_number_type(gpu, capability, wanted):
    gpu(*capability)
    assert number_type("cuda") == wanted == number_type(torch.device("cuda", 0))
    assert number_type("cuda", narrow=False) == (FULL if wanted == HALF else wanted)


def test_a_wish_counts_more_than_the_machine(gpu, monkeypatch):
    gpu(7, 5)
    for name, dtype in (("fp32", FULL), ("bf16", BRAIN), ("fp16", HALF)):
        assert number_type("cuda", name) == number_type("cpu", name) == dtype
        monkeypatch.setenv("DISCOTHEQUE_PRECISION", name)
        assert number_type("cuda") == dtype and number_type("cuda", "fp32") == FULL
    assert number_type("cpu", "fp16", narrow=False) == FULL
    monkeypatch.setenv("DISCOTHEQUE_PRECISION", "")
    assert number_type("cuda") == HALF and number_type("mps") == FULL
    with pytest.raises(Refused) as refused:
        number_type("cpu", "fp8")
    assert str(refused.value) == ("precision is 'fp8'; choose one of 'auto', 'fp32', 'bf16', 'fp16': "
                                  "try 'auto'")


# ---------------------------------------------------- through networks

# Two of the five kinds of network that Disco Diffusion had, narrow
SHAPES = {"C256": {"image_size": 256, "num_channels": 32, "num_head_channels": 32,
                   "num_res_blocks": 1},
          "CKALI": {"image_size": 256, "num_channels": 32, "num_heads": 1, "attention_resolutions": "16",
                    "resblock_updown": False, "use_scale_shift_norm": False, "num_res_blocks": 1}}


@pytest.fixture
def publish(tmp_path, monkeypatch):
    with official.publishing(tmp_path, monkeypatch) as publish:
        yield publish


def alike(one, other):
    """The least cosine of two slopes (n, …), however small they are."""
    one, other = (F.normalize(slope.flatten(1).double(), eps=1e-300) for slope in (one, other))
    return (one * other).sum(1).min()


def felt(network, x, wish):
    """(what it says, the slope of that along `wish`)"""
    leaf = x.clone().requires_grad_()
    said = network(leaf)
    return said.detach(), torch.autograd.grad(said, leaf, wish)[0]


class Wish(Guide):
    """Wants pictures to be like one of noise: a slope that is known to be alive everywhere."""

    def forward(self, image, progress=0.0):
        rng = torch.Generator().manual_seed(3)
        return (image * torch.randn(image.shape, generator=rng)).mean()


def guided(net, x, sigma, scale, **options):
    denoise = Guided(net, Wish(), scale=scale, clamp=0, pace=lambda sigma: 0.5, **options)
    denoise(x, sigma)
    return denoise.slope


def same_slope(exact, half, scale, least=0.999):
    """Both were led by so strong a wish: they go the same way, and as far."""
    assert half.dtype == FULL and alike(exact, half) > least, scale
    assert float(half.norm()) == pytest.approx(float(exact.norm()), rel=0.02), scale


@pytest.mark.parametrize("shape", SHAPES)
def test_a_guided_adm_goes_the_same_way(publish, shape):
    net, process = official.network(SHAPES[shape])
    publish(net, "half", "adm", SHAPES[shape])
    full, half = (adm.load("half", precision=name) for name in ("fp32", "fp16"))
    assert {p.dtype for p in half.parameters()} == {FULL, HALF}
    for t, scale in ((500, 1e9), (990, 1e-9)):      # a slope of 1e-9 / 3072 is 0 in float16
        sigma = sigma_of(process, t)
        x = noisy(sigma, 32, 1)
        exact = guided(full, x, sigma, scale)
        with AsGPU():
            same_slope(exact, guided(half, x, sigma, scale), scale)
            seen = half(x, sigma).clean
        assert (seen - full(x, sigma).clean).abs().max() < 0.02 * max(1, sigma)


def test_a_guided_secondary_goes_the_same_way(publish):
    config = {"widths": [32, 32, 64]}
    publish(shaken_(secondary.build(config)), "half", "secondary", config)
    full, half = (secondary.load("half", precision=name) for name in ("fp32", "fp16"))
    for sigma, scale in ((0.1, 1e-9), (1.0, 1e9), (100.0, 1e-9)):
        x = noisy(sigma, 32)
        exact = guided(full, x, sigma, scale, through="secondary", secondary=full)
        with AsGPU():
            same_slope(exact, guided(full, x, sigma, scale, through="secondary", secondary=half), scale)


def test_a_classifier_goes_the_same_way(publish):
    heads = {"num_channels": 64, "num_res_blocks": 1, "attention_resolutions": "16,8", "image_size": 64}
    publish(shaken_(official.classifier(64, 64, 1, "16,8")), "half", "classifier", heads)
    full, half = (adm_classifier.load("half", precision=name) for name in ("fp32", "fp16"))
    x, wish = noisy(2.0, n=1), torch.zeros(1, 1000)
    wish[:, 3] = 1e-9
    said, exact = felt(lambda x: full(x, 2.0), x, wish)
    with AsGPU():
        about, slope = felt(lambda x: half(x, 2.0), x, wish)
    same_slope(exact, slope, 1e-9)
    assert (about - said).abs().max() < 0.01 * said.abs().max()


@pytest.mark.parametrize("layers", [3, [1, 1, 1, 1]], ids=["transformer", "resnet"])
def test_a_perceptor_sees_and_wants_the_same(words, layers):  # noqa: F811
    full, half = (perceptors.build(tiny(words, layers), words, precision=name) for name in ("fp32", "fp16"))
    alive(full.model)
    half.model.load_state_dict(full.model.state_dict())
    wish = torch.randn(3, full.dim, generator=torch.Generator().manual_seed(2))
    for scale in (1e-9, 1.0, 1e9):
        rows, exact = felt(full.encode_image, look(64), scale * wish)
        with AsGPU():
            about, slope = felt(half.encode_image, look(64), scale * wish)
            parts = felt(lambda x: checkpoint(half.encode_image, x, use_reentrant=False), look(64),
                         scale * wish)[1]
        assert (rows * about).sum(1).min() > 0.9999 and torch.equal(parts, slope)
        same_slope(exact, slope, scale, 0.999 if layers == 3 else 0.995)     # a ReLU may turn at a rounding
    assert {p.dtype for p in half.model.visual.parameters()} == {FULL, HALF}


def test_openais_own_architecture_sees_and_wants_the_same():
    """ViT-B/32 as OpenAI's config has it, less tall: 768 wide, 12 heads, QuickGELU, 224 pixels."""
    config = open_clip.get_model_config("ViT-B-32-quickgelu")
    config["vision_cfg"] |= {"layers": 2}
    config["text_cfg"] |= {"layers": 1}
    torch.manual_seed(0)
    full, half = (perceptors.build(config, precision=name) for name in ("fp32", "fp16"))
    half.model.load_state_dict(full.model.state_dict())
    images, wish = torch.rand(1, 3, 224, 224), 1e-9 * torch.randn(1, 512)
    rows, exact = felt(full.encode_image, images, wish)
    with AsGPU():
        about, slope = felt(half.encode_image, images, wish)
    assert (rows * about).sum() > 0.9999
    same_slope(exact, slope, 1e-9)


def test_generators_lead_the_same_way():
    kind, rng = torch.eye(4)[:1], torch.Generator().manual_seed(1)
    for make, shape, paint in ((stand_ins.coder, (1, 4, 4, 4), lambda net, z: net.decode(z)),
                               (stand_ins.generator, (1, 6), lambda net, z: net(z, kind))):
        full, half = make(), make()
        half.precision = "fp16"
        z = torch.randn(shape, generator=rng)
        wish = 1e-9 * torch.randn(paint(full, z).shape, generator=rng)
        said, exact = felt(partial(paint, full), z, wish)
        with AsGPU():
            about, slope = felt(partial(paint, half), z, wish)
        same_slope(exact, slope, make)
        assert (about - said).abs().max() < 0.02


def test_torchs_own_float16_says_so_too():
    """The stand-in for a GPU computes what torch does in float16, where that is quick enough to ask."""
    torch.manual_seed(4)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.SiLU(), nn.Conv2d(8, 3, 3)).requires_grad_(False)
    net.precision, x, wish = "fp16", torch.randn(1, 3, 12, 12), 1e-9 * torch.randn(1, 3, 8, 8)
    said, slope = felt(lambda x: run(net, net, x), x, wish)
    with AsGPU():
        about, other = felt(lambda x: run(net, net, x), x, wish)
    assert (said - about).abs().max() < 2e-3 and alike(slope, other) > 0.99999
    assert said.half().float().equal(said), "in float16, both"


# ---------------------------------------------------- beyond its range

class Steep(nn.Module):
    """x -> x, by way of numbers 90,000 times as large on the way there, or on the way back."""

    precision = "fp16"

    def __init__(self, back=False):
        super().__init__()
        self.layers = nn.Sequential(*[nn.Linear(4, 4, bias=False) for _ in range(4)])
        for layer, factor in zip(self.layers[::-1] if back else self.layers, (300, 300, 1 / 300, 1 / 300),
                                 strict=True):
            layer.weight.data = torch.eye(4) * factor
        self.requires_grad_(False)

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
def test_what_is_beyond_is_computed_in_full_and_said_once(caplog, back):
    net, x, wish = precision.lower_(Steep(back), HALF), torch.linspace(5, 50, 8).view(2, 4), torch.ones(2, 4)
    with caplog.at_level(logging.WARNING), AsGPU():
        for _ in range(2):
            said, slope = felt(lambda x: run(net, net, x), x, wish)
            assert torch.allclose(said, x, rtol=1e-2) and torch.allclose(slope, wish, rtol=1e-2)
    assert net.layers[0].weight.dtype == HALF
    assert [record.getMessage() for record in caplog.records] == [
        "Steep: numbers beyond half precision, so that step was computed again in float32, as are others "
        "like it; DISCOTHEQUE_PRECISION=fp32 spares the first try"]
