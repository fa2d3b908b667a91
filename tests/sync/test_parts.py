"""A change of very many entries on SQLite is several versions: each whole, and what is left of it done by the next plan."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from lists import services, writer
from lists.models import Audit, Claim, Edit, Entry, MediaList, Proposal, Source, Version
from lists.services._writing import bump
from lists.versions import diff
from sync import runs
from tests.lists.said import undo_of
from tests.sync.parts import Stopped, film, films_, made, stop

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="only on SQLite: PostgreSQL writes one version"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _small(settings):
    settings.LARGE_CHANGE = 50


@pytest.fixture(autouse=True)
def _sound(films):
    """Whatever a test does, what stands at its end is consistent, and every version counts what it changed."""
    yield
    call_command("verify_integrity")
    versions = list(films.versions.order_by("number"))
    for before, after in pairwise(versions):
        counted = {name: getattr(after, name) for name in ("added", "removed", "changed", "moved")}
        assert diff(before, after).counts == counted, after
        assert sum(counted.values()) - after.moved <= 50


@pytest.fixture
def between(monkeypatch):
    """between(do): once, before the second part of a change is published."""

    def between(do):
        run, count = writer.Publication.run, [0]

        def running(publication, before_commit=None):
            count[0] += 1
            if count[0] == 2:
                do()
            return run(publication, before_commit)

        monkeypatch.setattr(writer.Publication, "run", running)

    return between


@pytest.fixture
def source(films, live):
    """Of 120 films."""
    source = live(films, adapter="scripted_counted", grace=0)
    source.sync(films_(*range(120)))
    MediaList.objects.filter(pk=films.pk).update(policy={"held_share": 100, "held_share_always": 100})
    return source


CHANGED = [*films_(*range(40, 120), rating=7.0), *films_(*range(200, 260))]


def test_a_sync_shows_first_what_comes_and_last_what_leaves(films, source, titles):
    run = source.sync(CHANGED)
    assert made(films, 3) == [(50, 0, 0), (10, 40, 0), (0, 40, 10), (0, 0, 30)]
    assert (run.added, run.updated, run.removed, run.version.number) == (60, 80, 40, 7)
    assert {v.correlation_id for v in films.versions.filter(number__gt=3)} == {str(run.correlation_id)}
    assert titles(films) == [row["title"] for row in CHANGED]
    assert Claim.objects.filter(source=source).count() == 140
    assert source.sync(CHANGED).version is None


def test_a_sync_that_died_between_two_parts_is_completed_by_the_next(films, source, titles, between):
    between(stop)
    with pytest.raises(Stopped):
        source.sync(CHANGED)
    assert made(films, 3) == [(50, 0, 0)]
    call_command("verify_integrity")
    run = films.runs.latest("id")
    assert (run.state, run.version, run.added) == ("failed", None, 0)
    assert "The first version of it stands; the next sync brings the rest" in run.error
    assert source.sync(CHANGED).added == 10
    assert titles(films) == [row["title"] for row in CHANGED]
    assert Claim.objects.filter(source=source).count() == 140


def test_a_sync_respects_what_is_written_between_two_parts(films, source, ines, titles, between):
    edited, gone = (Entry.objects.get(title=f"Film {n}") for n in (60, 70))

    def act() -> None:
        services.edit_entries(films, {edited.pk: {"rating": 1.0}}, by=ines)
        services.remove_entries(films, [gone.pk], by=ines)

    between(act)
    run = source.sync(CHANGED)
    assert titles(films) == [row["title"] for row in CHANGED if row["title"] != "Film 70"]
    edited.refresh_from_db()
    assert edited.rating == 1.0
    assert (run.state, run.added, run.updated, run.removed) == ("completed", 60, 78, 40)
    assert run.version == films.versions.latest("number")
    assert (run.found, run.unchanged) == (140, 0)


@pytest.mark.parametrize("broken_by", ["death", "edit"])
def test_what_a_part_has_brought_does_not_disarm_the_guard(films, source, ines, titles, between, broken_by):
    """30 of 120 are asked about; they would not be of the 170 that the source seems to stand for after the first part."""
    MediaList.objects.filter(pk=films.pk).update(policy={})
    answer = films_(*range(30, 120), *range(200, 300))
    if broken_by == "death":
        between(stop)
        with pytest.raises(Stopped):
            source.sync(answer)
    else:
        edited = Entry.objects.get(title="Film 60").pk
        between(lambda: services.edit_entries(films, {edited: {"rating": 1.0}}, by=ines))
    run = source.sync(answer)
    assert (run.held, len(titles(films))) == (30, 220)
    source.refresh_from_db()
    assert "last_claim" not in source.accepted


def test_after_a_part_the_answer_before_it_is_not_taken_for_known(films, upload, titles, between):
    before, after = films_(*range(120)), films_(*range(200))
    upload(films, before)
    between(stop)
    with pytest.raises(Stopped):
        upload(films, after)
    assert len(titles(films)) == 170
    assert upload(films, before).removed == 50
    assert titles(films) == [row["title"] for row in before]


@pytest.fixture
def two(films, live):
    """Two sources that differ on every rating."""
    for name, rating in (("one", 5.0), ("two", 6.0)):
        live(films, name=name, adapter="scripted_counted").sync(films_(*range(120), rating=rating))
    return films


def test_what_changes_because_of_rows_that_are_gone_is_no_row(two, ines, work, between):
    """100 of the 120 that two sources list are left to the second one; somebody writes after the first 50 of them."""
    one, edited = Source.objects.get(name="one"), Entry.objects.get(title="Film 0").pk
    Source.objects.filter(pk=one.pk).update(grace=0)
    between(lambda: services.edit_entries(two, {edited: {"title": "Mine"}}, by=ines))
    Path(one.config["path"]).write_text(json.dumps(films_(*range(20), rating=5.0)))
    run = runs.request_sync(one, by=ines, force=True).run
    work()
    run.refresh_from_db()
    assert (run.state, run.error) == ("completed", "")
    assert (run.found, run.unchanged, run.updated, run.removed) == (20, 20, 100, 0)


def prefer_two(list_, ines) -> Version | None:
    return services.change_rules(
        list_, by=ines, strategy="rules", preferred={"rating": Source.objects.get(name="two").pk}
    )


def ratings(list_) -> set[float]:
    return set(Entry.objects.filter(list=list_).listed().values_list("rating", flat=True))


def test_other_rules_fold_a_large_list_in_parts(two, ines):
    before = two.versions.count()
    version = prefer_two(two, ines)
    assert made(two, before) == [(0, 50, 0), (0, 50, 0), (0, 20, 0)]
    assert (version.number, ratings(two)) == (before + 3, {6.0})
    assert not two.refolds.exists()


def test_a_large_fold_that_is_planned_again_in_the_middle_is_one_act_all_the_same(two, ines, between):
    before = two.versions.count()
    between(lambda: bump(two))
    version = prefer_two(two, ines)
    assert made(two, before) == [(0, 50, 0), (0, 50, 0), (0, 20, 0)]
    assert two.versions.filter(correlation_id=version.correlation_id).count() == 3


def test_a_large_fold_that_died_stays_owed(two, ines, between):
    between(stop)
    with pytest.raises(Stopped):
        prefer_two(two, ines)
    assert ratings(two) == {5.0, 6.0}
    call_command("verify_integrity")
    assert services.settle_rules() == 1
    assert ratings(two) == {6.0}


@pytest.mark.covers("LIST-12")
def test_other_filters_fold_a_large_list_in_parts(films, source, ines, titles):
    before = films.versions.count()
    version = services.change_filters(films, by=ines, year_from=2100)
    assert [removed for _, _, removed in made(films, before)] == [50, 50, 20]
    assert (version.number, titles(films)) == (before + 3, [])
    services.change_filters(films, by=ines, year_from=None)
    assert len(titles(films)) == 120
    assert not films.refolds.exists()


@pytest.mark.covers("LIST-12")
def test_at_most_so_many_new_are_so_many_in_all_parts_together(films, source, ines, titles, between):
    services.change_filters(films, by=ines, max_new=55)
    between(lambda: services.remove_entries(films, [Entry.objects.get(title="Film 70").pk], by=ines))
    run = source.sync([*films_(*range(120)), *films_(*range(200, 260))])
    assert (run.added, run.details["waiting"], len(titles(films))) == (55, 5, 119 + 55)
    run = source.sync([*films_(*range(120)), *films_(*range(200, 260))])
    assert (run.added, run.details["waiting"]) == (5, 0)


def test_another_order_of_sources_folds_a_large_list_in_parts(two, ines):
    before = two.versions.count()
    services.order_sources(two, [Source.objects.get(name="two").pk], by=ines)
    assert (len(made(two, before)), ratings(two)) == (3, {6.0})


def test_a_large_rollback_goes_in_parts_with_its_edits(films, source, ines, titles):
    source.sync(CHANGED)
    before = films.versions.count()
    version = services.rollback(films, films.versions.get(number=3), by=ines)
    assert made(films, before) == [(40, 10, 0), (0, 50, 0), (0, 20, 30), (0, 0, 30)]
    assert titles(films) == [f"Film {n}" for n in range(120)]
    assert version.number == before + 4
    assert Edit.objects.filter(firm=False).count() == 180
    assert services.rollback(films, films.versions.get(number=3), by=ines) is None


def test_the_api_counts_all_parts_of_a_rollback(films, source, ines, client):
    source.sync(CHANGED)
    client.force_login(ines)
    seen = films.versions.count()
    address, unless = f"/api/v1/lists/{films.pk}/versions/3/rollback/", {"If-Match": f'"{seen}"'}
    answer = client.post(address, {}, content_type="application/json", headers=unless).json()
    parts = made(films, seen)
    assert len(parts) > 1
    assert [answer["counts"][name] for name in ("added", "changed", "removed")] == [
        sum(figures) for figures in zip(*parts, strict=True)
    ]


def test_a_large_rollback_leaves_what_others_write_meanwhile(films, source, ines, jonas, titles, between):
    source.sync(CHANGED)
    film = Entry.objects.get(title="Film 110")
    between(lambda: services.edit_entries(films, {film.pk: {"title": "By Jonas"}}, by=jonas))
    services.rollback(films, films.versions.get(number=3), by=ines)
    assert titles(films) == [f"Film {n}" if n != 110 else "By Jonas" for n in range(120)]
    assert ratings(films) == {None, 7.0}


def test_a_rollback_that_died_can_be_asked_for_again(films, source, ines, titles, between):
    source.sync(CHANGED)
    between(stop)
    with pytest.raises(Stopped):
        services.rollback(films, films.versions.get(number=3), by=ines)
    call_command("verify_integrity")
    services.rollback(films, films.versions.get(number=3), by=ines)
    assert titles(films) == [f"Film {n}" for n in range(120)]


@pytest.fixture
def held_back(films, source, ines):
    """Rolled back to its 120 films, against what the source says by now."""
    source.sync(CHANGED)
    services.rollback(films, films.versions.get(number=3), by=ines)
    return films


def test_a_large_release_goes_in_parts(held_back, ines, titles):
    before = held_back.versions.count()
    version = services.release(held_back, by=ines)
    assert made(held_back, before) == [(50, 0, 0), (10, 40, 0), (0, 40, 10), (0, 0, 30)]
    assert titles(held_back) == [row["title"] for row in CHANGED]
    assert version.number == before + 4
    assert not Edit.objects.exists()
    assert Audit.objects.get(action="released").before == {"held": 180}
    assert services.release(held_back, by=ines) is None


def test_a_release_that_died_can_be_asked_for_again(held_back, ines, titles, between):
    between(stop)
    with pytest.raises(Stopped):
        services.release(held_back, by=ines)
    call_command("verify_integrity")
    assert Edit.objects.filter(firm=False).count() == 130
    services.release(held_back, by=ines)
    assert titles(held_back) == [row["title"] for row in CHANGED]


def test_what_is_rolled_back_between_two_parts_of_a_release_is_held(held_back, ines, jonas, titles, between):
    [left] = Entry.objects.filter(title="Film 39").values_list("id", flat=True)
    between(lambda: services.rollback(held_back, held_back.versions.get(number=1), by=jonas, entries=[left]))
    services.release(held_back, by=ines)
    assert set(titles(held_back)) == {"Film 39", *(row["title"] for row in CHANGED)}
    assert Audit.objects.get(action="released").before == {"held": 179}


@pytest.fixture
def held(films, source) -> Proposal:
    """Of 120 films 110 are missing."""
    MediaList.objects.filter(pk=films.pk).update(policy={})
    source.sync(films_(*range(10)))
    return Proposal.objects.get(kind="held", state="open")


def test_held_removals_leave_in_parts(films, held, ines, titles):
    version = services.apply_held(held, by=ines)
    assert made(films, 3) == [(0, 0, 50), (0, 0, 50), (0, 0, 10)]
    held.refresh_from_db()
    assert (held.state, held.result["left"], held.result["stayed"], version.number) == ("confirmed", 110, 0, 6)
    assert len(titles(films)) == Claim.objects.count() == 10


def test_an_undo_takes_back_all_parts(films, held, ines, titles, client):
    client.force_login(ines)
    address = reverse("lists:review_held", args=[held.pk])
    seen = re.search(r'name="seen" value="([^"]*)"', client.get(address).content.decode())[1]
    done = client.post(address, {"decision": "all", "seen": seen}, follow=True).content.decode()
    assert (len(titles(films)), films.versions.count()) == (10, 6)
    client.post(undo_of(done))
    assert titles(films) == [f"Film {n}" for n in range(120)]


def test_held_removals_that_died_in_between_wait_still(films, held, ines, titles, between):
    between(stop)
    with pytest.raises(Stopped):
        services.apply_held(held, by=ines)
    call_command("verify_integrity")
    held.refresh_from_db()
    assert (held.state, len(titles(films))) == ("open", 70)
    services.apply_held(held, by=ines)
    held.refresh_from_db()
    assert (held.state, held.result["left"], held.result["stayed"], len(titles(films))) == ("confirmed", 60, 0, 10)


def test_no_more_leaves_once_the_source_lists_it_again(films, held, source, ines, titles, between):
    between(lambda: source.sync(films_(*range(120))))
    with pytest.raises(services.NotWaiting, match="A part was done by then"):
        services.apply_held(held, by=ines)
    assert sorted(titles(films)) == sorted(f"Film {n}" for n in range(120))


def test_what_is_kept_is_kept_in_parts(films, held, ines, titles):
    assert services.keep_held(held, by=ines) is None
    held.refresh_from_db()
    assert (held.state, len(titles(films))) == ("kept", 120)
    assert Claim.objects.filter(source__role="kept").count() == 110
    assert Claim.objects.count() == 120


def test_a_block_that_hits_very_many_goes_in_parts(films, source, ines, titles):
    block = services.block(by=ines, scope="list", list_=films, pattern="Film ?*")
    assert made(films, 3) == [(0, 0, 50), (0, 0, 50), (0, 0, 20)]
    assert titles(films) == []
    services.unblock(block, by=ines)
    assert len(titles(films)) == 120
    services.block(by=ines, scope="list", list_=films, pattern="Film 1?")
    assert made(films, 9) == [(0, 0, 10)]
    assert not films.refolds.exists()


def test_what_moves_is_moved_with_the_last_version(films, source, titles):
    rows = [film(n, rating=3.0) for n in (*range(60, 120), *range(60))]
    source.sync(rows)
    assert titles(films) == [row["title"] for row in rows]
    assert [v.moved for v in films.versions.order_by("number")[3:]] == [0, 0, 40]


def test_what_moves_is_counted_against_what_the_parts_before_have_brought_back(films, source, ines, titles):
    """The 60 that come back stand where they stood; so the 20 are those that move, although the list knew of 21 only."""
    source.sync(films_(*range(61, 81), *range(61)))
    target = films.versions.latest("number")
    source.sync(films_(*range(81)))
    source.sync(films_(0, *range(61, 81)))
    services.rollback(films, target, by=ines)
    assert titles(films) == [f"Film {n}" for n in (*range(61, 81), *range(61))]
    assert films.versions.latest("number").moved == 20


def test_one_that_fits_is_one_version(films, source):
    assert source.sync(films_(*range(120), *range(300, 350))).version.number == 4


def test_a_source_that_goes_and_returns_takes_its_entries_in_parts(two, ines, live):
    large = live(two, name="large", adapter="scripted_counted")
    large.sync(films_(*range(500, 600)))
    before = two.versions.count()
    services.remove_source(large, by=ines, keep=False)
    assert made(two, before) == [(0, 0, 50), (0, 0, 50)]
    services.revive_source(large, by=ines)
    assert made(two, before + 2) == [(50, 0, 0), (50, 0, 0)]
