"""Canvases: trainable parameters that render to a picture.

A canvas is what a system paints on: `canvas() -> (1, 3, h, w)`, RGB in [0, 1]. Pixels, cells of pixels,
waves (Fourier), a network of sines, latents of a VQGAN or a BigGAN differ only here.

    canvas = Waves(128, 128, rng=rng)
    canvas.fit(picture)            # start from a picture instead
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from helpers.errors import Refused


class Canvas(nn.Module):
    """`forward()` -> (1, 3, h, w), RGB, in [0, 1]. Only what should be painted requires grad."""

    learning_rate = 0.05        # a good pace for Adam; a system's learning_rate of 0 means this one

    def forward(self):
        raise NotImplementedError

    def prior(self, progress=0.0):
        """How odd the parameters look to the generator itself; a scalar, lower is better."""
        return torch.zeros(())

    def project_(self):
        """Pull the parameters back to where the generator was trained. Called after each step."""

    def fit(self, image):
        """Set the parameters so that the canvas shows `image` (1, 3, h, w) in [0, 1]."""
        raise Refused(f"{type(self).__name__} cannot start from a picture", "", "leave init_image empty")


class InsideRange(torch.autograd.Function):
    """Clamp to [0, 1] whose gradient is stopped only where it would push further out (Crowson's
    ClampWithGrad)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx, slope):
        x, = ctx.saved_tensors
        return slope * (slope * (x - x.clamp(0, 1)) >= 0)


def inside(x):
    """[0, 1] with a gradient that still leads back from overshoot."""
    return InsideRange.apply(x)


class Pixels(Canvas):
    """Every pixel is a parameter; with `cell` > 1 every square of cell x cell pixels is one (fast_pixel of
    pixray)."""

    learning_rate = 0.03

    def __init__(self, height, width, cell=1, rng=None):
        super().__init__()
        self.height, self.width, self.cell = height, width, cell
        rows, columns = math.ceil(height / cell), math.ceil(width / cell)
        self.pixels = nn.Parameter(0.5 + 0.1 * torch.randn(1, 3, rows, columns, generator=rng))
        self.project_()

    def forward(self):
        if self.cell == 1:
            return self.pixels
        big = self.pixels.repeat_interleave(self.cell, -1).repeat_interleave(self.cell, -2)
        return big[..., :self.height, :self.width]

    @torch.no_grad()
    def project_(self):
        self.pixels.clamp_(0, 1)

    @torch.no_grad()
    def fit(self, image):
        """Each cell takes the mean of what it covers."""
        padding = (0, -self.width % self.cell, 0, -self.height % self.cell)
        image = F.pad(image.to(self.pixels), padding, mode="replicate")
        self.pixels.copy_(F.avg_pool2d(image, self.cell))


# Square root of the covariance of colors in photographs (Olah et al. 2017, "Feature Visualization"), scaled
# so that the longest row is 1: moving one decorrelated number moves the three colors together, as light does.
COLORS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]]) / 0.2868


class Waves(Canvas):
    """Fourier coefficients of decorrelated colors (Lucid; aphantasia's FFT): every parameter touches the
    whole picture.

    `decay`: how fast waves fade with frequency, 1 is natural light, more is softer. `saturation`: how strong
    colors start.
    """

    learning_rate = 0.05

    def __init__(self, height, width, decay=1.0, saturation=1.0, rng=None):
        super().__init__()
        self.height, self.width = height, width
        across = torch.fft.rfftfreq(width)[None]
        down = torch.fft.fftfreq(height)[:, None]
        frequency = (across ** 2 + down ** 2).sqrt().clamp(min=1 / max(height, width))
        scale = math.sqrt(height * width) * (frequency * max(height, width)) ** -decay
        self.register_buffer("scale", scale[None, None, :, :, None], persistent=False)
        tint = torch.cat([COLORS[:, :1], COLORS[:, 1:] * saturation], 1)
        self.register_buffer("tint", tint, persistent=False)
        start = torch.randn(1, 3, *scale.shape, 2, generator=rng)
        self.spectrum = nn.Parameter(0.1 * start)

    def forward(self):
        waves = torch.view_as_complex((self.spectrum * self.scale).contiguous())
        gray = torch.fft.irfft2(waves, s=(self.height, self.width), norm="ortho")
        return torch.einsum("kc,nchw->nkhw", self.tint, gray).sigmoid()

    @torch.no_grad()
    def fit(self, image):
        logits = torch.logit(image.to(self.spectrum).clamp(0.004, 0.996))
        gray = torch.einsum("ck,nkhw->nchw", torch.linalg.inv(self.tint), logits)
        waves = torch.view_as_real(torch.fft.rfft2(gray, norm="ortho"))
        self.spectrum.copy_(waves / self.scale)


class Masked(Canvas):
    """A canvas seen only through the white of a mask; elsewhere the picture stays what it was, to the bit.

    `image` (1, 3, h, w) in [0, 1]; `mask` (1, 1, h, w), 1 = paint here. `softness`: width in pixels of the
    blend, which lies inside the white so that the black keeps every pixel.
    """

    def __init__(self, canvas, image, mask, softness=0):
        super().__init__()
        self.canvas, self.learning_rate = canvas, canvas.learning_rate
        self.register_buffer("image", image.clone(), persistent=False)
        self.register_buffer("mask", feather(mask, softness), persistent=False)

    def forward(self):
        return self.image + self.mask * (self.canvas() - self.image)

    def prior(self, progress=0.0):
        return self.canvas.prior(progress)

    def project_(self):
        self.canvas.project_()

    def fit(self, image):
        self.canvas.fit(image)


class Patched(Masked):
    """A canvas seen through a mask by whoever looks at pictures; a guide sees all of it and can tell how well
    it goes on beyond the mask."""

    def forward(self):
        return self.canvas() if self.training else super().forward()


def feather(mask, softness):
    """Fade the mask's white toward its edge over `softness` pixels; black stays exactly 0."""
    if softness < 1:
        return mask.clone()
    reach = int(softness)
    solid = -F.max_pool2d(-F.pad(mask, [reach // 2] * 4, mode="replicate"), 2 * (reach // 2) + 1, 1)
    soft = F.avg_pool2d(F.pad(solid, [reach // 2] * 4, mode="replicate"), 2 * (reach // 2) + 1, 1)
    return soft * mask


def move(image, zoom=1.0, angle=0.0, right=0.0, down=0.0):
    """Zoom (> 1 comes closer), turn (degrees, clockwise) and shift (pixels) a picture (n, 3, h, w); edges
    mirror."""
    height, width = image.shape[-2:]
    turn = math.radians(angle)
    # affine_grid asks where each output pixel comes from, so this is the inverse of the move, in pixels then
    # in [-1, 1]
    cos, sin = math.cos(turn) / zoom, math.sin(turn) / zoom
    inverse = [[cos, sin * height / width, -2 * (cos * right + sin * down) / width],
               [-sin * width / height, cos, -2 * (cos * down - sin * right) / height]]
    theta = torch.tensor([inverse], dtype=image.dtype, device=image.device).expand(len(image), 2, 3)
    grid = F.affine_grid(theta, image.shape, align_corners=False)
    moved = F.grid_sample(image, grid, mode="bicubic", padding_mode="reflection", align_corners=False)
    return moved.clamp(0, 1)
