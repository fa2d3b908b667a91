"""Simkl: a code that is typed at its page; the token that it gives does not run out."""

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
    register,
    told_by,
)
from sync.errors import BadAnswer


@register
class Simkl(AccountKind):
    key, label = "simkl", "Simkl"
    purpose = "What you plan to watch, watch and have watched at Simkl."
    where = "https://simkl.com/settings/developer/new/"
    how = "Make an application there; any name will do, and urn:ietf:wg:oauth:2.0:oob as its redirect address."
    asks = (Asked("client_id", "Client id"),)
    signs_in = must_sign_in = True

    def check(self, known: Known) -> Checked:
        headers = {"Authorization": f"Bearer {known['token']}", "simkl-api-key": known["client_id"]}
        with asking("simkl") as door:
            door.get("/sync/activities", params=_named(known), headers=headers)
        return Checked()

    def begin(self, known: Known) -> Begun:
        with asking("simkl") as door:
            told = told_by(door.get("/oauth/pin", params=_named(known)))
        try:
            code = str(told["user_code"])
            return Begun(
                code=code, device=code, url=told["verification_url"], interval_s=int(told["interval"]),
                expires_in_s=int(told["expires_in"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError):
            raise BadAnswer("Simkl sent no code. Nothing was connected. Look at the client id.") from None

    def ask(self, known: Known, device: str) -> Granted | Wait:
        with asking("simkl") as door:
            answer = door.get(f"/oauth/pin/{device}", params=_named(known), ok=(200, 404, 410, 429), accept="any")
        if answer.status == 429:
            return Wait.LONGER
        if answer.status != 200:
            raise NotGranted("The code has run out. Start again to get a new one.", state="expired")
        told = told_by(answer)
        if told.get("access_token"):
            return Granted({"token": self.token_in(told, "access_token")})
        return Wait.LONGER if "slow" in str(told.get("message", "")).lower() else Wait.AS_BEFORE


def _named(known: Known) -> dict[str, str]:
    """What Simkl wants to know with every request."""
    return {"client_id": known["client_id"], "app-name": "listkeeper", "app-version": settings.VERSION}
