"""Every real system, kept and resumed in a run folder: the pixels of an uninterrupted run, bit for bit."""

import numpy as np
import pytest
import stand_ins
import torch

from helpers import gallery, history, images, runs, studio, systems

PHOTO = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
MASK = np.pad(np.full((32, 64), 255, np.uint8), ((32, 0), (0, 0)))
CASES = {
    "deep_daze": {}, "deep_daze story": {"prompts": "moon ^ sea", "steps": 6},
    "deep_daze start": {"init_image": PHOTO, "init_weight": "1", "ema": 0.5},
    "vqgan_clip": {}, "vqgan_clip edit": {"init_image": PHOTO, "mask": MASK, "optimizer": "DiffGrad"},
    "vqgan_clip film": {"film": 3, "steps": 2, "frame_steps": 2, "zoom": "1.1", "film_smoothing": 0.5},
    "vqgan_clip style": {"frames": 3, "steps": 2, "frame_steps": 2, "frame_weight": "2"},
    "vqgan_clip files": {"encoding": "rows.npy", "palette": "@photo.png", "codes": "soft"},
    "vqgan_clip patience": {"patience": 1, "learning_rate": "0.00001", "optimizer": "AdamP", "ema": 0.5},
    "clip_guided_diffusion": {}, "disco_diffusion": {"perlin": "mixed", "mirror": "both", "skip": 0},
    "clip_guided_diffusion edit": {"init_image": PHOTO, "mask": MASK, "eta": 0.2},
    "clip_guided_diffusion start": {"init_image": PHOTO, "skip": 1, "sampler": "plms", "init_weight": "1"},
    "disco_diffusion tiles": {"init_image": PHOTO, "tiles": 2, "init_likeness": "1", "eta": 0.3},
    "big_sleep": {"pictures": 2, "ema": 0.5}, "big_sleep story": {"prompts": "moon ^ sea", "steps": 6},
    "big_sleep edit": {"init_image": PHOTO, "mask": MASK, "best": True, "steps": 12},
    "gan walk": {"prompts": "boat ^ cat", "walk": 5, "pictures": 1},
    "gan edit": {"prompts": "boat", "init_image": PHOTO, "mask": MASK, "fit_steps": 5, "every": 1},
    "vqgan_clip fft": {"drawer": "fft", "optimizer": "RAdam", "image_prompts": [PHOTO]},
}


@pytest.fixture(autouse=True)
def eyes(monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.delenv("REHEARSAL", raising=False)
    return stand_ins.install(monkeypatch)


def small(name, tmp_path, **values):
    cls = systems.load(name).Settings
    if "frames" in values:
        values["frames"] = tmp_path / "frames"
        values["frames"].mkdir()
        for number in range(3):
            studio.sheet([np.roll(PHOTO, number * 9, 0)], path=values["frames"] / f"{number}.png", side=64)
    if "encoding" in values:
        np.save(tmp_path / "rows.npy", np.eye(12)[:2])
        studio.sheet([PHOTO], path=tmp_path / "photo.png", side=64)
        values |= {"encoding": tmp_path / "rows.npy", "palette": f"@{tmp_path / 'photo.png'}"}
    base = cls().rehearsal().to_dict()
    if "steps" in base:
        base |= {"prompts": "moon | sea:-0.3", "steps": 5}
    return cls.from_dict(base | values)


def paint(name, settings, root, stop=0):
    run = runs.start(name, settings, root)
    for frame in runs.record(run.paint(), run, checkpoint_seconds=0):
        if stop and frame.step == stop:
            break
    return run


@pytest.mark.parametrize("case", CASES)
def test_stopped_and_resumed_or_painted_again(case, tmp_path):
    name = case.split()[0]
    settings = small(name, tmp_path, **CASES[case])
    whole, cut = paint(name, settings, tmp_path / "a"), paint(name, settings, tmp_path / "b", stop=3)
    assert cut.manifest["status"] == "stopped" and cut.manifest["step"] == 3
    for path in tmp_path.glob("*.*"):
        path.unlink()       # files from outside are no longer needed
    for _ in runs.record(runs.resume(cut.folder), cut):
        pass
    assert cut.manifest["status"] == "finished" and len(cut.frames) >= 2
    assert cut.picture.read_bytes() == whole.picture.read_bytes()
    assert [path.read_bytes() for path in cut.frames] == [path.read_bytes() for path in whole.frames]
    again = paint(name, runs.load(whole.picture), tmp_path / "c")
    assert (studio.images.load(again.picture).tobytes() == studio.images.load(whole.picture).tobytes())
    assert whole.manifest["weights"].keys() >= {"biggan-world" if name == "gan" else "disco-resnet"}


def test_a_search_of_another_class_goes_on_where_it_was_stopped(tmp_path):
    settings = small("gan", tmp_path, prompts="boat", init_image=PHOTO, fit_steps=8, every=1)
    pixels = []
    for stop in (8, 5):
        run = runs.start("gan", settings, tmp_path)
        painting = run.paint()
        for frame in runs.record(painting, run, checkpoint_seconds=0):
            if frame.step == 2:
                run.turn(painting, prompts="cat")
            if frame.step == stop:
                break
        if stop < 8:
            for _ in runs.record(runs.resume(run.folder), run):
                pass
        pixels.append(studio.images.load(run.picture).tobytes())
    assert pixels[0] == pixels[1]


def test_a_knob_turned_on_the_way_turns_again(tmp_path):
    settings = small("vqgan_clip", tmp_path)
    whole = runs.start("vqgan_clip", settings, tmp_path)
    painting = whole.paint()
    for frame in runs.record(painting, whole):
        if frame.step == 2:
            whole.turn(painting, crops=1, prompts="castle")
    again = runs.start("vqgan_clip", runs.load(whole.folder), tmp_path, live=runs.turns(whole.folder))
    for _ in runs.record(again.paint(), again):
        pass
    assert again.picture.read_bytes() == whole.picture.read_bytes()
    assert paint("vqgan_clip", settings, tmp_path).picture.read_bytes() != whole.picture.read_bytes()


def test_several_pictures_are_kept_singly_too(tmp_path):
    """Beside the sheet, with its settings; the gallery sees one run, and going back takes them along."""
    settings = small("clip_guided_diffusion", tmp_path, pictures=3)
    run = paint("clip_guided_diffusion", settings, tmp_path)
    assert [path.name for path in run.singles] == [f"picture-0{number}.png" for number in (1, 2, 3)]
    single = torch.cat([images.open(path) for path in run.singles])
    assert torch.equal(images.grid(single), images.open(run.picture))
    assert runs.load(run.singles[1]) == settings and runs.open(run.singles[1]).folder == run.folder
    assert [entry.folder for entry in gallery.entries(tmp_path)] == [run.folder]
    history.History(run).rewind(3)
    assert run.singles == []
    alone = paint("clip_guided_diffusion", settings.but(pictures=1), tmp_path)
    assert alone.singles == [] and alone.picture.exists()
