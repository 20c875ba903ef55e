"""The state of a painting on disk: nested dicts, lists, numbers and tensors in one safetensors file.

    save("checkpoint.safetensors", painting.state_dict());  state = load("checkpoint.safetensors")

No pickle. What comes back equals what went in, bit for bit; dicts keep the type and order of their keys
(an optimizer counts its parameters 0, 1, 2). Where each tensor belongs is told as JSON in the header:
one file cannot disagree with itself, whenever a run is killed.
"""

import json

import safetensors.torch
import torch

from . import safe_files
from .errors import Refused

HEADER = "state"
PLAIN = (bool, int, float, str, type(None))


def save(path, state, about=None):
    """Write `state` whole or not at all; `about` is anything JSON, readable without the tensors."""
    tensors = {}
    header = json.dumps({"tree": _flat(state, tensors, "state"), "about": about})
    safe_files.write(path, safetensors.torch.save(tensors, {HEADER: header}))


def load(path):
    """The state, its tensors on the CPU."""
    header = _header(path)
    try:
        with _open(path) as file:
            return _nested(header["tree"], file.get_tensor)
    except (KeyError, TypeError, ValueError, RecursionError, safetensors.SafetensorError) as error:
        raise damaged(path, error) from error


def about(path):
    """What `save` was told about the state; reads the header only."""
    return _header(path).get("about")


def _flat(value, tensors, name):
    """A JSON tree with every tensor moved to `tensors`; containers become {"kind": ...}."""
    if isinstance(value, torch.Tensor):
        name = f"{len(tensors):04}.{name}"      # numbered: two paths might spell the same name
        tensors[name] = value.detach().cpu().contiguous().clone()      # safetensors wants no shared memory
        return {"tensor": name}
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, dict):
        for key in value:
            if type(key) not in (str, int):
                raise TypeError(f"a state cannot keep the key {key!r} of {name}")
        return {"dict": [[key, _flat(inner, tensors, f"{name}.{key}")] for key, inner in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_flat(inner, tensors, f"{name}.{i}") for i, inner in enumerate(value)]}
    raise TypeError(f"a state cannot keep {name}, a {type(value).__name__}")


def _nested(tree, tensor):
    if not isinstance(tree, dict):
        return tree
    (kind, inside), = tree.items()
    if kind == "tensor":
        return tensor(inside)
    if kind == "dict":
        return {key: _nested(inner, tensor) for key, inner in inside}
    return {"list": list, "tuple": tuple}[kind](_nested(inner, tensor) for inner in inside)


def _header(path) -> dict:
    with _open(path) as file:
        said = (file.metadata() or {}).get(HEADER)
    if said is None:
        raise Refused(f"'{path}' is not a checkpoint", "it holds weights, not the state of a painting",
                      "give the folder of a run")
    try:
        header = json.loads(said)
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from error
    if not isinstance(header, dict) or "tree" not in header:
        raise damaged(path, "no state")
    return header


def _open(path):
    try:
        return safetensors.safe_open(path, framework="pt")
    except (OSError, safetensors.SafetensorError) as error:
        raise damaged(path, error) from error


def damaged(path, error) -> Refused:
    """The three-part sentence for a checkpoint that cannot be gone on from."""
    return Refused(f"the checkpoint '{path}' cannot be read", f"the reader says '{error}'",
                   "take that of another run, or paint its settings anew")
