"""Batches for a guide, made beside its training where that would wait for them."""

import itertools

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ... import machine
from . import data
from .contrast import length
from .looks import look, to_tensor, weather


class Turns(Dataset):
    """Batches by number: seen and told anew, truly and wrongly, with the tokens of what is said and a random
    start for its attack, whose radii are 0.3 to 1."""

    def __init__(self, source, tokenizer):
        self.source, self.tokenizer = source, tokenizer

    def __getitem__(self, turn):
        rng = torch.Generator().manual_seed(turn)
        chosen, pixels = self.source.batch(turn)
        images = weather(look(to_tensor(pixels, "cpu"), 64, rng), rng)
        radii = 0.3 + 0.7 * torch.rand(len(images), 1, 1, 1, generator=rng)
        noise = torch.randn(images.shape, generator=rng)
        said = [*data.captions(chosen, [3, turn]), *data.rivals(chosen, [3, turn])]
        return {"said": self.tokenizer(said), "images": images, "truth": data.named(chosen), "radii": radii,
                "named": self.tokenizer(data.names(np.random.default_rng([4, turn]))),
                "delta": noise / length(noise) * radii * 0.5}

    def after(self, turn, device):
        """Turn by turn from this one on; a GPU, which would wait for them, has them made ahead."""
        workers = min(4, machine.cores()) if torch.device(device).type == "cuda" else 0
        return iter(DataLoader(self, batch_size=None, sampler=itertools.count(turn), num_workers=workers))


def there(batch, device):
    """A dict of tensors, or of lists of them, on a device."""
    return {key: [part.to(device) for part in value] if isinstance(value, list | tuple) else value.to(device)
            for key, value in batch.items()}
