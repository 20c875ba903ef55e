import copy

import pytest
import torch
from stand_ins import TINY, coder
from torch.nn import functional as F

from helpers.errors import Refused
from helpers.guides import Likeness
from helpers.loop import paint
from helpers.networks import latents, vqgan
from helpers.networks.latents import Latents
from helpers.networks.lean import lean_


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("codes", latents.CODES)
def test_contract(codes):
    net = coder()
    canvas = Latents(net, 32, 64, codes, rng=dice(), draws=dice(1))
    image = canvas()
    assert image.shape == (1, 3, 32, 64) and 0 <= image.min() and image.max() <= 1
    (image * torch.rand(image.shape, generator=dice(2))).sum().backward()
    assert canvas.z.grad.abs().sum() > 0 and all(p.grad is None for p in net.parameters())
    assert [name for name, _ in canvas.named_parameters()] == ["z"] and list(canvas.state_dict()) == ["z"]
    canvas.project_()


def test_it_begins_with_codes():
    canvas = Latents(coder(), 32, 32, rng=dice())
    assert torch.allclose(canvas.latents(), canvas.z, atol=1e-6)
    assert torch.equal(Latents(coder(), 32, 32, "free", rng=dice())(), canvas())
    assert torch.allclose(Latents(coder(), 32, 32, "chance", rng=dice()).eval()(), canvas(), atol=1e-4)


@pytest.mark.parametrize("start", latents.STARTS[1:])
def test_beginnings(start):
    one, other = (Latents(coder(), 32, 32, start=start, rng=dice(seed))() for seed in (0, 1))
    assert torch.equal(one, other) == (start == "gray")
    picture = latents.beginning(start, 32, 48, dice())
    assert picture.shape == (1, 3, 32, 48) and 0 <= picture.min() and picture.max() <= 1


@pytest.mark.parametrize("codes", latents.CODES)
def test_fit_shows_what_the_coder_can_say(codes):
    net = coder()
    aim = net.decode(net.quantize.codes(torch.randint(24, (1, 4, 4), generator=dice(3)))).clamp(0, 1)
    canvas = Latents(net, 32, 32, codes, rng=dice()).eval()
    canvas.fit(aim)
    said = net.encode(aim)
    if codes in ("nearest", "chance"):
        said = net.quantize(said)
    if codes != "soft":
        low, high = net.code_range()
        assert torch.allclose(canvas(), net.decode(said.maximum(low).minimum(high)).clamp(0, 1), atol=1e-3)


def test_odds_of_codes_find_a_picture_at_their_own_pace():
    net = coder()
    aim = net.decode(net.quantize.codes(torch.randint(24, (1, 4, 4), generator=dice(3)))).clamp(0, 1).detach()
    canvas = Latents(net, 32, 32, "chance", start="gray", rng=dice(), draws=dice(1))
    losses = [frame.losses["likeness"] for frame in paint(canvas, Likeness(aim), steps=60)]
    assert losses[-1] < 0.5 * losses[0]


def test_projection_and_pull():
    canvas = Latents(coder(), 32, 32, "free", pull=1.0, rng=dice())
    assert canvas.prior() < 1e-6
    canvas.z.data.mul_(50)
    assert canvas.prior() > 1
    canvas.project_()
    low, high = coder().code_range()
    assert (canvas.z <= high).all() and (canvas.z >= low).all()


def test_codes_on_a_sphere_stay_there():
    net = vqgan.build(TINY | {"l2_codes": True}).eval().requires_grad_(False)
    canvas = Latents(net, 32, 32, rng=dice())
    canvas.z.data.add_(3)
    canvas.project_()
    assert torch.allclose(canvas.z.norm(dim=1), torch.ones(1, 4, 4), atol=1e-5)


def test_sides_fit_the_network():
    with pytest.raises(Refused) as refusal:
        Latents(coder(), 36, 64)
    assert str(refusal.value) == "a side of the picture is 36; this VQGAN goes in steps of 8: try 32 or 40"


@pytest.mark.parametrize("precision, worst, least", [("fp32", 1e-4, 0.99999), ("bf16", 0.1, 0.98)])
def test_lean_is_the_same_function(precision, worst, least):
    torch.manual_seed(1)
    net = vqgan.build(TINY | {"ddconfig": TINY["ddconfig"] | {"ch_mult": [1, 2, 2, 4],
                                                              "attn_resolutions": [16]}})
    for module in net.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.weight.data.normal_(1, 0.3)
            module.bias.data.normal_(0, 0.3)
    net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    lean = copy.deepcopy(net)
    lean_(lean_(lean.decoder))
    lean.precision = precision
    z = torch.randn(1, 4, 4, 6, generator=dice())

    def both(net):
        start = z.clone().requires_grad_()
        image = net.decode(start)
        (image * torch.linspace(0, 1, image.shape[-1])).sum().backward()
        return image.detach(), start.grad.flatten()
    (image, slope), (other, near) = both(net), both(lean)
    assert (image - other).abs().max() < worst
    assert F.cosine_similarity(slope, near, dim=0) > least
