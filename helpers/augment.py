"""Augmentations: small changes made to every look so that the picture has to please from many sides.

Each takes its own draw per look, from `rng`; all moves of a look (flip, rotate, affine, zoom, perspective,
elastic, warp) are one resampling, all color changes one product. They happen in the order: moves, colors,
sharpness, grain, holes.

    looks = Augment("flip, affine, perspective, jitter, erase", rng)(looks)
"""

import math

import torch
from torch.nn import functional as F

from helpers.errors import unknown

MOVES = ("flip", "rotate", "affine", "zoom", "perspective", "elastic", "warp")
COLORS = ("jitter", "gray")
AUGMENTATIONS = (*MOVES, *COLORS, "sharpness", "blur", "noise", "erase")


def names(text):
    """'flip, affine' -> ['flip', 'affine'], refusing what does not exist."""
    found = [word.strip() for word in text.split(",") if word.strip()]
    for word in found:
        if word not in AUGMENTATIONS:
            raise unknown("augmentation", word, AUGMENTATIONS)
    return found


class Augment:
    """(n, 3, size, size) -> the same shape. `strength` scales every change (0 none, 1 as usual)."""

    def __init__(self, text, rng, strength=1.0):
        self.names, self.rng, self.strength = names(text), rng, strength

    def __call__(self, looks):
        on = set(self.names)
        if on & set(MOVES):
            looks = moved(looks, on, Draw(len(looks), self.rng, self.strength))
        if on & set(COLORS):
            looks = colored(looks, on, Draw(len(looks), self.rng, self.strength))
        for name, change in AFTERWARDS.items():
            if name in on:
                looks = change(looks, Draw(len(looks), self.rng, self.strength))
        return looks


class Draw:
    """One number per look: `draw(low, high, chance)` is 0 for the looks that sit out."""

    def __init__(self, n, rng, strength=1.0):
        self.n, self.rng, self.strength = n, rng, strength

    def __call__(self, low, high, chance=1.0):
        value = low + (high - low) * torch.rand(self.n, generator=self.rng)
        plays = torch.rand(self.n, generator=self.rng) < chance
        return value * plays * self.strength

    def coin(self, chance):
        return torch.rand(self.n, generator=self.rng) < chance


def moved(looks, on, draw):
    matrix = torch.eye(3).expand(draw.n, 3, 3)
    builders = {"flip": flip, "rotate": rotate, "affine": affine, "zoom": zoom, "perspective": tilt}
    for name, build in builders.items():
        if name in on:
            matrix = matrix @ build(draw)
    size = looks.shape[-1]
    line = (torch.arange(size) * 2 + 1) / size - 1
    across, down = line.expand(size, size), line[:, None].expand(size, size)
    plane = torch.stack([across, down, torch.ones(size, size)], -1).view(1, -1, 3)
    points = plane @ matrix.transpose(1, 2)                                     # (n, size * size, 3)
    grid = (points[..., :2] / points[..., 2:].clamp(min=0.1)).view(draw.n, size, size, 2)
    for name, knots, reach in (("elastic", 8, 0.06), ("warp", 3, 0.15)):
        if name in on:
            grid = grid + bend(draw, size, knots, reach)
    return F.grid_sample(looks, grid.to(looks), padding_mode="reflection", align_corners=False)


def stack(rows):
    """3 x 3 entries, numbers or (n,) draws -> (n, 3, 3)."""
    n = next(len(x) for row in rows for x in row if torch.is_tensor(x))
    return torch.stack([torch.stack([torch.as_tensor(x, dtype=torch.float32).expand(n) for x in row], -1)
                        for row in rows], -2)


def flip(draw):
    return stack([[1 - 2.0 * draw.coin(0.5), 0, 0], [0, 1, 0], [0, 0, 1]])


def rotate(draw, degrees=15, chance=0.7):
    turn = draw(-math.radians(degrees), math.radians(degrees), chance)
    return stack([[turn.cos(), -turn.sin(), 0], [turn.sin(), turn.cos(), 0], [0, 0, 1]])


def affine(draw):
    """Turn by up to 15 degrees, shift by a tenth, shear by 5 degrees, 0.7 of the looks."""
    plays = draw.coin(0.7)
    turn, shear = (draw(-math.radians(d), math.radians(d)) * plays for d in (15, 5))
    right, down = (draw(-0.2, 0.2) * plays for _ in range(2))       # a tenth: coordinates go from -1 to 1
    turned = stack([[turn.cos(), -turn.sin(), right], [turn.sin(), turn.cos(), down], [0, 0, 1]])
    return turned @ stack([[1, shear.tan(), 0], [0, 1, 0], [0, 0, 1]])


def zoom(draw):
    """Look closer, by up to a quarter, somewhere inside."""
    less = draw(0, 0.25, 0.7)
    right, down = (draw(-1, 1) * less for _ in range(2))
    return stack([[1 - less, 0, right], [0, 1 - less, down], [0, 0, 1]])


def tilt(draw):
    """Perspective: lean the picture back, forth or sideways."""
    plays = draw.coin(0.7)
    across, down = (draw(-0.2, 0.2) * plays for _ in range(2))
    return stack([[1, 0, 0], [0, 1, 0], [across, down, 1]])


def bend(draw, size, knots, reach):
    """(n, size, size, 2) smooth random displacement with `knots` x `knots` handles."""
    handles = torch.randn(draw.n, 2, knots, knots, generator=draw.rng) * reach * draw.strength
    return F.interpolate(handles, (size, size), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


GRAY = torch.tensor([0.299, 0.587, 0.114])


def colored(looks, on, draw):
    """Hue (a tenth of the wheel), saturation, contrast, brightness, or gray: one 3 x 3 product and a shift
    per look."""
    matrix, gray = torch.eye(3).expand(draw.n, 3, 3), GRAY.expand(3, 3)
    shift = contrast = torch.zeros(draw.n)
    if "jitter" in on:
        turn = draw(-0.1, 0.1, 0.7) * math.pi
        matrix = hue(turn)
        more = draw(-0.1, 0.1, 0.7)[:, None, None]
        matrix = (torch.eye(3) * (1 + more) - gray * more) @ matrix
        contrast, shift = draw(-0.1, 0.1, 0.7), draw(-0.1, 0.1, 0.7)
    if "gray" in on:
        matrix = torch.where(draw.coin(0.2)[:, None, None], gray @ matrix, matrix)
    matrix, shift, contrast = (x.to(looks) for x in (matrix, shift, contrast))
    looks = torch.einsum("nkc,nchw->nkhw", matrix, looks)
    middle = looks.mean((1, 2, 3), keepdim=True)
    return middle + (looks - middle) * (1 + contrast).view(-1, 1, 1, 1) + shift.view(-1, 1, 1, 1)


def hue(turn):
    """(n, 3, 3): rotation of the color wheel about the axis of grays (Rodrigues)."""
    axis = 1 / math.sqrt(3)
    cross = axis * torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    sin, cos = turn.sin()[:, None, None], turn.cos()[:, None, None]
    return cos * torch.eye(3) + sin * cross + (1 - cos) / 3 * torch.ones(3, 3)


def soft(looks):
    kernel = torch.tensor([1.0, 2, 1]).to(looks)
    kernel = (kernel[:, None] * kernel / 16).expand(3, 1, 3, 3)
    return F.conv2d(F.pad(looks, [1] * 4, mode="replicate"), kernel, groups=3)


def sharpened(looks, draw):
    return looks + (looks - soft(looks)) * draw(0, 1.0, 0.4).to(looks).view(-1, 1, 1, 1)


def blurred(looks, draw):
    return looks + (soft(soft(looks)) - looks) * draw(0, 1.0, 0.4).to(looks).view(-1, 1, 1, 1)


def noised(looks, draw):
    grain = torch.randn(looks.shape, generator=draw.rng).to(looks)
    return looks + grain * draw(0, 0.1, 0.7).to(looks).view(-1, 1, 1, 1)


def erased(looks, draw):
    """Cover a rectangle of a tenth to four tenths of the look with its mean, 0.7 of the looks."""
    size = looks.shape[-1]
    area, shape = draw(0.1, 0.4, 0.7), 3 ** (2 * torch.rand(draw.n, generator=draw.rng) - 1)
    tall, wide = (area * shape).sqrt().clamp(max=1), (area / shape).sqrt().clamp(max=1)
    top, left = (torch.rand(draw.n, generator=draw.rng) * (1 - side) for side in (tall, wide))
    line = (torch.arange(size) + 0.5) / size
    down, across = ((line >= start[:, None]) & (line < (start + side)[:, None])
                    for start, side in ((top, tall), (left, wide)))
    hole = (down[:, :, None] & across[:, None, :])[:, None].to(looks.device)
    return torch.where(hole, looks.mean((2, 3), keepdim=True), looks)


AFTERWARDS = {"sharpness": sharpened, "blur": blurred, "noise": noised, "erase": erased}
