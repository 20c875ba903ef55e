"""Files that are either whole or not there: everything a run keeps is written through here.

    with whole("runs/x/picture.png") as spare:     # a path beside it, ending alike
        spare.write_bytes(data)                    # takes its place at the end, or vanishes
"""

import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import filelock

from .errors import Refused

SPARE = ".part-"            # what a file is called while it is being written
FENCE = "DISCOTHEQUE_FENCE" # a folder, resolved, outside of which no path that somebody wrote leads
FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
BLOCKED = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR)


@contextmanager
def whole(path):
    """Yield a spare path in the same folder; rename it to `path` once it is complete and on the disk."""
    path = Path(path)
    spare = path.with_name(SPARE + path.name)    # one name: what a kill leaves, the next takes over
    try:
        yield spare
        _settle(spare)
        os.replace(spare, path)
        _settle(path.parent)
    except OSError as error:
        raise refusal(error, path) from error
    finally:
        _forget(spare)


def write(path, data: bytes):
    """Put `data` at `path`, replacing what was there in one move."""
    with whole(path) as spare:
        spare.write_bytes(data)


def place(path) -> Path:
    """A path as somebody wrote it, ~ and all; refused where nothing can be, as in nobody's home, and outside
    of the folder that FENCE names, where it names one."""
    try:
        found = Path(path).expanduser()
        fence = os.environ.get(FENCE)
        if fence and not found.resolve().is_relative_to(fence):
            raise Refused(f"'{path}' is out of reach", f"files are taken from '{fence}' alone",
                          "upload it, or work where nobody else can")
        found.exists()
    except (OSError, RuntimeError) as error:
        raise Refused(f"'{path}' cannot be reached",
                      f"the system says '{getattr(error, 'strerror', error)}'", "check the path") from error
    return found


def folder(path, room: int = 0) -> Path:
    """Make `path` if need be, and prove that files can be written there and that `room` bytes are free."""
    path = place(path)
    made = [p for p in (path, *path.parents) if not p.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        write(path / "room", b"\0" * 65536)
        (path / "room").unlink()
        _check_room(path, room)
    except (OSError, Refused) as error:
        for empty in made:
            _forget(empty)
        if isinstance(error, Refused):
            raise
        raise refusal(error, path) from error
    return path


@contextmanager
def alone(path):
    """Hold the folder `path` until the block ends; Refused where it is held already. A kill lets go of it."""
    lock = filelock.FileLock(Path(path) / ".lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise Refused(f"'{path}' is being painted already", "one painting at a time goes on in a folder",
                      "wait for it, or stop it first") from None
    except (OSError, NotImplementedError):
        pass        # some network disks know no locks: painted there unguarded rather than not at all
    try:
        yield
    finally:
        lock.release()


def sweep(path):
    """Remove what a killed process had begun to write under `path`."""
    for spare in Path(path).rglob(SPARE + "*"):
        _forget(spare)


def refusal(error: OSError, path) -> Refused:
    """The three-part sentence for a file that could not be written."""
    wrong = f"'{path}' could not be saved"
    elsewhere = "choose another folder, for example DISCOTHEQUE_RUNS=~/runs"
    if error.errno in FULL:
        return Refused(wrong, "the disk is full", "free some space, then resume or start again")
    if error.errno in CLOSED:
        return Refused(wrong, "the folder can only be read", elsewhere)
    if error.errno in BLOCKED:
        return Refused(wrong, "a file stands where a folder should be, or the reverse", elsewhere)
    return Refused(wrong, f"the system says '{error.strerror or error}'", elsewhere)


def _check_room(path, room):
    free = shutil.disk_usage(path).free
    if free < room:
        raise Refused(f"'{path}' has room for {free / 1e6:.0f} MB", f"this run needs {room / 1e6:.0f} MB",
                      "free some space, save fewer frames or choose another folder")


def _settle(path):
    """Wait until the disk has it, so that a power cut finds either the old file or the new one."""
    if path.is_dir() and os.name == "nt":       # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:                    # some network disks cannot; a full one must be heard
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise
    finally:
        os.close(handle)


def _forget(path):
    """Remove a file or an empty folder, if it is there and can be."""
    try:
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    except OSError:
        pass
