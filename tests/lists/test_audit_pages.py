"""Who did what: each act with what it was before, found by thing, action, person and day."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Audit, Entry
from lists.views.audit import ROWS_SHOWN


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def acts(html: str) -> list[str]:
    """What each row says, as in: ines created: Films to watch (list)."""
    told = re.findall(r'<p class="what">(.*?)</p>', html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in told]


@pytest.mark.covers("AUD-02")
def test_an_act_says_who_did_what_and_what_it_was_before(page, films, ines):
    services.change_list(films, by=ines, name="By the sea")
    html = page("lists:audit")
    assert acts(html)[0].startswith("ines changed: By the sea (list)")
    assert "<del><bdi>Films to watch</bdi></del> <ins><bdi>By the sea</bdi></ins>" in html
    assert "<time datetime=" in html


def test_an_edit_names_its_entry_and_its_version(page, films, ines, upload):
    upload(films, [film(1)])
    entry = Entry.objects.get()
    services.edit_entries(films, {entry.pk: {"title": "Heat"}}, by=ines)
    html = page("lists:list_audit", films.pk)
    assert acts(html)[0].endswith("Version 2")
    assert reverse("lists:version", args=[films.pk, 2]) in html
    assert "Heat" in html


@pytest.mark.covers("AUD-02")
def test_acts_are_found_by_thing_action_person_and_day(page, films, ines, jonas):
    other = services.create_list(ines, name="Other")
    services.share_list(films, user=jonas, role="editor", by=ines)
    services.change_list(films, by=jonas, name="By the sea")
    services.change_list(other, by=ines, name="By the lake")
    found = {
        "object_type=list&object_id=" + str(other.pk): 2,
        "action=shared": 1,
        "actor=jonas": 1,
        "actor=ines": 4,
        "action=changed&actor=ines": 1,
        "action=burned": 0,
    }
    for query, count in found.items():
        html = page("lists:audit", **dict(part.split("=") for part in query.split("&")))
        assert len(acts(html)) == count, query
    assert "Nothing fits" in page("lists:audit", action="burned")
    assert len(acts(page("lists:list_audit", films.pk))) == 3
    assert len(acts(page("lists:list_audit", films.pk, actor="jonas"))) == 1


@pytest.mark.covers("AUD-02")
def test_a_day_counts_from_its_first_to_its_last_moment(page, ines):
    now = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    for at in (-timedelta(seconds=1), timedelta(0), timedelta(hours=23, minutes=59, seconds=59), timedelta(days=1)):
        Audit.objects.create(
            actor=ines, actor_name="ines", action="changed", object_type="list", object_id="1", object_name=str(at),
            at=now + at,
        )  # fmt: skip
    day = now.date().isoformat()
    assert len(acts(page("lists:audit", **{"from": day, "to": day}))) == 2
    assert len(acts(page("lists:audit", **{"from": day}))) == 3
    assert len(acts(page("lists:audit", to=day))) == 3
    for nonsense in ("tomorrow", "2025-13-41", "9999-12-31", "\x00"):
        assert len(acts(page("lists:audit", **{"from": nonsense, "object_id": "\x00"}))) == 4


def test_nobody_sees_acts_on_lists_of_others(client, page, films, ines, jonas, staff):
    mine = services.create_list(jonas, name="Of Jonas")
    assert not any("Of Jonas" in act for act in acts(page("lists:audit")))
    assert "Of Jonas" not in page("lists:audit")
    services.share_list(mine, user=ines, role="viewer", by=jonas)
    assert any("Of Jonas" in act for act in acts(page("lists:audit")))
    client.force_login(staff)
    seen = client.get(reverse("lists:audit")).content.decode()
    assert len(acts(seen)) == Audit.objects.count()
    client.force_login(jonas)
    assert client.get(reverse("lists:list_audit", args=[films.pk])).status_code == 404


def test_a_list_that_is_gone_is_named_and_not_linked(client, page, films, ines):
    address = reverse("lists:items", args=[films.pk])
    assert address in page("lists:audit")
    services.purge_list(films, by=ines)
    html = page("lists:audit")
    assert acts(html)[0] == "ines deleted for good: Films to watch (list)"
    assert address not in html


@pytest.mark.covers("OPS-12")
def test_a_long_log_goes_on_with_as_few_queries(client, page, films, ines):
    def count(**params) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse("lists:audit"), params).status_code == 200
        return len(seen)

    assert len(acts(page("lists:audit"))) == 1
    few = count()
    Audit.objects.bulk_create(
        Audit(actor=ines, actor_name="ines", action="changed", object_type="list", object_id=str(films.pk),
              object_name=f"Name {n}", list_ref=films.pk, before={"name": "x"}, after={"name": f"Name {n}"})
        for n in range(ROWS_SHOWN * 2)
    )  # fmt: skip
    assert count() == few
    address, seen = reverse("lists:audit") + "?action=changed", []
    while address:
        html = client.get(address).content.decode()
        seen += acts(html)
        on = re.search(r'href="(\?[^"]+)" rel="next"', html)
        address = reverse("lists:audit") + on[1].replace("&amp;", "&") if on else ""
    assert len(seen) == len(set(seen)) == ROWS_SHOWN * 2


def test_values_of_any_shape_are_written_as_people_read_them(page, films, ines):
    Audit.objects.create(
        actor=ines, actor_name="", action="changed", object_type="entry", object_id="1", object_name="<b>Film</b>",
        list_ref=films.pk, before={"kept": False, "tags": ["a", "b"], "ids": {"imdb": "tt1"}, "overview": "x" * 900},
        after={"kept": True, "tags": None, "count": 0},
    )  # fmt: skip
    html = page("lists:audit")
    assert acts(html)[0].startswith("The system changed: &lt;b&gt;Film&lt;/b&gt; (entry)")
    for text in ("<del><bdi>no</bdi></del> <ins><bdi>yes</bdi></ins>", "a, b", "imdb: tt1", "x" * 300 + " …"):
        assert text in html, text
    assert "x" * 301 not in html


def figures(html: str) -> list[tuple[str, str, int]]:
    """(where it leads, what was counted, how often) of each figure."""
    rows = re.findall(
        r'<a class="quiet-link" href="([^"]+)"><bdi>(.*?)</bdi></a></td><td class="num">([\d,]+)</td>', html
    )
    return [(query.replace("&amp;", "&"), word, int(count)) for query, word, count in rows]


@pytest.mark.covers("AUD-04")
@pytest.mark.parametrize("name", ["lists:audit", "lists:list_audit"])
def test_the_page_counts_who_did_what_and_leads_to_it(client, page, films, ines, jonas, name):
    services.share_list(films, user=jonas, role="editor", by=ines)
    for title in ("By the sea", "By the lake"):
        services.change_list(films, by=jonas, name=title)
    Audit.objects.create(
        actor=ines, actor_name="ines", action="changed", object_type="list", object_id=str(films.pk), object_name="x",
        list_ref=films.pk, at=timezone.now() - timedelta(days=50),
    )  # fmt: skip
    args = [films.pk] if name == "lists:list_audit" else []
    html = page(name, *args, figures="yes")
    assert "4 acts from" in html
    found = figures(html)
    assert {(word, count) for _, word, count in found} == {
        ("Changed", 2), ("Created", 1), ("Shared", 1), ("List", 4), ("ines", 2), ("jonas", 2),
    }  # fmt: skip
    for query, word, count in found:
        assert len(acts(client.get(reverse(name, args=args) + query).content.decode())) == count, word
    assert "5 acts from" in page(name, *args, figures="yes", **{"from": "2000-01-01"})
    assert "0 acts from" in page(name, *args, figures="yes", actor="nobody")
    assert "2 acts from" in page(name, *args, figures="yes", actor="jonas")


def test_whether_an_entry_is_there_is_told_in_words(page, films, ines, upload):
    upload(films, [film(1), film(2)])
    services.remove_entries(films, [Entry.objects.get(title="Film 2").pk], by=ines)
    services.change_rules(films, by=ines, strategy="ask", removals="keep")
    html = page("lists:list_audit", films.pk)
    assert "<dt>On the list</dt><dd><del><bdi>yes</bdi></del> <ins><bdi>no</bdi></ins></dd>" in html
    assert "<dt>Where sources differ</dt>" in html
    assert "A person is asked; until then what was said first stays" in html
    for raw in ("Presence", ">removed<", ">listed<", "Strategy", "<bdi>ask</bdi>"):
        assert raw not in html
