"""What a terminal shows: lines, complaints, and a run that is painted under a progress bar.

    status = begin("vqgan_clip", settings)          # new runs, painted to their ends
    status = keep(run.resume(), run)                # one that is there already
"""

import sys

FILMS = ("film", "frames", "walk")      # knobs that ask for pictures of a film


def say(text: str):
    """A line of what was asked for, to stdout."""
    sys.stdout.write(text + "\n")


def complain(text: str):
    """A line of what went otherwise, to stderr."""
    sys.stderr.write(text + "\n")


def begin(name: str, settings, live=(), count=1) -> int:
    """New runs, from checked settings to their pictures, each with the next seed; live: knobs turned on the
    way, as runs.turns says. The exit status; Refused where nothing can be painted."""
    from . import notices, runs
    if warning := notices.check(settings):
        complain(warning)
    status = 0
    for more in range(count):
        chosen = settings.but(seed=(settings.seed + more) % 2**32) if more else settings
        run = runs.start(name, chosen, live=live)
        status = keep(run.paint(), run)
        if status:
            break
    return status


def keep(painting, run) -> int:
    """Paint to the end with a progress bar, and say where everything is. The exit status: 0, or 130 where
    Ctrl-C ended it; Refused where somebody else paints there."""
    from contextlib import closing

    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    from . import runs
    status = 0
    bar = tqdm(total=painting.steps, initial=painting.step, desc=run.system, unit="step", dynamic_ncols=True)
    with logging_redirect_tqdm(), bar, closing(runs.record(painting, run)) as frames:
        try:
            for frame in frames:
                if frame.note:
                    bar.set_postfix_str(frame.note)
                if frame.losses:
                    bar.set_postfix_str(f"loss {sum(frame.losses.values()):.3f}", refresh=False)
                bar.update(frame.step - bar.n)
        except KeyboardInterrupt:
            status = 130
    if status:
        way_on(run, f"stopped after {painting.step} of {painting.steps} steps")
    found(run)
    if not status and any(getattr(run.settings, name, "") for name in FILMS):
        complain(f"make a film of its pictures with:\n  python -m helpers film '{run.folder}'")
    return status


def way_on(run, why: str):
    """Say why a run rests, and how it goes on."""
    complain(f"{why}; go on with:\n  python -m helpers paint --resume '{run.folder}'")


def found(run):
    """Say where a run is, and its picture, which is not there before its first step."""
    if run.picture.exists():
        say(f"picture  {run.picture}")
    say(f"run      {run.folder}")
