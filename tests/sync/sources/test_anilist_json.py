"""AniList's answers for a user: anime is taken, manga is not, and an entry of several lists is one."""

import json

import pytest

from lists.records import NotTaken, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.anilist_json import AnilistJson

MEDIA = {
    "id": 501, "idMal": 601, "type": "ANIME", "format": "TV", "title": {"romaji": "Shio no Minato", "english": "Salt"},
}  # fmt: skip


def entry(score=0, **media):
    return {"status": "COMPLETED", "score": score, "media": MEDIA | media}


def collection(*lists, scale=None):
    user = {"mediaListOptions": {"scoreFormat": scale}}
    return {"data": {"MediaListCollection": {"user": user, "lists": list(lists)}}}


def read(value) -> list:
    return list(AnilistJson().fetch(Context(json.dumps(value).encode())))


def one(**media):
    [row] = read(collection({"entries": [entry(**media)]}))
    return row


def test_an_entry_brings_its_fields_in_our_terms():
    whole = {
        "status": "REPEATING", "score": 85, "progress": 12, "repeat": 2, "notes": "rainy", "createdAt": 1609459200,
        "completedAt": {"year": 2021, "month": 2, "day": 3},
        "media": MEDIA | {
            "title": {"romaji": "Shio no Minato", "english": "Salt", "native": "塩の港"}, "duration": 24,
            "seasonYear": 2019, "startDate": {"year": 2019, "month": 4, "day": None}, "averageScore": 78,
            "description": "A <i>harbour</i>.<br><br>\nSalt &amp; fog.", "genres": ["Sci-Fi"], "status": "NOT_YET_RELEASED",
            "coverImage": {"large": "https://img.example/l.jpg", "extraLarge": "https://img.example/x.jpg"},
            "bannerImage": "https://img.example/b.jpg", "siteUrl": "https://anilist.co/anime/501",
        },
    }  # fmt: skip
    assert read(collection({"entries": [whole]}, scale="POINT_100")) == [
        Record(
            key="anilist:show/501", kind="show", position=1, ids={"anilist": "show/501", "mal": "show/601"},
            values={
                "title": "Salt", "original_title": "塩の港", "year": 2019, "release_date": "2019-04", "runtime_s": 1440,
                "overview": "A harbour.\n\nSalt & fog.", "genres": ["Sci-Fi"], "rating": 7.8, "your_rating": 8.5,
                "poster": "https://img.example/x.jpg", "backdrop": "https://img.example/b.jpg",
                "address": "https://anilist.co/anime/501", "release_status": "not yet released",
                "watch_status": "repeating", "watched_on": "2021-02-03", "rewatch": 2, "episodes_seen": 12,
                "note": "rainy", "added_on": "2021-01-01",
            },
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ({"romaji": "Shio", "english": "Salt", "userPreferred": "塩"}, "Salt"),
        ({"romaji": "Shio", "english": None, "userPreferred": "塩"}, "Shio"),
        ({"userPreferred": "塩"}, "塩"),
    ],
)
def test_the_english_title_is_preferred_then_the_one_in_latin_letters(title, shown):
    assert one(title=title).values["title"] == shown


@pytest.mark.parametrize(("format_", "kind"), [("TV", "show"), ("OVA", "show"), ("MOVIE", "movie"), (None, "show")])
def test_the_format_says_the_kind_and_ids_carry_it(format_, kind):
    row = one(format=format_)
    assert (row.kind, row.ids) == (kind, {"anilist": f"{kind}/501", "mal": f"{kind}/601"})


def test_an_entry_of_several_lists_is_one_and_lists_of_ones_own_are_its_tags():
    rows = read(collection(
        {"name": "Completed", "isCustomList": False, "entries": [entry(), entry(id=502, idMal=None)]},
        {"name": "Rainy days", "isCustomList": True, "entries": [entry()]},
        {"name": "Favourites", "isCustomList": True, "entries": [entry()]},
    ))  # fmt: skip
    assert [(row.key, row.values.get("labels")) for row in rows] == [
        ("anilist:show/501", ["Rainy days", "Favourites"]), ("anilist:show/502", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scale", "scores", "ratings"),
    [
        ("POINT_100", [85, 100], [8.5, 10.0]),
        ("POINT_10_DECIMAL", [8.5, 3], [8.5, 3.0]),
        ("POINT_5", [4, 5], [8.0, 10.0]),
        ("POINT_3", [1, 3], [3.3, 10.0]),
        (None, [70, 4], [7.0, 0.4]),
        (None, [7, 4], [7.0, 4.0]),
        (None, [4, 5], [None, None]),
        (None, [0, 7], [None, 7.0]),
    ],
)
def test_scores_become_ratings_of_ten_where_their_scale_is_sure(scale, scores, ratings):
    entries = [entry(score=score, id=n) for n, score in enumerate(scores, 1)]
    rows = read(collection({"entries": entries}, scale=scale))
    assert [row.values.get("your_rating") for row in rows] == ratings


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"anime": {"lists": [{"entries": [entry()]}]}, "manga": {"lists": [{"entries": [entry(id=9)]}]}}},
        collection({"entries": [entry(), entry(id=9, type="MANGA")]}),
        {"data": {"Page": {"mediaList": [entry(), entry(id=9, format="NOVEL")]}}},
    ],
)
def test_anime_is_taken_and_manga_is_not(answer):
    assert recognise(json.dumps(answer).encode())[0] is AnilistJson
    rows = read(answer)
    assert [row.key for row in rows if isinstance(row, Record)] == ["anilist:show/501"]
    assert rows[-1] == NotTaken(None, "manga")


def test_a_list_of_manga_is_refused():
    with pytest.raises(BadPayload, match=r"holds no media: 1 manga\. Nothing was read"):
        read({"data": {"manga": {"lists": [{"entries": [entry()]}]}}})


@pytest.mark.parametrize(
    ("bad", "reason", "key"),
    [
        (7, "no anime in this entry", None),
        (entry(seasonYear="soon"), "Year must be a year", "anilist:show/501"),
        ({"media": {"title": {"romaji": ""}}}, "neither a title nor an id", None),
    ],
)
def test_a_bad_entry_is_named_and_the_rest_is_read(bad, reason, key):
    rows = read(collection({"entries": [bad, entry(id=502)]}))
    assert [type(row) for row in rows] == [Record, Unreadable]
    assert reason in rows[1].reason
    assert rows[1].key == key


def test_an_error_in_place_of_a_list_is_told():
    with pytest.raises(BadPayload, match=r'no list of AniList: it says "Private User"\. Nothing was read'):
        read({"errors": [{"message": "Private User"}], "data": {"MediaListCollection": None}})
