"""A codebook on the sphere while it is trained: look-up with its losses, and new life for dead codes."""

import torch
from torch.nn import functional as F


def look_up(model, z, commit=0.25):
    """Latents (n, d, h, w) -> their nearest codes, the loss of codebook and commitment, indices (n*h*w,).

    Straight-through: the slope of the codes passes to the latents as if they were equal.
    """
    unit = F.normalize(z, dim=1)
    flat = unit.permute(0, 2, 3, 1).flatten(0, 2)
    book = model.quantize.table()
    index = (flat.detach() @ book.detach().T).argmax(1)
    codes = book[index].view(len(z), *z.shape[-2:], -1).permute(0, 3, 1, 2)
    loss = ((codes - unit.detach()).square().sum(1) + commit * (unit - codes.detach()).square().sum(1)).mean()
    return unit + (codes - unit).detach(), loss, index


class Census:
    """Counts how often each code is used and gives unused ones new life.

    codes (k, d) are moved and tally (k,) is counted in place, so that both are saved with their owners;
    fade: what is left of the tally after each count.
    """

    def __init__(self, codes, tally, fade=0.98):
        self.codes, self.tally, self.fade = codes, tally, fade

    def count(self, index):
        """Note the codes a batch used."""
        self.tally.data.mul_(self.fade).index_add_(0, index, torch.ones(len(index), device=index.device))

    @property
    def live(self):
        """How many codes are in use."""
        return int((self.tally > 0.05).sum())

    @torch.no_grad()
    def restart(self, z, rng):
        """Make every dead code a latent drawn from z (n, d, h, w)."""
        dead = (self.tally < 0.05).nonzero().flatten()
        rows = F.normalize(z.float(), dim=1).permute(0, 2, 3, 1).flatten(0, 2)
        chosen = torch.randint(len(rows), (len(dead),), generator=rng).to(rows.device)
        self.codes.data[dead], self.tally.data[dead] = rows[chosen], 1.0
