"""Template words about sources and files: names of formats and columns, and what confirming a preview does."""

from typing import Any

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.forms import BoundField
from django.utils.safestring import SafeString

from lists import credentials
from lists.models import MediaList, Source
from lists.templatetags.listkeeper import field_label, service, things
from sync import access, pasted
from sync.account_kinds import KINDS
from sync.adapters import ADAPTERS, Adapter, fetched_adapters, file_formats
from sync.adapters import is_fetched as reads
from sync.http.services import service_named
from sync.models import Run
from sync.windows import mode_of

register = template.Library()


@register.filter
def format_name(key: str) -> str:
    """What people call the format or service that an adapter reads."""
    return ADAPTERS[key].label if key in ADAPTERS else key


@register.filter
def is_fetched(source: Source) -> bool:
    """Whether we read a source ourselves."""
    return reads(source)


@register.filter
def to_fetch(sources: list[Source]) -> list[Source]:
    """Those that "Sync now" asks."""
    return [source for source in sources if source.enabled and reads(source)]


@register.filter
def with_put_off(sources: list[Source]) -> list[tuple[Source, Run | None]]:
    """Each with its run that a service has put off, if there is one."""
    waiting = Run.objects.filter(source__in=sources, state=Run.State.WAITING).exclude(waits_for="").defer("details")
    runs = {run.source_id: run for run in waiting}
    return [(source, runs.get(source.pk)) for source in sources]


@register.simple_tag
def upload_formats() -> list[dict[str, str]]:
    """All formats that can be uploaded: [{"label", "help"}]."""
    return [{"label": label, "help": ADAPTERS[key].help} for key, label in file_formats()]


@register.simple_tag
def upload_limit() -> int:
    """The largest file that is taken, in MiB."""
    return settings.UPLOAD_LIMIT_MIB


@register.filter
def column_label(target: str) -> str:
    """What a column of a file became: a field, an id, its place or its kind."""
    if target.startswith("id:"):
        return f"{service(target.removeprefix('id:'))} id"
    return {"position": "Position", "kind": "Type", "ref": "Listkeeper's own mark"}.get(target) or field_label(target)


@register.simple_tag
def question(bound: BoundField) -> SafeString:
    """A field of a format's own questions, as the pages draw fields."""
    return bound.as_widget(attrs={"class": "input"})


@register.filter
def rows_in_file(counts: dict[str, int]) -> int:
    """All rows: those that were read, twice or not, those that were not, and those that are nothing for a list."""
    return sum(counts[name] for name in ("found", "duplicates", "skipped", "not_taken"))


@register.simple_tag
def source_kinds() -> list[tuple[str, list[type[Adapter]]]]:
    """Kinds of sources that are fetched, by what they ask: [(service, kinds)]."""
    found: dict[str, list[type[Adapter]]] = {}
    for kind in sorted(map(ADAPTERS.__getitem__, fetched_adapters()), key=lambda kind: kind.label.casefold()):
        name = kind.service if pasted.is_of_service(kind) else kind.service.rstrip(":")
        account = KINDS.get(access.kind_of(kind))
        known = str(service_named(name)) if pasted.is_of_service(kind) else account.label if account else ANY_ADDRESS
        found.setdefault(known, []).append(kind)
    return sorted(found.items(), key=lambda pair: (pair[0] == ANY_ADDRESS, pair[0].casefold()))


ANY_ADDRESS = "Anything at an address"
# How much is known of what a source lacks, by the way in which its answers are taken.
_WAYS = {
    Source.Mode.ROLLING: "Each reading takes the place of the last one: what is not in it any more leaves the list.",
    Source.Mode.COLLECTING: "What came with it stays: it shows the newest only, so nothing leaves the list by it.",
}


@register.simple_tag
def completeness(kind: Adapter, result: dict[str, Any] | None = None, source: Source | None = None) -> str:
    """Whether one may go by what such a source lacks. result: of a preview, in which it said how long it is, or did not."""
    mode = mode_of(source, kind) if source else kind.mode
    if mode in _WAYS:
        return _WAYS[Source.Mode(mode)]
    if not result:
        return "It is read as a whole: what it does not list any more leaves the list, as the list's rules say."
    if result.get("stated") is None:
        return "It does not say how long it is, so what it lacks leaves the list after a second reading that lacks it, too."
    return f"It says how long it is ({intcomma(result['stated'])}), so what it lacks was taken off there and can leave the list."


@register.filter
def kind_of(source: Source) -> type[Adapter] | None:
    """What reads it; None for one that this version does not know."""
    return ADAPTERS.get(source.adapter)


@register.filter
def masked(address: str) -> str:
    """Without logins."""
    return credentials.blank(address)


@register.simple_tag
def goes_on_with(result: dict[str, Any]) -> str:
    return f"Go on with {things(result['counts']['added'], result['content'])}"


@register.filter
def minus(count: int, shown: list[Any]) -> int:
    """How many more there are than are shown."""
    return count - len(shown)


@register.simple_tag
def will_do(result: dict[str, Any], list_: MediaList | None) -> str:
    """What confirming does, with its numbers: "Bring in 5 films, change 2, let 1 go"."""
    counts, content = result["counts"], result["content"]
    if list_ is None:
        return f"Make the list with {things(counts['added'], content)}"
    acts = [("Bring in", counts["added"], ""), ("change", counts["changed"], ""), ("let", counts["removed"], " go")]
    parts = [(verb, count, after) for verb, count, after in acts if count]
    if not parts:
        moved = counts["moved"]
        return f"Move {things(moved, content)}" if moved else "Bring it in; nothing changes"
    (verb, count, after), *rest = parts
    said = [f"{verb.capitalize()} {things(count, content)}{after}"]
    return ", ".join(said + [f"{verb} {intcomma(count)}{after}" for verb, count, after in rest])
