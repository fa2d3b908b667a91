"""Answers that may be used again for a while: details of a film, which hardly change; never a list.

They are kept for all users, so what makes an answer somebody's own must not be asked for like that: it is found by what was
asked, without what is secret.
"""

import hashlib
import zlib
from datetime import timedelta

from django.utils import timezone

from lists import fields
from sync.http import addresses
from sync.http.answers import Answer
from sync.http.calls import Call
from sync.http.services import Service
from sync.models import CachedAnswer

LARGEST = 1 << 20  # bytes of a body


def found(service: Service, call: Call) -> Answer | None:
    row = CachedAnswer.objects.fresh(_key(service, call))
    if row is None:
        return None
    headers = {"Content-Type": row.content_type}
    return Answer(200, headers, zlib.decompress(row.body), addresses.shown(call.url), str(service))


def keep(service: Service, call: Call, answer: Answer) -> None:
    if answer.status != 200 or len(answer.body) > LARGEST or not service.keep_s:
        return
    CachedAnswer.objects.update_or_create(
        key=_key(service, call),
        defaults={
            "service": service.name, "content_type": answer.headers.get("Content-Type", "")[:200],
            "body": zlib.compress(answer.body, 1), "until": timezone.now() + timedelta(seconds=service.keep_s),
        },
    )  # fmt: skip


def forget_old() -> int:
    """Returns how many are gone."""
    return CachedAnswer.objects.filter(until__lte=timezone.now()).delete()[0]


def _key(service: Service, call: Call) -> bytes:
    asked = fields.canonical([service.name, addresses.stripped(call.url), call.accept])
    return hashlib.blake2b(asked, digest_size=32).digest()
