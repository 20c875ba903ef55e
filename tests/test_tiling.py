"""Tiling: large pictures in windows."""

import pytest
import torch
from test_diffusion import LEVELS, Known, Watcher

from helpers import diffusion, tiling
from helpers.guidance import Guided
from helpers.machine import mix


def tiled(height=20, width=28, side=8, scale=0.0):
    denoise = Guided(Known(), Watcher(), scale=scale, clamp=0)

    def paint(window, number):
        seeds = [mix(3, number)]
        return diffusion.Diffusion(denoise, diffusion.start(window, seeds, LEVELS[5]), LEVELS, seeds=seeds,
                                   skip=5)
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    return image, tiling.Tiled(image, side, side, paint, every=4)


@pytest.mark.parametrize("whole, window", [(8, 8), (9, 8), (16, 8), (20, 8), (28, 8), (1280, 512),
                                           (768, 512)])
def test_windows_cover_everything_and_overlap(whole, window):
    found = tiling.starts(whole, window)
    assert found[0] == 0 and found[-1] == whole - window and found == sorted(set(found))
    assert all(b - a <= window / 2 + 1 for a, b in zip(found, found[1:], strict=False))


def test_every_window_is_painted_and_nothing_else():
    image, painting = tiled()
    frames = list(painting)
    assert len(frames) == 3 * len(painting.places) and frames[-1].image.shape == image.shape
    assert (frames[-1].image - image).abs().mean() > 0.05
    shown = [frame for frame in frames if frame.image is not None]
    assert torch.equal(shown[0].image[..., 8:, :], image[..., 8:, :]), "the first row of windows comes first"


def test_seams_are_soft():
    """Two pictures meet: what was painted first shows through where the second one fades."""
    assert tiling.ramp(0, 8, 16).tolist() == [1] * 6 + [0.75, 0.25]
    assert tiling.ramp(8, 8, 16).tolist() == [0.25, 0.75] + [1] * 6
    assert tiling.ramp(0, 8, 8).tolist() == [1] * 8


@pytest.mark.parametrize("stop", [1, 3, 4, 8])
def test_resume_is_exact(stop):
    straight = list(tiled(scale=0.01)[1])[-1].image
    first, second = tiled(scale=0.01)[1], tiled(scale=0.01)[1]
    for _ in range(stop):
        next(first)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.image(), second.image())
    assert torch.equal(list(second)[-1].image, straight)


def test_a_picture_as_large_as_a_window_is_one():
    image, painting = tiled(8, 8)
    alone = painting.begun(0)
    assert torch.allclose(list(painting)[-1].image, list(alone)[-1].image)
