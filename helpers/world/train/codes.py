"""A codebook on the sphere while it is trained: look-up with its losses, new life for dead codes, and at last
codes where the latents are."""

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


@torch.no_grad()
def settle(codes, latents, counts, rng, rounds=8):
    """Put the codes (k, d), in place, where they are nearest to the latents (n, d), each of which counts
    (n,): Lloyd's rounds on the sphere. Slopes of small batches leave them a quarter further away. Before the
    last rounds some codes that spare little become latents that are ill served (LBG-U, Fritzke 1997). Yields
    the mean squared distance at the beginning of each round."""
    codes.copy_(F.normalize(codes, dim=1))
    for round_ in range(rounds):
        index = torch.cat([(part @ codes.T).argmax(1) for part in latents.split(4096)])
        away = (latents - codes[index]).square().sum(1) * counts
        yield (away.sum() / counts.sum()).item()
        total = torch.zeros_like(codes[:, 0]).index_add_(0, index, counts)
        used = total > 0
        means = torch.zeros_like(codes).index_add_(0, index, latents * counts[:, None])
        codes[used] = F.normalize(means[used], dim=1)
        cost = torch.zeros_like(total).index_add_(0, index, away)
        idle = (cost < cost.mean() / 5).nonzero().flatten()
        idle = idle[cost[idle].argsort()][: len(codes) // 50]
        if len(idle) and round_ < rounds - 2:
            codes[idle] = latents[torch.multinomial(away.cpu(), len(idle), generator=rng).to(codes.device)]
