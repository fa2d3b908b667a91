"""The rules of a list: how sources are weighed and what may leave unasked, in plain words."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Audit, Claim, Conflict, Entry, SitePolicy, Source, Version


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
    assert "As the site says: put the best of all together" in html
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


# -- scored strategies, from the page to the list ----------------------------------------------------------------------


RICH = {"overview": "A story.", "poster": "https://example.org/p.jpg", "runtime_s": 5400}


@pytest.fixture
def two_sources(films, upload):
    upload(films, [film(1, rating=5.0, overview="Short.", year=1990)], name="first.json")
    upload(
        films,
        [film(1, rating=7.0, overview="Other.", year=1991, poster="https://example.org/p.jpg")],
        source=None,
        name="second.json",
    )
    return films.sources.get(name="first.json"), films.sources.get(name="second.json")


@pytest.mark.covers("CONF-03", "CONF-04", "CONF-05")
def test_a_list_takes_the_better_record_or_the_newer_one(client, films, ines, upload):
    client.force_login(ines)
    upload(films, [film(1, rating=5.0, year=1990)], name="first.json")
    upload(films, [film(1, rating=7.0, year=1991)], source=None, name="second.json")
    first, second = films.sources.get(name="first.json"), films.sources.get(name="second.json")
    save(client, films, strategy="intelligent")
    assert Entry.objects.get().year == 1990, "neither is better or a day newer"
    Claim.objects.filter(source=first).update(first_at=timezone.now() - timedelta(hours=23))
    save(client, films, strategy="priority")
    save(client, films, strategy="intelligent")
    assert Entry.objects.get().year == 1990
    Claim.objects.filter(source=first).update(first_at=timezone.now() - timedelta(hours=25))
    save(client, films, strategy="priority")
    save(client, films, strategy="intelligent")
    entry = Entry.objects.get()
    assert (entry.year, entry.rating, entry.origin_of("year")) == (1991, 7.0, second.pk)
    upload(films, [film(1, rating=5.0, year=1990, **RICH)], source=first)
    assert Entry.objects.get().year == 1990, "now it is clearly better"


@pytest.mark.covers("CONF-06", "CONF-07", "CONF-08", "CONF-09", "CONF-11")
def test_a_list_goes_by_rules_and_believes_a_source_about_a_field(client, page, films, ines, two_sources):
    client.force_login(ines)
    second = two_sources[1]
    save(client, films, strategy="rules")
    entry = Entry.objects.get()
    assert (entry.poster, entry.overview) == ("https://example.org/p.jpg", "Short.")
    said = save(client, films, strategy="rules", prefer_overview=str(second.pk))
    assert "Saved. The list was looked at again" in said
    entry.refresh_from_db()
    assert (entry.overview, entry.rating) == ("Other.", 5.0)
    films.refresh_from_db()
    assert films.policy["preferred"] == {"overview": second.pk}
    assert f'<option value="{second.pk}" selected>second.json' in page("lists:rules", films.pk)
    save(client, films, strategy="rules")
    entry.refresh_from_db()
    assert entry.overview == "Short."


@pytest.mark.covers("CONF-09", "CONF-11")
def test_the_site_prefers_kinds_of_sources_in_the_admin(client, staff, films, two_sources, upload):
    services.change_rules(films, by=films.owner, strategy="rules")
    first, second = two_sources
    Source.objects.filter(pk=second.pk).update(adapter="tmdb_popular")
    client.force_login(staff)
    address = reverse("admin:lists_sitepolicy_change", args=[SitePolicy.current().pk])
    form = {
        "strategy": "priority", "removals": "remove", "conflict_days": "7", "accept_confidence": "0.9",
        "held_share": "20", "held_share_always": "50", "held_floor": "3",
    }  # fmt: skip
    client.post(address, {**form, "prefer_overview": "tmdb", "prefer_rating": " "})
    assert SitePolicy.current().preferred == {"overview": "tmdb"}
    row = Audit.objects.filter(action="changed").first()
    assert (row.before, row.after) == ({"preferred": {}}, {"preferred": {"overview": "tmdb"}})
    assert services.settle_rules() == 1
    assert Entry.objects.get().overview == "Other."
    services.change_rules(films, by=films.owner, preferred={"overview": first.pk})
    assert Entry.objects.get().overview == "Short.", "the list's own word goes before the site's"


@pytest.mark.parametrize(
    "preferred", [{"colour": "imdb"}, {"overview": 999_999}, {"overview": True}, {"overview": ""}, ["imdb"]]
)
def test_a_preference_that_makes_no_sense_is_refused(films, ines, preferred):
    with pytest.raises(services.Unfit):
        services.change_rules(films, by=ines, preferred=preferred)
    films.refresh_from_db()
    assert films.policy == {}


@pytest.mark.covers("CONF-10")
def test_a_merged_entry_names_the_source_of_each_field(client, page, films, ines, two_sources):
    client.force_login(ines)
    save(client, films, strategy="merge")
    entry = Entry.objects.get()
    assert (entry.rating, entry.poster) == (5.0, "https://example.org/p.jpg")
    html = page("lists:entry", films.pk, entry.pk)
    assert "first.json" in html
    assert "second.json" in html


@pytest.mark.covers("HIST-10")
def test_what_the_rules_decide_between_sources_is_recorded(client, page, films, ines, upload):
    upload(films, [film(1, rating=5.0)], name="first.json")
    Claim.objects.update(first_at=timezone.now() - timedelta(days=1))
    upload(films, [film(1, rating=7.0)], source=None, name="second.json")
    first, second = films.sources.get(name="first.json"), films.sources.get(name="second.json")
    assert not Conflict.objects.exists()
    client.force_login(ines)
    save(client, films, strategy="new")
    row = Conflict.objects.get()
    assert (row.state, row.field, row.before, row.after, row.strategy, row.choice) == (
        "decided", "rating", 5.0, 7.0, "new", "new",
    )  # fmt: skip
    assert {option["source"]: option["value"] for option in row.options} == {first.pk: 5.0, second.pk: 7.0}
    assert row.decided_at is not None
    assert row.version is not None
    html = client.get(reverse("lists:review_conflicts"), {"state": "decided"}).content.decode()
    assert "by the rules of the list" in html
    upload(films, [film(1, rating=8.0)], source=second)
    assert Conflict.objects.count() == 1, "a source's own new word is no contradiction"
