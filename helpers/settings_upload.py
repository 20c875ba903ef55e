"""Settings from a file of the artist's own: a picture or film painted here, or what Disco Diffusion wrote.

    taken = SettingsUpload(show);  taken.box        # show(system, settings)

What the file says that has no counterpart is listed below the button. Core ipywidgets only, those that 7.7
and 8 both have.
"""

import tempfile
from pathlib import Path

from . import run_folder, runs, safe_files, uploads
from .errors import Refused
from .page import INDENT, note, tried, upload
from .warned import heard

ACCEPTED = ".png,.mp4,.webm,.gif,.txt,.json,.yml,.yaml"


class SettingsUpload:
    """A button, and what came of it."""

    def __init__(self, show):
        import ipywidgets as w
        self._show = show
        pick = upload("settings from a file", "a PNG or film painted here, _settings.txt of Disco Diffusion, "
                      "or a YAML of discoart", ACCEPTED, self._take, "15em")
        self.said = w.HTML(layout={"display": "none", "max_width": "23em", "margin": INDENT})
        self.box = w.VBox([pick, self.said], layout={"max_width": "100%"})

    def _take(self, name, data):
        tried(self.said, lambda: self._read(name, data))

    def _read(self, name, data):
        if len(data) > uploads.HEAVIEST:
            raise Refused(f"'{name}' has {len(data) >> 20} MB",
                          f"at most {uploads.HEAVIEST >> 20} MB are taken", "give its settings file")
        lines = []
        home = safe_files.folder(run_folder.home())      # within the fence of a page
        with tempfile.TemporaryDirectory(prefix=".", dir=home) as folder, heard(lines.append):
            file = Path(folder) / ("settings" + Path(name).suffix.lower())
            file.write_bytes(data)
            try:
                settings, system = runs.load(file), runs.system(file)
            except Refused as refused:      # by the name that the artist knows
                raise Refused(*(text.replace(str(file), name) for text in refused.args)) from refused
            if runs.turns(file):
                lines.append("what was turned on the way is left out; the gallery paints it again with it")
        self._show(system, settings)
        note(self.said, "; ".join([f"all knobs were turned as '{name}' says",
                                   *(line.removeprefix(f"{file.name}: ") for line in lines)]))
