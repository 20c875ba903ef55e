"""Commands for what is painted already: find it, film it, read how it was made."""

import json

from . import presets, systems
from .errors import Refused, unknown
from .parsers import DEFAULT, Parser, asked_system, number, painter, parsed, title, wanted
from .terminal import complain, say

COUNT = 20      # runs that are listed


def shelf(words) -> int:
    """List runs, or do something with one of them."""
    parser = Parser("runs", "What was painted, the newest first; a star marks what you starred.")
    parser.add_argument("words", nargs="*", help="those whose prompts have all of these words")
    parser.add_argument("--system", metavar="NAME", default="", help="of this system")
    parser.add_argument("--status", metavar="HOW", default="",
                        help="finished, stopped, painting, failed, new")
    parser.add_argument("--starred", action="store_true", help="those with a star")
    parser.add_argument("--trashed", action="store_true", help="those in the trash")
    parser.add_argument("--count", metavar="N", default=str(COUNT), help=f"so many [default {COUNT}]")
    acts = {"star": "mark this run", "unstar": "take its star away", "delete": "put it into the trash",
            "restore": "take it out of the trash"}
    for name, text in acts.items():
        parser.add_argument(f"--{name}", metavar="RUN", help=text)
    parser.add_argument("--empty-trash", action="store_true", help="delete for good what is in the trash")
    options = parsed(parser, words)
    asked = [name for name in acts if getattr(options, name)] + ["empty-trash"] * options.empty_trash
    if len(asked) > 1:
        raise Refused(f"--{asked[0]} and --{asked[1]} are given", "one thing is done at a time",
                      "leave one out")
    return _act(asked[0], getattr(options, asked[0], None)) if asked else _listed(options)


def _act(name, run) -> int:
    from . import gallery
    if name == "empty-trash":
        say(f"deleted  {gallery.empty()} runs")
    elif name in ("delete", "restore"):
        say(f"run      {getattr(gallery, name)(run)}")
    else:
        gallery.star(run, name == "star")
    return 0


def _listed(options) -> int:
    from . import gallery
    most, status = number("count", options.count, int), options.status
    if status not in ("", *gallery.STATUSES):
        raise unknown("status", status, gallery.STATUSES)
    found = gallery.find(" ".join(options.words), options.system, status, options.starred,
                         gallery.trash() if options.trashed else None)
    for entry in found[:most]:
        steps = f"{entry.step}/{entry.total}" if entry.unfinished and entry.total else ""
        say(f"{'*' if entry.starred else ' '} {entry.status:8} {steps:9} {entry.folder}")
    if len(found) > most:
        say(f"  and {len(found) - most} more; --count {len(found)} lists them all")
    return 0


def contrast(words) -> int:
    """A comparison, new or gone on with."""
    name = asked_system(words)
    cls = systems.load(name).Settings
    parser = painter("compare", "Paint the same over a grid of two knobs or seeds, each cell a run.", cls)
    parser.usage = f'{parser.prog} ["WORDS"] --across KNOB=VALUES [--down KNOB=VALUES] [--KNOB VALUE …]'
    parser.add_argument("words", nargs="*", help="what to paint, as --prompts", default=[])
    parser.add_argument("--system", metavar="NAME", help=f"{', '.join(systems.SYSTEMS)} [default {DEFAULT}]")
    for way in ("across", "down"):
        parser.add_argument(f"--{way}", metavar="KNOB=…",
                            help="seed=1,2,3; a semicolon parts what has commas")
    parser.add_argument("--resume", metavar="FOLDER", help="go on with a stopped comparison, as it was")
    options = parsed(parser, words, cls)
    values = wanted(options, cls)
    from . import compare
    if options.resume:
        if values or options.system or options.across or options.down:
            raise Refused("--resume goes on with a comparison as it is", "it takes no other knobs",
                          "leave them out")
        return _compared(compare.open(options.resume))
    if not options.across:
        raise Refused("compare needs --across", "a knob and its values", "try --across seed=1,2,3")
    axes = [_axis(way, getattr(options, way)) for way in ("across", "down")]
    return _compared(compare.begin(name, cls.of(**values), *axes))


def _axis(way, text):
    """seed=1,2,3 -> ("seed", "1,2,3")"""
    knob, mark, values = (text or "").partition("=")
    if text and not mark:
        raise Refused(f"{way} is {text!r}", "it must be a knob and its values", "try seed=1,2,3")
    return (knob.strip().replace("-", "_"), values) if text else None


def _compared(comparison) -> int:
    """Paint it with a progress bar, and say where it is."""
    from tqdm import tqdm
    status, cells = 0, len(comparison.cells())
    with tqdm(total=100, unit="%", bar_format="{desc}{percentage:3.0f}%|{bar}|{postfix}") as bar:
        try:
            for one in comparison.paint():
                bar.set_description(f"{one.cell} of {cells}", refresh=False)
                if one.left is not None:
                    bar.set_postfix_str(f"{one.left:.0f} s left", refresh=False)
                bar.update(100 * one.done - bar.n)
        except KeyboardInterrupt:
            status = 130
    if status:
        complain(f"stopped; go on with:\n  python -m helpers compare --resume '{comparison.folder}'")
    say(f"picture  {comparison.picture}\ncompared {comparison.folder}")
    return status


def film(words) -> int:
    parser = Parser("film", "Make a film of the pictures of a run, or of any folder of pictures.")
    parser.add_argument("run", help="the folder of a run, or of pictures")
    parser.add_argument("--to", metavar="FILE", help=".mp4, .webm or .gif [default film.mp4 in the run]")
    parser.add_argument("--loop", default="once", metavar="HOW", help="once, loop, ping-pong [default once]")
    numbers = {"fps": (15.0, "pictures per second"), "crossfade": (0, "blended pictures between each two"),
               "smoothing": (0.0, "how much of a picture its neighbors show, against flicker, 0 to 0.95"),
               "hold": (0.0, "seconds the last picture stays"),
               "length": (0.0, "seconds it lasts besides, in place of fps; 0 is what fps says")}
    for name, (default, text) in numbers.items():
        parser.add_argument(f"--{name}", metavar="N", default=str(default),
                            help=f"{text} [default {default:g}]")
    options = parsed(parser, words)
    given = {name: number(name, getattr(options, name), type(default))
             for name, (default, _) in numbers.items()}
    from . import studio
    say(f"film     {studio.film(options.run, options.to, loop=options.loop, **given)}")
    return 0


def show(words) -> int:
    parser = Parser("settings", "What a picture was painted with; a star marks what is not default.")
    parser.add_argument("picture", help="a PNG painted here, a run's folder, or settings of Disco Diffusion")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--python", action="store_true", help="as the lines of Python that paint it again")
    options = parsed(parser, words)
    from . import runs
    if options.python:
        say(runs.script(options.picture))
        return 0
    settings = runs.load(options.picture)
    name = type(settings).__module__.rpartition(".")[2]
    if options.json:
        say(json.dumps({"system": name, "settings": settings.to_dict()}, indent=1, ensure_ascii=False))
        return 0
    changed, wide = settings.changed(), max(map(len, settings.to_dict()))
    say(f"  {'system':{wide}}  {name}")
    for knob, value in settings.to_dict().items():
        say(f"{'*' if knob in changed else ' '} {knob:{wide}}  {value}")
    return 0


def listing(words) -> int:
    parsed(Parser("systems", "What there is to paint with."), words)
    for name in systems.SYSTEMS:
        say(f"{name:12} {title(name)}")
    return 0


def offered(words) -> int:
    parser = Parser("presets", "Knobs under a name, for --preset: what comes with the suite, then your own.")
    parser.add_argument("--system", metavar="NAME", help="of this system alone")
    asked = parsed(parser, words).system
    if asked is not None:
        systems.load(asked)
    for system in systems.SYSTEMS if asked is None else [asked]:
        for name, about in presets.told(system).items():
            say(f"{system:21}  {name:16}  {about}")
    return 0
