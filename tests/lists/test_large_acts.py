"""What is very much for SQLite's one writer keeps nobody waiting, whichever act it follows from."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from lists import services, writer
from lists.models import Audit, Claim, Entry, MediaList, Provenance, SitePolicy, Source
from lists.services import lists

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="only on SQLite: PostgreSQL writes one version"),
    pytest.mark.django_db(transaction=True),
]


def films_(*numbers: int, **more) -> list[dict]:
    return [
        {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more} for n in numbers
    ]


class Stopped(BaseException):
    """As if the process had died."""


@pytest.fixture
def large(films, live, settings):
    """A list of 120 films of one source, where 50 are as many as one transaction may change."""
    live(films, name="one", adapter="scripted_counted").sync(films_(*range(120), rating=5.0))
    settings.LARGE_CHANGE = 50
    yield films
    call_command("verify_integrity")


@pytest.fixture
def written(monkeypatch):
    """How many entries each transaction changes."""
    sizes: list[int] = []
    run = writer.Publication.run

    def running(publication, before_commit=None):
        sizes.append(len(publication.plan.drafts))
        return run(publication, before_commit)

    monkeypatch.setattr(writer.Publication, "run", running)
    return sizes


def kinds(list_, after: int) -> list[tuple[str, int]]:
    return list(list_.versions.filter(number__gt=after).order_by("number").values_list("kind", "changed"))


@pytest.fixture
def owing(large, live):
    """A second source of the list, which rates all films otherwise, and by other rules of the site speaks last. The number
    of the list's last version."""
    source = live(large, name="two", adapter="scripted_raw")
    source.sync(films_(*range(120), rating=6.0))
    Claim.objects.exclude(source=source).update(first_at=timezone.now() - timedelta(days=1))

    def owing() -> int:
        SitePolicy.objects.update(strategy="new")
        services.site_rules_changed()
        large.refresh_from_db()
        return large.current.number

    owing.source = source
    return owing


def test_an_edit_follows_what_its_list_owes_in_parts(large, owing, ines, written):
    before = owing()
    del written[:]
    services.edit_entries(large, {Entry.objects.get(title="Film 7").pk: {"year": 1999}}, by=ines)
    assert kinds(large, before) == [("rules", 50), ("rules", 50), ("rules", 20), ("edit", 1)]
    assert max(written) == 50


def test_a_decision_follows_what_its_list_owes_in_parts(large, owing, ines, upload, written):
    services.edit_entries(large, {Entry.objects.get(title="Film 7").pk: {"year": 1999}}, by=ines)
    upload(large, films_(7, year=1991), source=None)
    [question] = large.conflicts.filter(state="open")
    before = owing()
    del written[:]
    services.decide([question], by=ines, choice="take", source=Source.objects.latest("id").pk)
    assert [kind for kind, _ in kinds(large, before)] == ["rules", "rules", "rules", "decision"]
    assert max(written) == 50


def test_a_sync_that_finds_nothing_new_writes_what_is_owed_in_parts(large, owing, written):
    before = owing()
    del written[:]
    assert owing.source.sync({"same": True}).outcome == "not-modified"
    assert kinds(large, before) == [("rules", 50), ("rules", 50), ("rules", 20)]
    assert written == [50, 50, 20]


@pytest.mark.parametrize("scope", ["mine", "all"])
def test_a_block_for_many_lists_goes_in_parts(large, ines, staff, written, titles, scope):
    by = staff if scope == "all" else ines
    MediaList.objects.update(owner=by)
    block = services.block(by=by, scope=scope, pattern="Film ?*")
    assert (titles(large), written) == ([], [50, 50, 20])
    services.unblock(block, by=by)
    assert (len(titles(large)), written) == (120, [50, 50, 20] * 2)
    assert {row.author for row in large.versions.filter(kind="rules")} == {by}


def test_a_block_of_entries_goes_in_parts(films, live, ines, settings, written, titles):
    live(films).sync([{"key": f"k{n}", "title": "Untitled"} for n in range(120)])
    settings.LARGE_CHANGE = 50
    del written[:]
    some = Entry.objects.order_by("id").values_list("pk", flat=True)[:2]
    [block] = services.block_entries(films, some, by=ines, scope="mine")
    assert (block.pattern, titles(films), written) == ("Untitled", [], [50, 50, 20])


def test_a_source_whose_films_are_kept_goes_in_parts(large, ines, written, titles):
    source = Source.objects.get(name="one")
    services.remove_source(source, by=ines, keep=True)
    assert written == [50, 50, 20]
    assert len(titles(large)) == Claim.objects.filter(source__role="kept").count() == 120
    source.refresh_from_db()
    assert (source.removed_at is None, source.enabled) == (False, False)
    assert Audit.objects.get(action="removed source").after == {"kept": True}
    assert services.remove_source(source, by=ines, keep=True) is None
    services.revive_source(source, by=ines)
    assert not Claim.objects.filter(source__role="kept").exists()


def test_a_source_that_was_half_taken_away_speaks_until_it_is_taken_away_again(large, ines, monkeypatch, titles):
    source, run, done = Source.objects.get(name="one"), writer.Publication.run, []

    def stopping(publication, before_commit=None):
        if len(done) == 1:
            raise Stopped
        done.append(run(publication, before_commit))

    with monkeypatch.context() as dying:
        dying.setattr(writer.Publication, "run", stopping)
        with pytest.raises(Stopped):
            services.remove_source(source, by=ines, keep=True)
    call_command("verify_integrity")
    source.refresh_from_db()
    assert (source.removed_at, len(titles(large))) == (None, 120)
    assert services.refold(large, kind="rules") is None
    services.remove_source(source, by=ines, keep=True)
    assert len(titles(large)) == Claim.objects.filter(source__role="kept").count() == 120


def test_a_list_is_deleted_for_good_some_rows_at_a_time(large, ines, settings, monkeypatch, upload):
    other = services.create_list(ines, name="Other")
    upload(other, films_(1, 2))
    services.bin_list(large, by=ines)
    monkeypatch.setattr(lists, "AT_ONCE", 50)
    delete, deleted = lists._delete, []

    def dying(model, pks):
        if len(deleted) == 2:
            raise Stopped
        deleted.append(len(pks))
        delete(model, pks)

    later = timezone.now() + settings.BIN_LIFETIME + timedelta(days=1)
    with monkeypatch.context() as dies:
        dies.setattr(lists, "_delete", dying)
        with pytest.raises(Stopped):
            services.empty_bin(at=later)
    assert (deleted, Claim.objects.filter(source__list=large).count()) == ([50, 50], 20)
    assert not MediaList.objects.for_user(ines, binned=None).filter(pk=large.pk).exists()
    with pytest.raises(services.NotThere, match="deleted for good"):
        services.restore_list(large, by=ines)
    assert services.empty_bin() == 1, "whoever empties the bin next goes on"
    assert list(MediaList.objects.all()) == [other]
    assert (Entry.objects.count(), Entry.history.count(), Claim.objects.count()) == (2, 2, 2)
    assert Provenance.objects.count() == 120
    assert Audit.objects.filter(action="deleted for good").count() == 1
