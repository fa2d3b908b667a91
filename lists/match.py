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
from django.db.models.functions import Coalesce
from django.utils import timezone

from lists.dense import IdSet
from lists.dialects import Dialect, quote
from lists.fence import still_ours
from lists.models import Decision, ExternalId, Item, Source
from lists.records import Record
from lists.titles import fold, is_unknown_track

# Where ids disagree, the first of these leads until a person has decided.
STRONG = ("imdb", "tmdb", "tvdb", "trakt", "simkl", "anilist", "mal")

IDS = ExternalId._meta.db_table
MAKING_ITEMS = 0x15757  # the number of a lock: any, as long as it is one
TRIES = 20  # each of them knows what others have made meanwhile
PAUSE_S = 0.005  # between two blocks, for whoever wants to write on SQLite

Pair = tuple[str, str]
Name = tuple[str, str, int | None]  # kind, folded name, year
Fresh = tuple[int, Record, Name | None]  # an item to be made: its provisional number


@dataclass(slots=True)
class Match:
    """item: its id; a negative number stands for an item that would be made (see Matcher), None for "not known yet".
    root: the end of its merges, itself if it was not merged; None means the same as item. doubt: "match" (several
    fit) or "ids" (strong ids disagree), with the items in question. decided: a person said so."""

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

    by_name holds items as they are called, merged or not; ids_of goes by roots: things that were merged share their ids.
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
    preview sees the same doubles that a sync would. catalogue: a list of streams, where several rows of one title and year
    are copies of one film.
    """

    def __init__(self, *, create: bool, source: Source | None = None, catalogue: bool = False):
        self.create, self.source, self.catalogue = create, source, catalogue
        self._made_ids: dict[Pair, int] = {}
        self._made_names: dict[Name, tuple[int, ...]] = {}
        self._made_ids_of: dict[int, list[Pair]] = {}
        self._met = IdSet()  # items that records were matched with so far
        self._meeting: set[int] = set()  # and those of the block at hand, until it is stored
        self._next = -1

    def match(self, records: Sequence[Record]) -> list[Match]:
        """One Match per record, in their order. With create=True this is one short transaction of its own."""
        for _ in range(TRIES):
            try:
                return self._match(records)
            except SomebodyWasFirst:
                continue
        raise SomebodyWasFirst("other syncs keep making the same items; this one will be tried again")

    def _match(self, records: Sequence[Record]) -> list[Match]:
        names = [_name(record) for record in records]
        known = self._look_up(records, set(filter(None, names)))
        # What the block names by id is met before any name is looked at: which row stands first must not matter.
        self._meeting = {
            known.root(known.by_id[pair]) for record in records for pair in record.ids.items() if pair in known.by_id
        }
        matches: list[Match] = []
        fresh: list[Fresh] = []
        attached: list[tuple[int, Pair]] = []
        for record, name in zip(records, names, strict=True):
            found = self._one(record, name, known)
            if found.new:
                fresh.append((found.item or 0, record, name))
            elif found.item is not None and not found.doubt:
                attached += [(found.item, pair) for pair in record.ids.items() if pair not in known.by_id]
            if found.item is not None:
                self._learn(found.item, record, name, known, new=found.new, doubt=bool(found.doubt))
            matches.append(found)
        if self.create:
            made = self._store(fresh, attached, known)
            for match in matches:
                match.item = made.get(match.item, match.item) if match.item is not None else None
                match.root = made.get(match.root, match.root) if match.root is not None else None
                match.candidates = [made.get(item, item) for item in match.candidates]
            self._meeting = {made.get(item, item) for item in self._meeting}
        else:
            self._remember(fresh, attached)
        self._met.update(self._meeting)
        return matches

    def _one(self, record: Record, name: Name | None, known: _Known) -> Match:
        if (item := known.decided.get(record.key)) is not None:
            return Match(item, root=known.root(item), decided=True)
        pairs = [pair for pair in record.ids.items() if pair in known.by_id]
        if len(pairs) > 1:
            pairs.sort(key=lambda pair: (_strength(pair[0]), pair))
        named = list(dict.fromkeys(known.by_id[pair] for pair in pairs))
        roots = list(dict.fromkeys(known.root(item) for item in named))
        if len(roots) > 1 and not _all_apart(roots, known.apart):
            return Match(named[0], "ids", roots, root=roots[0])
        if named:
            clash = len(roots) == 1 and _differs(record.ids, known.ids_of.get(roots[0], ()))
            return Match(named[0], "ids" if clash else "", roots if clash else [], root=roots[0])
        fitting: dict[int, int] = {}  # root -> item
        for item in known.by_name.get(name, ()) if name is not None else ():
            root = known.root(item)
            if not _differs(record.ids, known.ids_of.get(root, ())):
                fitting.setdefault(root, item)
        if len(fitting) == 1:
            [(root, item)] = fitting.items()
            may_repeat = self.catalogue or record.kind == Item.Kind.TRACK
            if (root in self._met or root in self._meeting) and not may_repeat:
                # Another record of the same source is this film already: the same title and year, and nothing else.
                return Match(None, "match", [root])
            return Match(item, by_name=True, root=root)
        if len(fitting) > 1:
            return Match(None, "match", list(fitting))
        if not record.ids and name is None:
            return Match(None)
        number, self._next = self._next, self._next - 1
        return Match(number, new=True)

    def _learn(self, item: int, record: Record, name: Name | None, known: _Known, *, new: bool, doubt: bool) -> None:
        """Let the following records of the block find what this one brought."""
        if doubt:
            return
        self._meeting.add(known.root(item))
        of = known.ids_of.setdefault(known.root(item), [])
        for pair in record.ids.items():
            known.by_id.setdefault(pair, item)
            of.append(pair)
        if new and name is not None:
            known.by_name.setdefault(name, []).append(item)

    def _remember(self, fresh: Iterable[Fresh], attached: Iterable[tuple[int, Pair]]) -> None:
        for item, record, name in fresh:
            for pair in record.ids.items():
                self._made_ids.setdefault(pair, item)
                self._made_ids_of.setdefault(item, []).append(pair)
            if name is not None:
                self._made_names[name] = (*self._made_names.get(name, ()), item)
        for item, pair in attached:
            self._made_ids.setdefault(pair, item)
            self._made_ids_of.setdefault(item, []).append(pair)

    def _look_up(self, records: Sequence[Record], names: set[Name]) -> _Known:
        dialect = Dialect.of()
        wanted = sorted({pair for record in records for pair in record.ids.items()})
        by_id: dict[Pair, int] = {}
        for namespace, value, item in dialect.look_up(
            IDS, ("namespace", "value"), wanted, ("namespace", "value", "item_id")
        ):
            by_id[namespace, value] = item
        roots = self._roots_of(by_id.values())
        decided, apart = self._decisions([record.key for record in records], roots)
        by_name: dict[Name, list[int]] = defaultdict(list)
        texts = [(name,) for name in sorted({name for _, name, _ in names})]
        found = dialect.look_up(Item._meta.db_table, ("name",), texts, ("id", "kind", "name", "year", "root_id"))
        for pk, kind, name, year, root in sorted(found):
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
        # What was merged shares its ids: those of every item with the same end.
        members = dialect.look_up(Item._meta.db_table, ("root_id",), [(item,) for item in items], ("id", "root_id")) if (
            self._merged
        ) else []  # fmt: skip
        ends = {item: item for item in items} | dict(members)
        for item, namespace, value in dialect.look_up(
            IDS, ("item_id",), [(item,) for item in sorted(ends)], ("item_id", "namespace", "value")
        ):
            ids_of.setdefault(ends[item], []).append((namespace, value))
        if not self.create:
            self._add_provisional(by_id, by_name, ids_of, wanted, names)
        return _Known(by_id, by_name, ids_of, roots, decided, apart)

    def _roots_of(self, items: Iterable[int]) -> dict[int, int]:
        """Item -> the end of its merges, for those that were merged."""
        if not self._merged:
            return {}
        found = Dialect.of().look_up(
            Item._meta.db_table, ("id",), [(item,) for item in sorted(set(items))], ("id", "root_id")
        )
        return {pk: root for pk, root in found if root is not None}

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
        for pair in wanted:
            if (item := self._made_ids.get(pair)) is not None:
                by_id.setdefault(pair, item)
        for name in names:
            by_name[name] += self._made_names.get(name, ())
        for item in {*by_id.values(), *(item for found in by_name.values() for item in found)}:
            ids_of.setdefault(item, []).extend(self._made_ids_of.get(item, ()))

    def _store(self, fresh: list[Fresh], attached: list[tuple[int, Pair]], known: _Known) -> dict[int, int]:
        """Write new items and ids in one short transaction, sorted, so that two lists with the same new films neither
        deadlock nor double. Returns provisional number -> id."""
        if not fresh and not attached:
            return {}
        dialect = Dialect.of()
        with dialect.turn(PAUSE_S), transaction.atomic():
            still_ours()
            if fresh:
                _refuse_if_named([name for _, _, name in fresh if name is not None], known)
            pks = insert_items([record for _, record, _ in fresh], [name for _, _, name in fresh])
            made = {number: pk for (number, _, _), pk in zip(fresh, pks, strict=True)}
            pairs: dict[Pair, int] = {}
            for number, record, _ in fresh:
                for pair in record.ids.items():
                    pairs.setdefault(pair, made[number])
            for item, pair in attached:
                pairs.setdefault(pair, made.get(item, item))
            ordered = sorted(pairs.items())
            stored = dialect.insert_new(
                ExternalId._meta.db_table, ("namespace", "value", "item_id"), [(*pair, item) for pair, item in ordered]
            )
            if stored != len(ordered):
                transaction.set_rollback(True)
                raise SomebodyWasFirst
        return made


def _refuse_if_named(names: Sequence[Name], known: _Known) -> None:
    """One transaction after the other makes items, so that a film without ids, which no constraint keeps single, is not
    made twice. Raises SomebodyWasFirst if there is an item of one of these names that was not there before."""
    dialect = Dialect.of()
    dialect.alone(MAKING_ITEMS)
    before = {item for items in known.by_name.values() for item in items}
    wanted = set(names)
    texts = [(text,) for text in sorted({text for _, text, _ in names})]
    for pk, *name in dialect.look_up(Item._meta.db_table, ("name",), texts, ("id", "kind", "name", "year")):
        if pk not in before and tuple(name) in wanted:
            raise SomebodyWasFirst


def insert_items(records: Sequence[Record], names: Sequence[Name | None] | None = None) -> Sequence[int]:
    """New items with their history, set-based; ids in the order of the records. names: of the records, if they are known."""
    if not records:
        return []
    dialect = Dialect.of()
    now = dialect.moment(timezone.now())
    pks = dialect.new_ids(Item._meta.db_table, len(records))
    texts = [
        (pk, str(record.kind), (record.values.get("title") or record.key)[:500],
         name[1] if name is not None else fold(record.values.get("title") or "")[:300],
         record.values.get("artist") or "", record.values.get("year"))
        for pk, record, name in zip(pks, records, names or map(_name, records), strict=True)
    ]  # fmt: skip
    columns = ("id", "kind", "title", "name", "artist", "year")
    dialect.load(Item._meta.db_table, (*columns, "facts", "created_at"), [(*row, "{}", now) for row in texts])
    # Not to be bound a second time. A closed range: see lists/writer.py.
    dialect.execute(
        f'INSERT INTO "{Item.history.model._meta.db_table}" ({quote(columns)}, history_date, history_type) '  # noqa: S608
        f"SELECT {quote(columns)}, %s, '+' FROM \"{Item._meta.db_table}\" WHERE id BETWEEN %s AND %s AND created_at = %s",
        [now, pks[0], pks[-1], now],
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
