"""Every encrypted value under the newest key.

Rows that are under it already are passed over, so what was broken off goes on where it stopped. A value is replaced only
if it still is what was read: who writes meanwhile writes under the newest key anyway.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from lists.encrypted import EncryptedBinaryField, EncryptedTextField, box


@dataclass
class Rotated:
    """One column. renewed: values that are under the newest key since now; passed: that were already; unreadable: keys of
    the rows whose value none of our keys opens."""

    column: str
    renewed: int = 0
    passed: int = 0
    unreadable: list[Any] = field(default_factory=list)


def rotate_all(*, batch: int = 100, after_batch: Callable[[Rotated], None] | None = None) -> Iterator[Rotated]:
    """Column by column, in transactions of so many rows."""
    for model, column in encrypted_columns():
        yield _rotate(model, column, batch, after_batch or (lambda so_far: None))


def encrypted_columns() -> Iterator[tuple[type[models.Model], models.Field]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            for each in model._meta.local_concrete_fields:
                if isinstance(each, EncryptedTextField | EncryptedBinaryField):
                    yield model, each


def _rotate(
    model: type[models.Model], column: models.Field, batch: int, after_batch: Callable[[Rotated], None]
) -> Rotated:
    newest = Fernet(settings.ENCRYPTION_KEYS[0])
    done = Rotated(f"{model._meta.db_table}.{column.column}")
    last = None
    while True:
        with transaction.atomic():
            keys = _keys(model, column, last, batch)
            for pk in keys:
                _renew(model, column, pk, newest, done)
        after_batch(done)
        if len(keys) < batch:
            return done
        last = keys[-1]


def _renew(model: type[models.Model], column: models.Field, pk: Any, newest: Fernet, done: Rotated) -> None:
    stored = _stored(model, column, pk)
    if not stored:
        return
    token = stored.encode() if isinstance(stored, str) else bytes(stored)
    try:
        newest.decrypt(token)
        done.passed += 1
        return
    except InvalidToken:
        pass
    try:
        plain = isinstance(column, EncryptedBinaryField) and not column.is_token(token)  # from before it was encrypted
        renewed = newest.encrypt(token) if plain else box().rotate(token)
    except InvalidToken:
        done.unreadable.append(pk)
        return
    if _replace(model, column, pk, stored, renewed.decode() if isinstance(stored, str) else renewed):
        done.renewed += 1


# By hand: the fields would open what they read, and seal what is sealed already.


def _named(model: type[models.Model], column: models.Field) -> tuple[str, str, str]:
    """(table, column, primary key), as the database wants to have them written."""
    quoted = connection.ops.quote_name
    assert model._meta.pk
    return quoted(model._meta.db_table), quoted(str(column.column)), quoted(str(model._meta.pk.column))


def _keys(model: type[models.Model], column: models.Field, after: Any, batch: int) -> list[Any]:
    """Of the next rows that hold something. Without their values: an upload may have tens of MiB."""
    table, name, key = _named(model, column)
    beyond = f"AND {key} > %s" if after is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key} FROM {table} WHERE {name} IS NOT NULL {beyond} ORDER BY {key} LIMIT %s",  # noqa: S608 - our own names
            [*([after] if after is not None else []), batch],
        )
        return [row[0] for row in cursor.fetchall()]


def _stored(model: type[models.Model], column: models.Field, pk: Any) -> Any:
    table, name, key = _named(model, column)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {table} WHERE {key} = %s", [pk])  # noqa: S608 - as above
        row = cursor.fetchone()
    return row[0] if row else None


def _replace(model: type[models.Model], column: models.Field, pk: Any, stored: Any, renewed: Any) -> bool:
    table, name, key = _named(model, column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {name} = %s WHERE {key} = %s AND {name} = %s",  # noqa: S608 - as above
            [renewed, pk, bytes(stored) if isinstance(stored, memoryview) else stored],
        )
        return cursor.rowcount == 1
