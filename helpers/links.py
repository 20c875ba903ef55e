"""A small file from the web, such as somebody's picture: http and https only, limited in size and time.

A link may come from anywhere, so one that leads to this machine or its own network is refused, whatever name
or redirect leads there; DISCOTHEQUE_LOCAL_LINKS=1 allows it.
"""

import http.client
import ipaddress
import os
import socket
import threading
import time
from contextlib import suppress
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPDefaultErrorHandler, HTTPErrorProcessor, HTTPHandler, HTTPRedirectHandler
from urllib.request import OpenerDirector, ProxyHandler, Request

from .errors import Refused

BYTES = 64 << 20
SECONDS = 60.0
SILENCE = 20.0      # seconds without a byte
AGENT = {"User-Agent": "discotheque/1"}     # some hosts refuse nameless callers
EMBEDDED = ipaddress.ip_network("64:ff9b::/96")     # addresses of the old kind, as some networks write them


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
    try:
        if "@" in urlsplit(link).netloc:
            raise Refused(f"'{link.rpartition('@')[2]}' comes with a name or password",
                          "those would be kept in every picture", "save it and give its path")
        with _Caller(seconds) as caller:
            return caller.get(link, limit)
    except Refused:
        raise
    except HTTPError as error:
        why = f"the server says {error.code} {http.client.responses.get(error.code, '')}".rstrip()
    except URLError as error:
        why = f"the connection failed ({error.reason})"
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = f"the connection failed ({error or type(error).__name__})"
    raise Refused(f"'{link}' could not be fetched", why, "save it in a browser and give its path")


class _Caller(HTTPHandler):
    """Fetches one file, and hangs up when its time is over."""

    def __init__(self, seconds):
        super().__init__()
        self.until, self.lines = time.monotonic() + seconds, []
        self.clock = threading.Timer(seconds, self.hang_up)
        self.clock.daemon = True

    def __enter__(self):
        self.clock.start()
        return self

    def __exit__(self, *_):
        self.clock.cancel()

    def get(self, link, limit) -> bytes:
        opener = OpenerDirector()       # without file: and ftp:, where a redirect could lead
        for handler in (self, ProxyHandler(), _Redirects(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
            opener.add_handler(handler)
        with opener.open(Request(link, headers=AGENT), timeout=min(SILENCE, self.left())) as answer:
            parts, size = [], 0
            while part := answer.read1(1 << 16):
                parts.append(part)
                size += len(part)
                if size > limit:
                    raise Refused(f"'{link}' is too large", f"at most {limit >> 20} MB are fetched",
                                  "save it, shrink it and give its path")
                self.left()
        self.left()         # what ends now may only have been hung up on
        return b"".join(parts)

    def http_open(self, request):
        return self._open(request, http.client.HTTPConnection, _Line)

    def https_open(self, request):
        return self._open(request, http.client.HTTPSConnection, _SafeLine)

    def _open(self, request, through_proxy, direct):
        asked = urlsplit(request.full_url)
        if request.host != asked.netloc:        # the proxy finds out where that is; we look whether we know
            with suppress(OSError):
                _addresses(asked.hostname, asked.port)
            return self.do_open(through_proxy, request)

        def line(host, **options):
            made = direct(host, **options)
            made.left = self.left
            self.lines.append(made)
            return made
        return self.do_open(line, request)

    def left(self) -> float:
        """Seconds."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("too slow")
        return left

    def hang_up(self):
        for line in self.lines:
            with suppress(OSError, AttributeError):     # it may have ended, or not begun
                line.sock.shutdown(socket.SHUT_RDWR)


class _Line(http.client.HTTPConnection):
    """Speaks to the address that was looked at: a name may mean another one a moment later."""

    def connect(self):
        failed = None
        for address in _addresses(self.host, self.port):
            try:
                self.sock = socket.create_connection(address, min(SILENCE, self.left()))
                return
            except OSError as error:
                failed = error
        raise failed


class _SafeLine(http.client.HTTPSConnection, _Line):
    """The same, encrypted."""


class _Redirects(HTTPRedirectHandler):
    def redirect_request(self, request, answer, *more):
        answer.close()      # nobody limits what is said beside the new address
        return super().redirect_request(request, answer, *more)


def _addresses(host, port) -> list[tuple]:
    """Where a name leads: (address, port), at least one; Refused where one of them is private."""
    found = [place[4][:2] for place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address, _ in found:
        if not _public(address) and os.environ.get("DISCOTHEQUE_LOCAL_LINKS", "0") in ("", "0"):
            raise Refused(f"'{host}' is {address}, on this machine or in its own network",
                          "pictures come from the public web",
                          "save it and give its path, or set DISCOTHEQUE_LOCAL_LINKS=1")
    return found


def _public(address) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6:     # one of the old kind may be wrapped in it
        inner = ip.ipv4_mapped or ip.sixtofour or (
            ipaddress.ip_address(int(ip) & 0xFFFFFFFF) if ip in EMBEDDED else None)
        ip = inner or ip
    return ip.is_global and not ip.is_multicast
