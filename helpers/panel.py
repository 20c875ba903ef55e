"""The panel: pick a system, write a prompt, move sliders. It paints nothing itself.

    panel = Panel("vqgan_clip", prompts="fog over a castle")
    panel                           # in a notebook: shows the widgets
    panel.settings                  # what they say now, checked
    print(understood(settings))     # how the words were read

Core ipywidgets only, those that 7.7 (Colab) and 8 both have. Turned knobs survive a change of system where
the other system has them too.
"""

import html

from . import forms, prompts, systems, vocabulary
from .errors import Refused
from .knobs import knobs
from .schedules import written


class Panel:
    """Widgets of one system at a time; `system` is its name, `settings` its checked settings."""

    def __init__(self, system: str = "vqgan_clip", **values):
        import ipywidgets
        systems.load(system)                            # an unknown name is refused here
        self._chooser = ipywidgets.Dropdown(options=list(systems.SYSTEMS), value=system, description="system",
                                            **forms.LOOK)
        self._said = ipywidgets.HTML()
        self._room = ipywidgets.VBox()
        self.box = ipywidgets.VBox([self._chooser, self._said, self._room])     # said where it is seen
        self._turned = {}
        self._open(values)
        self._chooser.observe(self._change, "value")

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

    def _open(self, values: dict):
        """Show the knobs of the chosen system, those in `values` turned."""
        cls = systems.load(self.system).Settings
        self.widgets = forms.sliders(cls.from_dict(values))
        self._room.children = [forms.arranged(self.widgets, cls)]
        for widget in self.widgets.values():
            widget.observe(self._check, "value")
        self._check()

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
        """Say what is wrong while it is being typed, not when painting begins."""
        try:
            cls = systems.load(self.system).Settings
            self._turned = cls.from_dict(forms.values(self.widgets)).changed()
            said = ""
        except Refused as refused:
            said = f"<b>{html.escape(str(refused))}</b>"
        self._said.value, self._said.layout.display = said, None if said else "none"

    def _ipython_display_(self):
        from IPython.display import display
        display(self.box)


def understood(settings) -> str:
    """How the words were read, a line per prompt, and which of them mean nothing to who reads them."""
    text, lines = getattr(settings, "prompts", ""), []
    told = prompts.scenes(text) if text.strip(" |^") else []
    for number, scene in enumerate(told, 1):
        lines += [f"scene {number}"] * (len(told) > 1)
        for prompt in scene:
            stop = "" if prompt.stop is None else f", until within {written(prompt.stop)}"
            way = "away from" if prompt.weight < 0 else "toward"
            lines.append(f"{way} {prompt.text!r}, weight {written(abs(prompt.weight))}{stop}")
    return "\n".join(filter(None, [*lines, vocabulary.check(settings)]))
