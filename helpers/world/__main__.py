"""`python -m helpers.world`: draw the contact sheet of the world, `assets/gallery/world.png`."""

from pathlib import Path

import numpy as np
from PIL import Image

from . import drawing, scenes

SHEET = Path(__file__).resolve().parents[2] / "assets" / "gallery" / "world.png"


def contact_sheet(side=160, columns=8, seed=11):
    """A PIL image: every thing once, places, hours and styles taking turns; then a row of pairs."""
    rng = np.random.default_rng(seed)
    shown = []
    for i, thing in enumerate(scenes.THINGS):
        item = scenes.Item(thing, list(scenes.COLORS)[(3 * i + i // 8) % 10])
        shown.append(scenes.Scene(item, place=list(scenes.PLACES)[i % 8 - i // 8],
                                  sky=list(scenes.SKIES)[(i + i // 8) % 6],
                                  style=list(scenes.STYLES)[(i * 5 + i // 8) % 6], seed=i))
    while len(shown) < 40:
        scene = scenes.sample(rng)
        if scene.second:
            shown.append(scene)
    page = Image.new("RGB", (columns * side, len(shown) // columns * side))
    for i, scene in enumerate(shown):
        picture = Image.fromarray(drawing.draw(scene, side))
        page.paste(picture, (i % columns * side, i // columns * side))
    return page


if __name__ == "__main__":
    SHEET.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet().save(SHEET, optimize=True)
