"""Six skies, with what hangs in them.

Each is drawn by `hanging(pen, x, y, horizon, rng)`: (x, y) is where sun or moon may stand, in sheets, y up.
"""

from .pen import WHITE, gradient, mix

# Top to horizon; then the wash that the hour lays over ground and things: its color and strength.
SKIES = {
    "day": ([(86, 160, 236), (150, 204, 250), (206, 234, 252)], (255, 250, 230), 0.0),
    "sunset": ([(74, 50, 112), (206, 84, 92), (252, 160, 72), (255, 204, 110)], (150, 56, 60), 0.2),
    "night": ([(10, 14, 44), (22, 30, 76), (48, 58, 112)], (12, 16, 64), 0.42),
    "dawn": ([(158, 168, 222), (232, 190, 216), (252, 214, 200), (255, 236, 206)], (226, 170, 196), 0.16),
    "storm": ([(46, 52, 62), (80, 88, 98), (122, 130, 136)], (50, 56, 70), 0.3),
    "rainbow": ([(136, 176, 204), (180, 208, 222), (222, 232, 232)], (210, 222, 226), 0.08),
}


def cloud(p, x, y, s, c):
    """Three puffs on a flat base, about 1.2 `s` wide."""
    for dx, dy, r in ((-0.5, 0, 0.32), (0, 0.12, 0.45), (0.5, 0, 0.34)):
        p.oval(x + dx * s, y + dy * s, r * s, r * s * 0.72, c)
    p.box(x - 0.6 * s, y - 0.24 * s, x + 0.62 * s, y, c, 0.1 * s)


def sun(p, x, y, r, core, halo):
    """A disc in two rings of `halo`."""
    for k in (2.1, 1.55):
        p.disc(x, y, r * k, mix(halo, core, 1.2 - k / 2.4))
    p.disc(x, y, r, core)


def day(p, x, y, horizon, rng):
    sun(p, x, y, 0.065, (255, 240, 130), mix(SKIES["day"][0][0], WHITE, 0.35))
    for _ in range(rng.integers(1, 4)):
        at = rng.uniform(-0.45, 0.45), rng.uniform(0.68, 0.93)
        cloud(p, *at, rng.uniform(0.09, 0.16), (252, 254, 255))


def sunset(p, x, y, horizon, rng):
    sun(p, x, horizon + rng.uniform(0.02, 0.12), 0.11, (255, 226, 120), (252, 150, 72))
    for _ in range(3):
        a, b = rng.uniform(-0.5, 0.4), rng.uniform(0.6, 0.92)
        p.box(a, b, a + rng.uniform(0.15, 0.4), b + 0.022, (236, 112, 104), 0.011)


def night(p, x, y, horizon, rng):
    for _ in range(26):
        at = rng.uniform(-0.5, 0.5), rng.uniform(horizon + 0.08, 1)
        p.disc(*at, rng.uniform(0.003, 0.011), (255, 250, 214))
    p.disc(x, y, 0.085, (250, 244, 206))
    p.disc(x + 0.04, y + 0.02, 0.072, SKIES["night"][0][0])


def dawn(p, x, y, horizon, rng):
    sun(p, x, horizon + rng.uniform(0.0, 0.05), 0.085, (255, 250, 226), (255, 222, 190))
    for _ in range(2):
        at = rng.uniform(-0.45, 0.45), rng.uniform(0.7, 0.92)
        cloud(p, *at, rng.uniform(0.09, 0.14), (255, 234, 240))


def storm(p, x, y, horizon, rng):
    for i in range(5):
        up, size = rng.uniform(0.86, 0.97), rng.uniform(0.17, 0.24)
        cloud(p, -0.44 + 0.22 * i, up, size, mix((44, 48, 58), (84, 90, 100), rng.uniform()))
    bolt = [(0, 0.84), (-0.05, 0.7), (0.01, 0.7), (-0.05, 0.54), (0.07, 0.74), (0.01, 0.74), (0.05, 0.84)]
    p.poly([(x + a, b) for a, b in bolt], (255, 240, 130))
    for _ in range(22):
        a, b = rng.uniform(-0.5, 0.55), rng.uniform(horizon, 0.84)
        p.line([(a, b), (a - 0.02, b - 0.05)], 0.005, (168, 184, 200))


BOW = (234, 84, 84), (246, 160, 70), (252, 226, 96), (110, 196, 110), (92, 150, 226), (160, 110, 206)


def rainbow(p, x, y, horizon, rng):
    radius = rng.uniform(0.5, 0.6)
    for i, c in enumerate(BOW):
        r = radius - 0.026 * i
        p.arc(x * 0.4, horizon - 0.08, r, r * 1.02, 0, 180, 0.029, mix(c, (220, 232, 236), 0.2))
    cloud(p, rng.uniform(-0.45, 0.45), rng.uniform(0.8, 0.93), 0.11, (246, 250, 252))


HANGING = {"day": day, "sunset": sunset, "night": night, "dawn": dawn, "storm": storm, "rainbow": rainbow}


def sky(p, name, horizon, rng):
    """Fill the sheet with the sky `name` down to `horizon` (0..1, y up), with what hangs in it."""
    w, h = p.sheet.size
    p.sheet.paste(gradient((w, h - int(horizon * h) + 1), SKIES[name][0]), (0, 0))
    HANGING[name](p, rng.uniform(-0.38, 0.38), rng.uniform(0.78, 0.9), horizon, rng)
