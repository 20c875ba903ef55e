"""What a BigGAN-deep generator is made of (Brock, Donahue and Simonyan 2019, appendix B): norms that listen
to a condition, bottleneck blocks, one attention.

Names of parameters are those of the published PyTorch checkpoints. A condition (n, d) is latent and class
of n pictures. In training mode norms use the statistics of the batch, otherwise stored ones, by truncation.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REDUCTION = 4  # a block works inside on a quarter of its channels


class Norm(nn.Module):
    """Batch norm over `channels`; scale and offset are linear in the condition, or fixed where d is 0.

    running_means and running_vars, (n_stats, channels), belong to truncations 0, 1/(n_stats - 1), …, 1."""

    def __init__(self, channels: int, d: int, n_stats: int, eps: float):
        super().__init__()
        self.eps = eps
        self.register_buffer("running_means", torch.zeros(n_stats, channels))
        self.register_buffer("running_vars", torch.ones(n_stats, channels))
        if d:
            self.scale, self.offset = (nn.Linear(d, channels, bias=False) for _ in range(2))
        else:
            self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def statistics(self, truncation: float) -> tuple[Tensor, Tensor]:
        """Mean and variance at a truncation in [0, 1], (channels,) each: linear between the stored ones."""
        place = truncation * (len(self.running_means) - 1)
        low = min(int(place), len(self.running_means) - 2)
        between = place - low
        return (self.running_means[low].lerp(self.running_means[low + 1], between),
                self.running_vars[low].lerp(self.running_vars[low + 1], between))

    def folded(self, mean: Tensor, rate: Tensor) -> tuple[Tensor | None, Tensor]:
        """(weight, bias) of the linear map condition -> (a, b) so that the norm is a x + b: (2 channels, d)
        and (2 channels,). `rate` is 1 / standard deviation. Without a condition weight is None."""
        if hasattr(self, "weight"):
            a = self.weight * rate
            return None, torch.cat([a, self.bias - mean * a])
        scale = self.scale.weight.float() * rate[:, None]
        return (torch.cat([scale, self.offset.weight.float() - mean[:, None] * scale]),
                torch.cat([rate, -mean * rate]))

    def stored(self, truncation: float) -> tuple[Tensor | None, Tensor]:
        """`folded` with the stored statistics."""
        mean, variance = self.statistics(truncation)
        return self.folded(mean, (variance + self.eps).rsqrt())

    def forward(self, x: Tensor, cond: Tensor | None, truncation: float) -> Tensor:
        """(n, channels, h, w), (n, d) -> (n, channels, h, w)"""
        if self.training:
            x = F.batch_norm(x, None, None, training=True, eps=self.eps)
            none = torch.zeros_like(self.running_means[0])
            weight, bias = self.folded(none, none + 1)
        else:
            weight, bias = self.stored(truncation)
        table = bias[None] if weight is None else F.linear(cond, weight, bias)
        a, b = table[..., None, None].chunk(2, 1)
        return torch.addcmul(b.to(x), x, a.to(x))

    def bent(self, x: Tensor, cond: Tensor | None, truncation: float) -> Tensor:
        """With the ReLU that follows it everywhere."""
        return self(x, cond, truncation).relu()


class Block(nn.Module):
    """Norm, ReLU and convolution four times, around it a skip that drops channels and doubles pixels:
    (n, width, h, w) -> (n, out, h, w), or (n, out, 2h, 2w) if `up`."""

    listens = True  # to the condition of its site

    def __init__(self, width: int, out: int, up: bool, d: int, n_stats: int, eps: float):
        super().__init__()
        inner, self.up, self.out = width // REDUCTION, up, out
        self.bn_0 = Norm(width, d, n_stats, eps)
        self.bn_1, self.bn_2, self.bn_3 = (Norm(inner, d, n_stats, eps) for _ in range(3))
        self.conv_0 = nn.Conv2d(width, inner, 1)
        self.conv_1, self.conv_2 = (nn.Conv2d(inner, inner, 3, padding=1) for _ in range(2))
        self.conv_3 = nn.Conv2d(inner, out, 1)

    def forward(self, x: Tensor, cond: Tensor, truncation: float) -> Tensor:
        h = self.conv_0(self.bn_0.bent(x, cond, truncation))
        h = self.conv_1(self.grown(self.bn_1.bent(h, cond, truncation)))
        h = self.conv_2(self.bn_2.bent(h, cond, truncation))
        return self.conv_3(self.bn_3.bent(h, cond, truncation)) + self.grown(x[:, :self.out])

    def grown(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest") if self.up else x


class Attention(nn.Module):
    """Every pixel looks at every 2 x 2 pool of pixels (Zhang et al. 2019): (n, c, h, w) -> the same."""

    listens = False

    def __init__(self, channels: int):
        super().__init__()
        self.snconv1x1_theta = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.snconv1x1_phi = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.snconv1x1_g = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.snconv1x1_o_conv = nn.Conv2d(channels // 2, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        seen = looks(self.snconv1x1_theta(x), F.max_pool2d(self.snconv1x1_phi(x), 2),
                     F.max_pool2d(self.snconv1x1_g(x), 2))
        return x + self.gamma * self.snconv1x1_o_conv(seen)


def looks(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(n, c, h, w), (n, c, k, l), (n, v, k, l) -> (n, v, h, w): values by likeness, which is not scaled."""
    query_rows, key_rows, value_rows = (t.flatten(2).transpose(1, 2) for t in (query, key, value))
    shares = (query_rows @ key_rows.transpose(1, 2)).softmax(-1).to(value.dtype)  # (n, h w, k l)
    rows = shares @ value_rows
    n, places, channels = rows.shape
    return rows.view(n, *query.shape[2:], channels).permute(0, 3, 1, 2)
