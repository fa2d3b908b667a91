"""Settings from the environment: readers that refuse nonsense instead of guessing.

Each raises ImproperlyConfigured with one line that names the setting and says what to do; an empty value counts as unset.
"""

import json
import os
import secrets
import warnings
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

SQLITE, POSTGRESQL = "django.db.backends.sqlite3", "django.db.backends.postgresql"


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number between two bounds, both allowed."""
    raw = text(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} must lie between {low} and {high}, not {value}.")
    return value


def choice(name: str, default: str, *choices: str) -> str:
    """One of the choices, spelled as there whatever the case of the setting."""
    raw = text(name, default)
    for each in choices:
        if each.casefold() == raw.casefold():
            return each
    raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {raw!r}.")


def flag(name: str, default: bool) -> bool:
    raw = text(name).casefold()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {raw!r}.")


def words(name: str, default: list[str]) -> list[str]:
    """A comma-separated list; blanks are dropped."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or default


def objects(name: str) -> dict[str, dict[str, Any]]:
    """A JSON object of objects; without one an empty one."""
    raw = text(name)
    try:
        value = json.loads(raw) if raw else {}
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise ImproperlyConfigured(f'{name} must be JSON such as {{"tmdb": {{"rate": 5}}}}.')
    return value


def time_zone(name: str, default: str) -> str:
    raw = text(name, default)
    try:
        zoneinfo.ZoneInfo(raw)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ImproperlyConfigured(f"{name} must be a time zone such as Europe/Berlin, not {raw!r}.") from None
    return raw


def database(name: str, default: Path) -> dict[str, Any]:
    """Django's settings of the database that an address names; without one a SQLite file at the default path.

    The errors never show the address: it holds a password.
    """
    if not text(name):
        # Not by way of an address: a path may hold characters that mean something else there.
        return {"ENGINE": SQLITE, "NAME": str(default)}
    wanted = f"{name} must look like postgres://user:password@host:5432/name or sqlite:////path/to/file."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown scheme only warns there, and would show the address
            config = env.db_url(name)
    except ValueError:
        raise ImproperlyConfigured(wanted) from None
    if config.get("ENGINE") not in {SQLITE, POSTGRESQL} or not config.get("NAME"):
        raise ImproperlyConfigured(f"{wanted} Other databases are not tested.")
    return config


def data_folder(name: str, default: Path) -> Path:
    """The folder that holds everything worth keeping; made on first use."""
    folder = Path(text(name) or default).expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise ImproperlyConfigured(
            f"The data folder {folder} cannot be made ({e.strerror}). Set {name} to a folder that you may write to."
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"The data folder {folder} is not writable. Set {name} to a folder that you may write to."
        )
    return folder


def secret(name: str, folder: Path, filename: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(50)) -> str:
    """A secret from the environment, else from a file that is made on first run and that only its owner can read.

    Two processes that start at once agree: the file is written aside and linked into place, the first link wins.
    """
    if given := text(name):
        return given
    path = folder / filename
    try:
        if not path.exists():
            _make_once(path, make() + "\n")
        kept = path.read_text().strip()
    except OSError as e:
        raise ImproperlyConfigured(
            f"The key file {path} cannot be read or made ({e.strerror}). Give it to the user that runs Listkeeper."
        ) from None
    if not kept:
        # A new key in its place would make everything that the old one encrypted unreadable.
        raise ImproperlyConfigured(f"The key file {path} is empty. Put it back from your copy of the data folder.")
    return kept


def _make_once(path: Path, content: str) -> None:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())  # a key that a power cut takes away takes with it what it encrypted
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink(missing_ok=True)
