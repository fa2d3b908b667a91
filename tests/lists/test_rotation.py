"""manage.py rotate_keys: every encrypted column under the newest key, whatever happens on the way."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from lists import services
from lists.encrypted import EncryptedBinaryField, EncryptedTextField
from lists.models import Account, Proposal, Source
from lists.rotation import encrypted_columns, rotate_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(ines, films) -> None:
    for n in range(7):
        services.make_account(ines, service="trakt", name=f"No {n}", secrets={"token": f"canary-{n}"}, by=ines)
    services.add_source(films, adapter="x", name="x", by=ines, address="https://example.org/?key=canary")
    Proposal.objects.create(kind="preview", state="open", list=films, body=b"canary file")


@pytest.fixture
def new_key(settings) -> str:
    """A new key in front of the old one."""
    key = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [key, *settings.ENCRYPTION_KEYS]
    return key


def rotate(**options) -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def opened() -> list[object]:
    return [
        *Account.objects.order_by("pk").values_list("secrets", flat=True),
        *Source.objects.values_list("address", flat=True),
        *(bytes(body) for body in Proposal.objects.values_list("body", flat=True)),
    ]


def test_every_encrypted_field_of_every_model_is_found():
    found = {f"{model.__name__}.{column.name}" for model, column in encrypted_columns()}
    assert {"Account.secrets", "SignIn.url", "SignIn.device", "Source.address", "Proposal.body"} <= found
    assert all(isinstance(column, EncryptedTextField | EncryptedBinaryField) for _, column in encrypted_columns())


@pytest.mark.covers("SAFE-09")
def test_after_it_the_old_key_is_not_needed(kept, new_key, settings):
    before = opened()
    said = rotate(batch=3)
    assert "lists_account.secrets: 7 renewed, 0 were under the first key already" in said
    assert "The others are not needed any more" in said
    settings.ENCRYPTION_KEYS = [new_key]
    assert opened() == before
    assert "lists_account.secrets: 0 renewed, 7 were" in rotate()


def test_what_was_broken_off_goes_on_where_it_stopped(kept, new_key):
    class PowerCut(Exception): ...

    def cut(so_far):
        if so_far.column == "lists_account.secrets" and so_far.renewed == 4:
            raise PowerCut

    with pytest.raises(PowerCut):
        list(rotate_all(batch=2, after_batch=cut))
    assert "lists_account.secrets: 3 renewed, 4 were under the first key already" in rotate()


def test_what_no_key_opens_is_told_and_left(kept, new_key, settings):
    lost = Account.objects.earliest("pk").pk
    forgotten = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lists_account SET secrets = %s WHERE id = %s", [forgotten, lost])
    with pytest.raises(CommandError, match="1 could not be opened"):
        rotate()
    assert sum(done.passed for done in rotate_all() if done.column == "lists_account.secrets") == 6


def test_a_file_from_before_the_column_was_encrypted_is_encrypted(kept, new_key, settings):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lists_proposal SET body = %s", [b"plain file"])
    rotate()
    settings.ENCRYPTION_KEYS = [new_key]
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM lists_proposal")
        assert b"plain" not in bytes(cursor.fetchone()[0])
    assert bytes(Proposal.objects.get().body) == b"plain file"


def test_a_batch_has_a_row_at_least():
    with pytest.raises(CommandError, match="--batch"):
        rotate(batch=0)
