"""A small file from the web, such as somebody's picture: http and https only, limited in size and time."""

import http.client
import time
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request
from urllib.request import HTTPDefaultErrorHandler, HTTPErrorProcessor, HTTPRedirectHandler

from .errors import Refused

BYTES = 64 << 20
SECONDS = 60.0
AGENT = {"User-Agent": "discotheque/1"}     # some hosts refuse nameless callers


def is_link(text) -> bool:
    """Does this text name a place elsewhere (any scheme) rather than a file? `C:\\x.png` is a file."""
    head, mark, _ = str(text).partition("://")
    return bool(mark) and head.isalnum()


def fetch(link: str, limit: int = BYTES, seconds: float = SECONDS) -> bytes:
    """The bytes behind a link, or a refusal that says why not."""
    scheme = link.partition("://")[0].lower()
    if scheme not in ("http", "https"):
        raise Refused(f"'{link}' is a {scheme} address", "pictures come from files, http or https",
                      "save it and give its path")
    until = time.monotonic() + seconds
    try:
        with _opener().open(Request(link, headers=AGENT), timeout=min(20, seconds)) as answer:
            return _read(answer, link, limit, until)
    except Refused:
        raise
    except HTTPError as error:
        why = f"the server says {error.code} {error.reason}"
    except URLError as error:
        why = f"the connection failed ({error.reason})"
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = f"the connection failed ({error or type(error).__name__})"
    raise Refused(f"'{link}' could not be fetched", why, "save it in a browser and give its path")


def _read(answer, link, limit, until) -> bytes:
    parts, size = [], 0
    while part := answer.read1(1 << 16):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise Refused(f"'{link}' is too large", f"at most {limit >> 20} MB are fetched",
                          "save it, shrink it and give its path")
        if time.monotonic() > until:
            raise TimeoutError("too slow")
    return b"".join(parts)


def _opener() -> OpenerDirector:
    """The usual opener without file: and ftp:, where a redirect could lead."""
    opener = OpenerDirector()
    for handler in (ProxyHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler, HTTPRedirectHandler,
                    HTTPErrorProcessor):
        opener.add_handler(handler())
    return opener
