"""Where: eight places, painted under the skies and behind the things.

Each is drawn by `place(pen, horizon, rng)`: horizon 0..1 from below, rng a numpy Generator.
"""

import math

from PIL import Image, ImageFilter

from .pen import WHITE, WOOD, Pen, dark, gradient, mix
from .skies import SKIES, sky


def ground(p, horizon, far, near):
    """A strip of ground from the horizon to the lower edge."""
    w, h = p.sheet.size
    top = h - int(horizon * h)
    p.sheet.paste(gradient((w, h - top), [p.color(far), p.color(near)]), (0, top))


def hills(p, horizon, amp, c, rng, waves=1.5):
    """A wavy crest behind the horizon, up to `amp` above it."""
    phase = rng.uniform(0, 6.3)
    xs = [i / 16 - 0.5 for i in range(17)]
    crest = [(x, horizon + amp * (0.5 + 0.5 * math.sin(waves * 6.3 * x + phase))) for x in xs]
    p.poly([(-0.5, horizon - 0.03), *crest, (0.5, horizon - 0.03)], c)


def pine(p, x, y, s, c, snow=False):
    """A fir `s` high, in three tiers, capped where there is snow."""
    p.box(x - 0.05 * s, y, x + 0.05 * s, y + 0.2 * s, dark(WOOD, 0.3))
    for k, half in ((0.14, 0.34), (0.4, 0.27), (0.66, 0.18)):
        p.poly([(x - half * s, y + k * s), (x, y + (k + 0.46) * s), (x + half * s, y + k * s)], c)
        if snow:
            cap, tip = half * 0.35 * s, y + (k + 0.46) * s
            p.poly([(x - cap, y + (k + 0.3) * s), (x, tip), (x + cap, y + (k + 0.3) * s)], WHITE)


def sea(p, hz, rng):
    ground(p, hz, (36, 104, 168), (40, 140, 186))
    for _ in range(16):
        x, y = rng.uniform(-0.5, 0.45), rng.uniform(0.1, hz - 0.02)
        p.line([(x, y), (x + 0.03, y + 0.008), (x + rng.uniform(0.06, 0.12), y)], 0.008, (150, 212, 236))
    crest = [(i / 12 - 0.5, 0.1 + 0.018 * math.sin(i * 1.3 + rng.uniform(0, 0.4))) for i in range(13)]
    p.poly([(-0.5, 0), *[(x, y + 0.02) for x, y in crest], (0.5, 0)], (236, 246, 248))
    p.poly([(-0.5, 0), *crest, (0.5, 0)], (240, 214, 150))


def meadow(p, hz, rng):
    hills(p, hz, 0.1, (104, 178, 96), rng)
    ground(p, hz, (124, 194, 84), (76, 152, 62))
    for _ in range(26):
        x, y = rng.uniform(-0.5, 0.5), rng.uniform(0.0, hz - 0.03)
        p.disc(x, y, 0.012, [(250, 240, 120), (250, 250, 250), (244, 150, 190)][rng.integers(3)])
    for _ in range(10):
        x, y = rng.uniform(-0.5, 0.5), rng.uniform(0, hz - 0.06)
        p.line([(x - 0.012, y + 0.035), (x, y), (x + 0.014, y + 0.03)], 0.007, (56, 128, 52))


def desert(p, hz, rng):
    hills(p, hz, 0.13, (226, 168, 96), rng, 1.0)
    ground(p, hz, (240, 200, 128), (226, 172, 96))
    for _ in range(6):
        x, y, s = rng.uniform(-0.5, 0.3), rng.uniform(0.02, hz - 0.04), rng.uniform(0.15, 0.35)
        p.arc(x, y, s, 0.03, 20, 150, 0.008, (206, 150, 82))
    x = rng.uniform(0.36, 0.46) * (1 if rng.uniform() < 0.5 else -1)
    p.line([(x, hz - 0.02), (x, hz + 0.1)], 0.022, (92, 140, 84))
    p.line([(x + 0.035, hz + 0.07), (x + 0.035, hz + 0.04), (x, hz + 0.035)], 0.014, (92, 140, 84))


def snow(p, hz, rng):
    hills(p, hz, 0.12, (214, 228, 244), rng)
    for _ in range(6):
        pine(p, rng.uniform(-0.5, 0.5), hz - 0.015, rng.uniform(0.09, 0.16), (62, 108, 104), True)
    ground(p, hz, (238, 244, 252), (248, 251, 255))
    for _ in range(5):
        x, y = rng.uniform(-0.5, 0.3), rng.uniform(0.03, hz - 0.05)
        p.arc(x, y, rng.uniform(0.1, 0.25), 0.025, 20, 160, 0.008, (202, 218, 238))
    for _ in range(24):
        p.disc(rng.uniform(-0.5, 0.5), rng.uniform(0, 1), 0.007, WHITE)


def city(p, hz, rng):
    x = -0.52
    while x < 0.5:
        w, h = rng.uniform(0.08, 0.15), rng.uniform(0.12, 0.42)
        c = [(96, 106, 128), (122, 116, 132), (84, 96, 114), (136, 122, 118)][rng.integers(4)]
        p.box(x, hz - 0.01, x + w, hz + h, c)
        for row in range(int(h / 0.055)):
            for col in range(int(w / 0.036)):
                if rng.uniform() < 0.6:
                    a, b = x + 0.012 + col * 0.036, hz + 0.02 + row * 0.055
                    p.box(a, b, a + 0.018, b + 0.026, (255, 226, 130))
        x += w + rng.uniform(0, 0.015)
    ground(p, hz, (136, 136, 142), (104, 104, 112))
    p.box(-0.5, hz - 0.045, 0.5, hz, (178, 176, 176))
    for i in range(-3, 4):
        p.box(i * 0.17 - 0.05, 0.055, i * 0.17 + 0.05, 0.08, (244, 236, 206))


def park(p, hz, rng):
    for i in range(7):
        x = -0.48 + 0.16 * i + rng.uniform(-0.04, 0.04)
        p.box(x - 0.008, hz - 0.01, x + 0.008, hz + 0.07, WOOD)
        p.disc(x, hz + 0.1, rng.uniform(0.055, 0.08), mix((72, 150, 78), (120, 178, 86), rng.uniform()))
    ground(p, hz, (132, 200, 104), (100, 176, 84))
    a = rng.uniform(-0.2, 0.2)
    p.poly([(a - 0.03, hz), (a + 0.03, hz), (a * 0.4 + 0.3, 0), (a * 0.4 - 0.3, 0)], (226, 208, 168))
    for i in range(-6, 7):
        p.box(i * 0.085 - 0.014, hz - 0.045, i * 0.085 + 0.014, hz + 0.025, (244, 240, 230))
    p.box(-0.5, hz - 0.02, 0.5, hz - 0.005, (244, 240, 230))
    x = rng.uniform(0.3, 0.42) * (1 if rng.uniform() < 0.5 else -1)
    p.box(x - 0.1, 0.14, x + 0.1, 0.165, WOOD)
    p.box(x - 0.1, 0.185, x + 0.1, 0.21, WOOD)
    p.box(x - 0.08, 0.1, x - 0.06, 0.2, dark(WOOD))
    p.box(x + 0.06, 0.1, x + 0.08, 0.2, dark(WOOD))


def old_stones(p, hz, rng):
    """The place called ruins: a far arcade, fallen in parts."""
    stone = (196, 180, 150)
    ground(p, hz, (186, 176, 128), (160, 148, 104))
    for i in range(6):
        x, top = -0.47 + 0.18 * i + rng.uniform(-0.02, 0.02), hz + rng.uniform(0.1, 0.3)
        p.box(x - 0.028, hz - 0.03, x + 0.028, top, mix(stone, WHITE, rng.uniform(0, 0.25)))
        p.box(x - 0.04, hz - 0.045, x + 0.04, hz - 0.02, dark(stone, 0.15))
        if rng.uniform() < 0.55:
            p.arc(x + 0.09, top - 0.01, 0.09, 0.09, 0, 180 if rng.uniform() < 0.6 else 110, 0.04, stone)
    for _ in range(7):
        x, y, s = rng.uniform(-0.5, 0.5), rng.uniform(0.0, hz - 0.05), rng.uniform(0.025, 0.06)
        block = [(x - s, y), (x - s * 0.6, y + s * 0.8), (x + s * 0.5, y + s * 0.7), (x + s, y)]
        p.poly(block, dark(stone, rng.uniform(0, 0.3)))


def forest(p, hz, rng):
    for _ in range(11):
        x, s = rng.uniform(-0.52, 0.52), rng.uniform(0.3, 0.5)
        pine(p, x, hz - 0.02, s, mix((28, 76, 62), (44, 104, 74), rng.uniform()))
    ground(p, hz, (52, 92, 56), (68, 84, 44))
    for side in (-1, 1):
        pine(p, side * rng.uniform(0.42, 0.5), hz - 0.07, rng.uniform(0.5, 0.68), (34, 88, 60))
    for _ in range(12):
        x, y = rng.uniform(-0.5, 0.5), rng.uniform(0, hz - 0.05)
        p.oval(x, y, 0.03, 0.012, (96, 122, 62))


PLACES = {"sea": sea, "meadow": meadow, "desert": desert, "snow": snow, "city": city, "park": park,
          "ruins": old_stones, "forest": forest}


def backdrop(p, place, sky_name, horizon, rng):
    """Sky, then place, washed by the hour. The pen stays washed for the things, lightly: colors stay true."""
    p.at(0.5, 0, 1)
    _, tint, strength = SKIES[sky_name]
    p.tint, p.wash = tint, 0.0
    sky(p, sky_name, horizon, rng)
    p.wash = strength
    PLACES[place](p, horizon, rng)
    p.wash = strength * 0.3


def shadow(p, masks):
    """Soft shadows under things: `masks` is a list of (x, y, width) in sheets, y up."""
    layer = Image.new("L", p.sheet.size)
    q = Pen(layer, ink=90).at(0.5, 0, 1)
    for x, y, width in masks:
        q.oval(x - 0.5 + 0.06 * width, y + 0.004, width * 0.4, width * 0.07, None)
    layer = layer.filter(ImageFilter.BoxBlur(p.sheet.size[0] * 0.012))
    p.sheet.paste((16, 14, 34), (0, 0), layer)
