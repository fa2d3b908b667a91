"""What a search finds, that it finds it after every change, and that it asks an index."""

import pytest
from django.db import connection
from django.urls import reverse

from lists import browse, search, services
from lists.browse import SORTS, Wish
from lists.models import Entry, Item, MediaList

TITLES = (
    "Up", "Upstream Color", "It", "It Follows", "Suit", "M", "Dial M for Murder", "Amélie", "千と千尋の神隠し", "君の名は。",
    "The Matrix", "The Matrix Reloaded", "Se7en", "$", "1917", "AC/DC: Live", "Los Olvidados", "Straße", "Cup",
)  # fmt: skip


@pytest.fixture
def many(films, upload) -> MediaList:
    upload(films, [
        {"key": str(n), "title": title, "year": 1950 + n, "genres": ["Drama", "War"] if n % 4 == 0 else ["Comedy"]}
        for n, title in enumerate(TITLES)
    ])  # fmt: skip
    films.refresh_from_db()
    return films


@pytest.fixture
def find(many):
    def find(q="", **wish):
        return [entry.title for entry in browse.page_of(many, Wish(q=q, **wish)).rows]

    return find


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("matrix", ["The Matrix", "The Matrix Reloaded"]),
        ("atri", ["The Matrix", "The Matrix Reloaded"]),
        ("reloaded the", ["The Matrix Reloaded"]),
        ("MATRIX  Relo", ["The Matrix Reloaded"]),
        ("up", ["Up", "Upstream Color"]),
        ("it", ["It", "It Follows"]),
        ("m", ["M", "Dial M for Murder"]),
        ("dial m", ["Dial M for Murder"]),
        ("amelie", ["Amélie"]),
        ("AMÉLIE", ["Amélie"]),
        ("strasse", ["Straße"]),
        ("千と", ["千と千尋の神隠し"]),
        ("尋の", ["千と千尋の神隠し"]),
        ("神隠し", ["千と千尋の神隠し"]),
        ("名", ["君の名は。"]),
        ("$", ["$"]),
        ("1917", ["1917"]),
        ("ac/dc", ["AC/DC: Live"]),
        ("nothing of the kind", []),
        ("%", []),
        ('" OR 1', []),
        ("'; --", []),
        ("matrix matrix matrix the the a b c d e f g h", []),
    ],
)
@pytest.mark.covers("LIST-03")
def test_a_search_finds(find, q, found):
    assert find(q) == found


def test_original_titles_and_artists_are_found(ines, upload):
    tracks = services.create_list(ines, name="Set", content="tracks")
    upload(tracks, [{"key": "1", "kind": "track", "artist": "Röyksopp", "title": "Eple", "original_title": "Яблоко"}])
    tracks.refresh_from_db()
    for q in ("royksopp", "eple royk", "яблоко", "ябл"):
        assert [entry.title for entry in browse.page_of(tracks, Wish(q=q)).rows] == ["Eple"]


def test_genres_and_groups_filter_as_whole_words_and_are_counted(many, find):
    assert find(genre="War") == list(TITLES[::4])
    assert find(genre="Wa") == find(genre='"') == []
    assert find("matrix", genre="Comedy") == ["The Matrix", "The Matrix Reloaded"]
    assert browse.genres_of(many) == {"Comedy": 14, "Drama": 5, "War": 5}
    entry = Entry.objects.get(list=many, title="M")
    services.edit_entries(many, {entry.pk: {"genres": ["Crime"], "group": "Old"}}, by=many.owner)
    many.refresh_from_db()
    assert browse.genres_of(many)["Crime"] == 1
    assert browse.groups_of(many) == {"Old": 1}
    assert find(genre="Crime") == find(group="Old") == ["M"]


def test_it_is_right_after_every_change_whoever_made_it(many, find):
    entry = Entry.objects.get(list=many, title="Cup")
    services.edit_entries(many, {entry.pk: {"title": "Saucer"}}, by=many.owner)
    assert (find("cup"), find("saucer")) == ([], ["Saucer"])
    # Past the services, which is nobody's business, and past index_owed().
    Entry.objects.filter(pk=entry.pk).update(title="Teapot", search="teapot", genres="|Tea|")
    assert (find("saucer"), find("teapot"), find(genre="Tea")) == ([], ["Teapot"], ["Teapot"])
    search.index_owed()
    assert (find("saucer"), find("teapot"), find(genre="Tea")) == ([], ["Teapot"], ["Teapot"])
    services.remove_entries(many, [entry.pk], by=many.owner)
    assert (find("teapot"), find("teapot", state="removed")) == ([], ["Teapot"])
    services.purge_list(many)
    assert not search.entries(Entry.objects.all(), "matrix").exists()


def test_lists_are_searched_apart(many, find, ines, upload):
    other = services.create_list(ines, name="Other")
    upload(other, [{"key": "1", "title": "The Matrix Revolutions"}])
    other.refresh_from_db()
    assert find("matrix") == ["The Matrix", "The Matrix Reloaded"]
    assert [entry.title for entry in browse.page_of(other, Wish(q="matrix")).rows] == ["The Matrix Revolutions"]


def test_where_many_fit_the_order_of_the_list_is_walked(many, find, monkeypatch):
    monkeypatch.setattr(search, "FEW", 1)
    assert find("matrix") == ["The Matrix", "The Matrix Reloaded"]
    assert find("matrix", sort="year") == ["The Matrix Reloaded", "The Matrix"]
    assert find("it") == ["It", "It Follows"]


def test_page_api_and_admin_search(many, client, ines, staff):
    client.force_login(ines)
    page = client.get(reverse("lists:items", args=[many.pk]), {"q": "up"}).content.decode()
    assert "Upstream Color" in page
    assert "2 films of 19 fit" in page
    answer = client.get(f"/api/v1/lists/{many.pk}/entries/", {"q": "up", "sort": "year"}).json()
    assert [entry["values"]["title"] for entry in answer["results"]] == ["Upstream Color", "Up"]
    found = client.get("/api/v1/items/", {"q": "matr reload"}).json()["results"]
    assert [item["title"] for item in found] == ["The Matrix Reloaded"]
    client.force_login(staff)
    for name, q, shown in (
        ("entry", "amelie", "Amélie"), ("entry", str(many.pk), "The Matrix"), ("item", "reloaded", "The Matrix Reloaded"),
    ):  # fmt: skip
        page = client.get(reverse(f"admin:lists_{name}_changelist"), {"q": q}).content.decode()
        assert shown in page
        assert ("Los Olvidados" in page) == (q == str(many.pk))


def test_counting_stops(many, monkeypatch, client, ines):
    monkeypatch.setattr(browse, "COUNTED", 1)
    client.force_login(ines)
    page = client.get(reverse("lists:items", args=[many.pk]), {"q": "matrix"}).content.decode()
    assert "more than 1 film of 19 fit" in page


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite's tables are made anew by migrations")
def test_an_index_whose_triggers_went_with_a_table_is_filled_anew(many, find):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER lists_entry_due_changed")
        Entry.objects.filter(list=many, title="Cup").update(title="Teapot", search="teapot")
        cursor.execute("DELETE FROM lists_entry_due")
    assert find("teapot") == []
    search.ensure()
    assert find("teapot") == ["Teapot"]


@pytest.mark.parametrize("analysed", [False, True])
def test_the_index_is_asked_and_the_list_is_not_walked(many, analysed):
    if analysed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    for wish in (Wish(q="reloaded"), Wish(q="up", sort="rating"), Wish(genre="War", sort="title"), Wish(q="$")):
        sort = SORTS[wish.sort]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")  # a table this small is read as a whole
        plan = browse.matching(many, wish).order_by(*sort.order)[:51].explain()
        if connection.vendor == "sqlite":
            assert "lists_entry_words VIRTUAL TABLE INDEX" in plan or "entry_by_title" in plan
            assert "entry_by_rank" not in plan
        elif wish.q != "$" and sort.key == "rating":
            assert "lists_entry" in plan


def test_the_items_of_a_file_are_found_too(many):
    assert [item.title for item in search.items_known_as(Item.objects.all(), "upstr")] == ["Upstream Color"]
    item = Item.objects.get(title="Amélie")
    item.ids.create(namespace="imdb", value="tt0211915")
    assert list(search.items_known_as(Item.objects.all(), "tt0211915")) == [item]
