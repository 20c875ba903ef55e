"""What happens to pictures once they are painted: seen, filmed, laid side by side.

    last = show(record(run.paint(), run))       # one place in the notebook; the stop button ends it cleanly
    film(run, fps=15, loop="ping-pong")         # also from a folder of frames, or frames themselves
    sheet([run_a, "b.png", image], ["fog", "neon", "both"], "sheet.png");  steps(run)
"""

import base64
import html
import io
import math
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from . import films, images, inputs, machine, page, picture_files, runs, safe_files
from .errors import Refused

LOOK = 0.4          # seconds between two looks at the picture
PAPER, INK = (250, 250, 248), (40, 40, 40)


def show(frames, seconds: float = LOOK, width: int = 512):
    """Draw frames into one display slot as they come; return the last, also where somebody stops it.

    `width`: pixels on the page. Outside of notebooks nothing is shown; the frames are painted all the same.
    """
    slot, last, seen, began, looked = _slot(), None, None, time.monotonic(), 0.0
    first = None
    try:
        for last in frames:
            first = last if first is None and last.step else first
            seen = last if last.image is not None else seen
            if slot and (not looked or time.monotonic() - looked >= seconds):
                slot.update(_live(seen, last, first, time.monotonic() - began, width), raw=True)
                looked = time.monotonic()
    except KeyboardInterrupt:       # the stop button is a way to finish
        pass
    finally:
        close = getattr(frames, "close", None)
        if close:
            close()     # a recording keeps its picture now, not when memory is tidied up
        if slot and seen is not None:
            slot.update(_still(seen, last, time.monotonic() - began, width), raw=True)
    return last


def film(source, path=None, fps: float = 15, loop: str = "once", crossfade: int = 0, smoothing: float = 0.0,
         hold: float = 0.0, length: float = 0.0) -> Path:
    """A film (mp4, webm or gif) of a run, a folder of pictures, or frames; see films.write for the rest.

    Of a run it is film.mp4 in its folder, unless said otherwise, and carries the settings of the run.
    """
    pictures, text, home = _series(source)
    path = path or home / "film.mp4"
    return films.write(pictures, path, fps, loop, crossfade, smoothing, hold, text, length)


def sheet(pictures, captions=(), path=None, columns: int = 0, side: int = 256) -> Image.Image:
    """A contact sheet: pictures (runs, paths, images, Frames) in a grid, each over its caption.

    `side`: pixels of a cell. `columns`: 0 is as square as can be. Saved as PNG where a path is given.
    """
    tiles = [tiled(picture, side) for picture in pictures]
    if not tiles:
        raise Refused("there are no pictures for the sheet", "it needs one at least", "give some")
    columns = min(columns or math.ceil(math.sqrt(len(tiles))), len(tiles))
    gap, size, tall = max(4, side // 32), max(11, side // 18), max(tile.height for tile in tiles)
    font = ImageFont.load_default(size)
    notes = [wrapped(str(caption), font, side) for caption in captions] + [[]] * len(tiles)
    rows = [tall + gap + round(max(map(len, notes[first:min(first + columns, len(tiles))])) * size * 1.35)
            for first in range(0, len(tiles), columns)]
    paper = Image.new("RGB", (gap + columns * (side + gap), gap + sum(rows)), PAPER)
    draw = ImageDraw.Draw(paper)
    for number, (tile, lines) in enumerate(zip(tiles, notes, strict=False)):
        x, y = gap + number % columns * (side + gap), gap + sum(rows[:number // columns])
        paper.paste(tile, (x + (side - tile.width) // 2, y + (tall - tile.height) // 2))
        for line, words in enumerate(lines):
            draw.text((x, y + tall + size * (0.15 + 1.3 * line)), words, INK, font)
    if path:
        safe_files.write(path, picture_files.png(paper))
    return paper


def steps(run, count: int = 8, path=None) -> Image.Image:
    """How the picture of a run came about: a sheet of `count` of its frames, evenly from first to last."""
    last = len(run.frames) - 1
    numbers = sorted({round(i * last / max(1, count - 1)) for i in range(count)}) if last >= 0 else []
    chosen = [run.frames[number] for number in numbers]
    return sheet(chosen, [f"step {int(frame.stem)}" for frame in chosen], path, columns=4, side=120)


def clock(seconds: float) -> str:
    """'42 s', '3 min 20 s' or '1 h 05 min'."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min {seconds % 60:02} s" if seconds < 3600 else \
        f"{seconds // 3600} h {seconds % 3600 // 60:02} min"


def progress(frame, first, spent: float) -> str:
    """One line: where we are, time left, losses. `first` is the first frame seen in these `spent` seconds."""
    if not frame.step:
        return frame.note
    done = frame.step - first.step + 1
    left = "" if frame.step >= frame.total else f", {clock(spent / done * (frame.total - frame.step))} left"
    losses = "  ".join(f"{name} {value:.3f}" for name, value in frame.losses.items())
    return f"step {frame.step} of {frame.total}{left}" + (f"   {losses}" if losses else "")


def _slot():
    if not machine.in_notebook():
        return None
    from IPython.display import display
    return display({"text/plain": ""}, raw=True, display_id=True)


def _live(seen, frame, first, spent, width):
    """While it is painted: the picture, a bar, a line."""
    bar = f'<progress value="{frame.step}" max="{frame.total}" style="width:{width}px"></progress>'
    line = html.escape(progress(frame, first, spent))
    picture = "" if seen is None else \
        f'<img width="{width}" src="{page.inline(jpeg(seen.image, width))}">'
    return {"text/html": f'{picture}<br>{bar}<br><small style="font-family:monospace">{line}</small>',
            "text/plain": line}


def _still(seen, frame, spent, width):
    """When it is done: a plain picture, which every viewer of notebooks shows and which stays small."""
    return {"image/jpeg": base64.b64encode(jpeg(seen.image, width)).decode(),
            "text/plain": f"step {frame.step} of {frame.total}, painted in {clock(spent)}"}


def jpeg(image, width) -> bytes:
    """A picture (n, 3, h, w) as a page shows it, so many pixels wide."""
    picture, file = images.to_pil(image), io.BytesIO()
    if picture.width != width:
        picture = picture.resize((width, max(1, round(picture.height * width / picture.width))),
                                 Image.Resampling.LANCZOS)
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()


def _series(source) -> tuple[list, dict | None, Path]:
    """(pictures, what to say in the film, where it goes by default)"""
    if isinstance(source, (str, Path)):
        folder = safe_files.place(source)
        if not (folder / runs.MANIFEST).is_file():
            pictures = inputs.pictures_in(folder)
            return pictures, picture_files.read_text(pictures[0]), folder.parent
        source = runs.open(folder)
    if isinstance(source, runs.Run):
        return source.frames or [p for p in [source.picture] if p.exists()], source.text(), source.folder
    return [one for one in source if getattr(one, "image", one) is not None], None, Path()


def opened(source) -> Image.Image:
    """Any picture, or that of a run, its folder, a Frame."""
    if isinstance(source, runs.Run):
        source = source.picture
    if isinstance(source, (str, Path)):
        source = safe_files.place(source)
        source = picture_files.load(source / "picture.png" if source.is_dir() else source)
    return images.to_pil(getattr(source, "image", source))


def tiled(source, side) -> Image.Image:
    picture = opened(source)
    ratio = side / max(picture.size)
    way = Image.Resampling.LANCZOS if ratio < 2 else Image.Resampling.NEAREST       # small pixels stay pixels
    return picture.resize([max(1, round(length * ratio)) for length in picture.size], way)


def wrapped(text, font, width) -> list[str]:
    """At most three lines that fit."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines[:3] if text else []
