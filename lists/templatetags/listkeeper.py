"""Template words of our own: icons, posters, times, figures and values as the pages write them."""

import hashlib
from datetime import datetime
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from lists.credentials import placeholders
from lists.fields import FIELDS
from lists.filters import is_filtered
from lists.labels import part
from lists.models import Item

register = template.Library()

MOTIFS = ("sun", "arcs", "blinds", "moon", "dots", "peaks", "waves", "windows", "road", "rings", "stairs", "slant")
TONES = 12
WORDS = {"films": ("film", "films"), "tracks": ("track", "tracks"), "channels": ("channel", "channels")}
SERVICES = {
    "imdb": "IMDb", "tmdb": "TMDb", "tvdb": "TVDb", "trakt": "Trakt", "simkl": "Simkl", "anilist": "AniList",
    "mal": "MyAnimeList", "letterboxd": "Letterboxd",
}  # fmt: skip
# Where the page of an id is.
WHOLE_IDS = {"imdb": "https://www.imdb.com/title/{}/", "letterboxd": "https://boxd.it/{}"}
PAGES = {
    ("tmdb", "movie"): "https://www.themoviedb.org/movie/{}",
    ("tmdb", "show"): "https://www.themoviedb.org/tv/{}",
    ("simkl", "movie"): "https://simkl.com/movies/{}",
    ("simkl", "show"): "https://simkl.com/tv/{}",
    ("anilist", "movie"): "https://anilist.co/anime/{}",
    ("anilist", "show"): "https://anilist.co/anime/{}",
    ("mal", "movie"): "https://myanimelist.net/anime/{}",
    ("mal", "show"): "https://myanimelist.net/anime/{}",
}


@register.filter
def plain(value: Any) -> str:
    """As it is, without thousand separators: for years, addresses and attributes."""
    return "" if value is None else str(value)


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of icons.svg; it is hidden from screen readers, so a word or a label must stand beside it."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 20 20" aria-hidden="true"><use href="{}#{}"/></svg>',
        extra, static("lists/icons.svg"), name,
    )  # fmt: skip


# -- pictures ----------------------------------------------------------------------------------------------------------


def _poster(seed: str, title: str, picture: str, size: str) -> SafeString:
    digest = hashlib.blake2b(seed.encode(), digest_size=2).digest()
    words = format_html('<span class="poster-words" dir="auto">{}</span>', title)
    # Pictures are shown from https only: the content security policy refuses the rest. One with a name between braces
    # needs a login, which no page gets.
    image = (
        format_html('<img src="{}" alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer">', picture)
        if picture.startswith("https://") and not placeholders(picture)
        else ""
    )
    return format_html(
        '<span class="poster {} tone-{}" aria-hidden="true"><svg viewBox="0 0 200 300" '
        'preserveAspectRatio="xMidYMin slice" fill="currentColor"><use href="{}#{}" width="200" height="300"/></svg>{}{}</span>',
        size, digest[0] % TONES + 1, static("lists/posters.svg"), MOTIFS[digest[1] % len(MOTIFS)], words, image,
    )  # fmt: skip


@register.simple_tag
def poster(entry: Any, size: str = "") -> SafeString:
    """The picture of an entry or of a history row of one: a motif by its item, covered by its poster where it has one."""
    seed = f"item {entry.item_id}" if entry.item_id else f"entry {entry.id}"
    return _poster(seed, entry.title, entry.poster, size)


@register.simple_tag
def motif(title: str, size: str = "thumb") -> SafeString:
    """The picture of something that is no entry yet: a motif by its title."""
    return _poster(title, title, "", size)


# -- times and figures -------------------------------------------------------------------------------------------------


def in_words(at: datetime, now: datetime) -> str:
    """14 min ago up to an hour, 16:41 today, yesterday or tomorrow 22:14, 2 Nov, 2 Nov 2024. Both in the reader's zone."""
    minutes = (now - at).total_seconds() / 60
    if -1 < minutes < 1:
        return "just now"
    if 0 < minutes < 60:
        return f"{int(minutes)} min ago"
    days = (now.date() - at.date()).days
    if days == 0:
        return f"{at:%H:%M}"
    if abs(days) == 1:
        return f"{'yesterday' if days == 1 else 'tomorrow'} {at:%H:%M}"
    return f"{at.day} {at:%b}" if at.year == now.year else f"{at.day} {at:%b %Y}"


@register.filter
def when(at: datetime | None) -> SafeString | str:
    if at is None:
        return ""
    local = timezone.localtime(at)
    return _time(local, in_words(local, timezone.localtime()))


@register.filter
def clock(at: datetime | None) -> SafeString | str:
    """16:41:06, where the day is known from elsewhere."""
    return _time(local, f"{local:%H:%M:%S}") if at and (local := timezone.localtime(at)) else ""


@register.filter
def until(at: datetime | None) -> SafeString | str:
    """A time to come: 16:41:06 if it is today, else as `when` says it."""
    same_day = at is not None and timezone.localtime(at).date() == timezone.localdate()
    return clock(at) if same_day else when(at)


def _time(local: datetime, words: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"),
        f"{local.day} {local:%B %Y, %H:%M:%S}", words,
    )  # fmt: skip


@register.filter
def day(at: datetime) -> str:
    """Today, Yesterday, 18 November, 18 November 2024: heads of days."""
    local, today = timezone.localtime(at).date(), timezone.localdate()
    days = (today - local).days
    if days < 2:
        return "Today" if days < 1 else "Yesterday"
    return f"{local.day} {local:%B}" if local.year == today.year else f"{local.day} {local:%B %Y}"


def _nothing(value: Any) -> bool:
    """A template gives None for what is empty and "" for what is not there."""
    return value in (None, "")


@register.filter
def film_length(seconds: Any) -> str:
    """Of a film: hours and minutes, 1:58."""
    return "" if _nothing(seconds) else f"{seconds // 3600}:{seconds % 3600 // 60:02}"


@register.filter
def track_length(seconds: Any) -> str:
    """Of a track: minutes and seconds, 6:20."""
    return "" if _nothing(seconds) else f"{seconds // 60}:{seconds % 60:02}"


@register.filter
def cue(ms: Any) -> str:
    """A place in a set: hours, minutes and seconds, 1:02:33."""
    return "" if _nothing(ms) else f"{ms // 3_600_000}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}"


@register.filter
def took(ms: int | None) -> str:
    """A duration of ours: 0.4 s, 12 s, 3 min 20 s."""
    if ms is None:
        return ""
    seconds = ms / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


@register.filter
def share(part: float) -> str:
    """Of 1, in per cent; more than none is never 0."""
    return f"{part:.0%}".replace("%", " %") if part == 0 or part >= 0.01 else "under 1 %"


@register.filter
def minutes(count: int) -> str:
    """A length in the largest unit that fits: 45 min, 6 h, 7 d."""
    for size, unit in ((1440, "d"), (60, "h")):
        if count >= size and count % size == 0:
            return f"{count // size:,} {unit}"
    return f"{count:,} min"


@register.filter
def rated(value: Any) -> str:
    return "" if _nothing(value) else f"{value:.1f}"


@register.filter
def per_cent(share: float) -> str:
    return f"{share * 100:.0f} %"


@register.filter
def things(count: int, content: str) -> str:
    """312 films, 1 track: a number of what a list of this content holds."""
    return counted(count, *WORDS[content])


register.filter(is_filtered)


@register.filter
def total(counts: dict[Any, int]) -> int:
    return sum(counts.values())


@register.simple_tag
def counted(count: int, one: str, many: str) -> str:
    return f"{intcomma(count)} {one if count == 1 else many}"


@register.simple_tag
def tally(added: int, removed: int, changed: int) -> SafeString:
    """+12 −3 ~41, zeros left out."""
    parts = [
        ("ins", "", "+", added, "added"), ("del", "", "−", removed, "removed"), ("span", "alt", "~", changed, "changed"),
    ]  # fmt: skip
    shown = format_html_join(
        " ",
        '<{} class="{}">{}{}<span class="visually-hidden"> {}</span></{}>',
        ((tag, cls, sign, intcomma(n), word, tag) for tag, cls, sign, n, word in parts if n),
    )
    return format_html('<span class="tally">{}</span>', shown) if shown else mark_safe("")


# -- values ------------------------------------------------------------------------------------------------------------


@register.filter
def field_label(name: str) -> str:
    return FIELDS[name].label if name in FIELDS else name.capitalize()


@register.simple_tag
def shown(name: str, value: Any, kind: str = "") -> SafeString | str:
    """The value of a field as people read it; a web address is a link."""
    if value in (None, "", []):
        return ""
    if name == "runtime_s":
        return track_length(value) if kind == Item.Kind.TRACK else film_length(value)
    if name in ("cue_ms", "end_ms"):
        return cue(value)
    if name == "kind":
        return str(dict(Item.Kind.choices).get(value, value))
    if name == "monitored":
        return "yes" if value else "no"
    if name in ("votes", "popularity"):
        return intcomma(value)
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list):
        return ", ".join(str(word) for word in value)
    text = str(value)
    if (
        name in ("poster", "backdrop", "address")
        and text.startswith(("https://", "http://"))
        and not placeholders(text)
    ):
        return format_html('<a href="{}" rel="noreferrer">{}</a>', text, text)
    return format_html("<bdi>{}</bdi>", text)


@register.filter
def service(namespace: str) -> str:
    return SERVICES.get(namespace, namespace)


@register.simple_tag
def page_at(namespace: str, value: str) -> str:
    """The address of an id's page at its service; empty where there is none to link to."""
    if namespace in WHOLE_IDS:
        return WHOLE_IDS[namespace].format(value)
    kind, _, number = value.partition("/")
    address = PAGES.get((namespace, kind), "")
    return address.format(number) if number.isdecimal() else ""


@register.filter
def initials(user: Any) -> str:
    words = (user.get_full_name() or user.get_username()).split()
    return "".join(word[0] for word in words[:2]).upper()


@register.filter
def of(rows: dict[Any, Any], key: Any) -> Any:
    """What a dict holds under a key that stands in a variable."""
    return rows.get(key)


@register.filter
def length_of(seconds: Any, kind: str) -> str:
    return track_length(seconds) if kind == Item.Kind.TRACK else film_length(seconds)


@register.filter
def things_word(count: int, content: str) -> str:
    return WORDS[content][count != 1]


@register.filter
def words(value: Any) -> list[str]:
    """The words of a LabelsField as history rows may hold them: "|drama|comedy|"."""
    return part(value) if isinstance(value, str) else value


# -- changes -----------------------------------------------------------------------------------------------------------

SIGNS = {"added": ("add", "+"), "removed": ("del", "−"), "changed": ("alt", "~"), "moved": ("move", "↕")}


@register.filter
def diff_class(kind: str) -> str:
    return SIGNS[kind][0]


@register.filter
def diff_sign(kind: str) -> str:
    return SIGNS[kind][1]


@register.simple_tag
def before_after(name: str, before: Any, after: Any, kind: str = "") -> SafeString:
    """Old struck through, new beside it."""
    old, new = shown(name, before, kind or ""), shown(name, after, kind or "")
    if not old:
        return format_html("nothing before <ins>{}</ins>", new)
    return (
        format_html("<del>{}</del> <ins>{}</ins>", old, new) if new else format_html("<del>{}</del> nothing now", old)
    )


@register.simple_tag
def changes_in_words(version: Any, content: str) -> str:
    """12 films came, 9 left, 140 changed, 3 moved."""
    counts = [
        (version.added, "came"),
        (version.removed, "left"),
        (version.changed, "changed"),
        (version.moved, "moved"),
    ]
    parts = [f"{intcomma(n)} {word}" for n, word in counts if n]
    if not parts:
        return "Nothing that is listed changed."
    first, *rest = parts
    count = next(n for n, _ in counts if n)
    first = first.replace(" ", f" {WORDS[content][count != 1]} ", 1)
    return ", ".join([first, *rest]) + "."
