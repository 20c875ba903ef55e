"""A page in a notebook that Python talks with, through a hidden text field by it: a core widget, which
ipywidgets 7.7 and 8 both have.

    class Dial(TalkingPage): …              # puts self._filled(FILE, …) on the page with self._shown(…)

What the page of `FILE` has to say it puts into the field, where `self._heard.value` is it; what Python puts
there the page shows. talking_page.js is how, and talking_page.css what such pages look like.
"""

import uuid
from pathlib import Path
from string import Template

LOOKS, TALK = (Path(__file__).with_suffix(kind) for kind in (".css", ".js"))


class TalkingPage:
    """A page and its field, under a name that no other has."""

    def __init__(self):
        import ipywidgets
        self._name = f"board-{uuid.uuid4().hex}"
        self._heard = ipywidgets.Textarea(continuous_update=False, layout={"display": "none"})
        self._heard.add_class(f"{self._name}-heard")

    def _filled(self, file: Path, **values) -> str:
        """The page, complete: no addresses, nothing that a person wrote."""
        looks, talk = (each.read_text(encoding="utf-8") for each in (LOOKS, TALK))
        return Template(file.read_text(encoding="utf-8")).substitute(
            values, name=self._name, looks=looks, talk=Template(talk).substitute(name=self._name))

    def _shown(self, **bundle):
        """Put it into the output of the cell; `bundle`: what viewers that run no scripts show instead."""
        from IPython.display import display
        display({"text/plain": repr(self)} | bundle, raw=True)
        display(self._heard)
