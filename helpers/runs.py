"""A run: a folder with everything about one painting, from its settings to its last picture.

    run = start("deep_daze", settings)          # runs/2026-03-01-1530-deep_daze-a-red-lighthouse/
    for frame in record(run.paint(), run): …    # frames/00010.png …, picture.png, checkpoint.safetensors
    settings = load(run.picture)                # from any PNG or folder: the same picture again
    for frame in record(resume(run.folder), run.folder): …      # after a kill or a stop

Of several pictures at once picture.png is a sheet, and each is there by itself: picture-01.png …

manifest.json: system, settings, seed, versions, weights (name: sha256), status (new, painting, stopped,
finished, failed), started, seconds, step, total, inputs (copied pictures and where they were), live (changes
by step), branch (the run and step it comes from). A folder can be moved; every file in it is whole at any
moment. `session` paints one in a thread and steers it; states/ has what it can go back to.
"""

import logging
import re
import unicodedata
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from . import films, inputs, machine, manifests, old_settings, picture_files, recording, safe_files
from .errors import Refused
from .run_folder import MANIFEST, Run, home, open, settings_of, system_named, warn_of_others

__all__ = ["MANIFEST", "Run", "all_runs", "home", "imported", "load", "open", "record", "resume", "script",
           "start", "system", "turns", "unfinished"]

log = logging.getLogger(__name__)
SPARE_ROOM = 16 << 20       # bytes that must be free before a run begins, besides ten pictures


def start(system: str, settings, root=None, live=()) -> Run:
    """Make the folder of a new run and copy its pictures there; refused before anything is left behind.

    live: knobs to turn on the way, as `turns(path)` tells them of an earlier run.
    """
    system_named(system)
    inputs.check(settings)
    root = safe_files.folder(home(root), SPARE_ROOM + 30 * settings.width * settings.height)
    run = Run(_new_folder(root, system, getattr(settings, "prompts", "")), {"system": system})
    try:
        values, origins = inputs.keep(settings, run.folder)
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        run.note(format=1, settings=values, seed=settings.seed, inputs=origins, versions=machine.versions(),
                 live=list(live), started=now, status="new")
    except BaseException:
        run.discard()
        raise
    return run


def unfinished(system: str, settings, root=None) -> Run | None:
    """The newest run of these very settings that was stopped or cut off, to be resumed; None where there is
    none, or somebody paints it, or it was steered. Runs that began with pictures are left out: those may
    have changed since."""
    for run in reversed(all_runs(root)):
        said = run.manifest
        if run.system != system or said.get("status") == "finished" or said.get("live") or said.get("inputs"):
            continue
        with suppress(Refused):
            if run.settings == settings:
                with safe_files.alone(run.folder):
                    return run
    return None


def record(painting, run, every: int | None = None, checkpoint_seconds: float = recording.SECONDS):
    """Pass frames on, keeping what `recording` says; `run` is a Run or its folder."""
    return recording.record(painting, run if isinstance(run, Run) else open(run), every, checkpoint_seconds)


def resume(folder):
    """The painting of a stopped or killed run, ready to go on to the same pixels."""
    return open(folder).resume()


def load(path):
    """The settings behind a PNG, a film or the folder of a run: painted again, they give the same picture. Of
    a settings file of Disco Diffusion or discoart, too; what it says that we cannot is logged."""
    path = safe_files.place(path)
    if _is_old(path):
        return system_named(old_settings.SYSTEM).Settings.from_dict(imported(path))
    if _is_run(path):
        run = open(path)
        warn_of_others(run.manifest.get("weights", {}))
        return run.settings
    said = _said(path)
    if not said:
        raise Refused(f"'{path}' carries no settings", "pictures painted here do, if left as they are",
                      "give the folder of the run")
    warn_of_others(said.get("weights", {}))
    home_of = next((p for p in (path.parent, path.parent.parent) if (p / MANIFEST).is_file()), path.parent)
    return settings_of(said, home_of)


def imported(path) -> dict:
    """Knobs of disco_diffusion, not checked yet, of a settings file of Disco Diffusion or discoart."""
    path = safe_files.place(path)
    _, values, unmatched = old_settings.read(path)
    for line in unmatched:
        log.warning("%s: %s", path.name, line)
    return values


def script(path) -> str:
    """The lines of Python that paint again what `load` finds there; only what differs from the defaults."""
    settings, live = load(path), turns(path)
    knobs = (",\n" + " " * 23).join(f"{name}={value!r}" for name, value in settings.changed().items())
    turned = f", live={live!r}" if live else ""
    return (f"from helpers import runs\nfrom {type(settings).__module__} import Settings\n\n"
            f"settings = Settings.of({knobs})\n"
            f"run = runs.start({system(path)!r}, settings{turned})\n"
            "for frame in runs.record(run.paint(), run):\n    pass")


def turns(path) -> list[dict]:
    """Live knobs that were turned while this was painted: [{"step": 40, "crops": 8}, …]"""
    path = safe_files.place(path)
    if _is_old(path):
        return []
    return (open(path).text() if _is_run(path) else _said(path)).get("live", [])


def system(path) -> str:
    """Which system painted this: the name for `helpers.systems.load`."""
    path = safe_files.place(path)
    if _is_old(path):
        return old_settings.SYSTEM
    return open(path).system if _is_run(path) else _said(path).get("system", "")


def all_runs(root=None) -> list[Run]:
    """Every run below a folder, the newest last."""
    found = []
    for path in home(root).glob(f"*/{MANIFEST}"):
        try:
            found.append(Run(path.parent, manifests.read(path.parent)))
        except Refused as refused:      # one that is damaged hides no others
            log.warning("%s", refused)
    return sorted(found, key=_age)


def _is_run(path) -> bool:
    return path.is_dir() or path.name == MANIFEST


def _is_old(path) -> bool:
    """Settings of a dead original, by the name of the file?"""
    return old_settings.may_be(path) and not _is_run(path)


def _age(run) -> tuple:
    """Oldest first; those of one second by their folders, run-9 before run-10."""
    try:
        when = datetime.fromisoformat(run.manifest["started"]).timestamp()
    except (KeyError, ValueError, OverflowError, OSError):
        when = 0.0
    return when, [(not part.isdigit(), int(part) if part.isdigit() else 0, part)
                  for part in re.split(r"(\d+)", run.folder.name)]


def _said(path) -> dict:
    """What a picture or film says about itself; {} where that is nothing a run could have said."""
    said = films.read_text(path) if path.suffix.lower() in films.CODECS else picture_files.read_text(path)
    return {} if manifests.strange(said) else said


def _new_folder(root: Path, system: str, prompts: str) -> Path:
    plain = unicodedata.normalize("NFKD", prompts).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:40].strip("-") or "untitled"
    return safe_files.fresh(root, f"{datetime.now():%Y-%m-%d-%H%M}-{system}-{slug}")
