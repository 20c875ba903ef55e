"""Settings files of others, read with every guard up: JSON or YAML -> a dict of plain values.

Nothing in them runs, refers to itself or fills the memory; whoever hands in a bad one hears so first.
"""

import json
from pathlib import Path

from .. import safe_files
from ..errors import Refused, closest

YAML = (".yml", ".yaml")
ENDINGS = (".txt", ".json", *YAML)
LARGEST = {"JSON": 500_000, "YAML": 100_000}    # bytes; YAML is read slowly, at 10 kB a second
DEEPEST = 12            # levels
PLAIN = "settings are text, numbers and lists"


def may_be(path) -> bool:
    """Does it go by the name of such a file?"""
    return Path(path).suffix.lower() in ENDINGS


def is_yaml(path) -> bool:
    return Path(path).suffix.lower() in YAML


def mapping(path) -> dict:
    """The settings in a file, name -> value."""
    path = safe_files.place(path)
    kind = "YAML" if is_yaml(path) else "JSON"
    text = _text(path, LARGEST[kind])
    try:
        found = _yaml(path, text) if kind == "YAML" else json.loads(text)
    except Refused:
        raise
    except RecursionError as error:
        raise _deep(path) from error
    except Exception as error:      # a broken file can raise anything at all inside the parsers
        raise Refused(f"'{path}' cannot be read as {kind}", f"the reader says {_first(error)!r}",
                      "use the file as it was saved") from error
    if not isinstance(found, dict):
        raise Refused(f"'{path}' holds {_called(found)}", "settings are names with values",
                      "give the _settings.txt of a picture")
    _shallow(path, found)
    return {str(name): value for name, value in found.items()}


def _text(path, largest) -> str:
    if not path.is_file():
        near = closest(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else None
        raise Refused(f"there is no file '{path}'", f"did you mean '{path.parent / near}'?" if near else
                      "settings are the path of a file", "" if near else "check it")
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise Refused(f"'{path}' cannot be read", f"the system says '{error.strerror}'",
                      "check its permissions") from error
    if len(data) > largest:
        raise Refused(f"'{path}' is larger than {largest // 1000} kB", "settings are a few pages of text",
                      "give the _settings.txt of a picture")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Refused(f"'{path}' is no text", "settings are JSON or YAML in UTF-8",
                      "for a picture painted here, python -m helpers again")
    return text


def _yaml(path, text):
    """With neither aliases, of which a few make billions, nor tags, which name code to be run."""
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent, index):
            if self.check_event(yaml.AliasEvent):
                raise Refused(f"'{path}' has the alias *{self.peek_event().anchor}", PLAIN,
                              "write out what it stands for")
            return super().compose_node(parent, index)

        def construct_undefined(self, node):
            raise Refused(f"'{path}' has the tag {node.tag!r}", PLAIN, "take that line out")

    Loader.add_constructor(None, Loader.construct_undefined)
    return yaml.load(text, Loader)


def _shallow(path, found):
    """Refused where values are nested too deep for whoever prints them."""
    layer, depth = [found], 0
    while layer:
        depth += 1
        if depth > DEEPEST:
            raise _deep(path)
        parts = [part for one in layer if isinstance(one, dict | list)
                 for part in (one.values() if isinstance(one, dict) else one)]
        layer = [part for part in parts if isinstance(part, dict | list)]


def _deep(path) -> Refused:
    return Refused(f"'{path}' is nested too deep", f"{PLAIN}, {DEEPEST} levels at most",
                   "use the file as it was saved")


def _called(value) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(value), f"{value!r:.40}")


def _first(error) -> str:
    return str(error).strip().split("\n")[0][:80] or type(error).__name__
