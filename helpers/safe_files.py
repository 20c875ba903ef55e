"""Files that are either whole or not there: everything a run keeps is written through here.

    with whole("runs/x/picture.png") as spare:     # a path beside it, ending alike
        spare.write_bytes(data)                    # takes its place at the end, or vanishes
"""

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import filelock

from .errors import Refused

SPARE = ".part-"            # what a file is called while it is being written
FENCE = "DISCOTHEQUE_FENCE" # a folder, resolved, outside of which no path that somebody wrote leads
FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
BLOCKED = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR)
PATIENCE = 10       # seconds to wait for a turn


@contextmanager
def whole(path):
    """Yield a spare path in the same folder; rename it to `path` once it is complete and on the disk."""
    path = Path(path)
    spare = path.with_name(SPARE + path.name)    # one name: what a kill leaves, the next takes over
    forget(spare)                               # a link there would lead elsewhere
    try:
        yield spare
        _settle(spare)
        os.replace(spare, path)
        _settle(path.parent)
    except OSError as error:
        raise refusal(error, path) from error
    finally:
        forget(spare)


def write(path, data: bytes):
    """Put `data` at `path`, replacing what was there in one move."""
    with whole(path) as spare:
        spare.write_bytes(data)


def within(path, new: bool = False) -> Path:
    """Make a folder in one that must be there, also after a power cut; FileExistsError where it has to be
    `new` and is not."""
    path = Path(path)
    try:
        path.mkdir(exist_ok=not new)
        _settle(path.parent)
    except OSError as error:
        if new and isinstance(error, FileExistsError):
            raise
        raise refusal(error, path) from error
    return path


def fresh(root, name: str) -> Path:
    """Make a folder that nobody else has: root/name, or name-2, name-3 …"""
    for number in range(1, 10_000):
        try:
            return within(Path(root) / (name if number == 1 else f"{name}-{number}"), new=True)
        except FileExistsError:     # the one who makes it owns it
            continue
    raise Refused(f"'{root}' has thousands of folders called '{name}'", "", "choose another folder")


def place(path) -> Path:
    """A path as somebody wrote it, ~ and all; refused where nothing can be, as in nobody's home, and outside
    of the folder that FENCE names, where it names one."""
    try:
        found = Path(path).expanduser()
        if b"\0" in os.fsencode(found):
            raise OSError(errno.EINVAL, "no path has a zero byte in it")
        fence = os.environ.get(FENCE)
        if fence and not found.resolve().is_relative_to(fence):
            raise Refused(f"'{path}' is out of reach", f"files are taken from '{fence}' alone",
                          "upload it, or work where nobody else can")
        found.exists()
    except (OSError, RuntimeError, UnicodeError) as error:
        raise Refused(f"'{path}' cannot be reached",
                      f"the system says '{getattr(error, 'strerror', error)}'", "check the path") from error
    return found


def folder(path, room: int = 0) -> Path:
    """Make `path` if need be, and prove that files can be written there and that `room` bytes are free."""
    path = place(path)
    made = [p for p in (path, *path.parents) if not p.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as proof:     # of a name that nobody else has
            proof.write(bytes(65536))
        _check_room(path, room)
    except (OSError, Refused) as error:
        for empty in made:
            forget(empty)
        if isinstance(error, Refused):
            raise
        raise refusal(error, path) from error
    return path


@contextmanager
def alone(path):
    """Hold the folder `path` until the block ends; Refused where it is held already. A kill lets go of it;
    what it had begun to write is removed by the next."""
    with _locked(path, ".lock", 0) as held:
        if held is False:
            raise Refused(f"'{path}' is being painted already", "one painting at a time goes on in a folder",
                          "wait for it, or stop it first")
        with in_turn(path):
            for spare in Path(path).rglob(SPARE + "*"):
                forget(spare)
        yield


def held(path) -> bool:
    """Does somebody hold it? Not as far as is known, where the disk knows no locks."""
    with _locked(path, ".lock", 0) as ours:
        return ours is False


@contextmanager
def in_turn(path):
    """Change what others change too, in the folder `path`: one thread or process after the other."""
    with _locked(path, ".turn", PATIENCE):
        yield       # whoever holds it for longer than that has stopped


@contextmanager
def _locked(path, name, seconds):
    """Yield whether the lock of that name is held; None on a network disk that knows no locks: work there
    goes on unguarded rather than not at all."""
    if not Path(path).is_dir():     # which the lock would make
        raise refusal(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), path)
    lock, held = filelock.FileLock(Path(path) / name, thread_local=False), None
    try:
        lock.acquire(timeout=seconds)
        held = True
    except filelock.Timeout:
        held = False
    except (OSError, NotImplementedError):
        pass
    try:
        yield held
    finally:
        lock.release()


def refusal(error: OSError, path) -> Refused:
    """The three-part sentence for a file that could not be written."""
    wrong = f"'{path}' could not be saved"
    elsewhere = "choose another folder, for example DISCOTHEQUE_RUNS=~/runs"
    if error.errno in FULL:
        return Refused(wrong, "the disk is full", "free some space, then resume or start again")
    if error.errno == errno.ENOENT:
        return Refused(wrong, "its folder is gone", "put it back, then resume; or start again")
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


def forget(path):
    """Remove a file or an empty folder, if it is there and can be."""
    try:
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    except OSError:
        pass
