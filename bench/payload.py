"""Films as a service lists them: made up, the same each time, 1,000 to 1,100 bytes of JSON and 2.4 ids each."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.files import GENRES, WORDS

TEXT = 560  # bytes of an overview, which brings an item to its size


def film(n: int, revision: int = 0) -> dict[str, Any]:
    """The n-th film. revision: another one has another rating, number of votes and overview, and nothing else."""
    dice = random.Random(n)
    title = " ".join(dice.choices(WORDS, k=4)).title() + f" {n}"
    year = dice.randint(1930, 2026)
    made = {
        "title": title,
        "original_title": title[::-1].title(),
        "year": year,
        "ids": {"imdb": f"tt{n:08}", "tmdb": n} | ({"tvdb": n} if n % 5 < 2 else {}),
        "released": f"{year}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "runtime": dice.randint(70, 200),
        "genres": dice.sample(GENRES, 3),
        "language": "en",
        "status": "released",
        "popularity": dice.randint(1, 90_000) / 1000,
        "poster": f"https://pictures.example/t/p/original/{dice.getrandbits(128):032x}.jpg",
        "backdrop": f"https://pictures.example/t/p/original/{dice.getrandbits(128):032x}.jpg",
    }
    dice = random.Random(n * 31 + revision)
    made |= {"rating": dice.randint(10, 99) / 10, "votes": dice.randint(10, 2_000_000)}
    made["overview"] = " ".join(dice.choices(WORDS, k=TEXT // 6))[:TEXT]
    return made


def lines(count: int, *, changed: int = 0, dropped: int = 0, revision: int = 1, start: int = 1) -> Iterator[bytes]:
    """changed: so many of them, spread over the whole, are another revision. dropped: so many are missing, likewise."""
    step = count // changed if changed else 0
    hole = count // dropped if dropped else 0
    for n in range(start, start + count):
        if hole and n % hole == 3:
            continue
        yield orjson.dumps(film(n, revision if step and n % step == 1 else 0)) + b"\n"


def write(path: Path, count: int, **how: int) -> int:
    """Returns how many there are."""
    made, written = path.with_suffix(".new"), 0
    with made.open("wb") as file:
        for line in lines(count, **how):
            file.write(line)
            written += 1
    made.replace(path)  # whole, whoever is reading it
    return written
