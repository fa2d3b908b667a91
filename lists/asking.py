"""What a person has to be asked about an entry: where a source contradicts an edit, or sources contradict each other.

Pure, like the fold. The same words always put the same question, so that a question put once is not put again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lists.fields import FIELDS
from lists.models.review import Conflict
from lists.models.site import Strategy
from lists.plan import Ask, EditDraft
from lists.resolve import HAND, PRESENCE, Resolved
from lists.words import Word, in_order

Option = dict[str, Any]


def words_of(words: Iterable[Word], name: str) -> dict[int, tuple[Any, int]]:
    """Source -> (its word about a field, when it last changed in epoch seconds); what the list keeps is no one's word."""
    said: dict[int, tuple[Any, int]] = {}
    for word in in_order(words):
        if word.feed and name in word.values:
            said.setdefault(word.source, (word.values[name], word.last_changed(name)))
    return said


def questions(
    words: Sequence[Word], edits: Sequence[Sequence[EditDraft]], strategy: str, shown: Mapping[str, Any]
) -> dict[str, Ask]:
    """Field -> what to ask. edits: of each field all that stand (more than one where two entries turned out to be one).

    shown: the values that the list shows.
    """
    found: dict[str, Ask] = {}
    edited: set[str] = set()
    for standing in edits:
        name = standing[0].field
        edited.add(name)
        if name == PRESENCE or name not in FIELDS:
            continue
        firm = [edit for edit in standing if edit.firm]
        if firm and (options := _against(firm, words_of(words, name))):
            found[name] = _ask(name, options, shown.get(name))
    if strategy == Strategy.ASK:
        for name, spec in FIELDS.items():
            if name not in edited and spec.asked:
                said = words_of(words, name)
                if _several([value for value, _ in said.values()]):
                    found[name] = _ask(name, _options(said), shown.get(name))
    return found


def settled(words: Sequence[Word], before: Mapping[str, Any], now: Resolved, strategy: str) -> list[Ask]:
    """What the list's own strategy has decided: a value that was shown gives way, though a source still says it."""
    found = []
    for name, old in before.items():
        new = now.values.get(name)
        if old == new or not FIELDS[name].asked or now.origins.get(name) == HAND:
            continue
        said = words_of(words, name)
        if len(said) > 1 and any(value == old for value, _ in said.values()):
            found.append(Ask(name, Conflict.State.DECIDED, _options(said), None, old, after=new, choice=strategy))
    return found


def _against(firm: Sequence[EditDraft], said: Mapping[int, tuple[Any, int]]) -> list[Option]:
    """What speaks against an edit: a source with a new word of its own, or another person's edit."""
    last = max(firm, key=lambda edit: (edit.made_at, edit.pk or 0))
    others = [e for e in firm if e is not last and e.value != last.value and last.words.get(_twin(e)) != e.value]
    against = {source: word for source, word in said.items() if _is_news(source, word[0], last)}
    options = [{"source": HAND, "value": edit.value, "at": _epoch(edit.made_at)} for edit in others]
    return options + _options(against)


def _twin(edit: EditDraft) -> str:
    """How an edit of the same field of the same thing is named among the words that a later edit was made against."""
    return f"{HAND} {edit.slot}"


def known_words(name: str, words: Iterable[Word], twins: Iterable[EditDraft]) -> dict[str, Any]:
    """What an edit made now is made against: Edit.words."""
    said = {str(source): value for source, (value, _) in words_of(words, name).items()}
    return said | {_twin(edit): edit.value for edit in twins if edit.firm and edit.field == name}


def _is_news(source: int, value: Any, edit: EditDraft) -> bool:
    if value == edit.value:
        return False
    if str(source) in edit.words:
        return edit.words[str(source)] != value
    # A source that was silent then, with a word that the person has overruled already, brings nothing new.
    return value not in edit.words.values()


def _options(said: Mapping[int, tuple[Any, int]]) -> list[Option]:
    return [{"source": source, "value": value, "at": at} for source, (value, at) in said.items()]


def _ask(name: str, options: list[Option], shown: Any) -> Ask:
    return Ask(name, Conflict.State.OPEN, options, _recommended(options, shown), shown)


def _recommended(options: Sequence[Option], shown: Any) -> dict[str, Any]:
    """What most sources say, if more than one says it; else what stands."""
    said = [option["value"] for option in options if option["source"] != HAND]
    agreed = [value for value in said if said.count(value) > 1]
    if agreed and agreed[0] != shown:
        source = next(o["source"] for o in options if o["value"] == agreed[0] and o["source"] != HAND)
        why = f"{said.count(agreed[0])} sources say so."
        return {"choice": "take", "source": source, "value": agreed[0], "why": why}
    return {
        "choice": "keep",
        "source": None,
        "value": shown,
        "why": "It stands now, and no two sources agree on another.",
    }


def _several(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values[1:])


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


def reconcile(wanted: Mapping[str, Ask], standing: Mapping[str, "Standing"]) -> list[Ask]:
    """What has to be written so that exactly the wanted questions stand; a skipped or lapsed one returns only with new
    words."""
    asks: list[Ask] = []
    for name, ask in wanted.items():
        old = standing.get(name)
        if old is None:
            asks.append(ask)
        elif _words(old.options) != _words(ask.options):
            pk = None if old.state == Conflict.State.EXPIRED else old.pk
            asks.append(Ask(name, Conflict.State.OPEN, ask.options, ask.recommendation, ask.before, pk))
    for name, old in standing.items():
        if name not in wanted and old.state != Conflict.State.EXPIRED:
            asks.append(Ask(name, Conflict.State.WITHDRAWN, pk=old.pk))
    return asks


def _words(options: Iterable[Option]) -> list[tuple[str, str]]:
    return sorted((str(option["source"]), repr(option["value"])) for option in options)


class Standing:
    """A question about a field that is open, skipped, or lapsed at its deadline."""

    __slots__ = ("options", "pk", "state")

    def __init__(self, pk: int, state: str, options: list[Option]):
        self.pk, self.state, self.options = pk, state, options
