"""MDBList: a key of one's own; how much of the day's requests is used comes with the test."""

from typing import Any

from sync.account_kinds import AccountKind, Asked, Checked, Known, asking, register, told_by
from sync.errors import AccessRefused


@register
class MdbList(AccountKind):
    key, label = "mdblist", "MDBList"
    purpose = (
        "Your own and private lists at MDBList, and its external lists. Public lists can be read without an account."
    )
    where = "https://mdblist.com/preferences/"
    how = "The key stands under “API Access”."
    asks = (Asked("api_key", "API key"),)

    def check(self, known: Known) -> Checked:
        with asking("mdblist") as door:
            told = told_by(door.get("/user", params={"apikey": known["api_key"]}))
        if told.get("response") is False:  # errors come with 200
            raise AccessRefused("MDBList does not take this key. Nothing was removed. Type it in again.")
        details: dict[str, Any] = {"user": str(told.get("username") or told.get("name") or "")[:100]}
        used, limit = told.get("api_requests_count"), told.get("api_requests")
        if isinstance(used, int) and isinstance(limit, int) and limit > 0:
            details["quota"] = {"used": used, "limit": limit, "what": "requests today"}
        return Checked(details)
