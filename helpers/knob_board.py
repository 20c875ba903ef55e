"""The board of knobs: pick a system, turn its knobs, look for one, keep them all under a name.

Made from the Settings of the system alone. What is turned survives a change of system where the other one has
it too.
"""

import html

from . import forms, presets, systems
from .editors import edited
from .errors import Refused
from .page import INDENT, LOOK, button, note
from .knobs import knobs
from .mask_editor import MaskEditor
from .settings_upload import SettingsUpload

SMALL = "font-size:12px;line-height:1.35;opacity:0.8"
ASIDE = {"max_width": "23em", "margin": INDENT}
BOARD = {"width": "39em", "max_width": "100%", "margin": "0 12px 12px 0"}
MOST_FOUND = 12     # knobs that a search shows


def small(text: str) -> str:
    """Text as it stands below a knob."""
    return f'<div style="{SMALL}">{html.escape(text)}</div>'


class KnobBoard:
    """Widgets of one system at a time; `system` is its name, `settings` its checked settings."""

    def __init__(self, system: str = "vqgan_clip", **values):
        import ipywidgets as w
        systems.load(system)                            # an unknown name is refused here
        self._chooser = w.Dropdown(options=systems.menu(), value=system, description="system", **LOOK)
        self._preset = w.Dropdown(description="preset", **LOOK)
        self._preset_said = w.HTML(layout=ASIDE | {"display": "none"})
        self._search = w.Text(description="find a knob", placeholder="crops, cutn, color …", **LOOK)
        self._said, self._room = w.HTML(), w.VBox()     # said where it is seen
        self._name = w.Text(description="save as preset", placeholder="a name", **LOOK)
        below = w.HBox([button("Save", "keep these knobs under this name", self._save, width="7em"),
                        button("Reset", "all knobs as they were; the words stay", self._reset, width="7em")],
                       layout={"margin": INDENT})
        self.taken = SettingsUpload(self.show)
        self.knobs = w.VBox([self._chooser, self._preset, self._preset_said, self._search, self._said,
                             self._room, self._name, below, self.taken.box], layout=BOARD)
        self._turned, self._quiet, self._shown = {}, False, None
        self._open(values)
        self._chooser.observe(self._change, "value")
        self._preset.observe(self._choose, "value")
        self._search.observe(lambda _: self._show(), "value")

    @property
    def system(self) -> str:
        return self._chooser.value

    @system.setter
    def system(self, name: str):
        systems.load(name)
        self._chooser.value = name

    @property
    def settings(self):
        """What the widgets say now; Refused where that cannot be."""
        return systems.load(self.system).Settings.of(**forms.values(self.widgets))

    def show(self, system: str, settings):
        """That system, and all of its knobs as these settings have them."""
        self.system = system
        self._open(settings.changed())

    def _open(self, values: dict):
        """Show the knobs of the chosen system, those in `values` turned. Widgets that show these knobs
        already stay, and with them what is unfolded or seen as text."""
        cls = systems.load(self.system).Settings
        settings = cls.from_dict(values)
        made = forms.sliders(settings)
        if cls is self._shown and made.keys() == self.widgets.keys():
            self._set(forms.values(made))
        else:
            self._build(cls, made)
        self._list()

    def _build(self, cls: type, widgets: dict):
        import ipywidgets as w
        self._shown, self.widgets = cls, widgets
        self._boxes = {name: edited(knobs(cls)[name], widget, self._shape)
                       for name, widget in self.widgets.items()}
        if {"init_image", "mask"} <= self.widgets.keys():
            self._masks = MaskEditor(self.widgets, cls)
            self._boxes["mask"] = w.VBox([self._boxes["mask"], self._masks.box], layout={"max_width": "100%"})
        self._arranged = forms.arranged(self._boxes, cls)
        self._show()
        for widget in self.widgets.values():
            widget.observe(self._check, "value")
        self._check()

    def _shape(self) -> tuple[int, int]:
        """(width, height) of what is painted"""
        return self.widgets["width"].value, self.widgets["height"].value

    def _show(self):
        """All knobs, or those that are looked for, each with its help."""
        import ipywidgets as w
        words, found = self._search.value.lower().replace("_", " ").split(), []
        for name, knob in knobs(systems.load(self.system).Settings).items():
            text = f"{name} {knob.help}".lower().replace("_", " ")
            if words and name in self._boxes and all(word in text for word in words):
                about = knob.help + " · acts while it is painted" * knob.live
                found += [self._boxes[name], w.HTML(small(about), layout=ASIDE)]
        more = len(found) // 2 - MOST_FOUND
        note = f"and {more} more" if more > 0 else "no such knob" if words and not found else ""
        self._room.children = [w.VBox([*found[:2 * MOST_FOUND], w.HTML(note)]) if words else self._arranged]

    def _change(self, _):
        """Another system: what was turned stays turned, where it can."""
        turned, cls = self._turned, systems.load(self.system).Settings
        values = {}
        for name in turned.keys() & knobs(cls).keys():
            try:
                values = cls.from_dict({**values, name: turned[name]}).changed()
            except Refused:                             # out of the other system's range: its default stays
                continue
        self._open(values)

    def _check(self, _=None):
        """Say what is wrong while it is being typed, not when painting begins; what is right acts."""
        if self._quiet:
            return
        try:
            settings = systems.load(self.system).Settings.from_dict(forms.values(self.widgets))
            self._turned = settings.changed()
            self._say("")
            self._act(settings)
        except Refused as refused:
            self._say(str(refused))

    def _act(self, settings):
        """What is right may act at once, where something is painted."""

    def _set(self, values: dict):
        """Let widgets say this, which acts already."""
        self._quiet = True
        for name in values.keys() & self.widgets.keys():
            self.widgets[name].value = values[name]
        self._quiet = False
        self._check()

    def _say(self, text):
        note(self._said, text)

    # ---------------------------------------------------------------- presets

    def _list(self):
        """The menu; it is on its first line again after each choice, since knobs may be turned after it."""
        offered = presets.told(self.system).items()
        self._preset.options = [("several knobs at once …", ""),
                                *((f"{name}: {about}", name) for name, about in offered)]
        self._preset.value = ""
        self._preset_said.layout.display = "none"

    def _choose(self, change):
        name = change["new"]
        if name:
            try:
                values = presets.load(name, self.system)
                self._reset(values)
                turned = ", ".join(f"{knob.replace('_', ' ')} {value}" for knob, value in values.items())
                self._preset_said.value = small(f"{name} turned {turned}")
                self._preset_said.layout.display = None
            except Refused as refused:                  # made for another range, or by hand
                self._say(str(refused))

    def _reset(self, values=None):
        """All knobs at their defaults but for these; words stay unless there are others."""
        kept = {name: self._turned[name] for name in self._turned.keys() & {"prompts"}}
        self._open(kept | (values or {}))

    def _save(self):
        try:
            presets.save(self._name.value, self.system, self._turned)
        except Refused as refused:
            self._say(str(refused))
            return
        self._list()
        self._name.value = ""
