"""On two legs, or made like it: each function draws one with pen `p` in color `c`, in the pen's frame."""

from .pen import BLACK, GLASS, GOLD, INK, SKIN, WHITE, dark, light, mix


def person(p, coat, x=0.0, s=1.0, skirt=True, hair=(92, 56, 36), skin=SKIN):
    """A small standing figure `s` high at `x`: legs, coat or dress, arms, head."""

    def q(points):
        return [(x + a * s, b * s) for a, b in points]

    p.line(q([(-0.06, 0.3), (-0.06, 0.02), (-0.01, 0.02)]), 0.06 * s, INK)
    p.line(q([(0.06, 0.3), (0.06, 0.02), (0.11, 0.02)]), 0.06 * s, INK)
    p.line(q([(-0.1, 0.64), (-0.22, 0.42)]), 0.065 * s, dark(coat, 0.2))
    p.line(q([(0.1, 0.64), (0.22, 0.42)]), 0.065 * s, dark(coat, 0.2))
    p.disc(x - 0.23 * s, 0.4 * s, 0.035 * s, skin)
    p.disc(x + 0.23 * s, 0.4 * s, 0.035 * s, skin)
    if skirt:
        p.poly(q([(-0.12, 0.7), (0.12, 0.7), (0.1, 0.5), (0.25, 0.16), (-0.25, 0.16), (-0.1, 0.5)]), coat)
    else:
        p.box(x - 0.14 * s, 0.24 * s, x + 0.14 * s, 0.7 * s, coat, 0.05 * s)
    p.disc(x, 0.83 * s, 0.13 * s, skin)
    p.pie(x, 0.86 * s, 0.15 * s, 0.14 * s, 0, 180, hair)


def woman(p, c):
    p.oval(0, 0.79, 0.18, 0.2, (84, 48, 34))
    person(p, c)
    p.eyes(0.02, 0.82, 0.05, 0.026)
    p.arc(0.02, 0.79, 0.05, 0.035, 200, 340, 0.018, (190, 70, 70))
    p.line([(-0.12, 0.52), (0.12, 0.52)], 0.035, dark(c, 0.45))


def astronaut(p, c):
    p.box(-0.24, 0.34, 0.24, 0.72, mix(c, (120, 120, 130), 0.5), 0.08)
    for side in (-1, 1):
        p.line([(side * 0.09, 0.36), (side * 0.1, 0.06)], 0.15, c)
        p.box(side * 0.1 - 0.09, 0, side * 0.1 + 0.1, 0.09, dark(c, 0.45), 0.03)
        p.line([(side * 0.17, 0.6), (side * 0.31, 0.42)], 0.12, c)
        p.disc(side * 0.32, 0.4, 0.065, dark(c, 0.4))
    p.box(-0.19, 0.27, 0.19, 0.68, c, 0.09)
    p.disc(0, 0.79, 0.21, light(c, 0.25))
    p.oval(0.03, 0.79, 0.155, 0.13, (40, 52, 92))
    p.oval(0.08, 0.83, 0.06, 0.04, (170, 206, 240))
    p.box(-0.1, 0.42, 0.1, 0.54, (226, 228, 232), 0.02)
    p.disc(-0.05, 0.48, 0.025, (220, 60, 60))
    p.disc(0.05, 0.48, 0.025, (70, 190, 110))


def traveller(p, c):
    """The time traveller: a tall hat, a long coat, and a clock for a heart."""
    p.poly([(-0.13, 0.66), (0.13, 0.66), (0.27, 0.06), (-0.27, 0.06)], c)
    p.line([(-0.11, 0.62), (-0.27, 0.36)], 0.08, dark(c, 0.2))
    p.line([(0.11, 0.62), (0.31, 0.5)], 0.08, dark(c, 0.2))
    p.line([(0.33, 0.62), (0.33, 0.0)], 0.03, (110, 74, 44))
    p.disc(0.33, 0.63, 0.04, GOLD)
    p.box(-0.16, 0, -0.02, 0.07, INK, 0.02)
    p.box(0.04, 0, 0.18, 0.07, INK, 0.02)
    p.disc(0, 0.74, 0.13, SKIN)
    p.box(-0.2, 0.8, 0.2, 0.84, dark(c, 0.55), 0.015)
    p.box(-0.125, 0.82, 0.125, 1.02, dark(c, 0.55), 0.02)
    p.box(-0.125, 0.84, 0.125, 0.88, GOLD)
    p.eyes(0.02, 0.745, 0.05, 0.03)
    p.line([(-0.05, 0.69), (0.09, 0.69)], 0.03, (96, 64, 44))
    p.disc(0, 0.4, 0.125, GOLD)
    p.disc(0, 0.4, 0.095, WHITE)
    p.line([(0, 0.47), (0, 0.4), (0.05, 0.38)], 0.025, BLACK)


def crowd(p, c):
    """Many heads; the front row wears the color."""
    coats = [(120, 124, 140), (146, 132, 120), (104, 116, 108), (134, 118, 134)]
    for i, x in enumerate((-0.42, -0.21, 0.02, 0.23, 0.43)):
        person(p, coats[i % 4], x, 0.74, i % 2 == 0, [(60, 44, 40), (150, 110, 60)][i % 2])
    for i, x in enumerate((-0.31, -0.1, 0.12, 0.33)):
        person(p, c, x, 0.56, i % 2 == 1, [(40, 30, 30), (120, 70, 40), (190, 150, 90)][i % 3])


def robot(p, c):
    for side in (-1, 1):
        p.box(side * 0.12 - 0.07, 0.03, side * 0.12 + 0.07, 0.22, (120, 126, 138))
        p.box(side * 0.13 - 0.1, 0, side * 0.13 + 0.1, 0.06, INK, 0.02)
        p.line([(side * 0.24, 0.5), (side * 0.37, 0.36)], 0.07, (120, 126, 138))
        p.disc(side * 0.38, 0.34, 0.06, dark(c, 0.2))
        p.box(side * 0.24 - 0.03, 0.68, side * 0.24 + 0.03, 0.8, GOLD)
    p.box(-0.25, 0.2, 0.25, 0.56, c, 0.04)
    p.box(-0.15, 0.28, 0.15, 0.44, dark(c, 0.5), 0.02)
    for i, bulb in enumerate([(240, 80, 80), (250, 210, 80), (110, 220, 130)]):
        p.disc(-0.09 + 0.09 * i, 0.36, 0.032, bulb)
    p.box(-0.22, 0.6, 0.22, 0.88, light(c, 0.15), 0.05)
    p.line([(0, 0.88), (0, 0.97)], 0.03, INK)
    p.disc(0, 0.99, 0.04, (240, 80, 80))
    for side in (-1, 1):
        p.disc(side * 0.1, 0.77, 0.065, GLASS)
        p.disc(side * 0.1 + 0.01, 0.77, 0.03, BLACK)
    p.box(-0.1, 0.645, 0.1, 0.685, WHITE)


def snowman(p, c):
    """Snow is white; the color is in the hat and the scarf."""
    snow, edge = (246, 249, 253), (204, 216, 232)
    for y, r in ((0.23, 0.25), (0.56, 0.19), (0.8, 0.145)):
        p.disc(0, y, r, edge)
        p.disc(-0.015, y + 0.015, r - 0.018, snow)
    p.line([(-0.17, 0.58), (-0.4, 0.72)], 0.028, (104, 70, 44))
    p.line([(0.17, 0.58), (0.4, 0.7)], 0.028, (104, 70, 44))
    for y in (0.58, 0.48):
        p.disc(0.02, y, 0.026, BLACK)
    p.box(-0.18, 0.63, 0.18, 0.72, c, 0.03)
    p.box(0.06, 0.4, 0.17, 0.68, dark(c, 0.15), 0.03)
    p.box(-0.22, 0.88, 0.22, 0.93, c, 0.01)
    p.box(-0.15, 0.9, 0.15, 1.1, c, 0.02)
    p.disc(-0.05, 0.83, 0.023, BLACK)
    p.disc(0.07, 0.83, 0.023, BLACK)
    p.poly([(0.0, 0.8), (0.2, 0.76), (0.0, 0.74)], (244, 138, 46))
