"""What a Radarr or Sonarr of one's own has: its films or series, all of them in one answer."""

from collections.abc import Iterator
from typing import Any, ClassVar

from lists.records import NotTaken, Record, Row
from sync.adapters import Adapter, Context, register
from sync.http import Limits
from sync.http.bodies import MIB
from sync.sources._asking import listed
from sync.sources._rows import each_item
from sync.sources.arr_json import known_key, parse_row


class _Arr(Adapter):
    """path: of what it lists."""

    path: ClassVar[str]
    limits = Limits(body=256 * MIB, wire=256 * MIB)  # a large library comes in one piece

    def fetch(self, ctx: Context) -> Iterator[Row]:
        url = ctx.secret("url").rstrip("/")
        answer = ctx.http.get(
            f"{url}{self.path}", params={"excludeLocalCovers": "true"}, headers={"X-Api-Key": ctx.secret("api_key")}
        )
        return each_item(listed(answer), _parse, key_of=known_key)


def _parse(item: Any, place: int) -> Record | NotTaken:
    return parse_row(item, place=place)


@register
class Radarr(_Arr):
    key = "radarr"
    label = "Radarr"
    help = (
        "All films of your Radarr. Needs an account with its address (with the URL base, if it has one) and API key. It does "
        "not say how many there are, so what leaves it leaves here after a second look. Its order means nothing."
    )
    kinds = frozenset({"movie"})
    service = "radarr:"
    path = "/api/v3/movie"


@register
class Sonarr(_Arr):
    key = "sonarr"
    label = "Sonarr"
    help = (
        "All series of your Sonarr. Needs an account with its address (with the URL base, if it has one) and API key. It does "
        "not say how many there are, so what leaves it leaves here after a second look. Its order means nothing."
    )
    kinds = frozenset({"show"})
    service = "sonarr:"
    path = "/api/v3/series"
