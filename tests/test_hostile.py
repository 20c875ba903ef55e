"""Whatever is handed in, nothing but Refused comes out, nothing runs, nothing is written out of place.

CASES=20000 (as `make nightly` has it) tries so many, shared out among the tests; the same ones every
time, except where HYPOTHESIS_SEED, a number, draws others.
"""

import contextlib
import io
import json
import os
import pickle
import string
import struct
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
import yaml
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as profile
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from test_runs import paint, refusal, settings, small  # noqa: F401

from helpers import (
    films,
    knobs,
    manifests,
    old_settings,
    palettes,
    picture_files,
    presets,
    prompts,
    run_folder,
    runs,
    schedules,
    states,
    systems,
    weight_files,
    weights,
)
from helpers.errors import Refused

CASES, TESTS = int(os.environ.get("CASES", 500)), 11
SEED = os.environ.get("HYPOTHESIS_SEED")


def fuzzed(*strategies):
    """Its share of all cases; no deadline, for these machines are shared."""
    chosen = profile(
        max_examples=-(-CASES // TESTS),
        derandomize=SEED is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    def fuzz(test):
        test = given(*strategies)(test)
        return chosen(test if SEED is None else seed(int(SEED))(test))

    return fuzz


def only_refused(call, *arguments, **options):
    with contextlib.suppress(Refused):
        return call(*arguments, **options)


CRUEL = [
    "../../x",
    "/etc/passwd",
    "..",
    "CON",
    "nul.txt",
    "aux ",
    "a.",
    "\0",
    "\x1b[2J",
    "a" * 300,
    "~nobody/x",
    "C:\\x",
    "\\\\host\\x",
    "file:///etc/passwd",
    "http://127.0.0.1:9/",
    "$(touch x)",
    "{{7*7}}",
    "%n%s",
    "__import__('os').system('touch x')",
    "\ud800",
    "\u202e",
    "１２",
    "²",
    "nan",
    "inf",
    "1e999",
    "9" * 5000,
    "|",
    "^",
    ":",
    "a:1e400",
    "0:0:0",
    "@",
    "@/etc/passwd",
    "->",
    "a->b\\99999999999",
    "[",
    "[1]*999999999",
    "inputs/../x",
    "inputs/a.png",
    "-1",
    "",
    " ",
]
TEXT = st.one_of(
    st.sampled_from(CRUEL),
    st.text(max_size=40),
    st.text(string.digits + ".:|^,*+-[]()%eE#@>\\ a\0", max_size=30),
)
NUMBER = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -(10**400), 2**64, 1e308, -0.0]))
PLAIN = st.one_of(st.none(), st.booleans(), NUMBER, TEXT)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=8,
)


def spoiled(whole: bytes):
    """Files that were whole once: bytes exchanged, then perhaps cut."""
    places = st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=6)

    def spoil(changes, end):
        data = bytearray(whole)
        for at, byte in changes:
            data[at] = byte
        return bytes(data[:end])

    return st.builds(spoil, places, st.one_of(st.just(len(whole)), st.integers(0, len(whole))))


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def run(place):
    with pytest.MonkeyPatch.context() as patch:
        for module in (runs, run_folder):
            patch.setattr(module, "system_named", lambda name: __import__("small_system"))
        patch.delenv("REHEARSAL", raising=False)
        run = runs.start("small", settings(steps=3), place / "runs")
        painting = run.paint()
        for frame in runs.record(painting, run):
            if frame.step == 1:
                run.turn(painting, contrast=2.0)
        yield run


def with_knobs(cls):
    """(class, values of some of its knobs)"""
    known = st.sampled_from(sorted(knobs.knobs(cls)))
    return st.tuples(st.just(cls), st.dictionaries(st.one_of(known, known, known, TEXT), JSON, max_size=4))


ANY_SYSTEM = st.sampled_from(sorted(systems.SYSTEMS)).flatmap(
    lambda name: with_knobs(systems.load(name).Settings)
)


# ---------------------------------------------------------------- what an artist writes


@fuzzed(ANY_SYSTEM)
def test_settings(chosen):
    cls, values = chosen
    made = only_refused(cls.from_dict, values)
    if made:
        assert cls.from_dict(json.loads(json.dumps(made.to_dict()))) == made


@fuzzed(ANY_SYSTEM, TEXT)
def test_flags(chosen, text):
    cls, _ = chosen
    for knob in knobs.knobs(cls).values():
        value = knobs.read(knob, text)
        only_refused(knobs.accept, knob, value)


@fuzzed(TEXT)
def test_prompts(text):
    for read in (prompts.parse, prompts.scenes, prompts.pictures, prompts.noise):
        only_refused(read, text)
    only_refused(prompts.rising, text, "some")
    for prompt in only_refused(prompts.parse, text) or []:
        assert prompts.parse(str(prompt)) == [prompt]


@fuzzed(st.one_of(TEXT, NUMBER, st.lists(NUMBER)))
def test_schedules(given):
    made = only_refused(schedules.parse, given)
    if made:
        assert schedules.parse(str(made)) == made and all(map(np.isfinite, (made(0), made(0.5), made(1))))
    only_refused(schedules.several, str(given), "some", 2, "prompts")


@fuzzed(TEXT)
def test_palettes(text):
    for color in only_refused(palettes.parse, text) or []:
        assert len(color) == 3 and all(0 <= value <= 1 for value in color)
    only_refused(palettes.spelled, text)


# ---------------------------------------------------------------- what comes in files

FACTS = st.dictionaries(st.one_of(st.sampled_from(sorted(manifests.FACTS)), TEXT), JSON, max_size=4)
LIVE = st.lists(
    st.dictionaries(st.sampled_from(["step", "contrast", "steps", "x"]), JSON, max_size=3), max_size=3
)


@fuzzed(
    FACTS, st.dictionaries(st.sampled_from(sorted(settings().to_dict())), JSON, max_size=3), LIVE, st.data()
)
def test_manifests(run, facts, values, live, data):
    """Damaged, or made by somebody who means ill: it is opened, mended or refused; the run is as it was."""
    path = run.folder / "manifest.json"
    whole = path.read_bytes()
    said = json.loads(whole)
    said["settings"] |= values
    said = data.draw(st.sampled_from([said, said | {"live": live}, said | facts]))
    text = json.dumps(said).encode()
    path.write_bytes(data.draw(st.one_of(st.just(text), spoiled(text))))
    try:
        found = only_refused(runs.open, run.folder)
        if found:
            found.text()
            for look in (
                lambda: found.settings,
                lambda: found.settings_at(9),
                lambda: runs.script(found.folder),
                lambda: runs.turns(found.folder),
                lambda: found.change(2, {"contrast": 1}),
                lambda: runs.load(found.folder),
                lambda: found.note(status="stopped"),
                lambda: found.as_given("x"),
            ):
                only_refused(look)
        assert len(runs.all_runs(run.folder.parent)) == bool(found)
    finally:
        path.write_bytes(whole)


@fuzzed(JSON, FACTS, st.data())
def test_what_a_picture_says(run, place, anything, facts, data):
    info, path = PngImagePlugin.PngInfo(), place / "said.png"
    said = data.draw(st.sampled_from([anything, run.text() | facts]))
    text = json.dumps(said)
    data.draw(st.sampled_from([info.add_itxt, info.add_text]))(
        "discotheque", data.draw(st.one_of(st.just(text), st.just("[" * 30_000), TEXT.filter(str.isascii)))
    )
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    path.write_bytes(data.draw(spoiled(path.read_bytes())))
    for read in (
        picture_files.read_text,
        picture_files.load,
        picture_files.check,
        runs.load,
        runs.turns,
        runs.system,
        runs.script,
    ):
        only_refused(read, path)


@fuzzed(
    st.dictionaries(st.one_of(st.sampled_from(sorted(old_settings.KNOWN)), TEXT), JSON, max_size=5), st.data()
)
def test_old_settings(place, said, data):
    """JSON of Disco Diffusion, YAML of discoart, and what is neither."""
    ending, text = data.draw(
        st.sampled_from(
            [
                (".txt", json.dumps(said)),
                (".yml", yaml.safe_dump(said, allow_unicode=True)),
                (".yml", f"a: !!python/object/apply:os.system ['touch {place}/ran']\n"),
                (".yml", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"),
                (".yml", "? " * 2000),
                (".txt", "{" * 3000),
            ]
        )
    )
    path = place / f"old{ending}"
    path.write_bytes(data.draw(st.one_of(st.just(text), TEXT)).encode("utf-8", "surrogatepass"))
    found = only_refused(old_settings.read, path)
    if found:
        system, values, lines = found
        assert system == "disco_diffusion" and all(isinstance(line, str) for line in lines)
        only_refused(systems.load(system).Settings.from_dict, values)
    assert not (place / "ran").exists()


ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "kind": JSON,
        "file": TEXT,
        "architecture": JSON,
        "config": JSON,
        "licence": JSON,
        "mirrors": st.one_of(
            JSON,
            st.lists(
                st.dictionaries(st.sampled_from(["url", "sha256", "size", "about", "x"]), JSON, max_size=5),
                max_size=2,
            ),
        ),
    },
)


def toml(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return '""' if value is None else json.dumps(value).replace("Infinity", "inf").replace("NaN", "nan")


@fuzzed(st.dictionaries(TEXT, st.one_of(ENTRY, ENTRY, JSON), max_size=2), st.data())
def test_catalogue_entries(place, entries, data):
    text = "\n".join(f"{json.dumps(name)} = {toml(entry)}" for name, entry in entries.items())
    path = place / "catalogue.toml"
    path.write_bytes(
        data.draw(st.one_of(st.just(text), st.just(text), TEXT)).encode("utf-8", "surrogatepass")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISCOTHEQUE_CATALOGUE", str(path))
        patch.setenv("DISCOTHEQUE_CACHE", str(place / "cache"))
        known = only_refused(weights.catalogue) or {}
        for name in entries.keys() & known.keys():
            found = only_refused(weights.known, name)
            if found:
                assert found[1].resolve().is_relative_to((place / "cache").resolve()), found
            only_refused(weights.fingerprint, name)
        only_refused(weights.names, "vqgan")


@fuzzed(JSON, st.data())
def test_headers_of_checkpoints(run, tree, data):
    whole = run.checkpoint.read_bytes()
    trees = st.recursive(
        JSON,
        lambda inner: st.one_of(
            st.fixed_dictionaries({"dict": st.lists(st.tuples(TEXT, inner), max_size=3)}),
            st.fixed_dictionaries({"list": st.lists(inner, max_size=3)}),
            st.fixed_dictionaries({"tensor": st.one_of(JSON, st.just("0000.state"))}),
        ),
        max_leaves=6,
    )
    header = json.dumps(
        data.draw(st.one_of(st.just(tree), st.fixed_dictionaries({"tree": trees, "about": JSON})))
    )
    made = safetensors.torch.save(
        {"0000.state": torch.ones(2)},
        {
            "state": data.draw(st.one_of(st.just(header), st.just("[" * 50_000)))
            .encode("utf-8", "backslashreplace")
            .decode()
        },
    )
    run.checkpoint.write_bytes(data.draw(st.one_of(st.just(made), spoiled(made), spoiled(whole))))
    try:
        only_refused(states.about, run.checkpoint)
        only_refused(states.load, run.checkpoint)
        only_refused(run.resume)
    finally:
        run.checkpoint.write_bytes(whole)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.fixture(scope="module")
def programs(place):
    """Weights as torch and pickle write them, a bomb inside; made once, for torch writes addresses too."""
    bomb, files = Bomb(place / "gone-off"), []
    for zipped in (True, False):
        file = io.BytesIO()
        torch.save(
            {"state_dict": {"a": torch.ones(3), "bomb": bomb}, "bombs": [bomb] * 2},
            file,
            _use_new_zipfile_serialization=zipped,
        )
        files.append(file.getvalue())
    return files + [pickle.dumps([bomb] * 2, protocol) for protocol in range(6)]


@fuzzed(st.sampled_from(range(8)), st.sampled_from([".ckpt", ".pt", ".bin"]), st.data())
def test_weights_that_are_programs(place, programs, which, ending, data):
    """Whole and spoiled: nothing in them runs."""
    path = place / f"a{ending}"
    path.write_bytes(data.draw(st.one_of(st.just(programs[which]), spoiled(programs[which]))))
    only_refused(weight_files.read, path)
    assert not (place / "gone-off").exists()


@pytest.mark.parametrize(
    "read, text",
    [
        (schedules.parse, "[" + "9" * 10_000 + "x]"),
        (schedules.parse, "1" + " " * 10_000 + "x"),
        (prompts.parse, "a:" + "9" * 20_000 + "x"),
        (prompts.parse, "a" + " " * 20_000 + "b"),
        (prompts.noise, "7" + " " * 20_000 + "x"),
        (palettes.parse, "(" * 20_000),
        (palettes.parse, "a->" * 5000),
    ],
)
def test_long_texts_are_read_as_fast_as_others(read, text):
    """A pattern that tries every way to split them takes many seconds."""
    began = time.process_time()
    only_refused(read, text)
    assert time.process_time() - began < 3


# ---------------------------------------------------------------- names, and files that burst


@pytest.mark.parametrize("name", CRUEL)
def test_no_name_leads_out_of_the_runs_folder(tmp_path, name, monkeypatch):
    root = tmp_path / "outer" / "runs"
    monkeypatch.chdir(tmp_path)
    chosen = only_refused(settings, prompts=name)
    made = only_refused(runs.start, "small", chosen, root) if chosen else None
    assert (
        not made or made.folder.parent == root and made.folder.name.isascii() and len(made.folder.name) < 80
    )
    only_refused(presets.save, name, "small", {}, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.undo()
        for system in (runs, run_folder):
            patch.setattr(system, "system_named", systems.load)
        refusal(runs.start, name, settings(), root)
    assert all(path.is_relative_to(root) or path == root.parent for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "name", ["..", "../x", "a/../../x", "/x", "con", "NUL.ckpt", "a.", "a ", "", "a\nb", "x" * 300]
)
@pytest.mark.parametrize("part", ["name", "file"])
def test_no_entry_of_a_catalogue_leads_out_of_the_cache(tmp_path, monkeypatch, name, part):
    if part == "name" and "/" in name:
        name = ".."  # in names it counts as a dash
    called, file = (name, "a.ckpt") if part == "name" else ("a", name)
    (tmp_path / "c.toml").write_text(f'[{json.dumps(called)}]\nkind = "vqgan"\nfile = {json.dumps(file)}\n')
    monkeypatch.setenv("DISCOTHEQUE_CATALOGUE", str(tmp_path / "c.toml"))
    assert refusal(weights.catalogue) == (
        f"the catalogue '{tmp_path}/c.toml' cannot be read; the reader says '{called} names no kind, or "
        "no file that could be kept in the cache': assets/catalogue.toml shows what entries look like"
    )


def test_pictures_that_burst(tmp_path):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    plain = picture_files.png(Image.new("RGB", (8, 8)))
    bomb = chunk(b"zTXt", b"discotheque\0\0" + zlib.compress(bytes(200 << 20), 9))
    (tmp_path / "text.png").write_bytes(plain[:33] + bomb + plain[33:])
    (tmp_path / "wide.gif").write_bytes(
        b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
        + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;"
    )
    (tmp_path / "frame.gif").write_bytes(
        b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0, 0, 0) + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;"
    )
    assert "cannot be read as a picture" in refusal(picture_files.read_text, tmp_path / "text.png")
    for name in ("wide.gif", "frame.gif"):
        assert "at most 64 megapixels are read" in refusal(picture_files.load, tmp_path / name)


# ---------------------------------------------------------------- what the cases above once brought out


def test_numbers_beyond_all_floats():
    for knob in ("contrast", "steps"):
        assert refusal(settings, **{knob: 10**400}).startswith(f"{knob} is ")
    steps = knobs.knobs(type(settings()))["steps"]
    assert refusal(knobs.accept, steps, knobs.read(steps, "9" * 5000)).startswith("steps is inf; ")
    assert "colors are names" in refusal(palettes.parse, "red->blue\\" + "9" * 5000)


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-here/x", "a\0b", "a\ud800"])
def test_names_that_no_file_can_have(name):
    assert weights.fingerprint(name) == ""
    for read in (runs.load, runs.resume, picture_files.load, old_settings.read):
        assert "' cannot be reached; the system says '" in refusal(read, name)
    assert "cannot be reached" in refusal(weights.known, f"{name}.ckpt")


def test_half_of_a_surrogate_pair_in_a_manifest_is_kept(tmp_path):
    run = runs.start("small", settings(), tmp_path)
    run.note(weights={"a\ud800": "b"}, versions={"a": "\udfff"})
    assert manifests.told(run.folder)["weights"] == {"a\ud800": "b"}
    run.keep_picture(picture_files.png(Image.new("RGB", (8, 8)), run.text()))
    assert picture_files.read_text(run.picture)["versions"] == {"a": "\udfff"}


def test_the_name_of_a_film_is_no_address(tmp_path, monkeypatch):
    films.write([np.zeros((16, 16, 3), np.uint8)] * 2, tmp_path / "a.mp4", text={"a": 1})
    (tmp_path / "a.mp4").rename(tmp_path / "concat:a.mp4")
    monkeypatch.chdir(tmp_path)
    assert films.read_text("concat:a.mp4") == {"a": 1}


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    run = paint(tmp_path)
    for state in (
        "x",
        {"step": 3},
        {"step": "x"},
        run.manifest["settings"],
        states.load(run.checkpoint) | {"canvas": {"image": torch.zeros(2)}},
    ):
        states.save(run.checkpoint, state)
        assert refusal(run.resume).startswith(
            f"the checkpoint '{run.checkpoint}' cannot be read; the reader "
        )
