"""How far a session is, in words and numbers; of one that rests since another day, too."""

from . import studio

LAST = ""           # of states, where none is chosen; widgets take None for no value at all
AFTER = {"back": "going back", "end": "ending after this step", "rest": "resting after this step"}


def place(session) -> tuple[int, int]:
    """(the step it is after, of how many); as the run says where nothing was seen yet."""
    if session.frame:
        return session.frame.step, session.frame.total
    return session.history.now, session.run.manifest.get("total", 0)


def told(session) -> str:
    """How far it is, in a line."""
    frame, status = session.frame, session.status
    if status == "painting" and not (frame and frame.step):
        return coming(session.coming) or frame and frame.note or "getting ready"
    (step, total), origin = place(session), session.run.manifest.get("branch")
    if frame is None and origin and step == origin["step"]:
        return f"a branch of {origin['from']}, after step {step}"
    if not total:
        return status
    steps = f"step {step} of {total}"
    if after := session.after:      # a step may take long: what was pressed is heard all the same
        return f"{steps}, {AFTER[after]}"
    if status != "painting":
        return f"{status} after {steps}, kept in {session.run.folder.name}"
    left = f", {studio.clock(session.left)} left" if session.left is not None else ""
    return f"{steps}{left}, {session.memory / 1e9:.1f} GB in use"


def coming(download) -> str:
    """How far a Download is, in a line; "" of None."""
    if download is None:
        return ""
    whole = f" of {download.total / 1e6:.0f}" if download.total else ""
    left = "" if download.left is None else f", {studio.clock(download.left)} left"
    return f"downloading {download.name}: {download.done / 1e6:.0f}{whole} MB{left}"


def states(session) -> list[tuple]:
    """(words, step) of the states that can be gone back to, the newest first, as a menu has them; only LAST
    while it is painted, when there are others at every look."""
    now = place(session)[0] if session and session.status != "painting" else 0
    steps = [step for step in session.history.steps if step < now] if now else []
    return [("the state before", LAST), *((f"step {step}" if step else "the beginning", step)
                                          for step in reversed(steps))]


def chosen(menu) -> int | None:
    """The step of the state that is chosen in a menu; None is the last."""
    return None if menu.value == LAST else menu.value
