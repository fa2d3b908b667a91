"""Trakt: a code that is typed at its page, and tokens that are renewed with a refresh token that works once.

Signing in goes by a host of its own; the API's takes the same calls, but is not meant for it.
"""

from datetime import UTC, datetime

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
from sync.errors import AccessRefused, BadAnswer, SourceRefused
from sync.http import Answer

ENDS = {
    404: ("failed", "Trakt does not know this code. Start again."),
    409: ("failed", "This code was used already. Start again to get a new one."),
    410: ("expired", "The code has run out. Start again to get a new one."),
    418: ("denied", "The request was refused at Trakt. Nothing was connected. Start again if that was not meant."),
}


@register
class Trakt(AccountKind):
    key, label = "trakt", "Trakt"
    purpose = "Your lists, watchlist, collection and ratings at Trakt, private ones too, and its charts."
    where = "https://app.trakt.tv/settings/apps/api"
    how = "Make an application there; any name will do, and urn:ietf:wg:oauth:2.0:oob as its redirect address."
    asks = (Asked("client_id", "Client id"), Asked("client_secret", "Client secret"))
    signs_in = must_sign_in = True

    def check(self, known: Known) -> Checked:
        headers = {
            "trakt-api-version": "2", "trakt-api-key": known["client_id"], "Authorization": f"Bearer {known['token']}",
        }  # fmt: skip
        with asking("trakt") as door:
            answer = door.get("/users/settings", headers=headers)
        user = part_of(told_by(answer), "user")
        return Checked({"user": str(user.get("username") or "")[:100]})

    def begin(self, known: Known) -> Begun:
        with asking("traktauth") as door:
            try:
                told = told_by(door.post("/oauth/device/code", json={"client_id": known["client_id"]}))
            except (AccessRefused, SourceRefused):
                raise SourceRefused(
                    "Trakt does not know this client id. Nothing was connected. Look at it again."
                ) from None
        try:
            return Begun(
                code=told["user_code"], device=told["device_code"], url=told["verification_url"],
                interval_s=int(told["interval"]), expires_in_s=int(told["expires_in"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            raise BadAnswer("Trakt sent no code. Nothing was connected. Try again.") from None

    def ask(self, known: Known, device: str) -> Granted | Wait:
        body = {"code": device, "client_id": known["client_id"], "client_secret": known["client_secret"]}
        with asking("traktauth") as door:
            answer = door.post("/oauth/device/token", json=body, ok=(200, 400, 429, *ENDS), accept="any")
        if answer.status == 400:
            return Wait.AS_BEFORE
        if answer.status == 429:
            return Wait.LONGER
        if answer.status in ENDS:
            state, said = ENDS[answer.status]
            raise NotGranted(said, state=state)
        return self._granted(answer)

    def renew(self, known: Known) -> Granted:
        body = {
            "refresh_token": known["refresh_token"], "client_id": known["client_id"], "client_secret": known["client_secret"],
            "redirect_uri": "urn:ietf:wg:oauth:2.0:oob", "grant_type": "refresh_token",
        }  # fmt: skip
        with asking("traktauth") as door:
            answer = door.post("/oauth/token", json=body, ok=(200, 400, 401, 403), accept="any")
        if answer.status != 200:
            raise AccessRefused("Trakt does not renew this sign-in any more. Nothing was removed. Sign in again.")
        return self._granted(answer)

    def _granted(self, answer: Answer) -> Granted:
        told = told_by(answer)
        try:
            return Granted(
                {name: self.token_in(told, theirs) for name, theirs in (("token", "access_token"), ("refresh_token", "refresh_token"))},
                since=datetime.fromtimestamp(int(told["created_at"]), UTC), expires_in_s=int(told["expires_in"]), renewable=True,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            raise BadAnswer("Trakt sent no token. Nothing was connected. Try again.") from None
