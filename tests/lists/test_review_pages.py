"""The review at a glance: what waits for a person, who sees it, who decides."""

import re

import pytest

from lists import services
from lists.models import Conflict, Entry, Proposal
from lists.views import review as review_pages
from tests.lists import reviewing
from tests.lists.reviewing import CONFLICTS, MATCHES, film, held_at, picks, seen
from tests.lists.test_page_building import Checked, queries

contradicted, hold, disagreeing = reviewing.contradicted, reviewing.hold, reviewing.disagreeing


def test_where_nothing_waits_the_page_says_what_would(page):
    html = page("lists:review")
    assert "No decisions wait" in html
    assert "No decisions wait" in page("lists:review_conflicts")
    assert "Nothing is put aside" in page("lists:review_conflicts", state="skipped")
    assert "Nothing was decided yet" in page("lists:review_conflicts", state="decided")
    assert "No decisions wait" in page("lists:review_conflicts", about="thing")


@pytest.mark.covers("SAFE-02")
def test_what_waits_stands_in_the_review_on_the_overview_and_on_the_list(page, films, hold, contradicted):
    contradicted(2)
    proposal = hold()
    review = page("lists:review")
    assert "3 decisions wait for you" in review
    assert review.index("5 films would leave") < review.index("2 questions about values")
    assert "Nothing was removed" in review
    for html in (page("lists:index"), review):
        assert held_at(proposal) in html
        assert f"{CONFLICTS}?list={films.pk}" in html
        assert '<span class="visually-hidden">3 decisions wait</span>' in html
    items = page("lists:items", films.pk)
    assert "5 films would leave this list.</b> Nothing was removed." in items
    assert "2 questions wait." in items
    assert "would leave" not in page("lists:index", q="films")


def test_removals_and_lists_go_on_on_the_next_page(client, page, ines, upload, monkeypatch):
    monkeypatch.setattr(review_pages, "HELD_SHOWN", 2)
    monkeypatch.setattr(review_pages, "LISTS_SHOWN", 2)
    for n in range(3):
        list_ = services.create_list(ines, name=f"List {n}")
        upload(list_, [film(1)])
        entry = Entry.objects.get(list=list_)
        Conflict.objects.create(list=list_, entry=entry, kind="field", field="year", options=[])
        Proposal.objects.create(
            kind="held", state="open", list=list_, source=list_.sources.get(), result={"entries": [1]}
        )
    first = page("lists:review")
    assert re.findall(r"about values in <a[^>]*><bdi>([^<]*)", first) == ["List 0", "List 1"]
    assert re.findall(r"would leave <a[^>]*><bdi>([^<]*)", first) == ["List 2", "List 1"]
    for param, more in [("removals", "List 0"), ("questions", "List 2")]:
        link = re.search(rf'href="(\?{param}=[^"]+)"', first)
        assert link
        assert more in client.get("/review/" + link[1]).content.decode()
    assert client.get("/review/?removals=nonsense&questions=%00").status_code == 200


def test_what_waits_on_lists_of_others_is_nobodys_business(client, jonas, films, hold, contradicted, ines):
    contradicted(1)
    proposal = hold()
    client.force_login(jonas)
    assert "No decisions wait" in client.get("/review/").content.decode()
    assert client.get(held_at(proposal)).status_code == 404
    assert client.post(held_at(proposal), {"decision": "all"}).status_code == 404
    assert client.get(CONFLICTS, {"list": films.pk}).status_code == 404
    conflict = Conflict.objects.get()
    assert client.post(CONFLICTS, {"act": "decide", "pick": f"{conflict.pk}.x"}).status_code == 404
    services.bin_list(films, by=ines)
    client.force_login(ines)
    assert "No decisions wait" in client.get("/review/").content.decode()


def test_a_viewer_looks_and_does_not_decide(client, jonas, films, hold, contradicted, ines):
    contradicted(1)
    proposal = hold()
    services.share_list(films, user=jonas, role="viewer", by=ines)
    client.force_login(jonas)
    shown = client.get(CONFLICTS).content.decode()
    assert "1950" in shown
    assert "Its owner and editors decide" in shown
    assert 'name="choice"' not in shown
    assert "No decisions wait for you" in shown
    for act in ("decide", "keep", "take", "skip"):
        refused = client.post(CONFLICTS, {"act": act, "pick": picks(shown)[0], "choice": "take-1"})
        assert refused.status_code == 403
        assert "Nothing was decided" in refused.content.decode()
    held = client.get(held_at(proposal)).content.decode()
    assert "Film 1" in held
    assert 'name="decision"' not in held
    for decision in ("keep", "all", "chosen"):
        assert client.post(held_at(proposal), {"decision": decision, "seen": seen(held)}).status_code == 403
    proposal.refresh_from_db()
    assert (proposal.state, Conflict.objects.get().state) == ("open", "open")
    assert films.entries.listed().count() == 10


# -- how the pages are made --------------------------------------------------------------------------------------------


def test_the_pages_have_no_inline_code_and_no_id_twice(client, films, contradicted, hold, disagreeing, ines):
    contradicted(3)
    decided = Conflict.objects.first()
    services.decide([decided], by=ines, choice="keep")
    proposal = hold()
    client.force_login(ines)
    for path in [
        "/",
        "/review/",
        CONFLICTS,
        MATCHES,
        f"{CONFLICTS}?state=decided",
        held_at(proposal),
        f"/lists/{films.pk}/",
    ]:
        html = client.get(path).content.decode()
        checked = Checked()
        checked.feed(html)
        assert checked.wrong == [], path
        assert sorted(checked.ids) == sorted(set(checked.ids)), path
        assert html.count("<h1") == 1
        assert not re.search(r"{[{%#]|[#%}]}", html)


@pytest.mark.covers("OPS-12")
def test_many_questions_and_entries_ask_the_database_as_often_as_few(client, films, contradicted, hold, ines):
    other = services.create_list(ines, name="Few")
    contradicted(2, other)
    contradicted(10)
    few, many = hold(2, list_=other), hold(10)
    client.force_login(ines)
    for path, two, ten in [
        (CONFLICTS, {"list": other.pk}, {"list": films.pk}), (held_at(few), {}, None), ("/review/", {}, {}), ("/", {}, {}),
    ]:  # fmt: skip
        asked = queries(client, path, **two)
        assert asked == (queries(client, path, **ten) if ten is not None else queries(client, held_at(many)))
        assert asked <= 20, path
