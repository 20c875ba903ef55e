"""How strictly words are followed, and the tastes beside them: Disco's scales, in units of ours."""

from operator import mul

from .. import schedules
from .values import together


def guidance(old, eyes, share):
    """How strictly words are followed by so many perceptors, and the tastes beside them.

    Disco's slope is that of clip_guidance_scale * (sum over perceptors, weights of prompts divided by their
    sum) + tv_scale * tv + …, ours of guidance_scale * (mean over perceptors, weights divided by the sum of
    their magnitudes, + smoothness * Smooth + …); `share` is the one sum in units of the other. Its pictures
    go from -1 to 1, ours from 0 to 1: what lies between is half as much. Hence the factors: Smooth is 10
    times tv of halves, 2.5 tv; Range a quarter of range_loss; and the slope of Range, e / 2, is that of |e|,
    sat_scale's, where a color is e = 0.2 beyond, a tenth of the way from black to white. LPIPS and likeness
    both go from 0 to half or so: they are taken for equal.
    """
    strict = together(lambda scale, size: scale * eyes / size, old.schedule("clip_guidance_scale"), share)
    old.put("guidance_scale", strict, "clip_guidance_scale")
    strict = schedules.parse(old.values["guidance_scale"])

    def beside(name, **factors):
        scales = [old.schedule(key) for key in factors]
        made = together(lambda now, *many: sum(map(mul, factors.values(), many)) / now if now else 0,
                        strict, *scales)
        old.put(name, made, next(iter(factors)))
        return any(value for scale in scales for value in scale.values)

    tasted = beside("smoothness", tv_scale=0.4)
    tasted |= beside("range", sat_scale=10, **({"range_scale": 4} if old.discoart else {}))
    if any(old.schedule("sat_scale").values):
        old.note("sat_scale", "range in its place pulls harder the farther a color is beyond black or white; "
                              "a tenth beyond, as hard")
    if not old.discoart and any(old.schedule("range_scale").values):
        old.note("range_scale", "it had no effect there, and has none here")
    if old.values["init_image"]:
        tasted |= beside("init_likeness", init_scale=1)
        old.note("init_scale", "the perceptors judge likeness to init_image here, not LPIPS")
    elif old.values["perlin"] != "off":
        old.note("init_scale", "it kept to the clouds of perlin_init, too; nothing does here")
    else:
        old.idle("init_scale", "it counts with init_image alone")
    if tasted and not all(strict.values):
        old.note("clip_guidance_scale", "where it is 0 all other scales are, too")
