"""The review: removals that were held back, and the decision about them."""

import re

import pytest

from lists import services
from lists.models import Proposal
from lists.views import review as review_pages
from tests.lists import reviewing
from tests.lists.reviewing import film, held_at, said, seen

hold = reviewing.hold


def listed(list_) -> list[int]:
    return sorted(int(title.split()[1]) for title in list_.entries.listed().values_list("title", flat=True))


def apply(client, proposal: Proposal, decision: str, **more):
    """Decide about a held change as its page offers it; the page that follows."""
    html = client.get(held_at(proposal)).content.decode()
    return client.post(held_at(proposal), {"decision": decision, "seen": seen(html), **more}, follow=True)


def ids_of(list_, *numbers: int) -> list[int]:
    return [list_.entries.get(title=f"Film {n}").pk for n in numbers]


@pytest.mark.covers("SAFE-02", "WEB-04")
def test_a_held_change_says_what_would_leave_and_why_we_ask(client, films, hold, ines):
    why = "All missing films stand next to each other, rows 1 to 5: it looks like a page that did not arrive."
    proposal = hold(explanation=why)
    client.force_login(ines)
    html = client.get(held_at(proposal)).content.decode()
    assert "5 of 10 films would leave" in html
    assert "<bdi>rows.json</bdi> sent 5 films. Of the 10 films that it listed before, 5 stay and 5 would leave." in html
    assert "We ask before more than 20 % leave at once. Nothing was removed." in html
    assert why in html
    assert [f">{title}<" in html for title in ("Film 5", "Film 6")] == [True, False]
    assert listed(films) == list(range(1, 11))


@pytest.mark.parametrize(
    ("n", "of", "rules", "says"),
    [
        (2, 3, {}, "We ask before more than 50 % leave at once, however few they are."),
        (3, 3, {}, "That is everything that it listed, and then we always ask."),
        (1, 9, {"removals": "ask"}, "On this list every removal waits for you."),
        (1, 9, {}, "1 would leave. Nothing was removed."),
    ],
)
def test_the_rule_by_which_we_ask_is_named(client, films, hold, ines, n, of, rules, says):
    proposal = hold(n, of)
    services.change_rules(films, by=ines, **rules)
    client.force_login(ines)
    assert says in client.get(held_at(proposal)).content.decode()


@pytest.mark.covers("SAFE-02")
def test_all_go_and_the_way_back_is_offered(client, films, hold, ines):
    proposal = hold()
    client.force_login(ines)
    answer = apply(client, proposal, "all")
    assert said(answer) == "5 films left Films to watch."
    assert listed(films) == [6, 7, 8, 9, 10]
    html = answer.content.decode()
    assert "5 films left <a" in html
    assert "by ines" in html
    assert 'name="decision"' not in html
    undo = re.search(r'action="(/lists/\d+/undo/\d+/)"', html)
    assert undo
    client.post(undo[1])
    assert listed(films) == list(range(1, 11))


@pytest.mark.covers("SAFE-02")
def test_all_are_kept_and_nobody_is_asked_again(client, films, hold, ines, upload):
    proposal = hold()
    client.force_login(ines)
    answer = apply(client, proposal, "keep")
    assert said(answer) == "5 films stay, kept by the list."
    assert "5 films were kept on" in answer.content.decode()
    assert listed(films) == list(range(1, 11))
    assert "No decisions wait" in client.get("/review/").content.decode()
    upload(films, [film(m) for m in range(6, 11)])
    assert listed(films) == list(range(1, 11))


@pytest.mark.covers("SAFE-02")
def test_the_ticked_go_and_the_others_are_kept(client, films, hold, ines, upload):
    proposal = hold()
    client.force_login(ines)
    assert "Tick at least one" in said(apply(client, proposal, "chosen"))
    answer = apply(client, proposal, "chosen", go=ids_of(films, 2, 4, 9))
    assert said(answer) == "2 films left Films to watch. 3 films stay, kept by the list."
    assert listed(films) == [1, 3, 5, 6, 7, 8, 9, 10]
    upload(films, [film(m) for m in range(6, 11)])
    assert listed(films) == [1, 3, 5, 6, 7, 8, 9, 10]


@pytest.mark.covers("SAFE-02")
def test_a_source_that_lacks_too_much_is_held_and_applied_in_part_by_the_page(client, films, live, ines):
    source = live(films, "IMDb")
    source.sync([film(n) for n in range(1, 51)])
    assert source.sync([film(n) for n in range(12, 51)]).held == 11
    client.force_login(ines)
    link = re.search(r'href="(/review/held/\d+/)"', client.get("/review/").content.decode())
    assert link
    html = client.get(link[1]).content.decode()
    assert "<bdi>IMDb</bdi> sent 39 films. Of the 50 films that it listed before, 39 stay and 11 would leave." in html
    assert "rows 1 to 11: it looks like a page that did not arrive" in html
    assert len(listed(films)) == 50
    apply(client, Proposal.objects.get(), "chosen", go=ids_of(films, 1, 2))
    assert listed(films) == list(range(3, 51))
    assert source.sync([film(n) for n in range(12, 51)]).held == 0
    assert listed(films) == list(range(3, 51))
    source.sync([film(n) for n in range(30, 51)])
    assert source.sync([film(n) for n in range(12, 51)]).held == 0
    html = client.get(held_at(Proposal.objects.first())).content.decode()
    assert "This does not wait any more" in html


def test_what_was_ticked_goes_along_to_other_pages(client, films, hold, ines, monkeypatch):
    monkeypatch.setattr(review_pages, "ENTRIES_SHOWN", 2)
    proposal = hold()
    client.force_login(ines)

    def fields(html: str) -> dict[str, str]:
        hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', html) for name in ("seen", "ticked", "here")}
        return {name: found[1] for name, found in hidden.items() if found}

    def more(html: str) -> str:
        found = re.search(r'name="page" value="([^"]+)"', html)
        assert found
        return found[1]

    one, two, three = ids_of(films, 1, 2, 3)
    first = client.get(held_at(proposal)).content.decode()
    second = client.post(held_at(proposal), fields(first) | {"go": [one, two], "page": more(first)}).content.decode()
    assert "2 ticked, 2 of them on other pages" in second
    again = client.post(held_at(proposal), fields(second) | {"go": [three], "page": ""}).content.decode()
    assert re.findall(r'value="(\d+)" checked', again) == [str(one), str(two)]
    third = client.post(held_at(proposal), fields(again) | {"go": [one], "page": more(again)}).content.decode()
    answer = client.post(held_at(proposal), fields(third) | {"go": [three], "decision": "chosen"}, follow=True)
    assert "2 films left" in said(answer)
    assert listed(films) == [2, 4, 5, 6, 7, 8, 9, 10]


def test_who_is_shown_an_older_state_of_it_is_told(client, films, hold, ines):
    proposal = hold()
    client.force_login(ines)
    html = client.get(held_at(proposal)).content.decode()
    proposal.result["entries"] = ids_of(films, 1, 2, 3, 4, 5, 6)
    proposal.save()
    answer = client.post(held_at(proposal), {"decision": "all", "seen": seen(html)}, follow=True)
    assert "A newer sync lacks other entries than this page showed. Nothing was removed." in said(answer)
    assert listed(films) == list(range(1, 11))
    html = answer.content.decode()
    services.keep_held(proposal, by=ines)
    answer = client.post(held_at(proposal), {"decision": "all", "seen": seen(html)}, follow=True)
    assert "does not wait any more" in said(answer)
    assert listed(films) == list(range(1, 11))
    assert "Choose what shall happen" in said(apply(client, proposal, "nonsense"))


def test_what_has_changed_since_is_said(client, films, hold, ines, upload):
    proposal = hold()
    services.remove_entries(films, ids_of(films, 1), by=ines)
    upload(films, [film(2), film(3)], source=None, name="other.json")
    client.force_login(ines)
    html = client.get(held_at(proposal)).content.decode()
    assert "1 is off the list already." in html
    assert "2 would stay, because something else keeps them by now." in html
    assert html.count("other.json lists it, so it stays") == 2
    answer = apply(client, proposal, "all")
    assert said(answer) == "2 films left Films to watch. 2 did not leave: something else keeps them by now."
    assert listed(films) == [2, 3, 6, 7, 8, 9, 10]


def test_what_was_withdrawn_says_so_and_leads_to_what_waits_now(client, films, hold, ines):
    old = hold()
    Proposal.objects.update(state="withdrawn")
    client.force_login(ines)
    html = client.get(held_at(old)).content.decode()
    assert "This does not wait any more" in html
    assert "Nothing was removed by this" in html
    assert 'name="decision"' not in html
    new = hold(3)
    assert held_at(new) in client.get(held_at(old)).content.decode()
