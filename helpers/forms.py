"""One settings class, three faces: the text of a Colab form, widgets for Jupyter, command-line flags.

All three show the essential knobs first, then the fine tuning, and give the same settings:

    forms.colab_form(deep_daze.Settings)                # source of a notebook cell, kept in sync by a test
    widgets = forms.sliders(settings);                  settings.but(**forms.values(widgets))
    forms.flags(deep_daze.Settings, parser);            Settings.of(**forms.given(Settings, namespace))
"""

import json
import textwrap
from argparse import SUPPRESS, ArgumentParser, Namespace

from .knobs import GROUPS, Knob, bounds, knobs, read
from .page import LOOK, tipped
from .schedules import written

MOST_STOPS = 5000  # a slider with more positions than this cannot be aimed
WIDE = 100


def colab_form(cls: type, title: str = "Choose", group: str | None = None) -> str:
    """Source of the form cell(s): one cell with both groups under headings, or one group alone.

    The cell of the second group alone turns its knobs on top of the settings the first cell made.
    """
    lines = [f'#@title {title} {{ display-mode: "form" }}']
    for heading in GROUPS if group is None else (group,):
        shown = [knob for knob in knobs(cls).values() if knob.group == heading]
        if group is None and shown:
            lines.append(f"#@markdown ### {heading}")
        for knob in shown:
            lines += [f"#@markdown {knob.help}", f"{knob.name} = {literal(knob)} #@param {_param(knob)}"]
    names = [knob.name for knob in knobs(cls).values() if group in (None, knob.group)]
    owner = cls.__module__.rpartition(".")[2]
    maker = "settings.but" if group == GROUPS[1] else f"{owner}.{cls.__name__}.of"
    arguments = ", ".join(f"{name}={name}" for name in names)
    call = textwrap.fill(f"{arguments})", WIDE, initial_indent="    ", subsequent_indent="    ")
    return "\n".join([*lines, f"settings = {maker}(", call])


def literal(knob: Knob) -> str:
    """The default as Python source, text in the double quotes that Colab itself writes."""
    return json.dumps(knob.default, ensure_ascii=False) if knob.type is str else repr(knob.default)


def is_slider(knob: Knob) -> bool:
    """Can it be dragged: a number with a range, and not too many positions?"""
    if knob.type not in (int, float) or knob.choices or None in (knob.low, knob.high, knob.step):
        return False
    return (knob.high - knob.low) / knob.step <= MOST_STOPS


def _param(knob: Knob) -> str:
    if knob.choices and knob.kind != "list":
        raw = "" if knob.type is str else ' {type:"raw"}'
        return json.dumps(list(knob.choices), ensure_ascii=False) + raw
    if is_slider(knob):
        low, high, step = map(written, (knob.low, knob.high, knob.step))
        return f'{{type:"slider", min:{low}, max:{high}, step:{step}}}'
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return f'{{type:"{kinds[knob.type]}"}}'


def sliders(settings, group: str | None = None) -> dict:
    """Name -> widget showing that setting, in the order of the form; core widgets that 7.7 and 8 both have.

    A setting that is a picture itself, and not a path, has none.
    """
    known, now = knobs(type(settings)), settings.to_dict()
    return {name: _widget(knob, now[name]) for name, knob in known.items()
            if group in (None, knob.group) and isinstance(now[name], knob.type)}


def values(widgets: dict) -> dict:
    """What the widgets say now, for `settings.but`."""
    return {name: widget.value for name, widget in widgets.items()}


def arranged(widgets: dict, cls: type):
    """The widgets of a settings class as one box: the essential ones open, fine tuning folded away."""
    import ipywidgets
    boxes = [ipywidgets.VBox([widgets[name] for name, knob in knobs(cls).items()
                              if knob.group == group and name in widgets]) for group in GROUPS]
    folded = ipywidgets.Accordion([boxes[1]], selected_index=None, layout=LOOK["layout"] | {"width": "37em"})
    folded.set_title(0, GROUPS[1])
    return ipywidgets.VBox([boxes[0], folded] if boxes[1].children else [boxes[0]])


def _widget(knob: Knob, value):
    import ipywidgets
    extra = {}
    if knob.choices and knob.kind != "list":
        make, extra = ipywidgets.Dropdown, {"options": knob.choices}
    elif is_slider(knob):
        make = ipywidgets.IntSlider if knob.type is int else ipywidgets.FloatSlider
        extra = {"min": knob.low, "max": knob.high, "step": knob.step, "continuous_update": False}
        if knob.type is float:
            digits = f"{knob.step:.8f}".rstrip("0").partition(".")[2]
            extra["readout_format"] = f".{len(digits)}f"
    elif knob.type is str:
        make = ipywidgets.Textarea if knob.kind == "prompts" else ipywidgets.Text
        extra = {"continuous_update": False, "placeholder": ", ".join(map(str, knob.choices or ()))}
    elif knob.type in (int, float) and None not in (knob.low, knob.high):
        make = ipywidgets.BoundedIntText if knob.type is int else ipywidgets.BoundedFloatText
        extra = {"min": knob.low, "max": knob.high}
    else:
        make = {bool: ipywidgets.Checkbox, int: ipywidgets.IntText, float: ipywidgets.FloatText}[knob.type]
    widget = make(value=value, description=knob.name.replace("_", " "), **LOOK, **extra)
    return tipped(widget, knob.help)


def flags(cls: type, parser: ArgumentParser, live: bool = False) -> None:
    """One flag per knob, `--learning-rate`, in the groups of the form. What is not given stays out. Where a
    painting is only steered, help tells of the `live` ones alone."""
    for group in GROUPS:
        section = parser.add_argument_group(group)
        for knob in (knob for knob in knobs(cls).values() if knob.group == group):
            flag = "--" + knob.name.replace("_", "-")
            names = [flag, flag[:-1]] if knob.kind == "prompts" else [flag]
            bare = {"nargs": "?", "const": "on"} if knob.type is bool else {}
            section.add_argument(*names, dest=knob.name, default=SUPPRESS, metavar=_metavar(knob),
                                 help=SUPPRESS if live and not knob.live
                                 else described(knob).replace("%", "%%"), **bare)


def given(cls: type, namespace: Namespace) -> dict:
    """The knobs given as flags, as values for `Settings.of`."""
    known = knobs(cls)
    return {name: read(known[name], text) for name, text in vars(namespace).items() if name in known}


def described(knob: Knob) -> str:
    """Help, range and default in one line."""
    if knob.type is bool:
        allowed = "on or off"
    elif knob.choices:
        allowed = ("any of " if knob.kind == "list" else "one of ") + ", ".join(map(str, knob.choices))
    else:
        allowed = bounds(knob)
        if knob.type is int and knob.step and knob.step > 1:
            allowed += f" in steps of {knob.step}"
    default = {True: "on", False: "off", "": "none"}.get(knob.default, knob.default) \
        if knob.type in (bool, str) else written(knob.default)
    return f"{knob.help} [{allowed + '; ' if allowed else ''}default {default}]"


def _metavar(knob: Knob) -> str:
    if knob.kind in (None, "list"):
        return {bool: "on|off", int: "N", float: "X", str: "NAME" if knob.choices else "TEXT"}[knob.type]
    kinds = {"schedule": "SCHEDULE", "image": "FILE", "images": "FILES", "folder": "FOLDER", "file": "FILE"}
    return kinds.get(knob.kind, "TEXT")
