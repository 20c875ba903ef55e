"""Denoisers of classes: led from anything at all to what is wanted."""

import pytest
import stand_ins
import torch
from PIL import Image

from helpers import systems
from helpers.conditioned import Classed
from helpers.noise_levels import karras
from helpers.samplers import Guess

CAR, BOAT = 0, 1


class Net:
    """Takes noise for 10 x of a car, 100 x of a boat, 1 x of anything."""

    classes = 3

    class process:      # noqa: N801
        sigmas = karras(8, 0.05, 10).flip(0)

        @staticmethod
        def time(sigma):
            return 0.8 * sigma

    def __init__(self):
        self.asked, self.led = [], 0

    def __call__(self, x, sigma, classes):
        self.asked.append(classes.tolist())
        self.led += torch.is_grad_enabled()
        return Guess(x * torch.tensor([10.0, 100.0, 1.0])[classes].view(-1, 1, 1, 1), x)


def everywhere(row):
    """Wanted as much in all quarters of the picture."""
    return row[:, None, None].expand(-1, 2, 2)


def guessed(wanted, scale=2.0, sigma=3.0):
    """(the factor of x that comes out, its slope, the network)."""
    net, x = Net(), torch.ones(2, 3, 4, 4, requires_grad=True)
    guess = Classed(net, wanted and (lambda progress: everywhere(torch.tensor(wanted))), scale)(x, sigma)
    assert guess.variance is x
    slope, = torch.autograd.grad(guess.clean.sum(), x)
    return guess.clean.unique().item(), slope.unique().item(), net


@pytest.mark.parametrize("wanted, scale, clean, first, passes", [
    (None, 2.0, 1, 1, 1),
    ([1.0, 0.0, 0.0], 1.0, 10, 10, 1),
    ([1.0, 0.0, 0.0], 2.0, 1 + 2 * 9, 10, 2),
    ([1.0, 0.0, 0.0], 0.0, 1, 1, 1),
    ([1.0, 0.0, 0.0], 0.25, 1 + 0.25 * 9, 1, 2),
    ([0.5, 0.5, 0.0], 2.0, 1 + 9 + 99, 10, 3),
    ([0.25, 0.75, 0.0], 1.0, 0.25 * 10 + 0.75 * 100, 100, 2),
    ([0.0, -1.0, 0.0], 0.5, 1 - 0.5 * 99, 1, 2),
    ([0.0, 0.0, 1.0], 3.0, 1, 1, 1),
])
def test_what_is_wanted_is_gone_toward(wanted, scale, clean, first, passes):
    """Exactly the sum of the formula; every class is asked once, and led back is the one that counts most."""
    made, slope, net = guessed(wanted, scale)
    assert made == pytest.approx(clean, rel=1e-6) and slope == pytest.approx(first)
    assert len(net.asked) == passes and net.led == 1


def test_scale_and_wishes_change_on_the_way():
    net, told = Net(), []

    def wanted(progress):
        told.append(progress)
        return everywhere(torch.eye(3)[CAR if progress < 0.5 else BOAT])
    denoise = Classed(net, wanted, lambda progress: 1.0 if progress < 0.5 else 3.0)
    x = torch.ones(1, 3, 4, 4)
    assert denoise(x, 6.0).clean.unique() == 10 and denoise(x, 1.0).clean.unique() == 1 + 3 * 99
    assert 0 <= told[0] < 0.5 < told[1] <= 1


def started(model="of anything", **values):
    """A painting of a network that knows car, boat, cat, dog and anything."""
    system = systems.load("clip_guided_diffusion")
    values = {"width": 32, "height": 32, "steps": 3, "repeats": "1", "upscaler": "",
              "perceptors": "disco-resnet", "overview": "1", "crops": "0", "classifier": "",
              "model": model} | values
    return system.paint(system.Settings(**values))


def quarters(painting, progress=0.5):
    """How much each class is wanted in each quarter of the picture, (classes, 2, 2)."""
    return painting.denoise.net.better.wanted(progress)


def wanted(painting, progress=0.5):
    """How much each class is wanted, everywhere alike."""
    row = quarters(painting, progress)
    assert row.eq(row[:, :1, :1]).all()
    return row[:, 0, 0].tolist()


def painted(**values):
    """Its picture."""
    *_, frame = started(**values)
    return frame.image


@pytest.fixture
def nets(monkeypatch):
    return stand_ins.install(monkeypatch)


def test_kind_is_what_the_prompts_name(nets):
    auto, cat, anything = (painted(prompts="a cat", **more) for more in ({}, {"kind": "cat"}, {"kind": ""}))
    assert torch.equal(auto, cat) and not torch.equal(auto, anything)
    assert not torch.equal(auto, painted(prompts="a cat", kind="dog")), "it is told another one"
    moon = painted(prompts="the moon")
    assert torch.equal(moon, painted(prompts="the moon", kind="")), "names nothing that it knows"
    assert not torch.equal(auto, painted(prompts="a cat", kind_scale="4"))
    assert torch.equal(anything, painted(prompts="a cat", kind_scale="0"))
    assert torch.equal(anything, painted(prompts="a cat", kind="anything"))
    assert wanted(started(prompts="a cat and anything")) == [0, 0, 1, 0]


def test_what_is_kept_away_from_does_not_burst(nets):
    """However little weight the things have that are wanted, what is not is no more than all of them."""
    painting = started(prompts="fog:3 | a boat:0.05 | a dog:-1")
    assert wanted(painting) == pytest.approx([0, 1, 0, -1])
    assert wanted(started(prompts="a boat and a car | a dog:-0.5")) == pytest.approx([0.5, 0.5, 0, -0.5])


def test_each_of_a_pair_is_wanted_in_its_half(nets):
    car, boat, cat, dog = range(4)
    row = quarters(started(prompts="a boat beside a car | a dog:-0.5"))
    assert row[boat].tolist() == [[1, 0], [1, 0]] and row[car].tolist() == [[0, 1], [0, 1]]
    assert row[dog].tolist() == [[-0.5, -0.5]] * 2 and not row[cat].any()
    row = quarters(started(prompts="a cat over a gramophone"))
    assert row[cat].tolist() == [[1, 1], [0, 0]] and row.sum() == 2, "below may be anything"
    row = quarters(started(prompts="a cat over a dog:0.5 | a boat"))
    assert row[cat].allclose(torch.tensor([[1.0, 1.0], [0.0, 0.0]]) / 3)
    assert row.sum(0).allclose(torch.ones(2, 2))
    assert wanted(started(prompts="a boat beside a car", arrange=0.0)) == [0.5, 0.5, 0, 0]


def test_half_of_a_picture_is_as_if_the_thing_were_told_alone():
    """But for a fifth of the side between them."""
    halves = torch.zeros(3, 2, 2)
    halves[CAR, 0], halves[BOAT, 1] = 1, 1
    clean = Classed(Net(), lambda progress: halves, 2.0)(torch.ones(1, 3, 20, 30), 3.0).clean[0, 0]
    assert clean[:8].unique().tolist() == pytest.approx([1 + 2 * 9])
    assert clean[12:].unique().tolist() == pytest.approx([1 + 2 * 99])
    assert clean[8:12].diff(dim=0).gt(0).all() and clean.diff(dim=1).abs().max() < 1e-4


def test_several_pictures_and_resuming(nets):
    plain = {"kind": "cat", "guidance_scale": "0"}
    assert torch.allclose(painted(**plain, pictures=2)[1:], painted(**plain, seed=1), atol=1e-4)
    both = {"prompts": "a boat beside a cat", "pictures": 2}
    whole = painted(**both)
    painting, again = started(**both), started(**both)
    next(painting)
    again.load_state_dict(painting.state_dict())
    *_, frame = again
    assert torch.equal(frame.image, whole)


def test_where_nobody_else_guides_auto_is_a_class_by_chance_for_each_picture(nets):
    told, names = {"prompts": "a cat", "guidance_scale": "0"}, ("car", "boat", "cat", "dog")
    drawn = []
    for seed in range(12):
        chance = painted(**told, seed=seed)
        drawn += [name for name in names if torch.equal(chance, painted(**told, seed=seed, kind=name))]
    assert len(drawn) == 12 and set(drawn) == set(names), "never anything"
    several = painted(**told, pictures=3, seed=4)
    assert torch.allclose(several[2:], painted(**told, seed=6), atol=1e-4)
    assert not torch.equal(chance, painted(**told, seed=11, kind="")), "empty is anything"


def test_a_variation_of_a_picture_stays_with_what_that_shows(nets, tmp_path):
    given = {"init_image": str(tmp_path / "photo.png"), "guidance_scale": "0"}
    Image.fromarray(stand_ins.photo(height=32, width=32)).save(given["init_image"])
    assert torch.equal(painted(**given), painted(**given, kind=""))


def test_once_somebody_guides_what_was_drawn_is_forgotten(nets):
    painting = started(prompts="fog", guidance_scale="0")
    net, settings = painting.denoise.net.better, systems.load("clip_guided_diffusion").Settings
    assert net.drawn is not None
    painting.retune(settings(prompts="fog", steps=3))
    assert net.drawn is None and net.wanted is None


def test_kind_goes_from_scene_to_scene_and_turns_with_the_words(nets):
    painting = started(prompts="a boat ^ a cat", steps=8)
    net, settings = painting.denoise.net.better, systems.load("clip_guided_diffusion").Settings
    led = [wanted(painting, painting.denoise.pace(level)) for level in map(float, painting.levels[:-1])]
    assert led == [[0, 1, 0, 0]] * 4 + [[0, 0, 1, 0]] * 4
    painting.retune(settings(prompts="a dog", steps=8, kind_scale="7"))
    assert wanted(painting) == [0, 0, 0, 1] and net.scale(0.5) == 7
    painting.retune(settings(prompts="moon", steps=8))
    assert net.wanted is None
