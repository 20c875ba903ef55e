"""Prompts as rows: words, weight, start and stop of each, scene by scene; or, behind a switch, as the text
that says the same. One of both is seen, and each follows the other.

    rows = PromptRows(text_field);  rows.box

Core ipywidgets only, those that 7.7 and 8 both have.
"""

import re

from . import prompts
from .errors import Refused
from .page import SMALL, button
from .schedules import NUMBER, written

LINK = {"width": "auto", "padding": "0 6px", "margin": "2px 4px 2px auto"}
PART = re.compile(rf"({NUMBER})\s*(%?)")
ROW = {"width": "100%", "align_items": "center"}
HEADINGS = ('<div style="display:flex;gap:4px;font-size:11px;opacity:0.75;line-height:1.4">'
            '<span style="flex:1;padding-left:2px">what to paint</span><span style="width:62px">weight</span>'
            '<span style="width:52px" title="when it begins to act, 40% of the way">start</span>'
            '<span style="width:100px" title="when it has done: 80% of the way, a distance that is near '
            'enough, or both">stop</span></div>')


class PromptRows:
    """A row per prompt: words, weight, start, stop. `text`: the field they are read from and written to."""

    def __init__(self, text):
        import ipywidgets
        self.text, self.rows, self._wrote = text, [[]], None        # scenes of rows; the text of these
        self._switch = button("", "rows, or one text for all: fog | neon:0.5 ^ night", self._turn, **LINK)
        self._switch.style.button_color = "transparent"
        self._lines, self._whole = ipywidgets.VBox(), ipywidgets.VBox([text, self._switch])
        self.box = ipywidgets.VBox([self._lines, self._whole], layout={"width": "33em", "max_width": "100%"})
        text.observe(self._read, "value")
        self._see("rows")
        self._read()

    def told(self) -> list[list[prompts.Prompt]]:
        """What the rows say; empty ones say nothing."""
        scenes = [[prompt for prompt in map(_Row.prompt, scene) if prompt.text] for scene in self.rows]
        return [scene for scene in scenes if scene]

    def _read(self, _=None):
        try:
            text = self.text.value
            scenes = prompts.scenes(text) if text.strip(" |^") else []
        except Refused:         # the panel says what is wrong while it is typed
            if text != self._wrote:
                self._see("text")       # there are no rows of it
            return
        if scenes != self.told() or not self._lines.children:
            self.rows = [[_Row(self, prompt) for prompt in scene] for scene in scenes or [[None]]]
            self._show()

    def write(self):
        """Let the text say what the rows do."""
        for row in [row for scene in self.rows for row in scene]:
            row.tidy()
        self._wrote = " ^ ".join(" | ".join(map(str, scene)) for scene in self.told())
        self.text.value = self._wrote

    def _turn(self):
        """The other one of both; rows only of what can be read."""
        self._see("text" if self._switch.description == "as text" else "rows")
        self._read()

    def _see(self, what):
        self._lines.layout.display = None if what == "rows" else "none"
        self._whole.layout.display = None if what == "text" else "none"
        self._switch.description = "as text" if what == "rows" else "as rows"

    def _show(self):
        import ipywidgets
        lines = [ipywidgets.HTML(HEADINGS, layout={"width": "100%"})]
        for number, scene in enumerate(self.rows):
            if len(self.rows) > 1:
                lines.append(ipywidgets.HTML(f"<b>Scene {number + 1}</b>"))
            lines += [row.box for row in scene]
            more = button("+ prompt", "another prompt of this scene", lambda scene=scene: self._add(scene))
            after = button("+ scene", "a story: what comes after this", lambda at=number: self._tell(at + 1))
            last = scene is self.rows[-1]
            lines.append(ipywidgets.HBox([more, after, *[self._switch] * last], layout={"width": "100%"}))
        self._lines.children = lines

    def _add(self, scene):
        scene.append(_Row(self, None))
        self._show()

    def _tell(self, at):
        self.rows.insert(at, [_Row(self, None)])
        self._show()

    def remove(self, row):
        scenes = [[other for other in scene if other is not row] for scene in self.rows]
        self.rows = [scene for scene in scenes if scene] or [[_Row(self, None)]]
        self._show()
        self.write()


class _Row:
    """The widgets of one prompt."""

    def __init__(self, editor, prompt):
        import ipywidgets
        prompt, self._editor, self._quiet = prompt or prompts.Prompt(""), editor, False
        late = {"continuous_update": False}
        self.words = ipywidgets.Text(prompt.text, placeholder="words", **late,
                                     layout={"flex": "1 1 8em", "width": "auto", "min_width": "6em"})
        self.weight = ipywidgets.BoundedFloatText(prompt.weight, min=-prompts.HEAVIEST, max=prompts.HEAVIEST,
                                                  step=0.1, layout={"width": "58px"})
        self.start = ipywidgets.Text(placeholder="0%", layout={"width": "48px"}, **late)
        self.stop = ipywidgets.Text(placeholder="100%", layout={"width": "58px"}, **late)
        self._fill(prompt)
        away = button("✕", "remove this prompt", lambda: editor.remove(self), **SMALL)
        for widget in (self.words, self.weight, self.start, self.stop):
            widget.observe(self._write, "value")
        self.box = ipywidgets.HBox([self.words, self.weight, self.start, self.stop, away], layout=ROW)

    def prompt(self) -> prompts.Prompt:
        """What it says; a stop is a distance, a part of the way, or both, in any order."""
        text, when = prompts.span(self.words.value.strip())
        stops = PART.findall(self.stop.value)
        if not when:
            starts, ends = PART.findall(self.start.value), [end for end in stops if _is_percent(*end)]
            when = percent(starts[0][0] if starts else 0), percent(ends[-1][0] if ends else 100)
        near = [float(number) for number, mark in stops if not _is_percent(number, mark)]
        return prompts.Prompt(text, self.weight.value, near[0] if near else None, *when)

    def tidy(self):
        """Say everything as it is understood."""
        self._fill(self.prompt())

    def _fill(self, prompt):
        stops = [] if prompt.stop is None else [written(prompt.stop)]
        stops += [f"{written(prompt.end)}%"] * (prompt.end != 100)
        self._quiet = True
        self.words.value = prompt.text
        self.start.value = f"{written(prompt.start)}%" if prompt.start else ""
        self.stop.value = ", ".join(stops)
        self._quiet = False

    def _write(self, _):
        if not self._quiet:
            self._editor.write()


def percent(text) -> float:
    """Within 0 and 100, as exact as a prompt can say it."""
    return round(min(100.0, abs(float(text))), 4)


def _is_percent(number, mark) -> bool:
    """Is it a part of the way? No distance is beyond 5."""
    return bool(mark) or abs(float(number)) > 5
