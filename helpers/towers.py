"""CLIP's image towers for those who only look through them: frozen, and nothing is done twice.

    tower = lean(visual)        # after its weights are loaded; it shares its parameters or takes them over

Patches are a matrix product, the last layer is asked for one answer only, norms of convolutions are folded
into them. Equal to open_clip's own but for rounding; what is not known is given back as it came.
"""

import torch
from open_clip.modified_resnet import Bottleneck, ModifiedResNet
from open_clip.transformer import QuickGELU, ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import attend
from .frozen import folded, folded_, frozen
from .packed import Open
from .precision import current

QUICK = 1.702       # of QuickGELU: x * sigmoid(1.702 x)


def lean(visual: nn.Module) -> nn.Module:
    """The same tower, faster: (n, 3, size, size), standardized -> (n, d)."""
    if type(visual) is ModifiedResNet:
        return ResNet(visual)
    if type(visual) is VisionTransformer and plain(visual):
        return Transformer(visual)
    return folded_(visual)


def plain(visual: nn.Module) -> bool:
    """Is it OpenAI's transformer, without what came later?"""
    blocks = visual.transformer.resblocks
    return (visual.pool_type == "tok" and visual.attn_pool is None and not visual.final_ln_after_pool
            and not visual.output_tokens and isinstance(visual.patch_dropout, nn.Identity)
            and all(type(block) is ResidualAttentionBlock and isinstance(block.ls_1, nn.Identity)
                    for block in blocks))


class Transformer(nn.Module):
    """A VisionTransformer."""

    layout = torch.contiguous_format

    def __init__(self, visual: VisionTransformer):
        super().__init__()
        self.side = visual.patch_size[0]
        self.patch = linear(visual.conv1.weight.flatten(1), None)
        self.first, self.places = visual.class_embedding, visual.positional_embedding
        self.before, self.after, self.proj = visual.ln_pre, visual.ln_post, visual.proj
        *blocks, last = visual.transformer.resblocks
        self.blocks = nn.Sequential(*map(Block, blocks), LastBlock(last))

    def forward(self, images: Tensor) -> Tensor:
        (n, _, height, width), side, images = images.shape, self.side, images.to(current(images))
        patches = images.view(n, 3, height // side, side, width // side, side).permute(0, 2, 4, 1, 3, 5)
        rows = self.patch(patches.reshape(n, -1, 3 * side * side))
        x = torch.cat([self.first.to(rows).expand(n, 1, -1), rows], 1) + self.places
        return self.after(self.blocks(self.before(x))) @ self.proj


class Block(nn.Module):
    """A ResidualAttentionBlock: (n, places, d) -> the same."""

    def __init__(self, block: ResidualAttentionBlock):
        super().__init__()
        self.heads, self.out = block.attn.num_heads, linear(*params(block.attn.out_proj))
        self.inside = linear(block.attn.in_proj_weight, block.attn.in_proj_bias)
        self.norm, self.norm_2, self.mlp = block.ln_1, block.ln_2, block.mlp
        if isinstance(block.mlp.gelu, QuickGELU):       # x sigmoid(q x) = silu(q x) / q
            wide, narrow = block.mlp.c_fc, block.mlp.c_proj
            self.mlp = nn.Sequential(linear(wide.weight * QUICK, wide.bias * QUICK), nn.SiLU(),
                                     linear(narrow.weight / QUICK, narrow.bias))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.out(self.look(self.norm(x)))
        return x + self.mlp(self.norm_2(x))

    def look(self, x: Tensor) -> Tensor:
        query, key, value = self.inside(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return attend(query, key, value).transpose(1, 2).flatten(2)


class LastBlock(Block):
    """The last one, of which only the first place is asked: (n, places, d) -> (n, d)."""

    def __init__(self, block: ResidualAttentionBlock):
        super().__init__(block)
        self.inside = Open(self.inside)

    def forward(self, x: Tensor) -> Tensor:
        rows, x = self.norm(x), x[:, 0]
        (query, key, value), (bias, _, bias_v) = (t.chunk(3) for t in params(self.inside))
        x = x + self.out(glance(rows, (query, bias), key, (value, bias_v), self.heads))
        return x + self.mlp(self.norm_2(x))


class ResNet(nn.Module):
    """A ModifiedResNet."""

    def __init__(self, visual: ModifiedResNet):
        super().__init__()
        pairs = ((visual.conv1, visual.bn1), (visual.conv2, visual.bn2), (visual.conv3, visual.bn3))
        stages = visual.layer1, visual.layer2, visual.layer3, visual.layer4
        bent = [layer for pair in pairs for layer in (folded(*pair), nn.ReLU(inplace=True))]
        self.layers = nn.Sequential(*bent, Halved(), *(Bent(block) for stage in stages for block in stage))
        self.pool = Pool(visual.attnpool)

    def forward(self, images: Tensor) -> Tensor:
        return self.pool(self.layers(images))


class Bent(nn.Module):
    """A Bottleneck."""

    def __init__(self, block: Bottleneck):
        super().__init__()
        self.first, self.second, self.third = (folded(*pair) for pair in (
            (block.conv1, block.bn1), (block.conv2, block.bn2), (block.conv3, block.bn3)))
        self.halved = Halved() if block.stride > 1 else nn.Identity()
        aside = block.downsample
        self.aside = nn.Sequential(self.halved, folded(*aside[1:])) if aside else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(self.first(x).relu_()).relu_()
        return self.third(self.halved(h)).add_(self.aside(x)).relu_()


class Halved(nn.Module):
    """The mean of every 2 x 2 pixels; torch's own is slow backward."""

    def forward(self, x: Tensor) -> Tensor:
        return Quarters.apply(x) if x.shape[-1] % 2 == x.shape[-2] % 2 == 0 else F.avg_pool2d(x, 2)


class Quarters(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return F.avg_pool2d(x, 2)

    @staticmethod
    def backward(ctx, slope):
        n, channels, height, width = slope.shape
        parts = (slope / 4).permute(0, 2, 3, 1)[:, :, None, :, None].expand(n, height, 2, width, 2, channels)
        return parts.reshape(n, 2 * height, 2 * width, channels).permute(0, 3, 1, 2)


class Pool(nn.Module):
    """An AttentionPool2d: (n, c, h, w) -> (n, d). The mean of all places looks at them and at itself."""

    def __init__(self, pool: nn.Module):
        super().__init__()
        self.places, self.heads = pool.positional_embedding, pool.num_heads
        self.query, self.key, self.value = Open(pool.q_proj), Open(pool.k_proj), Open(pool.v_proj)
        self.out = pool.c_proj

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(2).transpose(1, 2)
        rows = torch.cat([rows.mean(1, keepdim=True), rows], 1) + self.places
        return self.out(glance(rows, params(self.query), self.key.weight, params(self.value), self.heads))


def glance(rows: Tensor, query, key: Tensor, value, heads: int) -> Tensor:
    """What the first of rows (n, places, c) gets to see in an attention with these weights (d, c): (n, d).

    Key and value of a place are never made: the question is led back through the keys' weights, the answer on
    through the values'. A bias of keys is the same for every place, and softmax forgets it.
    """
    def of_heads(weight):       # (heads, d / heads, c)
        return weight.unflatten(0, (heads, -1))

    asked = F.linear(rows[:, 0], *query).unflatten(-1, (heads, -1)).transpose(0, 1)
    asked = (asked @ of_heads(key)).transpose(0, 1)                                     # (n, heads, c)
    shares = (asked @ rows.transpose(1, 2) * (len(key) / heads) ** -0.5).softmax(-1)    # (n, heads, places)
    seen = (shares @ rows).transpose(0, 1) @ of_heads(value[0]).transpose(1, 2)        # (heads, n, d / heads)
    return seen.transpose(0, 1).flatten(1) + value[1]


def linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    made = nn.Linear(1, 1, device="meta")
    made.weight, made.bias = frozen(weight), None if bias is None else frozen(bias)
    return made


def params(layer: nn.Linear) -> tuple[Tensor, Tensor]:
    return layer.weight, layer.bias
