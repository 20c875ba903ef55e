"""The same BigGAN for those who only paint with it: frozen, and nothing is done twice.

    lean_(net)      # after it is on its device; in place, for good

Norms of a block become one linear map per truncation, from condition to the factors and terms of all four.
Doubling the pixels and the convolution after it become one transposed convolution, with 4/9 of the products.
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ..frozen import forgetful_
from ..packed import packed_
from ..precision import lower_, number_type
from .biggan_blocks import Attention, Block, Norm, looks

KEPT = 4  # truncations whose maps are remembered


def lean_(net: nn.Module) -> nn.Module:
    """Freeze a BigGAN and exchange its parts for faster equal ones; in half precision where its own
    says."""
    net.eval().requires_grad_(False)
    generator = net.generator
    kinds = {Block: LeanBlock, Attention: LeanAttention, Norm: LeanNorm}
    generator.layers = nn.ModuleList(kinds[type(layer)](layer) for layer in generator.layers)
    generator.bn = LeanNorm(generator.bn)
    convolutions = [m for m in generator.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    lower_(nn.ModuleList([generator.gen_z, *convolutions]),     # the norms' maps stay exact
           number_type(net.device, net.precision))
    packed_(forgetful_(generator.to(memory_format=torch.channels_last)))
    return net


class LeanNorms(nn.Module):
    """Several norms, each with the ReLU behind it, whose conditions are looked up together."""

    def __init__(self, *norms: Norm):
        super().__init__()
        self.norms, self.kept = nn.ModuleList(norms), {}
        self.widths = [side for norm in norms for side in 2 * [norm.running_means.shape[1]]]

    def at(self, truncation: float, device: torch.device) -> tuple[Tensor | None, Tensor]:
        """(weight, bias) of the linear map from condition to factors and terms: first norm, second, …"""
        key = truncation, device
        if key not in self.kept:
            with torch.inference_mode(False), torch.no_grad():  # slopes may be wanted through them later
                weights, biases = zip(*(norm.stored(truncation) for norm in self.norms), strict=True)
                weight = None if weights[0] is None else torch.cat(weights)
                while len(self.kept) >= KEPT:
                    self.kept.pop(next(iter(self.kept)))
                self.kept[key] = weight, torch.cat(biases)
        return self.kept[key]

    def tables(self, cond: Tensor | None, truncation: float) -> list[Tensor]:
        """Factor, term, factor, term, …, each (n or 1, channels, 1, 1) in float32."""
        weight, bias = self.at(truncation, self.norms[0].running_means.device)
        with torch.autocast(bias.device.type, enabled=False):
            table = bias[None] if weight is None else F.linear(cond.float(), weight, bias)
        return table[..., None, None].split(self.widths, 1)


class LeanNorm(LeanNorms):
    """The last norm, with its ReLU, which listens to nothing."""

    def bent(self, x: Tensor, cond: None, truncation: float) -> Tensor:
        return Bend.apply(x, *self.tables(cond, truncation), 0)[0]


class LeanBlock(nn.Module):
    listens = True

    def __init__(self, block: Block):
        super().__init__()
        self.up, self.out = block.up, block.out
        self.norms = LeanNorms(block.bn_0, block.bn_1, block.bn_2, block.bn_3)
        self.conv_0, self.conv_2, self.conv_3 = block.conv_0, block.conv_2, block.conv_3
        self.conv_1 = doubling(block.conv_1) if block.up else block.conv_1

    def forward(self, x: Tensor, cond: Tensor, truncation: float) -> Tensor:
        tables = iter(self.norms.tables(cond, truncation))
        h, skip = Bend.apply(x, next(tables), next(tables), self.out)
        h = self.conv_0(h)
        for conv in (self.conv_1, self.conv_2, self.conv_3):
            h = conv(Bend.apply(h, next(tables), next(tables), 0)[0])
        return Join.apply(h, skip) if self.up else h + skip


class LeanAttention(nn.Module):
    listens = False

    def __init__(self, attention: Attention):
        super().__init__()
        parts = [getattr(attention, f"snconv1x1_{name}").weight for name in ("theta", "phi", "g")]
        self.widths = [len(part) for part in parts]
        channels = parts[0].shape[1]
        self.ask = nn.utils.skip_init(nn.Conv2d, channels, sum(self.widths), 1, bias=False)
        self.answer = nn.utils.skip_init(nn.Conv2d, self.widths[2], channels, 1, bias=False)
        self.ask.weight = nn.Parameter(torch.cat(parts), False)
        self.answer.weight = nn.Parameter(attention.gamma * attention.snconv1x1_o_conv.weight, False)

    def forward(self, x: Tensor) -> Tensor:
        query, rest = self.ask(x).split([self.widths[0], sum(self.widths[1:])], 1)
        key, value = F.max_pool2d(rest, 2).split(self.widths[1:], 1)
        return x + self.answer(looks(query, key, value))


def doubling(conv: nn.Conv2d) -> nn.ConvTranspose2d:
    """Doubling the pixels, then `conv` of 3 x 3, as one step. A pixel becomes 2 x 2 equal ones, and each of
    them spreads the mirrored kernel around itself: 4 copies, one step apart, add up to 4 x 4."""
    kernel = conv.weight.transpose(0, 1)
    spread = kernel.new_zeros(*kernel.shape[:2], 4, 4)
    for row in range(2):
        for column in range(2):
            spread[:, :, row:row + 3, column:column + 3] += kernel.flip(2, 3)
    both = nn.utils.skip_init(nn.ConvTranspose2d, len(kernel), kernel.shape[1], 4, stride=2, padding=1)
    both.weight, both.bias = nn.Parameter(spread, False), conv.bias
    return both


class Bend(torch.autograd.Function):
    """x (n, c, h, w), factor and term (n or 1, c, 1, 1) -> ReLU(factor x + term), and for the skip x's first
    `out` channels (None if 0): its slope is added where it belongs, not padded with zeros first."""

    @staticmethod
    def forward(ctx, x, factor, term, out):
        low = factor.to(x)
        y = torch.addcmul(term.to(x), x, low).relu_()
        ctx.save_for_backward(x, y, low)
        return y, x[:, :out] if out else None

    @staticmethod
    @once_differentiable
    def backward(ctx, slope, skipped):
        x, y, factor = ctx.saved_tensors
        slope = torch.ops.aten.threshold_backward(slope, y, 0)
        along = total = None
        if ctx.needs_input_grad[1]:
            over = [2, 3] if len(factor) == len(x) else [0, 2, 3]
            along, total = (t.sum(over, keepdim=True, dtype=torch.float32) for t in (slope * x, slope))
        slope = slope.mul_(factor)
        if skipped is not None:
            slope[:, :skipped.shape[1]] += skipped
        return slope, along, total, None


class Join(torch.autograd.Function):
    """h (n, c, 2h, 2w) plus the skip (n, c, h, w), each of whose pixels counts for 2 x 2."""

    @staticmethod
    def forward(ctx, h, skip):
        big, small = (t.permute(0, 2, 3, 1) for t in (h, skip))
        n, height, width, channels = small.shape
        big = big.reshape(n, height, 2, width, 2, channels) + small[:, :, None, :, None]
        return big.view(n, 2 * height, 2 * width, channels).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope):
        return slope, F.avg_pool2d(slope, 2) * 4  # torch's own sum over the four is 40 times slower
