"""From knobs to a painting whose canvas is moved by an optimizer: the loop, its pace, who paints beside."""

from helpers import loop, schedules
from helpers.systems import beside, wiring


def painting(settings, studio, canvas, state=None, *, reel=None, told=None, hooks=(), begun=False):
    """A Painting of this canvas, from its beginning or from a saved state. reel: of a film. told: settings ->
    scenes instead of prompts, or None. begun: is something on the canvas before the first step, beside an
    init_image?"""
    total, every = (reel.total, reel.due) if reel else (settings.steps, settings.every)
    whole = studio.start is not None and studio.mask is None
    other = beside.Beside(studio, reel and reel.number, begun or whole)

    def wanted(settings):
        scenes = told and told(settings)
        return wiring.everything(settings, studio, total, scenes) + other.guide(settings, scenes)

    made = loop.Painting(canvas, wanted(settings), steps=total, seed=settings.seed, rng=studio.rng,
                         optimizer=settings.optimizer, learning_rate=pace(settings, canvas),
                         weight_decay=settings.weight_decay, patience=settings.patience, ema=settings.ema,
                         every=every, before_step=[*hooks, other])
    made.networks = studio.names + beside.networks(settings, studio)
    made.savings = studio.thrift.savings()
    studio.keep_memory()

    def retune(new):
        """Turn live knobs while painting: everything that is looked for, and the pace."""
        made.guide, made.learning_rate = wanted(new), pace(new, canvas)

    made.retune = retune
    if state:
        made.load_state_dict(state)
    return made


def pace(settings, canvas):
    """The learning rate as a schedule; a plain 0 is the canvas's own."""
    rate = schedules.parse(settings.learning_rate)
    return canvas.learning_rate if rate.constant and rate(0) == 0 else rate
