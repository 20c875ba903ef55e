"""The page: who may see it, and what of this machine. What it looks like and does is in test_journey.py."""

import http.client
import socket
from urllib.parse import urlsplit

import pytest
from app_server import ROOT, served

from helpers import app, safe_files
from helpers.errors import Refused


def ask(address, path, host=None):
    """(status, body) of a path, sent as it is written."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.putrequest("GET", path, skip_host=bool(host))
    if host:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(tmp_path_factory.mktemp("runs")) as address:
        yield address


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong"])
def test_nobody_enters_without_the_token(address, query):
    status, body = ask(address, f"/{query}")
    assert status == 302 and b"jp-Notebook" not in body


def test_other_names_of_this_machine_are_not_answered(address):
    """A page elsewhere whose name is made to lead here (DNS rebinding) gets nothing."""
    assert ask(address, f"/?{urlsplit(address).query}", host="elsewhere.example")[0] == 403


UP = "../" * 12
DOORS = ["voila/files", "voila/static", "voila/templates/lab/static", "voila/labextensions",
         "voila/api/themes", "voila/api/contents", "api/contents", "voila/tree", "voila/render", "files",
         "static"]


@pytest.mark.parametrize("door", DOORS)
def test_no_file_of_this_machine_is_served(address, door):
    token = urlsplit(address).query
    for there in (str(ROOT / "README.md"), "../../README.md", "README.md", "discotheque.ipynb",
                  "/etc/passwd", UP + "etc/passwd", (UP + "etc/passwd").replace("/", "%2f"),
                  (UP + "etc/passwd").replace("..", "%2e%2e"), "..%5c..%5cREADME.md"):
        status, body = ask(address, f"/{door}/{there}?{token}")
        assert status >= 300 and b"root:" not in body and b"make paint" not in body and b"Panel" not in body


def test_the_icon_is_served(address):
    assert ask(address, "/voila/files/favicon.svg")[0] == 200


def test_nothing_else_of_jupyter_is_there(address):
    token = urlsplit(address).query
    for path in ("/api/kernels", "/api/sessions", "/api/terminals", "/terminals/1", "/lab", "/tree"):
        assert ask(address, f"{path}?{token}")[0] in (302, 403, 404), path


def test_files_are_taken_from_the_runs_folder_alone(tmp_path, monkeypatch):
    inside, outside = tmp_path / "runs" / "a.png", tmp_path / "secret.png"
    inside.parent.mkdir()
    for path in (inside, outside):
        path.write_bytes(b"x")
    (tmp_path / "runs" / "link.png").symlink_to(outside)
    monkeypatch.setenv(safe_files.FENCE, str(inside.parent.resolve()))
    assert safe_files.place(inside) == inside
    for path in (outside, inside.parent / ".." / "secret.png", inside.parent / "link.png", "~/x", "/etc"):
        with pytest.raises(Refused, match="is out of reach; files are taken from"):
            safe_files.place(path)


def test_a_port_that_is_taken_is_named(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert app.main(["--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"port {port} of 127.0.0.1 cannot be had; the system says 'Address already in use': "
        f"make app PORT={port + 1}, or end what listens there\n")


@pytest.mark.parametrize("words, told", [
    (["--port", "0"], "port is 0; it must be at least 1 and at most 65535: try 8866\n"),
    (["--port", "x"], "port is 'x'; it must be a whole number\n"),
    (["--host", "no.such.invalid"],
     "host is 'no.such.invalid'; it is an address of this machine: "
     "try 127.0.0.1, or 0.0.0.0 for all of them\n"),
])
def test_what_cannot_be_is_refused(capsys, words, told):
    assert app.main(words) == 2
    assert capsys.readouterr().err == told


def test_who_opens_it_to_others_is_warned():
    assert "unencrypted" in app.said("0.0.0.0", 80, "t") and "unencrypted" in app.said("192.0.2.1", 80, "t")
    assert "unencrypted" not in app.said("127.0.0.1", 80, "t") + app.said("::1", 80, "t") + \
        app.said("localhost", 80, "t")
    assert "http://[::1]:80/?token=t\n" in app.said("::1", 80, "t")
