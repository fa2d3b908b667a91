"""Unsure changes on the pages, by the API and in the admin."""

import re

import pytest
from django.urls import reverse

from lists import services
from lists.models import Conflict, Entry, Proposal, Version
from tests.lists import unsure as shared
from tests.lists.test_api import api
from tests.lists.test_page_building import Checked, queries
from tests.lists.unsure import play, plays, shown, waiting

night, radio = shared.night, shared.radio
TWELVE = [f"Track {n}" for n in range(1, 13)]
PAGE = "/review/changes/"


@pytest.fixture
def held(radio):
    radio.sync([play(1, title="Trick 1"), *plays(*range(2, 13)), *plays(*range(20, 27))])
    return radio


def one(title: str) -> Conflict:
    return next(row for row in waiting() if (row.options[0]["value"] or {}).get("title") == title)


# -- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("TL-15", "TL-16")
def test_the_page_shows_what_would_change_and_why_we_ask(client, page, night, held):
    html = page("lists:review_changes")
    assert "7 would come. 1 would be told otherwise." in html
    assert "We are 70 % sure of that, and this list takes changes from 90 % on. Nothing was changed." in html
    assert re.search(r"<del>(<bdi>)?Track 1(</bdi>)?</del> <ins>(<bdi>)?Trick 1", html)
    assert "Another name stands there now." in html
    assert "If nobody decides by" in html
    assert "Something new · Low severity · 90 % sure" in html
    assert html.count('name="pick"') >= 8
    assert "8 changes of" in page("lists:review")
    assert "8 changes wait." in page("lists:items", night.pk)
    only = page("lists:review_changes", severity="medium", kind="modified", list=night.pk)
    assert "Trick 1" in only
    assert "Track 22" not in only


def post(client, **form) -> str:
    return client.post(PAGE, form, follow=True).content.decode()


@pytest.mark.covers("TL-14", "TL-16")
def test_changes_are_taken_left_or_merged_on_the_page(client, page, night, held):
    page("lists:review_changes")
    assert "1 change is taken." in post(client, act="take", pick=one("Track 22").pk)
    assert shown(night) == [*TWELVE, "Track 22"]
    assert "2 changes are left as they were." in post(client, act="keep", pick=[one("Track 20").pk, one("Track 21").pk])
    said = post(client, act="recommended", pick=[row.pk for row in waiting()])
    assert "5 changes are decided as recommended." in said
    assert shown(night) == [*TWELVE, "Track 22", *(f"Track {n}" for n in (23, 24, 25, 26))] or set(shown(night)) == {
        *TWELVE, "Track 22", "Track 23", "Track 24", "Track 25", "Track 26",
    }  # fmt: skip
    assert "No changes wait" in page("lists:review_changes")
    decided = page("lists:review_changes", state="decided")
    assert "take by ines" in decided
    assert "keep by ines" in decided


@pytest.mark.covers("TL-16")
def test_all_of_it_is_taken_or_left_with_one_button(client, page, night, held):
    page("lists:review_changes")
    assert "8 changes are left as they were." in post(client, act="all-keep", source=held.pk)
    assert shown(night) == TWELVE
    assert Proposal.objects.get().state == Proposal.State.KEPT


@pytest.mark.covers("TL-18")
def test_what_does_not_clash_is_taken_with_one_button(client, page, night, held):
    page("lists:review_changes")
    post(client, act="all-merge", source=held.pk)
    assert shown(night) == [*TWELVE, *(f"Track {n}" for n in range(20, 27))]


@pytest.mark.covers("TL-14")
def test_a_change_is_taken_in_typed_words(client, page, night, held):
    page("lists:review_changes")
    post(client, act="type", pick=one("Trick 1").pk, typed_title="Mine")
    assert shown(night)[0] == "Mine"
    too_long = client.post(PAGE, {"act": "type", "pick": one("Track 20").pk, "typed_title": "x" * 501})
    assert too_long.status_code == 400
    assert "takes 500 characters" in too_long.content.decode()


def test_changes_are_put_aside_until_the_source_says_otherwise(client, page, night, held):
    page("lists:review_changes")
    assert "1 change is put aside." in post(client, act="skip", pick=one("Track 20").pk)
    assert "Track 20" not in page("lists:review_changes")
    assert "Track 20" in page("lists:review_changes", state="skipped")
    rows = [play(1, title="Trick 1"), *plays(*range(2, 13)), *plays(*range(20, 27))]
    held.sync(rows)
    assert Conflict.objects.get(state="skipped").options[0]["value"]["title"] == "Track 20"


def test_nothing_chosen_and_foreign_changes_are_refused(client, page, jonas, night, held):
    page("lists:review_changes")
    assert "Choose at least one first. Nothing was decided." in post(client, act="take")
    row = one("Track 20").pk
    client.force_login(jonas)
    assert client.post(PAGE, {"act": "take", "pick": row}).status_code == 404
    assert client.get(PAGE, {"list": night.pk}).status_code == 404
    services.share_list(night, user=jonas, role="viewer", by=night.owner)
    assert client.post(PAGE, {"act": "take", "pick": row}).status_code == 403
    html = client.get(PAGE).content.decode()
    assert "Track 20" in html
    assert "Take all of it" not in html
    assert shown(night) == TWELVE


# -- API -------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("TL-13", "TL-15", "TL-16")
def test_the_api_lists_filters_and_decides_changes(ines, night, held):
    mine = api(ines)
    (whole,) = mine.get("/api/v1/unsure/?state=open").json()["results"]
    assert (whole["confidence"], whole["threshold"], whole["added"], whole["changed"]) == (0.7, 0.9, 7, 1)
    shown_one = mine.get(f"/api/v1/unsure/{whole['id']}/").json()
    assert len(shown_one["conflicts"]) == 8
    (row,) = mine.get(f"/api/v1/conflicts/?kind=modified&severity=medium&list={night.pk}").json()["results"]
    assert (row["before"], row["options"][0]["value"], row["source_name"], row["title"]) == (
        {"title": "Track 1"}, {"title": "Trick 1"}, "radio", "Track 1",
    )  # fmt: skip
    assert (row["severity"], row["confidence"], row["recommendation"]["choice"]) == ("medium", 0.3, "keep")
    assert row["options"][0]["at"] > 0
    answer = mine.post("/api/v1/conflicts/decide/", {"ids": [row["id"]], "choice": "type", "value": {"title": "Mine"}})
    assert answer.status_code == 200, answer.content
    assert shown(night)[0] == "Mine"
    again = mine.get(f"/api/v1/conflicts/{row['id']}/").json()
    assert (again["state"], again["choice"], again["after"]) == ("decided", "type", {"title": "Mine"})
    rest = [each["id"] for each in mine.get("/api/v1/conflicts/?kind=added&state=open").json()["results"]]
    assert len(rest) == 7
    assert mine.post("/api/v1/conflicts/decide/", {"ids": rest, "choice": "newest"}).status_code == 200
    assert len(shown(night)) == 19


@pytest.mark.covers("TL-08")
def test_the_api_takes_or_keeps_the_whole(ines, jonas, night, held):
    mine = api(ines)
    (whole,) = mine.get("/api/v1/unsure/").json()["results"]
    assert api(jonas).post(f"/api/v1/unsure/{whole['id']}/take/").status_code == 404
    answer = mine.post(f"/api/v1/unsure/{whole['id']}/take/")
    assert (answer.status_code, answer.json()["state"]) == (200, "confirmed")
    assert shown(night) == ["Trick 1", *TWELVE[1:], *(f"Track {n}" for n in range(20, 27))]
    assert Version.objects.latest("id").kind == Version.Kind.DECISION
    assert mine.post(f"/api/v1/unsure/{whole['id']}/keep/").status_code == 409


@pytest.mark.parametrize("value", [None, {}, "x", {"colour": 1}, {"year": "x"}])
def test_typed_words_of_a_change_that_make_no_sense_are_refused(ines, night, held, value):
    answer = api(ines).post("/api/v1/conflicts/decide/", {"ids": [one("Trick 1").pk], "choice": "type", "value": value})
    assert answer.status_code == 400
    assert shown(night) == TWELVE


# -- admin -----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("TL-14", "TL-16", "TL-18")
def test_staff_decide_changes_in_the_admin(client, staff, night, held):
    client.force_login(staff)
    address = reverse("admin:lists_conflict_changelist")
    html = client.get(address, {"severity": "medium"}).content.decode()
    assert len(re.findall('name="_selected_action"', html)) == 1
    form = {"_selected_action": [one("Track 20").pk, one("Trick 1").pk]}
    client.post(address, {**form, "action": "take"})
    assert shown(night) == [*TWELVE, "Track 20"], "one is recommended, the other recommended against"
    client.post(address, {"_selected_action": [row.pk for row in waiting()], "action": "merge"})
    assert len(shown(night)) == 19
    assert Entry.objects.get(list=night, title="Track 1")


@pytest.mark.parametrize("state", ["open", "skipped", "decided"])
def test_the_pages_of_changes_are_built_like_all_others(client, page, night, held, state):
    page("lists:review_changes")
    post(client, act="skip", pick=one("Track 20").pk)
    post(client, act="keep", pick=one("Track 21").pk)
    html = page("lists:review_changes", state=state)
    checked = Checked()
    checked.feed(html)
    assert checked.wrong == []
    assert len(checked.ids) == len(set(checked.ids))


def test_a_page_of_many_changes_asks_no_more_than_one_of_few(client, page, night, radio):
    radio.sync([*plays(*range(1, 13)), *plays(*range(20, 27))])
    page("lists:review_changes")
    few = queries(client, PAGE)
    radio.sync([*plays(*range(1, 13)), *plays(*range(20, 80))])
    assert queries(client, PAGE) <= few
    assert few <= 20
