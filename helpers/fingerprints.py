"""The sha256 of large files, worked out once: `FILE.sha256` remembers it, with the file's size and time."""

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path


def sha256(path: Path, keep: bool = True) -> str:
    """Of a file, in hex digits; `keep`: remembered beside it while its size and time stay the same."""
    path = Path(path)
    recorded, stamp = _recorded(path)
    if stamp == _stamp(path):
        return recorded
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if keep:
        remember(path, digest)
    return digest


def genuine(path: Path, hashes: Iterable[str]) -> bool:
    """Whether a file has one of the hashes (or their first digits); where one is unknown (""), whether it is
    still what it was when it was first seen."""
    recorded, hashes, digest = _recorded(path)[0], list(hashes), sha256(path, keep=False)
    good = any(one and digest.startswith(one.lower()) for one in hashes)
    good = good or not all(hashes) and recorded in ("", digest)
    if good:
        remember(path, digest)
    return good


def remember(path: Path, digest: str) -> None:
    with contextlib.suppress(OSError):  # a read-only folder: worked out again next time
        Path(f"{path}.sha256").write_text(f"{digest} {_stamp(path)}\n")


def _recorded(path: Path) -> tuple[str, str]:
    """(digest, stamp), or empty ones."""
    note = Path(f"{path}.sha256")
    digest, _, stamp = note.read_text().strip().partition(" ") if note.is_file() else ("", "", "")
    return digest, stamp


def _stamp(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"
