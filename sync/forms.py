"""What people answer about a file: the file itself, how it is read, and what becomes of it."""

import builtins
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q

from lists.api.sources import YEAR_MIN
from lists.forms.rules import REMOVALS, STRATEGIES
from lists.models import Account, MediaList, Proposal, Removals, SitePolicy, Source, Strategy
from sync import access, pasted
from sync.account_kinds import KINDS
from sync.adapters import ADAPTERS, Adapter, file_formats
from sync.models import Batch

# Asked for by the page itself: the encoding beside the format, the mapping column by column.
OWN_PLACE = ("encoding", "mapping", "part")
NEW = "new"


class UploadForm(forms.Form):
    """A file, and what the list made of it is called if it goes to none that is there."""

    file = forms.FileField(
        allow_empty_file=True,  # uploads.start says in better words that it is empty
        error_messages={"required": "Choose a file first. Nothing was read."},
    )
    list_name = forms.CharField(max_length=200, required=False)

    def clean_file(self) -> UploadedFile:
        """By its size, before anything of it is read into memory."""
        file = self.cleaned_data["file"]
        limit = settings.UPLOAD_LIMIT_MIB
        if file.size > limit * 1024 * 1024:
            raise forms.ValidationError(
                f"The file is larger than {limit} MiB. Nothing was read. Split it, or ask whoever runs this Listkeeper "
                "to raise LISTKEEPER_UPLOAD_LIMIT_MIB."
            )
        return file


class ColumnsForm(forms.Form):
    """What each column of a table holds. columns: as the preview shows them; targets: what they may become."""

    columns: Sequence[dict[str, Any]] = ()
    targets: Sequence[tuple[str, str]] = ()  # none where the format fixes that itself

    def ask_columns(self, columns: Sequence[dict[str, Any]], kind: type[Adapter] | None) -> None:
        self.columns, self.targets = columns, list(getattr(kind, "targets", []))
        for at, column in enumerate(columns if self.targets else []):
            self.fields[f"column-{at}"] = forms.ChoiceField(
                choices=self.targets, required=False, initial=column["field"] or "", label=column["name"]
            )

    @property
    def rows(self) -> list[tuple[dict[str, Any], forms.BoundField | None]]:
        """Each column of the table, with the field that asks what it holds."""
        return [(column, self[f"column-{at}"] if self.targets else None) for at, column in enumerate(self.columns)]

    def mapped(self) -> dict[str, str]:
        """Columns that hold something else than the preview shows: what nobody changed stays a guess."""
        return {
            str(at): self.cleaned_data[f"column-{at}"]
            for at, column in enumerate(self.columns)
            if self.cleaned_data[f"column-{at}"] != (column["field"] or "")
        }


class ReadingForm(ColumnsForm):
    """How a file is to be read: its format, the text's encoding, the format's own questions, what each column holds, and
    which source of the list it renews."""

    adapter = forms.ChoiceField(required=False, label="Format")
    encoding = forms.CharField(required=False, max_length=40, label="Encoding")

    def __init__(self, proposal: Proposal, columns: list[dict[str, Any]], *args: Any, **kwargs: Any):
        self.proposal = proposal
        super().__init__(*args, **kwargs)
        formats = file_formats()
        self.fields["adapter"].choices = formats if proposal.adapter else [("", "Find out"), *formats]  # type: ignore[attr-defined]
        self.fields["adapter"].initial = proposal.adapter
        self.fields["encoding"].initial = proposal.config.get("encoding", "")
        adapter = ADAPTERS.get(proposal.adapter)
        for name, field in (adapter.Config().fields if adapter else {}).items():
            if name not in OWN_PLACE:
                self.fields[name] = field
                self.initial[name] = proposal.config.get(name, field.initial)
        self.ask_columns(columns, adapter)
        self.parts = [part["name"] for part in proposal.result.get("parts") or []]
        if len(self.parts) > 1:
            self.fields["part"] = forms.ChoiceField(
                choices=[(name, name) for name in self.parts], required=False, initial=proposal.config.get("part", ""),
                label="Which file of the archive",
            )  # fmt: skip
        offers = proposal.result.get("sources") or []
        own = bool(proposal.result.get("own_export"))
        if offers or own:
            choices = [("", "Edits by hand")] if own else []
            choices += [(str(offer["source"]), offer["name"]) for offer in offers]
            self.fields["source"] = forms.ChoiceField(
                choices=[*choices, (NEW, "A new source")], required=False,
                initial="" if own else str(proposal.source_id or NEW),
            )  # fmt: skip

    @property
    def questions(self) -> list[forms.BoundField]:
        """The format's own."""
        own = {"adapter", "encoding", "source", "part"}
        return [self[name] for name in self.fields if name not in own and not name.startswith("column-")]

    def answers(self) -> dict[str, Any]:
        """Keyword arguments of uploads.read_again. Answers about another format than the one asked for are left out."""
        found = self.cleaned_data
        config: dict[str, Any] = {"encoding": found["encoding"]}
        if found.get("part"):
            config["part"] = found["part"]
            if found["part"] != self.proposal.config.get("part") and found["adapter"] == self.proposal.adapter:
                return {"adapter": "", "config": config}  # another file may be of another format
        if found["adapter"] != self.proposal.adapter:
            return {"adapter": found["adapter"], "config": config}
        config |= {bound.name: found[bound.name] for bound in self.questions}
        if self.targets:
            config["mapping"] = (self.proposal.config.get("mapping") or {}) | self.mapped()
        answers: dict[str, Any] = {"adapter": found["adapter"], "config": config}
        if found.get("source"):
            known = Source.objects.filter(list=self.proposal.list_id, removed_at=None)
            answers["source"] = None if found["source"] == NEW else known.filter(pk=found["source"]).first()
        return answers


class ConfirmForm(forms.Form):
    """What the new list and the new source are called; both may be left to us."""

    list_name = forms.CharField(max_length=200, required=False)
    source_name = forms.CharField(max_length=200, required=False)


class KindForm(ColumnsForm):
    """What a kind of source asks for, and with which account it is read; of one that was tried, what its columns hold."""

    def __init__(
        self, kind: type[Adapter], user: Any, data: Any = None, *, answers: dict[str, Any] | None = None,
        account: int | None | str = "first", columns: Sequence[dict[str, Any]] = (), address: str | None = None,
    ):  # fmt: skip
        """address: None where it is not asked for, because it stands already."""
        super().__init__(data)
        self.kind, self._before = kind, answers or {}
        self.account_kind = KINDS.get(access.kind_of(kind))
        if address is not None:
            self.fields["address"] = forms.CharField(
                max_length=pasted.LONGEST,
                initial=address,
                error_messages={"required": "Paste its address first. Nothing was read."},
            )
        if self.account_kind is not None:
            accounts = list(pasted.accounts_for(user, kind))
            if account == "first":
                account = next((each.pk for each in accounts if each.works), None)
            self.fields["account"] = forms.TypedChoiceField(
                choices=[("", "None: only what is public"), *((each.pk, _called(each)) for each in accounts)],
                required=False, coerce=int, empty_value=None, initial=account or "",
            )  # fmt: skip
        self.ask_columns(columns, kind)
        self.config = kind.Config(data, prefix="q", initial=self._before)
        for name in ("mapping", "part"):
            self.config.fields.pop(name, None)

    def is_valid(self) -> bool:
        return super().is_valid() and self.config.is_valid()

    def answers(self) -> dict[str, Any]:
        """To the kind's own questions."""
        given = {name: value for name, value in self.config.cleaned_data.items() if value not in (None, "", False)}
        if self.targets and self.columns:
            given["mapping"] = (self._before.get("mapping") or {}) | self.mapped()
        return given


def _called(account: Account) -> str:
    return account.name if account.works else f"{account.name} (needs attention)"


INTERVALS = {
    60: "Every hour", 180: "Every 3 hours", 360: "Every 6 hours", 720: "Every 12 hours", 1440: "Once a day", 10_080: "Once a week",
}  # fmt: skip
STRATEGIES_ASKED = (Strategy.PRIORITY, Strategy.INTELLIGENT, Strategy.ASK)  # the others stand under the list's rules
LISTS_OFFERED = 100


class KeepForm(forms.Form):
    """How a source that was looked at is kept: on which list, how often it is read, what becomes of what leaves it."""

    list = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    list_name = forms.CharField(max_length=200, required=False)
    source_name = forms.CharField(max_length=200, required=False)
    first = forms.BooleanField(required=False)
    removals = forms.ChoiceField(choices=Removals.choices, required=False)
    strategy = forms.ChoiceField(choices=Strategy.choices, required=False)
    interval_min = forms.TypedChoiceField(coerce=int)

    def __init__(self, proposal: Proposal, user: Any, data: Any = None):
        super().__init__(data)
        usual = ADAPTERS[proposal.adapter].interval_min
        every = {**INTERVALS, usual: INTERVALS.get(usual, f"Every {usual} minutes")}
        self.fields["interval_min"].choices = [  # type: ignore[attr-defined]
            (minutes, f"{said} (recommended)" if minutes == usual else said) for minutes, said in sorted(every.items())
        ]
        self.initial["interval_min"] = usual
        mine = MediaList.objects.for_user(user).filter(content=proposal.result["content"])
        if not user.is_staff:
            mine = mine.filter(Q(owner=user) | Q(memberships__user=user, memberships__role="editor"))
        offered = mine.order_by("-updated_at", "-pk").values_list("pk", "name")[:LISTS_OFFERED]
        self.fields["list"].choices = [("", "A new list"), *offered]  # type: ignore[attr-defined]
        self.site = SitePolicy.current()

    def removal_choices(self) -> builtins.list[dict[str, Any]]:
        return _choices(Removals, REMOVALS, self["removals"].value() or self.site.removals, self.site.removals)

    def strategies(self) -> builtins.list[dict[str, Any]]:
        """The site's own and the commonest."""
        asked = dict.fromkeys([Strategy(self.site.strategy), *STRATEGIES_ASKED])
        return _choices(asked, STRATEGIES, self["strategy"].value() or self.site.strategy, self.site.strategy)

    def rules(self) -> dict[str, Any]:
        """What differs from the site, so that a list follows it where nobody chose otherwise."""
        chosen = {name: self.cleaned_data[name] for name in ("removals", "strategy")}
        return {name: value for name, value in chosen.items() if value and value != getattr(self.site, name)}


def _choices(
    values: Iterable[Any], said: Mapping[Any, tuple[str, str]], chosen: str, usual: str
) -> list[dict[str, Any]]:
    """[{"value", "title", "text", "checked", "usual"}]"""
    return [
        {
            "value": str(value),
            "title": said[value][0],
            "text": said[value][1],
            "checked": value == chosen,
            "usual": value == usual,
        }
        for value in values
    ]


class ScheduleForm(forms.Form):
    """When a source is read, or all of a list that are fetched."""

    interval_min = forms.IntegerField(min_value=1, max_value=YEAR_MIN)
    gap_min = forms.IntegerField(min_value=0, max_value=YEAR_MIN)
    sync_enabled = forms.BooleanField(required=False)


class BatchForm(forms.Form):
    """How many lists are read at once, and what happens when one fails."""

    strategy = forms.ChoiceField(choices=Batch.Strategy.choices)
    stop_on_failure = forms.BooleanField(required=False)
    force = forms.BooleanField(required=False)
