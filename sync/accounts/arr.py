"""Radarr and Sonarr: the address of a server and its key."""

from sync.account_kinds import AccountKind, Asked, Checked, Known, asking, register, told_by
from sync.errors import SourceRefused


class Arr(AccountKind):
    how = "The key stands in it under Settings, General, Security."

    def check(self, known: Known) -> Checked:
        with asking(f"{self.key}:") as door:
            told = told_by(door.get(f"{known['url']}/api/v3/system/status", headers={"X-Api-Key": known["api_key"]}))
        name = told.get("appName")
        if name and name != self.label:
            raise SourceRefused(f"There is a {str(name)[:40]} at this address, no {self.label}. Look at the address.")
        return Checked({"version": str(told.get("version") or "")[:40]})


def _asks(port: int) -> tuple[Asked, ...]:
    help_text = f"as your browser opens it, for example http://nas.local:{port}"
    return Asked("url", "Address", help_text, secret=False, address=True), Asked("api_key", "API key")


@register
class Radarr(Arr):
    key, label = "radarr", "Radarr"
    purpose = "The films of a Radarr, and what it excludes."
    asks = _asks(7878)


@register
class Sonarr(Arr):
    key, label = "sonarr", "Sonarr"
    purpose = "The shows of a Sonarr, and what it excludes."
    asks = _asks(8989)
