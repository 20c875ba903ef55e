"""Two pictures in one place, and a handle between them: drag it, or use the arrow keys.

    Curtain(run_a, run_b, ("soft", "sharp"))        # in a notebook: shows it

Plain HTML; where a page runs no scripts, it shows half of each.
"""

import html

from . import studio
from .page import inline

WIDTH = 480     # pixels on the page
OVER = "position:absolute;inset:0;width:100%;height:100%;object-fit:cover"
TAG = ("position:absolute;bottom:6px;padding:1px 6px;border-radius:4px;background:rgba(0,0,0,0.6);color:#fff;"
       "font-size:12px;line-height:1.5;max-width:45%;overflow:hidden;text-overflow:ellipsis;"
       "white-space:nowrap")


class Curtain:
    """Of two pictures (runs, paths, images, Frames); the second takes the shape of the first."""

    def __init__(self, left, right, captions=("", ""), width: int = WIDTH):
        self.html = _markup(_data(left, width), _data(right, width), *map(str, captions), width)

    def _repr_html_(self) -> str:
        return self.html


def _markup(left, right, before, after, width) -> str:
    tags = "".join(f'<span style="{TAG};{side}:6px">{html.escape(text)}</span>'
                   for text, side in ((before, "left"), (after, "right")) if text)
    told = html.escape(f"how much of {after or 'the right picture'} is covered by "
                       f"{before or 'the left one'}, in percent", quote=True)
    turn = "this.parentNode.style.setProperty('--at',this.value+'%')"
    return (f'<div style="--at:50%;width:100%;max-width:{width}px">'
            f'<div style="position:relative;line-height:0;overflow:hidden;border-radius:4px">'
            f'<img alt="{html.escape(before, quote=True)}" src="{left}" style="display:block;width:100%">'
            f'<img alt="{html.escape(after, quote=True)}" src="{right}" '
            f'style="{OVER};clip-path:inset(0 0 0 var(--at))">'
            f'<i style="position:absolute;top:0;bottom:0;left:var(--at);width:2px;margin-left:-1px;'
            f'background:#fff;box-shadow:0 0 2px #000"></i>{tags}</div>'
            f'<input type="range" min="0" max="100" value="50" aria-label="{told}" '
            f'oninput="{turn}" data-lm-suppress-shortcuts="true" '       # arrow keys are for the handle
            f'style="width:100%;margin:6px 0 0;box-sizing:border-box"></div>')


def _data(source, width) -> str:
    """A picture as an address, so many pixels wide."""
    return inline(studio.jpeg(studio.opened(source), width))
