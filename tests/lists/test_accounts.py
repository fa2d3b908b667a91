"""Accounts at services: who may, what pauses, what goes on, and that nothing of them is told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lists import services
from lists.errors import InUse, Unfit
from lists.models import Account, Audit, Source
from sync import runs, schedule
from sync.errors import SourceRefused
from sync.models import Run
from sync.standing import Standing, standings


@pytest.fixture
def trakt(ines) -> Account:
    return services.make_account(ines, service="trakt", name="ines.h", secrets={"token": "canary-token"}, by=ines)


@pytest.fixture
def source(films, live, trakt, ines) -> Source:
    """A source that is read with the account, and was."""
    source = live(films)
    source.sync([{"key": "tt1", "title": "Heat", "year": 1995}])
    services.use_account(source, trakt, by=ines)
    Source.objects.update(etag='"7"', body_digest=b"x" * 32, failures=3)
    source.refresh_from_db()
    return source


def test_names_are_ones_own_and_of_one_service(trakt, ines, jonas):
    with pytest.raises(Unfit, match="at this service already"):
        services.make_account(ines, service="trakt", name=" ines.h ", by=ines)
    with pytest.raises(Unfit, match="needs a name"):
        services.make_account(ines, service="trakt", name=" ", by=ines)
    services.make_account(ines, service="plex", name="ines.h", by=ines)
    services.make_account(jonas, service="trakt", name="ines.h", by=jonas)
    assert Account.objects.for_user(ines).count() == 2


def test_what_is_changed_waits_until_it_is_tested(trakt, source, ines):
    services.accept_account(trakt, by=ines)
    changed = services.change_account(trakt, by=ines, secrets={"token": "canary-2"}, details={"user": "ines"})
    assert (changed.opened, changed.details, changed.state) == ({"token": "canary-2"}, {"user": "ines"}, "untested")
    source.refresh_from_db()
    assert source.paused == "Waits until the account “ines.h” is tested. What it brought stays."
    assert services.accept_account(changed, by=ines)
    source.refresh_from_db()
    assert (source.paused, source.etag, source.body_digest, source.failures) == ("", "", None, 0)


def test_another_name_pauses_nothing(trakt, source, ines):
    services.accept_account(trakt, by=ines)
    services.change_account(trakt, by=ines, name="Ines", secrets={"token": "canary-token"})
    source.refresh_from_db()
    assert (trakt.state, source.paused) == ("ok", "")


def test_an_empty_secret_is_taken_away(trakt, ines):
    assert services.change_account(trakt, by=ines, secrets={"token": ""}).secrets == ""


@pytest.mark.covers("SRC-26")
def test_a_refused_account_pauses_its_sources_once_and_none_is_asked_for(trakt, source, ines):
    assert services.refuse_account(trakt, "Trakt does not accept this sign-in any more.")
    assert not services.refuse_account(trakt, "Again.")
    trakt.refresh_from_db()
    assert (trakt.state, trakt.reason) == ("attention", "Trakt does not accept this sign-in any more.")
    assert Audit.objects.filter(action="account refused").count() == 1
    Source.objects.update(next_sync_at=timezone.now() - timedelta(hours=1))
    before = Run.objects.count()
    assert schedule.dispatch().due == 0
    assert Run.objects.count() == before
    with pytest.raises(SourceRefused, match="is connected again"):
        runs.request_sync(source, by=ines, force=True)
    assert standings(ines).get(pk=source.pk).standing == Standing.RECONNECT


@pytest.mark.covers("SRC-26")
def test_a_good_test_resumes_them_as_if_they_were_new(trakt, source, ines):
    services.refuse_account(trakt, "No.")
    assert services.accept_account(trakt, by=ines, details={"user": "ines"})
    source.refresh_from_db()
    assert (source.paused, source.etag, source.body_digest, source.failures) == ("", "", None, 0)
    assert (trakt.state, trakt.reason, trakt.details) == ("ok", "", {"user": "ines"})
    assert schedule.dispatch().due == 1


def test_a_good_test_of_what_works_resets_nothing(trakt, source, ines):
    services.accept_account(trakt, by=ines)
    Source.objects.update(etag='"8"')
    since = trakt.state_at
    assert services.accept_account(trakt, by=ines)
    source.refresh_from_db()
    assert (source.etag, trakt.state_at) == ('"8"', since)


def test_an_answer_about_old_secrets_says_nothing_about_new_ones(trakt, ines):
    old = Account.objects.get(pk=trakt.pk)
    services.change_account(trakt, by=ines, secrets={"token": "canary-2"})
    assert not services.refuse_account(old, "No.")
    assert not services.accept_account(Account(pk=old.pk, serial=0), by=ines)
    assert Account.objects.get(pk=trakt.pk).state == "untested"


def test_deleting_it_is_asked_where_sources_use_it_and_they_say_what_they_wait_for(trakt, source, films, ines, titles):
    with pytest.raises(InUse, match=r"used by live \(Films to watch\). Nothing was deleted"):
        services.delete_account(trakt, by=ines)
    assert services.delete_account(trakt, by=ines, pause=True) == [source]
    source.refresh_from_db()
    assert (source.account, source.enabled) == (None, True)
    assert source.paused == "Its account “ines.h” was deleted. What it brought stays. Give it another account."
    assert titles(films) == ["Heat"]
    assert schedule.dispatch().due == 0
    another = services.make_account(ines, service="trakt", name="new", secrets={"token": "x"}, by=ines)
    services.use_account(source, another, by=ines)
    source.refresh_from_db()
    assert source.paused == ""


def test_deleting_what_nobody_uses_is_not_asked(trakt, ines):
    assert services.delete_account(trakt, by=ines) == []
    assert not Account.objects.exists()


def test_a_source_is_not_read_with_the_account_of_a_stranger(films, live, jonas, ines):
    source, theirs = live(films), services.make_account(jonas, service="trakt", name="j", by=jonas)
    with pytest.raises(Unfit, match="may not change this list"):
        services.use_account(source, theirs, by=jonas)
    services.share_list(films, user=jonas, role="editor", by=ines)
    assert services.use_account(source, theirs, by=jonas).account == theirs


def test_a_source_that_gets_a_refused_account_waits_for_it(trakt, films, live, ines):
    services.refuse_account(trakt, "No.")
    source = live(films)
    services.use_account(source, trakt, by=ines)
    source.refresh_from_db()
    assert source.paused.startswith("Waits until the account “ines.h” is connected again.")


def test_logins_of_files_are_not_changed_by_hand(trakt, ines):
    Account.objects.update(from_addresses=True)
    for act in (services.change_account, services.delete_account):
        with pytest.raises(Unfit, match="cannot be changed by hand"):
            act(trakt, by=ines)


@pytest.mark.covers("SAFE-09")
def test_a_login_in_a_row_never_replaces_what_a_person_typed(trakt, films, live, ines):
    source = live(films)
    services.use_account(source, trakt, by=ines)
    stale = Source.objects.select_related("account").get(pk=source.pk)
    assert stale.account.opened == {"token": "canary-token"}
    assert services.accept_account(trakt, secrets={"token": "canary-renewed"})
    services.keep_secrets(
        stale,
        {"token": "of a row", "token@evil.example": "", "token:1234abcd": "of another", "token:1234abcd@x.example": ""},
    )
    kept = Account.objects.get(pk=trakt.pk).opened
    assert kept == {"token": "canary-renewed", "token:1234abcd": "of another", "token:1234abcd@x.example": ""}
    row = {"key": "tt1", "title": "Heat", "year": 1995, "poster": "https://x.example/p.jpg?token=another-one"}
    source.sync([row])
    kept = Account.objects.get(pk=trakt.pk).opened
    assert kept["token"] == "canary-renewed"
    assert "another-one" in kept.values()
    assert "another-one" not in str(list(films.entries.values()))


@pytest.mark.covers("SAFE-09")
def test_no_row_of_audit_or_history_tells_a_secret(trakt, source, ines):
    services.change_account(trakt, by=ines, secrets={"token": "canary-2"})
    services.refuse_account(trakt, "No.")
    services.delete_account(trakt, by=ines, pause=True)
    told = [*Audit.objects.values(), *Source.history.values()]
    assert told
    assert "canary" not in str(told)
