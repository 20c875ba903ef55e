"""Samplers: against what theory says of a normal distribution, and against the official package."""

import inspect
import math
from itertools import pairwise

import pytest
import torch
from guided_diffusion.script_util import create_gaussian_diffusion

from helpers.errors import Refused
from helpers.noise_levels import Process, karras, linear_betas
from helpers.samplers import SAMPLERS, Guess

PROCESS = Process(linear_betas())
CHANCY = [("ddpm", {}), ("ddim", {"eta": 0.8}), ("ddim", {"eta": 1.0}), ("dpmpp_2m_sde", {}),
          ("dpmpp_2m_sde", {"eta": 0.5})]
WAYS = [*CHANCY, *((name, {}) for name in SAMPLERS if (name, {}) not in CHANCY),
        ("plms", {"order": 1}), ("plms", {"order": 3}), ("plms", {"order": 4})]
each_way = pytest.mark.parametrize("name, options", WAYS, ids=[
    "-".join([name, *map(str, options.values())]) for name, options in WAYS])

# Four normal distributions side by side, from narrow to as wide as the noise that a network calls beta's.
MEAN = torch.tensor([0.5, -0.3, 0.1, -0.8], dtype=torch.float64)
WIDE = torch.tensor([0.1, 0.3, 0.6, 1.0], dtype=torch.float64)


def ideal(x, sigma):
    """The best that anyone can tell of MEAN + WIDE * z under noise."""
    return Guess((WIDE**2 * x + sigma**2 * MEAN) / (WIDE**2 + sigma**2))


def bent(x, sigma):
    """A denoiser of no distribution, with a learned variance."""
    return Guess(torch.tanh(x / (1 + sigma)) + 0.1 * x.roll(1, -1), torch.sin(3 * x).square())


def noise(shape, dtype=torch.float64):
    return lambda step: torch.randn(shape, generator=torch.Generator().manual_seed(step), dtype=dtype)


def start(level, shape=(2, 3, 4), dtype=torch.float64):
    return float(level) * noise(shape, dtype)(0)


def run(name, denoise, x, levels, **options):
    return list(SAMPLERS[name](denoise, x, levels, noise(x.shape, x.dtype), **options))


def even(steps):
    return karras(steps, 1e-4, 10)


def uneven(steps):
    """By turns a short step and one three times as long."""
    fine = karras(2 * steps, 1e-4, 10)
    return fine[(torch.arange(len(fine)) % 4 < 2) | (fine == 0)]


@pytest.mark.parametrize("name, options, order, levels", [
    ("euler", {}, 1, even), ("ddim", {}, 1, even), ("plms", {"order": 1}, 1, even), ("plms", {}, 2, even),
    ("plms", {"order": 4}, 2, even), ("heun", {}, 2, even), ("dpmpp_2m", {}, 2, even),
    ("heun", {}, 2, uneven), ("dpmpp_2m", {}, 2, uneven)])
def test_order_of_the_way_to_the_probability_flow(name, options, order, levels):
    """Twice the steps, 2^order times closer; the first and the last step hold PLMS down to the second."""
    x = MEAN + 10 * torch.tensor([0.7, -1.2, 0.4, 1.5], dtype=torch.float64)
    exact = MEAN + WIDE * (x - MEAN) / (WIDE**2 + 100).sqrt()
    off = [(run(name, ideal, x, levels(steps), **options)[-1].x - exact).norm() for steps in (160, 320)]
    assert math.log2(off[0] / off[1]) == pytest.approx(order, abs=0.1)
    assert off[1] < (0.02 if order == 1 else 5e-4)


def deviations(name, denoise, levels, **options):
    """The exact deviation after each step from a right start. With a linear denoiser x is a weighted sum of
    independent draws: each row has one of them alone, and the last row none, which leaves it at the mean."""
    alone = torch.eye(len(levels), dtype=torch.float64)[..., None].expand(-1, -1, 4)
    x = MEAN + alone[0] * (WIDE**2 + levels[0] ** 2).sqrt()
    for state in SAMPLERS[name](denoise, x, levels, lambda step: alone[step], **options):
        torch.testing.assert_close(state.x[-1], MEAN)
        yield (state.x - MEAN).square().sum(0).sqrt()


@pytest.mark.parametrize("name, options, order", [
    ("ddim", {"eta": 0.5}, 1), ("ddim", {"eta": 1.0}, 1), ("ddpm", {}, 1), ("dpmpp_2m_sde", {}, 2),
    ("dpmpp_2m_sde", {"eta": 0.5}, 2)])
def test_samplers_with_chance_draw_from_the_distribution(name, options, order):
    off = []
    for steps in (100, 200):
        *_, last = deviations(name, ideal, even(steps), **options)
        off.append((last / WIDE - 1).norm())
    assert math.log2(off[0] / off[1]) == pytest.approx(order, abs=0.15)
    assert off[1] < (0.1 if order == 1 else 0.005)


def test_ancestral_steps_with_the_true_variance_are_exact():
    """Of a normal distribution, x at p given x at s has variance (w^2 + p^2) (s^2 - p^2) / (w^2 + s^2): the
    posterior's for w = 0, beta's for w = 1, and in between for others. So huge steps lose nothing."""
    levels = [10.0, 1.5, 0.1, 0.0]
    below = dict(pairwise(levels))

    def told(x, s):
        if not (p := below[s]):
            return ideal(x, s)
        least, most = p**2 * (s**2 - p**2) / s**2, (s**2 - p**2) * (1 + p**2) / (1 + s**2)
        true = (WIDE**2 + p**2) * (s**2 - p**2) / (WIDE**2 + s**2)
        return Guess(ideal(x, s).clean, ((true / least).log() / math.log(most / least)).expand_as(x))

    first, second, last = deviations("ddpm", told, levels)
    torch.testing.assert_close(first, (WIDE**2 + 1.5**2).sqrt())
    torch.testing.assert_close(second, (WIDE**2 + 0.1**2).sqrt())
    torch.testing.assert_close(last, WIDE**2 / (WIDE**2 + 0.1**2).sqrt())       # a mean: nothing drawn
    blind = list(deviations("ddpm", ideal, levels))[1]
    assert (blind[1:] < 0.97 * second[1:]).all()                                # the posterior's alone


@each_way
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 50])
def test_a_single_picture_comes_out_exactly(name, options, steps, dtype):
    picture = torch.linspace(-1, 1, 24).reshape(2, 3, 4).to(dtype)
    for levels in (PROCESS.respaced(steps), karras(steps, 1e-3, 80)):
        states = run(name, lambda x, sigma: Guess(picture), start(levels[0], dtype=dtype), levels, **options)
        assert [state.step for state in states] == list(range(1, steps + 1))
        assert all(state.x.dtype == dtype and state.x.isfinite().all() for state in states)
        assert torch.equal(states[-1].x, picture)


@each_way
def test_going_on_is_bit_for_bit_not_having_stopped(name, options):
    levels = PROCESS.respaced(9)
    x = start(levels[0])
    untouched, whole = x.clone(), run(name, bent, x, levels, **options)
    assert torch.equal(x, untouched) and len(whole) == 9
    for state in whole:
        assert all(isinstance(part, torch.Tensor | float) for part in state.memory)
        assert len(state.memory) <= (options.get("order", 2) - 1 if name == "plms" else 2)
        rest = run(name, bent, state.x, levels, start=state.step, memory=state.memory, **options)
        assert [after.step for after in rest] == list(range(state.step + 1, 10))
        for after, before in zip(rest, whole[state.step:], strict=True):
            assert torch.equal(after.x, before.x) and torch.equal(after.guess, before.guess)


@each_way
def test_looks_and_draws(name, options):
    """One look a step, at its level, but two where a method is of Heun's; no draw in the last step."""
    levels, looks, draws, seen = karras(5, 0.1, 10).tolist(), [], [], []

    def denoise(x, sigma):
        looks.append(sigma)
        seen.append(bent(x, sigma))
        return seen[-1]

    def drawn(step):
        draws.append(step)
        return torch.ones(2, 3, 4, dtype=torch.float64)

    twice = {"heun": 4, "plms": options.get("order", 2) > 1}.get(name, 0)
    for state in SAMPLERS[name](denoise, start(10), levels, drawn, **options):
        second = state.step <= twice
        assert looks == levels[state.step - 1:state.step + second] and all(type(s) is float for s in looks)
        assert torch.equal(state.guess, seen[0].clean)
        looks.clear(), seen.clear()
    assert draws == ([1, 2, 3, 4] if (name, options) in CHANCY else [])
    assert torch.equal(state.x, state.guess)


def test_eta():
    levels = karras(6, 0.1, 10)
    x = start(10)

    def last(name, **options):
        return run(name, bent, x, levels, **options)[-1].x

    for name in ("ddim", "dpmpp_2m_sde"):
        pictures = [last(name, eta=eta) for eta in (0, 0.3, 0.6, 1)]
        assert all((one - other).abs().max() > 0.01 for one, other in pairwise(pictures))
    assert torch.equal(last("ddim"), last("euler"))
    assert torch.equal(last("dpmpp_2m_sde", eta=0), last("dpmpp_2m"))
    bare = list(SAMPLERS["ddpm"](lambda x, s: Guess(bent(x, s).clean), x, levels, noise(x.shape)))
    torch.testing.assert_close(last("ddim", eta=1), bare[-1].x)
    turned = list(SAMPLERS["ddim"](bent, x, levels, lambda step: -noise(x.shape)(step), eta=0.8))
    assert torch.equal(last("ddim", eta=-0.8), turned[-1].x)


@each_way
def test_no_gradient_leaves_a_denoiser(name, options):
    weight = torch.ones((), requires_grad=True)

    def denoise(x, sigma):
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            clean = torch.tanh(leaf) * weight
            slope, = torch.autograd.grad(clean.sum(), leaf, retain_graph=True)
            return Guess(clean + slope, (weight / 2).expand_as(x))

    x = start(10, dtype=torch.float32)
    for state in SAMPLERS[name](denoise, x, karras(4, 0.1, 10), noise(x.shape, x.dtype), **options):
        parts = [part for part in (state.x, state.guess, *state.memory) if isinstance(part, torch.Tensor)]
        assert not any(part.requires_grad for part in parts)
        assert torch.is_grad_enabled()


LEVELS = ("the noise levels do not fall to 0; each is below the one before and the last is 0: "
          "try noise_levels.karras(30, 0.01, 80)")


@pytest.mark.parametrize("name, levels, options, message", [
    ("euler", [3, 2, 1], {}, LEVELS), ("euler", [3, 3, 0], {}, LEVELS), ("ddim", [1, 2, 0], {}, LEVELS),
    ("ddpm", [0], {}, LEVELS), ("heun", [], {}, LEVELS), ("plms", [math.inf, 1, 0], {}, LEVELS),
    ("dpmpp_2m", [math.nan, 1, 0], {}, LEVELS), ("dpmpp_2m_sde", [1, 0, -1], {}, LEVELS),
    ("euler", [2, 1, 0], {"start": 3}, "start is 3; it goes from 0 to 2: try 0"),
    ("heun", [2, 1, 0], {"start": -1}, "start is -1; it goes from 0 to 2: try 0"),
    ("plms", [2, 1, 0], {"order": 5}, "order is 5; it is 1, 2, 3 or 4: try 2"),
    ("ddim", [2, 1, 0], {"eta": 1.5}, "eta is 1.5; it goes from -1 to 1: try 1"),
    ("ddim", [2, 1, 0], {"eta": math.nan}, "eta is nan; it goes from -1 to 1: try 1"),
    ("dpmpp_2m_sde", [2, 1, 0], {"eta": -0.5}, "eta is -0.5; it is 0 or more: try 1"),
])
def test_refusals_before_any_look(name, levels, options, message):
    def denoise(x, sigma):
        raise AssertionError("looked")
    with pytest.raises(Refused) as refused:
        run(name, denoise, start(1), levels, **options)
    assert str(refused.value) == message


def painted(x, time):
    """A fake network in the package's terms: x (n, 3, h, w) at times (n,) -> noise and variance channels."""
    sigma, time = (part.to(x).view(-1, 1, 1, 1) for part in (PROCESS.sigma(time), time))
    size = (1 + sigma**2).sqrt()
    clean = 0.7 * torch.tanh(x) + 0.2 * torch.sin(2 * x.roll(1, 2) + time / 300)
    return torch.cat([(x - clean / size) * size / sigma, torch.cos(5 * x + size)], 1)


def seen(x, sigma):
    """The same as a denoiser of ours."""
    times = torch.full((len(x),), PROCESS.time(sigma), dtype=torch.float64)
    told, place = painted(x / math.sqrt(1 + sigma**2), times).chunk(2, 1)
    return Guess(x - sigma * told, (place + 1) / 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("steps", [4, 25, 50])
@pytest.mark.parametrize("name, options", [
    ("ddpm", {}), ("ddim", {}), ("ddim", {"eta": 0.5}), ("ddim", {"eta": 1.0}), ("ddim", {"eta": -0.8}),
    ("plms", {}), ("plms", {"order": 3}), ("plms", {"order": 4})])
def test_the_package_paints_the_same(name, options, steps, dtype):
    """Over the whole chain, with the same noise. Its own numbers are of single precision."""
    diffusion = create_gaussian_diffusion(
        learn_sigma=True, rescale_timesteps=True, timestep_respacing=f"ddim{steps}")
    theirs = {"ddpm": diffusion.p_sample, "ddim": diffusion.ddim_sample, "plms": diffusion.plms_sample}[name]
    levels = PROCESS.respaced(steps)
    draws = torch.randn(steps + 1, 2, 3, 4, 4, generator=torch.Generator().manual_seed(1), dtype=dtype)
    small, rest = draws[0], {"clip_denoised": False, **options}
    x = small * math.sqrt(1 + levels[0] ** 2)
    for state in SAMPLERS[name](seen, x, levels, lambda step: draws[step], **options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, "randn_like", lambda _, drawn=draws[state.step]: drawn)
            out = theirs(painted, small, torch.full((2,), steps - state.step), **rest)
        small = out["sample"]
        if name == "plms":
            rest["old_out"] = out
        torch.testing.assert_close(state.guess, out["pred_xstart"], rtol=0, atol=1e-4)
        level = float(levels[state.step])
        torch.testing.assert_close(state.x / math.sqrt(1 + level**2), small, rtol=0, atol=2e-5)


def test_a_sampler_is_one_function_and_one_entry():
    for name, sampler in SAMPLERS.items():
        head = list(inspect.signature(sampler).parameters)[:6]
        assert head == ["denoise", "x", "levels", "noise", "start", "memory"], name
    options = {name: list(inspect.signature(sampler).parameters)[6:] for name, sampler in SAMPLERS.items()}
    assert {name: own for name, own in options.items() if own} == {
        "ddim": ["eta"], "plms": ["order"], "dpmpp_2m_sde": ["eta"]}
