"""Logins are taken out of addresses whole, and come back whole, where they belong."""

import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lists.credentials import Lifter, blank, fill, placeholders

# (address, as it is kept, what is lifted); as a stream's address
CASES = [
    ("http://tv.example:8080/live/ada/s3cret/101.ts", "http://tv.example:8080/live/{username}/{password}/101.ts", "ada s3cret"),
    ("http://tv.example/movie/ada/s3cret/5.mkv", "http://tv.example/movie/{username}/{password}/5.mkv", "ada s3cret"),
    ("http://tv.example/series/ada/s3cret/7001.mp4", "http://tv.example/series/{username}/{password}/7001.mp4", "ada s3cret"),
    ("http://tv.example/series/ada/s3cret/11", "http://tv.example/series/{username}/{password}/11", "ada s3cret"),
    ("https://tv.example/panel/live/ada/s3cret/9.m3u8", "https://tv.example/panel/live/{username}/{password}/9.m3u8", "ada s3cret"),
    ("http://tv.example:80/ada/210274/78482", "http://tv.example:80/{username}/{password}/78482", "ada 210274"),
    ("http://tv.example/ada/s3cret/101.ts|User-Agent=VLC 3", "http://tv.example/{username}/{password}/101.ts|User-Agent=VLC 3", "ada s3cret"),
    ("http://tv.example/timeshift/ada/s3cret/60/2024-01-31:10-00/7.ts", "http://tv.example/timeshift/{username}/{password}/60/2024-01-31:10-00/7.ts", "ada s3cret"),
    ("rtmp://tv.example/live/ada/s3cret/9", "rtmp://tv.example/live/{username}/{password}/9", "ada s3cret"),
    ("http://tv.example/live/o'hara/it's/9.ts", "http://tv.example/live/{username}/{password}/9.ts", "o'hara it's"),
    ("http://tv.example/get.php?username=ada&password=s3cret&type=m3u_plus&output=ts", "http://tv.example/get.php?username={username}&password={password}&type=m3u_plus&output=ts", "ada s3cret"),
    ("http://tv.example/player_api.php?username=ada&password=s3cret", "http://tv.example/player_api.php?username={username}&password={password}", "ada s3cret"),
    ("http://tv.example/xmltv.php?Username=ada&Password=s3cret", "http://tv.example/xmltv.php?Username={username}&Password={password}", "ada s3cret"),
    ("http://portal.example/play/live.php?mac=00:1A:79:00:00:01&stream=1&play_token=XyZ", "http://portal.example/play/live.php?mac={mac}&stream=1&play_token={play_token}", "00:1A:79:00:00:01 XyZ"),
    ("https://ada:pa@ss:word@tv.example/one.m3u8", "https://{username}:{password}@tv.example/one.m3u8", "ada pa@ss:word"),
    ("rtsp://ada:@camera.example/1", "rtsp://{username}:@camera.example/1", "ada"),
    ("rtsp://:s3cret@camera.example/1", "rtsp://:{password}@camera.example/1", "s3cret"),
    ("https://abcdef0123@tv.example/one.m3u8", "https://{token}@tv.example/one.m3u8", "abcdef0123"),
    ("https://tv.example/one.m3u8?token=abc&quality=hd", "https://tv.example/one.m3u8?token={token}&quality=hd", "abc"),
    ("https://tv.example/one.m3u8#access_token=abc", "https://tv.example/one.m3u8#access_token={access_token}", "abc"),
    ("https://feed.example/rss?passkey=abc;x=1", "https://feed.example/rss?passkey={passkey};x=1", "abc"),
    ("https://feed.example/rss?torrent_pass=abc&authkey=def", "https://feed.example/rss?torrent_pass={torrent_pass}&authkey={authkey}", "abc def"),
    ("https://media.example/item?X-Plex-Token=abc", "https://media.example/item?X-Plex-Token={x-plex-token}", "abc"),
    ("https://music.example/rest/stream?u=ada&p=s3cret&id=7", "https://music.example/rest/stream?u={username}&p={password}&id=7", "ada s3cret"),
    ("https://tv.example/1.m3u8|Authorization=Bearer a.b c&User-Agent=x", "https://tv.example/1.m3u8|Authorization={authorization}&User-Agent=x", "Bearer a.b c"),
    ("https://tv.example/1.m3u8|User-Agent=VLC 3&Cookie=a=b; c=d", "https://tv.example/1.m3u8|User-Agent=VLC 3&Cookie={cookie}", "a=b; c=d"),
    ("#EXTVLCOPT:http-password=a&b|c", "#EXTVLCOPT:http-password={http-password}", "a&b|c"),
    ("#EXTVLCOPT:http-user=ada", "#EXTVLCOPT:http-user={http-user}", "ada"),
    ("#EXTVLCOPT:http-referrer=https://tv.example/?token=abc", "#EXTVLCOPT:http-referrer=https://tv.example/?token={token}", "abc"),
    ("#KODIPROP:inputstream.adaptive.stream_headers=Authorization=Bearer x y&User-Agent=z", "#KODIPROP:inputstream.adaptive.stream_headers=Authorization={authorization}&User-Agent=z", "Bearer x y"),
    ('#EXTHTTP:{"cookie":"hdnea=st=1~hmac=2","User-Agent":"x"}', '#EXTHTTP:{"cookie":"{cookie}","User-Agent":"x"}', "hdnea=st=1~hmac=2"),
    ('shift; days=3; source=https://tv.example/timeshift/ada/s3cret/${duration}/{utc}/1.ts', 'shift; days=3; source=https://tv.example/timeshift/{username}/{password}/${duration}/{utc}/1.ts', "ada s3cret"),
    ('shift; days=3; source=https://tv.example/{utc}/1.ts?token=abc', 'shift; days=3; source=https://tv.example/{utc}/1.ts?token={token}', "abc"),
]  # fmt: skip
PLAIN = [
    "http://tv.example/one.m3u8",
    "http://tv.example:1935/live/one.stream/playlist.m3u8",
    "http://tv.example/live/news/hd/index.m3u8",
    "https://radio.example/stream/high/128",
    "https://pictures.example/logos/tv/7.png",
    "https://pictures.example/t/p/7.jpg",
    "udp://@239.0.0.1:1234",
    "plugin://plugin.video.one/?id=1&mode=play",
    "https://films.example/search?user=ada&page=2",
    "https://films.example/@ada/list",
    "#EXTVLCOPT:http-user-agent=Mozilla/5.0 (one; two)",
    "#1 song? password=none",
    r"C:\Music\user\pass\1.mp3",
    "no address: user:password@home",
]


@pytest.mark.covers("SRC-23")
@pytest.mark.parametrize(("text", "kept", "lifted"), CASES)
def test_a_login_is_lifted_and_put_back(text, kept, lifted):
    lifter = Lifter()
    assert lifter.lift(text, streams=True) == kept
    values = {name: value for name, value in lifter.secrets.items() if "@" not in name}
    assert sorted(values) == sorted(placeholders(kept))
    assert fill(kept, lifter.secrets) == text
    assert fill(kept, {}) == kept
    emptied = blank(text, streams=True)
    assert emptied == blank(kept, streams=True)
    for value in values.values():
        assert value in lifted
        assert value not in emptied


@pytest.mark.parametrize("text", PLAIN)
def test_an_address_without_a_login_stays_as_it_is(text):
    lifter = Lifter()
    assert lifter.lift(text, streams=True) == text
    assert blank(text, streams=True) == text
    assert lifter.secrets == {}


def test_only_the_address_of_a_stream_has_a_login_in_its_path():
    assert blank("https://films.example/ada/lists/7") == "https://films.example/ada/lists/7"
    assert blank("https://films.example/ada/lists/7", streams=True) == "https://films.example/{}/{}/7"


def test_addresses_inside_of_a_text_are_found():
    text = 'See "https://ada:s3cret@tv.example/x" and <http://tv.example/?token=abc>, or ask.'
    assert blank(text) == 'See "https://{}:{}@tv.example/x" and <http://tv.example/?token={}>, or ask.'


def test_the_lines_of_a_text_are_read_one_by_one():
    text = "#EXTVLCOPT:http-password=one\nhttp://tv.example/?token=two\n#KODIPROP:a=b"
    lifter = Lifter()
    kept = lifter.lift(text)
    assert kept == "#EXTVLCOPT:http-password={http-password}\nhttp://tv.example/?token={token}\n#KODIPROP:a=b"
    assert fill(kept, lifter.secrets) == text


def test_a_renewed_password_keeps_every_address_as_it_was():
    first = Lifter()
    kept = first.lift("http://tv.example/live/ada/old/1.ts", streams=True)
    second = Lifter(own=first.secrets)
    assert second.lift("http://tv.example/live/ada/new/1.ts", streams=True) == kept
    assert fill(kept, first.secrets | second.secrets) == "http://tv.example/live/ada/new/1.ts"


def test_two_logins_are_told_apart_whatever_stands_between_them():
    one, two = "http://tv.example/live/ada/one/1.ts", "http://tv.example/live/bob/two/2.ts"
    lifter = Lifter()
    kept = [lifter.lift(address, streams=True) for address in (one, two, one)]
    assert kept[0] == kept[2] != kept[1]
    assert [fill(address, lifter.secrets) for address in kept] == [one, two, one]
    later = Lifter(own=lifter.secrets)
    assert [later.lift(address, streams=True) for address in (two, one)] == [kept[1], kept[0]]


def test_the_name_of_another_sources_login_is_not_taken():
    others = Lifter()
    others.lift("http://tv.example/live/ada/one/1.ts", streams=True)
    mine = Lifter(others=others.secrets)
    kept = mine.lift("http://tv.example/live/bob/two/1.ts", streams=True)
    together = others.secrets | mine.secrets
    assert fill(kept, together) == "http://tv.example/live/bob/two/1.ts"
    assert fill("http://tv.example/live/{username}/{password}/1.ts", together) == "http://tv.example/live/ada/one/1.ts"


@pytest.mark.parametrize(
    "hostile",
    [
        "http://evil.example/{password}",
        "http://evil.example/?x={username}&password={password}",
        "http://{username}:{password}@evil.example/",
        "http://tv.example@evil.example/{password}",
        "http://evil.example/?http://tv.example/{password}",
        "http://tv.example:81/{password}",
        "#EXTVLCOPT:http-referrer=http://evil.example/{password}",
        "#EXTVLCOPT:http-password={password}",
        "source=http://evil.example/{password}",
        "{password}",
    ],
)
def test_a_login_is_put_back_only_at_the_host_that_it_was_met_at(hostile):
    lifter = Lifter()
    lifter.lift("http://tv.example/live/ada/s3cret/1.ts", streams=True)
    kept = Lifter(own=lifter.secrets).lift(hostile, streams=True)
    filled = fill(kept, lifter.secrets)
    assert "s3cret" not in filled
    assert "ada" not in filled


@pytest.mark.parametrize(
    "hostile", [r"http://evil.example\@tv.example/{password}", r"http://{token}@tv.example/{password}"]
)
def test_an_address_that_players_read_in_two_ways_gets_no_login(hostile):
    lifter = Lifter()
    lifter.lift(r"http://tv.example/live/ada/s3cret/1.ts?token=evil.example\x", streams=True)
    lifter.lift("http://tv.example/?token=evil.example\\")
    kept = lifter.lift(hostile, streams=True)
    lifter.secrets["token"] = "evil.example\\"
    assert "s3cret" not in fill(kept, lifter.secrets)


def test_what_is_sent_with_a_request_goes_to_its_own_host_only():
    option = '#EXTHTTP:{"cookie":"s3cret"}'
    lifter = Lifter()
    kept = lifter.lift(option, at="http://tv.example/1.ts")
    assert fill(kept, lifter.secrets, at="http://tv.example/2.ts") == option
    for elsewhere in ("http://evil.example/1.ts", "http:///evil.example", ""):
        assert fill(kept, lifter.secrets, at=elsewhere) == kept
    assert fill("http:///evil.example/{cookie}", lifter.secrets) == "http:///evil.example/{cookie}"


def test_a_value_that_stands_for_a_login_already_is_none():
    lifter = Lifter(own={"username": "ada", "password": "s3cret"})
    half = "http://tv.example/live/{username}/other/1.ts"
    assert lifter.lift("http://tv.example/live/{username}/{password}/1.ts", streams=True).count("{") == 2
    assert lifter.secrets == {}
    assert "other" not in lifter.lift(half, streams=True)
    assert fill(lifter.lift(half, streams=True), lifter.secrets) == half


# Marked, so that it can be told from what else stands in an address.
SECRET = st.text(string.ascii_letters + string.digits + "-_.~%!$'()*+,", min_size=1, max_size=20).map("Zq{}".format)
HOST = st.from_regex(r"[a-z]{3,8}\.example(:[0-9]{2,4})?", fullmatch=True)
SHAPES = [
    "http://{host}/live/{user}/{password}/{number}.ts",
    "https://{host}/movie/{user}/{password}/{number}.mkv",
    "http://{host}/{user}/{password}/{number}",
    "http://{host}/get.php?username={user}&password={password}&type=m3u",
    "http://{host}/stream?u={user}&p={password}",
    "http://{user}:{password}@{host}/{number}",
    "http://{host}/{number}.m3u8?x=1&token={password}",
    "http://{host}/{number}.m3u8|User-Agent=A B&Authorization=Bearer {password}",
    "#EXTVLCOPT:http-referrer=http://{host}/{number}?token={password}",
    "#EXTVLCOPT:http-password={user} {password}",
]


@given(st.sampled_from(SHAPES), HOST, SECRET, SECRET, st.integers(1, 10**12), st.booleans())
def test_whatever_is_lifted_comes_back_and_nothing_secret_stays(shape, host, user, password, number, is_second):
    address = shape.format(host=host, user=user, password=password, number=number)
    lifter = Lifter()
    if is_second:  # then the plain names are taken
        lifter.lift("http://first:login@first.example/?token=1&authorization=2&http-password=3")
    kept = lifter.lift(address, streams=True)
    assert fill(kept, lifter.secrets) == address
    assert Lifter(own=lifter.secrets).lift(kept, streams=True) == kept
    assert blank(kept, streams=True) == blank(address, streams=True)
    assert "Zq" not in kept + blank(address, streams=True)


@given(st.text(max_size=300), st.booleans())
@example("http://[::1]:80@/{}", True)
@example("http://a@b@c/d/e/1{password}", True)
@example('#EXTHTTP:{"cookie":"\\', True)
def test_any_text_is_lifted_and_comes_back(text, streams):
    lifter = Lifter()
    kept = lifter.lift(text, streams=streams)
    assert fill(kept, lifter.secrets) == text or placeholders(text) or "\\" in text
    assert isinstance(blank(text, streams=streams), str)


def test_a_hundred_thousand_addresses_take_no_time():
    lifter = Lifter()
    rows = [f"http://tv.example:8080/live/ada/s3cret/{n}.ts" for n in range(100_000)]
    begun = time.process_time()
    kept = [lifter.lift(row, streams=True) for row in rows]
    lifted = time.process_time()
    assert len(set(kept)) == len(rows)
    assert [fill(row, lifter.secrets) for row in kept[:100]] == rows[:100]
    assert lifted - begun < 20  # a second, unless it grows with what came before


@pytest.mark.parametrize(
    "text",
    [
        "http://" + "a@" * 100_000, "http://h/" + "a/" * 100_000, "http://h/?" + "a=b&" * 50_000, "ab://" * 50_000,
        "http://h/live/" + "a" * 200_000, "#EXTHTTP:" + '"a":"' * 50_000, "#KODIPROP:" + "=a" * 100_000, "{a" * 100_000,
        "http://h/?" + "-_" * 100_000 + "=1", "x" * 200_000 + "://h", "http://h/live" * 20_000,
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_no_text_keeps_it_busy(text):
    begun = time.process_time()
    lifter = Lifter()
    fill(lifter.lift(text, streams=True), lifter.secrets)
    assert time.process_time() - begun < 10  # hundredths of a second, unless it grows with the square
