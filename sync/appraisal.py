"""What an answer of a source amounts to, for its preview and its run alike: what it holds, whether it is whole, how it is
taken."""

from dataclasses import dataclass
from typing import Any

from lists import fields
from lists.models import Item, MediaList, Removals, Source
from lists.plan import Plan, Reading
from lists.records import Record, Rows
from sync.adapters import Adapter, Context
from sync.errors import BadPayload
from sync.windows import mode_of

CATALOGUE_GRACE = 3  # providers drop and restore whole categories


def salt_of(source_config: dict[str, Any], adapter: Adapter) -> str:
    """What a record's meaning hangs on besides its content: digests made under another salt are no longer equal."""
    return fields.canonical([adapter.key, adapter.version, source_config]).decode()


def content_of(rows: Rows, adapter: Adapter) -> str:
    """What a list made of these rows would hold: what most of the first ones are. A catalogue of streams may hold films
    too, and keeps an entry for each of its rows."""
    block = next(rows.blocks(), [])
    kinds = [row.kind for row in block if isinstance(row, Record)]
    if not kinds:
        return adapter.content
    commonest = max(set(kinds), key=kinds.count)
    if commonest == Item.Kind.TRACK:
        return MediaList.Content.TRACKS
    streams = adapter.streams or commonest in (Item.Kind.CHANNEL, Item.Kind.RADIO)
    return MediaList.Content.CHANNELS if streams else MediaList.Content.FILMS


def refuse_other_content(list_: MediaList, rows: Rows, adapter: Adapter) -> None:
    """Raises BadPayload if a list that is there holds something else."""
    found = content_of(rows, adapter)
    if list_.pk and found != list_.content and any(isinstance(row, Record) for row in rows):
        raise BadPayload(
            f"This holds {MediaList.Content(found).label.lower()}, and the list holds "
            f"{list_.get_content_display().lower()}. Nothing was changed. Make a list of its own of it."
        )


def is_whole(rows: Rows, ctx: Context) -> bool:
    """Whether as many rows came as the source says that it has; True if it never says so and did not break off."""
    if ctx.cut_off is not None or ctx.is_silent:
        return False
    return ctx.expected is None or rows.things >= ctx.expected


@dataclass(frozen=True, slots=True)
class Worth:
    """What the answer of a run is worth. complete: all came that the source lists, or a good window. again: nothing came,
    for it is what was accepted last."""

    ctx: Context
    complete: bool
    again: bool = False

    def is_all_taken(self, plan: Plan) -> bool:
        """Whether all of it came and each row could be read."""
        return self.complete and not plan.counts.skipped


def reading_of(
    list_: MediaList,
    source: Source | None,
    adapter: Adapter,
    config: dict[str, Any],
    *,
    confirmed: bool,
    complete: bool = True,
    stated: bool = False,
) -> Reading:
    """How an answer of a source is taken, by its preview and by its run alike. source None: one to be made.

    confirmed: a person saw what leaves, so it leaves at once; else a network source's entry is missing once before.
    complete: whether all came that the source says it has; nothing leaves otherwise. stated: whether it says how much
    that is; without it nothing leaves at the first look, whatever the source's own grace. What leaves a chart leaves at once.
    """
    mode = mode_of(source, adapter)
    grace = source.grace if source else None
    if grace is None:
        grace = CATALOGUE_GRACE if list_.content == MediaList.Content.CHANNELS else 1
    removals = list_.removals()
    return Reading(
        may_remove=complete and mode != Source.Mode.COLLECTING,
        confirmed=confirmed,
        replaces=mode == Source.Mode.ROLLING,
        grace=0 if confirmed or mode == Source.Mode.ROLLING else grace if stated else max(grace, 1),
        salt=salt_of(config, adapter),
        keep=removals == Removals.KEEP,
        ask=removals == Removals.ASK,
        adapter=adapter.key,
    )
