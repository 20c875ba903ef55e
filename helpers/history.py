"""Earlier states of a run, kept to go back to: states/00040.safetensors, a dozen at most.

    history = History(run)
    history.keep(painting)          # after every step; most of them are passed over
    history.steps                   # [0, 8, 16, 24]: 0, the beginning, needs no file
    history.rewind(16)              # the folder as it was then; the run goes on from there

As the picture grows the distance between states doubles: every step at first, later every second one, every
fourth … They thin out evenly, and a resumed run keeps the same ones.
"""

import shutil
from contextlib import suppress
from pathlib import Path

import torch

from . import safe_files, states
from .errors import Refused

MOST = 12               # states
ROOM = 256 << 20        # bytes of all states together


class History:
    """Of a Run; `room`: bytes that all of its states may take."""

    def __init__(self, run, room: int = ROOM):
        self.run, self.room, self.folder = run, room, run.folder / "states"

    @property
    def steps(self) -> list[int]:
        """Where one can go back to."""
        return [0, *sorted(int(path.stem) for path in self.folder.glob("[0-9]*.safetensors"))]

    @property
    def now(self) -> int:
        """The step it is after; one that was killed may have noted an earlier one than its last state."""
        return max(self.run.manifest.get("step", 0), self.steps[-1])

    def keep(self, painting, always: bool = False):
        """Keep its state where it is due, or `always` until the next one is; drop those no longer due."""
        step = painting.step
        if not step or not (always or due(step, step, MOST)):
            return
        state = painting.state_dict()
        most = min(MOST, self.room // max(1, weight(state)))
        if not most or not (always or due(step, step, most)):
            return
        for old in self.steps[1:]:
            if not due(old, step, most):
                safe_files.forget(self.place(old))
        states.save(safe_files.within(self.folder) / self.place(step).name, state, {"step": step})

    def settle(self):
        """Keep the checkpoint of a run that rests among the states: it may rest between two that are due."""
        with suppress(Refused):         # one that is damaged spoils no other state
            match self.run.checkpoint.exists() and states.about(self.run.checkpoint):
                case {"step": int(step)} if step > 0 and not self.place(step).exists():
                    copy(self.run.checkpoint, self.place(step))

    def drop_after(self, step: int):
        """Remove the states after this step: once something is turned there, they are of another picture, and
        one that stayed would be gone on from. OSError where one cannot be removed."""
        for later in self.steps[1:]:
            if later > step:
                self.place(later).unlink(missing_ok=True)

    def rewind(self, step: int):
        """Make the folder what it was after this step, but for the picture; changes made since are gone.

        In an order that a kill cannot spoil: whatever is left to do, the run goes on from one of both ends.
        """
        try:
            now = self.now
            self.drop_after(step)
            if step:
                safe_files.write(self.run.checkpoint, self.place(step).read_bytes())
            else:
                self.run.checkpoint.unlink(missing_ok=True)
                self.run.picture.unlink(missing_ok=True)
            self.run.note(live=[*self.turns(step), *self.coming(now)], step=step, status="stopped")
            for path in [*self.run.singles, *(one for one in self.run.frames if int(one.stem) > step)]:
                path.unlink()
        except OSError as error:
            raise safe_files.refusal(error, self.run.folder) from error

    def lend(self, other, step: int):
        """Give another run, of the same settings, everything up to this step."""
        for path in [*self.run.frames, *map(self.place, self.steps[1:])]:
            if int(path.stem) <= step:
                copy(path, other.folder / path.parent.name / path.name)
        for path in [path for path in self.run.frames if int(path.stem) <= step][-1:]:
            copy(path, other.picture)       # what it looks like until it is painted on
        if step:
            copy(self.place(step), other.checkpoint)
            other.note(step=step, total=self.run.manifest.get("total", 0), status="stopped")

    def turns(self, step: int) -> list[dict]:
        """Live knobs turned before the state after this step; those turned at the step itself come later."""
        return [change for change in self.run.manifest.get("live", []) if change["step"] < step]

    def coming(self, now: int) -> list[dict]:
        """Live knobs that will be turned after the step it is at: those of a run that is painted again."""
        return [change for change in self.run.manifest.get("live", []) if change["step"] > now]

    def latest(self):
        """The file of its last state, the checkpoint or a later one; None where it stands at the beginning.
        A run that failed or was killed may have painted on since its checkpoint."""
        newest, checkpoint = self.steps[-1], self.run.checkpoint
        if not checkpoint.exists():
            return self.place(newest) if newest else None
        match states.about(checkpoint):
            case {"step": int(step)} if step < newest:
                return self.place(newest)
        return checkpoint

    def place(self, step: int) -> Path:
        return self.folder / f"{step:05}.safetensors"


def due(step: int, now: int, most: int) -> bool:
    """Is the state after `step` one of those kept `now`, where there may be `most`? Steps of 1, 2, 4, 8 …, so
    wide that fewer than `most` lie behind."""
    return step % (1 << (now // most).bit_length()) == 0


def weight(state) -> int:
    """Bytes of all tensors in nested dicts and lists."""
    if isinstance(state, torch.Tensor):
        return state.numel() * state.element_size()
    inner = state.values() if isinstance(state, dict) else state if isinstance(state, (list, tuple)) else ()
    return sum(map(weight, inner))


def copy(path, target):
    safe_files.within(target.parent)
    with safe_files.whole(target) as spare:
        shutil.copyfile(path, spare)
