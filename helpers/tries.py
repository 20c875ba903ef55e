"""Tries: a picture is painted anew, from other noise, until a reader is sure of what it sees; the best stays.

    painting.tries = Tries(3, surely, begin)

Rejection sampling by a classifier (Razavi et al. 2019 chose samples of VQ-VAE-2 so). A guide cannot choose:
it likes whatever it has led to itself.
"""

import torch

SURE = -0.7     # log odds: of one class, half of all that it might be


class Tries:
    """most: how many there may be. surely: (x (n, 3, h, w)) -> how sure it is of each, (n,), at most 0.
    begin: (number of the try, from 1) -> the noisy picture that it starts from."""

    def __init__(self, most, surely, begin):
        self.most, self.surely, self.begin = most, surely, begin
        self.number = 0                 # of tries behind
        self.best = self.odds = None    # of each picture

    def weigh(self, x):
        """Take note of a finished try; whether that was the last."""
        odds = self.surely(x)
        if self.best is not None:
            better = odds > self.odds
            x, odds = torch.where(better.view(-1, 1, 1, 1), x, self.best), torch.maximum(odds, self.odds)
        self.best, self.odds, self.number = x, odds, self.number + 1
        return self.number >= self.most or bool(odds.min() >= SURE)

    def state_dict(self):
        return {"number": self.number, "best": self.best, "odds": self.odds}

    def load_state_dict(self, state):
        self.number, self.best, self.odds = int(state["number"]), state["best"], state["odds"]
