"""What an interrupted run has measured, in a file beside the code until all of it is there."""

import json
from pathlib import Path

from helpers import safe_files

PLACE = Path(__file__).parents[1] / ".bench.json"


class Unfinished:
    """`done`, name -> row, of an earlier run of the same `plan`; nothing of any other, or if it is to be
    `fresh`."""

    def __init__(self, plan, fresh=False, path=None):
        self.plan, self.path = plan, path or PLACE
        old = json.loads(self.path.read_text()) if self.path.exists() and not fresh else {}
        self.done = old["done"] if old.get("plan") == plan else {}

    def keep(self, name, row):
        self.done[name] = row
        safe_files.write(self.path, json.dumps({"plan": self.plan, "done": self.done}).encode())

    def finish(self):
        self.path.unlink(missing_ok=True)
