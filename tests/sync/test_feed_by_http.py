"""Feeds and guides that somebody saved, sent as a program sends them and followed to the list."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from lists.models import Account, Entry, MediaList

RSS = """<?xml version="1.0" encoding="{encoding}"?>
<rss version="2.0"><channel><title>Films by the sea</title>
{items}
</channel></rss>"""
ITEM = """<item><title>{title}</title><link>https://films.example/{n}?passkey=s3cr3t</link><guid>film-{n}</guid>
<description><![CDATA[<p>Word <b>{n}</b>.</p><script>alert(1)</script>]]></description></item>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Films by the sea</title>
<entry><id>urn:1</id><title type="html">Salt &amp;amp; Harbour (2021)</title>
<link href="https://www.imdb.com/title/tt0000011/"/><summary type="html">&lt;p&gt;Word &lt;b&gt;1&lt;/b&gt;.&lt;/p&gt;</summary></entry>
<entry><id>urn:2</id><title>Année 1</title></entry></feed>"""


def rss(*titles: str, start: int = 1, encoding: str = "utf-8") -> bytes:
    items = "\n".join(ITEM.format(title=title, n=n) for n, title in enumerate(titles, start))
    return RSS.format(items=items, encoding=encoding).encode(encoding)


@pytest.fixture
def client(ines) -> APIClient:
    client = APIClient()
    client.force_login(ines)
    return client


@pytest.fixture
def send(client, work):
    """Upload by the API and let a worker read it; returns the preview as the API shows it."""

    def send(body: bytes, **fields):
        file = SimpleUploadedFile("download", body)
        answer = client.post("/api/v1/uploads/", {"file": file, **fields}, format="multipart")
        assert answer.status_code == 202, answer.content
        work()
        return client.get(f"/api/v1/uploads/{answer.json()['id']}/").json()

    return send


@pytest.fixture
def bring(client, send, work):
    """The same, confirmed; returns the run as the API shows it. renews: the source that the file is of."""

    def bring(body: bytes, *, renews: int | None = None, **fields):
        shown = send(body, **fields)
        assert shown["state"] == "open", shown["error"]
        if renews:
            answer = client.post(f"/api/v1/uploads/{shown['id']}/read-again/", {"source": renews}, format="json")
            assert answer.status_code == 202, answer.content
            work()
        answer = client.post(f"/api/v1/uploads/{shown['id']}/confirm/")
        assert answer.status_code == 202, answer.content
        work()
        return client.get(f"/api/v1/runs/{answer.json()['run']}/").json()

    return bring


@pytest.mark.covers("SRC-08")
@pytest.mark.parametrize(
    "body",
    [
        rss("<![CDATA[Salt &amp; Harbour (2021)]]>", "Année 1"),
        rss("Salt &amp; Harbour (2021)", "<![CDATA[Année 1]]>", encoding="iso-8859-1"),
        rss("Salt &amp;amp; Harbour (2021)", "Ann&#233;e 1", encoding="utf-16"),
        ATOM.encode(),
    ],
    ids=["cdata", "latin-1", "utf-16", "atom"],
)
def test_a_saved_feed_fills_a_list(client, bring, body):
    run = bring(body, list_name="Sea")
    assert (run["state"], run["added"]) == ("completed", 2)
    first, second = Entry.objects.order_by("rank")
    assert (first.title, first.year, first.kind, first.overview) == ("Salt & Harbour", 2021, "movie", "Word 1.")
    assert second.title == "Année 1"
    shown = client.get(f"/api/v1/lists/{first.list_id}/entries/").json()["results"]
    assert [row["values"]["title"] for row in shown] == ["Salt & Harbour", "Année 1"]


@pytest.mark.covers("SRC-08")
def test_a_feed_shows_a_window_so_what_it_lacks_stays(client, bring, titles):
    bring(rss("One", "Two", "Three"))
    list_ = MediaList.objects.get()
    run = bring(rss("Three", "Four", start=3), list=list_.pk)
    assert (run["added"], run["removed"]) == (1, 0)
    feed = list_.sources.get(adapter="feed")
    run = bring(rss("Nine", start=9), list=list_.pk, renews=feed.pk)
    assert (run["added"], run["removed"]) == (1, 0)
    assert sorted(titles(list_)) == ["Four", "Nine", "One", "Three", "Two"]
    assert list_.sources.get(adapter="feed") == feed


@pytest.mark.covers("SRC-08")
def test_the_same_feed_again_changes_nothing(bring):
    bring(rss("One", "Two"))
    list_ = MediaList.objects.get()
    bring(rss("One", "Two"), list=list_.pk)
    assert list_.versions.count() == 1


@pytest.mark.parametrize(("declared", "shown"), [("koi8-r", "koi8-r"), ("windows-1251", "cp1251")])
def test_the_preview_says_in_which_encoding_a_feed_was_read(send, declared, shown):
    preview = send(rss("Тихий прилив", "Ночь", encoding=declared))
    assert preview["result"]["encoding"] == shown
    assert "Тихий прилив" in str(preview["result"])


def test_keys_in_addresses_of_a_feed_are_nowhere_to_be_seen(client, bring):
    bring(rss("One", "Two"))
    entry = Entry.objects.first()
    assert "s3cr3t" not in client.get(f"/api/v1/lists/{entry.list_id}/entries/{entry.pk}/").content.decode()
    assert "s3cr3t" not in str(Entry.history.values("extra"))
    assert "s3cr3t" in str([account.secrets for account in Account.objects.all()])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'<error code="100" description="Wrong user"/>', "The service answered with an error instead of a feed"),
        (b"<opml><body/></opml>", "This is a list of feeds (OPML), not a feed"),
        (rss("One", "Tw\x08o"), "there is a sign here that XML does not allow"),
        (rss("One", "Two")[:-40], "The file breaks off here"),
        (
            b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rss("&x;")[39:],
            "definitions of its own (a DTD)",
        ),
    ],
    ids=["error", "opml", "broken", "half", "entity"],
)
def test_what_cannot_be_read_says_why_and_leaves_nothing(send, body, says):
    shown = send(body, list_name="Sea")
    assert shown["state"] == "refused"
    assert says in shown["error"]
    assert "Nothing was read." in shown["error"]
    assert not MediaList.objects.exists()


def test_the_channels_of_a_guide_become_a_list_of_channels(client, bring, titles):
    guide = (
        '<!DOCTYPE tv SYSTEM "xmltv.dtd"><tv><channel id="a.example"><display-name>Hafen</display-name></channel>'
        '<channel id="b.example"><display-name>Lantern</display-name></channel><programme channel="a.example"/></tv>'
    )
    bring(guide.encode(), list_name="Channels")
    list_ = MediaList.objects.get()
    assert (list_.content, titles(list_)) == ("channels", ["Hafen", "Lantern"])
    assert list_.facts["programmes"] == "1"
    assert set(Entry.objects.values_list("kind", flat=True)) == {"channel"}
