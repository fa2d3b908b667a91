"""`manage.py verify_integrity`: clean on what we write ourselves, and each kind of breach is found when it is planted."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from lists import integrity, services
from lists.models import Account, Claim, Conflict, Edit, Entry, Item, MediaList, Membership, Proposal, Source, Version
from lists.packed import pack
from lists.services.pruning import prune_versions
from lists.versions import HistoricalEdit, HistoricalEntry
from sync.management.commands.verify_integrity import ALL
from sync.models import Run
from tests.processes import ROOT, Program

PLAYLIST = b"""#EXTM3U
#EXTINF:-1 tvg-id="one",One
http://tv.example:8080/live/ada/s3cret99/1.ts
#EXTINF:-1 tvg-id="two",Two
http://tv.example:8080/live/ada/s3cret99/2.ts
"""


def film(n, **said):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n, **said}


@pytest.fixture
def kept(films, ines, upload):
    """A list with four versions, an edit, an entry taken off by hand and one that left; and a second list."""
    upload(films, [film(n) for n in range(8)])
    upload(films, [film(n, rating=5.0) for n in range(7)])
    entries = list(Entry.objects.filter(list=films).listed().order_by("rank"))
    services.edit_entries(films, {entries[0].pk: {"rating": 9.0}}, by=ines)
    services.remove_entries(films, [entries[1].pk], by=ines)
    upload(services.create_list(ines, name="Other"), [film(20)])
    films.refresh_from_db()
    return films


@pytest.fixture
def verify(capsys):
    def verify(*arguments):
        try:
            call_command("verify_integrity", *arguments)
        except SystemExit as e:
            return e.code, capsys.readouterr().out
        return 0, capsys.readouterr().out

    return verify


def edited(list_) -> Edit:
    return Edit.objects.get(entry__list=list_, field="rating")


def shown(list_) -> Entry:
    return Entry.objects.filter(list=list_).listed().order_by("rank")[2]


def other() -> MediaList:
    return MediaList.objects.get(name="Other")


def swap_ranks(list_):
    first, second = Entry.objects.filter(list=list_).listed().order_by("rank")[:2]
    Entry.objects.filter(pk=first.pk).update(rank=second.rank)
    Entry.objects.filter(pk=second.pk).update(rank=first.rank)


def false_root(list_):
    a, b, c = Item.objects.order_by("id")[:3]
    Item.objects.filter(pk=a.pk).update(merged_into=b, root=c)


def presence(list_, value, state):
    entry = Entry.objects.filter(list=list_, state=state).exclude(edits__field="presence").first()
    Edit.objects.bulk_create(
        [Edit(entry=entry, field="presence", value=value, made_at=timezone.now(), author_name="x")]
    )


def wrong_key(list_):
    account = Account.objects.create(owner=list_.owner, service="tv", name="one", secrets="{}")
    list_.sources.update(account=account)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lists_account SET secrets = 'gAAAAAnothersKey'")


def login_in_the_clear(list_):
    account = Account.objects.create(
        owner=list_.owner, service="tv", name="one", secrets=json.dumps({"password": "s3cret99", "username": "Film 2"})
    )
    list_.sources.update(account=account)
    Claim.objects.filter(entry=shown(list_)).update(values={"address": "http://tv.example/live/ada/s3cret99/1.ts"})


def anothers_account(list_, jonas):
    account = Account.objects.create(owner=jonas, service="tv", name="his", secrets="{}")
    list_.sources.update(account=account)


def question(list_, **of):
    Conflict.objects.bulk_create([Conflict(list=list_, kind="field", field="title", **of)])


def runs(list_):
    return Run.objects.filter(list=list_).order_by("id")


def last(list_):
    return Version.objects.filter(pk=list_.current_id)


def first(list_):
    return Version.objects.filter(list=list_, number=1)


PLANTED = {
    "entries that are shown without standing in the newest version":
        lambda films: HistoricalEntry.objects.filter(id=shown(films).pk, closed_by=None)._raw_delete("default"),
    "entries that stand in the newest version without being shown":
        lambda films: Entry.objects.filter(pk=shown(films).pk).update(state="excluded", reason="?"),
    "entries that show other values than the newest version":
        lambda films: Entry.objects.filter(pk=shown(films).pk).update(overview="Never said."),
    "lists whose counters are not what stands in them": lambda films: MediaList.objects.filter(pk=films.pk).update(item_count=99),
    "lists whose newest version is not the current one, or another list's":
        lambda films: MediaList.objects.filter(pk=films.pk).update(current=first(films).get()),
    "lists that show another order than their newest version": swap_ranks,
    "items whose merges lead elsewhere than they say": false_root,
    "edits by hand that their history does not know": lambda films: HistoricalEdit.objects.all()._raw_delete("default"),
    "edits by hand that are lost: their history says that they stand":
        lambda films: Edit.objects.filter(pk=edited(films).pk)._raw_delete("default"),
    "entries that do not show what a person said": lambda films: Edit.objects.filter(pk=edited(films).pk).update(value=1.0),
    "entries on the list that a person took off": lambda films: presence(films, "absent", "listed"),
    "entries that are gone although a source lists them and nobody took them off":
        lambda films: Entry.objects.filter(pk=shown(films).pk).update(state="removed", reason="?"),
    "entries on the list that no source and nobody wants there":
        lambda films: Claim.objects.filter(entry=shown(films))._raw_delete("default"),
    "versions in which a sync emptied a list that had more than three entries":
        lambda films: last(films).update(kind="sync", removed=6, item_count=0),
    "lists with gaps between the numbers of their versions": lambda films: last(films).update(number=9),
    "versions that do not follow from the one before": lambda films: first(films).update(added=9),
    "entries whose history has a break":
        lambda films: HistoricalEntry.objects.filter(id=shown(films).pk, closed_by=None).update(closed_by=films.current_id),
    "edits whose history has a break":
        lambda films: HistoricalEdit.objects.filter(id=edited(films).pk).update(closed_by=films.current_id),
    "history of entries that belongs to no version of their list":
        lambda films: HistoricalEntry.objects.filter(id=shown(films).pk, closed_by=None).update(version=other().current_id),
    "versions that no longer read as they were made":
        lambda films: first(films).update(order=pack([*range(100, 108)])),
    "logins and addresses that none of our keys opens": wrong_key,
    "rows in which a login stands in the clear": login_in_the_clear,
    "claims of a source of another list":
        lambda films: Claim.objects.filter(entry=shown(films)).update(source=other().sources.first()),
    "questions about an entry or a version of another list": lambda films: question(films, entry=other().entries.first()),
    "previews and held changes of a source of another list":
        lambda films: Proposal.objects.filter(list=films).update(source=other().sources.first()),
    "runs that failed or were stopped and changed their list all the same":
        lambda films: runs(films).filter(pk=runs(films)[0].pk).update(state="failed"),
    "runs that began before the one before them on the same list had ended":
        lambda films: runs(films).filter(pk=runs(films)[0].pk).update(finished_at=timezone.now() + timedelta(hours=1)),
    "runs whose worker is silent and that nobody settled": lambda films: runs(films).filter(pk=runs(films)[0].pk).update(
        state="running", slot=1, finished_at=None, lease_until=timezone.now() - timedelta(minutes=5)),
    "runs of a source or with a version of another list":
        lambda films: runs(films).filter(pk=runs(films)[0].pk).update(version=other().current),
    "runs that ended more than once or were not counted when they ended": lambda films: Run.history.all().delete(),
}  # fmt: skip
APART = {
    "rows that name a row that is not there",
    "sources that use the account of somebody who has no part in the list",
}


def test_there_is_a_planted_breach_of_each_kind():
    assert {check.what for check in ALL} == set(PLANTED) | APART


def test_each_planted_breach_is_found(kept):
    for check in ALL:
        if check.what in APART:
            continue
        with transaction.atomic():
            assert list(integrity.run([check])) == []
            PLANTED[check.what](kept)
            found = list(integrity.run([check]))
            transaction.set_rollback(True)
        assert found, check.what
        assert found[0].count >= 1
        assert found[0].examples
        assert found[0].advice


@pytest.mark.covers("SAFE-05")
def test_breaches_are_told_to_programs_too(kept, verify):
    swap_ranks(kept)
    PLANTED["runs of a source or with a version of another list"](kept)
    code, said = verify("--json")
    told = json.loads(said)
    assert (code, told["clean"]) == (1, False)
    assert [(breach["invariant"], breach["list"], breach["count"]) for breach in told["breaches"]] == [
        ("A", kept.pk, 1), ("J", kept.pk, 1),
    ]  # fmt: skip


def test_an_account_of_somebody_else_is_found_and_an_editors_is_not(kept, jonas, verify):
    anothers_account(kept, jonas)
    assert "account of somebody who has no part in the list: 1 (such as" in verify()[1]
    Membership.objects.create(list=kept, user=jonas, role="editor")
    assert verify()[0] == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite can hold such a row")
def test_a_row_that_names_nothing_is_found(kept, verify):
    source = Source.objects.filter(list=kept).first()
    Source.objects.filter(pk=source.pk).update(account=4711)
    code, said = verify()
    Source.objects.filter(pk=source.pk).update(account=None)
    assert (code, "rows that name a row that is not there: 1" in said) == (1, True)


@pytest.mark.covers("SAFE-05")
def test_what_we_write_ourselves_is_clean_and_takes_one_line(kept, ines, upload, verify):
    upload(services.create_list(ines, name="TV", content="channels"), PLAYLIST, adapter="m3u", name="tv.m3u")
    services.rollback(kept, first(kept).get(), by=ines)
    code, said = verify()
    assert (code, said.count("\n")) == (0, 1)
    assert said.startswith(f"Everything is consistent: {len(ALL)} checks of 3 lists.")


def test_a_breach_is_told_with_the_list_and_what_to_do(kept, verify):
    swap_ranks(kept)
    code, said = verify("--list", str(kept.pk))
    assert code == 1
    assert f"A  List {kept.pk} “Films to watch”: lists that show another order than their newest version: 1" in said
    assert "Any change of the list, such as an edit, writes this anew." in said
    assert f"1 of {len(ALL)} checks of list {kept.pk} found something wrong. Nothing was changed." in said
    assert verify("--list", str(other().pk))[0] == 0


def test_thinned_out_history_is_no_breach(kept, settings, verify):
    settings.VERSIONS_KEPT, settings.VERSION_DAYS = 1, 0
    assert prune_versions(kept, at=timezone.now() + timedelta(days=1)).versions == 3
    assert verify()[0] == 0


def test_a_list_without_a_version_has_nothing_to_check(films, verify):
    assert verify()[0] == 0


def test_the_number_of_statements_does_not_grow(kept, ines, upload, django_assert_max_num_queries):
    for n in range(3):
        upload(services.create_list(ines, name=f"More {n}"), [film(30 + n)])
    with django_assert_max_num_queries(2 * len(ALL) + 8):
        assert list(integrity.run(ALL)) == []


@pytest.mark.django_db(transaction=True)
def test_nothing_can_be_written_while_it_looks(films):
    with pytest.raises(DatabaseError, match=r"read-?only"), integrity.snapshot():
        MediaList.objects.filter(pk=films.pk).update(name="Written")
    MediaList.objects.filter(pk=films.pk).update(name="Written after it")
    seen: list[str] = []

    def watching(execute, sql, params, many, context):
        seen.append(sql.split(None, 1)[0].upper())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watching):
        assert list(integrity.run(ALL)) == []
    assert set(seen) <= {"SELECT", "WITH", "PRAGMA", "BEGIN", "ROLLBACK", "SET"}


WRITING = """
import json
from django.contrib.auth import get_user_model
from lists import services
from lists.models import Entry, Proposal
from sync import tasks, uploads
user = get_user_model().objects.create_user("ines")
list_ = services.create_list(user, name="Films")
print("writing", flush=True)
for turn in range(10_000):
    rows = [{"title": f"Film {n}", "year": 1950 + n % 60, "rating": float((turn + n) % 10)} for n in range(turn % 2, 300)]
    body = json.dumps(rows).encode()
    proposal = uploads.start(body, by=user, list_=list_, filename="films.json")
    tasks.prepare_upload(proposal.pk)
    tasks.execute_run(uploads.confirm(Proposal.objects.get(pk=proposal.pk), by=user).pk)
    entry = Entry.objects.filter(list=list_).listed().order_by("rank")[turn % 100]
    services.edit_entries(list_, {entry.pk: {"rating": turn % 9 + 0.5}}, by=user)
"""


@pytest.mark.covers("SAFE-05")
def test_it_raises_no_false_alarm_beside_writers(tmp_path):
    program = Program(tmp_path, "verify_integrity").with_tables()
    with subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", WRITING], cwd=ROOT, env=program.env, text=True,
        stdout=subprocess.PIPE,
    ) as writer:  # fmt: skip
        try:
            assert writer.stdout.readline() == "writing\n"
            for _ in range(2):
                program.manage("verify_integrity")
            assert writer.poll() is None
        finally:
            writer.kill()
