"""Noise: what BigSleep moves. Its losses are those of the original, its start is a class or a picture."""

import pytest
import stand_ins
import torch
from torch.nn import functional as F

from helpers.errors import Refused
from helpers.networks import class_names, noise


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def canvas(**options):
    return noise.Noise(stand_ins.generator(), 32, 48, **options)


def test_pictures_have_the_size_asked_for_and_differ():
    images = canvas(pictures=3)()
    assert images.shape == (3, 3, 32, 48) and images.min() >= 0 and images.max() <= 1
    assert not torch.allclose(images[0], images[1], atol=0.01)


def test_classes_are_all_of_them_or_the_strongest():
    many = canvas()
    assert torch.equal(many.classes(), many.scores.sigmoid()) and many.classes().mean() < 0.05
    few = canvas(most=2, temperature=0.5)
    with torch.no_grad():
        few.scores.copy_(torch.tensor([1.0, 3.0, 0.0, 2.0]).expand_as(few.scores))
    *rest, second = few.classes()[0, 0, [0, 2, 3]].tolist()
    first = few.classes()[0, 0, 1].item()
    assert first == pytest.approx(torch.tensor([1.0, 3, 0, 2]).div(0.5).softmax(0)[1].item())
    assert second == pytest.approx(torch.tensor([1.0, 0, 2]).div(0.5).softmax(0)[2].item()) and rest == [0, 0]
    few.classes().sum().backward()
    assert few.scores.grad.abs().sum() > 0
    assert torch.equal(canvas(most=99).classes() > 0, torch.ones(1, 3, 4).bool())


def test_the_prior_wants_a_normal_draw_and_one_class():
    """4 is the least, since the mean square counts 1 at least, 4 times; divided by 100."""
    plain = canvas(choice=0)
    wide = torch.randn(1, 3, 4000, generator=dice(1))

    def loss(z):
        plain.z.data = z
        return plain.prior().item()

    assert loss(wide) == pytest.approx(0.04, abs=0.006)
    assert loss(wide * 2) > 0.15 and loss(wide + 1) > 0.07 and loss(wide.sign()) > 0.055
    assert loss(wide.exp() / 2.2) > 0.1, "skewed"
    sure = canvas(anchor=0, first=1)
    weak = sure.scores.sigmoid()[..., [0, 2, 3]]
    assert sure.prior().item() == pytest.approx((50 * weak).square().mean().item() / 100, rel=1e-4)
    with torch.no_grad():
        sure.scores[..., 2] = 3.9
    assert sure.prior() > 5, "two classes"


def test_it_begins_with_a_class():
    started = canvas(first=2)
    assert (started.classes().argmax(-1) == 2).all() and started.classes()[..., 2].min() > 0.9


def test_it_begins_with_a_picture():
    aim = canvas(first=3)().detach()
    other = noise.Noise(stand_ins.generator(), 32, 48, pictures=2, seed=9)
    before = (other() - aim).square().mean()
    assert list(other.approach(aim, steps=60)) == list(range(1, 61))
    assert (other() - aim).square().mean() < 0.5 * before


@pytest.mark.parametrize("first", [None, 2])
def test_it_begins_with_the_most_liked_of_many(first):
    def red(images):
        return images[:, 0].mean((1, 2)) - images[:, 1:].mean((1, 2, 3))

    begun = canvas(pictures=2)
    chance = red(canvas(pictures=40, first=first)())
    assert list(begun.begin_best(red, 128, first)) == [*range(16, 257, 16)], "128 for each of two"
    assert red(begun()).min() > chance.quantile(0.9)
    if first is not None:
        assert (begun.classes().argmax(-1) == first).all()


def test_each_picture_is_what_its_own_seed_begins_with():
    def red(images):
        return images[:, 0].mean((1, 2)) - images[:, 1:].mean((1, 2, 3))

    both = canvas(pictures=2, seed=7)
    alone = [canvas(seed=7), canvas(seed=8)]
    for begin in (lambda one: None, lambda one: list(one.begin_best(red, 40)),
                  lambda one: one.begin_near(red_picture())):
        for made in (both, *alone):
            begin(made)
        assert torch.equal(both.z, torch.cat([one.z for one in alone]))
        assert torch.equal(both.scores, torch.cat([one.scores for one in alone]))
        assert not torch.equal(both.z[0], both.z[1])


def red_picture():
    return torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 32, 48)


def test_named_classes_get_half_of_the_search():
    made, seen = canvas(), []

    def likes(images):
        return torch.zeros(len(images))
    for _, kinds, _ in made.candidates(likes, 64, dice(3), None, [1, 3]):
        seen.append(kinds)
    half = torch.cat(seen)[32:]
    assert len(half) == 32 and not half[:, [0, 2]].any() and half[:, 1].any() and half[:, 3].any()


def test_latents_are_taken_up_where_they_fit():
    one, two = canvas(pictures=2), noise.Noise(stand_ins.generator(), 64, 64, pictures=2, seed=5)
    two.take_up({f"canvas.{name}": value for name, value in one.state_dict().items()})
    assert torch.equal(one.z, two.z) and torch.equal(one.scores, two.scores)
    with pytest.raises(Refused) as refusal:
        canvas(pictures=1).take_up(one.state_dict())
    assert str(refusal.value) == ("the latents are (2, 3, 6); these pictures have (1, 3, 6): take those of a "
                                  "run with the same BigGAN and as many pictures")
    with pytest.raises(Refused, match="the latents are none"):
        canvas().take_up({})


def test_class_names():
    names = class_names.imagenet()
    assert len(names) == 1000 and class_names.number("Goldfish", names) == 1
    net = stand_ins.generator()
    assert net.number(" Boat ") == 1
    for wrong, advice in (("bot", "did you mean 'boat'?"), ("unicorn", "it knows car, boat, cat, dog")):
        with pytest.raises(Refused) as refusal:
            net.number(wrong)
        assert str(refusal.value) == f"no class of this network called {wrong!r}; {advice}"
    assert class_names.listed(["a, aleph", *"bcdef"], 4) == "a, b, c, d and 2 more"


def test_every_name_of_a_class_counts():
    names = class_names.imagenet()
    assert class_names.number("lighthouse", names) == class_names.number("Beacon", names) == 437
    assert class_names.number("crane", names) == 517 and class_names.number("crane bird", names) == 134
    assert class_names.found("two lighthouses and a crane", names) == ([437, 517], ["two", "and", "a"])
    with pytest.raises(Refused) as refusal:
        class_names.number("shark", names)
    assert str(refusal.value) == ("no class of this network called 'shark'; that is a part of 'great white "
                                  "shark', 'tiger shark', 'hammerhead shark': choose one of these")


def test_slopes_lead_down():
    moved = canvas(pictures=2)
    adam, aim = torch.optim.Adam(moved.parameters(), moved.learning_rate), torch.tensor([1.0, 0, 0])
    losses = []
    for _ in range(20):
        loss = F.mse_loss(moved(), aim.view(1, 3, 1, 1).expand(2, 3, 32, 48)) + moved.prior()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
