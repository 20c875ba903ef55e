"""Links: what a picture's address can lead to, and what it never can."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
from loopback import serve

from helpers import images, links
from helpers.errors import Refused

SAVE = "save it in a browser and give its path"


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("DISCOTHEQUE_LOCAL_LINKS", raising=False)


@pytest.fixture
def names(monkeypatch):
    """Name -> addresses it means; each call of the fixture adds one."""
    known, real, asked = {}, socket.getaddrinfo, []

    def getaddrinfo(host, port, *more, **options):
        asked.append(host)
        if host not in known:
            return real(host, port, *more, **options)
        return [entry for address in known[host] for entry in real(address, port, *more, **options)]
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    known["asked"] = asked
    return known


def refusal(*arguments):
    with pytest.raises(Refused) as said:
        links.fetch(*arguments)
    return str(said.value)


@contextmanager
def talking(talk, greeted=True):
    """A server that says whatever `talk(socket)` says, by default once it was asked; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work():
        with listener.accept()[0] as line:
            try:
                if greeted:
                    line.recv(65536)
                talk(line)
            except OSError:     # nobody listens anymore
                pass
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/a.png"
    thread.join(20)
    assert not thread.is_alive()
    listener.close()


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]",
    "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]",
    "[64:ff9b::a00:1]", "[2002:7f00:1::]", "224.0.0.1"])
def test_this_machine_and_its_network_are_refused(host, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", None)      # nothing is even begun
    for scheme in ("http", "https"):
        said = refusal(f"{scheme}://{host}:9/a.png")
        assert said.endswith(", on this machine or in its own network; pictures come from the public web: "
                             "save it and give its path, or set DISCOTHEQUE_LOCAL_LINKS=1"), said


def test_it_is_refused_in_these_words():
    assert refusal("http://127.0.0.1/a.png") == (
        "'127.0.0.1' is 127.0.0.1, on this machine or in its own network; pictures come from the public web: "
        "save it and give its path, or set DISCOTHEQUE_LOCAL_LINKS=1")


def test_it_may_be_allowed(monkeypatch):
    with serve() as site:
        site.files["/a.png"] = b"a picture"
        assert "on this machine" in refusal(site.url("/a.png")) and not site.requests
        monkeypatch.setenv("DISCOTHEQUE_LOCAL_LINKS", "1")
        assert links.fetch(site.url("/a.png")) == b"a picture"
        monkeypatch.setenv("DISCOTHEQUE_LOCAL_LINKS", "0")
        assert "on this machine" in refusal(site.url("/a.png"))


def test_names_that_lead_home_are_refused(names):
    names["pictures.example"] = ["127.0.0.1"]
    names["both.example"] = ["93.184.216.34", "10.0.0.1"]
    assert "'pictures.example' is 127.0.0.1, on this machine" in refusal("http://pictures.example/a.png")
    assert "'both.example' is 10.0.0.1, on this machine" in refusal("https://both.example/a.png")


def test_a_name_is_looked_up_once(names, monkeypatch):
    """Whoever answers may say something else the second time."""
    names["pictures.example"], dialed = ["93.184.216.34"], []

    def create_connection(address, timeout):
        dialed.append(address)
        raise OSError("no road there")
    monkeypatch.setattr(socket, "create_connection", create_connection)
    assert refusal("http://pictures.example/a.png") == \
        f"'http://pictures.example/a.png' could not be fetched; the connection failed (no road there): {SAVE}"
    assert names["asked"] == ["pictures.example"] and dialed == [("93.184.216.34", 80)]


def test_a_redirect_home_is_refused(monkeypatch):
    """The first place counts as public here, the second does not."""
    monkeypatch.setattr(links, "_public", lambda address: address == "127.0.0.1")
    away = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:9/\r\n\r\n"
    with talking(lambda line: line.sendall(away)) as link:
        assert "'127.0.0.2' is 127.0.0.2, on this machine or in its own network" in refusal(link)


def test_what_is_said_beside_a_redirect_is_not_read(monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_LOCAL_LINKS", "1")
    sent = []

    def talk(line):
        line.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n")
        while len(sent) < 400:
            sent.append(line.send(bytes(1 << 16)))
    with talking(talk) as link:
        assert "the connection failed" in refusal(link)
    assert len(sent) < 400


@pytest.mark.parametrize("link", ["http://me:secret@example.org/a.png", "https://example.org@127.0.0.1/",
                                  "http://me@example.org"])
def test_names_and_passwords_are_refused_and_not_repeated(link):
    said = refusal(link)
    assert said == f"'{link.partition('@')[2]}' comes with a name or password; those would be kept in " \
        "every picture: save it and give its path"


@pytest.mark.parametrize("link", [
    "http://", "http:///a.png", "http://[::1", "http://a b/", "http://a\r\nHost: b/", "http://a\0b/",
    "http://\u2028/", "http://xn--/", f"http://{'a' * 70}.org/", f"http://{'a.' * 400}org/", "http://1:99999/",
    "http://1:x/", "http://ü ü/", "http://example.invalid/\ud800"])
def test_links_that_are_none(link, names):
    names["1"] = ["93.184.216.34"]
    assert "could not be fetched; the connection failed (" in refusal(link)


@pytest.mark.parametrize("talk", [
    lambda line: [line.sendall(b"H") or time.sleep(0.05) for _ in range(200)],
    lambda line: line.sendall(b"HTTP/1.1 200 OK\r\n") or
    [line.sendall(b"X-A: b\r\n") or time.sleep(0.05) for _ in range(200)],
    lambda line: line.sendall(b"HTTP/1.1 200 OK\r\n\r\n") or
    [line.sendall(b"x") or time.sleep(0.05) for _ in range(200)],
    lambda line: time.sleep(2)], ids=["status", "headers", "body", "silence"])
def test_a_server_that_keeps_one_waiting_is_hung_up_on(talk, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_LOCAL_LINKS", "1")
    with talking(talk) as link:
        began = time.monotonic()
        assert "could not be fetched; the connection failed (" in refusal(link, 1 << 20, 0.5)
        assert time.monotonic() - began < 5     # of the ten that were to come


def test_what_a_server_says_of_itself_reaches_no_terminal(monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_LOCAL_LINKS", "1")
    with talking(lambda line: line.sendall(b"HTTP/1.1 404 \x1b[2J gone\r\n\r\n")) as link:
        assert refusal(link) == f"'{link}' could not be fetched; the server says 404 Not Found: {SAVE}"


def test_through_a_proxy_a_name_that_is_known_here_is_looked_at_too(names, monkeypatch):
    """The proxy itself may well stand in one's own network."""
    with serve() as site:
        site.files["http://pictures.example/a.png"] = b"a picture"
        monkeypatch.setenv("http_proxy", site.url(""))
        monkeypatch.setenv("no_proxy", "")
        names["pictures.example"] = ["10.0.0.1"]
        assert "'pictures.example' is 10.0.0.1, on this machine" in refusal("http://pictures.example/a.png")
        assert not site.requests
        names["pictures.example"] = ["93.184.216.34"]
        assert links.fetch("http://pictures.example/a.png") == b"a picture"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_encrypted_it_is_still_known_who_answers(tmp_path, names, monkeypatch):
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "key.pem",
               "-out", "cert.pem", "-subj", "/CN=pictures.example", "-addext",
               "subjectAltName=DNS:pictures.example"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    names["pictures.example"] = names["others.example"] = ["127.0.0.1"]
    monkeypatch.setattr(links, "_public", lambda address: True)
    heard = []

    def talk(line):
        with context.wrap_socket(line, server_side=True) as safe:
            heard.append(safe.recv(65536))
            safe.sendall(b"HTTP/1.1 200 OK\r\n\r\na picture")

    def port(link):
        return link.rpartition(":")[2]
    with talking(talk, greeted=False) as link:
        assert "certificate verify failed" in refusal(f"https://pictures.example:{port(link)}")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with talking(talk, greeted=False) as link:
        assert "not valid for 'others.example'" in refusal(f"https://others.example:{port(link)}")
    with talking(talk, greeted=False) as link:
        assert links.fetch(f"https://pictures.example:{port(link)}") == b"a picture"
    assert heard[-1].startswith(b"GET /a.png HTTP/1.1\r\n") and b"\r\nHost: pictures.example:" in heard[-1]


def test_drawings_that_name_other_files_are_no_pictures(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                    '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/"/>&x;</svg>')
    for name in (path, path.rename(tmp_path / "a.png")):
        with pytest.raises(Refused, match="cannot be read as a picture|there is no file"):
            images.open(name)
