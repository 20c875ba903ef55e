"""The web page: the panel for people who don't want to see code, served by Voilà.

    python -m helpers.app [--host 127.0.0.1] [--port 8866]      # what `make app` does

It answers this machine alone unless another host is named, and only who has the token, which is new each time
and part of the address it says. A page has a kernel of its own, which ends when the page is closed; what was
painted is in the runs folder, and nothing outside of that can be opened from the page.
"""

import ipaddress
import os
import secrets
import socket
import sys
from pathlib import Path

from . import parsers, run_folder, safe_files
from .uploads import HEAVIEST
from .errors import Refused

HOME = Path(__file__).parents[1]
PAGE = HOME / "assets" / "app"
IDLE = 600          # seconds until a kernel ends whose page is gone without saying so
HOST, PORT = "127.0.0.1", 8866


def main(words) -> int:
    parser = parsers.Parser("app", "The panel as a web page.")
    parser.prog = "python -m helpers.app"
    parser.add_argument("--host", default=HOST, help=f"an address of this machine [default {HOST}]")
    parser.add_argument("--port", default=str(PORT), help=f"where it listens [default {PORT}]")
    try:
        options = parsers.parsed(parser, parsers.tidy(words))
        serve(options.host, parsers.number("port", options.port, int))
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    return 0


def serve(host: str = HOST, port: int = PORT):
    """Answer until somebody stops it; Refused where it cannot listen there."""
    from tornado.ioloop import IOLoop
    from voila.app import Voila
    free(host, port)
    runs = safe_files.folder(run_folder.home()).resolve()
    paths = {"PYTHONPATH": HOME, "JUPYTER_PATH": PAGE}
    os.environ |= {name: os.pathsep.join([str(path), *filter(None, [os.environ.get(name)])])
                   for name, path in paths.items()}
    os.environ |= {"DISCOTHEQUE_RUNS": str(runs), safe_files.FENCE: str(runs)}     # of all kernels
    token = secrets.token_urlsafe(24)
    app = Voila(config=config(host, port, token, runs))
    app.initialize([])
    IOLoop.current().add_callback(sys.stdout.write, said(host, port, token))
    IOLoop.current().add_callback(sys.stdout.flush)
    app.start()


def config(host: str, port: int, token: str, runs: Path):
    """What Voilà is told: no file but the icon, no name but the host's, no kernel without a page."""
    from traitlets.config import Config
    told = Config()
    told.Voila.update(
        ip=host, port=port, port_retries=0, token=token, open_browser=False, log_level="WARN",
        notebook_path=str(PAGE / "discotheque.ipynb"), root_dir=str(PAGE), config_file_paths=[],
        tornado_settings={"allow_remote_access": not is_loopback(host),
                          "headers": {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"},
                          # Pages say goodbye to their kernels without the XSRF cookie, which Voilà gives to
                          # none; that of the token, which goes to no request from another site, guards them.
                          "disable_check_xsrf": True,
                          # a little over what the panel takes, so that it can say so itself
                          "websocket_max_message_size": HEAVIEST * 5 // 4})
    told.IdentityProvider.cookie_options = {"samesite": "Strict"}
    told.VoilaConfiguration.update(template="discotheque", file_allowlist=[r"favicon\.svg"],
                                   show_tracebacks=False)
    told.MappingKernelManager.update(root_dir=str(runs), cull_idle_timeout=IDLE, cull_interval=IDLE // 10,
                                     cull_connected=False)
    return told


def free(host: str, port: int):
    """Refused where nobody can listen, or somebody does."""
    if not 1 <= port <= 65535:
        raise Refused(f"port is {port}", "it must be at least 1 and at most 65535", f"try {PORT}")
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except PermissionError as error:
        raise Refused(f"port {port} may not be used", "those below 1024 are the administrator's",
                      f"make app PORT={PORT}") from error
    except socket.gaierror as error:
        raise Refused(f"host is {host!r}", "it is an address of this machine",
                      f"try {HOST}, or 0.0.0.0 for all of them") from error
    except OSError as error:
        raise Refused(f"port {port} of {host} cannot be had", f"the system says '{error.strerror}'",
                      f"make app PORT={port % 65535 + 1}, or end what listens there") from error


def said(host: str, port: int, token: str) -> str:
    """Where to look."""
    name = socket.gethostname() if host in ("", "0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    whom = "" if is_loopback(host) else \
        "Whoever has this address can paint on this machine; it travels unencrypted.\n"
    return f"Discotheque is open at\n\n  http://{name}:{port}/?token={token}\n\n{whom}Ctrl+C ends it.\n"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
