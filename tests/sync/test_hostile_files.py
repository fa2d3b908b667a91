"""Files that mean harm (tests/hostile/), each through the page and the API: a sentence or a plain preview, nothing else.

What reading them takes is seen in a process of its own, which is ended if it takes too long.
"""

import csv
import html
import io
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from lists.exports.imdb_csv import guarded
from lists.models import Entry, Item, MediaList, Proposal
from lists.records import Record
from sync.adapters import Context, adapter_named
from sync.models import Run
from tests.hostile import SCRIPT, Hostile, everything
from tests.processes import ROOT, Program

LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))
FILES = everything()
SMALL = [name for name, file in FILES.items() if LONG or not file.large]
HANG_S = 60  # of CPU: the machine of a test may have other things to do; the figures are printed
MOST_MIB = 600
MARKUP = ("<script>alert", "<img src=x", "<b>bold")


@pytest.fixture(autouse=True)
def _no_hang():
    """Ends a test that is caught in a pattern, and says where."""

    def end(*args: object) -> None:
        raise TimeoutError(f"longer than {HANG_S} s")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, HANG_S)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def upload_by_page(client, work, file: Hostile) -> tuple[Proposal | None, str]:
    """(the proposal, unless the page refused it at once; what the page shows at the end)."""
    body = SimpleUploadedFile(file.name, file.make())
    response = client.post(reverse("sync:add"), {"file": body, "list_name": "Hostile"}, follow=True)
    assert response.status_code == 200
    if not Proposal.objects.exists():
        return None, response.content.decode()
    work()
    proposal = Proposal.objects.get()
    response = client.get(reverse("sync:preview", args=[proposal.pk]))
    assert response.status_code == 200
    return proposal, response.content.decode()


def upload_by_api(client, work, file: Hostile) -> dict[str, Any]:
    response = client.post("/api/v1/uploads/", {"file": SimpleUploadedFile(file.name, file.make())})
    assert response.status_code in (202, 400, 413), response.content[:300]
    if response.status_code != 202:
        return {"state": "refused", "error": json.dumps(response.json())}
    work()
    response = client.get(f"/api/v1/uploads/{response.json()['id']}/")
    assert response.status_code == 200
    return response.json()


def assert_sentence(error: str) -> None:
    assert error.rstrip('"}]').endswith((".", "?", "."))
    assert "inside Listkeeper" not in error
    assert len(error) < 2000


def assert_ends(file: Hostile, state: str) -> None:
    assert state in ("open", "refused")
    if file.ends:
        assert state == {"read": "open"}.get(file.ends, file.ends)


def assert_nothing_anywhere() -> None:
    for model in (MediaList, Item, Entry, Run):
        assert not model.objects.exists()


@pytest.mark.covers("SAFE-10")
@pytest.mark.parametrize("name", SMALL)
def test_a_hostile_file_ends_in_a_sentence_or_a_plain_preview_on_the_page(client, ines, work, name):
    client.force_login(ines)
    file = FILES[name]
    proposal, page = upload_by_page(client, work, file)
    assert_nothing_anywhere()
    assert not [mark for mark in MARKUP if mark in page]
    if proposal is None:
        assert "Nothing was read." in page
        return
    assert_ends(file, proposal.state)
    if proposal.state == "refused":
        assert_sentence(proposal.error)
        assert html.escape(proposal.error) in page


@pytest.mark.covers("SAFE-10")
@pytest.mark.parametrize("name", SMALL)
def test_a_hostile_file_ends_in_a_sentence_or_a_preview_over_the_api(client, ines, work, name):
    client.force_login(ines)
    file = FILES[name]
    answer = upload_by_api(client, work, file)
    assert_nothing_anywhere()
    assert_ends(file, answer["state"])
    if answer["state"] == "refused":
        assert_sentence(answer["error"])


@pytest.fixture
def reader(tmp_path):
    """A process that reads files and says what it took (tests/measured.py)."""
    env = Program(tmp_path, "").env
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.measured"], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


def measured(reader: subprocess.Popen[str], path: Path) -> dict[str, Any]:
    assert reader.stdin
    assert reader.stdout
    reader.stdin.write(f"{path}\n")
    reader.stdin.flush()
    ready, _, _ = select.select([reader.stdout], [], [], 4 * HANG_S)
    assert ready, f"{path.name} took longer than {4 * HANG_S} s"
    line = reader.stdout.readline()
    assert line, f"{path.name} ended the process ({reader.wait()})"
    return json.loads(line)


@pytest.mark.covers("SAFE-10")
@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only where the kernel tells the peak of a process"
)
def test_no_hostile_file_takes_more_memory_than_a_worker_has(reader, tmp_path):
    signal.setitimer(signal.ITIMER_PROF, 0)  # each file has its own time
    large = []
    for name, file in FILES.items():
        if "_cut_at_" in name:
            continue
        path = tmp_path / name
        path.write_bytes(file.make())
        told = measured(reader, path)
        path.unlink()
        print(f"{told['seconds']:6.2f} s {told['mib']:5} MiB  {name}: {told.get('refused') or told['format']}"[:160])
        if told["mib"] > MOST_MIB:
            large.append((name, told["mib"]))
    assert not large


# -- what is shown of what was taken ----------------------------------------------------------------------------------

FIRST = (
    f'Title,Year,IMDb ID,Note,URL\n"{SCRIPT}",1990,tt0000001,"{SCRIPT}",javascript:alert(1)\nCalm,1991,tt0000002,x,\n'
)
SECOND = FIRST.replace("alert(1)", "alert(9)").replace("Calm", "<b>bold</b>")


@pytest.mark.covers("SAFE-10")
def test_markup_in_titles_is_shown_as_it_is_written(client, ines, staff, upload):
    proposal = upload(None, FIRST.encode(), adapter="", confirm=False)
    pages = {"preview": show(client, ines, "sync:preview", proposal.pk)}
    list_ = upload(None, FIRST.encode(), adapter="").list
    run = upload(list_, SECOND.encode(), adapter="")
    entry = Entry.objects.get(list=list_, item__ids__value="tt0000001")
    assert entry.title == SCRIPT.replace("alert(1)", "alert(9)")
    pages |= {
        "list": show(client, ines, "lists:items", list_.pk),
        "entry": show(client, ines, "lists:entry", list_.pk, entry.pk),
        "edit": show(client, ines, "lists:edit_entry", list_.pk, entry.pk),
        "history": show(client, ines, "lists:changes", list_.pk),
        "version": show(client, ines, "lists:version", list_.pk, 2),
        "diff": show(client, ines, "lists:diff", list_.pk, **{"from": 1, "to": 2}),
        "run": show(client, ines, "sync:run", run.pk),
        "admin list": show(client, staff, "admin:lists_entry_changelist"),
        "admin entry": show(client, staff, "admin:lists_entry_change", entry.pk),
    }
    for name, page in pages.items():
        assert not [mark for mark in MARKUP if mark in page], name
        assert "href=javascript" not in page.replace('"', "").replace("'", "").replace(" ", ""), name
    for name in ("preview", "list", "entry", "version", "diff", "admin list"):
        assert "&lt;script&gt;alert(" in pages[name], name


def show(client, user, name: str, *args: Any, **params: Any) -> str:
    client.force_login(user)
    response = client.get(reverse(name, args=args), params)
    assert response.status_code == 200, name
    return response.content.decode()


@pytest.mark.covers("SAFE-10")
@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-1", "'-1"), ("@home", "'@home"), ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("＝1+1", "'＝1+1"), ("＋1", "'＋1"), ("－1", "'－1"), ("＠a", "'＠a"), ("'=1", "''=1"), ("''@x", "'''@x"),
        ("'Tis", "'Tis"), ("''", "''"), ("Heat", "Heat"), ("1=1", "1=1"), ("", ""), (" =1", " =1"), ("’=1", "’=1"),
    ],
)  # fmt: skip
def test_a_formula_is_guarded_on_export_and_the_guard_alone_removed_on_import(cell, written):
    assert guarded(cell) == written
    out = io.StringIO()
    ref = "01234567-89ab-cdef-0123-456789abcdef/1@1"
    csv.writer(out).writerows([["Const", "Title", "Note", "Listkeeper"], ["tt0000001", "x", written, ref]])
    record = next(
        row for row in adapter_named("imdb_csv").fetch(Context(out.getvalue().encode())) if isinstance(row, Record)
    )
    assert record.values.get("note", "") == cell.strip()


@pytest.mark.covers("SAFE-10")
def test_formulas_leave_as_text_and_come_back_as_they_were(client, ines, upload, titles):
    shown = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "＝1+1", "＠a", "'=1"]
    body = "Title,Year\n" + "".join(f'"{cell}",{1990 + n}\n' for n, cell in enumerate(shown))
    list_ = upload(None, body.encode(), adapter="").list
    assert titles(list_) == shown
    client.force_login(ines)
    response = client.get(reverse("lists:export", args=[list_.pk, "csv"]))
    exported = b"".join(response.streaming_content) if response.streaming else response.content
    cells = [row["Title"] for row in csv.DictReader(io.StringIO(exported.decode()))]
    assert cells == [f"'{cell}" for cell in shown]
    proposal = upload(list_, exported, adapter="", confirm=False)
    assert proposal.result["counts"]["changed"] == 0
    assert proposal.result["counts"]["added"] == 0


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SAFE-10")
@pytest.mark.parametrize(
    ("setting", "value", "body", "words"),
    [
        ("NESTING", 8, '[{"title": [[[[[[[["x"]]]]]]]]}]', "more than 8 deep"),
        ("NUMBER_LENGTH", 20, '[{"title": "A", "rating": 1.2345678901234567890123}]', "more than 20 signs"),
        ("CSV_COLUMNS", 10, "Title," + ",".join("abcdefghijk") + "\nA" + ",x" * 11 + "\n", "12 cells; 10 are read"),
        ("FILE_LINES", 1000, "Title,Year\n" + "A,1990\n" * 1001, "more than 1,000 lines"),
        ("FILE_ROWS", 1000, "Title,Year\n" + "A,1990\n" * 1001, "more than 1,000 rows"),
    ],
)
def test_a_limit_is_a_setting_and_its_sentence_names_it(client, ines, work, settings, setting, value, body, words):
    setattr(settings, setting, value)
    client.force_login(ines)
    answer = upload_by_api(client, work, Hostile("file", body.encode))
    assert (answer["state"], words in answer["error"]) == ("refused", True), answer["error"]
    assert "Nothing was read" in answer["error"]
    setattr(settings, setting, value * 10)
    Proposal.objects.all().delete()
    assert upload_by_api(client, work, Hostile("file", body.encode))["state"] == "open"


@pytest.mark.covers("SAFE-10")
def test_files_that_nobody_decides_do_not_fill_the_disk(client, ines, jonas, work, settings):
    settings.UPLOAD_QUOTA_MIB = 1
    client.force_login(ines)
    noise = os.urandom(700 * 1024)
    for _ in range(2):
        assert client.post("/api/v1/uploads/", {"file": SimpleUploadedFile("a", noise)}).status_code == 202
    response = client.post("/api/v1/uploads/", {"file": SimpleUploadedFile("a", b"Title\nA\n")})
    assert response.status_code == 413
    assert "wait for your decision" in response.content.decode()
    page = client.post(reverse("sync:add"), {"file": SimpleUploadedFile("a", b"Title\nA\n")}).content.decode()
    assert "wait for your decision" in page
    client.force_login(jonas)
    assert client.post("/api/v1/uploads/", {"file": SimpleUploadedFile("a", b"Title\nA\n")}).status_code == 202
    client.force_login(ines)
    client.post(f"/api/v1/uploads/{Proposal.objects.filter(created_by=ines).first().pk}/discard/")
    assert client.post("/api/v1/uploads/", {"file": SimpleUploadedFile("a", b"Title\nA\n")}).status_code == 202
