"""Which entry of a list a new record speaks of: one that is there or was there, else a row to be made.

A slot is an entry's id, or a negative number for a row to be made.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

from lists.dense import BySlot, IdSet
from lists.dialects import Dialect
from lists.match import Match
from lists.models import Claim, Entry, MediaList, Source
from lists.reader import EntryReader
from lists.records import Record
from lists.titles import name_key


class Slots:
    """The slots of one list, as far as it is asked about them."""

    def __init__(self, list_: MediaList, source: Source | None, folder: EntryReader):
        self.list_, self.source, self.folder = list_, source, folder
        self.plays: Mapping[str, int] = {}  # of a tracklist: key of a play -> its entry
        self._of_item, self._asked = BySlot(), IdSet()
        self._next = -1

    def ask(self, items: Iterable[int | None]) -> None:
        """Look up the entries of a block of items at once."""
        if not (self.list_.pk and self.list_.once):
            return
        known = self._of_item
        unknown = {
            each for each in items if each is not None and each > 0 and each not in known and each not in self._asked
        }
        if unknown:
            found = Dialect.of().look_up(
                Entry._meta.db_table,
                ("item_id",),
                [(item,) for item in sorted(unknown)],
                ("item_id", "id"),
                list_id=self.list_.pk,
            )
            self._asked.update(unknown)
            self._of_item.update(found)

    def of_item(self, item: int | None) -> int | None:
        if item is None:
            return None
        self.ask([item])
        return self._of_item.get(item)

    def take(self, item: int, slot: int) -> bool:
        """Whether the entry may become this item: no other entry of the list is it."""
        if not self.list_.once:
            return True
        if (taken := self.of_item(item)) is None:
            taken = self._of_item[item] = slot
        return taken == slot

    def of(self, record: Record, match: Match) -> int | None:
        """None: an entry has to be made."""
        if self.list_.content == MediaList.Content.TRACKS:
            return self.plays.get(record.key)
        if match.item is not None:
            return self._of_item.get(match.item) if match.new else self.of_item(match.item)
        values = record.values
        name = _name(record.kind, values.get("title"), values.get("year"), values.get("artist"))
        return self._of_name.get(name) if self.list_.pk and self.list_.once else None

    def new(self, match: Match) -> int:
        """The number of an entry to be made."""
        slot, self._next = self._next, self._next - 1
        if match.item is not None and self.list_.once:
            self._of_item[match.item] = slot
            self.folder.join(slot, match.root)
        return slot

    @cached_property
    def _of_name(self) -> dict[str, int]:
        """Entries that nobody could say what they are, by what they show."""
        # Never by a title alone: without a year it is found again only by the source that brought it.
        others = Claim.objects.filter(source__list=self.list_).exclude(source=self.source)
        nameless = Entry.objects.filter(list=self.list_, item__isnull=True).order_by("-id")
        nameless = nameless.exclude(year__isnull=True, pk__in=others.values("entry"))
        rows = nameless.values_list("id", "kind", "title", "year", "artist").iterator()
        return {_name(kind, title, year, artist): pk for pk, kind, title, year, artist in rows}


def _name(kind: str, title: str | None, year: int | None, artist: str | None) -> str:
    return f"{kind}|{name_key(title or '', year, artist or '')}"
