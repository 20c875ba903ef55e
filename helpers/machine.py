"""The machine a picture is painted on: its device, its threads, its dice, its versions.

Nothing here happens at import; torch is imported by the functions that need it.
"""

import ctypes
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

from .errors import Refused

KINDS = ("auto", "cpu", "cuda", "mps")
PACKAGES = ("torch", "torchvision", "numpy", "pillow", "open_clip_torch", "safetensors")
BITS = (1 << 64) - 1
LARGE = 1 << 30     # bytes of a block that goes back to the system at once
MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1     # of glibc's malloc.h


def device(name: str = "auto"):
    """The torch.device called `name`; auto is DEVICE from the environment, else the first of cuda, mps, cpu.

    Also asks that device for repeatable arithmetic: the same seed is to give the same picture, bit for bit.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")     # read when CUDA wakes up
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    import torch
    if name in ("", "auto", None):
        name = os.environ.get("DEVICE") or "auto"
    here = _present(torch)
    kind, _, index = str(name).lower().partition(":")
    if kind not in KINDS or (index and not (kind == "cuda" and index.isdigit())):
        raise Refused(f"device is {name!r}", "it is one of 'auto', 'cpu', 'cuda', 'mps'", "try 'auto'")
    if kind == "auto":
        kind = here[0]
    if kind not in here or (index and int(index) >= torch.cuda.device_count()):
        gpu = ", or in Colab choose Runtime > Change runtime type > GPU" if kind == "cuda" else ""
        raise Refused(f"device is {name!r}", f"this machine has {', '.join(map(repr, here))}",
                      f"try 'auto'{gpu}")
    if kind == "cuda":
        repeatable(torch)
    return torch.device(kind, int(index)) if index else torch.device(kind)


def _present(torch) -> list[str]:
    """Kinds of device this machine has, best first."""
    return (["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available() + ["cpu"])


def repeatable(torch):
    """CUDA picks, for each shape, the kernel that happens to be fastest today, unless told not to."""
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)


def mix(seed: int, step: int) -> int:
    """A 63-bit seed for one step of one run, unrelated to its neighbors' (splitmix64, Steele et al. 2014)."""
    z = int(seed) & BITS
    for word in (int(seed) >> 64, int(step)):      # negative and very long seeds count in full
        z = (z + 0x9E3779B97F4A7C15 + (word & BITS) * 0xD1B54A32D192ED03) & BITS
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & BITS
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & BITS
        z ^= z >> 31
    return z >> 1


def dice(seed: int, step: int = -1):
    """A CPU torch.Generator for this step; -1 is what comes before the first one."""
    import torch
    return torch.Generator().manual_seed(mix(seed, step))


def cores() -> int:
    """CPU cores this process may use: the affinity mask and the container's quota count, not the box."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    words = quota.read_text().split() if quota.is_file() else ["max"]
    return usable if words[0] == "max" else max(1, min(usable, round(int(words[0]) / int(words[1]))))


def threads(count: int = 0) -> int:
    """Let torch use `count` threads, or else OMP_NUM_THREADS, or else every core that is ours."""
    import torch
    wish = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(count or (int(wish) if wish.isdigit() and int(wish) else cores()))
    return torch.get_num_threads()


def keep_memory(most=LARGE):
    """Let this process keep what torch gives back, but for blocks of `most` bytes and more, which go to the
    system at once. glibc's own bound is 32 MB, and larger blocks are fetched anew, page by page, which at 512
    pixels takes a third of a step. Keeping costs memory: blocks are not moved together, and holes between
    them stay. Nothing changes without glibc, or where MALLOC_… is set."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt") and not any(name.startswith("MALLOC_") for name in os.environ):
        libc.malloc_trim(0)     # holes that loading left
        libc.mallopt(MMAP_THRESHOLD, most)
        libc.mallopt(TRIM_THRESHOLD, LARGE)


def memory(device="cpu") -> dict[str, int]:
    """Bytes {"free", "total"} on a device; zeros where the system does not say."""
    import torch
    if torch.device(device).type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return {"free": free, "total": total}
    table = Path("/proc/meminfo")
    if not table.is_file():
        return {"free": 0, "total": 0}
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in table.read_text().splitlines()}
    return {"free": kilobytes["MemAvailable"] * 1024, "total": kilobytes["MemTotal"] * 1024}


def idle(device="cuda") -> int:
    """Bytes of a CUDA device that this process holds and does not use: free for what comes next."""
    import torch
    return torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def used(device="cpu") -> int:
    """Bytes that this process holds on a device; 0 where the system does not say."""
    import torch
    if torch.device(device).type == "cuda":
        return torch.cuda.memory_allocated(device)
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") if pages.is_file() else 0


def describe(device="cpu") -> str:
    """One line for people: 'NVIDIA H200, 139 GB' or 'CPU, 2 cores'."""
    import torch
    kind = torch.device(device).type
    if kind == "cuda":
        return f"{torch.cuda.get_device_name(device)}, {memory(device)['total'] / 2 ** 30:.0f} GB"
    return "Apple GPU" if kind == "mps" else f"CPU, {cores()} core{'s' * (cores() != 1)}"


def versions() -> dict[str, str]:
    """Python and the packages that decide about pixels; nothing is imported to find out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def in_colab() -> bool:
    return "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ


def in_notebook() -> bool:
    """Is there a front end that can show pictures?"""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython
    return type(get_ipython()).__name__ in ("ZMQInteractiveShell", "Shell")      # Jupyter, Colab
