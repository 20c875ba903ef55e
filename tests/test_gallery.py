"""The gallery: runs are found, starred, thrown away and had again, and nothing is lost on the way."""

import json
import os

import pytest
import small_system
from PIL import Image
from test_runs import paint, settings

from helpers import gallery, run_folder, runs, safe_files
from helpers.errors import Refused


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Whatever the name, the system is the small one."""
    for module in (runs, run_folder):
        monkeypatch.setattr(module, "system_named", lambda name: small_system)
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path))
    monkeypatch.delenv("REHEARSAL", raising=False)


def begun(prompts="fog", minute=0, system="small", **facts):
    """A run of that minute, not painted."""
    run = runs.start(system, settings(prompts=prompts))
    run.note(started=f"2026-03-01T12:{minute:02}:00+00:00", **facts)
    return run


def names(**wanted):
    return [entry.folder.name for entry in gallery.find(**wanted)]


def test_the_newest_comes_first():
    made = [begun(f"number {n}", minute).folder.name for n, minute in enumerate((5, 9, 2))]
    assert names() == [made[1], made[0], made[2]]


def test_an_entry_tells_what_the_manifest_says():
    run = begun("fog over a castle", status="stopped", step=5, total=12, seconds=3.5, starred=True)
    assert gallery.find() == [gallery.Entry(run.folder, "small", "stopped", "2026-03-01T12:00:00+00:00",
                                            run.manifest["seed"], 5, 12, 3.5, True, "fog over a castle")]


def test_filters():
    fog = begun("Fog over a castle", 3, status="finished").folder.name
    rain = begun("a castle in the rain", 2, "other", status="stopped", starred=True).folder.name
    car = begun("a car", 1, status="finished", starred=True).folder.name
    assert names(words="castle") == [fog, rain] and names(words="castle FOG") == [fog]
    assert names(system="other") == [rain] and names(status="finished") == [fog, car]
    assert names(starred=True) == [rain, car] and names(starred=True, status="finished") == [car]
    assert names(words="nothing") == []


def test_no_folder_is_an_empty_gallery(tmp_path):
    assert gallery.find(root=tmp_path / "nowhere") == [] and not (tmp_path / "nowhere").exists()


def test_a_damaged_run_hides_no_others(tmp_path):
    good = begun().folder.name
    for number, text in enumerate(('{"system": "sm', "[]", '{"system": "small"}', "null")):
        (tmp_path / f"bad-{number}").mkdir()
        (tmp_path / f"bad-{number}" / "manifest.json").write_text(text)
    (tmp_path / "presets").mkdir()
    assert names() == [good] == names()


def test_only_what_changed_is_read_again(monkeypatch):
    first, second = begun("first", 1), begun("second", 2)
    gallery.find()
    opened, known = [], run_folder.open
    monkeypatch.setattr(run_folder, "open", lambda folder: opened.append(folder) or known(folder))
    assert len(gallery.find()) == 2 and not opened
    first.note(status="failed")
    third = begun("third", 3)
    opened.clear()
    assert [entry.status for entry in gallery.find()] == ["new", "new", "failed"]
    assert sorted(opened) == sorted([first.folder, third.folder]) and second.folder not in opened


@pytest.mark.parametrize("damage", [
    None, "", "{", "[]", '{"format": 0, "runs": {}}', '{"format": 1, "runs": {"x": 1}}',
    '{"format": 1, "runs": {"x": [[1, 2, 3], ["small"]]}}'])
def test_the_index_is_only_a_cache(tmp_path, damage):
    begun("fog", starred=True)
    before, index = gallery.find(), tmp_path / gallery.INDEX
    assert json.loads(index.read_text())["runs"]
    index.unlink() if damage is None else index.write_text(damage)
    assert gallery.find() == before


def test_strange_facts_in_the_index_are_read_anew(tmp_path):
    begun()
    before, index = gallery.find(), tmp_path / gallery.INDEX
    said = json.loads(index.read_text())
    next(iter(said["runs"].values()))[1][-1] = 12       # the prompts
    index.write_text(json.dumps(said))
    assert gallery.find() == before


def test_a_gallery_that_can_only_be_read(monkeypatch):
    run = begun()

    def closed(path, data):
        raise Refused("no")
    monkeypatch.setattr(safe_files, "write", closed)
    assert names() == [run.folder.name]


def test_stars_live_in_the_manifest():
    run = begun(status="stopped")
    gallery.star(run.folder)
    assert runs.open(run.folder).manifest["starred"] is True and names(starred=True)
    assert runs.open(run.folder).manifest["status"] == "stopped"
    gallery.star(run.folder, False)
    assert not names(starred=True)


def test_a_thumbnail_is_made_once_and_again_for_another_picture():
    run = begun()
    assert gallery.thumbnail(run.folder) is None
    Image.new("RGB", (400, 200), "red").save(run.picture)
    small = gallery.thumbnail(run.folder)
    kept = run.folder / gallery.THUMBNAIL
    with Image.open(kept) as shown:
        assert (shown.format, shown.size) == ("JPEG", (gallery.SIDE, gallery.SIDE // 2))
        assert shown.getpixel((9, 9))[0] > 240
    kept_at = kept.stat().st_ino
    assert gallery.thumbnail(run.folder) == small and kept.stat().st_ino == kept_at
    Image.new("RGB", (400, 200), "blue").save(run.picture)
    os.utime(run.picture, ns=(7, 7))                    # the clock went backwards
    assert gallery.thumbnail(run.folder) != small
    run.picture.write_bytes(b"no picture")
    os.utime(run.picture, ns=(8, 8))
    assert gallery.thumbnail(run.folder) is None


def test_what_is_deleted_can_be_had_again():
    run = paint(None, settings(prompts="fog", steps=3))
    picture, name = run.picture.read_bytes(), run.folder.name
    away = gallery.delete(run.folder)
    assert not run.folder.exists() and names() == [] and runs.all_runs() == []
    assert names(root=gallery.trash()) == [name]
    back = gallery.restore(away)
    assert (back, names(), names(root=gallery.trash())) == (run.folder, [name], [])
    assert runs.open(back).picture.read_bytes() == picture


def test_names_in_the_trash_do_not_collide(tmp_path):
    run = begun()
    text = (run.folder / "manifest.json").read_text()
    first = gallery.delete(run.folder)
    run.folder.mkdir()
    (run.folder / "manifest.json").write_text(text)
    second = gallery.delete(run.folder)
    assert first.name == run.folder.name and second.name == f"{run.folder.name}-2"
    assert gallery.restore(second).name == second.name and gallery.restore(first).name == first.name


def test_what_is_in_the_trash_stays_there():
    away = gallery.delete(begun().folder)
    with pytest.raises(Refused, match="is in the trash already; there it waits until the trash is emptied: "):
        gallery.delete(away)
    assert away.exists()


def test_emptying_the_trash_is_for_good():
    kept, gone = begun(minute=1), begun(minute=2)
    gallery.delete(gone.folder)
    assert gallery.empty() == 1 and names() == [kept.folder.name] and not gallery.trash().exists()
    assert gallery.empty() == 0


def test_what_is_painted_is_not_deleted():
    run = begun()
    with safe_files.alone(run.folder), pytest.raises(Refused, match="is being painted already"):
        gallery.delete(run.folder)
    assert run.folder.exists()


def test_only_the_trash_gives_back():
    run = begun()
    with pytest.raises(Refused) as refused:
        gallery.restore(run.folder)
    assert str(refused.value) == (f"'{run.folder}' is not in the trash; what is deleted lies in '.trash' "
                                  "beside the runs: restore a run of that folder")


def test_details():
    run = paint(None, settings(prompts="fog", seed=7, steps=3, contrast=2.0))
    told = gallery.details(run.folder)
    assert told.pop("seconds") >= 0 and told.pop("started").startswith("20")
    assert told == {"system": "small", "prompts": "fog", "seed": 7, "knobs": {"steps": 3, "contrast": 2.0},
                    "turned": 0, "step": 3, "total": 3, "status": "finished", "error": ""}
