"""Encrypted columns: Fernet, newest key first, so that keys can be turned over without a gap.

A value that none of our keys opens is an error that says so, never a ciphertext taken for the secret itself.
"""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

_WRONG_KEY = (
    "A stored secret cannot be opened: the encryption key has changed. "
    "Put the old key back behind the new one in LISTKEEPER_ENCRYPTION_KEYS."
)


class WrongKey(Exception):
    """The stored secret was encrypted with a key that is not among ours."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as e:
        raise ImproperlyConfigured("LISTKEEPER_ENCRYPTION_KEYS holds a key that is no Fernet key.") from e


def box() -> MultiFernet:
    return _fernet(tuple(settings.ENCRYPTION_KEYS))


class EncryptedBinaryField(models.BinaryField):
    """Bytes that are encrypted in the database and plain in Python: files of people, which may hold logins.

    What was stored before the column was encrypted is read as it is.
    """

    _TOKEN = b"gAAAA"  # how every Fernet token begins

    def is_token(self, stored: bytes) -> bool:
        return stored.startswith(self._TOKEN)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = None if value is None else box().encrypt(bytes(value))
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        stored = None if value is None else bytes(value)
        if stored is None or not self.is_token(stored):
            return stored
        try:
            return box().decrypt(stored)
        except InvalidToken:
            raise WrongKey(_WRONG_KEY) from None


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the database and plain in Python. It cannot be searched or compared in a query."""

    def get_prep_value(self, value: Any) -> str | None:
        value = super().get_prep_value(value)
        return value if value in (None, "") else box().encrypt(value.encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if value in (None, ""):
            return value
        try:
            return box().decrypt(value.encode()).decode()
        except InvalidToken:
            raise WrongKey(_WRONG_KEY) from None

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
