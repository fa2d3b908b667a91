"""What an account at a service is made of, and the registry that finds each kind by its place in sync/accounts/.

A kind says what it asks for, where that is found and what it is for: pages, API and admin all read it from here. It knows
the paths of its service and touches no model. What it is given, and gives back, are names and values: a secret goes into
requests, a detail may be shown.
"""

import enum
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils import timezone

from sync.errors import BadAnswer, SourceRefused, SyncError
from sync.http import Answer, Door

Known = Mapping[str, str]  # what an account holds: name -> value, secrets and details alike
LONGEST_S = 10 * 365 * 86_400  # what is said to hold for longer is not believed
LEAST_LEFT = timedelta(hours=1)  # of a token's life at which it is renewed, or a tenth of it, whichever is more


class NotGranted(SyncError):
    """A sign-in that came to nothing. state: a member of SignIn.State."""

    code = "not_granted"

    def __init__(self, message: str, *, state: str):
        super().__init__(message)
        self.state = state


class Wait(enum.Enum):
    """A person has not done it yet."""

    AS_BEFORE = "as before"
    LONGER = "longer"  # we ask too often


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that waits for a person. code: what they type at url; empty: nothing. device: by which we ask how far it is."""

    url: str
    device: str = field(repr=False)
    code: str = ""
    interval_s: int = 5
    expires_in_s: int = 600


@dataclass(frozen=True, slots=True)
class Granted:
    """What a service gave: secrets, and until when they hold. renewable: whether it gives new ones for them."""

    secrets: Known = field(repr=False)
    details: Mapping[str, Any] = field(default_factory=dict)
    since: datetime | None = None
    expires_in_s: int | None = None
    renewable: bool = False

    def times(self) -> dict[str, datetime | None]:
        """expires_at and renew_at, as far as the service says how long it holds."""
        if self.expires_in_s is None:
            return {"expires_at": None, "renew_at": None}
        life = timedelta(seconds=min(max(self.expires_in_s, 0), LONGEST_S))
        end = (self.since or timezone.now()) + life
        # Of a token that lives for minutes not the whole life: it would be renewed each time that it is used.
        left = min(max(LEAST_LEFT, life / 10), life / 2)
        return {"expires_at": end, "renew_at": end - left if self.renewable else None}


@dataclass(frozen=True, slots=True)
class Checked:
    """An account that works. details: what may be shown of it. expires_at: if the secrets say so themselves."""

    details: Mapping[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a person types."""

    name: str
    label: str
    help: str = ""
    secret: bool = True
    required: bool = True
    address: bool = False  # of a server


class AccountKind:
    """purpose: what such an account is for. where: the page on which its key is got; how: what to do there. signs_in: whether
    a person can confirm it at the service; must_sign_in: whether nothing works before that."""

    key: ClassVar[str]
    label: ClassVar[str]
    purpose: ClassVar[str]
    where: ClassVar[str] = ""
    how: ClassVar[str] = ""
    asks: ClassVar[tuple[Asked, ...]] = ()
    signs_in: ClassVar[bool] = False
    must_sign_in: ClassVar[bool] = False

    def check(self, known: Known) -> Checked:
        """Ask for something cheap that only who is signed in gets. Raises AccessRefused."""
        raise NotImplementedError  # an abstract method: every kind writes its own

    def begin(self, known: Known) -> Begun:
        """Start to sign in. Raises SyncError."""
        raise NotImplementedError  # as above, where signs_in

    def ask(self, known: Known, device: str) -> Granted | Wait:
        """Whether it has happened. Raises NotGranted if it will not."""
        raise NotImplementedError  # as above

    def renew(self, known: Known) -> Granted:
        """New tokens for old. Raises AccessRefused if the service does not take the old ones any more."""
        raise NotImplementedError  # as above, where what is granted is renewable

    def sorted_out(self, answers: Known) -> tuple[dict[str, str], dict[str, str]]:
        """(secrets, details) of what was typed."""
        secret = {asked.name for asked in self.asks if asked.secret}
        return (
            {name: value for name, value in answers.items() if name in secret},
            {name: value for name, value in answers.items() if name not in secret},
        )

    def token_in(self, told: Mapping[str, Any], name: str) -> str:
        """A secret of an answer. Raises BadAnswer for what is none."""
        if not isinstance(value := told.get(name), str) or not value:
            raise BadAnswer(f"{self.label} sent no token. Nothing was connected. Try again.")
        return value

    def lacks(self, known: Known) -> list[str]:
        """Labels of what has to be typed before anything can be asked."""
        return [asked.label for asked in self.asks if asked.required and not known.get(asked.name)]

    def is_complete(self, known: Known) -> bool:
        """Whether there is something to test; else somebody has to sign in first."""
        return not self.must_sign_in or bool(known.get("token"))

    @classmethod
    def site_keys(cls) -> Known:
        """What the administrator has set for everybody: keys of an application, above all."""
        return {name: value for name, value in settings.SERVICE_KEYS.get(cls.key, {}).items() if value}

    @classmethod
    def form(cls, data: Any = None, *, kept: frozenset[str] = frozenset()) -> forms.Form:
        """Of what it asks for. kept: names of which a value is stored or set already, so that nothing need be typed."""
        form = forms.Form(data)
        given = kept | cls.site_keys().keys()
        for asked in cls.asks:
            form.fields[asked.name] = _field(asked, required=asked.required and asked.name not in given)
        return form


def told_by(answer: Answer) -> dict[str, Any]:
    """The object that a service answered with. Raises BadAnswer for anything else."""
    if not isinstance(told := answer.json(), dict):
        raise BadAnswer(f"{answer.service} answered with something else than was asked for. Nothing was changed.")
    return told


def part_of(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object within it; empty where there is none."""
    return part if isinstance(part := told.get(name), dict) else {}


def _field(asked: Asked, *, required: bool) -> forms.Field:
    # Browsers must neither remember a key nor take it for the password of Listkeeper.
    attributes = {"autocomplete": "off" if not asked.secret else "new-password", "spellcheck": "false"}
    widget = forms.PasswordInput if asked.secret else forms.TextInput
    return (AddressField if asked.address else forms.CharField)(
        label=asked.label, help_text=asked.help, required=required, max_length=4000 if asked.secret else 500,
        widget=widget(attrs=attributes), error_messages={"required": f"{asked.label} is missing. Nothing was saved."},
    )  # fmt: skip


class AddressField(forms.CharField):
    """Of a server, which at home may have a name without a dot."""

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return text
        text = (text if "://" in text else f"http://{text}").rstrip("/")
        try:
            parts = urlsplit(text)
            whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        except ValueError:
            whole = False
        if not whole or parts.query or parts.fragment or any(sign.isspace() for sign in text):
            raise forms.ValidationError("Type an address such as http://nas.local:7878. Nothing was saved.")
        if "@" in parts.netloc:
            raise forms.ValidationError("Leave name and password out of the address: it is shown. Nothing was saved.")
        return text


def asking(service: str) -> Door:
    """The way to a service while somebody waits: what it does not answer at once is not asked again."""
    return Door(service, retries=0)


KINDS: dict[str, type[AccountKind]] = {}


def register(cls: type[AccountKind]) -> type[AccountKind]:
    if cls.key in KINDS:
        raise ValueError(f"two kinds of account call themselves {cls.key!r}")
    KINDS[cls.key] = cls
    return cls


def load_kinds() -> None:
    """Import every module of sync/accounts/, which registers itself. Called once, when Django is ready."""
    package = importlib.import_module("sync.accounts")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"{package.__name__}.{module}")


def kinds() -> list[type[AccountKind]]:
    """By what people call them."""
    return sorted(KINDS.values(), key=lambda kind: kind.label.casefold())


def kind_named(key: str) -> AccountKind:
    try:
        return KINDS[key]()
    except KeyError:
        raise SourceRefused(f"This version of Listkeeper knows no accounts of {key!r}. Nothing was done.") from None
