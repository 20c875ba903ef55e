"""Where things stand: a spot (item index, x, y, height, flip) per copy of each thing, in sheets, y up."""

from .scenes import THINGS

# How high riders sit on things, as a fraction of the carrier's height alone.
SEATS = {"horse": 0.4, "dog": 0.36, "whale": 0.44, "fish": 0.5, "car": 0.43, "train": 0.5, "boat": 0.18,
         "cat": 0.58, "crowd": 0.46, "snowman": 0.7, "umbrella": 0.64, "rocket": 0.62, "butterfly": 0.56,
         "bird": 0.54, "apple": 0.5, "ruins": 0.6}


def layout(scene, rng):
    """The horizon (0..1 from below), and the spots of all things in the order they are drawn."""
    horizon, scale = rng.uniform(0.3, 0.42), rng.uniform(0.85, 1.12)
    heights = [THINGS[i.thing][1] * scale for i in scene.items]
    return horizon, ARRANGED[scene.relation](scene, heights, rng)


def stand(scene, item, height, x, rng, low=0.06, high=0.16):
    """A spot fit for the thing: flying, swimming or on the ground."""
    where = THINGS[item.thing][2]
    y = rng.uniform(low, high)
    if where == "air":
        y = rng.uniform(0.2, max(0.21, 0.92 - height))
    elif where == "water" and scene.place == "sea":
        y = rng.uniform(0.13, 0.2)
    return x, y, height, bool(rng.uniform() < 0.5)


def alone(scene, heights, rng):
    """One in the middle, or two to four in a row, smaller; the far ones are drawn first."""
    n, item = scene.first.count, scene.first
    h = heights[0] * (1, 1, 0.62, 0.5, 0.44)[n]
    row = [(i + 0.5) / n + rng.uniform(-0.03, 0.03) for i in range(n)] if n > 1 else []
    xs = row or [rng.uniform(0.4, 0.6)]
    spots = [(0, *stand(scene, item, h, x, rng, 0.05, 0.24 if n > 1 else 0.15)) for x in xs]
    return sorted(spots, key=lambda spot: -spot[2])


def beside(scene, heights, rng):
    """Left and right, either way round."""
    xs = (0.27, 0.73) if rng.uniform() < 0.5 else (0.73, 0.27)
    return [(i, *stand(scene, item, heights[i] * 0.64, xs[i] + rng.uniform(-0.03, 0.03), rng))
            for i, item in enumerate(scene.items)]


def over(scene, heights, rng):
    """The second below, the first in the air above it."""
    x = rng.uniform(0.42, 0.58)
    below = (1, x + rng.uniform(-0.12, 0.12), rng.uniform(0.04, 0.1), heights[1] * 0.62, False)
    return [below, (0, x, rng.uniform(0.54, 0.6), min(heights[0] * 0.58, 0.4), bool(rng.uniform() < 0.5))]


def on(scene, heights, rng):
    """The second below, the first seated on it."""
    x, y = rng.uniform(0.44, 0.56), rng.uniform(0.05, 0.1)
    seat = y + heights[1] * SEATS.get(scene.second.thing, 0.62)
    return [(1, x, y, heights[1] * 0.68, False), (0, x, seat, heights[0] * 0.56, False)]


def among(scene, heights, rng):
    """In the middle of a crowd, whose three groups stand behind."""
    x = rng.uniform(0.42, 0.58)
    groups = [(1, x, 0.2, 0.6, False), (1, x - 0.3, 0.12, 0.5, False), (1, x + 0.3, 0.12, 0.5, True)]
    return [*groups, (0, x, 0.05, heights[0] * 0.84, False)]


ARRANGED = {"": alone, "beside": beside, "over": over, "on": on, "in": among}
