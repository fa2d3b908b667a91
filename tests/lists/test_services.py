"""What becomes of lists and of the record of what was done."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from lists import services
from lists.models import Audit, Block, Claim, Conflict, Edit, Entry, Item, MediaList, Provenance, Source, Version

ROWS = [{"key": f"tt{n}", "ids": {"imdb": f"tt{n}"}, "title": f"Film {n}", "year": 1990} for n in range(3)]


@pytest.mark.covers("LIST-07")
def test_the_bin_is_emptied_after_thirty_days_and_provenance_stays(films, upload, ines):
    upload(films, ROWS)
    services.bin_list(films, by=ines)
    assert services.empty_bin() == 0
    assert services.empty_bin(at=timezone.now() + timedelta(days=31)) == 1
    assert not MediaList.objects.exists()
    assert (Entry.objects.count(), Entry.history.count(), Claim.objects.count(), Version.objects.count()) == (
        0,
        0,
        0,
        0,
    )
    assert set(Provenance.objects.values_list("title", "list_name", "list")) == {
        (f"Film {n}", "Films to watch", None) for n in range(3)
    }
    assert Item.objects.count() == 3
    assert Audit.objects.filter(object_name="Films to watch", action="deleted for good").exists()


@pytest.mark.covers("LIST-07")
def test_of_a_list_that_is_deleted_for_good_no_history_stays_and_others_keep_theirs(films, upload, ines):
    other = services.create_list(ines, name="Other")
    for list_ in (films, other):
        services.change_rules(list_, by=ines, strategy="ask")
        upload(list_, ROWS)
        upload(list_, [ROWS[0] | {"title": "A secret title"}], source=None)
        services.skip(Conflict.objects.filter(list=list_), by=ines)
        services.block(by=ines, scope="list", list_=list_, pattern="*zzz*")
        services.edit_entries(list_, {Entry.objects.filter(list=list_)[0].pk: {"year": 1950}}, by=ines)
    kept = [model.history.count() // 2 for model in (Conflict, Source, Block, Entry, Edit, MediaList)]
    assert all(kept)
    services.purge_list(films, by=ines)
    assert [model.history.count() for model in (Conflict, Source, Block, Entry, Edit, MediaList)] == kept
    assert Conflict.objects.exclude(list=other).count() == 0
    assert Audit.objects.filter(list_ref=films.pk, action="deleted for good").count() == 1


@pytest.mark.covers("AUD-03")
def test_audit_rows_are_kept_for_a_year_at_least(films):
    row = Audit.objects.get()
    with pytest.raises(CommandError, match="365 or more"):
        call_command("prune_audit", "--days", "30")
    call_command("prune_audit")
    assert Audit.objects.filter(pk=row.pk).exists()
    Audit.objects.create(
        actor=None, actor_name="", action="created", object_type="list", object_id="1", object_name="Old",
        at=timezone.now() - timedelta(days=366),
    )  # fmt: skip
    call_command("prune_audit")
    assert not Audit.objects.filter(object_name="Old").exists()
    assert Audit.objects.filter(pk=row.pk).exists()


@pytest.mark.covers("VER-02")
def test_no_two_versions_of_a_list_have_one_number(films, upload):
    upload(films, ROWS)
    with pytest.raises(IntegrityError), transaction.atomic():
        Version.objects.create(list=films, number=1, kind="edit")


@pytest.mark.covers("LIST-05")
def test_the_database_lets_no_film_stand_on_a_list_twice(films, upload):
    upload(films, ROWS)
    entry = Entry.objects.first()
    entry.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.bulk_create([entry])
