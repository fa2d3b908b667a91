"""Template words about accounts: their services, and codes as pictures."""

import re
from typing import Any

import segno
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lists.models import Account, Source
from sync import access
from sync.account_kinds import KINDS, AccountKind
from sync.adapters import adapter_named

register = template.Library()


@register.filter
def kind(account: Account) -> type[AccountKind] | None:
    """What we know of its service; None for logins out of files and for services that are not known any more."""
    return None if account.from_addresses else KINDS.get(account.service)


@register.filter
def service_label(account: Account) -> str:
    found = KINDS.get(account.service)
    return found.label if found else account.service


@register.filter
def short(label: str) -> str:
    """One or two letters in place of a logo: TM of TMDb, PS of Plex server."""
    capitals = re.findall(r"[A-Z]", label)
    words = label.split()
    return ("".join(word[0] for word in words) if len(words) > 1 else "".join(capitals) or label)[:2].upper()


@register.filter
def tone(key: str) -> int:
    """A colour that stays the same for a service."""
    return sum(key.encode()) % 12 + 1


@register.filter
def countdown(seconds: float) -> str:
    """8:41"""
    whole = max(round(seconds), 0)
    return f"{whole // 60}:{whole % 60:02}"


@register.filter
def bare(address: str) -> str:
    """An address as people type it."""
    return re.sub(r"^https?://(?:www\.)?", "", address).rstrip("/")


@register.simple_tag
def accounts_for(source: Source, user: Any) -> list[Account]:
    """Accounts that a source may be read with; empty where it needs none."""
    return access.fitting(source, user)


@register.simple_tag
def account_kind_for(source: Source) -> type[AccountKind] | None:
    return KINDS.get(access.kind_of(adapter_named(source.adapter)))


@register.simple_tag
def qr(text: str, label: str) -> SafeString:
    """A QR code that a camera reads from a screen."""
    rows = [bytes(row) for row in segno.make(text, error="l", micro=False).matrix]
    path = "".join(
        f"M{run.start()} {y}h{len(run[0])}v1h-{len(run[0])}z"
        for y, row in enumerate(rows)
        for run in re.finditer(rb"\x01+", row)
    )
    return format_html(
        '<svg class="qr" viewBox="0 0 {0} {0}" role="img" aria-label="{1}">'
        '<path d="{2}" fill="currentColor" shape-rendering="crispEdges"/></svg>',
        len(rows), label, path,
    )  # fmt: skip
