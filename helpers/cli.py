"""The command line: `python -m helpers paint --prompts "a red lighthouse by the sea"`, and what comes after.

One parser per command, built from the settings class of the system asked for; torch is imported only once
there is something to paint. Refusals go to stderr in one sentence, exit status 2; a stopped painting is 130.
"""

import logging
import os
import sys

from . import commands, preparing, retracing, systems
from .errors import Refused, unknown
from .parsers import DEFAULT, asked_system, lone_word, number, painter, parsed, tidy, title, wanted
from .terminal import begin, complain, keep, say

ABOUT = """\
The history of text-to-image, from the command line.

  paint     paint a picture:          python -m helpers paint "a red lighthouse by the sea at sunset"
            with any knob:            python -m helpers paint "cat | snow:0.5" --system deep_daze --steps 99
            go on with a run:         python -m helpers paint --resume runs/…
            with a preset's knobs:    python -m helpers paint "a castle" --preset "soft watercolor"
            as Disco Diffusion did:   python -m helpers paint --from "TimeToDisco(0)_settings.txt"
  outpaint  a picture made larger:    python -m helpers outpaint picture.png --right 128
  crop      a part of a picture:      python -m helpers crop cat.jpg 0,0,320,240 --to part.png
  mask      where to paint anew:      python -m helpers mask cat.jpg --across 0.25,0.75 --to mask.png
  compare   a grid of two knobs:      python -m helpers compare "castle" --across seed=1,2,3 --down crops=8,32
  runs      what was painted:         python -m helpers runs [castle fog] [--starred]
  states    where a run can go back:  python -m helpers states runs/…
  undo      let it go back:           python -m helpers undo runs/… [40]
  branch    a run on from there:      python -m helpers branch runs/… 40 --prompts "a castle at night"
  film      make a film of a run:     python -m helpers film runs/…
  settings  what a picture is made of python -m helpers settings picture.png
  again     paint a picture again:    python -m helpers again picture.png [--seed 7]
  systems   what there is to paint with
  presets   what --preset turns:      python -m helpers presets [--system deep_daze]

python -m helpers paint --system NAME --help lists every knob of a system, its range and its default."""


def main(words: list[str] | None = None) -> int:
    """Run one command; the exit status: 0, 2 where it is Refused, 130 stopped, 141 where nobody reads."""
    try:
        try:
            return obey(list(sys.argv[1:] if words is None else words))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:     # who reads has read enough, as `head` has; nothing is said at the exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141              # as shells call it


def obey(words: list[str]) -> int:
    known = {"paint": paint, "again": again, "outpaint": preparing.outpaint, "crop": preparing.crop,
             "mask": preparing.mask, "compare": commands.contrast, "runs": commands.shelf,
             "states": retracing.listing, "undo": retracing.undo, "branch": retracing.branch,
             "film": commands.film, "settings": commands.show, "systems": commands.listing,
             "presets": commands.offered}
    if not words or words[0] in ("-h", "--help", "help"):
        say(ABOUT)
        return 0
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        if words[0] not in known:
            raise unknown("command", words[0], known)
        return known[words[0]](tidy(words[1:]))
    except Refused as refused:
        complain(str(refused))
        return 2
    except KeyboardInterrupt:
        complain("stopped")
        return 130


def paint(words) -> int:
    name = "disco_diffusion" if any(w.partition("=")[0] == "--from" for w in words) else asked_system(words)
    cls = systems.load(name).Settings
    parser = painter("paint", f"Paint a picture with {name}. {title(name)}", cls)
    parser.usage = f'{parser.prog} ["WORDS"] [--system NAME] [--size N|WxH] [--resume RUN] [--KNOB VALUE …]'
    parser.add_argument("words", nargs="*", help="what to paint, as --prompts", default=[])
    parser.add_argument("--system", metavar="NAME", help=f"{', '.join(systems.SYSTEMS)} [default {DEFAULT}]")
    parser.add_argument("--series", metavar="N", default="1", help="so many pictures, one after another, "
                        "each a run with a seed of its own (n_batches) [default 1]")
    parser.add_argument("--resume", metavar="RUN", help="go on with a stopped or killed run, as it was")
    parser.add_argument("--from", metavar="FILE", dest="source", help="as these settings of Disco Diffusion "
                        "or discoart have it, but for the knobs given")
    options = parsed(parser, words, cls)
    values = wanted(options, cls)
    if options.resume:
        if values or options.system or options.source:
            raise Refused("--resume goes on with the settings of the run", "it takes no other knobs",
                          "leave them out, or paint anew without --resume")
        from . import runs
        run = runs.open(options.resume)
        return keep(run.resume(), run)
    if options.source is not None:
        if options.system not in (None, name):
            raise Refused(f"--from is for {name}", "no other system has its knobs", "leave out --system")
        from . import runs
        values = runs.imported(options.source) | values
    return begin(name, cls.of(**values), count=max(1, number("series", options.series, int)))


def again(words) -> int:
    from . import runs
    path = lone_word(words)
    if path is None and not {"-h", "--help"} & set(words):
        raise Refused("again needs a picture", "any PNG painted here, or the folder of its run", "name one")
    saved = runs.load(path) if path else systems.load(DEFAULT).Settings()
    cls = type(saved)
    parser = painter("again", "Paint a picture again, the same where no knob is turned.", cls)
    parser.add_argument("picture", help="a PNG painted here, or the folder of a run")
    values = wanted(parsed(parser, words, cls), cls)
    name, settings = cls.__module__.rpartition(".")[2], saved.but(**values) if values else saved
    return begin(name, settings, runs.turns(path) if path else ())
