"""Weights: found by name, fetched over a bad line, read without running them."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import official
import pytest
import torch
from loopback import serve
from safetensors.torch import save_file

from helpers import bars, downloads, weight_files, weights
from helpers.errors import Refused

DATA = bytes(range(256)) * 3000  # 768,000 bytes


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "zoo"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)
    with serve() as site:
        yield site


def enter(tmp_path, monkeypatch, *mirrors, name="toy", kind="vqgan", file="toy.ckpt"):
    """A catalogue of one's own with one entry."""
    told = ", ".join("{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in one.items()) + " }"
                     for one in mirrors)
    path = tmp_path / "catalogue.toml"
    path.write_text(f'[{json.dumps(name)}]\nkind = "{kind}"\nfile = "{file}"\nmirrors = [ {told} ]\n')
    monkeypatch.setenv("DISCOTHEQUE_CATALOGUE", str(path))
    return tmp_path / "cache" / name / file


def digest(data):
    return hashlib.sha256(data).hexdigest()


def leftovers(path):
    return sorted(p.name for p in path.parent.glob("*") if p.suffix in (".part", ".json"))


# ---------------------------------------------------- downloads

def test_a_cut_connection_is_resumed(site, tmp_path, monkeypatch):
    site.files["/toy"], site.cuts = DATA, [300_000, 200_000]
    path = enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": digest(DATA)})
    assert weights.fetch("toy") == path
    assert path.read_bytes() == DATA and leftovers(path) == []
    assert sorted(p.name for p in path.parent.iterdir()) == ["toy.ckpt", "toy.ckpt.sha256"]
    assert len(site.requests) == 3 and 0 < site.requests[1][1] < site.requests[2][1]
    weights.fetch("toy")
    assert len(site.requests) == 3


def test_a_download_shows_a_bar(site, tmp_path, monkeypatch, capsys):
    site.files["/toy"] = DATA
    enter(tmp_path, monkeypatch, {"url": site.url("/nobody"), "size": 5},
          {"url": site.url("/toy"), "sha256": digest(DATA)})
    weights.fetch("toy")
    shown = capsys.readouterr().err
    assert "toy.ckpt:" in shown and "100%" in shown and "768k/768k" in shown
    weights.fetch("toy")
    assert capsys.readouterr().err == "", "what is there already comes without one"


def test_who_watches_is_told_in_place_of_a_bar(site, tmp_path, monkeypatch, capsys):
    site.files["/toy"], site.cuts, told = DATA, [300_000], []
    enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": digest(DATA)})
    with bars.watched(told.append):
        weights.fetch("toy")
    assert told[-1] is None and {(one.name, one.total) for one in told[:-1]} == {("toy.ckpt", len(DATA))}
    assert (told[-2].done, told[-2].left) == (len(DATA), 0) and capsys.readouterr().err == ""


def test_a_part_outlives_the_process(site, tmp_path, monkeypatch):
    site.files["/toy"], site.cuts = DATA, [300_000] + [0] * 9
    path = enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": digest(DATA)})
    with pytest.raises(Refused, match="the connection broke"):
        weights.fetch("toy")
    assert not path.exists() and {p.suffix for p in path.parent.iterdir()} == {".part", ".json"}
    site.cuts = []
    assert weights.fetch("toy").read_bytes() == DATA
    assert site.requests[-1][1] > 200_000


@pytest.mark.parametrize("change", ["etag", "no ranges", "stale part"])
def test_a_part_that_does_not_fit_is_dropped(site, tmp_path, monkeypatch, change):
    site.files["/toy"], site.cuts = b"?" * 500_000, [300_000] + [0] * 9
    path = enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": digest(DATA)})
    with pytest.raises(Refused):
        weights.fetch("toy")
    site.files["/toy"], site.cuts = DATA, []
    site.etag = '"two"' if change == "etag" else site.etag
    site.ranges = change != "no ranges"
    assert weights.fetch("toy").read_bytes() == DATA and leftovers(path) == []


def test_a_wrong_hash_is_refused(site, tmp_path, monkeypatch):
    site.files["/toy"] = DATA
    path = enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": "ab" * 32})
    with pytest.raises(Refused) as refused:
        weights.fetch("toy")
    assert str(refused.value) == (
        f"toy.ckpt could not be downloaded (127.0.0.1: wrong fingerprint, sha256 {digest(DATA)[:12]}… "
        f"where abababababab… was expected); a copy from elsewhere will do: save it as {path}, "
        "or try again later")
    assert not path.exists() and leftovers(path) == []


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_web_page_is_recognized_and_the_next_mirror_asked(site, tmp_path, monkeypatch, kind):
    site.files["/dead"], site.types["/dead"] = b"\n<!DOCTYPE html><title>Link does not exist.</title>", kind
    dead = {"url": site.url("/dead"), "sha256": "", "size": len(DATA)}
    enter(tmp_path, monkeypatch, dead)
    with pytest.raises(Refused, match="127.0.0.1: an HTML page instead of weights"):
        weights.fetch("toy")
    site.files["/toy"] = DATA
    path = enter(tmp_path, monkeypatch, dead, {"url": site.url("/toy"), "sha256": "", "size": len(DATA)})
    assert weights.fetch("toy").read_bytes() == DATA and leftovers(path) == []


@pytest.mark.parametrize("told", [{"size": 5}, {"about": 700_000}])
def test_without_a_hash_the_size_must_fit(site, tmp_path, monkeypatch, told):
    site.files["/toy"] = DATA
    path = enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": "", **told})
    with pytest.raises(Refused, match="a file of 768,000 bytes where"):
        weights.fetch("toy")
    assert not path.exists()


def test_without_a_hash_the_first_download_is_remembered(site, tmp_path, monkeypatch):
    site.files["/toy"] = DATA
    path = enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": "", "about": 770_000})
    weights.fetch("toy")
    assert Path(f"{path}.sha256").read_text().startswith(digest(DATA))
    assert weights.fingerprint("toy") == digest(DATA)
    path.write_bytes(DATA[::-1])
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            weights.fetch("toy")
    assert str(refused.value) == (f"{path} has the wrong fingerprint; it is not the published file: "
                                  "delete it, and it is downloaded again")


def test_no_network_no_mirror_no_folder(site, tmp_path, monkeypatch):
    enter(tmp_path, monkeypatch, {"url": site.url("/nothing")}, {"url": "ftp://127.0.0.1/toy"})
    with pytest.raises(Refused, match=r"\(127.0.0.1: HTTP 404 / 127.0.0.1: not a web address\)"):
        weights.fetch("toy")
    assert not (tmp_path / "cache").exists(), "nothing is left of a download that failed"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DISCOTHEQUE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(Refused) as refused:
        weights.fetch("toy")
    assert str(refused.value) == (f"cannot write to {tmp_path}/file/cache/toy (Not a directory); weights are "
                                  "kept there: make room, or set DISCOTHEQUE_CACHE to a folder of yours")


# ---------------------------------------------------- reading

class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_pickle_is_read_and_not_run(tmp_path, zipped):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3).half(), torch.nn.BatchNorm2d(4))
    view = torch.arange(12.0).view(3, 4)
    net.register_buffer("turned", view.t())
    net.register_buffer("row", view[1])
    extra = {"bomb": Bomb(tmp_path / "gone off"), "nested": [Bomb(tmp_path / "gone off")]}
    path = official.save(net, tmp_path / "old.ckpt", zipped=zipped, extra=extra)
    found = weight_files.read(path)
    assert not (tmp_path / "gone off").exists()
    assert found.keys() == net.state_dict().keys()
    for key, value in net.state_dict().items():
        assert found[key].dtype == value.dtype and torch.equal(found[key], value), key


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
def test_torchscript_is_read_and_not_run(tmp_path):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).eval()
    torch.jit.trace(net, torch.rand(1, 3, 8, 8)).save(tmp_path / "net.pt")
    found = weight_files.read(tmp_path / "net.pt")
    assert {key: True for key in net.state_dict()} == {
        key: torch.equal(found[key], value) for key, value in net.state_dict().items()}


@pytest.mark.parametrize("content, message", [
    (b"", "{path} is empty; {kinds}: check the path"),
    (None, "{path} is not there; {kinds}: check the path"),
    (b"PK\x05\x06" + bytes(18), "{path} is a zip without weights in it; a torch checkpoint holds a "
                                "data.pkl: unpack it and give the .ckpt, .pt or .safetensors inside"),
    (b"not weights at all", "{path} cannot be read as weights; {kinds}: "
                            "download it again, it may be damaged"),
])
def test_unreadable_files_are_refused(tmp_path, content, message):
    path = tmp_path / "bad.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        weight_files.read(path)
    kinds = "weights come as .safetensors or as a torch checkpoint"
    assert str(refused.value) == message.format(path=path, kinds=kinds)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_cut_short_is_refused(tmp_path, zipped, share):
    path = official.save(torch.nn.Linear(300, 300), tmp_path / "whole.ckpt", zipped=zipped)
    (tmp_path / "half.ckpt").write_bytes(path.read_bytes()[:int(share * path.stat().st_size)])
    with pytest.raises(Refused, match="half.ckpt cannot be read as weights; "):
        weight_files.read(tmp_path / "half.ckpt")


def test_a_damaged_safetensors_is_refused(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(bytes(100))
    with pytest.raises(Refused, match="a.safetensors is damaged .*; it should be a safetensors file: delete"):
        weight_files.read(tmp_path / "a.safetensors")


# ---------------------------------------------------- names

def grow(tmp_path, name="disco-toy", **card):
    (tmp_path / "zoo").mkdir(exist_ok=True)
    save_file({"a": torch.ones(2)}, tmp_path / "zoo" / f"{name}.safetensors")
    told = {"kind": "perceptor", "config": {"b": 1}, **card}
    (tmp_path / "zoo" / f"{name}.json").write_text(json.dumps(told))


def test_the_zoo_and_the_catalogue_share_one_door(site, tmp_path, monkeypatch):
    grow(tmp_path)
    card, state = weights.load("disco-toy", "perceptor")
    assert card == {"name": "disco-toy", "kind": "perceptor", "config": {"b": 1}} and state["a"].sum() == 2
    assert weights.fingerprint("disco-toy") == digest((tmp_path / "zoo/disco-toy.safetensors").read_bytes())
    assert weights.names("perceptor")[:2] == ["disco-toy", "RN50"]
    assert "disco-toy" not in weights.names("vqgan")
    assert weights.fingerprint("imagenet_f16_1024") == ""


def test_unknown_names(site, tmp_path):
    grow(tmp_path)
    for name, kind, message in [
            ("ViT-B32", "perceptor", "no perceptor called 'ViT-B32'; did you mean 'ViT-B/32'?"),
            ("wikiart_16348", "vqgan", "no vqgan called 'wikiart_16348'; did you mean 'wikiart_16384'?"),
            ("disco-toys", "", "no weights called 'disco-toys'; did you mean 'disco-toy'?")]:
        with pytest.raises(Refused) as refused:
            weights.load(name, kind)
        assert str(refused.value) == message


def test_a_local_path_overrides(site, tmp_path, monkeypatch):
    enter(tmp_path, monkeypatch, {"url": site.url("/nothing")})
    save_file({"mine": torch.ones(1)}, tmp_path / "mine.safetensors")
    card, state = weights.load(f"toy={tmp_path}/mine.safetensors", "vqgan")
    assert card["name"] == "toy" and list(state) == ["mine"] and not site.requests
    (tmp_path / "mine.json").write_text('{"config": {"c": 3}}')
    card, state = weights.load(str(tmp_path / "mine.safetensors"), "vqgan")
    assert card == {"name": "mine", "kind": "vqgan", "config": {"c": 3}} and list(state) == ["mine"]
    here = digest((tmp_path / "mine.safetensors").read_bytes())
    assert weights.fingerprint(f"toy={tmp_path}/mine.safetensors") == here
    with pytest.raises(Refused, match="gone.ckpt is not there; weights come as"):
        weights.load(str(tmp_path / "gone.ckpt"), "vqgan", drop_loss)


def test_a_local_path_overrides_an_embedded_network(site, tmp_path):
    grow(tmp_path)
    save_file({"a": torch.zeros(2)}, tmp_path / "mine.safetensors")
    card, state = weights.load(f"disco-toy={tmp_path}/mine.safetensors", "perceptor")
    assert card == {"name": "disco-toy", "kind": "perceptor", "config": {"b": 1}} and state["a"].sum() == 0
    (tmp_path / "junk.ckpt").write_bytes(b"junk")
    with pytest.raises(Refused, match="junk.ckpt cannot be read as weights; "):
        weights.load(f"disco-toy={tmp_path}/junk.ckpt", "perceptor", drop_loss)
    with pytest.raises(Refused, match="no vqgan called 'disco-toy'"):
        weights.load(f"disco-toy={tmp_path}/mine.safetensors", "vqgan")


def drop_loss(state):
    return {key: value for key, value in state.items() if not key.startswith("loss.")}


def test_a_download_is_converted_once(site, tmp_path, monkeypatch):
    net = torch.nn.ModuleDict({"loss": torch.nn.Linear(2, 2), "net": torch.nn.Linear(2, 2)})
    site.files["/toy"] = official.save(net, tmp_path / "toy.ckpt").read_bytes()
    path = enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": digest(site.files["/toy"])})
    first = weights.load("toy", "vqgan", drop_loss)[1]
    assert sorted(first) == ["net.bias", "net.weight"] and path.with_name("toy.ckpt.safetensors").exists()
    monkeypatch.setattr("helpers.checkpoints.open_checkpoint", None)  # the slow way is closed now
    again = weights.load("toy", "vqgan", drop_loss)[1]
    assert torch.equal(again["net.weight"], net["net"].weight)


def test_a_damaged_twin_is_made_again(site, tmp_path, monkeypatch):
    net = torch.nn.Linear(2, 2)
    site.files["/toy"] = official.save(net, tmp_path / "toy.ckpt").read_bytes()
    path = enter(tmp_path, monkeypatch, {"url": site.url("/toy"), "sha256": digest(site.files["/toy"])})
    weights.load("toy", "vqgan", drop_loss)
    twin = path.with_name("toy.ckpt.safetensors")
    whole = twin.read_bytes()
    twin.write_bytes(whole[:40])
    assert torch.equal(weights.load("toy", "vqgan", drop_loss)[1]["weight"], net.weight)
    assert len(twin.read_bytes()) == len(whole)


def test_a_cut_file_in_the_cache_is_refused_and_not_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCOTHEQUE_CACHE", str(tmp_path / "cache"))
    path = enter(tmp_path, monkeypatch, {"url": "https://nowhere.test/toy", "sha256": "", "about": 1000})
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(700))
    with pytest.raises(Refused) as refused:
        weights.fetch("toy")
    assert str(refused.value) == (f"{path} is 700 bytes long; the published file has 1,000: delete it, and "
                                  "it is downloaded again")
    path.write_bytes(bytes(990))
    assert weights.fetch("toy") == path


@pytest.mark.parametrize("name, said", [
    ("disco-toy=", "disco-toy= names no file; a file of yours follows the =: try "
     "disco-toy=/my/weights.safetensors, or disco-toy alone")])
def test_an_equals_sign_without_a_file(name, said):
    with pytest.raises(Refused) as refused:
        weights.load(name, "perceptor")
    assert str(refused.value) == said


@pytest.mark.parametrize("card, reason", [("{", "cannot be read; the reader says '"), ("[1]", "is no card; "),
                                          (b"\xff\xfe", "cannot be read; the reader says '")])
def test_a_bad_card_beside_a_file(card, reason, tmp_path):
    (tmp_path / "net.json").write_bytes(card if isinstance(card, bytes) else card.encode())
    official.save(torch.nn.Linear(2, 2), tmp_path / "net.pt")
    with pytest.raises(Refused, match=f"net.json {reason}"):
        weights.load(str(tmp_path / "net.pt"), "vqgan")


def test_the_catalogue_is_complete(monkeypatch):
    monkeypatch.delenv("DISCOTHEQUE_CATALOGUE", raising=False)
    entries = weights.catalogue()
    assert {"imagenet_f16_1024", "imagenet_f16_16384", "wikiart_1024", "wikiart_16384", "coco", "gumbel_f8",
            "faceshq", "sflckr", "ViT-B/32", "ViT-B/16", "ViT-L/14", "RN50", "RN50x4"} <= entries.keys()
    for name, entry in entries.items():
        assert {"kind", "config", "file", "size", "licence", "purpose", "mirrors"} <= entry.keys(), name
        assert entry["mirrors"] and all(one.url.startswith("https://") for one in entry["mirrors"]), name
        assert all(len(one.sha256) in (0, 64) for one in entry["mirrors"]), name


def test_names_need_no_torch():
    code = "import sys; from helpers import weights; weights.names(); sys.exit('torch' in sys.modules)"
    assert not subprocess.run([sys.executable, "-c", code], cwd=weights.ASSETS.parent, check=False).returncode
