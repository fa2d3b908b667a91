"""TMDb: a key for everything public; a read access token also lets somebody sign in for lists of their own."""

import re

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
from sync.errors import SourceRefused

V3 = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
NOT_YET = 41  # their status code for: nobody has approved it


@register
class Tmdb(AccountKind):
    key, label = "tmdb", "TMDb"
    purpose = "Lists, charts, people and searches of TMDb; signed in, your own watchlist, favourites and ratings too."
    where = "https://www.themoviedb.org/settings/api"
    how = "Take the API read access token, the long one. With the short API key you can read what is public."
    asks = (Asked("key", "API read access token or API key"),)
    signs_in = True

    def sorted_out(self, answers: Known) -> tuple[dict[str, str], dict[str, str]]:
        """One replaces the other."""
        if not (key := answers.get("key", "").strip()):
            return {}, {}
        is_v3 = bool(V3.fullmatch(key))
        return {"api_key": key if is_v3 else "", "token": "" if is_v3 else key}, {}

    def lacks(self, known: Known) -> list[str]:
        return [] if self.is_complete(known) else [self.asks[0].label]

    def is_complete(self, known: Known) -> bool:
        return bool(known.get("api_key") or known.get("token"))

    def check(self, known: Known) -> Checked:
        bearer = known.get("user_token") or known.get("token")
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        with asking("tmdb") as door:
            door.get("/3/authentication", headers=headers, params=None if bearer else {"api_key": known["api_key"]})
        return Checked({"signed_in": bool(known.get("user_token"))})

    def begin(self, known: Known) -> Begun:
        if not known.get("token"):
            raise SourceRefused(
                "Signing in at TMDb needs the long API read access token. Nothing was connected. Type it in first."
            )
        with asking("tmdb") as door:
            told = told_by(door.post("/4/auth/request_token", json={}, headers=_bearer(known), ok=(200, 201)))
        token = self.token_in(told, "request_token")
        return Begun(f"https://www.themoviedb.org/auth/access?request_token={token}", token, expires_in_s=900)

    def ask(self, known: Known, device: str) -> Granted | Wait:
        with asking("tmdb") as door:
            answer = door.post(
                "/4/auth/access_token", json={"request_token": device}, headers=_bearer(known),
                ok=(200, 201, 401, 422, 429),
            )  # fmt: skip
        if answer.status == 429:
            return Wait.LONGER
        told = told_by(answer)
        if told.get("access_token"):
            return Granted(
                {"user_token": self.token_in(told, "access_token"), "account_id": str(told.get("account_id") or "")}
            )
        if told.get("status_code") == NOT_YET:
            return Wait.AS_BEFORE
        raise NotGranted(
            "TMDb does not take this request any more. Nothing was connected. Start again.", state="failed"
        )


def _bearer(known: Known) -> dict[str, str]:
    return {"Authorization": f"Bearer {known['token']}"}
