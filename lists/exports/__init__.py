"""Lists as files. Each module that does not begin with an underscore is one format and registers itself."""

import importlib
import pkgutil

from lists.exports._base import EXPORTS, Export, Line, Snapshot, ids_of, register, snapshot

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    if not _module.startswith("_"):
        importlib.import_module(f"{__name__}.{_module}")

__all__ = ["EXPORTS", "Export", "Line", "Snapshot", "ids_of", "register", "snapshot"]
