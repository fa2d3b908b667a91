"""Questions and held changes by the API."""

import pytest
from django.utils import timezone

from lists import services
from lists.models import Audit, Conflict, Entry, Item, Proposal
from tests.lists.test_api import api, film
from tests.lists.test_api_hand import code


@pytest.fixture
def mine(ines):
    return api(ines)


def waiting(client, **query):
    answer = client.get("/api/v1/conflicts/", {"state": "open", **query})
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def decide(client, *conflicts, **body):
    return client.post("/api/v1/conflicts/decide/", {"ids": [conflict["id"] for conflict in conflicts], **body})


def values(title="", **fields):
    return Entry.objects.get(**fields).values if fields else Entry.objects.get(title=title).values


# -- questions about fields ------------------------------------------------------------------------------------------


@pytest.fixture
def edited(films, upload, ines):
    """Film 1 was renamed by hand, and its source then called it something else again."""
    upload(films, [film(1, genres=["Drama"]), film(2)])
    entry = Entry.objects.get(title="Film 1")
    services.edit_entries(films, {entry.pk: {"title": "By hand"}}, by=ines)
    upload(films, [film(1, title="Of the source", genres=["Drama"]), film(2)])
    return entry


@pytest.fixture
def asking(films, upload, ines):
    """A list that asks, and two sources that differ about the year and genres of both films."""
    services.change_rules(films, by=ines, strategy="ask")
    upload(films, [film(1, genres=["Drama"]), film(2, genres=["Drama"])], name="first.json")
    upload(
        films,
        [film(1, year=1950, genres=["Crime"]), film(2, year=1950, genres=["Crime"])],
        source=None,
        name="second.json",
    )
    return films


@pytest.mark.covers("SAFE-04")
def test_a_source_that_contradicts_an_edit_puts_a_question_and_the_edit_stays(mine, films, edited):
    (question,) = waiting(mine)
    assert values(pk=edited.pk)["title"] == "By hand"
    assert (question["list"], question["list_name"], question["entry"]) == (films.pk, "Films to watch", edited.pk)
    assert (question["kind"], question["field"], question["before"]) == ("field", "title", "By hand")
    (option,) = question["options"]
    assert (option["source"], option["source_name"], option["value"]) == (
        films.sources.get().pk,
        "rows.json",
        "Of the source",
    )
    assert abs(option["at"] - timezone.now().timestamp()) < 60
    assert question["recommendation"]["choice"] == "keep"
    assert question["recommendation"]["why"]
    assert mine.get(f"/api/v1/conflicts/{question['id']}/").json() == question
    shown = mine.get(f"/api/v1/lists/{films.pk}/entries/{edited.pk}/").json()
    assert shown["conflicts"] == [question]


@pytest.mark.parametrize(
    ("body", "title"),
    [({"choice": "keep"}, "By hand"), ({"choice": "take"}, "By hand"), ({"choice": "type", "value": "Third"}, "Third")],
)
def test_a_decision_is_kept_with_before_after_and_who(mine, films, edited, upload, body, title):
    (question,) = waiting(mine)
    answer = decide(mine, question, **body)
    assert answer.status_code == 200, answer.json()
    assert values(pk=edited.pk) == {"title": title, "year": 1991, "genres": ["Drama"]}  # that field only
    assert waiting(mine) == []
    (decided,) = mine.get("/api/v1/conflicts/", {"state": "decided"}).json()["results"]
    assert (decided["before"], decided["after"], decided["decided_by"]) == ("By hand", title, "ines")
    assert decided["decided_at"]
    upload(films, [film(1, title="Of the source", genres=["Drama"]), film(2)])
    assert waiting(mine) == []  # the same word puts the same question no more
    assert values(pk=edited.pk)["title"] == title
    assert Audit.objects.filter(action="decided", actor_name="ines").count() == 1


def test_the_word_of_a_source_is_taken(mine, films, edited):
    (question,) = waiting(mine)
    answer = decide(mine, question, choice="take", source=question["options"][0]["source"])
    assert answer.json() == {"versions": [{"list": films.pk, "version": 3}]}
    assert values(pk=edited.pk)["title"] == "Of the source"
    assert mine.get(f"/api/v1/lists/{films.pk}/versions/3/").json()["kind"] == "decision"


@pytest.mark.covers("CONF-12")
def test_many_are_decided_at_once_and_others_skipped(mine, asking, upload):
    questions = waiting(mine)
    assert sorted((row["title"], row["field"]) for row in questions) == [
        ("Film 1", "genres"), ("Film 1", "year"), ("Film 2", "genres"), ("Film 2", "year"),
    ]  # fmt: skip
    assert {option["source_name"] for row in questions for option in row["options"]} == {"first.json", "second.json"}
    years = [row for row in questions if row["field"] == "year"]
    genres = [row for row in questions if row["field"] == "genres"]
    second = asking.sources.get(name="second.json").pk
    assert len(decide(mine, *years, choice="take", source=second).json()["versions"]) == 1
    assert [values("Film 1")["year"], values("Film 2")["year"]] == [1950, 1950]

    assert decide(mine, genres[0], choice="merge").status_code == 200
    assert set(values(genres[0]["title"])["genres"]) == {"Drama", "Crime"}
    answer = mine.post("/api/v1/conflicts/skip/", {"ids": [genres[1]["id"]]})
    assert answer.json() == {"skipped": 1}
    assert waiting(mine) == []
    assert [row["id"] for row in waiting(mine, state="skipped")] == [genres[1]["id"]]
    assert values(genres[1]["title"])["genres"] == ["Drama"]


def test_ask_and_keep_does_not_ask_again(mine, asking, upload):
    assert decide(mine, *waiting(mine), choice="keep").status_code == 200
    upload(asking, [film(1, genres=["Drama"]), film(2, genres=["Drama"])], source=asking.sources.get(name="first.json"))
    assert waiting(mine) == []
    assert values("Film 1")["year"] == 1991


def test_questions_are_filtered_and_paged(mine, asking, ines):
    assert len(waiting(mine, list=asking.pk, kind="field")) == 4
    assert waiting(mine, kind="ids") == []
    assert waiting(mine, list=asking.pk + 1) == []
    seen, after = [], ""
    while after is not None:
        answer = mine.get("/api/v1/conflicts/", {"limit": 3, "after": after}).json()
        seen += [row["id"] for row in answer["results"]]
        after = answer["next"]
    assert seen == list(Conflict.objects.order_by("-id").values_list("id", flat=True))


@pytest.mark.parametrize(
    "body",
    [
        {}, {"choice": "maybe"}, {"choice": "type"}, {"choice": "keep", "value": "x"}, {"choice": "keep", "source": 1},
        {"choice": "keep", "item": None}, {"choice": "type", "value": "soon"}, {"choice": "type", "value": []},
        {"choice": "type", "value": 12}, {"item": None}, {"choice": "keep", "ids": []},
    ],
)  # fmt: skip
def test_an_answer_that_does_not_fit_decides_nothing(mine, asking, body):
    (question,) = [row for row in waiting(mine) if (row["title"], row["field"]) == ("Film 1", "year")]
    assert code(decide(mine, question, **body)) == (400, "invalid")
    assert len(waiting(mine)) == 4


def test_a_question_of_others_is_neither_seen_nor_decided(mine, asking, jonas):
    questions = waiting(mine)
    assert waiting(api(jonas)) == []
    assert api(jonas).get(f"/api/v1/conflicts/{questions[0]['id']}/").status_code == 404
    assert decide(api(jonas), *questions, choice="keep").status_code == 404
    assert api(jonas).post("/api/v1/conflicts/skip/", {"ids": [questions[0]["id"]]}).status_code == 404
    # One's own with another's: none of them.
    services.share_list(asking, user=jonas, role="viewer", by=asking.owner)
    assert decide(api(jonas), *questions, choice="keep").status_code == 403
    assert len(waiting(mine)) == 4


def test_what_is_decided_is_not_decided_again(mine, edited):
    (question,) = waiting(mine)
    decide(mine, question, choice="keep")
    assert code(decide(mine, question, choice="take")) == (409, "not_waiting")
    assert code(mine.post("/api/v1/conflicts/skip/", {"ids": [question["id"]]})) == (409, "not_waiting")


def test_a_source_that_is_not_in_question_is_not_taken(mine, asking):
    assert code(decide(mine, waiting(mine)[0], choice="take", source=10**9)) == (404, "not_there")
    assert len(waiting(mine)) == 4


# -- questions of who it is ------------------------------------------------------------------------------------------


@pytest.fixture
def ambiguous(films, upload):
    """Two films of one name and year, told apart by their ids, and a third row that has none."""
    twins = [film(1, title="Twins", year=1988), film(2, title="Twins", year=1988)]
    upload(films, twins)
    upload(films, [{"key": "twins", "title": "Twins", "year": 1988}], source=None)
    return films


@pytest.mark.covers("WISH-02")
def test_which_of_two_it_is_is_asked_and_stays_decided(mine, ambiguous, upload):
    (question,) = waiting(mine, kind="match")
    assert [option["title"] for option in question["options"]] == ["Twins (1988)", "Twins (1988)"]
    assert mine.get(f"/api/v1/lists/{ambiguous.pk}/").json()["item_count"] == 3
    second = question["options"][1]["item"]
    answer = decide(mine, question, item=second)
    assert answer.status_code == 200, answer.json()
    assert waiting(mine, kind="match") == []
    assert mine.get(f"/api/v1/lists/{ambiguous.pk}/").json()["item_count"] == 2
    source = ambiguous.sources.order_by("-id").filter(role="feed").first()
    upload(ambiguous, [{"key": "twins", "title": "Twins", "year": 1988, "rating": 5.0}], source=source)
    assert waiting(mine, kind="match") == []
    assert Entry.objects.get(item=second, list=ambiguous).rating == 5.0


def test_what_a_question_offers_may_be_picked_whoever_it_is(mine, ambiguous):
    (question,) = waiting(mine, kind="match")
    offered = question["options"][0]["item"]
    Item.objects.get(pk=offered).ids.all().delete()
    Entry.objects.filter(item=offered).update(item=None)  # neither a public id nor a list of hers names it now
    address = f"/api/v1/lists/{ambiguous.pk}/entries/{question['entry']}/match/"
    assert mine.get(f"/api/v1/items/{offered}/").status_code == 404
    assert mine.post(address, {"item": offered}).status_code == 200
    assert waiting(mine, kind="match") == []


def test_it_may_be_a_thing_of_its_own(mine, ambiguous):
    (question,) = waiting(mine, kind="match")
    assert decide(mine, question, item=None).status_code == 200
    assert mine.get(f"/api/v1/lists/{ambiguous.pk}/").json()["item_count"] == 3
    assert Entry.objects.filter(item=None).count() == 0


def test_who_it_is_takes_an_item_and_no_choice(mine, ambiguous):
    (question,) = waiting(mine, kind="match")
    assert code(decide(mine, question, choice="keep")) == (400, "invalid")
    assert code(decide(mine, question, item=10**9)) == (404, "not_there")
    assert code(decide(mine, question, question, item=None)) == (400, "invalid")
    assert len(waiting(mine, kind="match")) == 1


def test_a_list_of_questions_takes_as_many_queries_for_100_as_for_one(
    mine, films, upload, django_assert_max_num_queries
):
    upload(films, [film(n) for n in range(1, 101)])
    source = films.sources.get()
    Conflict.objects.bulk_create([
        Conflict(list=films, entry=entry, kind="field", field="year", options=[{"source": source.pk, "value": 1, "at": 1}])
        for entry in Entry.objects.all()
    ])  # fmt: skip
    with django_assert_max_num_queries(5):
        assert len(waiting(mine, limit=1000)) == 100


# -- held changes ----------------------------------------------------------------------------------------------------


@pytest.fixture
def held(mine, films, live):
    """A source of ten films sent four; the proposal as the API shows it."""
    source = live(films)
    source.sync([film(n) for n in range(1, 11)])
    run = source.sync([film(n) for n in range(1, 5)])
    assert run.held == 6
    (shown,) = mine.get("/api/v1/held/", {"state": "open"}).json()["results"]
    return {**shown, "run": run}


@pytest.mark.covers("SAFE-02")
def test_what_is_held_is_shown_in_full_and_nothing_has_left(mine, films, held, titles):
    assert (held["list"], held["list_name"], held["source_name"]) == (films.pk, "Films to watch", "live")
    assert (held["count"], held["supported"], held["left"]) == (6, 10, None)
    assert len(titles(films)) == 10
    address = f"/api/v1/held/{held['id']}/"
    seen, after = [], ""
    while after is not None:
        answer = mine.get(address, {"limit": 4, "after": after})
        seen += [row["values"]["title"] for row in answer.json()["entries"]["results"]]
        after = answer.json()["entries"]["next"]
    assert seen == [f"Film {n}" for n in range(5, 11)]
    assert answer.headers["ETag"] == '"1"'


@pytest.mark.covers("SAFE-02")
def test_a_held_change_is_applied(mine, films, held, titles):
    answer = mine.post(f"/api/v1/held/{held['id']}/apply/")
    assert answer.json() == {"version": 2, "state": "confirmed", "left": 6, "kept": 0, "stayed": 0}
    assert titles(films) == [f"Film {n}" for n in range(1, 5)]
    assert code(mine.post(f"/api/v1/held/{held['id']}/apply/")) == (409, "not_waiting")
    (shown,) = mine.get("/api/v1/held/", {"list": films.pk}).json()["results"]
    assert (shown["state"], shown["decided_by"], shown["left"]) == ("confirmed", "ines", 6)


@pytest.mark.covers("SAFE-02")
def test_a_held_change_is_applied_in_part_and_the_rest_is_kept(mine, films, held, titles):
    leaving = list(Entry.objects.filter(title__in=["Film 5", "Film 6"]).values_list("id", flat=True))
    answer = mine.post(f"/api/v1/held/{held['id']}/apply/", {"entries": leaving})
    assert (answer.json()["left"], answer.json()["kept"]) == (2, 4)
    assert titles(films) == ["Film 1", "Film 2", "Film 3", "Film 4", "Film 7", "Film 8", "Film 9", "Film 10"]


@pytest.mark.covers("SAFE-02")
def test_what_is_kept_is_not_asked_again(mine, films, held, titles):
    answer = mine.post(f"/api/v1/held/{held['id']}/keep/")
    assert (answer.status_code, answer.json()["state"], answer.json()["kept"]) == (200, "kept", 6)
    assert len(titles(films)) == 10
    assert Proposal.objects.filter(kind="held", state="open").count() == 0


def test_a_held_change_is_decided_by_nobody_else(mine, films, held, jonas, titles):
    theirs = api(jonas)
    assert theirs.get("/api/v1/held/").json()["results"] == []
    for act in ("apply", "keep"):
        assert theirs.post(f"/api/v1/held/{held['id']}/{act}/").status_code == 404
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    assert theirs.get(f"/api/v1/held/{held['id']}/").status_code == 200
    for act in ("apply", "keep"):
        assert theirs.post(f"/api/v1/held/{held['id']}/{act}/").status_code == 403
    assert len(titles(films)) == 10


def test_what_does_not_wait_to_leave_does_not_leave(mine, films, held, titles):
    staying = Entry.objects.get(title="Film 1").pk
    assert code(mine.post(f"/api/v1/held/{held['id']}/apply/", {"entries": [staying]})) == (404, "not_there")
    assert code(mine.post(f"/api/v1/held/{held['id']}/apply/", {"entries": []})) == (400, "invalid")
    late = mine.post(f"/api/v1/held/{held['id']}/apply/", headers={"If-Match": '"7"'})
    assert code(late) == (412, "too_late")
    assert len(titles(films)) == 10


def test_previews_of_files_are_no_held_changes(mine, films, upload):
    preview = upload(films, [film(1)], confirm=False)
    assert mine.get("/api/v1/held/").json()["results"] == []
    assert mine.get(f"/api/v1/held/{preview.pk}/").status_code == 404
    assert mine.post(f"/api/v1/held/{preview.pk}/apply/").status_code == 404


def test_held_changes_take_as_many_queries_for_many_as_for_one(mine, films, held, django_assert_max_num_queries):
    open_ = Proposal.objects.get(pk=held["id"])
    Proposal.objects.bulk_create([
        Proposal(kind="held", state="withdrawn", list=films, source=open_.source, result=open_.result) for _ in range(50)
    ])  # fmt: skip
    with django_assert_max_num_queries(3):
        assert len(mine.get("/api/v1/held/?limit=1000").json()["results"]) == 51
    with django_assert_max_num_queries(7):
        mine.get(f"/api/v1/held/{held['id']}/?limit=1000")
