"""Who is who by the API: items, a wrong match, merge and split."""

import pytest

from lists import services
from lists.models import Audit, Entry, Item, Version
from tests.lists.test_api import api, film
from tests.lists.test_api_hand import code


@pytest.fixture
def mine(ines):
    return api(ines)


@pytest.fixture
def three(films, upload):
    upload(films, [film(n) for n in range(1, 4)])
    return films


def item_of(title, **more):
    return Entry.objects.get(title=title, **more).item_id


def test_items_are_found_by_title_and_by_id(mine, three):
    def found(**query):
        return [row["title"] for row in mine.get("/api/v1/items/", query).json()["results"]]

    assert found(q="film") == ["Film 1", "Film 2", "Film 3"]
    assert found(q="tt0000002") == ["Film 2"]
    assert found(q="film", kind="show") == []
    assert code(mine.get("/api/v1/items/")) == (400, "invalid")
    assert code(mine.get("/api/v1/items/", {"q": "x" * 201})) == (400, "invalid")


def test_an_item_shows_its_ids_and_the_lists_that_one_may_see(mine, three, jonas, upload):
    theirs = services.create_list(jonas, name="Theirs")
    upload(theirs, [film(1)], by=jonas)
    shown = mine.get(f"/api/v1/items/{item_of('Film 1', list=three)}/").json()
    assert shown["ids"] == [{"namespace": "imdb", "value": "tt0000001"}]
    assert [(row["list"], row["list_name"], row["state"]) for row in shown["lists"]] == [
        (three.pk, "Films to watch", "listed")
    ]
    assert (shown["merged"], shown["merged_into"], shown["may_identify"]) == ([], None, False)
    assert mine.get(f"/api/v1/items/{item_of('Film 2')}/").json()["may_identify"] is True
    assert mine.get("/api/v1/items/999999/").status_code == 404


def test_what_came_out_of_somebodys_own_file_is_nobody_elses_business(mine, three, jonas, upload):
    theirs = services.create_list(jonas, name="Theirs")
    upload(theirs, [{"key": "x", "title": "Our wedding", "year": 2001}], by=jonas)
    secret = item_of("Our wedding")
    assert mine.get("/api/v1/items/", {"q": "wedding"}).json()["results"] == []
    assert mine.get(f"/api/v1/items/{secret}/").status_code == 404
    assert mine.post(f"/api/v1/items/{secret}/merge/", {"into": item_of("Film 1")}).status_code == 404
    assert mine.post(f"/api/v1/items/{secret}/split/").status_code == 404
    assert code(mine.post(f"/api/v1/items/{item_of('Film 1')}/merge/", {"into": secret})) == (400, "invalid")
    assert code(mine.post("/api/v1/blocks/", {"scope": "mine", "item": secret})) == (400, "invalid")
    entry = f"/api/v1/lists/{three.pk}/entries/{Entry.objects.get(title='Film 1').pk}/"
    assert code(mine.post(f"{entry}match/", {"item": secret})) == (400, "invalid")
    assert code(mine.post(f"/api/v1/lists/{three.pk}/entries/", {"values": {"title": "x"}, "item": secret})) == (
        400, "invalid",
    )  # fmt: skip
    assert api(jonas).get(f"/api/v1/items/{secret}/").json()["title"] == "Our wedding"


def test_two_items_are_merged_and_parted_again(mine, three, titles):
    first, second = item_of("Film 1"), item_of("Film 2")
    answer = mine.post(f"/api/v1/items/{second}/merge/", {"into": first})
    assert (answer.status_code, answer.json()["merged_into"], answer.json()["root"]) == (200, first, first)
    assert titles(three) == ["Film 1", "Film 3"]
    shown = mine.get(f"/api/v1/items/{first}/").json()
    assert [row["id"] for row in shown["merged"]] == [second]
    assert [row["value"] for row in shown["ids"]] == ["tt0000001", "tt0000002"]
    assert code(mine.post(f"/api/v1/items/{second}/merge/", {"into": first})) == (400, "unfit")

    answer = mine.post(f"/api/v1/items/{second}/split/")
    assert (answer.status_code, answer.json()["merged_into"]) == (200, None)
    assert titles(three) == ["Film 1", "Film 2", "Film 3"]
    assert code(mine.post(f"/api/v1/items/{second}/split/")) == (400, "unfit")
    acts = Audit.objects.filter(action__in=["merged", "split"]).order_by("id")
    assert [(row.action, row.actor_name, row.object_id) for row in acts] == [
        ("merged", "ines", str(second)), ("split", "ines", str(second)),
    ]  # fmt: skip
    assert set(three.versions.filter(number__gt=1).values_list("kind", flat=True)) == {Version.Kind.MERGE}


@pytest.mark.parametrize("body", [{}, {"into": 999_999}, {"into": None}, {"into": "x"}, {"item": 1}])
def test_an_item_is_merged_with_nothing_that_is_not_there(mine, three, body):
    assert code(mine.post(f"/api/v1/items/{item_of('Film 1')}/merge/", body)) == (400, "invalid")
    assert not Item.objects.filter(merged_into__isnull=False).exists()


def test_what_stands_on_lists_of_others_is_merged_by_staff_only(mine, three, jonas, staff, upload):
    theirs = services.create_list(jonas, name="Theirs")
    upload(theirs, [film(1), film(2)], by=jonas)
    first, second = item_of("Film 1", list=three), item_of("Film 2", list=three)
    assert code(mine.post(f"/api/v1/items/{second}/merge/", {"into": first})) == (403, "not_yours")
    assert api(staff).post(f"/api/v1/items/{second}/merge/", {"into": first}).status_code == 200
    assert code(mine.post(f"/api/v1/items/{second}/split/")) == (403, "not_yours")


@pytest.mark.covers("WISH-02")
def test_a_wrong_match_is_put_right_and_stays_right(mine, three, upload, titles):
    entry = Entry.objects.get(title="Film 1")
    right = Item.objects.create(kind="movie", title="The right one", name="the right one", year=1991)
    right.ids.create(namespace="imdb", value="tt7777777")
    address = f"/api/v1/lists/{three.pk}/entries/{entry.pk}/"
    answer = mine.post(f"{address}match/", {"item": right.pk})
    assert answer.status_code == 200, answer.json()
    for rating in range(1, 11):
        upload(three, [film(1, rating=float(rating)), film(2), film(3)])
    (row,) = [
        row for row in mine.get(f"/api/v1/lists/{three.pk}/entries/").json()["results"] if row["item"] == right.pk
    ]
    assert (row["values"]["title"], row["values"]["rating"]) == ("Film 1", 10.0)
    assert titles(three) == ["Film 1", "Film 2", "Film 3"]
    row = Audit.objects.get(action="matched")
    assert (row.actor_name, row.after["id"]) == ("ines", right.pk)


def test_what_was_one_thing_with_it_shows_itself_again_at_once(mine, three, upload, titles):
    upload(three, [film(4)], source=None)
    first, second = item_of("Film 1"), item_of("Film 2")
    mine.post(f"/api/v1/items/{second}/merge/", {"into": first})
    assert sorted(titles(three)) == ["Film 1", "Film 3", "Film 4"]
    shown = Entry.objects.get(list=three, title="Film 1")
    answer = mine.post(f"/api/v1/lists/{three.pk}/entries/{shown.pk}/match/", {"item": None})
    assert answer.status_code == 200, answer.json()
    assert sorted(titles(three)) == ["Film 1", "Film 2", "Film 3", "Film 4"]


def test_what_two_sources_list_here_is_told_apart_claim_by_claim(mine, three, upload):
    upload(three, [film(1, note="of the second")], source=None)
    address = f"/api/v1/lists/{three.pk}/entries/{Entry.objects.get(title='Film 1').pk}/"
    claims = mine.get(address).json()["claims"]
    assert len(claims) == 2
    second = next(claim["id"] for claim in claims if "note" in claim["values"])
    before = item_of("Film 1")
    assert mine.post(f"{address}match/", {"claims": [second], "item": None}).status_code == 200
    items = list(
        Entry.objects.filter(title="Film 1", list=three).listed().order_by("id").values_list("item", flat=True)
    )
    assert len(items) == 2
    assert items[0] == before != items[1]


@pytest.mark.parametrize(
    "body", [{}, {"item": 999_999}, {"item": None, "claims": [10**9]}, {"item": None, "claims": []}]
)
def test_a_match_that_makes_no_sense_changes_nothing(mine, three, body):
    address = f"/api/v1/lists/{three.pk}/entries/{Entry.objects.get(title='Film 1').pk}/"
    assert code(mine.post(f"{address}match/", body)) == (400, "invalid")
    assert three.versions.count() == 1
    assert not Audit.objects.filter(action="matched").exists()
