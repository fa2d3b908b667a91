"""What people do to entries by the API: it holds against every upload, and somebody who was too late is told."""

import pytest

from lists import services
from lists.models import Audit, Entry, Version
from tests.lists.test_api import api, film


@pytest.fixture
def mine(ines):
    return api(ines)


@pytest.fixture
def three(films, upload):
    """A list of three films."""
    upload(films, [film(n) for n in range(1, 4)])
    return films


@pytest.fixture
def at(three):
    """The address of an entry by its title, or of a part of the list."""

    def at(title: str = "", part: str = "") -> str:
        entry = f"entries/{Entry.objects.get(list=three, title=title).pk}/" if title else ""
        return f"/api/v1/lists/{three.pk}/{entry}{part}"

    return at


def pk(title: str) -> int:
    return Entry.objects.get(title=title).pk


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# -- edit ------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SAFE-04")
def test_an_edit_makes_a_version_and_survives_the_same_file(mine, three, at, upload):
    address = at("Film 1")
    answer = mine.patch(address, {"values": {"title": "By hand", "year": 1950, "genres": ["Noir"]}})
    assert (answer.status_code, answer.json()) == (200, {"version": 2})
    assert answer.headers["ETag"] == '"2"'
    upload(three, [film(n) for n in range(1, 4)])
    shown = mine.get(address)
    assert shown.headers["ETag"] == '"2"'
    assert {name: shown.json()["values"][name] for name in ("title", "year", "genres")} == {
        "title": "By hand", "year": 1950, "genres": ["Noir"],
    }  # fmt: skip
    version = mine.get(at(part="versions/2/")).json()
    assert (version["kind"], version["author_name"], version["changed"]) == ("edit", "ines", 1)


def test_null_is_a_word_and_shows_nothing(mine, three, at, upload):
    address = at("Film 1")
    assert mine.patch(address, {"values": {"year": None}}).json()["version"] == 2
    upload(three, [film(1, rating=5.0), film(2), film(3)])
    shown = mine.get(address).json()
    assert "year" not in shown["values"]
    assert [(edit["field"], edit["value"], edit["firm"]) for edit in shown["edits"]] == [("year", None, True)]


def test_the_same_value_again_changes_nothing(mine, at):
    assert mine.patch(at("Film 1"), {"values": {"rating": 7.0}}).json()["version"] == 2
    answer = mine.patch(at("Film 1"), {"values": {"rating": 7.0}})
    assert (answer.json(), answer.headers["ETag"]) == ({"version": None}, '"2"')


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"year": "soon"}, ".year"), ({"year": 12}, ".year"), ({"runtime_s": -1}, ".runtime_s"), ({"rating": "good"}, ".rating"),
        ({"genres": "Drama"}, ".genres"), ({"genres": [[]]}, ".genres"), ({"title": "x" * 501}, ".title"),
        ({"title": "a\x00b"}, ".title"), ({"colour": "red"}, ".colour"), ({"presence": "absent"}, ".presence"), ("x", ""), ([], ""),
    ],
)  # fmt: skip
def test_a_value_that_the_field_cannot_hold_is_refused(mine, three, at, values, wrong):
    answer = mine.patch(at("Film 1"), {"values": values})
    assert code(answer) == (400, "invalid")
    assert list(answer.json()["error"]["fields"]) == [f"values{wrong}"]
    assert three.versions.count() == 1
    assert mine.get(at("Film 1")).json()["edits"] == []


def test_a_title_cannot_be_emptied(mine, at):
    assert code(mine.patch(at("Film 1"), {"values": {"title": None}})) == (400, "unfit")
    assert mine.get(at("Film 1")).json()["values"]["title"] == "Film 1"


def test_who_was_too_late_is_told_and_nothing_of_theirs_is_saved(mine, three, at, staff):
    seen = {"If-Match": mine.get(at("Film 1")).headers["ETag"]}
    address = at("Film 1")
    assert api(staff).patch(address, {"values": {"title": "Of another"}}, headers=seen).status_code == 200
    late = mine.patch(address, {"values": {"title": "Mine", "year": 1950}}, headers=seen)
    assert code(late) == (412, "too_late")
    shown = mine.get(address).json()["values"]
    assert (shown["title"], shown["year"]) == ("Of another", 1991)
    # Another field was not touched since, and that is what counts.
    assert mine.patch(address, {"values": {"year": 1950}}, headers=seen).status_code == 200


def test_any_other_act_is_refused_if_a_version_came_since(mine, three, at):
    first, second = pk("Film 1"), pk("Film 2")
    assert mine.patch(at("Film 3"), {"values": {"year": 1950}}).json()["version"] == 2
    acts = [
        ("post", at(part="entries/"), {"values": {"title": "New"}}), ("post", at("Film 1", "restore/"), None),
        ("post", at(part="entries/move/"), {"entries": [second], "place": 1}),
        ("post", at(part="entries/bulk/"), {"restore": [first]}), ("post", at("Film 3", "give-back/"), {"fields": ["year"]}),
        ("post", at(part="versions/1/rollback/"), {}), ("put", at(part="order/"), {"mode": "field", "field": "title"}),
        ("patch", at(part="rules/"), {"strategy": "new"}), ("post", at(part="release/"), None),
        ("post", at("Film 1", "match/"), {"item": None}),
        ("delete", at(part=f"sources/{three.sources.get().pk}/?keep=true"), None),
    ]  # fmt: skip
    for method, address, body in acts:
        assert code(getattr(mine, method)(address, body, headers={"If-Match": '"1"'})) == (412, "too_late"), address
    assert three.versions.count() == 2
    answer = mine.post(at(part="entries/move/"), {"entries": [second], "place": 1}, headers={"If-Match": '"2"'})
    assert answer.json()["version"] == 3


def test_what_another_removed_meanwhile_is_not_removed_again(mine, three, at, staff):
    address = at("Film 1")
    assert api(staff).delete(address).status_code == 200
    assert code(mine.delete(address, headers={"If-Match": '"1"'})) == (412, "too_late")
    assert code(mine.post(at(part="entries/bulk/"), {"remove": [pk("Film 1")]}, headers={"If-Match": '"1"'})) == (
        412, "too_late",
    )  # fmt: skip
    assert code(mine.delete(address)) == (409, "not_listed")


@pytest.mark.parametrize(
    ("tag", "status"), [('"1"', 200), ('W/"1"', 200), ("*", 200), ("1", 400), ('"x"', 400), ("", 400)]
)
def test_if_match_names_a_version(mine, at, tag, status):
    answer = mine.patch(at("Film 1"), {"values": {"year": 1950}}, headers={"If-Match": tag})
    assert answer.status_code == status


def test_an_entry_says_what_was_edited_and_whether_its_sources_agree(mine, three, at, upload):
    address, run = at("Film 1"), three.sources.get()
    mine.patch(address, {"values": {"title": "By hand", "overview": "Mine"}})
    word = {"source": run.pk, "source_name": "rows.json", "value": "Film 1"}

    def edits():
        return {edit["field"]: edit for edit in mine.get(address).json()["edits"]}

    title = edits()["title"]
    assert (title["value"], title["firm"], title["rollback_to"], title["author_name"]) == (
        "By hand",
        True,
        None,
        "ines",
    )
    assert (title["words"], title["now"], title["sources_agree"]) == ([word], [word], False)
    assert (edits()["overview"]["now"], edits()["overview"]["sources_agree"]) == ([], None)
    upload(three, [film(1, title="By hand"), film(2), film(3)])
    title = edits()["title"]
    assert (title["words"], title["now"], title["sources_agree"]) == ([word], [{**word, "value": "By hand"}], True)
    mine.delete(address)
    assert (edits()["presence"]["value"], edits()["presence"]["sources_agree"]) == ("absent", False)


def test_a_field_is_given_back_to_its_sources(mine, three, at, upload):
    address = at("Film 1")
    mine.patch(address, {"values": {"title": "By hand", "year": 1950}})
    upload(three, [film(1, title="Renamed"), film(2), film(3)])
    assert mine.get(address).json()["values"]["title"] == "By hand"
    answer = mine.post(f"{address}give-back/", {"fields": ["title"]})
    assert answer.status_code == 200
    shown = mine.get(address).json()
    assert (shown["values"]["title"], shown["values"]["year"]) == ("Renamed", 1950)
    assert [edit["field"] for edit in shown["edits"]] == ["year"]
    assert mine.post(f"{address}give-back/", {"fields": ["colour"]}).status_code == 400
    assert mine.post(f"{address}give-back/", {"fields": []}).status_code == 400


# -- add, remove, restore --------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-21")
def test_an_entry_added_by_hand_survives_every_upload(mine, three, at, upload, titles):
    body = {"values": {"title": "Heat", "year": 1995}, "ids": {"imdb": "tt0113277"}}
    answer = mine.post(at(part="entries/"), body)
    assert (answer.status_code, answer.json()["version"], answer.headers["ETag"]) == (201, 2, '"2"')
    entry = answer.json()["entry"]
    assert (entry["values"], entry["ids"], entry["state"]) == (body["values"], body["ids"], "listed")
    upload(three, [film(n) for n in range(1, 4)])
    assert titles(three) == ["Film 1", "Film 2", "Film 3", "Heat"]

    again = mine.post(at(part="entries/"), body)
    assert code(again) == (409, "already_listed")
    assert again.json()["error"]["entry"] == entry["id"]
    mine.delete(at("Heat"))
    assert mine.post(at(part="entries/"), body).json()["entry"]["id"] == entry["id"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, "values"), ({"values": {}}, "values"), ({"values": {"title": ""}}, "values"), ({"values": {"title": None}}, "values"),
        ({"values": {"title": "x"}, "kind": "boat"}, "kind"), ({"values": {"title": "x"}, "item": 999_999}, "item"),
        ({"values": {"title": "x"}, "ids": {"": "x"}}, "ids"), ({"values": {"title": "x"}, "ids": {"a\x00": "x"}}, "ids"),
        ({"values": {"title": "x"}, "ids": {"imdb": []}}, "ids.imdb"), ({"values": {"title": "x"}, "ids": {"a" * 41: "x"}}, "ids"),
        ({"values": {"title": "x"}, "ids": {f"n{n}": "x" for n in range(21)}}, "ids"), ({"title": "x"}, "title"),
    ],
)  # fmt: skip
def test_what_cannot_be_added_is_said_and_nothing_is(mine, three, at, body, wrong):
    answer = mine.post(at(part="entries/"), body)
    assert code(answer) == (400, "invalid")
    assert wrong in answer.json()["error"]["fields"]
    assert Entry.objects.count() == 3


def test_what_was_removed_stays_off_until_somebody_puts_it_back(mine, three, at, upload, titles):
    address = at("Film 2")
    mine.patch(address, {"values": {"overview": "Mine"}})
    answer = mine.delete(address)
    assert (answer.status_code, answer.json()) == (200, {"version": 3})
    upload(three, [film(n, rating=5.0) for n in range(1, 4)])
    assert titles(three) == ["Film 1", "Film 3"]
    (row,) = mine.get(at(part="entries/"), {"state": "removed"}).json()["results"]
    assert (row["values"]["title"], row["reason"]) == ("Film 2", "Removed by hand.")
    assert mine.get(at(part="entries/"), {"state": "excluded"}).json()["results"] == []

    answer = mine.post(f"{address}restore/")
    assert answer.status_code == 200
    assert titles(three) == ["Film 1", "Film 2", "Film 3"]
    assert mine.get(address).json()["values"]["overview"] == "Mine"


# -- move, several at once -------------------------------------------------------------------------------------------


def test_entries_are_moved_and_the_order_is_given_back(mine, three, at, titles, upload):
    answer = mine.post(at(part="entries/move/"), {"entries": [pk("Film 3"), pk("Film 1")], "place": 1})
    assert (answer.status_code, answer.json()) == (200, {"version": 2})
    assert titles(three) == ["Film 3", "Film 1", "Film 2"]
    assert mine.get(at()).json()["order_mode"] == "hand"
    upload(three, [film(n) for n in range(1, 4)])
    assert titles(three) == ["Film 3", "Film 1", "Film 2"]

    answer = mine.put(at(part="order/"), {"mode": "source"})
    assert answer.json() == {"version": 3, "order_mode": "source", "order_field": ""}
    assert titles(three) == ["Film 1", "Film 2", "Film 3"]
    answer = mine.put(at(part="order/"), {"mode": "field", "field": "year"})
    assert (answer.json()["order_mode"], answer.json()["order_field"]) == ("field", "year")


@pytest.mark.parametrize(
    "body", [{}, {"mode": "field"}, {"mode": "hand", "field": "year"}, {"mode": "field", "field": "order"}]
)
def test_an_order_that_makes_no_sense_is_refused(mine, at, body):
    assert code(mine.put(at(part="order/"), body)) == (400, "invalid")


def test_several_at_once_make_one_version(mine, three, at, titles):
    edits = [{"entry": pk(f"Film {n}"), "values": {"genres": ["Noir"]}} for n in (1, 2)]
    assert mine.post(at(part="entries/bulk/"), {"edit": edits}).json() == {"version": 2}
    assert [entry.genres for entry in Entry.objects.order_by("rank")] == [["Noir"], ["Noir"], []]
    both = [pk("Film 1"), pk("Film 2")]
    given = [{"entry": entry, "fields": ["genres"]} for entry in both]
    assert mine.post(at(part="entries/bulk/"), {"give_back": given}).json() == {"version": 3}
    assert mine.post(at(part="entries/bulk/"), {"remove": both}).json() == {"version": 4}
    assert titles(three) == ["Film 3"]
    assert mine.post(at(part="entries/bulk/"), {"restore": both}).json() == {"version": 5}
    assert titles(three) == ["Film 1", "Film 2", "Film 3"]
    counts = Version.objects.order_by("number").values_list("added", "removed", "changed")
    assert list(counts) == [(3, 0, 0), (0, 0, 2), (0, 0, 2), (0, 2, 0), (2, 0, 0)]


def test_all_of_several_or_none(mine, three, at, titles):
    elsewhere = 10**9
    for body in (
        {"remove": [pk("Film 1"), elsewhere]},
        {"edit": [{"entry": pk("Film 1"), "values": {"year": 1950}}, {"entry": elsewhere, "values": {"year": 1950}}]},
    ):
        assert code(mine.post(at(part="entries/bulk/"), body)) == (404, "not_there")
    assert titles(three) == ["Film 1", "Film 2", "Film 3"]
    assert three.versions.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {}, {"remove": []}, {"remove": [1], "restore": [2]}, {"remove": [1, 1]}, {"remove": list(range(1, 1002))},
        {"edit": [{"entry": 1}]}, {"edit": [{"entry": 1, "values": {"colour": "red"}}]}, {"edit": {"1": {}}},
    ],
)  # fmt: skip
def test_a_bulk_that_makes_no_sense_changes_nothing(mine, three, at, body):
    assert code(mine.post(at(part="entries/bulk/"), body)) == (400, "invalid")
    assert three.versions.count() == 1


# -- what stays of it ------------------------------------------------------------------------------------------------


@pytest.mark.covers("AUD-01")
def test_every_act_by_hand_leaves_a_row_with_who_before_and_after(mine, three, at):
    first = Audit.objects.latest("id").pk
    mine.patch(at("Film 1"), {"values": {"year": 1950}})
    entry = at("Film 2")
    mine.delete(entry)
    mine.post(f"{entry}restore/")
    mine.post(at(part="entries/"), {"values": {"title": "New"}})
    mine.post(at(part="entries/move/"), {"entries": [pk("Film 3")], "place": 1})
    mine.post(at("Film 1", "give-back/"), {"fields": ["year"]})
    rows = Audit.objects.filter(pk__gt=first).order_by("id")
    assert [(row.actor_name, row.list_ref, row.version_number) for row in rows] == [
        ("ines", three.pk, number) for number in range(2, 8)
    ]
    assert (rows[0].before, rows[0].after) == ({"year": 1991}, {"year": 1950})


def test_an_entry_is_changed_in_no_list_that_lies_in_the_bin(mine, three, at, monkeypatch):
    """It was binned between the question who may change it and the change itself."""
    edit, address = services.edit_entries, at("Film 1")

    def bin_first(list_, *args, **kwargs):
        services.bin_list(list_, by=three.owner)
        return edit(list_, *args, **kwargs)

    monkeypatch.setattr(services, "edit_entries", bin_first)
    assert code(mine.patch(address, {"values": {"year": 1950}})) == (409, "in_the_bin")


@pytest.mark.covers("OPS-12")
def test_an_entry_takes_as_many_queries_with_many_edits_as_with_one(mine, three, at, django_assert_max_num_queries):
    mine.patch(
        at("Film 1"), {"values": {"overview": "x", "rating": 5, "genres": ["Noir"], "language": "de", "votes": 7}}
    )
    with django_assert_max_num_queries(14):
        assert len(mine.get(at("Film 1")).json()["edits"]) == 5


def test_states_are_paged_like_the_list_itself(mine, films, upload):
    upload(films, [film(n) for n in range(1, 8)])
    removed = list(Entry.objects.order_by("rank").values_list("id", flat=True))[1:6]
    services.remove_entries(films, removed, by=films.owner)
    seen, after = [], ""
    while after is not None:
        answer = mine.get(f"/api/v1/lists/{films.pk}/entries/", {"state": "removed", "limit": 2, "after": after}).json()
        seen += [row["id"] for row in answer["results"]]
        after = answer["next"]
    assert seen == removed
