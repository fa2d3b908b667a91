"""Secrets are unreadable in the database, and a wrong key says so."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.db import connection

from lists.encrypted import WrongKey
from lists.models import Account


@pytest.fixture
def account(ines) -> Account:
    return Account.objects.create(owner=ines, service="trakt", name="Mine", secrets="hunter2-token")


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM lists_account")
        return cursor.fetchone()[0]


def test_a_secret_is_plain_in_python_and_nowhere_else(account):
    assert Account.objects.get().secrets == "hunter2-token"
    assert "hunter2" not in stored()


def test_a_new_key_in_front_reads_what_the_old_one_wrote(account, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    again = Account.objects.get()
    assert again.secrets == "hunter2-token"
    before = stored()
    again.save()
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    assert (Account.objects.get().secrets, stored() != before) == ("hunter2-token", True)


def test_with_the_wrong_key_the_ciphertext_is_never_taken_for_the_secret(account, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(WrongKey, match="Put the old key back"):
        Account.objects.get()


def test_nobody_searches_by_a_secret(account):
    with pytest.raises(FieldError):
        Account.objects.filter(secrets="hunter2-token").exists()
    assert not Account.objects.filter(secrets__isnull=True).exists()


def test_an_empty_secret_stays_empty(ines):
    Account.objects.create(owner=ines, service="trakt", name="None", secrets="")
    assert stored() == ""
