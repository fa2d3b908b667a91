"""Lists by the API: what they show, where it comes from, and every state that they had."""

import csv
import io
import json

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from lists import services
from lists.fields import FIELDS
from lists.models import Audit, Claim, Edit, Entry, ExternalId, MediaList, Membership, Provenance, Version


def film(n, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def api(user) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def mine(ines) -> APIClient:
    return api(ines)


def all_pages(client, address: str, **query):
    """Every row of a paged answer, and how many pages it took."""
    rows, pages, after = [], 0, ""
    while after is not None:
        answer = client.get(address, {**query, "after": after})
        assert answer.status_code == 200, answer.json()
        rows += answer.json()["results"]
        after = answer.json()["next"]
        pages += 1
    return rows, pages


# -- lists -----------------------------------------------------------------------------------------------------------


def test_a_list_is_made_changed_binned_and_brought_back(mine, ines):
    made = mine.post("/api/v1/lists/", {"name": "  To   watch ", "tags": ["a|b", "c", "c"], "description": "All of it"})
    assert made.status_code == 201
    shown = made.json()
    assert (shown["name"], shown["tags"], shown["owner"], shown["role"]) == ("To watch", ["a/b", "c"], "ines", "owner")
    assert (shown["version"], shown["item_count"]) == (None, 0)
    address = f"/api/v1/lists/{shown['id']}/"

    assert mine.patch(address, {"name": "Watched"}).json()["name"] == "Watched"
    assert mine.get(address).json()["description"] == "All of it"

    assert mine.delete(address).status_code == 204
    assert mine.get(address).status_code == 404
    assert mine.get("/api/v1/lists/").json()["results"] == []
    assert [row["name"] for row in mine.get("/api/v1/lists/bin/").json()["results"]] == ["Watched"]

    assert mine.post(f"{address}restore/").json()["deleted_at"] is None
    assert mine.get("/api/v1/lists/bin/").json()["results"] == []
    assert list(Audit.objects.order_by("id").values_list("action", flat=True)) == [
        "created",
        "changed",
        "deleted",
        "restored",
    ]


def test_lists_are_found_by_words_tag_and_content_and_paged_by_name(mine, ines):
    for n, name in enumerate(["Delta", "alpha", "Charlie", "Bravo"]):
        services.create_list(ines, name=name, tags=["even"] if n % 2 else ["odd", "uneven"], description=f"No. {n}")
    services.create_list(ines, name="Sets", content="tracks")

    def names(**query):
        return [row["name"] for row in mine.get("/api/v1/lists/", query).json()["results"]]

    assert names(q="ALPH") == ["alpha"]
    assert names(q="no. 2") == ["Charlie"]
    assert set(names(tag="even")) == {"alpha", "Bravo"}
    assert names(tag="eve") == []
    assert names(content="tracks") == ["Sets"]
    rows, pages = all_pages(mine, "/api/v1/lists/", limit=2)
    assert pages == 3
    assert [row["name"] for row in rows] == list(
        MediaList.objects.order_by("name", "id").values_list("name", flat=True)
    )


def test_a_body_that_names_what_cannot_be_set_changes_nothing(mine, films):
    answer = mine.patch(f"/api/v1/lists/{films.pk}/", {"name": "New", "item_count": 7})
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"] == {"item_count": ["This cannot be set here."]}
    films.refresh_from_db()
    assert films.name == "Films to watch"


def test_a_list_in_the_bin_is_not_changed(mine, films, monkeypatch):
    """It was binned between the question who may change it and the change itself."""
    change = services.change_list

    def bin_first(list_, **details):
        services.bin_list(list_, by=films.owner)
        return change(list_, **details)

    monkeypatch.setattr(services, "change_list", bin_first)
    answer = mine.patch(f"/api/v1/lists/{films.pk}/", {"name": "New"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "in_the_bin")
    films.refresh_from_db()
    assert films.name == "Films to watch"


def test_sources_are_shown_without_address_and_secrets(mine, films, upload):
    upload(films, [film(1)])
    films.sources.update(address="https://user:secret@example.org/list")
    (source,) = mine.get(f"/api/v1/lists/{films.pk}/sources/").json()["results"]
    assert (source["adapter"], source["name"], source["failures"]) == ("scripted", "rows.json", 0)
    assert "secret" not in json.dumps(source)


@pytest.mark.covers("SRC-06")
def test_an_export_comes_as_a_file_with_the_name_of_its_list(mine, films, upload):
    upload(films, [film(n) for n in range(1, 4)])
    services.change_list(films, by=films.owner, name='Köln "1/2"')
    answer = mine.get(f"/api/v1/lists/{films.pk}/export/csv/", headers={"accept": "text/csv"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''K%C3%B6ln%201%202.csv"
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode(), newline="")))
    assert [row["Const"] for row in rows] == ["tt0000001", "tt0000002", "tt0000003"]
    answer = mine.get(f"/api/v1/lists/{films.pk}/export/json/")
    assert len(json.loads(b"".join(answer.streaming_content))["entries"]) == 3
    assert mine.get(f"/api/v1/lists/{films.pk}/export/pdf/").status_code == 404


# -- entries ---------------------------------------------------------------------------------------------------------

FULL = {
    "original_title": "Ein Film", "release_date": "1991-05-03", "runtime_s": 5400, "rating": 7.5, "votes": 1200,
    "popularity": 12.5, "language": "de", "release_status": "released", "poster": "https://example.org/p.jpg",
    "backdrop": "https://example.org/b.jpg", "overview": "Something happens.", "genres": ["Drama", "Sci-Fi"],
    "directors": ["Ann"], "note": "Good",
}  # fmt: skip


@pytest.mark.covers("LIST-03")
def test_an_entry_says_which_row_of_its_source_it_is(mine, client, ines, films, upload):
    client.force_login(ines)
    for rows in ([3, 1, 2, 4], [5, 3, 2, 4], [2, 4]):
        upload(films, [film(n) for n in rows])
        for claim in Claim.objects.filter(position__isnull=False):
            detail = mine.get(f"/api/v1/lists/{films.pk}/entries/{claim.entry_id}/").json()
            assert detail["completeness"] == pytest.approx(3 / 15), "title, year and an id"
            place = rows.index(int(claim.key[2:])) + 1
            assert [told["position"] for told in detail["claims"]] == [place]
            page = client.get(reverse("lists:entry", args=[films.pk, claim.entry_id])).content.decode()
            assert f"lists it, place {place}." in page


@pytest.mark.covers("LIST-03")
def test_an_entry_shows_every_field_and_id_and_what_its_source_is(mine, films, upload):
    ids = {"imdb": "tt0000001", "tmdb": "movie/603", "tvdb": "movie/9"}
    run = upload(films, [film(1, **{**FULL, "ids": ids})])
    (row,) = mine.get(f"/api/v1/lists/{films.pk}/entries/").json()["results"]
    assert row["values"] == {"title": "Film 1", "year": 1991, **FULL}
    assert row["ids"] == ids
    assert (row["kind"], row["state"], row["reason"]) == ("movie", "listed", "")

    detail = mine.get(f"/api/v1/lists/{films.pk}/entries/{row['id']}/").json()
    source = {"by_hand": False, "source": run.source_id, "sources": [run.source_id], "source_name": "rows.json"}
    assert detail["origins"] == [{"field": name, **source} for name in _in_field_order(row["values"])]
    (claim,) = detail["claims"]
    assert (claim["source"], claim["source_name"], claim["position"]) == (run.source_id, "rows.json", 1)
    assert claim["values"] == row["values"]
    assert detail["completeness"] == 1
    assert claim["missing_since"] is None
    assert claim["since"][:19] == row["first_listed_at"][:19]  # claims count in seconds


def _in_field_order(values):
    return [name for name in FIELDS if name in values]


def test_two_sources_of_an_entry_and_an_edit_are_told_apart(mine, films, upload):
    upload(films, [film(1)])
    upload(films, [film(1, overview="From the second")], source=None)
    entry = Entry.objects.get()
    _edit(entry, "title", "By hand")
    services.refold(films, kind=Version.Kind.EDIT)
    detail = mine.get(f"/api/v1/lists/{films.pk}/entries/{entry.pk}/").json()
    first, second = films.sources.filter(role="feed").order_by("id")
    origins = {row["field"]: "hand" if row["by_hand"] else row["source"] for row in detail["origins"]}
    assert origins == {"title": "hand", "year": first.pk, "overview": second.pk}
    assert [(edit["field"], edit["value"], edit["firm"], edit["author_name"]) for edit in detail["edits"]] == [
        ("title", "By hand", True, "ines")
    ]
    assert [claim["source"] for claim in detail["claims"]] == [first.pk, second.pk]


def _edit(entry, field, value):
    edit = Edit(entry=entry, field=field, value=value, author=entry.list.owner, author_name="ines")
    Edit.objects.bulk_create([edit])  # past history, whose rows belong to a version


def test_provenance_names_no_list_that_one_may_not_see(mine, films, jonas, staff, upload):
    upload(films, [film(1)])
    entry = Entry.objects.get()
    secret = services.create_list(jonas, name="Secret")
    now = timezone.now()
    for list_, name in [(films, "Films to watch"), (secret, "Secret"), (None, "Gone")]:
        Provenance.objects.create(
            item=entry.item, title="Film 1", list=list_, list_name=name, source_name="x", first_at=now, last_at=now
        )
    address = f"/api/v1/lists/{films.pk}/entries/{entry.pk}/"
    assert [row["list_name"] for row in mine.get(address).json()["provenance"]] == ["Films to watch"]
    assert len(api(staff).get(address).json()["provenance"]) == 3


def test_entries_are_searched_filtered_and_sorted(mine, films, upload):
    upload(
        films,
        [
            film(1, title="Heat", year=1995, rating=8.3, genres=["Crime", "Drama"]),
            film(2, title="The Heat II", year=2013, rating=6.6, genres=["Comedy"]),
            film(3, title="Amélie", year=2001, genres=["Comedy", "Romance"]),
            film(4, title="Severance", year=2022, rating=8.7, genres=["Drama"], kind="show"),
            film(5, title="Nobody knows when", year=None),
        ],
    )

    def titles(**query):
        return [
            row["values"]["title"] for row in mine.get(f"/api/v1/lists/{films.pk}/entries/", query).json()["results"]
        ]

    assert titles(q="heat") == ["Heat", "The Heat II"]
    assert titles(q="amelie") == ["Amélie"]
    assert titles(kind="show") == ["Severance"]
    assert titles(genre="Comedy") == ["The Heat II", "Amélie"]
    assert titles(genre="Come") == []
    assert titles(year=2013) == ["The Heat II"]
    assert titles(year_from=2001, year_to=2013) == ["The Heat II", "Amélie"]
    assert titles(year_to=2001, sort="year") == ["Amélie", "Heat"]
    assert titles(sort="title") == ["Amélie", "Heat", "The Heat II", "Nobody knows when", "Severance"]
    assert titles(sort="rating")[:3] == ["Severance", "Heat", "The Heat II"]


@pytest.mark.parametrize("sort", ["order", "title", "year", "rating", "added"])
def test_every_order_pages_without_gaps_and_doubles(mine, films, upload, sort):
    upload(films, [film(n, rating=n % 4 or None) for n in range(1, 24)])
    rows, pages = all_pages(mine, f"/api/v1/lists/{films.pk}/entries/", sort=sort, limit=5)
    assert pages == 5
    assert sorted(row["id"] for row in rows) == sorted(Entry.objects.values_list("id", flat=True))
    whole = mine.get(f"/api/v1/lists/{films.pk}/entries/", {"sort": sort, "limit": 1000}).json()
    assert whole["next"] is None
    assert rows == whole["results"]


@pytest.mark.covers("LIST-05")
def test_a_film_on_two_lists_is_one_item(mine, films, ines, upload):
    upload(films, [film(1), film(2)])
    other = services.create_list(ines, name="Other")
    upload(other, [film(2), film(3)])

    def items(list_):
        rows = mine.get(f"/api/v1/lists/{list_.pk}/entries/").json()["results"]
        return {row["ids"]["imdb"]: row["item"] for row in rows}

    assert items(films)["tt0000002"] == items(other)["tt0000002"]
    assert len({*items(films).values(), *items(other).values()}) == 3
    assert ExternalId.objects.count() == 3


# -- audit -----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("AUD-01")
def test_every_act_leaves_a_row_with_who_before_and_after(mine, films, upload):
    mine.patch(f"/api/v1/lists/{films.pk}/", {"name": "Renamed"})
    upload(films, [film(1)])
    mine.delete(f"/api/v1/lists/{films.pk}/")
    rows, _ = all_pages(mine, "/api/v1/audit/", limit=2)
    assert [(row["action"], row["object_type"]) for row in rows] == [
        ("deleted", "list"),
        ("imported", "source"),
        ("added source", "source"),
        ("changed", "list"),
        ("created", "list"),
    ]
    changed = rows[3]
    assert (changed["actor"], changed["list"], changed["object_id"]) == ("ines", films.pk, str(films.pk))
    assert (changed["before"], changed["after"]) == ({"name": "Films to watch"}, {"name": "Renamed"})


def test_audit_is_narrowed_by_what_who_and_when(mine, films, upload):
    upload(films, [film(1)])
    first = Audit.objects.order_by("id").first()
    Audit.objects.filter(pk=first.pk)._raw_delete("default")
    Audit.objects.bulk_create([Audit(pk=first.pk, at="2024-03-05T12:00:00Z", actor=films.owner, actor_name="ines",
                                     action="created", object_type="list", object_id=str(films.pk), object_name="x",
                                     list_ref=films.pk)])  # fmt: skip

    def actions(**query):
        return [row["action"] for row in mine.get("/api/v1/audit/", query).json()["results"]]

    assert actions(action="imported") == ["imported"]
    assert actions(object_type="list") == ["created"]
    assert actions(object_type="list", object_id=films.pk) == ["created"]
    assert actions(object_type="list", object_id=films.pk + 1) == []
    assert actions(list=films.pk + 1) == []
    assert actions(actor="jonas") == []
    assert actions(**{"from": "2024-03-05", "to": "2024-03-05"}) == ["created"]
    assert actions(to="2024-03-04") == []
    assert len(actions(**{"from": "2024-03-06"})) == 2


def test_audit_shows_only_what_is_ones_own(films, jonas, staff):
    assert api(jonas).get("/api/v1/audit/").json()["results"] == []
    assert len(api(staff).get("/api/v1/audit/").json()["results"]) == 1
    Membership.objects.create(list=films, user=jonas, role="viewer")
    assert len(api(jonas).get("/api/v1/audit/").json()["results"]) == 1


@pytest.mark.covers("AUD-03")
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_audit_by_the_api(films, staff, method):
    before = list(Audit.objects.values())
    answer = getattr(api(staff), method)("/api/v1/audit/", {"action": "nothing"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert list(Audit.objects.values()) == before


# -- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("OPS-12")
@pytest.mark.parametrize(
    ("address", "ceiling"),
    [
        ("/api/v1/lists/", 4),
        ("/api/v1/lists/{list}/entries/?limit=1000", 7),
        ("/api/v1/lists/{list}/versions/?limit=1000", 5),
        ("/api/v1/lists/{list}/versions/2/?limit=1000", 6),
        ("/api/v1/lists/{list}/diff/?from=1&to=2&limit=1000", 14),
        ("/api/v1/lists/{list}/sources/", 5),
        ("/api/v1/audit/?limit=1000", 4),
    ],
)
def test_queries_do_not_grow_with_the_rows(mine, films, ines, upload, address, ceiling, django_assert_max_num_queries):
    upload(films, [film(n) for n in range(1, 400)])
    upload(films, [film(n, rating=5.0) for n in range(1, 410)])
    for n in range(20):
        services.create_list(ines, name=f"List {n}")
    with django_assert_max_num_queries(ceiling):
        answer = mine.get(address.format(list=films.pk))
    assert answer.status_code == 200
