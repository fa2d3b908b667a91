"""Template words about sources and files: names of formats and columns, and what confirming a preview does."""

from typing import Any

from django import template
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.forms import BoundField
from django.utils.safestring import SafeString

from lists.models import MediaList, Source
from lists.templatetags.listkeeper import field_label, service, things
from sync import pipeline
from sync.adapters import ADAPTERS
from sync.adapters import is_fetched as reads

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


@register.simple_tag
def upload_formats() -> list[str]:
    """Names of all formats that can be uploaded."""
    return [label for _, label in pipeline.file_formats()]


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
