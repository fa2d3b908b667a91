"""Each reader of the environment takes what it should and stops the start with one plain line otherwise."""

import multiprocessing
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(("raw", "value"), [("", 7), ("  ", 7), ("1", 1), (" 10 ", 10)])
def test_a_number_is_read_and_an_empty_one_is_the_default(monkeypatch, raw, value):
    monkeypatch.setenv("X", raw)
    assert env.integer("X", 7, low=1, high=10) == value


@pytest.mark.parametrize(("raw", "value"), [("", True), ("no", False), ("OFF", False), ("0", False), ("Yes", True)])
def test_a_flag_is_yes_or_no(monkeypatch, raw, value):
    monkeypatch.setenv("X", raw)
    assert env.flag("X", True) is value


def test_a_choice_is_spelled_as_we_do(monkeypatch):
    monkeypatch.setenv("X", "debug")
    assert env.choice("X", "INFO", "DEBUG", "INFO") == "DEBUG"


@pytest.mark.parametrize(("raw", "value"), [("", ["a"]), (" , ", ["a"]), ("b", ["b"]), (" b,, c ", ["b", "c"])])
def test_words_are_separated_by_commas(monkeypatch, raw, value):
    monkeypatch.setenv("X", raw)
    assert env.words("X", ["a"]) == value


REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("ten", lambda: env.integer("X", 7, low=1, high=10), "whole number"),
    ("1.5", lambda: env.integer("X", 7, low=1, high=10), "whole number"),
    ("0", lambda: env.integer("X", 7, low=1, high=10), "between 1 and 10"),
    ("11", lambda: env.integer("X", 7, low=1, high=10), "between 1 and 10"),
    ("maybe", lambda: env.flag("X", True), "yes or no"),
    ("loud", lambda: env.choice("X", "INFO", "DEBUG", "INFO"), "DEBUG, INFO"),
    ("Mars/Olympus", lambda: env.time_zone("X", "UTC"), "time zone"),
    ("../../etc/passwd", lambda: env.time_zone("X", "UTC"), "time zone"),
    ("s3cret", lambda: env.database("X", Path("a")), "postgres://"),
    ("mysql://me:s3cret@host/name", lambda: env.database("X", Path("a")), "not tested"),
    ("postgres://me:s3cret@host:port/name", lambda: env.database("X", Path("a")), "postgres://"),
    ("postgres://me:s3cret@host", lambda: env.database("X", Path("a")), "postgres://"),
]


@pytest.mark.parametrize(("raw", "read", "says"), REFUSED, ids=[raw for raw, _, _ in REFUSED])
@pytest.mark.filterwarnings("error")
def test_nonsense_is_refused_in_one_line_that_names_the_setting(monkeypatch, raw, read, says):
    monkeypatch.setenv("X", raw)
    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    line = str(caught.value)
    assert line.startswith("X must ")
    assert says in line
    assert "\n" not in line
    assert "s3cret" not in line


@pytest.mark.parametrize("unset", [None, "", " "])
def test_without_an_address_the_database_is_a_file_whatever_its_path(monkeypatch, unset):
    monkeypatch.delenv("X", raising=False)
    if unset is not None:
        monkeypatch.setenv("X", unset)
    path = Path("/lists of #1?/a%20b.sqlite3")
    assert env.database("X", path) == {"ENGINE": env.SQLITE, "NAME": str(path)}


def test_a_database_address_is_taken_apart(monkeypatch):
    monkeypatch.setenv("X", "postgres://me:p%40ss@db:6432/lists?sslmode=require")
    config = env.database("X", Path("a"))
    assert config["ENGINE"] == env.POSTGRESQL
    assert [config[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == ["lists", "me", "p@ss", "db", 6432]
    assert config["OPTIONS"] == {"sslmode": "require"}


def test_the_data_folder_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("X", str(tmp_path / "a" / "b"))
    assert env.data_folder("X", tmp_path) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_a_data_folder_that_cannot_be_made_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("X", str(tmp_path / "file" / "data"))
    with pytest.raises(ImproperlyConfigured, match=r"file/data cannot be made .*Set X to a folder"):
        env.data_folder("X", tmp_path)


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    made = env.secret("X", tmp_path, "key")
    assert len(made) >= 50
    assert env.secret("X", tmp_path, "key") == made
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_secret_of_the_environment_goes_first_and_makes_no_file(monkeypatch, tmp_path):
    monkeypatch.setenv("X", "given")
    assert env.secret("X", tmp_path, "key") == "given"
    assert not (tmp_path / "key").exists()


def test_an_empty_key_file_is_not_replaced(monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    (tmp_path / "key").touch()
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        env.secret("X", tmp_path, "key")
    assert (tmp_path / "key").read_text() == ""


def test_a_key_file_that_is_no_file_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    (tmp_path / "key").mkdir()
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        env.secret("X", tmp_path, "key")


def _secret(folder: Path) -> str:
    return env.secret("LISTKEEPER_TEST_SECRET", folder, "key")


def test_processes_that_start_at_once_agree_on_a_secret(monkeypatch, tmp_path):
    monkeypatch.delenv("LISTKEEPER_TEST_SECRET", raising=False)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert len(set(pool.map(_secret, [tmp_path] * 16, chunksize=1))) == 1


def test_every_setting_is_documented_and_nothing_else():
    reads = re.compile(
        r'\b(?:text|integer|choice|flag|objects|words|time_zone|database|data_folder|secret)\(\s*"([A-Z_]+)"'
    )
    in_settings = set(reads.findall((ROOT / "config" / "settings.py").read_text()))
    in_table = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE))
    assert in_settings
    assert in_settings == in_table
