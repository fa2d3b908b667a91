"""The rules of a list: how sources are weighed and what may leave unasked, in plain words."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Audit, Claim, Entry, SitePolicy, Version


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


UNRULED = {"strategy": "", "removals": "", "held_share": "", "held_share_always": "", "held_floor": ""}


def save(client, list_, **rules) -> str:
    return client.post(reverse("lists:rules", args=[list_.pk]), UNRULED | rules, follow=True).content.decode()


def checked(html: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="(\w*)" checked', html)


@pytest.mark.covers("CONF-01", "CONF-02")
def test_another_strategy_is_seen_on_the_list_at_once(client, films, ines, upload):
    upload(films, [film(1, rating=5.0)], name="first.csv")
    Claim.objects.update(first_at=timezone.now() - timedelta(days=1))
    upload(films, [film(1, rating=7.0)], source=None, name="second.csv")
    client.force_login(ines)
    shown = {}
    for strategy in ("new", "keep", "priority"):
        save(client, films, strategy=strategy)
        shown[strategy] = Entry.objects.get().rating
    assert shown == {"new": 7.0, "keep": 5.0, "priority": 5.0}
    versions = list(Version.objects.order_by("number").values_list("kind", flat=True))
    assert versions.count("rules") == 2, "the last change of the rules changes nothing"


def test_a_rule_of_its_own_is_kept_until_the_list_follows_the_site_again(client, page, films):
    html = page("lists:rules", films.pk)
    assert [checked(html, name) for name in ("strategy", "removals")] == [[""], [""]]
    assert "As the site says: believe one source first" in html
    said = save(client, films, strategy="ask", removals="keep", held_share="35")
    assert "Saved. Nothing on the list changes by it." in said
    films.refresh_from_db()
    assert films.policy == {"strategy": "ask", "removals": "keep", "held_share": 35}
    html = page("lists:rules", films.pk)
    assert [checked(html, name) for name in ("strategy", "removals")] == [["ask"], ["keep"]]
    assert 'value="35"' in html
    assert "When sources disagree: Ask me." in page("lists:settings", films.pk)
    act = Audit.objects.latest("id")
    assert (act.action, act.before["strategy"], act.after["strategy"]) == ("changed rules", None, "ask")
    assert "Nothing was changed: it said so already." in save(
        client, films, strategy="ask", removals="keep", held_share="35"
    )
    save(client, films)
    films.refresh_from_db()
    assert films.policy == {}


def test_the_page_says_what_the_site_says(page, films):
    site = SitePolicy.current()
    site.strategy, site.removals, site.held_share = "merge", "ask", 44
    site.save()
    html = page("lists:rules", films.pk)
    assert "As the site says: put lists of words together" in html
    assert "As the site says: ask me about every removal" in html
    assert "Empty: as the site says, 44." in html


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"strategy": "loudest"}, 'id="strategy-e"'),
        ({"removals": "never"}, 'id="removals-e"'),
        ({"held_share": "many"}, "Type a whole number, or leave it empty. Nothing was saved."),
        ({"held_share": "101"}, 'id="held_share-e"'),
        ({"held_floor": "-1"}, "Use 0 or more."),
    ],
)
def test_a_rule_that_makes_no_sense_is_not_saved(client, films, ines, rules, says):
    client.force_login(ines)
    assert says in save(client, films, **rules)
    films.refresh_from_db()
    assert films.policy == {}


@pytest.mark.covers("LIST-13")
def test_what_leaves_its_source_is_kept_where_the_rules_say_so(client, films, ines, upload, titles):
    upload(films, [film(1), film(2), film(3)])
    client.force_login(ines)
    save(client, films, removals="keep")
    upload(films, [film(2), film(3)])
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    save(client, films, removals="remove")
    upload(films, [film(3)])
    assert sorted(titles(films)) == ["Film 1", "Film 3"]


def test_only_the_owner_sets_rules(client, films, jonas):
    services.share_list(films, user=jonas, role="editor", by=films.owner)
    client.force_login(jonas)
    address = reverse("lists:rules", args=[films.pk])
    assert client.get(address).status_code == 403
    refused = client.post(address, UNRULED | {"strategy": "new"})
    assert refused.status_code == 403
    assert "Only the owner of this list may do that. Nothing was changed." in refused.content.decode()
    assert address not in client.get(reverse("lists:settings", args=[films.pk])).content.decode()
