"""Paste any address: recognised, tried and shown, then kept with a policy. Through pages and API, against a service
on loopback."""

import json

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lists import services
from lists.models import Account, Audit, Entry, MediaList, Proposal, Source
from sync.models import Run
from tests.lists.test_api import api
from tests.sync.sources.stand_ins import STAND_INS, Shown, filled
from tests.upstream import Upstream

pytestmark = pytest.mark.covers("SRC-24")

NOIR = "https://trakt.tv/users/ada/lists/noir"
FILMS = [{"title": f"Film {n}", "year": 1990 + n, "imdb_id": f"tt{n:07}"} for n in range(1, 4)]
TABLE = b"Title,Year,IMDb ID\nHarbour,1990,tt0000001\nLantern,1991,tt0000002\nNo year,soon,tt0000003\n"
FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Films of Ada</title>
<item><title>Harbour (1990)</title><link>https://www.imdb.com/title/tt0000001/</link></item></channel></rss>"""


@pytest.fixture
def mine(ines):
    return api(ines)


@pytest.fixture
def browser(ines) -> Client:
    client = Client()
    client.force_login(ines)
    return client


@pytest.fixture
def site(settings, upstream):
    """A service stands at the stand-in: site("trakt")."""
    settings.SERVICE_KEYS = {"trakt": {"client_id": "of-the-site"}}
    settings.SERVICES = {
        name: {"url": upstream.url, "rate": 1000, "burst": 100} for name in ("trakt", "tmdb", "mdblist", "mdblist_site")
    }
    return upstream


def serve(upstream: Upstream, key: str, films: list[int], **shown) -> None:
    """A source's stand-in shows these films."""
    stand_in = STAND_INS[key]
    upstream.replies.clear()
    for path, answer in stand_in.heads.items():
        upstream.answer(path, filled(answer, total=len(films)))
    body, headers = stand_in.show(Shown(films, 1, 1, shown.get("total", len(films))))
    upstream.answer(stand_in.path, body, headers={"Content-Type": "application/json", **headers})


@pytest.fixture
def paste(browser, work):
    """Paste an address on the page; returns the preview as it was read."""

    def paste(address: str, list_: MediaList | None = None) -> Proposal:
        to = reverse("sync:paste_into", args=[list_.pk]) if list_ else reverse("sync:paste")
        answer = browser.post(to, {"address": address})
        assert answer.status_code == 302, answer.content.decode()
        work()
        return Proposal.objects.latest("pk")

    return paste


def text_of(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def stored() -> list[int]:
    return [model.objects.count() for model in (MediaList, Source, Entry, Account, Run)]


# -- recognised, tried, shown --------------------------------------------------------------------------------------------


def test_a_pasted_address_is_recognised_tried_shown_and_kept(browser, paste, site, work, titles):
    serve(site, "trakt_list", [1, 2, 3])
    path = STAND_INS["trakt_list"].config
    preview = paste(f"https://trakt.tv/users/{path['user']}/lists/{path['list']}")
    assert (preview.state, preview.adapter, preview.error) == ("open", "trakt_list", "")
    assert stored() == [0, 0, 0, 0, 0], "looking at it saves nothing"
    html = text_of(browser.get(reverse("sync:preview", args=[preview.pk]), follow=True))
    for said in (
        "This is: Trakt list",
        "Its order is kept",
        "It says how long it is (3)",
        "Film 2",
        "Powered by Trakt.",
        "Nothing is saved yet",
    ):
        assert said in html, said
    keep = reverse("sync:keep", args=[preview.pk])
    assert "How to keep it" in text_of(browser.get(keep))
    said = {"list_name": "Noir", "source_name": "Ada's", "removals": "ask", "strategy": "priority", "interval_min": 720}
    done = browser.post(keep, said)
    source = Source.objects.select_related("list").get()
    assert done.url == reverse("sync:run", args=[Run.objects.get().pk])
    assert (source.list.name, source.name, source.interval_min, source.config) == ("Noir", "Ada's", 720, path)
    assert (source.list.policy, source.mode) == ({"removals": "ask"}, "complete")
    work()
    assert titles(source.list) == ["Film 1", "Film 2", "Film 3"]
    assert Run.objects.get().state == "completed"
    preview.refresh_from_db()
    assert (preview.state, preview.body, preview.list, preview.source) == ("confirmed", None, source.list, source)
    again = text_of(browser.get(reverse("sync:preview", args=[preview.pk])))
    assert "This was saved" in again


def test_its_first_sync_takes_what_is_there_then_and_not_what_the_preview_showed(browser, paste, site, work, titles):
    serve(site, "trakt_list", [1, 2])
    preview = paste(address_of("trakt_list"))
    serve(site, "trakt_list", [2, 3])
    browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 360})
    work()
    assert titles(MediaList.objects.get()) == ["Film 2", "Film 3"]


def address_of(key: str) -> str:
    config = STAND_INS[key].config
    return f"https://trakt.tv/users/{config['user']}/lists/{config['list']}"


@pytest.mark.parametrize(
    ("path", "body", "kind", "count"),
    [
        ("/films.json", FILMS, "json_url", 3),
        ("/films.csv", TABLE, "csv_url", 2),
        ("/films", TABLE, "csv_url", 2),
        ("/feed", FEED, "feed_url", 1),
    ],
)
def test_what_lies_at_an_address_that_nobody_knows_is_found_out(
    path, body, kind, count, paste, upstream, browser, work, titles
):
    upstream.answer(path, body, headers={"Content-Type": "text/plain"})
    preview = paste(f"{upstream.url}{path}")
    assert (preview.state, preview.adapter) == ("open", kind), preview.error
    assert preview.result["counts"]["added"] == count
    browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 360})
    work()
    source = Source.objects.get()
    assert (source.adapter, source.address, len(titles(source.list))) == (kind, f"{upstream.url}{path}", count)
    assert source.list.name == {"feed_url": "Films of Ada"}.get(kind, "films" if "." in path else "127.0.0.1")


def test_the_columns_of_a_table_at_an_address_can_be_told(paste, upstream, browser, work, titles):
    upstream.answer(
        "/films.csv", b"Name,Another\nHarbour,Hafen\nLantern,Laterne\n", headers={"Content-Type": "text/csv"}
    )
    preview = paste(f"{upstream.url}/films.csv")
    html = text_of(browser.get(reverse("sync:found", args=[preview.pk])))
    assert "What the columns hold" in html
    browser.post(reverse("sync:try_again", args=[preview.pk]), {"column-0": "original_title", "column-1": "title"})
    work()
    preview.refresh_from_db()
    assert [row["title"] for row in preview.result["added"]] == ["Hafen", "Laterne"], preview.error
    browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 360})
    work()
    assert titles(MediaList.objects.get()) == ["Hafen", "Laterne"]


PAGE = "<!DOCTYPE html><html><body><h1>Some page</h1></body></html>"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"body": PAGE}, ("We know no list at this address", "a web page", "Trakt", "Nothing was saved")),
        ({"body": b"#EXTM3U\n#EXTINF:-1,One\nhttp://tv.example/1.ts\n"}, ("read as a file", "upload")),
        ({"body": b""}, ("answers with nothing",)),
        ({"status": 404}, ("Nothing",)),
        ({"status": 401}, ("Nothing",)),
        ({"status": 403}, ("Nothing",)),
        ({"status": 410}, ("Nothing",)),
        ({"status": 500}, ("Nothing",)),
        ({"body": b"[" * 400 + b"]" * 400}, ()),
        ({"body": b"\x89PNG\r\n\x1a\n\x00\x00"}, ()),
    ],
)
def test_what_cannot_be_read_says_why_and_saves_nothing(reply, said, paste, upstream, browser, work):
    upstream.answer("/there", **{"body": b"{}", **reply})
    preview = paste(f"{upstream.url}/there")
    assert (preview.state, bool(preview.error)) == ("refused", True)
    html = text_of(browser.get(reverse("sync:found", args=[preview.pk])))
    assert "Nothing is saved" in html
    for words in said:
        assert words in preview.error, preview.error
    upstream.replies.clear()
    upstream.answer("/there", FILMS)
    browser.post(reverse("sync:try_again", args=[preview.pk]), {"adapter": ""})
    assert stored() == [0, 0, 0, 0, 0]
    work()
    preview.refresh_from_db()
    assert (preview.state, preview.adapter) == ("open", "json_url"), "once it answers well, it is found out"
    assert stored() == [0, 0, 0, 0, 0]


def test_an_address_inside_our_own_network_is_not_asked(paste, upstream, settings):
    settings.OUTBOUND_ALLOW = []
    upstream.answer("/films.json", FILMS)
    preview = paste(f"{upstream.url}/films.json")
    assert (preview.state, upstream.seen) == ("refused", [])
    assert stored() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "no address of the web"),
        ("just some words", "no address of the web"),
        ("ftp://films.example/list", "no address of the web"),
        ("https://", "no address of the web"),
        ("https://films.example:99999/list", "no address of the web"),
        ("https://films.example/" + "a" * 3000, "no address of the web"),
        ("https://letterboxd.com/ada/list/noir/", "does not let programs read"),
        ("javascript:alert(1)", "no address of the web"),
    ],
)
def test_an_address_that_no_kind_reads_is_refused_at_once(address, said, browser, mine):
    html = text_of(browser.post(reverse("sync:paste"), {"address": address}))
    assert said in html
    if 0 < len(address) < 2000:
        answer = mine.post("/api/v1/previews/", {"address": address}, format="json")
        assert answer.status_code in (400, 409)
    assert Proposal.objects.count() == 0


@pytest.mark.parametrize(
    ("address", "kind", "config"),
    [
        ("https://trakt.tv/users/ada/lists/noir", "trakt_list", {"user": "ada", "list": "noir"}),
        ("trakt.tv/users/ada/lists/noir?sort=rank,asc", "trakt_list", {"user": "ada", "list": "noir"}),
        ("https://app.trakt.tv/users/ada/watchlist", "trakt_user", {"user": "ada", "list": "watchlist"}),
        ("https://trakt.tv/movies/trending", "trakt_chart", {"chart": "trending", "kind": "movies"}),
        ("https://www.themoviedb.org/list/8136-noir", "tmdb_list", {"id": "8136"}),
        ("https://www.themoviedb.org/movie/top-rated", "tmdb_chart", {"chart": "top_rated", "kind": "movie"}),
        ("https://letterboxd.com/ada/rss/", "letterboxd_diary", {"user": "ada"}),
        ("https://rss.plex.tv/5b2c9f3a-1111-2222-3333-444455556666", "plex_feed", {}),
        ("https://popular-movies-data.stevenlu.com/movies.json", "stevenlu", {}),
        ("https://films.example/any/list.json", None, {}),
    ],
)
def test_addresses_of_services_are_known_without_asking_anybody(address, kind, config, mine):
    found = mine.post("/api/v1/source-types/recognise/", {"address": address}, format="json").json()
    if kind is None:
        assert "json_url" in {row["adapter"] for row in found}
    else:
        assert (found[0]["adapter"], found[0]["config"]) == (kind, config)
    assert all(row["help"] for row in found)


# -- accounts and secrets --------------------------------------------------------------------------------------------------


def test_what_needs_an_account_says_so_and_is_tried_again_with_one(browser, paste, site, ines, settings, work):
    settings.SERVICE_KEYS = {}
    serve(site, "tmdb_list", [1, 2])
    preview = paste(f"https://www.themoviedb.org/list/{STAND_INS['tmdb_list'].config['id']}")
    assert preview.state == "refused"
    assert "needs an account" in preview.error
    html = text_of(browser.get(reverse("sync:found", args=[preview.pk])))
    assert reverse("sync:account_add", args=["tmdb"]) in html
    account = services.make_account(ines, service="tmdb", name="Mine", by=ines, secrets=STAND_INS["tmdb_list"].secrets)
    site.answer("/3/authentication", {"success": True})
    id_ = STAND_INS["tmdb_list"].config["id"]
    browser.post(reverse("sync:try_again", args=[preview.pk]), {"account": account.pk, "q-id": id_})
    work()
    preview.refresh_from_db()
    assert preview.state == "open", preview.error
    assert "Read with your account" in text_of(browser.get(reverse("sync:found", args=[preview.pk])))
    browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 360})
    work()
    assert Source.objects.get().account == account
    assert Run.objects.get().state == "completed", Run.objects.get().error
    # The next address of that service is read with it at once.
    assert paste("https://www.themoviedb.org/list/9").config["account"] == account.pk


def test_another_persons_account_cannot_be_used(mine, jonas, site):
    theirs = services.make_account(jonas, service="tmdb", name="Theirs", by=jonas, secrets={"api_key": "k" * 32})
    body = {"address": "https://www.themoviedb.org/list/8", "account": theirs.pk}
    assert mine.post("/api/v1/previews/", body, format="json").status_code == 400


@pytest.mark.covers("SAFE-09")
def test_secrets_in_an_address_go_into_an_account_and_are_found_nowhere_else(
    browser, mine, paste, upstream, work, titles, caplog
):
    caplog.set_level("INFO")
    host = upstream.url.removeprefix("http://")
    upstream.answer("/films.json", FILMS)
    preview = paste(f"http://ada:CANARY1@{host}/films.json?api_key=CANARY2&page=1&X-Plex-Token=CANARY3")
    seen = [page_of(browser, "sync:found", preview), page_of(browser, "sync:keep", preview)]
    seen.append(json.dumps(mine.get(f"/api/v1/uploads/{preview.pk}/").json()))
    browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 360})
    work()
    source = Source.objects.get()
    assert titles(source.list) == ["Film 1", "Film 2", "Film 3"]
    asked = upstream.seen[-1]
    assert (asked.query["api_key"], asked.query["X-Plex-Token"]) == (["CANARY2"], ["CANARY3"])
    assert asked.headers["Authorization"].startswith("Basic ")
    assert source.account.from_addresses
    assert "CANARY" not in source.address
    seen.append(json.dumps(mine.get(f"/api/v1/lists/{source.list_id}/sources/").json()))
    seen.append(text_of(browser.get(reverse("lists:source", args=[source.list_id, source.pk]))))
    seen.append(str(list(Audit.objects.values())))
    without = mine.put(f"/api/v1/lists/{source.list_id}/sources/{source.pk}/account/", {"account": None}, format="json")
    assert without.status_code == 400, "it would be asked without its login"
    upstream.replies["/films.json"].clear()
    upstream.answer("/films.json", status=401)
    mine.post(f"/api/v1/lists/{source.list_id}/sources/{source.pk}/sync/", {"force": True}, format="json")
    work()
    assert Run.objects.latest("pk").state == "failed"
    seen += [caplog.text, str(list(Run.objects.values())), dump_without_decrypting()]
    for place, text in enumerate(seen):
        assert "CANARY" not in text, place


def page_of(browser, name: str, preview: Proposal) -> str:
    return text_of(browser.get(reverse(name, args=[preview.pk])))


def dump_without_decrypting() -> str:
    with connection.cursor() as cursor:
        tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed and not model._meta.proxy]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += [
                str([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row])
                for row in cursor.fetchall()
            ]
    return "\n".join(rows)


def test_a_key_that_stands_in_a_known_address_becomes_an_account(paste, site, browser, work, ines):
    serve(site, "mdblist_list", [1, 2])
    config = STAND_INS["mdblist_list"].config
    preview = paste(f"https://mdblist.com/lists/{config['user']}/{config['list']}?apikey=CANARY")
    assert (preview.state, preview.adapter) == ("open", "mdblist_list"), preview.error
    assert Account.objects.count() == 0
    browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 720})
    account = Account.objects.get()
    assert (account.service, account.owner, account.opened) == ("mdblist", ines, {"api_key": "CANARY"})
    work()
    assert Run.objects.get().state == "completed", Run.objects.get().error


def test_a_public_list_needs_no_key_where_a_kind_without_one_reads_it(paste, site):
    serve(site, "mdblist_public", [1, 2])
    config = STAND_INS["mdblist_public"].config
    preview = paste(f"https://mdblist.com/lists/{config['user']}/{config['list']}")
    assert (preview.state, preview.adapter) == ("open", "mdblist_public"), preview.error


# -- kinds without an address ----------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-02")
def test_a_chart_is_picked_and_asked_for(browser, site, work, titles):
    serve(site, "trakt_chart", [3, 1])
    html = text_of(browser.get(reverse("sync:add")))
    assert reverse("sync:kind", args=["trakt_chart"]) in html
    page = reverse("sync:kind", args=["trakt_chart"])
    assert "each reading takes the place of the last" in text_of(browser.get(page))
    wrong = text_of(browser.post(page, {"q-chart": "nonsense", "q-kind": "movies"}))
    assert "nonsense is not one of the available choices" in wrong
    assert Proposal.objects.count() == 0
    config = STAND_INS["trakt_chart"].config
    assert browser.post(page, {f"q-{name}": value for name, value in config.items()}).status_code == 302
    work()
    preview = Proposal.objects.get()
    assert preview.state == "open", preview.error
    browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 1440, "list_name": "Trending"})
    work()
    source = Source.objects.get()
    assert (source.mode, titles(source.list)) == ("rolling", ["Film 3", "Film 1"])


def test_what_must_be_agreed_to_is_asked_before_anything_is_read(browser, work, settings):
    settings.IMDB_GRAPHQL = True
    html = text_of(browser.post(reverse("sync:paste"), {"address": "https://www.imdb.com/list/ls012345678/"}))
    assert "private, non-commercial use only" in html
    assert "ls012345678" in html
    assert Proposal.objects.count() == 0
    settings.IMDB_GRAPHQL = False
    html = text_of(browser.post(reverse("sync:paste"), {"address": "https://www.imdb.com/list/ls012345678/"}))
    assert "imdb.com/exports" in html


def test_an_unknown_kind_is_refused(browser, mine):
    assert browser.get(reverse("sync:kind", args=["nonsense"])).status_code == 404
    assert browser.get(reverse("sync:kind", args=["csv_table"])).status_code == 404
    assert mine.post("/api/v1/previews/", {"adapter": "nonsense"}, format="json").status_code == 400
    assert mine.post("/api/v1/previews/", {}, format="json").status_code == 400


# -- onto a list that is there ---------------------------------------------------------------------------------------------


def test_it_becomes_one_more_source_of_a_list_and_takes_nothing_away(paste, site, browser, work, titles, films, upload):
    upload(films, [{"key": "a", "title": "Mine", "year": 1980}])
    serve(site, "trakt_list", [1, 2])
    preview = paste(address_of("trakt_list"), films)
    assert (preview.result["counts"]["added"], preview.result["counts"]["removed"]) == (2, 0)
    assert "Believe it before the other sources" in text_of(browser.get(reverse("sync:keep", args=[preview.pk])))
    browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 360, "first": "on"})
    work()
    assert set(titles(films)) == {"Mine", "Film 1", "Film 2"}
    assert Source.objects.speaking().first().adapter == "trakt_list"


def test_the_same_again_is_refused_and_one_that_was_removed_comes_back(paste, site, browser, work, titles, films, ines):
    serve(site, "trakt_list", [1, 2])
    keep = lambda preview: browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 360})  # noqa: E731
    keep(paste(address_of("trakt_list"), films))
    work()
    refused = text_of(keep(paste(address_of("trakt_list"), films)))
    assert "reads this already" in refused
    assert Source.objects.count() == 1
    services.remove_source(Source.objects.get(), by=ines, keep=False)
    assert titles(films) == []
    keep(Proposal.objects.latest("pk"))
    work()
    source = Source.objects.get()
    assert (source.removed_at, source.enabled, titles(films)) == (None, True, ["Film 1", "Film 2"])


def test_who_may_not_change_a_list_cannot_add_to_it_nor_see_what_others_look_at(paste, site, jonas, films, browser):
    serve(site, "trakt_list", [1])
    preview = paste(address_of("trakt_list"))
    stranger = Client()
    stranger.force_login(jonas)
    for name in ("found", "keep"):
        assert stranger.get(reverse(f"sync:{name}", args=[preview.pk])).status_code == 404
    assert stranger.post(reverse("sync:try_again", args=[preview.pk])).status_code == 404
    assert stranger.post(reverse("sync:paste_into", args=[films.pk]), {"address": NOIR}).status_code == 404
    theirs = services.create_list(jonas, name="Theirs")
    answer = browser.post(reverse("sync:keep", args=[preview.pk]), {"interval_min": 360, "list": theirs.pk})
    assert answer.status_code == 200
    assert not Source.objects.filter(list=theirs).exists()


def test_what_was_thrown_away_or_kept_already_is_said(paste, site, browser, mine):
    serve(site, "trakt_list", [1])
    preview = paste(address_of("trakt_list"))
    browser.post(reverse("sync:discard", args=[preview.pk]))
    preview.refresh_from_db()
    assert (preview.state, preview.body) == ("withdrawn", None)
    answer = mine.post(f"/api/v1/previews/{preview.pk}/keep/", {}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_open")
    assert stored() == [0, 0, 0, 0, 0]


# -- by API ----------------------------------------------------------------------------------------------------------------


def test_the_api_can_all_of_it(mine, site, work, titles, films, upload):
    serve(site, "trakt_list", [1, 2])
    made = mine.post("/api/v1/previews/", {"address": address_of("trakt_list"), "list_name": "Noir"}, format="json")
    assert made.status_code == 202, made.json()
    address = f"/api/v1/previews/{made.json()['id']}/"
    work()
    preview = mine.get(f"/api/v1/uploads/{made.json()['id']}/").json()
    assert (preview["state"], preview["result"]["stated"], preview["result"]["counts"]["added"]) == ("open", 2, 2)
    again = mine.post(f"{address}try-again/", {"config": {**STAND_INS["trakt_list"].config}}, format="json")
    assert again.status_code == 202, again.json()
    work()
    assert mine.post(f"/api/v1/uploads/{preview['id']}/confirm/", {}, format="json").status_code == 409
    body = {"source_name": "Ada", "interval_min": 60, "removals": "keep"}
    kept = mine.post(f"{address}keep/", body, format="json")
    assert kept.status_code == 202, kept.json()
    work()
    list_ = MediaList.objects.get(pk=kept.json()["list"])
    assert (list_.name, list_.policy, titles(list_)) == ("Noir", {"removals": "keep"}, ["Film 1", "Film 2"])
    assert Source.objects.get(pk=kept.json()["source"]).interval_min == 60
    file = upload(films, [{"key": "a", "title": "Mine"}], confirm=False)
    assert mine.post(f"/api/v1/previews/{file.pk}/keep/", {}, format="json").status_code == 409


def test_rules_of_a_list_that_is_there_are_not_passed_over_in_silence(mine, site, work, films):
    serve(site, "trakt_list", [1])
    made = mine.post("/api/v1/previews/", {"address": address_of("trakt_list"), "list": films.pk}, format="json").json()
    work()
    answer = mine.post(f"/api/v1/previews/{made['id']}/keep/", {"removals": "keep"}, format="json")
    assert (answer.status_code, Source.objects.count()) == (400, 0)


# -- another address later -------------------------------------------------------------------------------------------------


def test_a_source_is_read_elsewhere_from_now_on(mine, browser, upstream, work, titles, films):
    upstream.answer("/old.json", FILMS[:2], headers={"ETag": '"old"'})
    upstream.answer("/new.json", FILMS, headers={"ETag": '"old"'})
    made = mine.post(
        f"/api/v1/lists/{films.pk}/sources/",
        {"adapter": "json_url", "address": f"{upstream.url}/old.json", "gap_min": 0},
    ).json()
    sync = f"/api/v1/lists/{films.pk}/sources/{made['id']}/sync/"
    mine.post(sync)
    work()
    assert len(titles(films)) == 2
    Source.objects.update(failures=3)
    page = reverse("sync:source_address", args=[films.pk, made["id"]])
    assert "Where it is read" in text_of(browser.get(page))
    with_login = upstream.url.replace("//", "//ada:CANARY@") + "/new.json"
    assert browser.post(page, {"address": with_login}).status_code == 302
    source = Source.objects.get(pk=made["id"])
    assert (source.etag, source.body_digest, source.failures) == ("", None, 0)
    assert "CANARY" not in source.address
    assert source.account.from_addresses
    assert len(titles(films)) == 2, "nothing was removed"
    mine.post(sync)
    work()
    assert len(titles(films)) == 3
    assert upstream.seen[-1].headers.get("If-None-Match") is None
    by_api = f"/api/v1/lists/{films.pk}/sources/{made['id']}/move/"
    assert mine.post(by_api, {"address": "nonsense words"}, format="json").status_code == 409
    assert mine.post(by_api, {"config": {"nonsense": 1}}, format="json").status_code == 400
    assert "CANARY" not in mine.post(by_api, {"address": f"{upstream.url}/old.json"}, format="json").content.decode()


def test_only_the_owner_says_where_a_source_is_read(films, jonas, ines):
    services.share_list(films, user=jonas, role="editor", by=ines)
    source = services.add_source(films, adapter="json_url", name="Any", by=ines, address="https://films.example/a.json")
    editor = Client()
    editor.force_login(jonas)
    assert editor.get(reverse("sync:source_address", args=[films.pk, source.pk])).status_code == 403
    answer = api(jonas).post(
        f"/api/v1/lists/{films.pk}/sources/{source.pk}/move/", {"address": "https://b.example/"}, format="json"
    )
    assert answer.status_code == 403


def test_the_pages_of_an_address_ask_as_often_for_many_as_for_few(browser, paste, upstream, ines):
    upstream.answer("/films.json", FILMS)
    first = paste(f"{upstream.url}/films.json")
    upstream.answer("/more.json", [{"title": f"Film {n}", "imdb_id": f"tt{n:07}"} for n in range(500)])
    second = paste(f"{upstream.url}/more.json")

    def queries(proposal: Proposal) -> list[int]:
        counts = []
        for address in (
            reverse("sync:add"), reverse("sync:kind", args=["trakt_list"]), reverse("sync:preview", args=[proposal.pk]),
            reverse("sync:found", args=[proposal.pk]), reverse("sync:keep", args=[proposal.pk]),
        ):  # fmt: skip
            with CaptureQueriesContext(connection) as seen:
                assert browser.get(address).status_code in (200, 302)
            counts.append(len(seen))
        return counts

    queries(first)  # what is remembered from page to page
    few = queries(first)
    for n in range(60):
        services.create_list(ines, name=f"List {n}")
        Account.objects.create(owner=ines, service="trakt", name=f"Mine {n}")
    assert queries(second) == few
    assert max(few) <= 14, few
