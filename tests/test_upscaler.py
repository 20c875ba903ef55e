"""Upscalers: what ESRGAN's kin make of a picture, whole or in parts."""

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from helpers.errors import Refused
from helpers.networks import upscaler


def made(**config):
    torch.manual_seed(0)
    return upscaler.build({"num_filters": 32, "num_blocks": 1, "scale": 4} | config)


def saved(tmp_path, state, name="mine.safetensors"):
    save_file(state, tmp_path / name)
    return str(tmp_path / name)


def official(net):
    """The names of Real-ESRGAN's published checkpoints for the parameters of spandrel's network."""
    names = {"model.0.": "conv_first.", "model.1.sub.1.": "conv_body.", "model.3.": "conv_up1.",
             "model.6.": "conv_up2.", "model.8.": "conv_hr.", "model.10.": "conv_last."}
    out = {}
    for key, value in net.state_dict().items():
        for ours, theirs in names.items():
            key = theirs + key.removeprefix(ours) if key.startswith(ours) else key
        if key.startswith("model.1.sub."):
            _, _, _, block, rdb, conv, _, kind = key.split(".")
            key = f"body.{block}.{rdb.lower()}.{conv}.{kind}"
        out[key] = value
    return out


@pytest.mark.parametrize("scale", [2, 4])
def test_its_shape_is_read_off_the_weights(tmp_path, scale):
    net = made(scale=scale, num_blocks=2)
    read = upscaler.load(saved(tmp_path, net.state_dict()))
    x = torch.rand(2, 3, 12, 16)
    assert read.scale == scale and torch.allclose(read(x), net(x), atol=1e-5)
    assert upscaler.upscale(read, x).shape == (2, 3, 12 * scale, 16 * scale)
    assert not any(p.requires_grad for p in read.parameters())


def test_published_names_are_known(tmp_path):
    net = made()
    read = upscaler.load(saved(tmp_path, official(net)))
    x = torch.rand(1, 3, 16, 16)
    assert torch.allclose(read(x), net(x), atol=1e-5)


def test_parts_fit_together(monkeypatch):
    """Far from its rim a part does not know that it is one."""
    class Blur(torch.nn.Module):
        scale, precision = 2, "auto"

        def forward(self, x):
            return F.avg_pool2d(F.interpolate(x, scale_factor=2), 5, 1, 2, count_include_pad=False)

    image = torch.rand(1, 3, 70, 50, generator=torch.Generator().manual_seed(0))
    whole = upscaler.upscale(Blur(), image)
    monkeypatch.setattr(upscaler, "TILE", 24)
    monkeypatch.setattr(upscaler, "RIM", 4)
    assert torch.allclose(upscaler.upscale(Blur(), image), whole, atol=0.01)


def test_what_is_no_upscaler(tmp_path):
    with pytest.raises(Refused) as refusal:
        upscaler.load(saved(tmp_path, {"weight": torch.zeros(3)}))
    assert str(refusal.value) == (f"{tmp_path}/mine.safetensors does not hold an upscaler that is known; "
                                  "ESRGAN and its kin are: check the file")
    with pytest.raises(Refused, match="no upscaler called 'nothing'"):
        upscaler.load("nothing")
