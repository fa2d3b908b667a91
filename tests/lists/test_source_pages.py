"""What feeds a list, on its pages: order, names, letting a source go and taking it back."""

import re

import pytest
from django.urls import reverse

from lists import services
from lists.models import Audit, Entry, Source, Version
from tests.lists.said import undo_of


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture
def two(films, upload, client, ines):
    """(first.csv with films 1 to 4, second.csv with films 3 to 6)"""
    upload(films, [film(n, rating=5.0) for n in range(1, 5)], name="first.csv")
    upload(films, [film(n, rating=7.0) for n in range(3, 7)], source=None, name="second.csv")
    client.force_login(ines)
    return Source.objects.get(name="first.csv"), Source.objects.get(name="second.csv")


def act(client, view: str, source: Source, **body) -> str:
    address = reverse(f"lists:{view}", args=[source.list_id, source.pk])
    return client.post(address, body, follow=True).content.decode()


def order_of(html: str) -> list[str]:
    return re.findall(r'<p class="row-title"><bdi>(\w+\.csv)</bdi>', html)


def test_the_source_that_stands_higher_is_believed(client, page, films, two):
    first, second = two
    assert order_of(page("lists:settings", films.pk)) == ["first.csv", "second.csv"]
    said = act(client, "move_source", second, way="up")
    assert "second.csv stands at place 1 of 2 now." in said
    assert order_of(said) == ["second.csv", "first.csv"]
    assert Entry.objects.get(title="Film 3").rating == 7.0
    client.post(undo_of(said))
    assert Entry.objects.get(title="Film 3").rating == 5.0
    assert order_of(page("lists:settings", films.pk)) == ["first.csv", "second.csv"]
    assert "first.csv stands first already. Nothing was changed." in act(client, "move_source", first, way="up")
    assert "second.csv stands last already. Nothing was changed." in act(client, "move_source", second, way="down")


def test_a_source_is_renamed_and_switched_off_and_keeps_what_it_said(client, page, films, two, titles):
    first, _ = two
    said = act(client, "source", first, name="Autumn")
    assert "Saved." in said
    assert "Switched off" in said
    first.refresh_from_db()
    assert (first.name, first.enabled) == ("Autumn", False)
    assert len(titles(films)) == 6
    assert "A source needs a name. Nothing was saved." in act(client, "source", first, name=" ", enabled="on")
    assert "Nothing was changed: it said so already." in act(client, "source", first, name="Autumn")
    kept = Audit.objects.latest("id")
    assert (kept.action, kept.before["name"], kept.after["name"]) == ("changed source", "first.csv", "Autumn")


@pytest.mark.covers("SRC-21")
@pytest.mark.parametrize(
    ("keep", "left"),
    [("yes", ["Film 1", "Film 2", "Film 3", "Film 4"]), ("no", ["Film 3", "Film 4"])],
)
def test_removing_a_source_asks_what_becomes_of_what_only_it_lists(client, page, films, two, titles, keep, left):
    first, second = two
    html = page("lists:remove_source", films.pk, first.pk)
    assert "It lists 4 films that are here, 2 of them alone." in html
    assert "Keep 2 films" in html
    assert "Let 2 films go" in html
    assert len(titles(films)) == 6
    assert not Source.objects.exclude(removed_at=None).exists()
    said = act(client, "remove_source", first, keep=keep)
    assert "first.csv feeds this list no more." in said
    assert sorted(titles(films)) == sorted([*left, "Film 5", "Film 6"])
    assert "1 source was removed" in said
    client.post(undo_of(said))
    assert len(titles(films)) == 6
    assert len(order_of(page("lists:settings", films.pk))) == 2
    assert order_of(page("lists:settings", films.pk)) == ["first.csv", "second.csv"]
    assert second.pk


def test_a_removed_source_is_brought_back_from_the_settings(client, page, films, two, titles):
    first, _ = two
    act(client, "remove_source", first, keep="no")
    html = page("lists:settings", films.pk)
    back = reverse("lists:revive_source", args=[films.pk, first.pk])
    assert f'action="{back}"' in html
    said = client.post(back, follow=True).content.decode()
    assert "first.csv feeds this list again." in said
    assert len(titles(films)) == 6
    assert Entry.objects.get(title="Film 3").rating == 5.0
    assert client.post(back).status_code == 404
    made = [version.kind for version in Version.objects.order_by("number")]
    assert made == ["import", "import", "rules", "rules"]


@pytest.mark.covers("SAFE-02")
def test_letting_a_source_go_with_all_its_films_is_not_asked_twice(client, page, films, upload, ines, titles):
    upload(films, [film(n) for n in range(1, 6)], name="first.csv")
    source = Source.objects.get()
    client.force_login(ines)
    assert "It lists 5 films that are here, 5 of them alone." in page("lists:remove_source", films.pk, source.pk)
    said = act(client, "remove_source", source, keep="no")
    assert titles(films) == []
    assert not films.proposals.filter(kind="held").exists()
    assert "This is version 2: 5 left." in said


def test_a_film_that_a_person_put_here_does_not_count_as_the_sources_alone(page, films, upload, ines):
    upload(films, [film(1), film(2)], name="first.csv")
    entry = Entry.objects.get(title="Film 1")
    services.remove_entries(films, [entry.pk], by=ines)
    services.restore_entries(films, [entry.pk], by=ines)
    assert "It lists 2 films that are here, 1 of them alone." in page(
        "lists:remove_source", films.pk, Source.objects.get(role="feed").pk
    )


def test_a_source_of_another_list_is_not_there(client, ines, two):
    first, _ = two
    other = services.create_list(ines, name="Other")
    for name in ("source", "remove_source"):
        assert client.get(reverse(f"lists:{name}", args=[other.pk, first.pk])).status_code == 404
    for name in ("source", "remove_source", "move_source", "revive_source"):
        assert client.post(reverse(f"lists:{name}", args=[other.pk, first.pk]), {"keep": "no"}).status_code == 404
    assert not Source.objects.exclude(removed_at=None).exists()


def test_a_viewer_sees_the_sources_and_changes_none(client, films, jonas, two):
    first, _ = two
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    client.force_login(jonas)
    html = client.get(reverse("lists:settings", args=[films.pk])).content.decode()
    assert order_of(html) == ["first.csv", "second.csv"]
    assert "/sources/" not in html
    assert client.get(reverse("lists:remove_source", args=[films.pk, first.pk])).status_code == 403
    assert client.post(reverse("lists:remove_source", args=[films.pk, first.pk]), {"keep": "no"}).status_code == 403
