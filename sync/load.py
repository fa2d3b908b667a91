"""How loaded this machine is."""

import os
from pathlib import Path

MEMORY = Path("/proc/meminfo")


def load() -> float | None:
    """0 (idle) to 1: seven parts processor, three parts memory; None where the machine does not say."""
    try:
        processor = min(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0)
        figures = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines())
        free, all_ = (int(figures[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    except (OSError, KeyError, ValueError):
        return None
    return 0.7 * processor + 0.3 * (1 - free / all_)
