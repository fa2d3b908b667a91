"""A process that reads files as a worker does and says what it took: paths come in by lines, an answer of JSON goes out
for each. Its parent ends it when an answer takes too long."""

import json
import os
import sys
import time
import zlib
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from sync.errors import SyncError  # noqa: E402
from sync.management.commands.preview import read  # noqa: E402


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> int:
    """The most memory that the process held since forget_peak(). Linux only."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def measure(path: Path) -> dict[str, object]:
    forget_peak()
    began = time.monotonic()
    zlib.decompress(zlib.compress(path.read_bytes(), 3))  # as the body is kept
    try:
        reading = read(path)
        told = {"format": reading.adapter.key, "count": len(reading.records), "unreadable": len(reading.unreadable)}
    except SyncError as e:
        told = {"refused": str(e), "line": getattr(e, "line", None)}
    return {"name": path.name, "seconds": round(time.monotonic() - began, 2), "mib": peak_mib(), **told}


for line in sys.stdin:
    print(json.dumps(measure(Path(line.strip()))), flush=True)
