"""What the pages can do the API can too; every answer with rows is filtered, ordered and paged."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from lists import services
from lists.models import Audit, Block, Conflict, Entry, Membership, Proposal, Source
from sync.adapters import ADAPTERS
from sync.models import Run
from tests.lists.test_api import all_pages, api, film


@pytest.fixture
def mine(ines) -> APIClient:
    return api(ines)


@pytest.fixture
def rows(mine):
    """The rows of an answer; `get` names one of their fields."""

    def rows(address, get="id", **query):
        answer = mine.get(f"/api/v1/{address}", query)
        assert answer.status_code == 200, answer.json()
        return [row[get] for row in answer.json()["results"]]

    return rows


# -- acts ------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("API-01")
def test_several_entries_are_blocked_at_once(mine, films, upload, titles, jonas):
    upload(films, [film(n) for n in range(1, 5)])
    one, two, *_ = Entry.objects.order_by("rank").values_list("pk", flat=True)
    address = f"/api/v1/lists/{films.pk}/entries/block/"
    answer = mine.post(address, {"entries": [one, two], "reason": "Seen"}, format="json")
    assert answer.status_code == 201, answer.json()
    assert [(row["scope"], row["item_title"], row["reason"]) for row in answer.json()["blocks"]] == [
        ("list", "Film 1", "Seen"), ("list", "Film 2", "Seen"),
    ]  # fmt: skip
    assert titles(films) == ["Film 3", "Film 4"]
    assert mine.post(address, {"entries": [one]}, format="json").json() == {"blocks": []}  # it is blocked already
    nobody = mine.post(address, {"entries": [one, 10**9]}, format="json")
    assert (nobody.status_code, set(nobody.json()["error"]["fields"])) == (400, {"entries"})
    assert mine.post(address, {"entries": [one], "scope": "all"}, format="json").status_code == 403
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    assert api(jonas).post(address, {"entries": [one]}, format="json").status_code == 403
    for row in answer.json()["blocks"]:
        assert mine.get(f"/api/v1/blocks/{row['id']}/").json() == row
        assert mine.delete(f"/api/v1/blocks/{row['id']}/").status_code == 204
        assert mine.get(f"/api/v1/blocks/{row['id']}/").status_code == 404
    assert titles(films) == ["Film 1", "Film 2", "Film 3", "Film 4"]


def test_what_removing_a_source_would_ask_is_told(mine, films, upload):
    upload(films, [film(1), film(2), film(3)])
    upload(films, [film(3), film(4)], source=None)
    first, second = Source.objects.filter(role="feed").order_by("id")
    address = f"/api/v1/lists/{films.pk}/sources/{{}}/alone/"
    assert mine.get(address.format(first.pk)).json() == {"listed": 3, "alone": 2}
    assert mine.get(address.format(second.pk)).json() == {"listed": 2, "alone": 1}
    assert mine.get(address.format(10**9)).status_code == 404


@pytest.mark.covers("API-01")
def test_an_entry_tells_how_it_changed(mine, films, upload, ines):
    upload(films, [film(1), film(2)])
    one = Entry.objects.get(title="Film 1")
    services.edit_entries(films, {one.pk: {"title": "Heat", "rating": 8.5}}, by=ines)
    services.remove_entries(films, [one.pk], by=ines)
    services.restore_entries(films, [one.pk], by=ines)
    address = f"/api/v1/lists/{films.pk}/entries/{one.pk}/history/"
    found, pages = all_pages(mine, address, limit=2)
    assert pages == 2
    assert [(row["version"], row["change"]) for row in found] == [
        (4, "came"), (3, "left"), (2, "changed"), (1, "came"),
    ]  # fmt: skip
    assert found[2]["fields"] == [
        {"field": "title", "before": "Film 1", "after": "Heat"},
        {"field": "rating", "before": None, "after": 8.5},
    ]
    assert found == all_pages(mine, address, limit=2, sort="oldest")[0][::-1]
    assert mine.get(f"/api/v1/lists/{films.pk}/entries/{10**9}/history/").status_code == 404


@pytest.mark.covers("API-01")
def test_uploads_that_wait_are_listed(mine, films, upload, jonas, rows):
    upload(films, [film(1)])
    upload(films, [film(2)], confirm=False)
    other = services.create_list(jonas, name="Theirs")
    upload(other, [film(3)], by=jonas, confirm=False)
    one, two = Proposal.objects.filter(list=films, kind="preview").order_by("id")
    assert rows("uploads/") == [two.pk, one.pk]
    assert rows("uploads/", sort="oldest") == [one.pk, two.pk]
    assert rows("uploads/", state="open") == [two.pk]
    assert rows("uploads/", list=films.pk, state="confirmed") == [one.pk]
    assert rows("uploads/", list=other.pk) == []
    assert "result" not in mine.get("/api/v1/uploads/").json()["results"][0]


def test_the_formats_of_a_list_are_those_that_it_can_be_downloaded_in(mine, ines, films, upload):
    sets = services.create_list(ines, name="Sets", content="tracks")
    upload(films, [film(1)])
    for list_ in (films, sets):
        found = mine.get(f"/api/v1/lists/{list_.pk}/export/").json()["results"]
        assert {"json"} <= {row["key"] for row in found}
        for row in found:
            answer = mine.get(f"/api/v1/lists/{list_.pk}/export/{row['key']}/")
            assert answer.headers["Content-Type"] == row["content_type"]
            assert f".{row['extension']}" in answer.headers["Content-Disposition"]


# -- kinds of sources ------------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-02")
def test_the_register_names_every_kind_of_source(mine):
    found = {row["key"]: row for row in all_places(mine, "/api/v1/source-types/")}
    assert found.keys() == ADAPTERS.keys()
    for key, row in found.items():
        adapter = ADAPTERS[key]
        assert (row["label"], row["is_file"], row["content"]) == (adapter.label, adapter.is_file, adapter.content)
        assert set(row["kinds"]) == adapter.kinds
        assert [question["name"] for question in row["questions"]] == [*adapter.Config().fields]
    formats = all_places(mine, "/api/v1/formats/")
    assert {row["key"] for row in formats} == {key for key, adapter in ADAPTERS.items() if adapter.is_file}
    assert [row["label"].casefold() for row in formats] == sorted(row["label"].casefold() for row in formats)
    kind = next(question for question in found["csv_table"]["questions"] if question["name"] == "kind")
    assert kind["type"] == "choice"
    assert {"movie", "show"} <= {choice["value"] for choice in kind["choices"]}


@pytest.mark.covers("LIST-02")
@pytest.mark.parametrize("key", ["nothing", "scripted_live", "../etc", "x" * 100, "Scripted"])
def test_an_unknown_kind_is_refused_and_nothing_is_kept(mine, films, upload, key):
    file = SimpleUploadedFile("rows.json", b"[]")
    answer = mine.post("/api/v1/uploads/", {"file": file, "adapter": key}, format="multipart")
    assert (answer.status_code, set(answer.json()["error"]["fields"])) == (400, {"adapter"})
    assert not Proposal.objects.exists()
    waiting = upload(films, [film(1)], confirm=False)
    answer = mine.post(f"/api/v1/uploads/{waiting.pk}/read-again/", {"adapter": key}, format="json")
    assert (answer.status_code, set(answer.json()["error"]["fields"])) == (400, {"adapter"})
    waiting.refresh_from_db()
    assert (waiting.state, waiting.adapter) == ("open", "scripted")


def all_places(client, address):
    rows, start = [], 0
    while start is not None:
        answer = client.get(address, {"start": start, "limit": 3}).json()
        rows += answer["results"]
        start = answer["next"]
    return rows


# -- filters and orders ----------------------------------------------------------------------------------------------


@pytest.mark.covers("API-03")
def test_lists_are_ordered_and_filtered_by_role(mine, ines, jonas, staff, upload, rows):
    names = ["Bravo", "Alpha", "Charlie"]
    for count, name in enumerate(names):
        list_ = services.create_list(ines, name=name)
        if count:
            upload(list_, [film(n) for n in range(count)])
    theirs = services.create_list(jonas, name="Delta")
    services.share_list(theirs, user=ines, role="editor", by=jonas)
    assert rows("lists/", "name") == ["Alpha", "Bravo", "Charlie", "Delta"]
    assert rows("lists/", "name", sort="newest") == ["Delta", "Charlie", "Alpha", "Bravo"]
    assert rows("lists/", "name", sort="size")[:2] == ["Charlie", "Alpha"]
    assert rows("lists/", "name", sort="updated")[0] == "Delta"
    assert rows("lists/", "name", role="owner") == ["Alpha", "Bravo", "Charlie"]
    assert rows("lists/", "name", role="editor") == ["Delta"]
    assert rows("lists/", "name", role="viewer") == []
    assert len(api(staff).get("/api/v1/lists/", {"role": "owner"}).json()["results"]) == 4
    for sort in ("name", "newest", "updated", "size"):
        found, pages = all_pages(mine, "/api/v1/lists/", sort=sort, limit=1)
        assert [row["name"] for row in found] == rows("lists/", "name", sort=sort)
        assert pages == 4


@pytest.mark.covers("API-03")
def test_versions_sources_and_members_are_filtered_and_ordered(films, upload, ines, jonas, staff, rows):
    upload(films, [film(1)])
    upload(films, [film(2)], source=None, name="other.json")
    services.edit_entries(films, {Entry.objects.first().pk: {"year": 1950}}, by=ines)
    first, second = Source.objects.filter(role="feed").order_by("id")
    here = f"lists/{films.pk}"
    assert rows(f"{here}/versions/", "number") == [3, 2, 1]
    assert rows(f"{here}/versions/", "number", sort="oldest") == [1, 2, 3]
    assert rows(f"{here}/versions/", "number", kind="edit") == [3]
    assert rows(f"{here}/versions/", "number", source=second.pk) == [2]
    assert rows(f"{here}/versions/", "number", to="2020-01-01") == []
    services.remove_source(first, by=ines, keep=True)
    assert rows(f"{here}/sources/", role="feed") == [first.pk, second.pk]
    assert rows(f"{here}/sources/", role="feed", removed="true") == [first.pk]
    assert rows(f"{here}/sources/", role="feed", removed="false") == [second.pk]
    assert rows(f"{here}/sources/", "name", sort="name", role="feed") == ["other.json", "rows.json"]
    assert rows(f"{here}/sources/", adapter="nothing") == []
    for user, role in ((jonas, "editor"), (staff, "viewer")):
        services.share_list(films, user=user, role=role, by=ines)
    assert rows(f"{here}/members/", "username") == ["jonas", "admin"]
    assert rows(f"{here}/members/", "username", sort="latest") == ["admin", "jonas"]
    assert rows(f"{here}/members/", "username", role=Membership.Role.EDITOR) == ["jonas"]
    assert rows(f"{here}/members/", "username", q="ADM") == ["admin"]


@pytest.mark.covers("API-03")
def test_runs_blocks_questions_and_acts_are_filtered_and_ordered(films, upload, ines, rows):
    upload(films, [film(1), film(2)])
    upload(films, [film(1, title="Another"), film(3)], source=None)
    old, new = Run.objects.order_by("id").values_list("pk", flat=True)
    assert rows("runs/") == [new, old]
    assert rows("runs/", sort="oldest") == [old, new]
    assert rows("runs/", source=Run.objects.get(pk=old).source_id) == [old]
    assert rows("runs/", kind="upload", state="completed") == [new, old]
    assert rows("runs/", kind="manual") == []
    services.block(by=ines, scope="list", list_=films, pattern="Zulu*", reason="Too long")
    services.block(by=ines, scope="mine", pattern="Yankee*")
    assert rows("blocks/", "pattern", sort="oldest") == ["Zulu*", "Yankee*"]
    assert rows("blocks/", "pattern", q="LONG") == ["Zulu*"]
    assert rows(f"lists/{films.pk}/blocks/", "pattern", scope="mine") == ["Yankee*"]
    one = Entry.objects.order_by("id").first()
    for field in ("year", "title"):
        Conflict.objects.create(list=films, entry=one, kind="field", field=field, options=[])
    assert rows("conflicts/", "field", entry=one.pk) == ["title", "year"]
    assert rows("conflicts/", "field", sort="oldest", entry=one.pk) == ["year", "title"]
    assert rows("conflicts/", "field", field="year") == ["year"]
    assert rows("conflicts/", "field", entry=10**9) == []
    assert rows("audit/", sort="oldest") == list(Audit.objects.order_by("id").values_list("pk", flat=True))
    assert Block.objects.count() == 2


@pytest.mark.covers("API-03")
def test_items_are_paged_by_title_and_found_by_every_way_to_write_an_id(mine, films, upload, rows):
    upload(films, [film(n) for n in range(1, 6)])
    found, pages = all_pages(mine, "/api/v1/items/", q="film", limit=2)
    assert (pages, [row["title"] for row in found]) == (3, [f"Film {n}" for n in range(1, 6)])
    assert rows("items/", "title", q="film", sort="newest")[0] == "Film 5"
    for text in ("tt0000003", "imdb:tt0000003"):
        assert rows("items/", "title", q=text) == ["Film 3"]
    for text in ("tmdb:tt0000003", "!!!", "%", "_"):
        assert rows("items/", "title", q=text) == []


def test_a_place_to_go_on_from_belongs_to_its_order(mine, films, upload):
    upload(films, [film(1)])
    upload(films, [film(1), film(2)])
    after = mine.get("/api/v1/runs/", {"limit": 1}).json()["next"]
    answer = mine.get("/api/v1/runs/", {"after": after, "sort": "oldest"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_cursor")


@pytest.mark.covers("API-03")
@pytest.mark.parametrize("limit", [0, 1001, -1, "x", 10**30])
def test_a_page_has_1_to_1000_rows(mine, films, limit):
    for address in ("lists/", "runs/", f"lists/{films.pk}/entries/", "formats/", "audit/"):
        answer = mine.get(f"/api/v1/{address}", {"limit": limit})
        assert (answer.status_code, set(answer.json()["error"]["fields"])) == (400, {"limit"})
