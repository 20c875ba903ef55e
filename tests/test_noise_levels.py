"""Noise levels: the processes that networks were trained under, and the stairs down them."""

import numpy as np
import pytest
import torch
from guided_diffusion.respace import space_timesteps
from guided_diffusion.script_util import create_gaussian_diffusion

from helpers.errors import Refused
from helpers.noise_levels import Process, cosine_betas, karras, linear_betas

SCHEDULES = {"linear": linear_betas, "cosine": cosine_betas}
LINEAR = Process(linear_betas())


def official(schedule, count, respacing=""):
    """The package's levels, falling."""
    diffusion = create_gaussian_diffusion(steps=count, noise_schedule=schedule, timestep_respacing=respacing)
    kept = diffusion.alphas_cumprod[::-1]
    return torch.from_numpy(np.sqrt((1 - kept) / kept))


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-10, atol=0)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("count", [50, 1000, 4000])
def test_schedules_are_the_package_s(schedule, count):
    betas = SCHEDULES[schedule](count)
    assert betas.shape == (count,) and betas.dtype == torch.float64
    sigmas = Process(betas).sigmas
    assert sigmas.dtype == torch.float64 and (sigmas.diff() > 0).all()
    close(sigmas.flip(0), official(schedule, count))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [2, 3, 7, 10, 25, 50, 100, 250, 333, 334, 501, 999, 1000])
def test_respaced_as_the_package(schedule, steps):
    """As notebooks ask for it: ddimN over the largest multiple of N, with that multiple's own betas."""
    levels = Process(SCHEDULES[schedule]()).respaced(steps)
    assert levels.shape == (steps + 1,) and levels[-1] == 0 and (levels.diff() < 0).all()
    close(levels[:-1], official(schedule, 1000 // steps * steps, f"ddim{steps}"))


def test_respaced_by_a_divisor_takes_every_nth_timestep():
    assert torch.equal(LINEAR.respaced(250)[:-1], LINEAR.sigmas[::4].flip(0))
    assert LINEAR.time(LINEAR.respaced(250)[0]) == 996


def test_respaced_betas_of_no_known_schedule():
    process = Process(torch.full((10,), 0.1))
    assert torch.equal(process.respaced(4)[:-1], process.sigmas[[7, 5, 2, 0]])


@pytest.mark.parametrize("steps", [2, 3, 7, 21, 23, 75, 250, 487, 999, 1000])
def test_even_as_the_package(steps):
    """With 7 and 75 halves are rounded; with 21 and 23 the package's sum of strides falls short of one."""
    times = sorted(space_timesteps(1000, str(steps)), reverse=True)
    levels = LINEAR.even(steps)
    assert torch.equal(levels[:-1], LINEAR.sigmas[times]) and levels[-1] == 0 and len(levels) == steps + 1


@pytest.mark.parametrize("way", [LINEAR.respaced, LINEAR.even])
def test_a_single_step_starts_at_the_highest_level(way):
    assert torch.equal(way(1), torch.tensor([LINEAR.sigmas[-1], 0]))


@pytest.mark.parametrize("process", [LINEAR, Process(cosine_betas(50))], ids=["linear", "cosine"])
def test_time_and_sigma_are_inverse(process):
    times = torch.linspace(0, len(process.sigmas) - 1, 77, dtype=torch.float64)
    torch.testing.assert_close(process.time(process.sigma(times)), times, rtol=0, atol=1e-8)
    close(process.sigma(torch.arange(len(process.sigmas))), process.sigmas)


def test_between_timesteps_sigma_is_straight_in_its_logarithm():
    low, high = LINEAR.sigmas[[400, 401]].tolist()
    assert LINEAR.sigma(400.5) == pytest.approx((low * high) ** 0.5)
    assert LINEAR.time(low**0.75 * high**0.25) == pytest.approx(400.25)


@pytest.mark.filterwarnings("error")        # the logarithm of 0 is none of a caller's concern
@pytest.mark.parametrize("sigma, time", [(0, 0), (1e-9, 0), (1e9, 999), (float("inf"), 999)])
def test_held_at_both_ends(sigma, time):
    assert LINEAR.time(sigma) == time
    assert LINEAR.sigma(-5) == LINEAR.sigma(0) and LINEAR.sigma(1e9) == LINEAR.sigma(999)


def test_numbers_for_numbers_and_tensors_for_tensors():
    assert type(LINEAR.time(1)) is float and type(LINEAR.sigma(1)) is float
    times = LINEAR.time(torch.tensor([[0.5, 1.0]]))
    assert times.shape == (1, 2) and times.dtype == torch.float64 and times[0, 1] == LINEAR.time(1.0)


def test_networks_may_be_built_on_another_device():
    with torch.device("meta"):
        process = Process(linear_betas())
        assert process.respaced(10).tolist() == LINEAR.respaced(10).tolist()


def test_a_process_stays_as_it_is():
    with pytest.raises(AttributeError):
        LINEAR.betas = cosine_betas()


def test_karras():
    levels = karras(3, 0.1, 10, rho=2)
    middle = ((10**0.5 + 0.1**0.5) / 2) ** 2
    torch.testing.assert_close(levels, torch.tensor([10, middle, 0.1, 0], dtype=torch.float64))
    assert (karras(40, 0.01, 80).diff() < 0).all() and karras(1, 0.01, 80).tolist() == pytest.approx([80, 0])
    assert (karras(9, 0.01, 80, rho=7)[1:-1] < karras(9, 0.01, 80, rho=2)[1:-1])[:-1].all()


@pytest.mark.parametrize("ask, message", [
    (lambda: LINEAR.respaced(0), "steps is 0; it goes from 1 to 1000: try 1"),
    (lambda: LINEAR.respaced(1001), "steps is 1001; it goes from 1 to 1000: try 1000"),
    (lambda: LINEAR.even(-3), "steps is -3; it goes from 1 to 1000: try 1"),
    (lambda: Process(linear_betas(100)).even(250), "steps is 250; it goes from 1 to 100: try 100"),
    (lambda: Process(linear_betas(10)),
     "betas go from 0.01 to 2; they lie between 0 and 1: try a schedule of 1000 timesteps"),
    (lambda: karras(0, 0.01, 80), "steps is 0; it is at least 1: try 30"),
    (lambda: karras(5, 9, 1), "levels go from 1 to 9; they fall and stay above 0: try from 80 to 0.01"),
    (lambda: karras(5, 0, 80), "levels go from 80 to 0; they fall and stay above 0: try from 80 to 0.01"),
])
def test_refusals(ask, message):
    with pytest.raises(Refused) as refused:
        ask()
    assert str(refused.value) == message
