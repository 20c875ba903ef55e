"""Films: a series of pictures to mp4, webm or gif, written whole or not at all, their settings inside.

    write(["frames/00010.png", image, …], "film.mp4", fps=15, loop="ping-pong", crossfade=3, text={…})
    read_text("film.mp4")

Pictures are read one by one; a film of ten thousand needs no more memory than a film of two.
"""

import errno
import json
import math
import re
import shutil
import subprocess
from collections import deque
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from . import images, picture_files, safe_files
from .errors import Refused, quoted

CODECS = {".mp4": "libx264", ".webm": "libvpx-vp9", ".gif": None}
QUALITY = {".mp4": ["-crf", "17", "-preset", "slow", "-movflags", "+faststart"],
           ".webm": ["-crf", "24", "-b:v", "0", "-row-mt", "1"]}
# Without these, players take large films for bt709 and show their bt601 colors a little wrong.
COLORS = ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709",
          "-color_primaries", "bt709", "-color_trc", "bt709"]
LOOPS = ("once", "loop", "ping-pong")
REACH = 8       # neighbors on each side that smoothing mixes in, at most


def write(pictures, path, fps: float = 15, loop: str = "once", crossfade: int = 0, smoothing: float = 0.0,
          hold: float = 0.0, text=None, length: float = 0.0) -> Path:
    """Make the film and return its path.

    loop: "once", "loop" (the end crossfades into the beginning), "ping-pong" (there and back).
    crossfade: blended pictures between each two. smoothing, 0 to 0.95: how much of a picture is seen in its
    neighbors, before and after, against flicker (rkhamilton's z_smoother, on pixels). hold: seconds the last
    picture stays. text: anything JSON, kept in the film. length: seconds that it lasts, besides hold, in
    place of fps.
    """
    path, pictures = safe_files.place(path), list(pictures)
    _check(path, pictures, fps, loop, crossfade, smoothing, hold)
    fps = _pace(len(pictures), loop, crossfade, length) if length else fps
    shown = _smooth(_blend(pictures, _order(len(pictures), loop), crossfade, loop), smoothing)
    shown = _hold(shown, round(hold * fps) if loop == "once" else 0)
    safe_files.folder(path.parent)
    with safe_files.whole(path) as spare:
        if path.suffix.lower() == ".gif":
            _write_gif(shown, spare, fps, loop, text)
        else:
            _write_video(shown, spare, path.suffix.lower(), fps, text)
    return path


def read_text(path):
    """What `write` was told to keep in the film, or None."""
    if Path(path).suffix.lower() == ".gif":
        said = picture_files.load(path).info.get("comment", b"").decode("utf-8", "replace")
    else:
        command = [_ffmpeg(), "-v", "error", "-i", f"file:{path}", "-f", "ffmetadata", "-"]     # no address
        meta = subprocess.run(command, capture_output=True, timeout=60).stdout.decode("utf-8", "replace")
        found = re.search(r"^comment=((?:[^\\\n]|\\.)*)", meta, re.IGNORECASE | re.MULTILINE | re.DOTALL)
        said = re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL) if found else ""
    try:
        return json.loads(said)
    except ValueError:
        return None


def _check(path, pictures, fps, loop, crossfade, smoothing, hold):
    if path.suffix.lower() not in CODECS:
        raise Refused(f"the film ends in {path.suffix!r}", f"choose one of {quoted(CODECS)}")
    if loop not in LOOPS:
        raise Refused(f"loop is {loop!r}", f"choose one of {quoted(LOOPS)}")
    ranges = {"fps": (fps, 0.1, 120), "crossfade": (crossfade, 0, 100), "smoothing": (smoothing, 0, 0.95),
              "hold": (hold, 0, 600)}
    for name, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise Refused(f"{name} is {value:g}", f"it must be between {low:g} and {high:g}",
                          f"try {low if value < low else high:g}")
    if not pictures:
        raise Refused("there are no frames to film", "a film needs one at least",
                      "paint with a smaller number of steps between saved frames")


def _pace(count, loop, crossfade, length) -> float:
    """Pictures per second for a film of this length."""
    order = len(_order(count, loop))
    shown = order + crossfade * (order - (loop == "once" or count < 2))
    least, most = math.ceil(shown / 1.2) / 100, 10 * shown      # at 120 and at 0.1 per second
    if not least <= length <= most:
        raise Refused(f"length is {length:g}, of {shown} pictures",
                      f"it must be between {least:g} and {most} seconds",
                      f"try {least if length < least else most:g}")
    return shown / length


def _order(count, loop) -> list[int]:
    there = list(range(count))
    return there + there[-2:0:-1] if loop == "ping-pong" else there


def _blend(pictures, order, crossfade, loop):
    """Float arrays (h, w, 3) in 0..255, with blends between neighbors; the first picture sets the size."""
    size, before = None, None
    closing = order[:1] if crossfade and loop != "once" and len(order) > 1 else []
    for number, index in enumerate(order + closing):
        picture = images.to_pil(_loaded(pictures[index]))
        size = size or tuple(side + side % 2 for side in picture.size)     # video wants even sides
        now = np.asarray(_fitted(picture, size), np.float32)
        for k in range(1, crossfade + 1 if before is not None else 1):
            yield before + (now - before) * (k / (crossfade + 1))
        if number < len(order):
            yield now
        before = now


def _loaded(source):
    if isinstance(source, (str, Path)):
        return picture_files.load(source)
    return getattr(source, "image", source)     # a Frame


def _fitted(picture, size):
    if picture.size == size:
        return picture
    if all(0 <= want - have <= 1 for want, have in zip(size, picture.size, strict=True)):
        edges = [(0, size[1] - picture.height), (0, size[0] - picture.width), (0, 0)]
        return Image.fromarray(np.pad(np.asarray(picture), edges, "edge"))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _smooth(arrays, smoothing):
    """As bytes, each mixed with its neighbors, the nearer the more; on both sides, so that nothing lags."""
    reach = REACH if smoothing else 0
    shares = [smoothing ** abs(k) for k in range(-reach, reach + 1)]
    window = deque([None] * len(shares), len(shares))
    for array in chain(arrays, [None] * reach):
        window.append(array)
        if window[reach] is not None:
            seen = [(share, one) for share, one in zip(shares, window, strict=True) if one is not None]
            mean = sum(share * one for share, one in seen) / sum(share for share, _ in seen)
            yield np.clip(mean + 0.5, 0, 255).astype(np.uint8)


def _hold(arrays, extra):
    array = None
    for array in arrays:
        yield array
    for _ in range(extra):
        yield array


def _write_video(arrays, path, suffix, fps, text):
    import imageio.v2 as imageio
    import imageio_ffmpeg
    _ffmpeg()
    about = [] if text is None else ["-metadata", f"comment={json.dumps(text, ensure_ascii=False)}"]
    writer = imageio.get_writer(path, format="FFMPEG", mode="I", fps=fps, codec=CODECS[suffix],
                                pixelformat="yuv420p", macro_block_size=1, quality=None,
                                ffmpeg_log_level="quiet", output_params=[*COLORS, *QUALITY[suffix], *about])
    count = 0
    with closing(writer):       # imageio's own `with` leaves ffmpeg running when something goes wrong
        for array in arrays:
            writer.append_data(array)
            count += 1
    if _count(imageio_ffmpeg, path) != count:       # nobody else looks whether ffmpeg came to its end
        raise OSError(errno.ENOSPC if shutil.disk_usage(path.parent).free < 1 << 20 else errno.EIO,
                      "ffmpeg stopped early")


def _count(imageio_ffmpeg, path) -> int:
    try:
        return imageio_ffmpeg.count_frames_and_secs(path)[0]
    except RuntimeError:        # what there is, is no film
        return -1


def _write_gif(arrays, path, fps, loop, text):
    frames = (Image.fromarray(array).quantize(256) for array in arrays)     # a palette for each
    about = {} if text is None else {"comment": json.dumps(text).encode()}
    again = {} if loop == "once" else {"loop": 0}
    hundredths = max(2, round(100 / fps))       # below two, browsers show ten
    next(frames).save(path, save_all=True, append_images=frames, duration=hundredths * 10, **again, **about)


def _ffmpeg() -> str:
    import imageio_ffmpeg
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise Refused("there is no ffmpeg on this machine", "mp4 and webm need it",
                      "pip install imageio-ffmpeg, or make a .gif") from error
