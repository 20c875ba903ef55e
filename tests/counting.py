"""What a step does, counted instead of timed: operators called, bytes alive, numbers read back."""

import weakref
from collections import Counter
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode

READS = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2")
COPIES = ("tolist", "numpy", "cpu")     # where nothing is called that a mode would see


def tensors(*parts):
    """All of them in arguments, which hold lists and dicts at most; torch's own walk takes half of a test.
    But for kernels laid out for oneDNN: these have no storage to tell them by, and stay for good."""
    for part in parts:
        if isinstance(part, torch.Tensor):
            if not part.is_mkldnn:
                yield part
        elif isinstance(part, list | tuple):
            yield from tensors(*part)
        elif isinstance(part, dict):
            yield from tensors(*part.values())


class Calls(TorchDispatchMode):
    """Counts operators, by name."""

    def __init__(self):
        super().__init__()
        self.names = Counter()

    @property
    def number(self):
        return self.names.total()

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        self.names[operator.overloadpacket.__name__] += 1
        return operator(*args, **(kwargs or {}))


class Memory(TorchDispatchMode):
    """Bytes of tensors made within and still alive, and the most there were at once."""

    def __init__(self):
        super().__init__()
        self.alive, self.now, self.peak = set(), 0, 0

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        out = operator(*args, **(kwargs or {}))
        old = {tensor.untyped_storage()._cdata for tensor in tensors(args, kwargs)}
        for tensor in tensors(out):
            storage = tensor.untyped_storage()
            if storage._cdata not in self.alive and storage._cdata not in old:
                self.alive.add(storage._cdata)
                self.now += storage.nbytes()
                weakref.finalize(storage, self.freed, storage._cdata, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return out

    def freed(self, key, size):
        self.alive.discard(key)
        self.now -= size


class Reads(TorchDispatchMode):
    """Counts how often a number that depends on the `sources` is read back: a GPU would have to be waited
    for. Whatever depends on them is kept alive, so that no storage is taken for another."""

    def __init__(self, sources):
        super().__init__()
        self.hot = {source.untyped_storage()._cdata: source for source in sources}
        self.number = 0
        self.patches = [mock.patch.object(torch.Tensor, name, self.noticed(getattr(torch.Tensor, name)))
                        for name in COPIES]

    def noticed(self, copy):
        def read(tensor, *args, **kwargs):
            self.number += self.is_hot(tensor)
            return copy(tensor, *args, **kwargs)
        return read

    def is_hot(self, *parts):
        return any(tensor.untyped_storage()._cdata in self.hot for tensor in tensors(*parts))

    def __enter__(self):
        for patch in self.patches:
            patch.start()
        return super().__enter__()

    def __exit__(self, *error):
        for patch in self.patches:
            patch.stop()
        return super().__exit__(*error)

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        seen = self.is_hot(args, kwargs)
        self.number += seen and operator.overloadpacket.__name__ in READS
        out = operator(*args, **(kwargs or {}))
        if seen:
            self.hot |= {tensor.untyped_storage()._cdata: tensor for tensor in tensors(out)}
        return out
