"""Tracklists sent as people and programs send them, and followed to the list's page, API and exports."""

import json
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from rest_framework.test import APIClient

from lists.models import Entry, MediaList, Proposal
from sync.models import Run

FORMATS = Path(__file__).parents[1] / "data" / "formats"
PAGE = (FORMATS / "tracklists_1001.html").read_bytes()
FACTS = {
    "dj": "DJ Ostwind", "event": "Harbour Night", "venue": "Pier Hall Bremen, Germany", "date": "2024-06-14",
    "url": "https://www.1001tracklists.com/tracklist/2aaaaaaa/dj-ostwind-harbour-night-2024-06-14.html",
    "source": "1001Tracklists", "duration": "1:02:03", "genre": "House", "confidence": "0.83",
}  # fmt: skip


@pytest.fixture
def api(ines):
    client = APIClient()
    client.force_authenticate(ines)
    return client


@pytest.fixture
def bring_in(api, work):
    """Upload a file by the API and confirm it; returns (the preview's answer, the run)."""

    def bring_in(body: bytes, list_: MediaList | None = None, name: str = "whatever.dat"):
        more = {"list": list_.pk} if list_ else {}
        answer = api.post("/api/v1/uploads/", {"file": SimpleUploadedFile(name, body), **more}, format="multipart")
        assert answer.status_code == 202, answer.content
        work()
        preview = api.get(f"/api/v1/uploads/{answer.json()['id']}/").json()
        assert preview["state"] == "open", preview
        answer = api.post(f"/api/v1/uploads/{preview['id']}/confirm/")
        assert answer.status_code == 202, answer.content
        work()
        return preview, Run.objects.latest("id")

    return bring_in


@pytest.fixture
def see(client, ines):
    """The text of a page of a list as Ines sees it."""
    client.force_login(ines)
    return lambda name, *args: client.get(reverse(f"lists:{name}", args=args)).content.decode()


def exported(api, list_: MediaList, key: str) -> bytes:
    answer = api.get(f"/api/v1/lists/{list_.pk}/export/{key}/")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


@pytest.mark.covers("TL-01", "TL-03")
def test_a_page_of_1001tracklists_becomes_a_list_with_title_facts_and_times(api, bring_in, see):
    preview, run = bring_in(PAGE)
    assert preview["adapter"] == "tracklists_1001"
    list_ = run.list
    assert list_.name == "DJ Ostwind @ Harbour Night, Pier Hall Bremen, Germany 2024-06-14"
    shown = api.get(f"/api/v1/lists/{list_.pk}/").json()
    assert (shown["content"], shown["item_count"], shown["facts"]) == ("tracks", 7, FACTS | {"title": list_.name})
    plays = [
        (e.artist, e.title, e.cue_ms, e.extra.get("played_as"), e.extra["confidence"])
        for e in Entry.objects.order_by("rank")
    ]
    assert plays == [
        ("Ann Vale & Kid Ida ft. Bo", "Low Tide (Mara Lind Remix)", 0, None, 0.9),
        ("Kites vs. Nordlicht", "Foam vs. Signal (Ostwind Mashup)", 252_000, None, 0.9),
        ("Kites", "Foam", 252_000, "part", 0.9),
        ("Nordlicht", "Signal", 252_000, "part", 0.9),
        ("Bob Renn", "Glass Sea (Acappella)", None, "with", 0.9),
        ("", "ID", 580_000, None, 0.5),
        ("David Vale", "Second Summer (ID Remix)", 3_725_000, None, 0.5),
    ]
    html = see("items", list_.pk)
    for said in ("DJ Ostwind", "Harbour Night", "Pier Hall Bremen, Germany", "2024-06-14", "Not known yet", "1:02:05"):
        assert said in html
    assert f'<a href="{FACTS["url"]}" rel="noreferrer">1001Tracklists</a>' in html
    assert "0.83" in see("settings", list_.pk)


@pytest.mark.covers("TL-03")
def test_what_is_played_with_another_track_shows_as_such(bring_in, see):
    _, run = bring_in(PAGE)
    html = see("items", run.list_id)
    rows = re.findall(
        r'<li class="([^"]*with[^"]*)".*?<span class="cue">(.*?)</span></span>|<li class="([^"]*with)', html, re.S
    )
    assert len(rows) == 3
    assert html.count('part<span class="visually-hidden"> of the mashup before it</span>') == 2
    assert html.count('with<span class="visually-hidden"> the track before it</span>') == 1


@pytest.mark.covers("TL-01", "TL-03")
def test_the_same_page_a_second_time_changes_nothing(bring_in):
    _, first = bring_in(PAGE)
    _, run = bring_in(PAGE, first.list)
    assert (run.state, run.unchanged, run.version) == ("completed", 7, None)


@pytest.mark.covers("TL-03")
def test_a_page_that_is_cut_off_removes_nothing(bring_in, titles):
    _, first = bring_in(PAGE)
    before = titles(first.list)
    bring_in(PAGE[: PAGE.index(b'<div id="tlp_104"')], first.list)
    assert titles(first.list) == before


@pytest.mark.covers("TL-03")
def test_the_waiting_page_is_refused_with_the_way_out(client, ines, work):
    client.force_login(ines)
    page = b"""<!doctype html><html><head><title>Ostwind @ Pier</title><meta name="author" content="1001Tracklists"></head>
    <body><h1>Please wait, you will be forwarded</h1><form><input type="hidden" name="captcha" value="1"></form></body></html>"""
    client.post(reverse("sync:add"), {"file": SimpleUploadedFile("page.html", page)})
    work()
    html = client.get(reverse("sync:preview", args=[Proposal.objects.get().pk])).content.decode()
    assert "lets people wait, not the tracklist. Nothing was read. Open the tracklist itself" in html
    assert not MediaList.objects.exists()


@pytest.mark.covers("TL-01")
@pytest.mark.parametrize("key", ["json", "cue", "text", "csv"])
def test_an_export_read_back_into_its_list_is_untouched(api, bring_in, work, key):
    _, run = bring_in(PAGE)
    body = exported(api, run.list, key)
    file = SimpleUploadedFile(f"x.{key}", body)
    answer = api.post("/api/v1/uploads/", {"file": file, "list": run.list_id}, format="multipart")
    work()
    preview = api.get(f"/api/v1/uploads/{answer.json()['id']}/").json()
    own = preview["result"]["own_export"]
    assert (own["rows"], own["changed"], own["removed"], own["added"], own["moved"]) == (7, 0, 0, 0, False)
    assert api.post(f"/api/v1/uploads/{preview['id']}/confirm/").status_code == 409


@pytest.mark.covers("TL-01")
def test_a_tracklist_goes_round_by_json_with_all_that_it_says(api, bring_in):
    _, run = bring_in(PAGE)
    first = json.loads(exported(api, run.list, "json"))
    assert first["list"]["facts"] == FACTS | {"title": run.list.name}
    _, again = bring_in(json.dumps(first).encode())
    second = json.loads(exported(api, again.list, "json"))
    assert again.list_id != run.list_id
    own = ("entry", "first_listed_at")
    told = [[{k: v for k, v in e.items() if k not in own} for e in each["entries"]] for each in (first, second)]
    assert told[0] == told[1]
    assert (second["list"]["name"], second["list"]["facts"]) == (first["list"]["name"], first["list"]["facts"])


@pytest.mark.covers("CUE-05")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_cue_sheet_with_remarks_and_long_times_becomes_a_list(api, bring_in, encoding, end):
    sheet = 'PERFORMER "DJ Штиль"\nTITLE "Тихая ночь"\n; by hand\nREM DATE 2024\nFILE "x.mp3" MP3\n' + "".join(
        f'TRACK {n:02} AUDIO\n  TITLE "Песня {n}" // {n}\n  PERFORMER "Анна"\n  INDEX 01 {n * 2}:00:37\n'
        for n in range(1, 121)
    )
    preview, run = bring_in(sheet.replace("\n", end).encode(encoding))
    assert (preview["adapter"], run.added, run.skipped) == ("cue", 120, 0)
    assert (run.list.name, run.list.facts["performer"], run.list.facts["date"]) == ("Тихая ночь", "DJ Штиль", "2024")
    last = Entry.objects.order_by("rank").last()
    assert (last.artist, last.title, last.cue_ms) == ("Анна", "Песня 120", 14_400_493)


@pytest.mark.covers("CUE-05")
def test_a_broken_cue_sheet_is_refused_with_its_line(api, work):
    file = SimpleUploadedFile("x.cue", b'FILE "x.wav" WAVE\n  TRACK AUDIO\n    INDEX 01 00:00:00\n')
    answer = api.post("/api/v1/uploads/", {"file": file}, format="multipart")
    work()
    preview = api.get(f"/api/v1/uploads/{answer.json()['id']}/").json()
    assert preview["state"] == "refused"
    assert preview["error"] == "Line 2: The CUE sheet holds no track: a TRACK line needs a number. Nothing was read."


@pytest.mark.covers("TL-01")
def test_a_pasted_tracklist_becomes_a_list_and_goes_out_as_a_cue_sheet(api, bring_in, see):
    preview, run = bring_in((FORMATS / "tracklist_text.txt").read_bytes())
    assert preview["adapter"] == "tracklist_text"
    assert run.list.name == "Night at the Mill, 14 June 2024"
    sheet = exported(api, run.list, "cue").decode()
    assert re.findall(r'TITLE "(.*)"|INDEX 01 (\S+)|(no INDEX)', sheet) == [
        ("Night at the Mill, 14 June 2024", "", ""),
        ("Low Tide", "", ""), ("", "00:00:00", ""),
        ("Second Summer (Mara Lind Remix)", "", ""), ("", "05:23:00", ""),
        ("Glass Sea (Acapella)", "", ""), ("", "", "no INDEX"),
        ("ID", "", ""), ("", "58:10:00", ""),
        ("ID", "", ""), ("", "62:03:00", ""),
    ]  # fmt: skip
    html = see("exports", run.list_id)
    assert "CUE sheet (standard)" in html
    assert "Plain text" in html


@pytest.mark.covers("TL-01")
def test_an_id_track_takes_the_name_that_another_source_has(api, bring_in):
    _, run = bring_in(b"00:00 Ann - One\n05:00 ID - ID\n10:00 Bo - Three\n")
    sheet = "".join(
        f'TRACK {n} AUDIO\n  TITLE "{title}"\n  PERFORMER "{who}"\n  INDEX 01 {at}:00:00\n'
        for n, (at, who, title) in enumerate([(0, "Ann", "One"), (5, "Cy", "Two"), (10, "Bo", "Three")], 1)
    )
    bring_in(f'FILE "x.mp3" MP3\n{sheet}'.encode(), run.list)
    assert [(e.artist, e.title) for e in Entry.objects.order_by("rank")] == [
        ("Ann", "One"),
        ("Cy", "Two"),
        ("Bo", "Three"),
    ]


def test_a_fact_that_is_no_address_is_no_link(bring_in, see):
    facts = {"dj": "<b>X</b>", "url": "javascript:alert(1)", "source": "Y"}
    entry = {"kind": "track", "title": "One", "artist": "Ann"}
    body = {"listkeeper": 1, "list": {"name": "L", "content": "tracks", "facts": facts}, "entries": [entry]}
    _, run = bring_in(json.dumps(body).encode())
    html = see("items", run.list_id)
    assert "&lt;b&gt;X&lt;/b&gt;" in html
    assert "javascript:" not in html
