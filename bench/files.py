"""Files of any length for the measurements: made up, the same each time."""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass

WORDS = [
    "salt",
    "harbour",
    "lantern",
    "year",
    "quiet",
    "rooms",
    "map",
    "small",
    "fires",
    "kestrel",
    "moon",
    "orchard",
    "winter",
    "piano",
    "dock",
    "blue",
    "hour",
    "train",
]
GENRES = ["Drama", "Comedy", "Thriller", "Crime", "Mystery", "Romance", "Sci-Fi", "Documentary"]
IMDB = [
    "Position",
    "Const",
    "Created",
    "Modified",
    "Description",
    "Title",
    "Original Title",
    "URL",
    "Title Type",
    "IMDb Rating",
    "Runtime (mins)",
    "Year",
    "Genres",
    "Num Votes",
    "Release Date",
    "Directors",
    "Your Rating",
    "Date Rated",
]
LOGIN = "ada/l0velace"


@dataclass(frozen=True, slots=True)
class Kind:
    """make(count, changed): the file, the first `changed` of its rows other than usual. content: of its list."""

    filename: str
    content: str
    make: Callable[[int, int], bytes]


def imdb(count: int, changed: int) -> bytes:
    """An export of IMDb; what changes is a rating."""
    dice = random.Random(7)
    rows = []
    for n in range(1, count + 1):
        title = " ".join(dice.choices(WORDS, k=4)).title() + f" {n}"
        year, rating = dice.randint(1930, 2026), dice.randint(10, 99) / 10
        date = f"{year}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
        rows.append([
            n, f"tt{n:07}", "2024-05-01", "2024-05-01", "", title, "", f"https://www.imdb.com/title/tt{n:07}/", "Movie",
            rating if n > changed else 9.95, dice.randint(70, 200), year, ", ".join(dice.sample(GENRES, 2)),
            dice.randint(10, 2_000_000), date, "Ann Example", "", "",
        ])  # fmt: skip
    return _table(IMDB, rows)


def letterboxd(count: int, changed: int) -> bytes:
    """A watchlist of Letterboxd; what changes is the day on which a film was put there."""
    dice = random.Random(7)
    rows = []
    for n in range(count):
        title = " ".join(dice.choices(WORDS, k=3)).title() + f", {n}"
        day = "2024-06-01" if n < changed else "2024-05-01"
        rows.append([day, title, dice.randint(1930, 2026), f"https://boxd.it/{n:x}Z"])
    return _table(["Date", "Name", "Year", "Letterboxd URI"], rows)


def m3u(count: int, changed: int) -> bytes:
    """A playlist as a provider's panel prints it, a login in every address; what changes is a group."""
    dice = random.Random(7)
    lines = ["#EXTM3U"]
    for n in range(count):
        name = " ".join(dice.choices(WORDS, k=2)).title() + f" {n}"
        group = "Moved" if n < changed else f"Group {n % 120}"
        lines += [
            f'#EXTINF:-1 tvg-id="channel{n}.example" tvg-name="{name}" tvg-logo="http://pictures.example/logos/{n}.png" '
            f'group-title="{group}",{name}',
            f"http://tv.example:8080/live/{LOGIN}/{n}.ts",
        ]
    return "\n".join(lines).encode()


def _table(header: list[str], rows: list[list[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


KINDS = {
    "imdb": Kind("films.csv", "films", imdb),
    "letterboxd": Kind("watchlist.csv", "films", letterboxd),
    "m3u": Kind("channels.m3u", "channels", m3u),
}
