"""What cannot be decrypted, after the wrong backup or a lost key, stops itself and nothing else."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from lists import services
from lists.models import Account, Proposal, Source
from sync import access, batches, reaper, runs, schedule, signing_in, tasks, uploads
from sync.account_kinds import Checked, Granted
from sync.accounts.trakt import Trakt
from sync.models import Batch, Run
from sync.schedule import dispatch

FILM = {"key": "tt0000001", "ids": {"imdb": "tt0000001"}, "title": "Film 1", "year": 1990}
MINUTE = timedelta(minutes=1)
SAID = "cannot be decrypted"


def spoil(row, column: str) -> None:
    """As if it had been written with another key."""
    token = "gAAAAAB" + "x" * 90
    value = token.encode() if column == "body" else token
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [value, row.pk])


@pytest.fixture
def bad(films, live):
    return answering(live(films, "bad"))


@pytest.fixture
def good(live, ines):
    return answering(live(services.create_list(ines, name="Other"), "good"))


def answering(source):
    with open(source.config["path"], "w") as file:
        json.dump([FILM], file)
    return source


def ended(source) -> list[tuple[str, str]]:
    return list(Run.objects.filter(source=source.pk).order_by("id").values_list("state", "error"))


def test_a_source_that_cannot_be_decrypted_says_so_and_all_others_are_read(bad, good, work):
    now = timezone.now()
    Source.objects.filter(pk=bad.pk).update(next_sync_at=now - 5 * MINUTE)
    Source.objects.filter(pk=good.pk).update(next_sync_at=now - MINUTE)
    spoil(bad, "address")
    assert dispatch(now).due == 2
    work()
    ((state, error),) = ended(bad)
    assert (state, SAID in error, "docs/configuration.md" in error) == ("failed", True, True)
    assert ended(good) == [("completed", "")]
    assert Source.objects.defer("address").get(pk=bad.pk).next_sync_at > now + 300 * MINUTE


def test_whatever_breaks_of_one_source_is_put_off_and_the_next_has_its_turn(bad, good, work, monkeypatch):
    now, request_run = timezone.now(), runs.request_run
    Source.objects.filter(pk=bad.pk).update(next_sync_at=now - 5 * MINUTE)
    Source.objects.filter(pk=good.pk).update(next_sync_at=now - MINUTE)

    def broken(source, **how):
        if source.pk == bad.pk:
            raise ValueError("nobody thought of it")
        return request_run(source, **how)

    monkeypatch.setattr(schedule.runs, "request_run", broken)
    assert dispatch(now).due == 1
    assert dispatch(now + MINUTE).due == 0
    bad.refresh_from_db()
    assert bad.next_sync_at >= now + 360 * MINUTE


def test_a_run_that_cannot_be_decrypted_does_not_stay_the_first_in_line(bad, good):
    first = runs.request_run(bad, kind=Run.Kind.SCHEDULED)
    second = runs.request_run(good, kind=Run.Kind.SCHEDULED)
    spoil(bad, "address")
    for pk in (first.pk, second.pk):
        tasks.execute_run(pk)
    assert [state for state, _ in ended(bad) + ended(good)] == ["failed", "completed"]


def test_an_uploaded_file_that_cannot_be_decrypted_is_refused_once(films, ines, work):
    proposal = uploads.start(b"[]", by=ines, list_=films, adapter="scripted")
    spoil(proposal, "body")
    work()
    stands = Proposal.objects.defer("body").get(pk=proposal.pk)
    assert stands.state == Proposal.State.REFUSED
    assert SAID in stands.error
    assert reaper.reap() == 0


def test_a_confirmed_file_that_cannot_be_decrypted_fails_its_run(films, ines, work, upload):
    proposal = upload(films, [FILM], confirm=False)
    run = uploads.confirm(proposal, by=ines)
    spoil(proposal, "body")
    work()
    run = Run.objects.defer("proposal").get(pk=run.pk)
    assert (run.state, SAID in run.error) == ("failed", True)


def test_an_account_that_cannot_be_decrypted_stops_no_other_from_being_renewed(ines, monkeypatch):
    past = timezone.now() - MINUTE
    made = [
        services.make_account(ines, service="trakt", name=name, by=ines, secrets={"refresh_token": name})
        for name in ("bad", "good")
    ]
    Account.objects.update(state=Account.State.OK, renew_at=past)
    spoil(made[0], "secrets")
    monkeypatch.setattr(
        Trakt, "renew", lambda self, known: Granted({"token": "new"}, expires_in_s=90_000, renewable=True)
    )
    monkeypatch.setattr(Trakt, "check", lambda self, known: pytest.fail("tested while it has no client id"))
    assert access.keep_fresh() == 1
    assert Account.objects.get(pk=made[1].pk).opened["token"] == "new"
    assert access.try_all() == 0


def test_a_sign_in_that_cannot_be_decrypted_stops_no_other(ines, jonas, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(Trakt, "begin", lambda self, known: signing_in.Begun("https://x/", "device", "CODE"))
    monkeypatch.setattr(Trakt, "ask", lambda self, known, device: Granted({"token": "new"}))
    monkeypatch.setattr(Trakt, "check", lambda self, known: Checked())
    begun = []
    for person in (ines, jonas):
        keys = {"client_id": "c", "client_secret": "s"}
        account = services.make_account(person, service="trakt", name="T", by=person, secrets=keys)
        begun.append(signing_in.begin(account))
    spoil(begun[0], "device")
    assert signing_in.ask_all(now + MINUTE) == 1


def test_a_batch_goes_on_past_a_source_that_cannot_be_decrypted(bad, good, ines, work):
    spoil(bad, "address")
    batch = batches.start([good.list], by=ines)
    part = batch.parts.get()
    batch.parts.create(source_id=bad.pk, list=bad.list, list_name="bad", source_name="bad", place=0, priority=5)
    for _ in range(2):
        batches.drive_all()
        work()
    batches.drive_all()
    batch.refresh_from_db()
    part.refresh_from_db()
    assert (batch.state, part.state) == (Batch.State.PARTIAL, "completed")
    assert SAID in batch.parts.get(place=0).note


def test_a_page_and_the_api_say_what_cannot_be_decrypted_and_what_to_do(bad, client, ines):
    spoil(bad, "address")
    client.force_login(ines)
    for address in (f"/lists/{bad.list_id}/settings/", f"/api/v1/lists/{bad.list_id}/sources/{bad.pk}/"):
        answer = client.get(address)
        assert answer.status_code == 503, address
        assert "the encryption key has changed" in answer.content.decode()
        assert "gAAAA" not in answer.content.decode()
