"""Settings of the originals: a `_settings.txt` of Disco Diffusion, a YAML of discoart, in our words.

    values, notes = read("old_settings.txt")    # knobs of disco_diffusion; what was changed or left

Nothing is dropped in silence, and nothing is ever evaluated.
"""

import json
from pathlib import Path

from . import old_disco
from .errors import Refused

LARGEST = 500_000       # bytes


def is_old(path) -> bool:
    """Could it be such a file? By its name alone."""
    return Path(path).suffix.lower() in (".txt", ".json", ".yml", ".yaml")


def read(path) -> tuple[dict, list[str]]:
    """(values of knobs of disco_diffusion, notes); Refused where it is no such file."""
    old = {str(key): value for key, value in mapping(Path(path)).items()}
    if not old_disco.KNOWN & old.keys():
        raise Refused(f"{path} holds no settings of Disco Diffusion", "it knows none of its names",
                      "give a _settings.txt, or a YAML of discoart")
    return old_disco.Reading(old).result()


def mapping(path: Path) -> dict:
    """What the file says, untouched."""
    if path.is_file() and path.stat().st_size > LARGEST:
        raise Refused(f"{path} has {path.stat().st_size} bytes", f"settings have {LARGEST} at most",
                      "check the file")
    try:
        text = path.read_text(encoding="utf-8")
        said = json.loads(text) if text.lstrip().startswith(("{", "[")) else from_yaml(text)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read", "settings are a text file", "check the path") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is neither JSON nor YAML", str(error).splitlines()[0][:80],
                      "check the file") from error
    if not isinstance(said, dict):
        raise Refused(f"{path} holds a {type(said).__name__}", "settings are names and values",
                      "check the file")
    return said


def from_yaml(text: str):
    """Plain YAML: no tags that make objects, no aliases that grow."""
    import yaml
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError("aliases are not read")
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
