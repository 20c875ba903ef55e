import logging

import pytest
import torch
from stand_ins import Eye
from torch.nn import functional as F

from helpers import guides, optimizers
from helpers.augment import Augment
from helpers.canvas import Canvas, Pixels, Waves
from helpers.cutouts import Cutouts
from helpers.errors import Refused
from helpers.guides import Guide, Likeness, Prompts, Smooth
from helpers.loop import paint
from helpers.prompts import parse


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def easel(optimizer="Adam", seed=5, steps=12, make=Waves, **options):
    rng, eye = dice(seed), Eye()
    canvas = make(24, 24, rng=rng)
    cutouts = Cutouts(eye.size, overview=1, crops=3, augment=Augment("flip, affine", rng), noise=0.1, rng=rng)
    guide = Prompts(eye, cutouts, guides.words(eye, parse("moon | sea:-0.3"))) + 0.1 * Smooth()
    return paint(canvas, guide, steps=steps, seed=seed, rng=rng, optimizer=optimizer, **options)


def test_frames():
    frames = list(easel(every=5))
    assert [frame.step for frame in frames] == list(range(1, 13)) and frames[0].total == 12
    assert [frame.step for frame in frames if frame.image is not None] == [1, 5, 10, 12]
    last = frames[-1]
    assert last.image.shape == (1, 3, 24, 24) and not last.image.requires_grad
    assert 0 <= last.image.min() and last.image.max() <= 1
    assert all(frame.losses.keys() == {"prompts", "smooth", "prior"} for frame in frames)
    assert 0 < frames[0].seconds < last.seconds


def test_work_before_the_first_step_says_how_far_it_is():
    def opening():
        for part in (1, 2):
            painting.canvas.spectrum.data.zero_()
            yield f"{part} of 2"

    painting = easel(steps=2)
    painting.opening = opening()
    frames = list(painting)
    assert [(frame.step, frame.note) for frame in frames] == [(0, "1 of 2"), (0, "2 of 2"), (1, ""), (2, "")]
    assert [frame.image is None for frame in frames] == [True, True, False, False]
    again = easel(steps=2)
    state = again.state_dict() | {"step": 1}
    again.load_state_dict(state)
    again.opening = opening()
    assert [frame.step for frame in again] == [2], "a resumed painting has that behind it"


def test_every_may_be_a_function():
    frames = list(easel(every=lambda step: step in (2, 3)))
    assert [frame.step for frame in frames if frame.image is not None] == [2, 3, 12]


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_every_optimizer_descends(name):
    rate = 0.3 if name == "Adagrad" else 0.05
    aim = torch.full((1, 3, 24, 24), 0.8)
    painting = paint(Pixels(24, 24, rng=dice()), Likeness(aim), steps=40, learning_rate=rate, optimizer=name)
    losses = [frame.losses["likeness"] for frame in painting]
    assert losses[-1] < 0.4 * losses[0]


def test_sgd_is_as_bold_whatever_a_loss_counts():
    aim = torch.rand(1, 3, 24, 24, generator=dice(1))
    strong, faint = (paint(Pixels(24, 24, rng=dice()), weight * Likeness(aim), steps=5, learning_rate=0.05,
                           optimizer="SGD") for weight in (1, 1e-3))
    before = strong.image()
    first = next(strong).image
    assert (first - before).square().mean().sqrt() == pytest.approx(0.05, rel=0.1)
    assert torch.allclose(list(strong)[-1].image, list(faint)[-1].image, atol=1e-3)


def test_adamp_keeps_its_step_off_the_radius():
    weight = torch.nn.Parameter(torch.randn(4, 6, generator=dice()))
    along = torch.randn(4, 6, generator=dice(1))
    across = along - weight.detach() * (along * weight.detach()).sum(1,
                                                                     keepdim=True) / weight.square().sum(1,
                                                                                                         True)
    before = weight.detach().clone()
    weight.grad = across.detach()
    optimizers.make("AdamP", [weight], 0.1).step()
    moved = weight.detach() - before
    assert F.cosine_similarity(moved, before, dim=1).abs().max() < 1e-5


def test_unknown_optimizer():
    with pytest.raises(Refused) as refusal:
        easel("Adm")
    assert str(refusal.value) == "no optimizer called 'Adm'; did you mean 'Adam'?"


@pytest.mark.parametrize("optimizer", optimizers.OPTIMIZERS)
def test_resume_is_exact(optimizer):
    straight = list(easel(optimizer, ema=0.8))[-1].image
    first = easel(optimizer, ema=0.8)
    for _ in range(7):
        next(first)
    state = first.state_dict()
    state = {name: {k: v.clone() if torch.is_tensor(v) else v for k, v in value.items()}
             if isinstance(value, dict) and name != "optimizer" else value for name, value in state.items()}
    second = easel(optimizer, ema=0.8)
    second.load_state_dict(state)
    assert [frame.step for frame in second] == list(range(8, 13))
    assert torch.equal(second.image(), straight)


def test_draws_depend_on_seed_and_step_only():
    one, other, third = easel(), easel(), easel(seed=6)
    assert torch.equal(list(one)[-1].image, list(other)[-1].image)
    assert not torch.equal(one.image(), list(third)[-1].image)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    list(easel())
    assert torch.equal(before, torch.random.get_rng_state())


class Number(Canvas):
    """One number, for counting."""

    def __init__(self):
        super().__init__()
        self.x = torch.nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self):
        return self.x


class Up(Guide):
    def forward(self, image, progress=0.0):
        return -image.sum()


def test_ema_is_corrected_for_its_start():
    painting = paint(Number(), Up(), steps=3, optimizer="SGD", learning_rate=0.1, ema=0.5)
    shown = [float(frame.image[0, 0, 0, 0]) for frame in painting]
    assert shown == pytest.approx([0.1, (0.5 * 0.1 + 0.2) / 1.5, (0.25 * 0.1 + 0.5 * 0.2 + 0.3) / 1.75])


def test_the_pace_follows_its_schedule():
    painting = paint(Number(), Up(), steps=4, optimizer="SGD",
                     learning_rate=lambda progress: 0.1 * (progress >= 0.5))
    shown = [float(frame.image[0, 0, 0, 0]) for frame in painting]
    assert shown == pytest.approx([0, 0, 0.1, 0.2])


def test_patience_halves_the_pace():
    class Stuck(Guide):
        def forward(self, image, progress=0.0):
            return (image * 0).sum() + 1
    painting = paint(Number(), Stuck(), steps=9, learning_rate=0.8, patience=3)
    rates = []
    for _ in painting:
        rates.append(round(painting.optimizer.param_groups[0]["lr"], 3))
    assert rates == [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2]
    assert painting.state_dict()["brake"]["waited"] == 2


def test_weight_decay_shrinks():
    for name in ("AdamW", "AdamP", "DiffGrad", "SGD"):
        canvas = Number()
        canvas.x.data.fill_(1)
        list(paint(canvas, 1e-9 * Up(), steps=3, optimizer=name, learning_rate=1e-3, weight_decay=100.0))
        assert canvas.x.max() < 0.8, name


def test_hooks_come_before_the_step_in_order():
    seen = []
    painting = paint(Number(), Up(), steps=2, before_step=[lambda p: seen.append(("a", p.step)),
                                                           lambda p: seen.append(("b", p.step))])
    list(painting)
    assert seen == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


class Broken(Guide):
    """Not a number in the steps named."""

    def __init__(self, when):
        super().__init__()
        self.when, self.step = when, 0

    def forward(self, image, progress=0.0):
        self.step += 1
        return -image.sum() * (float("nan") if self.step in self.when else 1)


def test_nan_skips_the_step():
    painting = paint(Number(), Broken([2, 3]), steps=5, optimizer="SGD", learning_rate=0.1)
    assert float(list(painting)[-1].image.mean()) == pytest.approx(0.3)


def test_three_nans_in_a_row_stop_with_advice():
    painting = paint(Number(), Broken([2, 3, 4]), steps=5)
    with pytest.raises(Refused) as refusal:
        list(painting)
    assert str(refusal.value) == ("the loss was not a number 3 steps in a row; a picture needs finite steps: "
                                  "try a lower learning_rate, or another optimizer")
    assert painting.image().isfinite().all()


class Hungry(Guide):
    """Fits into memory only when it looks at little at a time."""

    def __init__(self, fits):
        super().__init__()
        self.flight, self.fits = 8, fits

    def forward(self, image, progress=0.0):
        if self.flight > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return -image.sum()

    def economize(self):
        self.flight //= 2
        return self.flight >= 1


def test_out_of_memory_goes_on_with_less_at_a_time(caplog):
    guide = Hungry(2)
    with caplog.at_level(logging.WARNING):
        frames = list(paint(Number(), guide, steps=2, optimizer="SGD", learning_rate=0.1))
    assert guide.flight == 2 and float(frames[-1].image.mean()) == pytest.approx(0.2)
    assert "half as many" in caplog.text


def test_what_a_painting_kept_goes_before_it_looks_at_less(caplog):
    guide, done = Hungry(4), []
    painting = paint(Number(), guide, steps=2, optimizer="SGD", learning_rate=0.1)
    painting.savings.append(("computing again what was kept", lambda: done.append(guide.flight)))
    with caplog.at_level(logging.WARNING):
        list(painting)
    assert done == [8] and guide.flight == 4 and painting.savings == []
    told = [record.getMessage().split(" (")[0] for record in caplog.records]
    assert told == ["out of memory: computing again what was kept",
                    "out of memory: looking at half as many crops at a time"]


def test_out_of_memory_for_good():
    with pytest.raises(Refused) as refusal:
        list(paint(Number(), Hungry(0), steps=2))
    assert str(refusal.value) == ("the picture does not fit into memory; it would on a larger machine: "
                                  "try a smaller width and height, or fewer crops")


def test_other_errors_are_not_swallowed():
    class Wrong(Guide):
        def forward(self, image, progress=0.0):
            raise RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError, match="shapes"):
        list(paint(Number(), Wrong(), steps=1))
