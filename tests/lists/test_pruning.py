"""Old versions are emptied: what is kept reads as before, what is not says so, and nobody becomes somebody else."""

from datetime import timedelta
from io import StringIO

import orjson
import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule

from lists import services, versions, writer
from lists.models import Conflict, Edit, Entry, MediaList, Proposal, Version
from lists.services.pruning import Cleared, lists_to_prune, prune_versions
from lists.versions import HistoricalEdit, HistoricalEntry
from sync import tasks
from sync.models import Run
from sync.schedule import NIGHTLY, keep_ticking
from tests.lists.test_api import all_pages, api, film

KEPT = 4


@pytest.fixture(autouse=True)
def few(settings):
    settings.VERSIONS_KEPT, settings.VERSION_DAYS = KEPT, 90


def prune(*args) -> str:
    out = StringIO()
    call_command("prune_versions", *args, stdout=out)
    return out.getvalue()


def age(list_, *, days=100) -> None:
    """All of it happened long ago."""
    list_.versions.update(created_at=timezone.now() - timedelta(days=days))


def make(list_, numbers: int) -> None:
    """Versions by hand until there are so many."""
    entry = Entry.objects.filter(list=list_).listed().order_by("id").first()
    while (last := list_.versions.order_by("-number").first().number) < numbers:
        services.edit_entries(list_, {entry.pk: {"votes": last}}, by=list_.owner)


def kept(list_) -> list[int]:
    return list(list_.versions.filter(pruned_at=None).order_by("number").values_list("number", flat=True))


def shown(list_, number: int) -> list:
    version = list_.versions.get(number=number)
    rows = [(row.id, versions.values_of(row)) for row in versions.entries_of(version)]
    edits = sorted((row.entry_id, row.field, str(row.value), row.firm) for row in versions.edits_of(version))
    return [rows, edits]


def diffs(list_, numbers) -> dict:
    found = {number: list_.versions.get(number=number) for number in numbers}
    return {
        (a, b): versions.diff(found[a], found[b]).rows for a in numbers for b in numbers
    }  # fmt: skip


@pytest.fixture
def lived(films, upload, live, ines):
    """A list with a long life: it came, changed, left and returned; 14 versions, the last four of which are kept."""
    upload(films, [film(n) for n in range(1, 8)])  # 1
    feed = live(films)
    other = feed.sync([film(n, title=f"Other {n}") for n in range(5, 12)])  # 2
    entries = dict(Entry.objects.values_list("title", "pk"))
    assert other.version.number == 2
    services.edit_entries(films, {entries["Film 1"]: {"title": "By hand", "year": 1950}}, by=ines)  # 3
    services.remove_entries(films, [entries["Film 2"], entries["Film 3"]], by=ines)  # 4
    services.restore_entries(films, [entries["Film 3"]], by=ines)  # 5
    services.give_back(films, {entries["Film 1"]: ["year"]}, by=ines)  # 6
    services.move_entries(films, [entries["Film 4"]], by=ines, place=1)  # 7
    services.block(by=ines, scope="list", list_=films, pattern="Film 6")  # 8
    services.rollback(films, films.versions.get(number=3), by=ines)  # 9
    services.edit_entries(films, {entries["Film 4"]: {"title": "Four"}}, by=ines)  # 10
    services.remove_entries(films, [entries["Film 5"]], by=ines)  # 11
    services.restore_entries(films, [entries["Film 5"]], by=ines)  # 12
    services.release(films, by=ines)  # 13
    services.edit_entries(films, {entries["Film 7"]: {"overview": "All of it."}}, by=ines)
    make(films, 14)
    films.refresh_from_db()
    age(films)
    return films


# -- the rule --------------------------------------------------------------------------------------------------------


@pytest.mark.covers("VER-06")
def test_the_newest_versions_or_those_of_the_last_days_are_kept_whichever_are_more(films, upload):
    upload(films, [film(1)])
    make(films, 10)
    assert prune() == "0 versions emptied.\n"  # all of them are of today
    age(films)
    films.versions.filter(number__gte=9).update(created_at=timezone.now())
    prune()
    assert kept(films) == [7, 8, 9, 10]  # two are of the last days, but four are kept
    make(films, 12)
    films.versions.filter(number__gte=8).update(created_at=timezone.now() - timedelta(days=80))
    prune()
    assert kept(films) == [8, 9, 10, 11, 12]  # five are of the last days, and they are more than four
    assert films.versions.count() == 12


def test_the_newest_state_stays_however_old_it_is(films, upload, titles, settings):
    settings.VERSIONS_KEPT = 1
    upload(films, [film(1), film(2)])
    make(films, 6)
    age(films, days=5000)
    prune()
    assert kept(films) == [6]
    assert titles(films) == ["Film 1", "Film 2"]
    assert [row for row, _ in shown(films, 6)[0]] == versions.order_of(films.versions.get(number=6))


@pytest.mark.covers("VER-06")
def test_a_pruned_version_keeps_its_counts_and_loses_its_content(lived):
    before = {v.number: (v.kind, v.summary, v.added, v.changed, v.item_count) for v in lived.versions.all()}
    said = prune()
    assert "Films to watch" in said
    assert said.endswith("10 versions emptied.\n")
    assert kept(lived) == [11, 12, 13, 14]
    assert {v.number: (v.kind, v.summary, v.added, v.changed, v.item_count) for v in lived.versions.all()} == before
    emptied = lived.versions.filter(pruned_at__isnull=False)
    assert emptied.count() == 10
    assert not emptied.filter(order__isnull=False).exists()
    assert prune() == "0 versions emptied.\n"


def test_long_facts_of_a_list_go_with_the_version_and_short_ones_stay(films, upload):
    upload(films, [film(1)])
    make(films, 8)
    age(films)
    films.versions.filter(number=1).update(facts={"dj": "Somebody"})
    films.versions.filter(number=2).update(facts={"notes": "x" * 5000})
    prune()
    assert [films.versions.get(number=n).facts for n in (1, 2)] == [{"dj": "Somebody"}, {}]


@pytest.mark.covers("VER-06")
def test_a_dry_run_says_what_would_go_and_changes_nothing(lived):
    rows = HistoricalEntry.objects.count(), HistoricalEdit.objects.count()
    said = prune("--dry-run")
    assert said.endswith("10 versions would be emptied. Nothing was changed.\n")
    assert kept(lived) == list(range(1, 15))
    assert (HistoricalEntry.objects.count(), HistoricalEdit.objects.count()) == rows
    assert prune().splitlines()[0] == said.splitlines()[0]


# -- what is kept ----------------------------------------------------------------------------------------------------


@pytest.mark.covers("VER-06")
def test_kept_versions_read_and_differ_as_before(lived):
    numbers = [11, 12, 13, 14]
    read, differ = {n: shown(lived, n) for n in numbers}, diffs(lived, numbers)
    prune()
    assert {n: shown(lived, n) for n in numbers} == read
    assert diffs(lived, numbers) == differ


@pytest.mark.covers("VER-06")
@pytest.mark.parametrize("number", [11, 12, 13])
def test_a_rollback_to_a_kept_version_gives_what_it_would_have_given(lived, ines, number):
    def rolled_back():
        with transaction.atomic():
            services.rollback(lived, lived.versions.get(number=number), by=ines)
            entries = Entry.objects.filter(list=lived).order_by("rank", "id")
            found = [(entry.pk, entry.state, entry.values) for entry in entries]
            edits = sorted(Edit.objects.values_list("entry", "field", "firm", "rollback_to"))
            transaction.set_rollback(True)
        return found, edits

    before = rolled_back()
    prune()
    assert rolled_back() == before


def test_exactly_the_rows_go_that_no_kept_version_shows(lived):
    first = lived.versions.get(number=11).pk
    entries = HistoricalEntry.objects.filter(closed_by__lte=first).count()
    edits = HistoricalEdit.objects.filter(closed_by__lte=first).count()
    all_entries, all_edits = HistoricalEntry.objects.count(), HistoricalEdit.objects.count()
    pks = list(Entry.objects.values_list("pk", flat=True))
    last = {pk: row.history_id for pk, row in versions.last_rows(lived.versions.get(number=11), pks).items()}
    assert entries
    assert edits
    assert prune_versions(lived) == Cleared(10, entries, edits)
    assert HistoricalEntry.objects.count() == all_entries - entries
    assert HistoricalEdit.objects.count() == all_edits - edits
    # What each entry was last before the cut is known: it did not come today.
    rows = versions.last_rows(lived.versions.get(number=11), pks)
    assert {pk: row.history_id for pk, row in rows.items()} == last


@pytest.mark.covers("VER-06")
def test_an_entry_that_left_long_ago_and_returns_is_the_same_entry(films, live, upload, titles):
    feed = live(films)
    feed.sync([film(1), film(2), film(3)])
    feed.sync([film(1), film(3)])
    feed.sync([film(1), film(3)])  # it leaves with the second answer that lacks it
    gone = Entry.objects.get(title="Film 2")
    assert gone.state == "removed"
    make(films, 9)
    age(films)
    prune()
    assert 2 not in kept(films)
    services.rollback(films, films.versions.get(number=kept(films)[0]), by=films.owner)
    assert titles(films) == ["Film 1", "Film 3"]  # a rollback does not take it for something that was there
    feed.sync([film(1), film(2), film(3)])
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    assert Entry.objects.get(title="Film 2").pk == gone.pk


def test_other_lists_are_not_touched(lived, ines, upload):
    other = services.create_list(ines, name="Other")
    upload(other, [film(1), film(30)])
    make(other, 3)
    age(other)
    binned = services.create_list(ines, name="Binned")
    upload(binned, [film(1)])
    make(binned, 9)
    age(binned)
    services.bin_list(binned, by=ines)
    assert list(lists_to_prune()) == [lived]
    before = {list_.pk: HistoricalEntry.objects.filter(list_id=list_.pk).count() for list_ in (other, binned)}
    prune()
    assert prune_versions(binned) == Cleared()
    assert {pk: HistoricalEntry.objects.filter(list_id=pk).count() for pk in before} == before
    assert not Version.objects.exclude(list=lived).filter(pruned_at__isnull=False).exists()


# -- what is named ---------------------------------------------------------------------------------------------------


@pytest.mark.covers("VER-06")
def test_a_version_stays_while_an_open_question_or_a_preview_names_it(lived, ines, upload):
    for state in (Conflict.State.OPEN, Conflict.State.DECIDED):
        Conflict.objects.create(
            list=lived, kind="match", state=state, version=lived.versions.get(number=3 if state == "open" else 4)
        )
    body = b"".join(api(ines).get(f"/api/v1/lists/{lived.pk}/export/json/").streaming_content)
    preview = upload(lived, body.replace(b"Four", b"Vier"), adapter="", name="x.json", confirm=False)
    preview.result["base"], preview.result["own_export"]["version"] = lived.versions.get(number=6).pk, 8
    preview.save()
    numbers = [3, 6, 8, 11, 12, 13, 14]
    read, differ = {n: shown(lived, n) for n in numbers}, diffs(lived, numbers)
    touched = {n: versions.touched_since(lived.versions.get(number=n)) for n in numbers}
    prune()
    assert kept(lived) == numbers
    assert {n: shown(lived, n) for n in numbers} == read
    assert diffs(lived, numbers) == differ
    assert {n: versions.touched_since(lived.versions.get(number=n)) for n in numbers} == touched
    Conflict.objects.update(state=Conflict.State.WITHDRAWN)
    Proposal.objects.update(state=Proposal.State.WITHDRAWN)
    prune()
    assert kept(lived) == [11, 12, 13, 14]
    first = lived.versions.get(number=11).pk
    assert not HistoricalEntry.objects.filter(closed_by__lte=first).exists()
    assert not HistoricalEdit.objects.filter(closed_by__lte=first).exists()


def test_a_confirmed_file_keeps_its_version_until_it_is_carried_out(lived, ines):
    waiting = Proposal.objects.create(
        list=lived, state=Proposal.State.CONFIRMED, body=b"x", result={"base": lived.versions.get(number=2).pk}
    )
    prune()
    assert kept(lived)[0] == 2
    waiting.body = None
    waiting.save()
    prune()
    assert kept(lived)[0] == 11


# -- what is said of it ----------------------------------------------------------------------------------------------


@pytest.mark.covers("VER-06")
def test_a_pruned_version_answers_plainly_on_page_and_api(lived, page, ines):
    prune()
    mine, address = api(ines), f"/api/v1/lists/{lived.pk}"
    shown = mine.get(f"{address}/versions/3/").json()
    assert shown["pruned_at"]
    assert shown["entries"] == {"results": [], "next": None}
    refused = [
        mine.get(f"{address}/diff/", {"from": 3, "to": 14}),
        mine.get(f"{address}/diff/", {"from": 13, "to": 4}),
        mine.post(f"{address}/versions/3/rollback/"),
        mine.get(f"{address}/export/json/", {"version": 3}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "pruned")
        assert "not kept any more" in answer.json()["error"]["message"]
    assert "too old to be shown" in page("lists:version", lived.pk, 3)
    assert "too old" in page("lists:restore_version", lived.pk, 3)
    assert "Version 3" in page("lists:changes", lived.pk, before=5)
    rows, _ = all_pages(mine, f"{address}/versions/", limit=5)
    assert [bool(row["pruned_at"]) for row in rows] == [False] * 4 + [True] * 10


def test_a_kept_version_is_exported_as_it_was(lived, ines):
    before = export(lived, ines, 12)
    prune()
    after = export(lived, ines, 12)
    assert after["entries"] == before["entries"]
    assert after["list"]["version"] == 12


def export(list_, user, number):
    answer = api(user).get(f"/api/v1/lists/{list_.pk}/export/json/", {"version": number})
    assert answer.status_code == 200
    return orjson.loads(b"".join(answer.streaming_content))


# -- who does it, and when -------------------------------------------------------------------------------------------


@pytest.mark.covers("VER-06")
def test_the_worker_does_it_once_a_night(lived):
    keep_ticking()
    nightly = Schedule.objects.get(func=NIGHTLY)
    due = nightly.next_run
    assert nightly.schedule_type == Schedule.DAILY
    assert timezone.now() < due <= timezone.now() + timedelta(days=1)
    assert timezone.localtime(due).time().isoformat() == "03:30:00"
    Schedule.objects.filter(pk=nightly.pk).update(next_run=due - timedelta(days=2))
    keep_ticking()  # a worker that starts anew does not put it off
    assert Schedule.objects.get(func=NIGHTLY).next_run == due - timedelta(days=2)
    assert tasks.nightly().startswith(
        "10 old versions emptied, 0 old runs deleted, 0 failed tasks forgotten, 0 settled differences deleted"
    )
    assert tasks.nightly().startswith(
        "0 old versions emptied, 0 old runs deleted, 0 failed tasks forgotten, 0 settled differences deleted"
    )
    assert kept(lived) == [11, 12, 13, 14]


def test_a_sync_that_was_planned_before_is_published_all_the_same(lived, live, monkeypatch, titles):
    """Pruning takes the list's lock and nothing that a plan hangs on."""
    feed = live(lived, name="second")
    publish = writer.publish

    def prune_first(*args, **kwargs):
        prune_versions(lived)
        return publish(*args, **kwargs)

    monkeypatch.setattr(writer, "publish", prune_first)
    run = feed.sync([film(99)])
    assert run.state == Run.State.COMPLETED
    assert "Film 99" in titles(lived)
    assert MediaList.objects.get(pk=lived.pk).current.number == 15
