"""Whether what a source no longer lists may leave without asking a person."""

from dataclasses import dataclass

from lists.models import MediaList, SitePolicy


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares in per cent of what the source supported at its last accepted state."""

    floor: int = 3
    share: int = 20
    share_always: int = 50

    @classmethod
    def of(cls, list_: MediaList, site: SitePolicy) -> "Limits":
        own = list_.policy
        return cls(
            floor=int(own.get("held_floor", site.held_floor)),
            share=int(own.get("held_share", site.held_share)),
            share_always=int(own.get("held_share_always", site.held_share_always)),
        )


def must_ask(absent: int, supported: int, limits: Limits) -> bool:
    """absent: listed entries that would leave because this source lacks them, those already missing included.
    supported: listed entries that the source stood for at its last accepted state.

    All of it is always asked about: an empty answer is more often a bad day than an empty list.
    """
    if absent == 0:
        return False
    if absent >= supported:
        return True
    share = 100 * absent / supported
    return share > limits.share_always or (absent > limits.floor and share > limits.share)
