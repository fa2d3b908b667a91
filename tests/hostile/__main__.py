"""Writes them all into a folder."""

import sys
from pathlib import Path

from tests.hostile import everything

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for each in everything().values():
    (folder / each.name).write_bytes(each.make())
print(f"{len(everything())} hostile files are in {folder}")
