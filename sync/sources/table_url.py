"""Tables and JSON lists at an address: whatever can be uploaded of them can be fetched, too."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from django import forms

from lists.records import Raw, Row
from sync.adapters import Adapter, Context, FileAdapter, fitting, recognise, register
from sync.errors import BadPayload
from sync.sources._asking import may_hold
from sync.sources.csv_table import CsvTable
from sync.sources.json_list import JsonList

_GRACE = "Nobody says how long it is, so what leaves it leaves here after a second look. Its order is kept."


def _format(formats: dict[str, str]) -> forms.ChoiceField:
    choices = [("", "Find out"), *formats.items()]
    return forms.ChoiceField(choices=choices, required=False, help_text="only if it is taken for another one")


_JSON = {
    "json_list": "JSON list", "trakt_json": "Trakt", "simkl_json": "Simkl", "anilist_json": "AniList",
    "arr_json": "Radarr or Sonarr", "couchpotato_json": "CouchPotato",
}  # fmt: skip
_TABLES = {"csv_table": "Table (CSV)", "imdb_csv": "IMDb export", "letterboxd_csv": "Letterboxd table"}


class _AtAddress(Adapter):
    """formats: keys of the file formats that it may be of, with what people call them. family: that its bytes are of."""

    kinds = CsvTable.kinds | JsonList.kinds
    asks_address = True
    formats: ClassVar[dict[str, str]]
    family: ClassVar[str]

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        return {} if may_hold(url, cls.family) else None

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        return self.read(ctx, ctx.address)

    def read(self, ctx: Context, path_or_url: str) -> Iterator[Row | Raw]:
        answer = ctx.http.get(path_or_url, accept=self.family, conditional=True)
        ctx.compare(answer.body)
        asked = {name: value for name, value in ctx.config.items() if name != "format"}
        inner = replace(ctx, body=answer.body, config=asked)
        yield from self._format_of(inner, ctx.config.get("format") or "").fetch(inner)
        if inner.expected is not None:
            ctx.expect(inner.expected)

    def _format_of(self, inner: Context, key: str) -> FileAdapter:
        """Raises BadPayload for what is of none of the formats."""
        if key:
            return fitting(inner.body, key)
        found = next(
            (cls for cls in recognise(inner.body, inner.config.get("encoding") or "") if cls.key in self.formats), None
        )
        if found is None:
            raise BadPayload(
                f"What lies at this address is no list that we know ({', '.join(self.formats.values())}). Nothing was read."
            )
        return found()


@register
class JsonUrl(_AtAddress):
    key = "json_url"
    label = "JSON list at an address"
    help = f"Any list in JSON: titles, ids or objects, as Radarr's custom lists and many scripts write them. {_GRACE}"
    service = "json:"
    family = "json"
    formats = _JSON

    class Config(forms.Form):
        format = _format(_JSON)
        kind = JsonList.Config.base_fields["kind"]


@register
class CsvUrl(_AtAddress):
    key = "csv_url"
    label = "Table (CSV) at an address"
    help = f"Any table with a header, such as a published sheet. What each column holds is guessed, and can be changed. {_GRACE}"
    service = "csv:"
    family = "csv"
    formats = _TABLES
    targets: ClassVar = CsvTable.targets

    class Config(forms.Form):
        format = _format(_TABLES)
        kind = CsvTable.Config.base_fields["kind"]
        mapping = CsvTable.Config.base_fields["mapping"]
        encoding = CsvTable.Config.base_fields["encoding"]
