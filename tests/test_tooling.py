"""What a fresh machine meets first: make, the locks, and what the repository gives away."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import services

ROOT = Path(__file__).resolve().parent.parent
MAKE = shutil.which("make") or "make"
PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
LOCKS = ("requirements.txt", "requirements-dev.txt")


def tracked() -> list[Path]:
    """Every file that is committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.fixture
def make(tmp_path):
    """Runs make with our Makefile in an empty folder; the PATH holds nothing but the given pythons and a shell."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("sh", "echo", "mkdir", "cp"):
        (commands / name).symlink_to(str(shutil.which(name)))

    def run(*arguments: str, **pythons: str) -> subprocess.CompletedProcess:
        for name, script in pythons.items():
            (commands / name).write_text(f"#!/bin/sh\n{script}\n")
            (commands / name).chmod(0o755)
        env = {"PATH": str(commands), "HOME": str(tmp_path)}
        return subprocess.run([MAKE, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)

    return run


def the_line(done: subprocess.CompletedProcess) -> str:
    """The one line that make's own "*** Error 1" follows."""
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_help_names_every_target():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = subprocess.run([MAKE, "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert targets
    assert re.findall(r"^  make ([a-z-]+)", shown, re.MULTILINE) == targets[1].split()


def test_make_without_a_python_says_what_to_install(make):
    assert "needs Python 3.11 or newer" in the_line(make("run"))


def test_make_with_an_old_python_says_what_to_install(make):
    assert "needs Python 3.11 or newer" in the_line(make("run", python3="exit 1"))


def test_make_takes_a_newer_python_beside_an_old_one(make):
    newer = f'case "$2" in *version_info*) exec {sys.executable} "$@";; *) exit 1;; esac'
    assert the_line(make("run", python3="exit 1", **{"python3.12": newer})).startswith("python3.12 lacks its venv")


def test_make_without_the_venv_module_says_what_to_install(make):
    lacking = f'case "$2" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac'
    assert "apt-get install python3-venv" in the_line(make("run", python3=lacking))


def test_make_in_a_folder_that_is_not_writable_says_so(make):
    # /dev/null is no folder, so that even root cannot write into it.
    line = the_line(make("run", "VENV=/dev/null/venv", python3=f'exec {sys.executable} "$@"'))
    assert "not writable" in line


def test_the_packages_are_installed_once_for_each_lock(make, tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\necho ran $*\n")
    python.chmod(0o755)
    os.utime(python, (0, 0))
    installed = "ran -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt"
    assert installed in make("run").stdout
    assert make("run").stdout.splitlines() == ["ran manage.py up"]
    (tmp_path / "requirements.txt").write_text("# changed")
    os.utime(tmp_path / "requirements.txt", (2**31, 2**31))
    assert installed in make("run").stdout


@pytest.mark.parametrize(
    ("words", "environment", "database"),
    [
        (["bench"], {}, ""),
        (["bench"], {"DATABASE_URL": "postgres://somebody/lists"}, ""),
        (["bench", "DATABASE_URL=postgres://here/own"], {"DATABASE_URL": "postgres://somebody/lists"}, "postgres://here/own"),
        (["test-sqlite", "DATABASE_URL=postgres://somebody/lists"], {}, ""),
    ],
)  # fmt: skip
def test_only_a_benchmark_takes_a_database_and_only_from_the_command_line(words, environment, database):
    """What the environment names may hold somebody's lists."""
    env = {**os.environ, **environment}
    told = subprocess.run([MAKE, "-n", *words], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    last = told.splitlines()[-1]
    assert re.findall(r"DATABASE_URL=(\S*)", last)[-1] == database


def test_the_long_tests_run_wherever_the_others_do(make, tmp_path):
    (tmp_path / "requirements-dev.txt").touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\necho ran $* long=$LISTKEEPER_LONG_TESTS on ${DATABASE_URL%%:*}\n")
    python.chmod(0o755)
    told = {
        target: re.findall(r"^ran -m pytest .*", make(target).stdout, re.MULTILINE) for target in ("test", "test-long")
    }
    assert [line.partition("long=")[2] for line in told["test"]] == [" on", " on postgres"]
    assert [line.partition("long=")[2] for line in told["test-long"]] == ["1 on", "1 on postgres"]


def test_packages_that_cannot_be_installed_stop_the_start(make, tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    assert "could not be installed" in the_line(make("run"))
    assert not (tmp_path / ".venv" / "runtime").exists()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_hashes(name):
    text = (ROOT / name).read_text()
    packages = re.split(r"\n(?=\w)", text)
    assert len(packages) == len(PINNED.findall(text)) > 20
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_the_locks_agree():
    runtime, development = (dict(PINNED.findall((ROOT / name).read_text())) for name in LOCKS)
    assert runtime.items() <= development.items()
    assert "pytest" in development.keys() - runtime.keys()


def test_what_the_code_imports_is_in_the_runtime_lock():
    locked = {name for name, _ in PINNED.findall((ROOT / "requirements.txt").read_text())}
    imported = {
        node.names[0].name if isinstance(node, ast.Import) else node.module or ""
        for room in ("config", "lists", "monitoring", "sync")
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level)
    }
    packages = importlib.metadata.packages_distributions()
    needed = {
        re.sub(r"[-_.]+", "-", packages[top][0]).lower() for name in imported if (top := name.split(".")[0]) in packages
    }
    assert "django" in needed
    assert needed - locked == set()


def test_the_repository_names_no_package_host_and_no_local_path():
    # In pieces, so that this file does not name them.
    patterns = [
        "py" + r"pi\.org",
        "python" + "hosted",
        "--(extra-)?index" + "-url",
        "--find" + "-links",
        "find_" + "links",
    ]
    common = {Path(path) for path in ("/", "/tmp", "/home", "/opt", "/srv", "/usr", "/var")}
    places = {ROOT, ROOT.parent, Path.home()} - common
    forbidden = re.compile(
        "|".join(patterns + [rf"{re.escape(str(place))}(?![\w.-])" for place in places]), re.IGNORECASE
    )
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]}"
        for path in tracked()
        if (hit := forbidden.search(path.read_bytes().decode(errors="replace")))
    ]
    assert not found, "\n".join(found)


def test_links_between_documents_lead_somewhere():
    documents = [path for path in tracked() if path.suffix == ".md"]
    assert documents
    broken = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in documents
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / link).exists()
    ]
    assert not broken, "\n".join(broken)


SKIPS = """
import pytest

def test_lacking():
    pytest.skip("no browser here")

def test_elsewhere():
    pytest.skip("only on PostgreSQL")

@pytest.mark.skip(reason="no sample")
def test_marked(): ...

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


WHOLE_MODULE = "import pytest\npytest.importorskip('no_such_module')"


@pytest.mark.parametrize(
    ("source", "strict", "unhappy", "skipped"),
    [(SKIPS, "", 0, 3), (SKIPS, "1", 2, 1), (WHOLE_MODULE, "", 0, 1), (WHOLE_MODULE, "1", 1, 0)],
)
def test_in_ci_a_test_that_lacks_something_fails(tmp_path, source, strict, unhappy, skipped):
    (tmp_path / "test_it.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.plugins", "-p", "no:django", "-p", "no:cacheprovider",
         "-c", os.devnull, "--rootdir", tmp_path, tmp_path],
        cwd=ROOT, env={**os.environ, "LISTKEEPER_NO_SKIPS": strict}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    last = done.stdout.splitlines()[-1]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (failed|error|skipped)", last)}
    assert counts.get("failed", 0) + counts.get("error", 0) == unhappy, done.stdout
    assert counts.get("skipped", 0) == skipped, done.stdout
    assert (done.returncode in (1, 2)) == bool(unhappy)


def test_our_own_suite_is_under_that_rule(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("tests.plugins")


@pytest.mark.parametrize("url", ["postgres://me@127.0.0.1:1/name", "postgres://nobody.invalid/name", "nonsense"])
def test_a_server_that_is_not_there_does_not_answer(url):
    assert services.postgresql_answers(url) is False
    assert services.redis_answers(url.replace("postgres", "redis")) is False
