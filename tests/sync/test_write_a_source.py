"""docs/write-a-source.md: its example is put into a package and read with by a real process."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sync.adapters import ADAPTERS, ENTRY_POINTS, FileAdapter, recognise
from tests.processes import ROOT, Program

GUIDE = ROOT / "docs" / "write-a-source.md"
BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = dict(BLOCK.findall(GUIDE.read_text("utf-8")))


@pytest.fixture
def package(tmp_path):
    """Installs files into a folder as pip would: package(name, {file: content}, {entry point: object})."""
    folder = tmp_path / "packages"

    def package(name: str, files: dict[str, str], offers: dict[str, str]) -> Path:
        told = folder / f"{name}-1.0.dist-info"
        told.mkdir(parents=True)
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        points = "".join(f"{point} = {what}\n" for point, what in offers.items())
        (told / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{points}")
        for file, content in files.items():
            (folder / file).write_text(content, "utf-8")
        return folder

    return package


@pytest.fixture
def preview(tmp_path):
    """`manage.py preview` as a process that finds the packages of a folder."""

    def preview(packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = Program(tmp_path, "preview").env | {"PYTHONPATH": str(packages)}
        command = [sys.executable, "manage.py", "preview", *arguments]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)

    return preview


@pytest.fixture
def shelf(tmp_path) -> str:
    path = tmp_path / "saved"
    path.write_text(FILES["example.shelf"])
    return str(path)


def test_the_example_is_a_file_of_about_thirty_lines():
    code = [line for line in FILES["shelf_source.py"].splitlines() if line.strip()]
    assert len(code) <= 40


@pytest.mark.covers("DX-03")
@pytest.mark.parametrize("offered", ["shelf_source", "shelf_source:Shelf"])
def test_the_source_of_the_guide_reads_its_file_from_a_package_of_its_own(package, preview, shelf, offered):
    stated = tomllib.loads(FILES["pyproject.toml"])["project"]
    assert stated["entry-points"] == {ENTRY_POINTS: {"shelf": "shelf_source"}}
    folder = package(stated["name"], {"shelf_source.py": FILES["shelf_source.py"]}, {"shelf": offered})
    answer = preview(folder, shelf, "--json")
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert (told["format"], told["label"], told["title"]) == ("shelf", "Shelf list", "Harbour films")
    assert told["unreadable"] == []
    first, second, third = told["records"]
    assert (first["key"], first["ids"], first["values"]) == (
        "tt0000101", {"imdb": "tt0000101"}, {"title": "The Last Ferry", "year": 1993},
    )  # fmt: skip
    assert second["line"] == 3
    assert (third["ids"], third["values"]["year"]) == ({}, 1978)
    for_people = preview(folder, shelf).stdout
    assert "Shelf list (shelf), utf-8" in for_people
    assert "The Last Ferry (1993)" in for_people


def test_what_the_source_cannot_read_is_told_with_its_line(package, preview, tmp_path):
    folder = package("listkeeper-shelf", {"shelf_source.py": FILES["shelf_source.py"]}, {"shelf": "shelf_source"})
    (tmp_path / "odd").write_text("#SHELF Odd\nnothing to see\ntt0000101 | The Last Ferry | 1993\n")
    answer = preview(folder, str(tmp_path / "odd"))
    assert "Line 2: The line must be: IMDb id | title | year." in answer.stdout
    (tmp_path / "none").write_text("just words\n")
    answer = preview(folder, str(tmp_path / "none"), "--format", "shelf")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Line 1: This is no Shelf list" in answer.stderr


BROKEN = {
    "syntax": ("def oh no", "broken_source"),
    "import": ("import nothing_of_that_name", "broken_source"),
    "no_such_class": ("", "broken_source:Missing"),
    "taken_key": (
        'from sync.adapters import FileAdapter\nclass Taken(FileAdapter):\n    key = "cue"\n    label = "Mine"\n',
        "broken_source:Taken",
    ),
}


@pytest.mark.covers("DX-03")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_named_in_the_log_and_keeps_nobody_from_starting(package, preview, shelf, name):
    code, offered = BROKEN[name]
    package("broken", {"broken_source.py": code}, {f"broken-{name}": offered})
    folder = package("listkeeper-shelf", {"shelf_source.py": FILES["shelf_source.py"]}, {"shelf": "shelf_source"})
    answer = preview(folder, shelf, "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["format"] == "shelf"
    assert f"the source broken-{name} of another package cannot be loaded; it is left out" in answer.stderr


def test_a_format_that_breaks_leaves_the_others_to_know_the_file(monkeypatch, caplog):
    class Broken(FileAdapter):
        key, label = "broken", "Broken"

        @classmethod
        def recognises(cls, sniff):
            raise KeyError("mark")

    monkeypatch.setitem(ADAPTERS, "broken", Broken)
    assert recognise(b"Title,Year\nSalt Harbour,2021\n")[0].key == "csv_table"
    assert "broken broke" in caplog.text
