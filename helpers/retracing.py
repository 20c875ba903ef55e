"""Commands for earlier states of a run: list them, go back to one, let a new run go on from one."""

from . import forms, systems
from .parsers import DEFAULT, Parser, lone_word, number, parsed
from .terminal import complain, found, keep, say, way_on


def listing(words) -> int:
    """The states of a run, each with the picture that was kept after that step; a star marks where it is."""
    parser = Parser("states", "What undo and branch can go back to: steps, with their pictures where these "
                    "were kept; a star marks where the run is.")
    parser.add_argument("run", help="the folder of a run")
    folder = parsed(parser, words).run
    from . import runs
    from .session import Session
    session = Session(runs.open(folder))
    now, pictures = session.history.now, {int(path.stem): path for path in session.run.frames}
    for step in sorted({*session.steps, now}):
        shown = pictures.get(step, "" if step else "the beginning")
        say(f"{'*' if step == now else ' '} {step:5}  {shown}".rstrip())
    return 0


def undo(words) -> int:
    """Go back; what was painted since is gone."""
    parser = Parser("undo", "Go back to an earlier state of a run: it is then as it was after that step, and "
                    "what was painted and turned since is gone. paint --resume goes on from there.")
    parser.add_argument("run", help="the folder of a run")
    parser.add_argument("step", nargs="?", help="one of those that states lists [default the one before]")
    options = parsed(parser, words)
    step = _step(options)
    from . import runs
    from .session import Session
    session = Session(runs.open(options.run))
    session.undo(step)
    session.wait()
    session.stop()
    session.wait()
    if session.error is not None:
        raise session.error
    way_on(session.run, f"back after step {session.frame.step} of {session.frame.total}")
    found(session.run)
    return 0


def branch(words) -> int:
    """A new run that goes on from a state of another, to its end."""
    folder, cls = lone_word(words), systems.load(DEFAULT).Settings
    if folder is not None:
        from . import runs
        cls = type(runs.open(folder).settings)
    parser = Parser("branch", "A new run that goes on from an earlier state of this one, with knobs turned "
                    "there; this one is left as it is.")
    parser.usage = f"{parser.prog} RUN [STEP] [--KNOB VALUE …]"
    parser.add_argument("run", help="the folder of a run")
    parser.add_argument("step", nargs="?", help="one of those that states lists [default the last one]")
    forms.flags(cls, parser, live=True)
    options = parsed(parser, words, cls)
    return _branched(options.run, _step(options), forms.given(cls, options))


def _branched(folder, step, values) -> int:
    from . import notices, runs
    from .session import Session
    session = Session(runs.open(folder))
    twin = session.branch(step).run
    try:
        painting = twin.resume()
        if values:
            twin.turn(painting, **values)
            if warning := notices.check(twin.settings_at(painting.step)):
                complain(warning)
    except BaseException:       # nothing of its own was painted yet
        twin.discard()
        raise
    return keep(painting, twin)


def _step(options) -> int | None:
    return None if options.step is None else number("step", options.step, int)
