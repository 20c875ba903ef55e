"""Lean towers: open_clip's answers and slopes, from open_clip's weights."""

import copy

import pytest
import torch
from open_clip.model import CLIP
from test_perceptors import alive
from torch import nn

from helpers import towers

TEXT = {"context_length": 8, "vocab_size": 10, "width": 16, "heads": 2, "layers": 1}
KINDS = {"transformer": ({"layers": 3, "patch_size": 16}, False),
         "quick": ({"layers": 1, "patch_size": 32}, True), "resnet": ({"layers": [2, 1, 1, 2]}, False),
         "odd": ({"layers": [1, 1, 1, 1], "image_size": 80}, False)}     # 5 pixels cannot be halved


@torch.no_grad()
def tower(kind):
    vision, quick = KINDS[kind]
    net = alive(CLIP(24, {"image_size": 64, "width": 32, "head_width": 16, **vision}, TEXT, quick))
    for name, buffer in net.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    return net.visual.eval().requires_grad_(False)


def seen(net, size):
    images = torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(2)).requires_grad_()
    rows = net(images)
    return rows.detach(), torch.autograd.grad((rows * rows.detach().roll(1, 0)).sum(), images)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_they_answer_and_slope_as_open_clips(kind):
    net = tower(kind)
    size = net.image_size if isinstance(net.image_size, int) else net.image_size[0]
    rows, slope = seen(net, size)
    made = towers.lean(copy.deepcopy(net))
    assert type(made) in (towers.Transformer, towers.ResNet)
    other, about = seen(made, size)
    assert (other - rows).abs().max() < 1e-5 * rows.abs().max()
    assert (about - slope).abs().max() < 1e-4 * slope.abs().max()
    assert not any(p.requires_grad for p in made.parameters())


def test_what_is_not_known_comes_back():
    unlike = tower("transformer")
    unlike.pool_type = "avg"
    assert towers.lean(unlike) is unlike
    other = nn.Identity()
    assert towers.lean(other) is other


def test_a_glance_is_an_attention_of_the_first_place():
    attention = nn.MultiheadAttention(16, 4, batch_first=True)
    nn.init.normal_(attention.in_proj_bias)
    x = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(3))
    (query, key, value), (b_query, _, b_value) = (t.chunk(3) for t in (attention.in_proj_weight,
                                                                       attention.in_proj_bias))
    seen = attention.out_proj(towers.glance(x, (query, b_query), key, (value, b_value), 4))
    assert torch.allclose(seen, attention(x, x, x)[0][:, 0], atol=1e-5)
