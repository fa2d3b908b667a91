"""Filters as people and programs set them: page, API, admin."""

import pytest
from django.urls import reverse

from lists import integrity, services
from lists.models import Audit, Entry
from sync.management.commands.verify_integrity import ALL
from tests.lists.test_api import api, film
from tests.lists.test_api_hand import code

pytestmark = pytest.mark.covers("LIST-12")


@pytest.fixture
def four(films, live):
    """1931 with 5.0, 1960 with 6.0, 1990 without a rating, and one without a year."""
    rows = [
        film(1, year=1931, rating=5.0),
        film(2, year=1960, rating=6.0),
        film(3, year=1990),
        film(4, year=None, rating=9.0),
    ]
    live(films).sync(rows)
    return films


def post(client, list_, **typed) -> str:
    return client.post(reverse("lists:filters", args=[list_.pk]), typed, follow=True).content.decode()


class TestThePage:
    def test_shows_what_filters_would_do_and_saves_them(self, client, page, four, ines, titles):
        assert "What may come in. Nothing is filtered." in page("lists:rules", four.pk)
        said = post(client, four, year_from="1950", min_rating="6.5", genres=" ", look="1")
        assert "2 films would leave" in said
        assert "Filtered: year 1931 is before 1950." in said
        assert "In all they would keep out: 1 by year, 1 by rating. Nothing is saved yet." in said
        assert 'value="6.5"' in said
        four.refresh_from_db()
        assert (four.filters, len(titles(four))) == ({}, 4)
        said = post(client, four, year_from="1950", min_rating="6.5", max_new="100")
        assert "Saved. The list was looked at again: this is version 2." in said
        assert "2 films are filtered</a>: 1 by year, 1 by rating." in said
        four.refresh_from_db()
        assert four.filters == {"year_from": 1950, "min_rating": 6.5, "max_new": 100}
        assert titles(four) == ["Film 3", "Film 4"]
        assert "Years from 1950, rating from 6.5, at most 100 new at one sync." in page("lists:settings", four.pk)
        said = post(client, four, min_rating="5.5", look="1")
        assert "1 film would leave" not in said
        assert "1 film would come back" in said
        assert "Nothing was changed: it said so already." in post(
            client, four, year_from="1950", min_rating="6.5", max_new="100"
        )

    def test_says_how_many_are_filtered_and_lets_one_in(self, client, page, four, ines, titles):
        services.change_filters(four, by=ines, year_from=1970, keep_out_unknown=True)
        services.block(by=ines, scope="list", list_=four, pattern="film 3")
        html = page("lists:items", four.pk)
        assert "?state=excluded&amp;filtered=1" in html
        assert "3 filtered" in html
        assert "Nothing passes the filters" in html
        shown = page("lists:items", four.pk, state="excluded", filtered="1")
        assert "Film 3" not in shown
        assert "Filtered: year is not known." in shown
        assert "Film 3" in page("lists:items", four.pk, state="excluded")
        assert "1 film is kept out now." in page("lists:blocks", four.pk)
        entry = Entry.objects.get(title="Film 1")
        assert "Let it in" in page("lists:entry", four.pk, entry.pk)
        client.post(reverse("lists:restore_entries", args=[four.pk]), {"entries": entry.pk})
        assert titles(four) == ["Film 1"]
        assert "2 filtered" in page("lists:items", four.pk)

    def test_shows_what_is_kept_out_of_a_list_that_has_shown_nothing_yet(self, client, page, films, ines, live, titles):
        services.change_filters(films, by=ines, year_from=1950)
        run = live(films).sync([film(1, year=1931)])
        assert (run.version, run.details["filtered"]) == (None, {"year": 1})
        assert list(integrity.run(ALL)) == []
        assert "Nothing passes the filters" in page("lists:items", films.pk)
        shown = page("lists:items", films.pk, state="excluded", filtered="1")
        assert "Filtered: year 1931 is before 1950." in shown
        assert "1 film would come back" in post(client, films, look="1")
        assert "this is version 1" in post(client, films)
        assert titles(films) == ["Film 1"]
        assert list(integrity.run(ALL)) == []

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            ({"year_from": "long ago"}, "Type a whole number, or leave it empty."),
            ({"min_rating": "60"}, "Use a number from 0 to 10."),
            ({"year_from": "2000", "year_to": "1990"}, "Nothing could come: the upper bound is below the lower one."),
            ({"kinds": "book"}, "Select a valid choice."),
            ({"max_new": "-1"}, "Use a whole number from 1 to 100000."),
        ],
    )
    def test_saves_nothing_that_makes_no_sense(self, client, films, ines, typed, says):
        client.force_login(ines)
        assert says in post(client, films, **typed)
        films.refresh_from_db()
        assert films.filters == {}

    def test_tells_a_run_and_a_preview_apart_by_reason(self, client, page, films, ines, live, upload):
        services.change_filters(films, by=ines, year_from=1950, max_new=1)
        run = live(films).sync([film(1, year=1931), film(2), film(3)])
        html = page("sync:run", run.pk)
        assert "1 left out by blocks and filters: 1 by year" in html
        assert "1 new one waits for the next sync" in html
        proposal = upload(films, [film(8, year=1940), film(9)], confirm=False)
        html = page("sync:preview", proposal.pk)
        assert "1 left out by blocks and filters: 1 by year" in html
        assert "Filtered: year 1940 is before 1950." in html
        assert Audit.objects.filter(action="changed filters", object_id=str(films.pk)).count() == 1
        assert "From year" in page("lists:list_audit", films.pk)


class TestTheApi:
    def test_sets_previews_and_counts(self, four, ines, titles):
        mine, address = api(ines), f"/api/v1/lists/{four.pk}/filters/"
        assert set(mine.get(address).json()["filters"].values()) == {None}
        would = mine.post(f"{address}preview/", {"year_from": 1950}).json()
        (leaving,) = would.pop("leaving")
        assert would == {"leave": 1, "back": 0, "filtered": {"year": 1}, "coming": []}
        assert (leaving["title"], leaving["reason"]) == ("Film 1", "Filtered: year 1931 is before 1950.")
        assert len(titles(four)) == 4
        answer = mine.patch(address, {"year_from": 1950, "genres": ["Drama"]})
        assert (answer.status_code, answer.json()["version"], answer.headers["ETag"]) == (200, 2, '"2"')
        assert (answer.json()["filters"]["genres"], answer.json()["filtered"]) == (["Drama"], {"year": 1})
        rows = mine.get(f"/api/v1/lists/{four.pk}/entries/", {"filtered": "true"}).json()["results"]
        assert [(row["state"], row["reason"]) for row in rows] == [("excluded", "Filtered: year 1931 is before 1950.")]
        assert mine.patch(address, {"year_from": None}).json()["version"] == 3
        assert mine.get(address).json()["filtered"] == {}
        assert mine.patch(address, {"year_from": 1950}, headers={"If-Match": '"1"'}).status_code == 412

    @pytest.mark.parametrize(
        "body",
        [{"colour": 1}, {"min_rating": 11}, {"year_from": 2000, "year_to": 1990}, {"kinds": ["book"]}, {"genres": "x"}],
    )
    def test_refuses_what_makes_no_sense_and_names_the_field(self, films, ines, body):
        for send in (api(ines).patch, api(ines).post):
            address = f"/api/v1/lists/{films.pk}/filters/" + ("preview/" if send.__name__ == "post" else "")
            answer = send(address, body)
            assert code(answer) == (400, "invalid")
            assert set(answer.json()["error"]["fields"]) & set(body)


def test_the_admin_sets_filters_by_the_same_check(client, staff, four, titles):
    client.force_login(staff)
    address = reverse("admin:lists_medialist_change", args=[four.pk])
    form = {
        "name": four.name, "order_mode": "source", "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0,
    }  # fmt: skip
    refused = client.post(address, {**form, "filters": '{"min_rating": 60}'}).content.decode()
    assert "min_rating: Use a number from 0 to 10." in refused
    assert client.post(address, {**form, "filters": '{"year_from": 1950}'}).status_code == 302
    four.refresh_from_db()
    assert (four.filters, four.current.summary) == ({"year_from": 1950}, "Filters of the list")
    assert titles(four) == ["Film 2", "Film 3", "Film 4"]
