"""`pytest -p tests.kernels`: nbval's kernels speak over files. Jupyter picks free TCP ports and lets them go
before the kernel takes them; of two that start at once one may find its own taken ("Kernel died")."""

import os
import tempfile

import nbval.kernel
from jupyter_client.manager import KernelManager
from traitlets import default


class OverFiles(KernelManager):
    transport = "ipc"

    @default("connection_file")
    def _own_file(self):
        # Sockets get this name and a number. It is short: a socket's path may have 107 characters.
        self.folder = tempfile.TemporaryDirectory(prefix="kernel-")
        return os.path.join(self.folder.name, "told.json")


nbval.kernel.KernelManager = OverFiles
