"""AniList: public lists need no account; for a private one a token is typed in, which holds for a year."""

import base64
import binascii
from datetime import UTC, datetime

import orjson

from sync.account_kinds import AccountKind, Asked, Checked, Known, asking, part_of, register, told_by
from sync.errors import AccessRefused


@register
class AniList(AccountKind):
    key, label = "anilist", "AniList"
    purpose = "Private lists at AniList. Public ones can be read without an account."
    where = "https://anilist.co/settings/developer"
    how = (
        "Make a client there with https://anilist.co/api/v2/oauth/pin as its redirect address, then open "
        "https://anilist.co/api/v2/oauth/authorize?client_id=NUMBER&response_type=token with its number, and copy the token."
    )
    asks = (Asked("token", "Token", "It holds for a year."),)

    def check(self, known: Known) -> Checked:
        body = {"query": "{ Viewer { name } }"}
        headers = {"Authorization": f"Bearer {known['token']}"}
        with asking("anilist") as door:
            told = told_by(door.post("/", json=body, headers=headers, ok=(200, 400), repeatable=True))
        viewer = part_of(part_of(told, "data"), "Viewer")
        if not viewer.get("name"):  # a token that they do not take is a 400
            raise AccessRefused("AniList does not take this token. Nothing was removed. Type in a new one.")
        return Checked({"user": str(viewer["name"])[:100]}, _end_of(known["token"]))


def _end_of(token: str) -> datetime | None:
    """When the token says that it ends."""
    try:
        middle = token.split(".")[1]
        said = orjson.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        return datetime.fromtimestamp(int(said["exp"]), UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError, binascii.Error):
        return None
