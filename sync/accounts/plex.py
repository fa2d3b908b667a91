"""Plex: an account at plex.tv, confirmed on its page, and a server at home with a token of its own."""

import hashlib
import uuid
from urllib.parse import urlencode

from django.conf import settings

from sync.account_kinds import (
    AccountKind,
    Asked,
    Begun,
    Checked,
    Granted,
    Known,
    NotGranted,
    Wait,
    asking,
    part_of,
    register,
    told_by,
)
from sync.errors import BadAnswer

PRODUCT = "Listkeeper"


def client_id() -> str:
    """By which Plex knows this installation: the same for as long as SECRET_KEY is."""
    key = settings.SECRET_KEY.encode()[:64]
    return str(uuid.UUID(bytes=hashlib.blake2b(b"plex", digest_size=16, key=key).digest(), version=4))


def _headers(token: str = "") -> dict[str, str]:
    headers = {"X-Plex-Client-Identifier": client_id(), "X-Plex-Product": PRODUCT}
    return {**headers, "X-Plex-Token": token} if token else headers


@register
class Plex(AccountKind):
    key, label = "plex", "Plex"
    purpose = "Your watchlist at Plex. For the libraries of a server take “Plex server”."
    how = "You sign in on Plex’s own page; Listkeeper never sees your password."
    signs_in = must_sign_in = True

    def check(self, known: Known) -> Checked:
        with asking("plextv") as door:
            told = told_by(door.get("/api/v2/user", headers=_headers(known["token"])))
        return Checked({"user": str(told.get("username") or told.get("title") or "")[:100]})

    def begin(self, known: Known) -> Begun:
        with asking("plextv") as door:
            told = told_by(door.post("/api/v2/pins?strong=true", json={}, headers=_headers(), ok=(200, 201)))
        try:
            named = {"clientID": client_id(), "code": told["code"], "context[device][product]": PRODUCT}
            return Begun(
                url=f"https://app.plex.tv/auth#!?{urlencode(named)}", device=str(int(told["id"])),
                interval_s=3, expires_in_s=int(told.get("expiresIn") or 900),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            raise BadAnswer("Plex sent no code. Nothing was connected. Try again.") from None

    def ask(self, known: Known, device: str) -> Granted | Wait:
        with asking("plextv") as door:
            answer = door.get(f"/api/v2/pins/{device}", headers=_headers(), ok=(200, 404, 410, 429), accept="any")
        if answer.status == 429:
            return Wait.LONGER
        if answer.status != 200:
            raise NotGranted("Plex did not wait any longer. Start again.", state="expired")
        told = told_by(answer)
        return Granted({"token": self.token_in(told, "authToken")}) if told.get("authToken") else Wait.AS_BEFORE


@register
class PlexServer(AccountKind):
    key, label = "plex_server", "Plex server"
    purpose = "The libraries and collections of a Plex server."
    where = "https://support.plex.tv/articles/204059436-finding-an-authentication-token-x-plex-token/"
    how = "That page says how the token of a server is found."
    asks = (
        Asked(
            "url", "Address", "as your browser opens it, for example http://nas.local:32400", secret=False, address=True
        ),
        Asked("token", "Token", "X-Plex-Token"),
    )

    def check(self, known: Known) -> Checked:
        with asking("plex_server:") as door:
            told = told_by(door.get(f"{known['url']}/library/sections", headers=_headers(known["token"])))
        sections = part_of(told, "MediaContainer").get("Directory")
        return Checked({"libraries": len(sections) if isinstance(sections, list) else 0})
