"""Who an entry is, on pages: a wrong match put right, doubles made one, and parted again."""

import re

import pytest
from django.urls import reverse

from lists import services
from lists.models import Conflict, Decision, Entry, Item


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def entry(title: str, **more) -> Entry:
    return Entry.objects.get(title=title, **more)


@pytest.fixture
def post(client, page):
    """Post a form of the match page of an entry; the page that follows."""

    def post(name: str, found: Entry, **sent) -> str:
        address = reverse(f"lists:{name}", args=[found.list_id, found.pk])
        return client.post(address, sent, follow=True).content.decode()

    return post


def claims_of(html: str) -> list[str]:
    return re.findall(r'name="claims" value="(\d+)"', html)


def offered(html: str) -> list[str]:
    """What can be chosen as the right thing, by name."""
    form = html[html.index('id="pk"') :]
    form = form[: form.index("</form>")]
    return re.findall(r'name="item" value="[^"]+"[^>]*><span>\s*<span class="choice-title">(?:<bdi>)?([^<]+)', form)


@pytest.fixture
def twins(films, upload):
    """Two films of one name and year, and a row of a second file that may be either."""
    rows = [
        {"key": f"tt{n}", "ids": {"imdb": f"tt{n}"}, "title": "Twins", "year": 1988, "note": f"{n}"} for n in (1, 2)
    ]
    upload(films, rows)
    letter = [{"key": "letter", "title": "Twins", "year": 1988, "overview": "Two brothers."}]
    upload(films, letter, source=None, name="letter.json")
    return Entry.objects.get(claims__key="letter"), letter


def test_a_person_says_which_of_two_films_it_is_and_it_stays_so(films, page, post, twins, upload, titles):
    found, letter = twins
    html = page("lists:match", films.pk, found.pk)
    assert offered(html) == ["Twins", "Twins", "A thing of its own"]
    assert "IMDb tt1" in html
    second = Entry.objects.get(claims__key="tt2")
    done = post("pick", found, claims=claims_of(html), item=second.item_id)
    assert "It is “Twins (1988)” from now on, whatever its sources send." in done
    assert titles(films) == ["Twins", "Twins"]
    second.refresh_from_db()
    assert second.overview == "Two brothers."
    assert not Conflict.objects.filter(state="open").exists()
    upload(films, letter, source=films.sources.get(name="letter.json"))
    assert titles(films) == ["Twins", "Twins"]
    assert Entry.objects.get(claims__key="letter") == second


def test_a_thing_may_be_none_of_those_that_it_could_be(films, page, post, twins, titles):
    found, _ = twins
    post("pick", found, claims=claims_of(page("lists:match", films.pk, found.pk)), item="own")
    found.refresh_from_db()
    assert found.item is not None
    assert Item.objects.filter(title="Twins").count() == 3
    assert titles(films) == ["Twins"] * 3
    assert not Conflict.objects.filter(state="open").exists()


def test_a_wrong_match_is_put_right_by_search(films, page, post, upload, titles):
    upload(films, [film(1, title="Solaris", year=1972), film(2)])
    upload(
        films, [{"key": "x", "title": "Solaris", "year": 1972, "overview": "A later one."}], source=None, name="b.json"
    )
    found = entry("Solaris")
    assert found.claims.count() == 2
    other = Item.objects.create(kind="movie", title="Solaris", name="solaris", year=2002)
    other.ids.create(namespace="imdb", value="tt0307479")
    html = page("lists:match", films.pk, found.pk, q="solar")
    assert offered(html) == ["Solaris", "A thing of its own"]
    wrong = found.claims.get(key="x")
    post("pick", found, claims=wrong.pk, item=other.pk)
    assert Entry.objects.get(claims__key="x").item == other
    assert Decision.objects.get().decided_by == films.owner
    newer = [{"key": "x", "title": "Solaris", "year": 1972, "overview": "Newer."}]
    upload(films, newer, source=films.sources.get(name="b.json"))
    assert Entry.objects.get(claims__key="x").item == other
    assert len(titles(films)) == 3


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"item": "own"}, "Choose at least one of the records"),
        ({"claims": "all"}, "Choose what it is. Nothing was changed."),
        ({"claims": "all", "item": "4711"}, "Choose what it is. Nothing was changed."),
    ],
)
def test_half_a_correction_changes_nothing(films, page, post, upload, sent, problem):
    upload(films, [film(1)])
    found = entry("Film 1")
    if "claims" in sent:
        sent = sent | {"claims": claims_of(page("lists:match", films.pk, found.pk))}
    assert problem in post("pick", found, **sent)
    assert not Decision.objects.exists()


def test_what_stands_in_a_file_of_somebody_else_is_not_told_by_its_number(films, jonas, page, post, upload):
    upload(films, [film(1)])
    theirs = services.create_list(jonas, name="Theirs")
    upload(theirs, [{"key": "x", "title": "Our wedding", "year": 2019}], by=jonas)
    found, private = entry("Film 1"), entry("Our wedding")
    assert "Our wedding" not in page("lists:match", films.pk, found.pk, q="wedding")
    claims = claims_of(page("lists:match", films.pk, found.pk))
    for name in ("pick", "merge"):
        html = post(name, found, claims=claims, item=private.item_id)
        assert "Nothing was changed." in html
        assert "Our wedding" not in html
    assert not Decision.objects.exists()


def test_records_of_another_entry_are_not_picked_along(films, page, post, upload):
    upload(films, [film(1), film(2)])
    foreign = claims_of(page("lists:match", films.pk, entry("Film 2").pk))
    assert "Choose at least one of the records" in post("pick", entry("Film 1"), claims=foreign, item="own")
    assert not Decision.objects.exists()


@pytest.mark.covers("CONF-13")
def test_two_doubles_are_made_one_and_parted_again(films, page, post, upload, titles):
    upload(films, [film(1, title="Heat"), film(2, title="Heat, uncut", overview="Longer."), film(3)])
    found, other = entry("Heat"), entry("Heat, uncut")
    html = page("lists:match", films.pk, other.pk, q="tt0000001")
    assert "They are the same" in html
    done = post("merge", other, item=found.item_id)
    assert "are the same from now on" in done
    assert titles(films) == ["Heat", "Film 3"]
    assert entry("Heat").overview == "Longer."
    left = page("lists:entry", films.pk, other.pk)
    assert f'It is the same as <a href="{reverse("lists:entry", args=[films.pk, found.pk])}">' in left
    assert "Put it back" not in left
    shown = page("lists:entry", films.pk, found.pk)
    assert "tt0000002" in shown
    html = page("lists:match", films.pk, found.pk)
    assert "counts as the same" in html
    post("split", found, item=other.item_id)
    assert titles(films) == ["Heat", "Heat, uncut", "Film 3"]
    assert entry("Heat").overview == ""


def test_an_edit_of_either_double_shows_where_both_are_shown_and_can_be_given_back(client, films, page, post, upload):
    upload(films, [film(1, title="Heat"), film(2, title="Heat, uncut", year=1995)])
    found, other = entry("Heat"), entry("Heat, uncut")
    services.edit_entries(films, {other.pk: {"note": "the long one"}}, by=films.owner)
    post("merge", other, item=found.item_id)
    html = page("lists:entry", films.pk, found.pk)
    assert "the long one" in html
    assert 'name="field" value="note"' in html
    client.post(reverse("lists:give_back", args=[films.pk, found.pk]), {"field": "note"})
    assert "the long one" not in page("lists:entry", films.pk, found.pk).split('id="hi"')[0]


def test_what_stands_on_lists_of_others_is_merged_and_parted_by_staff(client, films, jonas, page, post, upload, staff):
    upload(films, [film(1), film(2)])
    theirs = services.create_list(jonas, name="Theirs")
    upload(theirs, [film(1)], by=jonas)
    found, other = entry("Film 1", list=films), entry("Film 2")
    html = page("lists:match", films.pk, found.pk, q="Film 2")
    assert "staff decide whether two things are the same" in html
    assert "They are the same" not in html
    merge = reverse("lists:merge", args=[films.pk, found.pk])
    assert client.post(merge, {"item": other.item_id}).status_code == 403
    assert not Item.objects.filter(merged_into__isnull=False).exists()
    client.force_login(staff)
    client.post(merge, {"item": other.item_id})
    assert Item.objects.get(pk=found.item_id).merged_into == other.item
    client.force_login(films.owner)
    html = client.get(reverse("lists:match", args=[films.pk, other.pk])).content.decode()
    assert "counts as the same" in html
    assert "Part them" not in html
    split = reverse("lists:split", args=[films.pk, other.pk])
    assert client.post(split, {"item": found.item_id}).status_code == 403


def test_what_was_never_merged_is_not_parted(client, films, page, upload):
    upload(films, [film(1), film(2)])
    found, other = entry("Film 1"), entry("Film 2")
    split = reverse("lists:split", args=[films.pk, found.pk])
    assert client.post(split, {"item": other.item_id}).status_code == 404
    assert client.post(split, {"item": "own"}).status_code == 404


@pytest.mark.parametrize("name", ["match", "pick", "merge", "split"])
def test_a_viewer_corrects_no_match_and_a_stranger_finds_none(client, films, jonas, upload, name):
    upload(films, [film(1)])
    found = entry("Film 1")
    address = reverse(f"lists:{name}", args=[films.pk, found.pk])
    ask = client.get if name == "match" else client.post
    client.force_login(jonas)
    assert ask(address).status_code == 404
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    assert ask(address).status_code == 403
