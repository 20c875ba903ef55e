"""The systems of the history, by name. One file each: its `Settings` and `paint(settings, state=None) ->
Painting`.

    for frame in load("vqgan_clip").paint(Settings.of(prompts="a castle in the snow")): ...
"""

import importlib

from helpers.errors import unknown

SYSTEMS = {
    "gan": "helpers.systems.gan",
    "pix2pix": "helpers.systems.pix2pix",
    "deep_daze": "helpers.systems.deep_daze",
    "big_sleep": "helpers.systems.big_sleep",
    "vqgan_clip": "helpers.systems.vqgan_clip",
    "clip_guided_diffusion": "helpers.systems.clip_guided_diffusion",
    "disco_diffusion": "helpers.systems.disco_diffusion",
}


def load(name):
    """The module of a system; torch is imported only when it paints."""
    if name not in SYSTEMS:
        raise unknown("system", name, SYSTEMS)
    return importlib.import_module(SYSTEMS[name])


def proper(name):
    """What people call a system: how its file begins; the name itself of one that is not here."""
    return (load(name).__doc__ or name).partition(" (")[0] if name in SYSTEMS else name


def menu():
    """(proper name, name) of each, as menus have it."""
    return [(proper(name), name) for name in SYSTEMS]
