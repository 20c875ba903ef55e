"""Weights in a file of any format: read without running anything, and kept as safetensors.

    tensors = read("last.ckpt");    tensors = converted(download, tidy)      # read once, then from its twin
"""

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .errors import Refused
from .fingerprints import sha256

SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".th")
Tidy = Callable[[dict], dict]
READER = "1"  # raise it when reading changes: converted files are then made again


def read(path: Path) -> dict:
    """{name: tensor} of a safetensors file, a tensor-only torch file, or, without running it, any other."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from .checkpoints import open_checkpoint, tensors

    path = Path(path)
    if not path.is_file() or not path.stat().st_size:
        raise nothing(path)
    if is_safetensors(path):
        try:
            return load_file(path)
        except SafetensorError as error:
            raise Refused(f"{path} is damaged ({error})", "it should be a safetensors file",
                          "delete it and get it again") from error
    try:
        with warnings.catch_warnings(action="ignore"):  # "looks like TorchScript": it is, and is not run
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return tensors(state) or open_checkpoint(path)
    except Exception:  # whatever torch makes of it: the restricted reader has the last word
        return open_checkpoint(path)


def nothing(path: Path) -> Refused:
    """What to say of a file that is empty or not there."""
    return Refused(f"{path} is {'empty' if path.exists() else 'not there'}",
                   "weights come as .safetensors or as a torch checkpoint", "check the path")


def is_safetensors(path: Path) -> bool:
    """By its content, for mirrors may serve another format: 8 bytes of length, then JSON."""
    with path.open("rb") as file:
        return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"


def converted(path: Path, tidy: Tidy) -> dict:
    """The tidied tensors of a checkpoint, kept as safetensors beside it, for next time."""
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file, save_file

    if not path.is_file() or is_safetensors(path):
        return tidy(read(path))
    twin = path.with_name(f"{path.name}.safetensors")
    made_from = {"source": sha256(path), "reader": READER, "tidy": f"{tidy.__module__}.{tidy.__qualname__}"}
    with suppress(OSError, SafetensorError):    # not there, or damaged: made again
        with safe_open(twin, "pt") as file:
            current = file.metadata() == made_from
        if current:
            return load_file(twin)
    state = {key: tensor.detach().clone().contiguous() for key, tensor in tidy(read(path)).items()}
    fresh = twin.with_name(f"{twin.name}.{os.getpid()}.part")
    try:
        save_file(state, fresh, metadata=made_from)
        os.replace(fresh, twin)
    except OSError:
        fresh.unlink(missing_ok=True)  # a read-only or full folder: converted again next time
    return state
