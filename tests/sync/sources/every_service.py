"""Every service at one address: the page that is asked for, to whoever shows the account that it wants."""

import json
from typing import Any

from tests.sync.sources.stand_ins import STAND_INS, Film, Shown, StandIn, filled
from tests.upstream import Reply, Seen, Upstream, as_body

# A word of the question, where one path answers several kinds.
TOLD_BY = {
    "tmdb_of": "with_companies", "tmdb_discover": "with_genres", "imdb_list": "titleListItemSearch",
    "imdb_chart": "chartTitles", "anilist_list": "MediaListCollection",
}  # fmt: skip


class EveryService(Upstream):
    """pages: what each kind of source finds, no film with two of them."""

    def __init__(self) -> None:
        super().__init__()
        self.pages = {key: _pages(it, 10 * number) for number, (key, it) in enumerate(STAND_INS.items(), 1)}
        for key, it in STAND_INS.items():
            for path, answer in it.heads.items():
                self.answer(path, filled(answer, total=sum(map(len, self.pages[key]))))

    def next_reply(self, seen: Seen) -> Reply:
        key = _kind(seen)
        if key is None:
            return super().next_reply(seen)
        with self.lock:
            self.seen.append(seen)
        secrets = [value for value in STAND_INS[key].secrets.values() if "hush" in value]
        if secrets and not any(value in f"{seen.query} {seen.headers}" for value in secrets):
            return Reply(b"{}", 401)
        pages = self.pages[key]
        number = _page(seen, pages)
        films = pages[number - 1] if number <= len(pages) else []
        body, headers = STAND_INS[key].show(Shown(films, number, len(pages), sum(map(len, pages))))
        return Reply(as_body(body), headers={"Content-Type": "application/json", **headers})


def _pages(stand_in: StandIn, first: int) -> list[list[Film]]:
    films: list[Film] = list(range(first + 1, first + 6))
    return [films[:2], films[2:4], films[4:]] if stand_in.size else [films]


def _kind(seen: Seen) -> str | None:
    asked = f"{seen.query} {seen.body.decode()}"
    return next((key for key, it in STAND_INS.items() if it.path == seen.path and TOLD_BY.get(key, "") in asked), None)


def _page(seen: Seen, pages: list[list[Film]]) -> int:
    """Which one is asked for: by its number, by the place of its first film, or by what the last one said."""
    asked: dict[str, Any] = {name: values[0] for name, values in seen.query.items()}
    if seen.body:
        asked |= json.loads(seen.body)["variables"]
    place = asked.get("offset") or asked.get("X-Plex-Container-Start")
    if place is not None:
        ends = [sum(map(len, pages[:count])) for count in range(len(pages) + 1)]
        return ends.index(int(place)) + 1
    if "after" in asked:
        return int(asked["after"].removeprefix("after-")) + 1 if asked["after"] else 1
    return int(asked.get("page") or asked.get("chunk") or 1)
