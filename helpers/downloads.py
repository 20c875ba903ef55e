"""Getting a large file over a bad line: resumed, checked, or refused with the reason.

    download([Mirror("https://…/last.ckpt", sha256="5cd6…")], Path("…/last.ckpt"))

The file appears under its name only when it is whole and right; until then it is a `.part` beside it, kept
after a cut connection. A bar shows how it comes.
"""

import errno
import hashlib
import itertools
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from filelock import FileLock

from .bars import bar
from .errors import Refused
from .fingerprints import remember, sha256

CHUNK = 1 << 16
TIMEOUT = (15, 60)  # seconds to connect, seconds of silence
TRIES = 4  # per mirror; each goes on where the last stopped
HTML = re.compile(rb"\s*<(!doctype|html|head)", re.IGNORECASE)
Progress = Callable[[int, int], None]
TOLERANCE = 0.05  # for sizes known only roughly


@dataclass(frozen=True)
class Mirror:
    """One place a file can be had; a sha256 may be a prefix (8 digits or more), `about` is a rough size."""
    url: str
    sha256: str = ""
    size: int = 0
    about: int = 0

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    def fits(self, size: int) -> bool:
        """Whether a file of so many bytes can be the one that is here."""
        return (not self.size or size == self.size) and \
            (not self.about or abs(size / self.about - 1) <= TOLERANCE)


class Failed(Exception):
    """This mirror will not do; the text says why. `again`: worth another try, on the part that is there."""

    def __init__(self, why: str, again: bool = False):
        super().__init__(why)
        self.again = again


def download(mirrors: Iterable[Mirror], target: Path) -> Path:
    """Fetch `target` from the first mirror that gives the right file."""
    target, reasons = Path(target), []
    try:
        with _alone(target):
            for mirror in mirrors:
                if target.exists():
                    return target  # another process was faster
                try:
                    with bar(target.name) as progress:
                        return _from(mirror, target, progress)
                except Failed as failure:
                    reasons.append(f"{mirror.host}: {failure}")
    except OSError as error:
        raise Refused(f"cannot write to {target.parent} ({error.strerror or error})",
                      "weights are kept there",
                      "make room, or set DISCOTHEQUE_CACHE to a folder of yours") from error
    raise Refused(f"{target.name} could not be downloaded ({' / '.join(reasons) or 'no mirror is known'})",
                  "a copy from elsewhere will do", f"save it as {target}, or try again later")


@contextmanager
def _alone(target: Path):
    """One download of a file at a time, into its folder; where nothing came of it, nothing is left there."""
    made, lock = [folder for folder in target.parents if not folder.exists()], Path(f"{target}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            try:
                yield
            finally:
                with suppress(OSError):
                    lock.unlink()       # those who wait for it make another
    finally:
        with suppress(OSError):         # what is not empty stays
            for folder in made:
                folder.rmdir()


def _from(mirror: Mirror, target: Path, progress: Progress) -> Path:
    part = target.with_name(f"{target.name}.{hashlib.sha256(mirror.url.encode()).hexdigest()[:8]}.part")
    note = Path(f"{part}.json")
    for attempt in range(TRIES):
        resumed = part.exists()
        try:
            _stream(mirror, part, note, progress)
            digest = _checked(mirror, part, note)
            break
        except Failed as failure:
            if not part.exists():
                note.unlink(missing_ok=True)
            if attempt == TRIES - 1 or not (failure.again or resumed):  # resumed: the part may be to blame
                raise
            time.sleep(0.25 * 2 ** attempt)
    note.unlink()
    os.replace(part, target)
    remember(target, digest)
    return target


def _stream(mirror: Mirror, part: Path, note: Path, progress: Progress) -> None:
    """Append to `part` what it still lacks."""
    have = part.stat().st_size if part.exists() and note.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if etag := json.loads(note.read_text()).get("etag"):
            headers["If-Range"] = etag  # another file by now: the server sends all of it
    try:
        with requests.get(mirror.url, headers=headers, stream=True, timeout=TIMEOUT) as reply:
            if reply.status_code == 416 and reply.headers.get("Content-Range", "").endswith(f"*/{have}"):
                return  # it was whole already
            _refuse(reply, part, have)
            if reply.status_code != 206:
                have = 0
            note.write_text(json.dumps(_promises(reply)))
            _append(reply, mirror, part, have, progress)
    except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL) as error:
        raise Failed("not a web address") from error
    except requests.RequestException as error:
        raise Failed(f"the connection broke ({type(error).__name__})", again=True) from error


def _refuse(reply: requests.Response, part: Path, have: int) -> None:
    """Failed, unless the reply brings the file or the rest of it."""
    elsewhere = not reply.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    if reply.status_code == 416 or reply.status_code == 206 and elsewhere:
        part.unlink()
        raise Failed("the part kept from last time no longer fits", again=True)
    if not reply.ok:
        busy = reply.status_code in (408, 429) or reply.status_code >= 500
        raise Failed(f"HTTP {reply.status_code}", again=busy)
    if "text/html" in reply.headers.get("Content-Type", ""):
        raise Failed("an HTML page instead of weights")


def _promises(reply: requests.Response) -> dict[str, str]:
    """What the server says of the file: a strong ETag to resume by; a sha256 where it is huggingface.co."""
    etag = reply.headers.get("ETag", "")
    linked = [r.headers.get("X-Linked-Etag", "").strip('"') for r in reply.history]
    return {"etag": "" if etag.startswith("W/") else etag,
            "sha256": next((one for one in linked if re.fullmatch("[0-9a-f]{64}", one)), "")}


def _append(reply: requests.Response, mirror: Mirror, part: Path, have: int, progress: Progress) -> None:
    rest = int(reply.headers.get("Content-Length", 0))
    total = have + rest if rest else mirror.size
    chunks = reply.iter_content(CHUNK)
    first = next(chunks, b"")
    if not have and HTML.match(first):
        raise Failed("an HTML page instead of weights")
    if mirror.size and total != mirror.size:
        raise Failed(f"a file of {total:,} bytes where {mirror.size:,} were expected")
    if rest > shutil.disk_usage(part.parent).free:
        raise OSError(errno.ENOSPC, f"{rest / 1e9:.1f} GB are needed, which is more than is free")
    with part.open("ab" if have else "wb") as file:
        for chunk in itertools.chain([first], chunks):
            have += file.write(chunk)
            progress(have, total)


def _checked(mirror: Mirror, part: Path, note: Path) -> str:
    """The sha256 of a finished part; where size or hash are not what they should be, it is deleted."""
    size, digest = part.stat().st_size, sha256(part, keep=False)
    expected = mirror.sha256.lower() or json.loads(note.read_text())["sha256"]
    if not mirror.fits(size):
        part.unlink()
        raise Failed(f"a file of {size:,} bytes where {mirror.size or mirror.about:,} were expected")
    if not digest.startswith(expected):
        part.unlink()
        raise Failed(f"wrong fingerprint, sha256 {digest[:12]}… where {expected[:12]}… was expected")
    return digest
