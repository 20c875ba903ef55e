"""Tastes: what we like of a picture whatever it shows. Each is a guide on pixels; scale and add them."""

import math

import torch
from torch.nn import functional as F

from helpers.guides.base import Guide


class Smooth(Guide):
    """Total variation: neighbors should agree. `kind`: "square", "log" (forgives edges), "clipped" (ignores
    strong edges). `blur`: of what is compared, the standard deviation of a Gaussian in pixels; finer grain
    than that may stay."""

    def __init__(self, kind="square", blur=0.0):
        super().__init__()
        self.kind, self.blur = kind, blur

    def forward(self, image, progress=0.0):
        if self.blur:
            from torchvision.transforms.functional import gaussian_blur
            image = gaussian_blur(image, 2 * math.ceil(2 * self.blur) + 1, self.blur)
        steps = 10 * (image.diff(dim=-1).square().mean() + image.diff(dim=-2).square().mean())
        if self.kind == "square":
            return steps
        across, down = image.diff(dim=-1)[..., :-1, :], image.diff(dim=-2)[..., :-1]
        strength = (across.square() + down.square()).add(1e-8).sqrt()
        return (strength.clamp(max=0.5) if self.kind == "clipped" else strength.mul(10).log1p() / 10).mean()


class Saturation(Guide):
    """Colorfulness (Hasler and Suesstrunk 2003), negated: a positive weight makes colors stronger, a
    negative one duller."""

    def forward(self, image, progress=0.0):
        red, green, blue = image.unbind(1)
        opponents = torch.stack([red - green, (red + green) / 2 - blue]).flatten(1)
        spread = opponents.var(1).sum().add(1e-6).sqrt()
        middle = opponents.mean(1).square().sum().add(1e-6).sqrt()
        return -(spread + 0.3 * middle)


class Symmetry(Guide):
    """Distance to the mirror image; `axis` is "left-right", "up-down" or "both"."""

    AXES = {"left-right": [-1], "up-down": [-2], "both": [-1, -2]}

    def __init__(self, axis="left-right"):
        super().__init__()
        self.axes = self.AXES[axis]

    def forward(self, image, progress=0.0):
        return sum((image - image.flip(axis)).square().mean() for axis in self.axes) / len(self.axes) * 10


class Palette(Guide):
    """Distance of each pixel to the nearest of `colors` (k, 3) in [0, 1]."""

    def __init__(self, colors):
        super().__init__()
        self.register_buffer("colors", torch.as_tensor(colors, dtype=torch.float32))

    def forward(self, image, progress=0.0):
        away = image[:, None] - self.colors.to(image)[None, :, :, None, None]
        return away.square().sum(2).amin(1).mean()


class Edge(Guide):
    """The border, `width` of the short side, on these `sides`, should have one color (3,), so that pictures
    float on their paper; or be that of a picture (1, 3, h, w)."""

    def __init__(self, aim=(1.0, 1.0, 1.0), width=0.1, sides=("left", "right", "top", "bottom")):
        super().__init__()
        aim = torch.as_tensor(aim, dtype=torch.float32)
        self.register_buffer("aim", aim if aim.ndim == 4 else aim.view(1, 3, 1, 1))
        self.width, self.sides = width, sides

    def forward(self, image, progress=0.0):
        height, width = image.shape[-2:]
        rim = max(1, round(self.width * min(height, width)))
        outer = torch.zeros(height, width, dtype=torch.bool, device=image.device)
        for side, part in (("left", outer[:, :rim]), ("right", outer[:, -rim:]), ("top", outer[:rim]),
                           ("bottom", outer[-rim:])):
            part |= side in self.sides
        return (image - self.aim.to(image)).square().mean(1)[:, outer].mean()


class Range(Guide):
    """What lies outside [0, 1]: black and white should be reached, not burst."""

    def forward(self, image, progress=0.0):
        return (image - image.clamp(0, 1)).square().mean()


class Likeness(Guide):
    """Squared distance to a picture (1, 3, h, w), at full size and after two blurs: colors and places, then
    edges. `where` (1, 1, h, w) weighs its pixels, 1 where they count."""

    def __init__(self, picture, where=None):
        super().__init__()
        self.register_buffer("picture", picture.clone())
        self.register_buffer("where", torch.ones(1, 1, 1, 1) if where is None else where.clone())

    def forward(self, image, progress=0.0):
        away = (image - self.picture.to(image)) * self.where.to(image)
        scales = [away, *(F.avg_pool2d(away, k, ceil_mode=True, count_include_pad=False) for k in (4, 16))]
        return 10 * sum(scale.square().mean() for scale in scales) / len(scales)


class Anchor(Likeness):
    """Pull to the picture it started from, never to gray (init_weight). `decay`: the part of the pull gone
    by the end."""

    def __init__(self, picture, decay=0.0):
        super().__init__(picture)
        self.decay = decay

    def forward(self, image, progress=0.0):
        return (1 - self.decay * progress) * super().forward(image)
