"""Reading old checkpoints without running what is in them.

A torch checkpoint is a pickle, and a pickle is a program. Lightning checkpoints of 2021 also hold
callbacks of classes that no longer exist. Here tensors are rebuilt, and every other class or function the
file names becomes an inert `Shell`: nothing is imported, nothing is called.

    state = open_checkpoint(path)          # {"encoder.conv_in.weight": tensor, ...}
"""

import mmap
import pickle
import struct
import zipfile
from pathlib import Path

import torch

from .errors import Refused

DTYPES = {"FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16,
          "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
          "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
          "BoolStorage": torch.bool, "UntypedStorage": torch.uint8}
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # first object of a torch file written before 1.6
NESTS = ("state_dict", "model", "module", "params_ema", "params")  # where trainers put the weights


def _shell_class():
    class Shell:
        """Stands for any object of a class we do not know: swallows what the pickle hands it."""

        def __init__(self, *_, **__):
            pass

        def __setstate__(self, state):
            if isinstance(state, dict):
                self.__dict__.update({str(key): value for key, value in state.items()})

        def __setitem__(self, key, value):
            pass

        def swallow(self, *_):
            return self

        append = extend = add = __call__ = swallow
    return Shell


def _rebuild(storage, offset, size, stride, *_):
    """A tensor over (bytes, dtype); stands for torch._utils._rebuild_tensor_v2."""
    raw, dtype = storage
    return torch.empty(0, dtype=dtype).set_(raw, offset, torch.Size(size), tuple(stride))


def unpickler(file, storage):
    """A pickle.Unpickler that knows tensors and plain containers only; `storage(key, dtype, n)` finds bytes.

    Its classes and functions are made anew per file: a pickle may set attributes on what it names."""
    shell = _shell_class()

    class Pairs(dict):
        def __setstate__(self, state):
            pass  # torch hangs version numbers on a state dict

    known = {("collections", "OrderedDict"): Pairs, ("torch", "Size"): lambda size=(): tuple(size),
             ("torch._utils", "_rebuild_tensor_v2"): lambda *parts: _rebuild(*parts),
             ("torch._utils", "_rebuild_tensor"): lambda *parts: _rebuild(*parts),
             ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor}

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if module in ("torch", "torch.storage") and name in DTYPES:
                return name
            return known.get((module, name), shell)

        def persistent_load(self, saved):
            kind, *rest = saved
            if kind in ("module", b"module"):
                return rest[0]  # very old files wrap a class with its source code
            name, key, _, numel, *view = rest
            dtype = DTYPES.get(name, torch.uint8) if isinstance(name, str) else torch.uint8
            raw = storage(str(key), dtype, int(numel))
            if view and view[0]:  # legacy: a window into a larger storage
                _, start, count = view[0]
                raw = raw[start * dtype.itemsize:(start + count) * dtype.itemsize]
            return raw, dtype

    return Reader(file, encoding="latin1")


def _read_zip(path: Path):
    """torch >= 1.6 and TorchScript: a zip of data.pkl and one record per storage, used in place."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        records = {info.filename.split("/", 1)[-1]: info for info in archive.infolist()}
        if "data.pkl" not in records:
            raise Refused(f"{path} is a zip without weights in it",
                          "a torch checkpoint holds a data.pkl",
                          "unpack it and give the .ckpt, .pt or .safetensors inside")
        raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)  # pages are read when used

        def storage(key, dtype, numel):
            info = records[f"data/{key}"]
            name, extra = struct.unpack_from("<HH", raw, info.header_offset + 26)
            if info.compress_type != zipfile.ZIP_STORED or info.file_size < numel * dtype.itemsize:
                raise pickle.UnpicklingError(f"storage {key} is damaged")
            if not numel:
                return torch.UntypedStorage(0)
            start = info.header_offset + 30 + name + extra
            data = torch.frombuffer(raw, dtype=torch.uint8, count=info.file_size, offset=start)
            return data.untyped_storage()

        return unpickler(archive.open(records["data.pkl"]), storage).load()


def _read_legacy(path: Path):
    """Before torch 1.6: pickles one after the other, then each storage as a count and its bytes."""
    storages, limit = {}, path.stat().st_size

    def storage(key, dtype, numel):
        if numel * dtype.itemsize > limit:
            raise pickle.UnpicklingError(f"storage {key} is larger than the file")
        return storages.setdefault(key, (torch.UntypedStorage(numel * dtype.itemsize), dtype))[0]

    with path.open("rb") as file:
        if unpickler(file, storage).load() != LEGACY_MAGIC:
            raise pickle.UnpicklingError("not a torch file")
        unpickler(file, storage).load()  # protocol
        unpickler(file, storage).load()  # sizes of the machine it was written on
        saved = unpickler(file, storage).load()
        for key in unpickler(file, storage).load():
            raw, dtype = storages[str(key)]
            count, = struct.unpack("<q", file.read(8))
            data = file.read(count * dtype.itemsize)
            if len(data) != raw.nbytes():
                raise pickle.UnpicklingError(f"storage {key} is cut short")
            if data:
                raw.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8).untyped_storage())
    return saved


def tensors(saved, prefix: str = "") -> dict[str, torch.Tensor]:
    """Every tensor inside nested dicts and shells, under its dotted name, less the trainer's own nesting."""
    if not prefix and isinstance(saved, dict):
        nest = next((name for name in NESTS if isinstance(saved.get(name), dict)), None)
        saved = saved[nest] if nest else saved
    if isinstance(saved, torch.Tensor):
        return {prefix.rstrip("."): saved}
    inside = saved if isinstance(saved, dict) else getattr(saved, "__dict__", {})
    found = {}
    for key, value in inside.items():
        if isinstance(value, torch.Tensor | dict) or hasattr(value, "__dict__"):
            found |= tensors(value, f"{prefix}{key}.")
    return found


def open_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint whose other content is not trusted; read lazily where possible."""
    path = Path(path)
    try:
        saved = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        state = tensors(saved)
    except Refused:
        raise
    except Exception as error:  # a broken pickle may fail in any way it likes
        raise Refused(f"{path} cannot be read as weights",
                      "weights come as .safetensors or as a torch checkpoint",
                      "download it again, it may be damaged") from error
    if not state:
        raise Refused(f"{path} has no weights in it", "a checkpoint holds named tensors",
                      "download it again, or pick another file")
    return state
