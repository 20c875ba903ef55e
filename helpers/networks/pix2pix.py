"""Pix2pix (Isola et al. 2017): a picture or a sketch becomes the same scene in another style.

    net = load("pix2pix-world", device)
    z = net.draw(4, rng)                                    # four draws: four ways to color a sketch
    image = net(sketch, net.number("oil"), z)               # (1, 3, h, w) -> (4, 3, h, w), in [0, 1]
    z = net.read(picture)[0]                                # or the colors of a picture

A U-Net as in the paper. Leaves it: one network paints all styles, which scale and shift its maps (as in the
conditional instance norm of Dumoulin et al. 2017, but each place is normed over its channels, for a norm over
places would forget how dark a night is); chance comes from numbers z instead of dropout, and these numbers
can be read off a picture (BicycleGAN, Zhu et al. 2017), so that each stands for some way to color. Chance
picks among readings of pictures it has seen: between them lies much that no picture has.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import weights
from ..errors import Refused, unknown
from ..precision import lowered, number_type

STEP = 32       # sides of pictures go in steps of this: five halvings
KEPT = 256      # readings to pick from


class Told(nn.Module):
    """x (n, c, h, w), normed over channels, times and plus what `told` (n, d) says; then leaky ReLU."""

    def __init__(self, channels: int, d: int):
        super().__init__()
        self.channels, self.say = channels, nn.Linear(d, 2 * channels)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        scale, shift = self.say(told).to(x.dtype)[:, None, None].chunk(2, -1)
        rows = F.layer_norm(x.permute(0, 2, 3, 1), (self.channels,))        # fast where channels come last
        return F.leaky_relu(torch.addcmul(shift, rows, 1 + scale), 0.2).permute(0, 3, 1, 2)


class Reader(nn.Module):
    """Pictures (n, 3, h, w) in [0, 1] -> mean and log variance (n, z_dim) of the z that would color so."""

    def __init__(self, width: int, z_dim: int):
        super().__init__()
        sides = [3, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(sides, sides[1:], strict=False))
        self.out = nn.Linear(sides[-1], 2 * z_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = F.interpolate(x, (64, 64), mode="bilinear", antialias=True, align_corners=False) * 2 - 1
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return self.out(x.mean((2, 3))).float().chunk(2, 1)


class Pix2Pix(nn.Module):
    """`config`: widths, the channels after each of five halvings; top, those at full size; z_dim; told, how
    many numbers tell a layer style and z; reader, the width of what reads z; styles, their names."""

    def __init__(self, config: dict, precision: str = "fp32"):
        super().__init__()
        self.config, self.precision = config, precision
        self.z_dim, self.styles = config["z_dim"], list(config["styles"])
        widths, d = config["widths"], config["told"]
        self.style = nn.Linear(len(self.styles), d)
        self.chance = nn.Linear(self.z_dim, d, bias=False)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1)
                                  for a, b in zip([3, *widths], widths, strict=False))
        outs = [config["top"], *widths[:-1]]
        ins = [2 * width for width in widths[:-1]] + widths[-1:]
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in zip(ins, outs, strict=True))
        for layer in self.up:
            evened_(layer.weight)
        self.down_told = nn.ModuleList(Told(width, d) for width in widths)
        self.up_told = nn.ModuleList(Told(width, d) for width in outs)
        self.to_rgb = nn.Conv2d(config["top"] + 3, 3, 3, padding=1)
        self.reader = Reader(config["reader"], self.z_dim)
        self.register_buffer("readings", torch.zeros(KEPT, 2, self.z_dim))      # means and log variances

    def forward(self, images: Tensor, styles: Tensor | int, z: Tensor) -> Tensor:
        """images (n, 3, h, w) in [0, 1], sides in steps of 32; styles: number of one, numbers (n,), or how
        much of each (n, styles); z (n, z_dim), see draw; one of any serves many. -> (n, 3, h, w) in [0, 1]"""
        self._fits(images, z)
        shares = self.shares(styles).to(z)
        count = max(len(images), len(shares), len(z))
        with lowered(self.device, number_type(self.device, self.precision, narrow=False)):
            told = F.silu(self.style(shares) + self.chance(z)).expand(count, -1)
            picture = images.expand(count, -1, -1, -1) * 2 - 1
            x, skips = picture.contiguous(memory_format=torch.channels_last), []
            for layer, tell in zip(self.down, self.down_told, strict=True):
                x = tell(layer(x), told)
                skips.append(x)
            x = skips.pop()
            for layer, tell in zip(reversed(self.up), reversed(self.up_told), strict=True):
                x = tell(layer(x), told)
                x = torch.cat([x, skips.pop() if skips else picture.to(x.dtype)], 1)
            return self.to_rgb(x).float().sigmoid()

    def read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (n, 3, h, w) in [0, 1] -> mean and log variance, (n, z_dim), of the z that colors so."""
        with lowered(self.device, number_type(self.device, self.precision, narrow=False)):
            return self.reader(images)

    def remember_(self, images: Tensor) -> None:
        """Keep the readings of KEPT pictures to draw from; before, z is drawn from a normal distribution."""
        self.readings.copy_(torch.stack(self.read(images), 1))

    def draw(self, count: int, rng: torch.Generator) -> Tensor:
        """Some z (count, z_dim), by the dice of `rng`."""
        mean, spread = self.readings[torch.randint(KEPT, (count,), generator=rng)].unbind(1)
        return mean + (spread / 2).exp() * torch.randn(count, self.z_dim, generator=rng).to(mean)

    def shares(self, styles: Tensor | int) -> Tensor:
        """Styles in any of their forms -> how much of each, (n, styles)."""
        styles = torch.as_tensor(styles, device=self.device)
        if styles.ndim == 2:
            return styles
        return F.one_hot(styles.view(-1), len(self.styles))

    def number(self, style: str) -> int:
        """The number of a style by its name; Refused where there is none."""
        if style not in self.styles:
            raise unknown("style", style, self.styles)
        return self.styles.index(style)

    @property
    def device(self) -> torch.device:
        return self.to_rgb.weight.device

    def _fits(self, images: Tensor, z: Tensor) -> None:
        height, width = images.shape[-2:]
        if height % STEP or width % STEP:
            raise Refused(f"the picture is {width} x {height}", f"its sides go in steps of {STEP}",
                          f"try {max(1, round(width / STEP)) * STEP} x {max(1, round(height / STEP)) * STEP}")
        if z.ndim != 2 or z.shape[1] != self.z_dim:
            raise Refused(f"z is {tuple(z.shape)}", f"here it is (n, {self.z_dim})", "draw it anew")


@torch.no_grad()
def evened_(weight: Tensor) -> None:
    """A kernel (…, 4, 4) whose neighbors begin alike: what goes up plain comes out plain, not as a
    checkerboard (Aitken et al. 2017)."""
    weight.copy_(weight[..., ::2, ::2].repeat_interleave(2, -1).repeat_interleave(2, -2))


def build(config: dict, precision: str = "fp32") -> Pix2Pix:
    """One with random weights."""
    return Pix2Pix(config, precision)


def load(name: str, device="cpu", *, precision: str = "fp32") -> Pix2Pix:
    """A trained one by name or path, frozen; its card says how it is built."""
    card, state = weights.load(name, "pix2pix")
    try:
        net = build(card["config"], precision)
        net.load_state_dict({key: value.float() for key, value in state.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise Refused(f"{name} does not hold the pix2pix it should ({reason})",
                      "its card says how it is built, and its weights fit that",
                      "check the file and the .json card beside it") from error
    net = net.eval().requires_grad_(False)
    return net.to(device, memory_format=torch.channels_last)
