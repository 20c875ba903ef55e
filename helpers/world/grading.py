"""Grading: the hundred prompts, and what the judge says of pictures painted for them."""

import numpy as np
import torch

from . import judge, scenes, words

SHOWN = ("r_precision", "thing", "color", "sky", "place")
SIDE = 128          # pixels of a picture when the judge gets it


def asked():
    """(held, scenes) of the 100 prompts: 50 of seen, then 50 of held-out combinations; of each 50, 10 show
    two things, all are in plain style, and no two prompts are alike."""
    held, wanted, told = [], [], set()
    for side in (False, True):
        rng = np.random.default_rng([424242, side])
        room = {False: 40, True: 10}        # for scenes of one thing and of two
        while any(room.values()):
            scene = scenes.sample(rng, side, style="flat")
            pair, text = bool(scene.second), words.prompt(scene)
            if scene.first.count == 1 and room[pair] and text not in told:
                room[pair] -= 1
                told.add(text)
                held.append(side)
                wanted.append(scene)
    return held, wanted


def grade(pictures, wanted, held, seconds=0.0):
    """A row of the table: the mean of each grade of SHOWN, over all prompts and over held-out ones.

    pictures: (1, 3, h, w) each, of one size; wanted: their scenes; held: which are held out; seconds: each.
    """
    reader = judge.load()
    parts = [reader(part) for part in torch.cat(pictures).split(50)]
    reading = {k: torch.cat([part[k] for part in parts]) for k in parts[0]}
    right = {k: v.float() for k, v in judge.grades(reading, wanted).items() if k in SHOWN}
    right["r_precision"] = judge.r_precision(reading, wanted, asked()[1]).float()
    apart = torch.tensor(held)

    def means(chosen):
        return {k: round(right[k][chosen].mean().item(), 3) for k in SHOWN}

    row = means(torch.ones_like(apart)) | ({"held_out": means(apart)} if apart.any() else {})
    return row | {"seconds": round(float(seconds), 1), "n": len(wanted)}


def from_pixels(pixels):
    """(h, w, 3) uint8 array -> (1, 3, h, w) in [0, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
