"""BigGAN-deep: the same pictures as pytorch-pretrained-biggan's, from its files, and what that one lacks."""

import hashlib
import json

import official_biggan as official
import pytest
import torch
from loopback import serve
from safetensors.torch import save_file

from helpers import bars, weights
from helpers.errors import Refused
from helpers.networks import biggan, biggan_lean, biggan_training

EXACT = 1e-4
TINY = {"z_dim": 16, "channel_width": 4, "num_classes": 10, "attention_layer_position": 3,
        "layers": [(False, 16, 16), (True, 16, 8), (False, 8, 4), (True, 4, 2), (False, 2, 1)]}
OURS = {"layers": TINY["layers"], "attention": 3, "width": 4, "classes": 10, "class_dim": 16, "z_dim": 16,
        "n_stats": 51}


def tiny(seed=0):
    return official.network(16, seed, **TINY)


def ours(state, config=OURS, precision="fp32", lean=True):
    net = biggan.build(config, precision)
    net.load_state_dict(biggan.tidy(state))
    return biggan_lean.lean_(net) if lean else net.eval().requires_grad_(False)


def asked(n=2, sites=0, z_dim=16, classes=10, seed=3):
    """(z, classes) of n pictures, of one or of every site."""
    rng = torch.Generator().manual_seed(seed)
    shape = (n, sites) if sites else (n,)
    return (torch.randn(*shape, z_dim, generator=rng),
            torch.rand(*shape, classes, generator=rng).softmax(-1))


def theirs_by_site(net, z, classes, truncation):
    """Their network with a condition per site, as in BigSleep; z and classes (n, sites, …)."""
    conditions = iter(torch.cat([z, net.embeddings(classes)], -1).unbind(1))
    generator = net.generator
    x = generator.gen_z(next(conditions)).view(len(z), 4, 4, -1).permute(0, 3, 1, 2)
    for layer in generator.layers:
        x = layer(x) if hasattr(layer, "gamma") else layer(x, next(conditions), truncation)
    x = generator.conv_to_rgb(generator.bn(x, truncation).relu())[:, :3].tanh()
    return (x + 1) / 2


@pytest.mark.parametrize("size", [128, 256, 512])
def test_parity_at_the_published_sizes(size):
    entry = weights.catalogue()[f"biggan-deep-{size}"]
    theirs = official.network(size, seed=size)
    state = biggan.tidy(theirs.state_dict())
    told = biggan.infer(state)
    assert [tuple(layer) for layer in entry["config"]["layers"]] == told["layers"]
    with torch.device("meta"):
        net = biggan.build(entry["config"])
        assert net.config | {"layers": told["layers"]} == {**biggan.DEFAULTS, **told}
    net.load_state_dict(state, assign=True)
    biggan_lean.lean_(net)
    assert net.size == size and net.sites == len(told["layers"]) + 1 == {128: 11, 256: 13, 512: 15}[size]
    z, classes = asked(1, z_dim=128, classes=1000)
    with torch.no_grad():
        for truncation in (0.4, 0.6, 1.0) if size == 128 else (0.6,):
            picture = net(z * truncation, classes, truncation)
            wanted = (theirs(z * truncation, classes, truncation) + 1) / 2
            assert picture.shape == (1, 3, size, size) and wanted.std() > 0.05
            assert (picture - wanted).abs().max() < EXACT
    millions = sum(p.numel() for p in theirs.parameters()) / 1e6
    assert millions == pytest.approx({128: 50.39, 256: 55.88, 512: 56.16}[size], abs=0.005)


@pytest.mark.parametrize("lean", [True, False])
def test_every_site_listens_to_its_own_latent_and_class(lean):
    theirs = tiny()
    theirs.generator.layers[0].bn_1.running_vars[:, 0] = 0  # a dead channel of a trained net
    net = ours(theirs.state_dict(), lean=lean)
    z, classes = asked(2, net.sites)
    with torch.no_grad():
        assert (net(z, classes, 0.4) - theirs_by_site(theirs, z, classes, 0.4)).abs().max() < EXACT
        one = net(z[:, 0], classes[:, 0], 0.4)
        assert (one - (theirs(z[:, 0], classes[:, 0], 0.4) + 1) / 2).abs().max() < EXACT
        everywhere = [t[:, :1].expand(-1, net.sites, -1) for t in (z, classes)]
        assert torch.allclose(net(*everywhere, 0.4), one, atol=1e-6)
        assert torch.allclose(net(z[:, 0], everywhere[1], 0.4), one, atol=1e-6)
        assert torch.allclose(net(z[:, 0], embedding=net.embeddings(classes[:, 0]), truncation=0.4), one,
                              atol=1e-6)


def test_slopes_reach_every_site():
    state = tiny().state_dict()
    lean, plain = ours(state), ours(state, lean=False)
    slopes = []
    for net in (lean, plain):
        z, classes = (t.requires_grad_() for t in asked(2, net.sites))
        (net(z, classes, 0.7) * torch.linspace(0, 1, 16)).square().sum().backward()
        slopes.append((z.grad, classes.grad))
        for slope in slopes[-1]:
            assert (slope.abs().amax(-1) > 0).all() and slope.isfinite().all()
            assert not torch.allclose(slope[:, 0], slope[:, 1])
        assert all(p.grad is None for p in net.parameters())
    for fast, slow in zip(*slopes, strict=True):
        assert torch.allclose(fast, slow, rtol=1e-3, atol=1e-5 * slow.abs().max())
    z, classes = (t.requires_grad_() for t in asked(2))
    with torch.inference_mode():
        lean(*asked(2), 0.9)  # what is remembered here must serve for slopes as well
    lean(z, classes, 0.9).sum().backward()
    assert z.grad.abs().min() > 0


def test_the_fast_parts_have_the_right_slopes():
    rng = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, dtype=torch.float64, generator=rng).requires_grad_()

    for n in (1, 2):
        parts = draw(2, 4, 3, 3), draw(n, 4, 1, 1), draw(n, 4, 1, 1)
        assert torch.autograd.gradcheck(lambda *p: biggan_lean.Bend.apply(*p, 2), parts)
        assert torch.autograd.gradcheck(lambda *p: biggan_lean.Bend.apply(*p, 0)[0], parts)
    assert torch.autograd.gradcheck(biggan_lean.Join.apply, (draw(2, 3, 4, 4), draw(2, 3, 2, 2)))
    conv = torch.nn.Conv2d(3, 5, 3, padding=1).requires_grad_(False)
    x = torch.randn(2, 3, 4, 6, generator=rng)
    wanted = conv(torch.nn.functional.interpolate(x, scale_factor=2))
    assert torch.allclose(biggan_lean.doubling(conv)(x), wanted, atol=1e-6)


# ---------------------------------------------------- statistics by truncation

def test_statistics_are_linear_between_the_stored_truncations():
    """Their package weighs the two neighbors the wrong way round; so it takes the wrong one for 0.14, 0.28,
    0.56, 0.58 and 0.94, which miss their multiple of 0.02 by a bit. Ours is held to the definition."""
    theirs, z, classes = tiny(), *asked()
    state = {key: value.clone() for key, value in theirs.state_dict().items()}
    net, wrong = ours(state), []
    norms = [key for key in state if "running_" in key]
    for truncation in (0.013, 0.02, 0.14, 0.28, 0.3, 0.43, 0.557, 0.58, 0.94, 0.995, 1.0):
        place = torch.tensor(truncation, dtype=torch.float64) * 50
        below = place.floor().clamp(max=49)
        between = place - below
        by_definition = {key: state[key].clone() for key in norms}
        for rows in by_definition.values():
            low, high = rows[int(below)].double(), rows[int(below) + 1].double()
            rows[50] = (1 - between) * low + between * high
        as_given = (theirs(z, classes, truncation) + 1) / 2
        theirs.load_state_dict(by_definition, strict=False)
        wanted = (theirs(z, classes, 1.0) + 1) / 2
        theirs.load_state_dict(state)
        with torch.no_grad():
            assert (net(z, classes, truncation) - wanted).abs().max() < EXACT, truncation
        if (as_given - wanted).abs().max() > EXACT:
            wrong.append(truncation)
    assert wrong == [0.013, 0.14, 0.28, 0.557, 0.58, 0.94, 0.995]  # 0.43 lies in the middle


def test_maps_are_remembered_for_a_few_truncations():
    net = ours(tiny().state_dict())
    with torch.no_grad():
        first = net(*asked(), 0.1)
        for truncation in (0.2, 0.3, 0.4, 0.5, 0.6, 0.1):
            last = net(*asked(), truncation)
    assert torch.equal(first, last)
    assert len(net.generator.bn.kept) == biggan_lean.KEPT


# ---------------------------------------------------- files

@pytest.fixture
def publish(tmp_path, monkeypatch):
    """publish(state, name, config) -> the official file of a state, on a server of this machine."""
    monkeypatch.setenv("DISCOTHEQUE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as site:
        def publish(state, name, config="", zipped=False):
            path = tmp_path / f"{name}.bin"
            torch.save(state, path, _use_new_zipfile_serialization=zipped)
            data = path.read_bytes()
            site.files[f"/{name}"] = data
            catalogue = tmp_path / "catalogue.toml"
            catalogue.write_text(
                f'[{name}]\nkind = "biggan"\nfile = "pytorch_model.bin"\n{config}\nmirrors = [ {{ url = "'
                f'{site.url("/" + name)}", sha256 = "{hashlib.sha256(data).hexdigest()}" }} ]\n')
            monkeypatch.setenv("DISCOTHEQUE_CATALOGUE", str(catalogue))
            return path
        yield publish


@pytest.mark.parametrize("zipped", [False, True], ids=["file of 2019", "file of today"])
def test_official_files_load_unchanged(publish, zipped):
    theirs, (z, classes) = tiny(), asked()
    path = publish(theirs.state_dict(), "biggan-test", zipped=zipped)
    told = []
    wanted = (theirs(z, classes, 0.6) + 1) / 2
    again = "biggan-test"  # converted by then
    for name in ("biggan-test", again, str(path), f"biggan-test={path}"):
        with bars.watched(told.append):
            net = biggan.load(name)
        assert not any(p.requires_grad for p in net.parameters()) and not net.training
        with torch.no_grad():
            assert (net(z, classes, 0.6) - wanted).abs().max() < EXACT
    assert told and weights.names("biggan")[-1] == "biggan-test"


def test_half_precision_stays_near():
    state, (z, classes) = tiny().state_dict(), asked()
    full, half = ours(state), ours(state, precision="bf16")
    blocks = [layer for layer in half.generator.layers if layer.listens]
    assert {layer.conv_1.weight.dtype for layer in blocks} == {torch.bfloat16}
    assert {layer.norms.at(0.6, half.device)[0].dtype for layer in blocks} == {torch.float32}
    z.requires_grad_()
    picture = half(z, classes, 0.6)
    picture.square().mean().backward()
    assert picture.dtype == z.grad.dtype == torch.float32 and z.grad.abs().max() > 0
    assert (picture - full(z, classes, 0.6)).abs().mean() < 0.02


def test_a_file_of_another_size_is_refused(publish):
    publish(tiny().state_dict(), "biggan-other", "config = { layers = [[true, 4, 2], [true, 2, 1]] }")
    with pytest.raises(Refused) as refused:
        biggan.load("biggan-other")
    assert str(refused.value) == (
        "biggan-other is a BigGAN of 16 px, 5 blocks of 64 32 16 8 4 channels; it should be one of 2 blocks "
        "of 8 4 channels: check the file, and that it is of this size")


@pytest.mark.parametrize("tensors", [{"embeddings.weight": torch.ones(2, 2)}, {"loss.weight": torch.ones(2)}])
def test_another_network_is_refused(tmp_path, tensors):
    path = tmp_path / "other.safetensors"
    save_file(tensors, path)
    with pytest.raises(Refused, match="holds no BigGAN-deep; its parameters are"):
        biggan.load(str(path))


# ---------------------------------------------------- refusals

@pytest.mark.parametrize("truncation", [0, -0.1, 1.01, float("nan")])
def test_truncation_is_above_0_up_to_1(truncation):
    net = biggan.build(OURS)
    with pytest.raises(Refused) as refused:
        net(*asked(), truncation)
    assert str(refused.value) == (f"truncation is {truncation}; it goes from above 0 to 1: "
                                  "try 0.4 for typical pictures, 1 for varied ones")


@pytest.mark.parametrize("z, classes, message", [
    ((2, 12), (2, 10), "z is (2, 12); here it is (n, 16) or, with a row for each site, (n, 6, 16)"),
    ((2, 4, 16), (2, 10), "z is (2, 4, 16); here it is (n, 16) or, with a row for each site, (n, 6, 16)"),
    ((2, 16), (10,), "classes is (10,); here it is (n, 10) or, with a row for each site, (n, 6, 10)"),
    ((2, 16), None, "classes is missing; here it is (n, 10) or, with a row for each site, (n, 6, 10)"),
])
def test_shapes_are_told(z, classes, message):
    net = biggan.build(OURS)
    with pytest.raises(Refused) as refused:
        net(torch.zeros(z), classes and torch.zeros(classes))
    assert str(refused.value) == message + ": check its last sizes"


def test_as_many_latents_as_classes():
    net = ours(tiny().state_dict())
    with pytest.raises(Refused) as refused:
        net(torch.zeros(2, 16), torch.zeros(3, 10))
    assert str(refused.value) == ("there are 2 latents and 3 classes; one may serve many: "
                                  "give as many of one as of the other")
    assert net(torch.zeros(1, 16), torch.zeros(3, 10)).shape == (3, 3, 16, 16)


@pytest.mark.parametrize("change, message", [
    ({"layers": [(False, 4, 2), (True, 4, 1)]}, "a layer gives 2 channels and the next takes 4; "
     "they are the same number: correct layers: [doubles pixels, in, out]"),
    ({"layers": [(True, 4, 8)], "attention": None}, "a layer is [True, 4, 8] of 4 channels; "
     "channels in go in steps of 4, and no more come out than go in: correct layers or width"),
    ({"attention": 5}, "attention is 5; it is None or a block, 0 to 4: "
     "try the block at half the picture's size"),
    ({"n_stats": 1}, "n_stats is 1; statistics are stored for 2 truncations at least: try 11 or 51"),
    ({"n_stat": 2}, "no setting of a BigGAN called 'n_stat'; did you mean 'n_stats'?"),
])
def test_configs_of_no_network_are_refused(change, message):
    with pytest.raises(Refused) as refused:
        biggan.build({**OURS, **change})
    assert str(refused.value) == message


# ---------------------------------------------------- latents and training

def test_latents_are_cut_off_and_repeat():
    z = biggan.latents((400, 50), 0.5, torch.Generator().manual_seed(0))
    assert z.abs().max() <= 1.0 and abs(z.mean()) < 0.01
    assert z.std() == pytest.approx(0.5 * 0.8796, abs=0.005)  # of a normal cut off at 2
    assert torch.equal(z, biggan.latents((400, 50), 0.5, torch.Generator().manual_seed(0)))


def test_what_is_trained_is_what_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path))
    rng = torch.Generator().manual_seed(0)
    config = {**OURS, "n_stats": 3}
    net = biggan_training.trainable(biggan.build(config), rng)
    adam = torch.optim.Adam(net.parameters(), 1e-3)
    losses = []
    for _ in range(12):  # "be red"
        picture = net(torch.randn(8, 16, generator=rng), biggan_training.one_of(10, 8)(rng))
        loss = (picture - torch.tensor([1.0, 0, 0]).view(3, 1, 1)).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.grad is not None for p in net.parameters())

    z, classes = asked()
    done = biggan_training.finished(net)
    assert torch.allclose(done(z, classes), net.eval()(z, classes), atol=1e-6)  # eval: sigma stands still
    sigma = torch.linalg.matrix_norm(done.generator.gen_z.weight, 2)
    assert sigma == pytest.approx(1, abs=0.1)

    draw = biggan_training.one_of(10, 128)
    biggan_training.measure_(done, draw, rng, batches=4)
    norm = done.generator.layers[0].bn_0
    for row, truncation in ((1, 0.5), (2, 1.0)):
        many, several = biggan.latents((128, 16), truncation, rng), draw(rng)
        by_batch, stored = done.train()(many, several), done.eval()(many, several, truncation)
        assert (by_batch - stored).abs().mean() < 0.3 * stored.std()
        first = done.generator.gen_z(torch.cat([many, done.embeddings(several)], 1)).view(128 * 16, -1)
        assert torch.allclose(norm.running_means[row], first.mean(0), atol=0.25 * first.std())
        assert torch.allclose(norm.running_vars[row], first.var(0), rtol=0.3)

    save_file({key: value.half().contiguous() for key, value in done.state_dict().items()},
              tmp_path / "biggan-toy.safetensors")
    (tmp_path / "biggan-toy.json").write_text(json.dumps({"kind": "biggan", "config": config}))
    again = biggan.load("biggan-toy")
    assert (again(z, classes, 0.7) - done(z, classes, 0.7)).abs().mean() < 0.005
