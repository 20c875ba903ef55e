"""From knobs to tastes: what is liked whatever the picture shows."""

from helpers import palettes, prompts, schedules
from helpers.cutouts import Cutouts
from helpers.guides import Anchor, Edge, Likeness, Palette, Resemblance, Saturation, Smooth, Symmetry
from helpers.settings import present


def tastes(settings, studio):
    """Everything that is liked whatever the picture shows; weights of 0 cost nothing."""
    weight = {name: schedules.parse(getattr(settings, name)) for name in
              ("smoothness", "saturation", "symmetry", "edge", "palette_weight", "init_weight",
               "init_likeness", "target_weight")}
    border = (studio.picture(settings.edge_picture) if present(settings.edge_picture) else
              palettes.color(settings.edge_color))
    blend = (weight["smoothness"] * Smooth(settings.smooth_edges, settings.smooth_blur)
             + weight["saturation"] * Saturation() + weight["symmetry"] * Symmetry(settings.symmetry_axis)
             + weight["edge"] * Edge(border, settings.edge_width, settings.edge_sides))
    if studio.anchor is not None:
        blend = blend + weight["init_weight"] * Anchor(studio.anchor, settings.init_decay)
    if studio.start is not None:
        for eye in studio.eyes if any(weight["init_likeness"].values) else ():
            looks = Cutouts(eye.size, 2, 8, smallest=0.3, rng=studio.rng)
            share = 1 / len(studio.eyes)
            blend = blend + weight["init_likeness"] * (share * Resemblance(eye, studio.start, looks))
    if settings.palette.strip():
        blend = blend + weight["palette_weight"] * Palette(palettes.parse(settings.palette))
    for scene in prompts.pictures(settings.target_image):
        for one in scene:
            blend = blend + weight["target_weight"] * (one.weight * Likeness(studio.picture(one.text)))
    return blend
