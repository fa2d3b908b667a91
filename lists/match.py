"""Records to items: which film, show or track a source means.

Ids first, then the folded title with its year (a track: artist with title), never a title alone. Two things that share
title and year are not taken for one: a candidate whose id in a namespace differs from the record's is another film, and
where several remain a person is asked. Things without ids are never equal by their lack of one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from lists.dialects import Dialect
from lists.models import Decision, ExternalId, Item, Source
from lists.records import Record
from lists.titles import fold, is_unknown_track

# Where ids disagree, the first of these leads until a person has decided.
STRONG = ("imdb", "tmdb", "tvdb", "trakt", "simkl", "anilist", "mal")

Pair = tuple[str, str]
Name = tuple[str, str, int | None]  # kind, folded name, year


@dataclass(slots=True)
class Match:
    """item: its id; a negative number stands for an item that would be made (see Matcher), None for "not known yet".
    root: the end of its merges, itself if it was not merged; None means the same as item. doubt: "match" (several fit) or "ids" (strong
    ids disagree), with the items in question. decided: a person said so."""

    item: int | None
    doubt: str = ""
    candidates: list[int] = field(default_factory=list)
    new: bool = False
    by_name: bool = False
    root: int | None = None
    decided: bool = False

    def __post_init__(self) -> None:
        if self.root is None:
            self.root = self.item


@dataclass(slots=True)
class _Known:
    """What the database, and this matcher before, know about the ids and names of one block.

    by_name and ids_of go by roots: things that were merged share their names and ids.
    """

    by_id: dict[Pair, int]
    by_name: dict[Name, list[int]]
    ids_of: dict[int, list[Pair]]
    roots: dict[int, int]  # of merged items
    decided: dict[str, int]  # key -> item
    apart: set[frozenset[int]]  # pairs of roots of which a person said that they are not the same

    def root(self, item: int) -> int:
        return self.roots.get(item, item)


class SomebodyWasFirst(Exception):
    """Another process made an item with one of our ids meanwhile: the block is matched again."""


class Matcher:
    """Finds the items of records, and makes those that nobody knows.

    create=False only reads: items that would be made get negative numbers, stable within this matcher, so that a
    preview sees the same doubles that a sync would.
    """

    def __init__(self, *, create: bool, source: Source | None = None):
        self.create, self.source = create, source
        self._made_ids: dict[Pair, int] = {}
        self._made_names: dict[Name, tuple[int, ...]] = {}
        self._made_ids_of: dict[int, list[Pair]] = {}
        self._met: set[int] = set()  # items that records were matched with so far
        self._meeting: set[int] = set()  # and those of the block at hand, until it is stored
        self._next = -1

    def match(self, records: Sequence[Record]) -> list[Match]:
        """One Match per record, in their order. With create=True this is one short transaction of its own."""
        for _ in range(5):
            try:
                return self._match(records)
            except SomebodyWasFirst:
                continue
        raise SomebodyWasFirst("other syncs keep making the same items; this one will be tried again")

    def _match(self, records: Sequence[Record]) -> list[Match]:
        known = self._look_up(records)
        # What the block names by id is met before any name is looked at: which row stands first must not matter.
        self._meeting = {
            known.root(known.by_id[pair]) for record in records for pair in record.ids.items() if pair in known.by_id
        }
        matches: list[Match] = []
        fresh: list[tuple[int, Record]] = []  # provisional number, record
        attached: list[tuple[int, Pair]] = []
        for record in records:
            found = self._one(record, known)
            if found.new:
                fresh.append((found.item or 0, record))
            elif found.item is not None and not found.doubt:
                attached += [(found.item, pair) for pair in record.ids.items() if pair not in known.by_id]
            if found.item is not None:
                self._learn(found.item, record, known, new=found.new, doubt=bool(found.doubt))
            matches.append(found)
        if self.create:
            made = self._store(fresh, attached)
            for match in matches:
                match.item = made.get(match.item, match.item) if match.item is not None else None
                match.root = made.get(match.root, match.root) if match.root is not None else None
                match.candidates = [made.get(item, item) for item in match.candidates]
            self._meeting = {made.get(item, item) for item in self._meeting}
        else:
            self._remember(fresh, attached)
        self._met |= self._meeting
        return matches

    def _one(self, record: Record, known: _Known) -> Match:
        if (item := known.decided.get(record.key)) is not None:
            return Match(item, root=known.root(item), decided=True)
        pairs = sorted(record.ids.items(), key=lambda pair: (_strength(pair[0]), pair))
        named = list(dict.fromkeys(known.by_id[pair] for pair in pairs if pair in known.by_id))
        roots = list(dict.fromkeys(known.root(item) for item in named))
        if len(roots) > 1 and not _all_apart(roots, known.apart):
            return Match(named[0], "ids", roots, root=roots[0])
        if named:
            clash = len(roots) == 1 and _differs(record.ids, known.ids_of.get(roots[0], ()))
            return Match(named[0], "ids" if clash else "", roots if clash else [], root=roots[0])
        name = _name(record)
        fitting: dict[int, int] = {}  # root -> item
        for item in known.by_name.get(name, ()) if name is not None else ():
            root = known.root(item)
            if not _differs(record.ids, known.ids_of.get(root, ())):
                fitting.setdefault(root, item)
        if len(fitting) == 1:
            [(root, item)] = fitting.items()
            if (root in self._met or root in self._meeting) and record.kind != Item.Kind.TRACK:
                # Another record of the same source is this film already: the same title and year, and nothing else.
                return Match(None, "match", [root])
            return Match(item, by_name=True, root=root)
        if len(fitting) > 1:
            return Match(None, "match", list(fitting))
        if not record.ids and name is None:
            return Match(None)
        number, self._next = self._next, self._next - 1
        return Match(number, new=True)

    def _learn(self, item: int, record: Record, known: _Known, *, new: bool, doubt: bool) -> None:
        """Let the following records of the block find what this one brought."""
        if doubt:
            return
        self._meeting.add(known.root(item))
        of = known.ids_of.setdefault(known.root(item), [])
        for pair in record.ids.items():
            known.by_id.setdefault(pair, item)
            of.append(pair)
        if new and (name := _name(record)) is not None:
            known.by_name.setdefault(name, []).append(item)

    def _remember(self, fresh: Iterable[tuple[int, Record]], attached: Iterable[tuple[int, Pair]]) -> None:
        for item, record in fresh:
            for pair in record.ids.items():
                self._made_ids.setdefault(pair, item)
                self._made_ids_of.setdefault(item, []).append(pair)
            if (name := _name(record)) is not None:
                self._made_names[name] = (*self._made_names.get(name, ()), item)
        for item, pair in attached:
            self._made_ids.setdefault(pair, item)
            self._made_ids_of.setdefault(item, []).append(pair)

    def _look_up(self, records: Sequence[Record]) -> _Known:
        by_id: dict[Pair, int] = {}
        roots: dict[int, int] = {}
        wanted: dict[str, set[str]] = defaultdict(set)
        for record in records:
            for namespace, value in record.ids.items():
                wanted[namespace].add(value)
        for namespace, values in sorted(wanted.items()):
            rows = ExternalId.objects.filter(namespace=namespace, value__in=sorted(values))
            for value, item, root in rows.values_list("value", "item_id", "item__root_id"):
                by_id[namespace, value] = item
                if root is not None:
                    roots[item] = root
        decided, apart = self._decisions([record.key for record in records], roots)
        by_name: dict[Name, list[int]] = defaultdict(list)
        names = {name for record in records if (name := _name(record)) is not None}
        if names:
            rows = Item.objects.filter(name__in=sorted({name for _, name, _ in names})).order_by("id")
            for pk, kind, name, year, root in rows.values_list("id", "kind", "name", "year", "root_id"):
                if (kind, name, year) in names:
                    by_name[kind, name, year].append(pk)
                    if root is not None:
                        roots[pk] = root
        ids_of: dict[int, list[Pair]] = {}
        items = sorted(
            {
                *(roots.get(item, item) for item in by_id.values()),
                *(roots.get(i, i) for f in by_name.values() for i in f),
            }
        )
        for chunk in (items[at : at + 500] for at in range(0, len(items), 500)):
            of = ExternalId.objects.filter(Q(item__in=chunk) | Q(item__root__in=chunk)) if self._merged else (
                ExternalId.objects.filter(item__in=chunk)
            )  # fmt: skip
            for item, root, namespace, value in of.values_list("item_id", "item__root_id", "namespace", "value"):
                ids_of.setdefault(root or item, []).append((namespace, value))
        if not self.create:
            self._add_provisional(by_id, by_name, ids_of, wanted, names)
        return _Known(by_id, by_name, ids_of, roots, decided, apart)

    @cached_property
    def _merged(self) -> bool:
        """Whether anything was ever merged: asking for both ends costs an index look-up more."""
        return Item.objects.filter(root__isnull=False).exists()

    @cached_property
    def _decided(self) -> bool:
        return Decision.objects.exists()

    def _decisions(self, keys: Sequence[str], roots: dict[int, int]) -> tuple[dict[str, int], set[frozenset[int]]]:
        """(key of this source -> the item that a person picked, pairs of which a person said that they differ)."""
        if not self._decided:
            return {}, set()
        decided: dict[str, int] = {}
        if self.source is not None and self.source.pk:
            mine = Decision.objects.filter(source=self.source, key__in=list(keys))
            for key, item, root in mine.values_list("key", "item_id", "item__root_id"):
                decided[key] = item
                if root is not None:
                    roots[item] = root
        refused = Decision.objects.filter(source=None).values_list(
            Coalesce("item__root_id", "item_id"), Coalesce("other__root_id", "other_id")
        )
        return decided, {frozenset(pair) for pair in refused}

    def _add_provisional(self, by_id, by_name, ids_of, wanted, names) -> None:  # type: ignore[no-untyped-def]
        for namespace, values in wanted.items():
            for value in values:
                if (item := self._made_ids.get((namespace, value))) is not None:
                    by_id.setdefault((namespace, value), item)
        for name in names:
            by_name[name] += self._made_names.get(name, ())
        for item in {*by_id.values(), *(item for found in by_name.values() for item in found)}:
            ids_of.setdefault(item, []).extend(self._made_ids_of.get(item, ()))

    def _store(self, fresh: list[tuple[int, Record]], attached: list[tuple[int, Pair]]) -> dict[int, int]:
        """Write new items and ids in one short transaction, sorted, so that two lists with the same new films neither
        deadlock nor double. Returns provisional number -> id."""
        if not fresh and not attached:
            return {}
        with transaction.atomic():
            made = dict(zip((number for number, _ in fresh), insert_items([r for _, r in fresh]), strict=True))
            pairs: dict[Pair, int] = {}
            for number, record in fresh:
                for pair in record.ids.items():
                    pairs.setdefault(pair, made[number])
            for item, pair in attached:
                pairs.setdefault(pair, made.get(item, item))
            ordered = sorted(pairs.items())
            stored = Dialect.of().insert_new(
                ExternalId._meta.db_table, ("namespace", "value", "item_id"), [(*pair, item) for pair, item in ordered]
            )
            if stored != len(ordered):
                transaction.set_rollback(True)
                raise SomebodyWasFirst
        return made


def insert_items(records: Sequence[Record]) -> list[int]:
    """New items with their history, set-based; ids in the order of the records."""
    if not records:
        return []
    dialect, now = Dialect.of(), timezone.now()
    pks = dialect.new_ids(Item._meta.db_table, len(records))
    names = [(_name(record) or ("", fold(record.values.get("title") or "")[:300], None))[1] for record in records]
    texts = [
        (record.kind, (record.values.get("title") or record.key)[:500], name, record.values.get("artist") or "",
         record.values.get("year"))
        for record, name in zip(records, names, strict=True)
    ]  # fmt: skip
    columns = ("id", "kind", "title", "name", "artist", "year")
    dialect.load(
        Item._meta.db_table,
        (*columns, "facts", "created_at"),
        ((pk, *row, "{}", dialect.moment(now)) for pk, row in zip(pks, texts, strict=True)),
    )
    dialect.load(
        Item.history.model._meta.db_table,
        (*columns, "history_date", "history_type"),
        ((pk, *row, dialect.moment(now), "+") for pk, row in zip(pks, texts, strict=True)),
    )
    return pks


def _all_apart(roots: Sequence[int], apart: set[frozenset[int]]) -> bool:
    return all(frozenset(pair) in apart for pair in combinations(roots, 2))


def _strength(namespace: str) -> int:
    return STRONG.index(namespace) if namespace in STRONG else len(STRONG)


def _differs(ids: dict[str, str], known: Sequence[Pair]) -> bool:
    """Whether an item has other ids than these in a namespace that both have."""
    held = [namespace for namespace, _ in known]
    return any(pair[0] in held and pair not in known for pair in ids.items())


def _name(record: Record) -> Name | None:
    """What a record may be matched by when no id is known; None if its names are not enough."""
    title, year = record.values.get("title"), record.values.get("year")
    if record.kind == Item.Kind.TRACK:
        artist = record.values.get("artist")
        if not artist or is_unknown_track(artist, title) or fold(artist) in ("id", "unknown", "unknown artist"):
            return None
        return record.kind, f"{fold(title)[:200]}|{fold(artist)[:99]}", None
    if record.kind not in (Item.Kind.MOVIE, Item.Kind.SHOW, Item.Kind.OTHER) or not title or year is None:
        return None
    return record.kind, fold(title)[:300], year
