"""The review: questions about values and about who something is, and their answers."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from lists import services
from lists.models import Audit, Conflict
from lists.services.conflicts import close_lapsed
from lists.views import conflicts as conflict_pages
from tests.lists import reviewing
from tests.lists.reviewing import CONFLICTS, MATCHES, decide, film, picks, said, years

contradicted, differing = reviewing.contradicted, reviewing.differing
ambiguous, disagreeing = reviewing.ambiguous, reviewing.disagreeing


@pytest.mark.covers("SAFE-04", "WEB-04")
def test_a_question_shows_both_words_who_said_them_and_what_is_recommended(page, films, contradicted):
    [conflict] = contradicted()
    html = page("lists:review_conflicts")
    assert years(films)["Film 1"] == 1950
    keep, take = re.findall(r"<label class=\"choice.*?</label>", html, re.S)[:2]
    assert "1950" in keep
    assert "by hand, by ines" in keep
    assert "Now in the list" in keep
    assert "Recommended" in keep
    assert "1960" in take
    assert "rows.json" in take
    assert conflict.recommendation["why"] in html


@pytest.mark.covers("SAFE-04")
def test_keeping_keeps_and_the_same_question_does_not_come_again(client, films, contradicted, upload, ines):
    contradicted()
    client.force_login(ines)
    answer = decide(client, CONFLICTS, "keep")
    assert said(answer) == "Year of “Film 1” stays 1950. If a source says something new about it, we ask again."
    assert years(films)["Film 1"] == 1950
    upload(films, [film(m, **({"year": 1960} if m == 1 else {"rating": 5.0})) for m in range(1, 11)])
    assert Conflict.objects.filter(state="open").count() == 0
    upload(films, [film(m, **({"year": 1961} if m == 1 else {})) for m in range(1, 11)])
    assert Conflict.objects.filter(state="open").count() == 1


def test_taking_takes_that_field_and_no_other_and_can_be_undone(client, films, contradicted, ines):
    contradicted(2)
    before = films.entries.get(title="Film 1").values
    client.force_login(ines)
    answer = decide(client, CONFLICTS, f"take-{films.sources.get().pk}")
    assert "Year of “Film 1” is 1960 now" in said(answer)
    assert films.entries.get(title="Film 1").values == before | {"year": 1960}
    assert years(films)["Film 2"] == 1950
    undo = re.search(r'action="(/lists/\d+/undo/\d+/)"', answer.content.decode())
    assert undo
    client.post(undo[1])
    assert years(films)["Film 1"] == 1950


def test_another_value_is_typed(client, films, contradicted, ines):
    contradicted()
    client.force_login(ines)
    answer = decide(client, CONFLICTS, "type", typed="19xx")
    assert answer.status_code == 400
    assert "must be a whole number" in answer.content.decode()
    assert 'value="19xx"' in answer.content.decode()
    assert "Type a value first" in decide(client, CONFLICTS, "type", typed=" ").content.decode()
    assert years(films)["Film 1"] == 1950
    decide(client, CONFLICTS, "type", typed="1955")
    assert years(films)["Film 1"] == 1955
    assert Conflict.objects.get().after == 1955


def test_lists_of_words_are_united(client, films, differing, ines):
    client.force_login(ines)
    html = client.get(CONFLICTS).content.decode()
    assert 'value="merge"' in html
    decide(client, CONFLICTS, "merge")
    assert films.entries.get(title="Film 1").genres == ["Drama", "Crime"]


def test_the_word_of_another_persons_edit_can_be_taken(client, films, contradicted, ines):
    [conflict] = contradicted()
    conflict.options = [{"source": "hand", "value": 1977, "at": 1_700_000_000}, *conflict.options]
    conflict.save()
    client.force_login(ines)
    assert "another edit by hand" in client.get(CONFLICTS).content.decode()
    decide(client, CONFLICTS, "hand-0")
    assert years(films)["Film 1"] == 1977


@pytest.mark.parametrize(
    "form",
    [
        {"act": "decide"}, {"act": "nonsense"}, {"act": "decide", "choice": "take-"}, {"act": "decide", "choice": "take-99999999999"},
        {"act": "decide", "choice": "hand-7"}, {"act": "decide", "choice": "merge"}, {"act": "decide", "choice": "\x00"},
        {"act": "keep", "pick": "nonsense"}, {"act": "keep", "pick": []}, {"act": "take", "all": "nonsense"},
    ],
)  # fmt: skip
def test_a_form_that_makes_no_sense_decides_nothing(client, films, contradicted, ines, form):
    contradicted()
    client.force_login(ines)
    pick = picks(client.get(CONFLICTS).content.decode())
    answer = client.post(CONFLICTS, {"pick": pick, **form}, follow=True)
    assert answer.status_code in (200, 404)
    assert Conflict.objects.get().state == "open"
    assert years(films)["Film 1"] == 1950


def test_who_is_shown_an_old_question_is_told(client, films, contradicted, upload, ines):
    contradicted()
    client.force_login(ines)
    pick = picks(client.get(CONFLICTS).content.decode())[0]
    upload(films, [film(m, **({"year": 1970} if m == 1 else {})) for m in range(1, 11)])
    source = films.sources.get().pk
    answer = client.post(CONFLICTS, {"act": "decide", "pick": pick, "choice": f"take-{source}"}, follow=True)
    assert "has changed since you looked. Nothing was decided" in said(answer)
    assert years(films)["Film 1"] == 1950
    pick = picks(answer.content.decode())[0]
    services.decide(list(Conflict.objects.all()), by=ines, choice="keep")
    answer = client.post(CONFLICTS, {"act": "decide", "pick": pick, "choice": f"take-{source}"}, follow=True)
    assert "decided already. Nothing was changed" in said(answer)
    assert years(films)["Film 1"] == 1950


def test_many_are_kept_or_taken_at_once(client, films, contradicted, ines):
    contradicted(4)
    Conflict.objects.filter(entry__title__in=["Film 3", "Film 4"]).update(
        recommendation={"choice": "take", "source": films.sources.get().pk, "value": 1960, "why": "2 sources say so."}
    )
    client.force_login(ines)
    shown = picks(client.get(CONFLICTS).content.decode())
    answer = client.post(CONFLICTS, {"act": "keep", "pick": shown[:2]}, follow=True)
    assert "2 questions are decided: the lists keep what they show." in said(answer)
    html = answer.content.decode()
    assert "For 2 of them another value" in html
    answer = client.post(CONFLICTS, {"act": "take", "all": seen_of_all(html)}, follow=True)
    assert "2 questions are decided: as recommended." in said(answer)
    assert [years(films)[f"Film {n}"] for n in (1, 2, 3, 4)] == [1950, 1950, 1960, 1960]
    assert films.versions.filter(kind="decision").count() <= 2


def seen_of_all(html: str) -> str:
    found = re.search(r'name="all" value="([^"]+)"', html)
    assert found
    return found[1]


def test_all_at_once_are_those_that_the_page_counted(client, films, contradicted, upload, ines):
    contradicted(2)
    client.force_login(ines)
    html = client.get(CONFLICTS).content.decode()
    services.edit_entries(films, {films.entries.get(title="Film 3").pk: {"year": 1950}}, by=ines)
    upload(films, [film(m, **({"year": 1960} if m <= 3 else {})) for m in range(1, 11)])
    answer = client.post(CONFLICTS, {"act": "keep", "all": seen_of_all(html)}, follow=True)
    assert "Other questions wait by now" in said(answer)
    assert Conflict.objects.filter(state="open").count() == 3


@pytest.mark.covers("CONF-12")
def test_what_is_put_aside_is_counted_and_returns_with_new_words(client, films, contradicted, upload, ines):
    contradicted(3)
    client.force_login(ines)
    shown = picks(client.get(CONFLICTS).content.decode())
    answer = client.post(CONFLICTS, {"act": "skip", "pick": shown[:2]}, follow=True)
    assert said(answer) == "2 questions are put aside. They return when a source says something new."
    assert "1 decision waits for you" in answer.content.decode()
    aside = client.get(CONFLICTS, {"state": "skipped"}).content.decode()
    assert len(picks(aside)) == 2
    assert years(films)["Film 1"] == 1950
    upload(films, [film(m, **({"year": 1971} if m == 1 else {"year": 1960} if m <= 3 else {})) for m in range(1, 11)])
    assert len(picks(client.get(CONFLICTS).content.decode())) == 2
    decide(client, f"{CONFLICTS}?state=skipped", "keep")
    assert Audit.objects.filter(action="skipped").count() == 2


def test_what_was_decided_says_before_after_by_whom_and_can_be_given_back(client, films, contradicted, ines):
    contradicted(2)
    client.force_login(ines)
    decide(client, CONFLICTS, f"take-{films.sources.get().pk}")
    decide(client, CONFLICTS, "keep")
    html = client.get(CONFLICTS, {"state": "decided"}).content.decode()
    assert "<del><bdi>1950</bdi></del> <ins><bdi>1960</bdi></ins>" in html
    assert "stayed <bdi>1950</bdi>" in html
    assert html.count("decided by ines") == 2
    give_back = re.search(r'action="(/lists/\d+/entries/\d+/give-back/)"', html)
    assert give_back
    client.post(give_back[1], {"field": "year"})
    assert 1950 not in years(films).values()
    html = client.get(CONFLICTS, {"state": "decided"}).content.decode()
    assert html.count("give-back") == 1


def test_a_deadline_is_named_and_what_it_closed_is_told(client, films, contradicted, ines):
    contradicted()
    Conflict.objects.update(deadline=timezone.now() + timedelta(days=7))
    client.force_login(ines)
    assert "If nobody decides by" in client.get(CONFLICTS).content.decode()
    close_lapsed(at=timezone.now() + timedelta(days=8))
    assert "No decisions wait" in client.get(CONFLICTS).content.decode()
    html = client.get(CONFLICTS, {"state": "decided"}).content.decode()
    assert "closed at its deadline" in html
    assert "stayed" in html or "1950" in html


def test_questions_are_shown_by_list_and_by_page(client, films, contradicted, ines, monkeypatch):
    other = services.create_list(ines, name="Festival")
    contradicted(3)
    contradicted(1, other)
    client.force_login(ines)
    assert len(picks(client.get(CONFLICTS, {"list": other.pk}).content.decode())) == 1
    monkeypatch.setattr(conflict_pages, "SHOWN", 3)
    first = client.get(CONFLICTS)
    assert len(picks(first.content.decode())) == 3
    after = first.context["page"].next
    path = f"{CONFLICTS}?after={after}"
    assert len(picks(client.get(path).content.decode())) == 1
    last = decide(client, path, "keep")
    assert last.redirect_chain[-1][0].rstrip("?") == CONFLICTS
    assert len(picks(last.content.decode())) == 3


# -- questions about who something is ----------------------------------------------------------------------------------


@pytest.mark.covers("WISH-02", "WEB-04")
def test_an_ambiguous_match_waits_and_stays_as_it_was_decided(client, films, ambiguous, upload, ines):
    assert films.entries.get(title="Heat").item is None
    client.force_login(ines)
    html = client.get(MATCHES).content.decode()
    assert "More than one thing fits" in html
    assert "tt0000001" in html
    assert "tt0000002" in html
    answer = decide(client, MATCHES, f"item-{ambiguous.options[1]['item']}")
    assert "from now on, whatever its sources send" in said(answer)
    picked = films.entries.get(title="Heat").item
    assert picked.ids.get().value == "tt0000002"
    for rating in range(10):
        upload(films, [{"key": "heat", "title": "Heat", "year": 1995, "rating": float(rating)}, film(3)])
    assert films.entries.get(title="Heat").item == picked
    assert Conflict.objects.filter(state="open").count() == 0
    decided = client.get(f"{MATCHES}&state=decided").content.decode()
    assert "<ins><bdi>Heat (1995)</bdi></ins>" in decided


def test_it_may_be_none_of_them(client, films, ambiguous, ines):
    client.force_login(ines)
    assert "Choose what it is" in said(
        client.post(MATCHES, {"act": "decide", "pick": picks(client.get(MATCHES).content.decode())}, follow=True)
    )
    decide(client, MATCHES, "own")
    assert films.entries.get(title="Heat").item_id not in {option["item"] for option in ambiguous.options}


def test_ids_that_disagree_can_be_the_same_thing(client, films, disagreeing, ines):
    disagreeing()
    client.force_login(ines)
    html = client.get(MATCHES).content.decode()
    assert "Its ids name different things" in html
    answer = decide(client, MATCHES, "same")
    assert "They are the same thing from now on" in said(answer)
    item = films.entries.get().item
    roots = {each.root_id or each.pk for each in type(item).objects.all()}
    assert roots == {item.root_id or item.pk}


def test_who_may_not_merge_things_is_not_offered_it(client, films, disagreeing, ines, jonas, staff):
    disagreeing(by=jonas)
    client.force_login(ines)
    html = client.get(MATCHES).content.decode()
    assert 'value="own"' in html
    assert 'value="same"' not in html
    assert client.post(MATCHES, {"act": "decide", "pick": picks(html), "choice": "same"}).status_code == 403
    assert Conflict.objects.get().state == "open"
    client.force_login(staff)
    assert 'value="same"' in client.get(MATCHES).content.decode()


@pytest.mark.covers("WISH-03")
def test_an_entry_says_who_lists_it_since_when_where_each_field_is_from_and_what_was_decided(
    client, page, films, contradicted, ines
):
    contradicted()
    client.force_login(ines)
    decide(client, CONFLICTS, f"take-{films.sources.get().pk}")
    found, source = films.entries.get(title="Film 1"), films.sources.get()
    html = page("lists:entry", films.pk, found.pk)
    assert re.search(r"rows\.json</bdi></b> lists it, place 1\..*?since <time.*?last read <time", html, re.S)
    assert re.search(
        r"What was decided.*?<dt>Year</dt><dd><del><bdi>1950</bdi></del> <ins><bdi>1960</bdi></ins>.*?by ines",
        html,
        re.S,
    )
    assert "What was decided" not in page("lists:entry", films.pk, films.entries.get(title="Film 2").pk)

    told = client.get(f"/api/v1/lists/{films.pk}/entries/{found.pk}/").json()
    [claim] = told["claims"]
    assert (claim["source"], claim["since"]) == (source.pk, told["claims"][0]["since"])
    assert parse_datetime(claim["read_at"]) == source.last_success_at
    assert {row["source_name"] for row in told["origins"]} >= {"rows.json"}
    [decision] = told["decisions"]
    assert (decision["field"], decision["before"], decision["after"], decision["decided_by"]) == (
        "year",
        1950,
        1960,
        "ines",
    )
    assert told["conflicts"] == []
