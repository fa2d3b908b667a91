"""`manage.py preview FILE` or ADDRESS: what Listkeeper reads there. Nothing of it is kept; for a file no database is asked."""

import json
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lists.errors import Refused
from lists.models import Account
from lists.records import About, NotTaken, Record, Rows, Unreadable
from sync import appraisal, trying
from sync.adapters import Adapter, Context, Offer, fitting, lists_in
from sync.errors import BadPayload, SyncError
from sync.management.commands.connect import user_named
from sync.reading import read as read_source

ENDS = 5  # rows shown of either end, for people


@dataclass
class Reading:
    """What came of a file or an address. parts: the lists of an archive, the surest first. doubles: rows whose key a row before
    has. stated: how many there are, if the source says so. cut_off: why not all of it came."""

    adapter: Adapter
    encoding: str = ""
    part: str = ""
    parts: list[Offer] = field(default_factory=list)
    content: str = ""
    stated: int | None = None
    cut_off: str = ""
    about: About = field(default_factory=About)
    records: list[Record] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    not_taken: Counter[str] = field(default_factory=Counter)
    doubles: list[Record] = field(default_factory=list)

    @classmethod
    def of_address(cls, adapter: Adapter, ctx: Context, rows: Rows) -> "Reading":
        reading = cls(
            adapter, content=appraisal.content_of(rows, adapter), stated=ctx.expected, cut_off=str(ctx.cut_off or "")
        )
        reading.take(rows)
        return reading

    def take(self, rows: Rows) -> None:
        seen: set[str] = set()
        for row in rows:
            if isinstance(row, About):
                self.about = row
            elif isinstance(row, Unreadable):
                self.unreadable.append(row)
            elif isinstance(row, NotTaken):
                self.not_taken[row.what] += 1
            elif isinstance(row, Record):
                self.records.append(row)
                if row.key in seen and row.kind != "track":
                    self.doubles.append(row)
                seen.add(row.key)

    def as_json(self, limit: int | None) -> dict[str, Any]:
        return {
            "format": self.adapter.key,
            "label": self.adapter.label,
            "encoding": self.encoding,
            "part": self.part,
            "parts": [{"part": offer.part, "format": offer.adapter.key} for offer in self.parts],
            "content": self.content,
            "title": self.about.title,
            "facts": self.about.facts,
            "count": len(self.records),
            "stated": self.stated,
            "cut_off": self.cut_off,
            "unreadable": [
                {"line": row.line, "reason": row.reason, "text": row.text, "key": row.key} for row in self.unreadable
            ],
            "not_taken": dict(self.not_taken),
            "doubles": [{"line": row.line, "key": row.key} for row in self.doubles],
            "records": [
                {
                    "key": row.key,
                    "kind": row.kind,
                    "ids": row.ids,
                    "position": row.position,
                    "line": row.line,
                    "values": row.values,
                }
                for row in self.records[:limit]
            ],
        }


class Command(BaseCommand):
    help = "Shows what Listkeeper reads in a file, as an upload would, or at an address, as a source would. Nothing of it is kept."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", metavar="FILE or ADDRESS", help="an address begins with https:// or http://")
        parser.add_argument("--json", action="store_true", help="everything, for programs")
        parser.add_argument(
            "--format",
            default="",
            metavar="KEY",
            help="read it as this format or kind of source; else it is recognised",
        )
        parser.add_argument("--encoding", default="", metavar="NAME", help="only if the text looks wrong: cp1251 ...")
        parser.add_argument("--part", default="", metavar="NAME", help="of an archive: the file in it that is read")
        parser.add_argument("--account", default="", metavar="NAME", help="for an address: the account to read it with")
        parser.add_argument("--user", help="whose account that is (default: the only user there is)")
        parser.add_argument(
            "--limit", type=int, metavar="N", help="rows shown: of either end, with --json from the first"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        limit = options["limit"] if options["limit"] is None else max(options["limit"], 0)
        try:
            if options["what"].lower().startswith(("http://", "https://")):
                account = account_named(options["account"], options["user"]) if options["account"] else None
                reading = trying.read_at(options["what"], options["format"], account, Reading.of_address)
            else:
                reading = read(Path(options["what"]), options["format"], options["encoding"], options["part"])
        except (SyncError, Refused) as e:
            line = getattr(e, "line", None)
            raise CommandError(printable(f"Line {line}: {e}" if line else str(e))) from None
        if options["json"]:
            self.stdout.write(json.dumps(reading.as_json(limit), indent=1))
        else:
            self.stdout.write("\n".join(map(printable, told(reading, ENDS if limit is None else limit))))


def read(path: Path, key: str = "", encoding: str = "", part: str = "") -> Reading:
    """Raises SyncError with the sentence that an upload would end in."""
    body = _body(path)
    parts = lists_in(body, encoding)
    part = part or (parts[0].part if parts else "")
    adapter = fitting(body, key, encoding=encoding, part=part)
    ctx = Context(body, {name: value for name, value in (("part", part), ("encoding", encoding)) if value})
    with read_source(adapter, ctx) as rows:
        reading = Reading(adapter, ctx.decoded[1], part, parts, appraisal.content_of(rows, adapter))
        reading.take(rows)
    return reading


def account_named(name: str, username: str | None) -> Account:
    """Raises SyncError, or CommandError where it is not clear whose."""
    found = Account.objects.filter(owner=user_named(username), name=name, from_addresses=False).first()
    if found is None:
        raise SyncError(f"There is no account “{name}”. Nothing was read. Look under Accounts what it is called.")
    return found


def _body(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise BadPayload(f"{path} is a folder or no plain file." if path.exists() else f"There is no file {path}.")
        if path.stat().st_size > settings.UPLOAD_LIMIT_MIB * 1024 * 1024:
            raise BadPayload(
                f"The file is larger than {settings.UPLOAD_LIMIT_MIB} MiB. Nothing was read. Split it, or raise "
                "LISTKEEPER_UPLOAD_LIMIT_MIB."
            )
        return path.read_bytes()
    except (OSError, ValueError) as e:  # ValueError: a name with a zero byte
        raise BadPayload(f"{path} cannot be opened: {getattr(e, 'strerror', None) or e}.") from None


def told(reading: Reading, ends: int) -> list[str]:
    """The lines that a person sees."""
    count = len(reading.records)
    lines = [
        f"{reading.adapter.label} ({reading.adapter.key})"
        + (f", {reading.encoding}" if reading.encoding else "")
        + (f", {reading.part} of the archive" if reading.part else ""),
        ", ".join(
            [
                f"{count:,} read" + (f" ({reading.content})" if count else ""),
                *([] if reading.stated is None else [f"{reading.stated:,} stated"]),
                *([f"{len(reading.unreadable):,} unreadable"] if reading.unreadable else []),
                *(f"{number:,} not taken: {what}" for what, number in reading.not_taken.items()),
                *([f"{len(reading.doubles):,} there twice"] if reading.doubles else []),
            ]
        ),
    ]
    lines += [f"It broke off: {reading.cut_off}"] if reading.cut_off else []
    others = [offer for offer in reading.parts if offer.part != reading.part]
    lines += [f"also in the archive, with --part: {offer.part} ({offer.adapter.label})" for offer in others]
    lines += [f"title: {reading.about.title}"] if reading.about.title else []
    lines += [f"{name}: {fact}" for name, fact in reading.about.facts.items()]
    rows = list(enumerate(reading.records, 1))
    shown, rest = rows[:ends], rows[max(ends, count - ends) :]
    lines += ["", *(_line(*row) for row in shown)]
    if hidden := count - len(shown) - len(rest):
        lines.append(f"... {hidden:,} more ...")
    lines += [_line(*row) for row in rest]
    lines += ["", "Could not be read:"] if reading.unreadable else []
    for row in reading.unreadable[: max(ends, 1) * 4]:
        lines.append(f"Line {row.line}: {row.reason}" if row.line else row.reason)
    if (more := len(reading.unreadable) - max(ends, 1) * 4) > 0:
        lines.append(f"... {more:,} more ...")
    return lines


def _line(place: int, record: Record) -> str:
    shown = record.values
    name = " - ".join(filter(None, [shown.get("artist"), shown.get("title") or record.key]))
    year = f" ({shown['year']})" if "year" in shown else ""
    ids = " ".join(f"{name}:{value}" for name, value in record.ids.items())
    return f"{place:>6}  {_clock(shown.get('cue_ms'))}{name}{year}  {record.kind} {ids}".rstrip()


def _clock(ms: int | None) -> str:
    return "" if ms is None else f"{ms // 3_600_000}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}  "


def printable(line: str) -> str:
    """Signs that a terminal would obey, or that turn the rest of a line round, are shown by their numbers."""
    return "".join(sign if _is_shown(sign) else sign.encode("unicode_escape").decode() for sign in line)


def _is_shown(sign: str) -> bool:
    return sign.isprintable() or unicodedata.category(sign) == "Zs"  # blanks of other widths
