"""Blocks by the API: what must not come is counted and named, and comes back when the block is lifted."""

import pytest

from lists import services
from lists.models import Audit, Block, Entry, Item, Membership
from tests.lists.test_api import api, film
from tests.lists.test_api_hand import code


@pytest.fixture
def mine(ines):
    return api(ines)


@pytest.fixture
def five(films, upload):
    upload(films, [film(n) for n in range(1, 6)])
    return films


def entries(client, list_, **query):
    rows = client.get(f"/api/v1/lists/{list_.pk}/entries/", query).json()["results"]
    return {row["values"]["title"]: row["reason"] for row in rows}


@pytest.mark.covers("LIST-09")
def test_a_blocked_id_does_not_come_and_comes_back_without_a_fetch(mine, five, upload):
    body = {"scope": "list", "list": five.pk, "namespace": "imdb", "value": "tt0000002", "reason": "Seen it"}
    answer = mine.post("/api/v1/blocks/", body)
    assert answer.status_code == 201
    block = answer.json()
    assert {name: block[name] for name in body} == body
    assert (block["created_by"], block["owner"], block["item"], block["pattern"]) == ("ines", None, None, "")
    assert list(entries(mine, five)) == ["Film 1", "Film 3", "Film 4", "Film 5"]

    run = upload(five, [film(n, rating=5.0) for n in range(1, 6)])
    assert mine.get(f"/api/v1/runs/{run.pk}/").json()["excluded"] == 1
    shown = mine.get(f"/api/v1/lists/{five.pk}/").json()
    assert (shown["item_count"], shown["excluded_count"]) == (4, 1)
    assert entries(mine, five, state="excluded") == {"Film 2": "Blocked: Seen it"}

    assert mine.delete(f"/api/v1/blocks/{block['id']}/").status_code == 204
    assert list(entries(mine, five)) == [f"Film {n}" for n in range(1, 6)]
    assert Entry.objects.get(title="Film 2").rating == 5.0
    assert mine.delete(f"/api/v1/blocks/{block['id']}/").status_code == 404
    acts = Audit.objects.filter(action__in=["blocked", "unblocked"]).order_by("id")
    assert [(row.action, row.actor_name, row.object_id) for row in acts] == [
        ("blocked", "ines", str(block["id"])), ("unblocked", "ines", str(block["id"])),
    ]  # fmt: skip


def test_an_item_is_blocked_for_all_lists_of_its_owner_and_no_others(mine, five, ines, jonas, upload):
    other, theirs = services.create_list(ines, name="Other"), services.create_list(jonas, name="Theirs")
    upload(other, [film(1), film(2)])
    upload(theirs, [film(1), film(2)], by=jonas)
    item = Entry.objects.filter(title="Film 1").first().item_id
    block = mine.post("/api/v1/blocks/", {"scope": "mine", "item": item}).json()
    assert (block["scope"], block["owner"], block["item_title"]) == ("mine", "ines", "Film 1")
    assert "Film 1" not in entries(mine, five)
    assert list(entries(mine, other)) == ["Film 2"]
    assert list(entries(api(jonas), theirs)) == ["Film 1", "Film 2"]


def test_a_pattern_is_tried_before_it_is_kept(mine, five):
    body = {"scope": "list", "list": five.pk, "pattern": "film ?"}
    hits = mine.post("/api/v1/blocks/preview/", body).json()
    assert hits["count"] == 5
    assert {entry["values"]["title"] for entry in hits["entries"]} == {f"Film {n}" for n in range(1, 6)}
    assert hits["entries"][0]["ids"] == {"imdb": "tt0000001"}
    assert mine.post("/api/v1/blocks/preview/", {**body, "pattern": "*5"}).json()["count"] == 1
    assert not Block.objects.exists()
    assert len(entries(mine, five)) == 5
    assert mine.post("/api/v1/blocks/", {**body, "pattern": "*5"}).status_code == 201
    assert entries(mine, five, state="excluded") == {"Film 5": "Blocked by the pattern “*5”."}


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        ({}, 400, "invalid"), ({"scope": "mine"}, 400, "invalid"), ({"scope": "world", "pattern": "a"}, 400, "invalid"),
        ({"scope": "list", "pattern": "a"}, 400, "invalid"), ({"scope": "mine", "list": 1, "pattern": "a"}, 400, "invalid"),
        ({"scope": "mine", "namespace": "imdb"}, 400, "invalid"), ({"scope": "mine", "value": "tt1"}, 400, "invalid"),
        ({"scope": "mine", "pattern": "a", "item": 1}, 400, "invalid"), ({"scope": "mine", "item": 10**9}, 400, "invalid"),
        ({"scope": "mine", "pattern": "a\x00"}, 400, "invalid"), ({"scope": "mine", "pattern": "a" * 201}, 400, "invalid"),
        ({"scope": "mine", "pattern": "*?*"}, 400, "unfit"), ({"scope": "list", "list": 10**9, "pattern": "a"}, 404, "not_found"),
        ({"scope": "all", "pattern": "a"}, 403, "permission_denied"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", ["/api/v1/blocks/", "/api/v1/blocks/preview/"])
def test_what_cannot_be_blocked_is_said_and_nothing_is(mine, five, address, body, status, wrong):
    assert code(mine.post(address, body)) == (status, wrong)
    assert not Block.objects.exists()


def test_the_same_is_not_blocked_twice(mine, five):
    body = {"scope": "list", "list": five.pk, "pattern": "Foo*"}
    assert mine.post("/api/v1/blocks/", body).status_code == 201
    assert code(mine.post("/api/v1/blocks/", {**body, "reason": "Again"})) == (400, "unfit")
    assert Block.objects.count() == 1


def test_everybody_sees_the_blocks_that_hold_for_their_lists_and_no_others(mine, five, ines, jonas, staff):
    Membership.objects.create(list=five, user=jonas, role="viewer")
    secret = services.create_list(jonas, name="Secret")
    made = {
        "list": services.block(by=ines, scope="list", list_=five, pattern="a"),
        "mine": services.block(by=ines, scope="mine", pattern="b"),
        "all": services.block(by=staff, scope="all", pattern="c"),
        "secret": services.block(by=jonas, scope="list", list_=secret, pattern="d"),
    }

    def shown(user, address="/api/v1/blocks/", **query):
        return {row["pattern"] for row in api(user).get(address, query).json()["results"]}

    assert shown(ines) == {"a", "b", "c"}
    assert shown(jonas) == {"a", "c", "d"}
    assert shown(staff) == {"a", "b", "c", "d"}
    assert shown(ines, scope="mine") == {"b"}
    assert shown(staff, scope="list") == {"a", "d"}
    assert shown(jonas, f"/api/v1/lists/{five.pk}/blocks/") == {"a", "b", "c"}
    assert shown(jonas, f"/api/v1/lists/{secret.pk}/blocks/") == {"c", "d"}
    # Jonas sees the block of the list that is shared with him, and may not lift it; of the secret one Ines hears nothing.
    assert api(jonas).delete(f"/api/v1/blocks/{made['list'].pk}/").status_code == 403
    assert api(jonas).delete(f"/api/v1/blocks/{made['mine'].pk}/").status_code == 404
    assert mine.delete(f"/api/v1/blocks/{made['secret'].pk}/").status_code == 404
    assert Block.objects.count() == 4


def test_staff_block_for_every_list(five, ines, jonas, staff, upload):
    theirs = services.create_list(jonas, name="Theirs")
    upload(theirs, [film(1), film(2)], by=jonas)
    answer = api(staff).post("/api/v1/blocks/", {"scope": "all", "pattern": "Film 1", "reason": "Not here"})
    assert (answer.status_code, answer.json()["scope"]) == (201, "all")
    assert services.settle_rules() == 2  # what the workers do
    assert "Film 1" not in entries(api(ines), five)
    assert entries(api(jonas), theirs, state="excluded") == {"Film 1": "Blocked by the pattern “Film 1”: Not here"}


@pytest.mark.covers("OPS-12")
def test_queries_do_not_grow_with_the_blocks(mine, five, ines, django_assert_max_num_queries):
    items = Item.objects.bulk_create([Item(kind="movie", title=f"T {n}", name=f"t {n}") for n in range(100)])
    Block.objects.bulk_create([Block(list=five, item=item, created_by=ines) for item in items])
    for address in ("/api/v1/blocks/?limit=1000", f"/api/v1/lists/{five.pk}/blocks/?limit=1000"):
        with django_assert_max_num_queries(5):
            assert len(mine.get(address).json()["results"]) == 100
    with django_assert_max_num_queries(20):
        mine.post("/api/v1/blocks/preview/", {"scope": "list", "list": five.pk, "pattern": "Film*"})
