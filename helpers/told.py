"""How far a session is, in words and numbers; of one that rests since another day, too."""

from . import studio

AFTER = {"back": "going back", "end": "ending after this step", "rest": "resting after this step"}


def place(session) -> tuple[int, int]:
    """(the step it is after, of how many); as the run says where nothing was seen yet."""
    said = session.run.manifest
    return (session.frame.step, session.frame.total) if session.frame else \
        (said.get("step", 0), said.get("total", 0))


def told(session) -> str:
    """How far it is, in a line."""
    frame, status = session.frame, session.status
    if status == "painting" and not (frame and frame.step):
        return frame and frame.note or "getting ready"
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
