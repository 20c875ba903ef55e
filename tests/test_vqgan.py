"""The VQGAN network: the same pictures as taming's own, from checkpoints as they were published."""

import hashlib
import subprocess
import sys

import official
import pytest
import torch
from loopback import serve

from helpers import weights
from helpers.errors import Refused
from helpers.networks import vqgan

EXACT = 1e-5


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """publish(net, name, …) -> a catalogue entry of that name, its checkpoint on a server of this machine."""
    monkeypatch.setenv("DISCOTHEQUE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as site:
        def publish(net, name, config="", **options):
            data = official.save(net, tmp_path / "published.ckpt", **options).read_bytes()
            site.files[f"/{name}"] = data
            path = tmp_path / "catalogue.toml"
            path.write_text(f'[{name}]\nkind = "vqgan"\nfile = "last.ckpt"\n{config}\nmirrors = [ {{ url = '
                            f'"{site.url("/" + name)}", sha256 = "{hashlib.sha256(data).hexdigest()}" }} ]\n')
            monkeypatch.setenv("DISCOTHEQUE_CATALOGUE", str(path))
        yield publish


def picture(n=1, height=64, width=96):
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(5))


def same(net, theirs, gumbel=False):
    image = picture()
    with torch.no_grad():
        h = theirs.quant_conv(theirs.encoder(image * 2 - 1))
        if gumbel:  # theirs adds Gumbel noise; without it, it takes the highest score
            codes = theirs.quantize.embed(theirs.quantize.proj(h).argmax(1)).permute(0, 3, 1, 2)
        else:
            codes = theirs.quantize(h)[0]
        assert (net.quantize(net.encode(image)) - codes).abs().max() < EXACT
        assert ((theirs.decode(codes) + 1) / 2 - net.decode(codes)).abs().max() < EXACT


@pytest.mark.parametrize("kind, config, options", [
    ("imagenet", official.F16, {}),
    ("imagenet", official.F16, {"zipped": False}),
    ("faceshq", official.F16, {"prefix": "first_stage_model."}),
    ("gumbel", official.F8, {"zipped": False}),
], ids=["f16", "f16 legacy file", "f16 in a transformer", "gumbel f8"])
def test_parity_with_official_checkpoints(publish, kind, config, options):
    theirs = official.network(config)
    publish(theirs, f"{kind}_test", **options)
    net = vqgan.load(f"{kind}_test")
    assert net.factor == (8 if kind == "gumbel" else 16)
    assert not any(p.requires_grad for p in net.parameters()) and not net.training
    same(net, theirs, kind == "gumbel")
    same(vqgan.load(f"{kind}_test"), theirs, kind == "gumbel")  # now from the converted file


def test_the_catalogue_config_builds_the_same_as_the_weights_tell(publish):
    for config in (official.F16, official.F8):
        state = vqgan.tidy(official.network(config).state_dict())
        told = vqgan.infer(state)
        assert told == {"gumbel": False, **config, "ddconfig": told["ddconfig"]}
        assert {**told["ddconfig"]} == config["ddconfig"]


@pytest.mark.parametrize("name", ["imagenet_f16_1024", "imagenet_f16_16384", "gumbel_f8", "coco"])
def test_full_size_keys_and_shapes(name):
    config = weights.catalogue()[name]["config"]
    with torch.device("meta"):
        net = vqgan.build(config)
        theirs = official.Official(config)
    ours = {key: value.shape for key, value in net.state_dict().items()}
    assert ours == {key: value.shape for key, value in vqgan.tidy(theirs.state_dict()).items()}
    millions = {"imagenet_f16_1024": 72.1, "imagenet_f16_16384": 76.1, "gumbel_f8": 69.0}
    if name == "gumbel_f8":  # the published count leaves out the 8192 scores
        ours = {key: shape for key, shape in ours.items() if not key.startswith("quantize.proj")}
    if name in millions:
        assert sum(shape.numel() for shape in ours.values()) / 1e6 == pytest.approx(millions[name], abs=2.2)
    assert vqgan.infer(net.state_dict())["ddconfig"] == config["ddconfig"]


def test_quantizing_is_straight_through():
    net = vqgan.build(official.F16)
    z = torch.randn(1, 32, 4, 6, requires_grad=True)
    codes = net.quantize(z)
    rows = codes.movedim(1, -1).reshape(-1, 1, 32)
    assert (rows == net.quantize.table()).all(2).any(1).all()
    slope = torch.randn_like(codes)
    codes.backward(slope)
    assert torch.equal(z.grad, slope)
    assert torch.equal(codes, net.quantize.codes(net.quantize.nearest(z)))


def test_codes_on_the_sphere():
    net = vqgan.build({**official.F16, "l2_codes": True}).eval()
    table = net.quantize.table()
    assert torch.allclose(table.norm(dim=1), torch.ones(64))
    z = (3 * torch.randn(1, 32, 4, 4)).requires_grad_()
    codes = net.quantize(z)
    best = torch.einsum("ndhw,kd->nkhw", z, table).argmax(1)  # the nearest by direction
    assert torch.equal(net.quantize.nearest(z), best) and torch.allclose(codes, net.quantize.codes(best))
    codes.square().sum().backward()
    assert z.grad.abs().max() > 0
    with torch.no_grad():
        assert torch.allclose(net.encode(picture()).norm(dim=1), torch.ones(()))
        assert torch.allclose(net.quantize.latent(7 * z), net.quantize.latent(z), atol=1e-6)
    low, high = net.code_range()
    assert low.shape == high.shape == (1, 32, 1, 1) and (low >= -1).all() and (high <= 1).all()


def test_sizes_ranges_and_overshoot():
    net = vqgan.build(official.F8).eval().requires_grad_(False)
    z = net.encode(picture(2, 40, 64))
    assert z.shape == (2, 32, 5, 8) and net.decode(z).shape == (2, 3, 40, 64)
    assert net.decode(50 * z).min() < 0 or net.decode(50 * z).max() > 1


def test_half_precision_stays_near():
    theirs = official.network(official.F16)
    state = vqgan.tidy(theirs.state_dict())
    full, half = vqgan.build(official.F16).eval(), vqgan.build(official.F16, "bf16").eval()
    for net in (full, half):
        net.load_state_dict(state)
    with torch.no_grad():
        z = full.encode(picture())
        assert half.decode(z).dtype == torch.float32
        assert (half.decode(z) - full.decode(z)).abs().mean() < 0.005


def test_another_network_is_refused(tmp_path):
    path = official.save(torch.nn.Linear(2, 2), tmp_path / "linear.ckpt")
    with pytest.raises(Refused) as refused:
        vqgan.load(str(path))
    assert str(refused.value) == (
        f"{path} does not hold the VQGAN it should; one has an encoder, a decoder and codes, named as in "
        "taming-transformers: check the file, or try 'vqgan-world'")


def test_it_needs_no_lightning():
    code = ("import sys; sys.modules['pytorch_lightning'] = None; from helpers.networks import vqgan; "
            "sys.exit(any('lightning' in name for name, module in sys.modules.items() if module))")
    assert not subprocess.run([sys.executable, "-c", code], cwd=weights.ASSETS.parent, check=False).returncode
