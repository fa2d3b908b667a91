"""Going back to a version and forward again, on the pages."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Audit, Entry, Version
from tests.lists.said import undo_of


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def restore(client, list_, n: int, **body):
    return client.post(reverse("lists:restore_version", args=[list_.pk, n]), body, follow=True).content.decode()


def figures(html: str) -> dict[str, int]:
    """What the page says that would change."""
    return {name: int(count) for name, count in re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", html)}


@pytest.mark.covers("VER-05")
def test_a_list_goes_back_and_forward_again(client, page, films, upload, titles):
    upload(films, [film(1), film(2), film(3, rating=5.0)])
    upload(films, [film(3, rating=7.0), film(2), film(4)])
    html = page("lists:restore_version", films.pk, 1)
    assert figures(html) == {"Come back": 1, "Leave": 1, "Change": 1, "Move": 1}
    assert f'href="{reverse("lists:diff", args=[films.pk])}?from=2&amp;to=1"' in html
    assert titles(films) == ["Film 3", "Film 2", "Film 4"], "looking changes nothing"
    assert Version.objects.count() == 2
    done = restore(client, films, 1, seen="2")
    assert "The list is what it was in version 1. This is version 3." in done
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    assert Entry.objects.get(title="Film 3").rating == 5.0
    restore(client, films, 2, seen="3")
    assert titles(films) == ["Film 3", "Film 2", "Film 4"]
    act = Audit.objects.filter(action="rolled back").latest("id")
    assert (act.actor_name, act.before["version"], act.after["version"]) == ("ines", 3, 2)


@pytest.mark.covers("VER-05")
def test_what_is_held_says_so_until_it_is_released(client, page, films, upload, titles):
    upload(films, [film(n) for n in range(1, 6)])
    upload(films, [film(n) for n in range(2, 6)])
    restore(client, films, 1)
    for name in ("items", "changes"):
        html = page(f"lists:{name}", films.pk)
        assert "Held by the rollback to" in html
        assert reverse("lists:version", args=[films.pk, 1]) in html
    assert "Restored" in page("lists:changes", films.pk)
    assert "<b>Rollback to version 1</b> · 1 film came." in page("lists:changes", films.pk)
    upload(films, [film(n, rating=5.0) for n in range(2, 6)])
    assert "Film 1" in titles(films), "its source says nothing new about it"
    said = client.post(reverse("lists:release", args=[films.pk]), follow=True).content.decode()
    assert "The sources speak again." in said
    assert "Film 1" not in titles(films)
    assert "Held by the rollback" not in page("lists:items", films.pk)
    client.post(undo_of(said))
    assert "Film 1" in titles(films)
    client.post(reverse("lists:release", args=[films.pk]))
    again = client.post(reverse("lists:release", args=[films.pk]), follow=True).content.decode()
    assert "No rollback holds anything here. Nothing was changed." in again


def test_the_undo_of_a_rollback_goes_where_the_list_was(client, films, ines, upload, titles):
    upload(films, [film(1), film(2)])
    upload(films, [film(2), film(3)])
    client.force_login(ines)
    done = restore(client, films, 1)
    client.post(undo_of(done))
    assert titles(films) == ["Film 2", "Film 3"]


def test_somebody_who_saw_an_older_list_looks_again_first(client, films, ines, upload, titles):
    for n in range(1, 4):
        upload(films, [film(9), film(n)])
    client.force_login(ines)
    html = restore(client, films, 1, seen="2")
    assert "The list is at version 3 by now. Nothing was changed." in html
    assert "<h1>Restore version 1</h1>" in html
    assert titles(films) == ["Film 9", "Film 3"]


@pytest.mark.covers("VER-05")
def test_what_stays_away_because_of_a_block_is_named(client, page, films, ines, upload, titles):
    upload(films, [film(1), film(2)])
    services.block(by=ines, scope="list", list_=films, namespace="imdb", value="tt0000001", reason="seen it")
    assert titles(films) == ["Film 2"]
    html = page("lists:restore_version", films.pk, 1)
    missing = html[html.index("What would not come back") :]
    assert re.search(r'dir="auto">Film 1</a></p><p class="dim small">1991 · Blocked: seen it', missing)
    assert reverse("lists:blocks", args=[films.pk]) in missing
    restore(client, films, 1)
    assert titles(films) == ["Film 2"]


def test_a_version_that_the_list_shows_already_makes_no_new_one(client, page, films, upload):
    upload(films, [film(1)])
    assert "This is what the list shows now." in page("lists:restore_version", films.pk, 1)
    assert "The list shows version 1 already. Nothing was changed." in restore(client, films, 1)
    assert Version.objects.count() == 1


def test_a_version_that_was_cleared_away_cannot_be_restored(client, page, films, upload, titles):
    upload(films, [film(1), film(2)])
    upload(films, [film(2)])
    Version.objects.filter(number=1).update(pruned_at=timezone.now(), order=None)
    assert "This version is too old to be restored." in page("lists:restore_version", films.pk, 1)
    assert 'role="alert"' in restore(client, films, 1)
    assert titles(films) == ["Film 2"]
    assert reverse("lists:restore_version", args=[films.pk, 1]) not in page("lists:changes", films.pk)
    assert client.get(reverse("lists:restore_version", args=[films.pk, 9])).status_code == 404


def test_every_page_of_a_version_leads_to_its_restoring_for_who_may(client, page, films, jonas, upload):
    upload(films, [film(1)])
    upload(films, [film(2)])
    address = reverse("lists:restore_version", args=[films.pk, 1])
    pages = [("lists:changes", films.pk), ("lists:version", films.pk, 1), ("lists:diff", films.pk)]
    assert [address in page(*where) for where in pages] == [True] * 3
    assert reverse("lists:restore_version", args=[films.pk, 2]) not in page("lists:changes", films.pk)
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    client.force_login(jonas)
    seen = [client.get(reverse(name, args=args)).content.decode() for name, *args in pages]
    assert [address in html for html in seen] == [False] * 3


@pytest.mark.covers("WISH-04")
def test_any_two_versions_are_chosen_for_comparison(page, client, films, upload):
    for n in range(1, 4):
        upload(films, [film(9), film(n)])
    form = re.search(
        r'<form class="compare-form" action="([^"]+)">.*?</form>', page("lists:changes", films.pk), re.DOTALL
    )
    assert form
    assert re.findall(r'name="(from|to)"', form[0]) == ["from", "to"]
    html = client.get(form[1], {"from": "1", "to": "3"}).content.decode()
    assert "What changed from version 1 to 3" in html
    assert re.findall(r'class="diff-row (\w+)"', html) == ["add", "del"]
