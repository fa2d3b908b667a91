"""Services that answer what a test tells them, on their real paths, each in a folder of its own."""

import pytest

from lists import services
from lists.models import Account

FOLDERS = ("anilist", "mdblist", "plextv", "simkl", "tmdb", "trakt", "traktauth")
TOKEN = {
    "access_token": "canary-access", "refresh_token": "canary-refresh", "token_type": "bearer", "scope": "public",
    "created_at": 1_900_000_000, "expires_in": 604_800,
}  # fmt: skip
DEVICE = {
    "device_code": "canary-device", "user_code": "7KQ3F9XM", "verification_url": "https://trakt.example/activate",
    "expires_in": 600, "interval": 5,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _pointed_there(settings, upstream):
    settings.SERVICES |= {name: {"url": f"{upstream.url}/{name}", "timeout_s": 5} for name in FOLDERS}


@pytest.fixture
def make(ines):
    """make("trakt", client_id="...") is an account of Ines."""

    def make(service: str, **secrets: str) -> Account:
        return services.make_account(ines, service=service, name=f"my {service}", secrets=secrets, by=ines)

    return make


@pytest.fixture
def trakt(make) -> Account:
    return make("trakt", client_id="canary-id", client_secret="canary-secret")


@pytest.fixture
def waiting(upstream, trakt):
    """What Trakt answers to who starts to sign in, and to who asks whether it has happened."""

    def waiting(*polls: tuple[int, object], **device: object) -> None:
        upstream.answer("/traktauth/oauth/device/code", {**DEVICE, **device})
        for status, body in polls:
            upstream.answer("/traktauth/oauth/device/token", body, status)
        upstream.answer("/trakt/users/settings", {"user": {"username": "ines.h"}})

    return waiting
