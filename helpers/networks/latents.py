"""Latents: a canvas whose parameters are the latents of a VQGAN; what it can show is what its decoder can
say.

    canvas = Latents(vqgan.load("vqgan-world"), 128, 192, codes="nearest", rng=rng)

`codes` is what stands between parameters and decoder: "nearest" puts the nearest code there and leads the
slope past it (Crowson's z+quantize), "soft" a mixture of near codes, "free" nothing, "chance" draws codes
from logits (EleutherAI's codebook sampling), and then the parameters are one number per code.
"""

import torch
from torch import nn
from torch.nn import functional as F

from helpers.canvas import Canvas, inside
from helpers.errors import Refused

CODES = ("nearest", "soft", "free", "chance")
STARTS = ("codes", "gray", "gradient", "pixels", "snow")


class Latents(Canvas):
    """A picture height x width, each side a multiple of the network's factor.

    `pull`: how strongly latents are held near the codes. `rng` also draws the codes of "chance".
    """

    learning_rate = 0.15

    def __init__(self, network, height, width, codes="nearest", start="codes", pull=0.0, rng=None,
                 draws=None):
        super().__init__()
        if height % network.factor or width % network.factor:
            side = height if height % network.factor else width
            below = side - side % network.factor
            raise Refused(f"a side of the picture is {side}", f"this VQGAN goes in steps of {network.factor}",
                          f"try {below or network.factor} or {below + network.factor}")
        self.network, self.codes, self.pull, self.draws = [network], codes, pull, draws
        table = network.quantize.table().detach().float()
        self.register_buffer("table", table, persistent=False)
        low, high = network.code_range()
        self.register_buffer("low", low.float(), persistent=False)
        self.register_buffer("high", high.float(), persistent=False)
        rows, columns = height // network.factor, width // network.factor
        where = torch.randint(len(table), (1, rows, columns), generator=rng).to(table.device)
        depth = len(table) if codes == "chance" else table.shape[1]
        if codes == "chance":
            self.learning_rate = 0.5        # odds, not latents: to be sure of one of 16,384 they go up to 10
        self.z = nn.Parameter(torch.zeros(1, depth, rows, columns, device=table.device))
        if start == "codes":
            self.show_codes(where)
        else:
            self.fit(beginning(start, height, width, rng).to(table))

    @property
    def coder(self):
        return self.network[0]      # in a list, so that its frozen weights are not ours to save

    def forward(self):
        return inside(self.coder.decode(self.latents()))

    def latents(self):
        """What the decoder gets, (1, d, h/f, w/f)."""
        if self.codes == "nearest":
            return self.coder.quantize(self.z)
        if self.codes == "free":
            return self.coder.quantize.latent(self.z)
        odds = self.odds()
        if self.codes == "chance":
            if self.training and self.draws is not None:
                gumbel = -torch.log(-torch.log(torch.rand(odds.shape, generator=self.draws).clamp(1e-9,
                                                                                                  1 - 1e-7)))
                picked = (self.z.detach() + gumbel.to(self.z)).argmax(1)
            else:
                picked = odds.argmax(1)
            one = F.one_hot(picked, len(self.table)).movedim(-1, 1).to(odds)
            odds = one + odds - odds.detach()       # one code forward, the odds' slope backward
        return torch.einsum("nkhw,kd->ndhw", odds, self.table)

    def odds(self):
        """(1, codes, h/f, w/f): how much each code counts."""
        if self.codes == "chance":
            return self.z.softmax(1)
        return (-self.away() / self.spacing()).softmax(1)

    def away(self):
        """Squared distance of each latent to each code, (1, codes, h/f, w/f)."""
        z, table = self.coder.quantize.latent(self.z), self.table
        products = torch.einsum("ndhw,kd->nkhw", z, table)
        sizes = z.square().sum(1, keepdim=True) + table.square().sum(1).view(1, -1, 1, 1)
        return (sizes - 2 * products).clamp(min=0)

    def spacing(self):
        """A quarter of the usual squared distance between neighboring codes: soft mixtures blur no
        further."""
        if not hasattr(self, "near"):
            near = [torch.cdist(part, self.table).topk(2, 1, largest=False).values[:, 1]   # 0 is itself
                    for part in self.table.split(1024)]             # a gigabyte for 16,384 codes at once
            self.near = torch.cat(near).median().square().clamp(min=1e-6).item() / 4
        return self.near

    def prior(self, progress=0.0):
        """Mean squared distance to the nearest code, in units of the codes' own spread."""
        if self.codes == "chance" or self.pull <= 0:
            return self.z.new_zeros(())
        return self.pull * self.away().amin(1).mean() / self.table.var(0).sum()

    @torch.no_grad()
    def project_(self):
        """Keep each channel where the codes are."""
        if self.codes == "chance":
            return
        if getattr(self.coder.quantize, "on_sphere", False):
            self.z.copy_(self.coder.quantize.latent(self.z))
        else:
            self.z.copy_(self.z.maximum(self.low).minimum(self.high))

    @torch.no_grad()
    def fit(self, image):
        z = self.coder.encode(image.to(self.table))
        if self.codes == "chance":
            self.show_codes(self.coder.quantize.nearest(z))
        else:
            self.z.copy_(z)
            self.project_()

    @torch.no_grad()
    def show_codes(self, where):
        """Start from codes by number, (1, h/f, w/f)."""
        if self.codes == "chance":
            self.z.copy_(3.0 * F.one_hot(where, len(self.table)).movedim(-1, 1))
        else:
            self.z.copy_(F.embedding(where, self.table).movedim(-1, 1))


def beginning(kind, height, width, rng):
    """A first picture (1, 3, h, w): "gray", a "gradient" between two colors, cloudy "pixels", or "snow"."""
    if kind == "gray":
        return torch.full((1, 3, height, width), 0.5)
    if kind == "snow":
        return torch.rand(1, 3, height, width, generator=rng)
    if kind == "gradient":
        corners = torch.rand(1, 3, 2, 2, generator=rng)
        return F.interpolate(corners, (height, width), mode="bilinear", align_corners=True)
    clouds = [F.interpolate(torch.rand(1, 3, 2 ** k, 2 ** k, generator=rng), (height, width), mode="bilinear")
              for k in range(1, 6)]
    return sum(cloud / 2 ** k for k, cloud in enumerate(clouds, 1)) / (1 - 2 ** -5)
