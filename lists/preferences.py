"""What a list goes by where its sources differ: its strategy, and whom it believes first about a field.

A preference names a source of the list by its id, or sources by where they come from: the key of their adapter
("imdb_csv") or the service that it begins with ("imdb").
"""

from collections.abc import Mapping
from typing import Any

from lists.fields import FIELDS
from lists.models.lists import MediaList, Source
from lists.models.site import SitePolicy, Strategy
from lists.strategies import Weighing


def weighing_of(list_: MediaList, site: SitePolicy) -> Weighing:
    strategy = list_.strategy(site)
    if strategy != Strategy.RULES:
        return Weighing(strategy)
    wanted = {**site.preferred, **list_.policy.get("preferred", {})}
    if not (wanted and list_.pk):
        return Weighing(strategy)
    feeds = list(Source.objects.filter(list=list_, role=Source.Role.FEED).speaking().values_list("id", "adapter"))
    return Weighing(
        strategy,
        {
            name: [pk for pk, adapter in feeds if pk == whom or (isinstance(whom, str) and comes_from(whom, adapter))]
            for name, whom in wanted.items()
        },
    )


def comes_from(whom: str, adapter: str) -> bool:
    """whom: the key of an adapter, or the service that keys begin with."""
    return adapter == whom or adapter.startswith(f"{whom}_")


def fault_of(preferred: Any, list_: MediaList | None = None) -> str:
    """What is wrong with preferences, as a sentence; "" if nothing is. list_: None for those of the site, which name no
    single source."""
    if not isinstance(preferred, Mapping):
        return "Preferences are fields, each with the source that is believed first."
    for name, whom in preferred.items():
        if name not in FIELDS:
            return f"There is no field called {str(name)[:40]!r}."
        if isinstance(whom, bool) or not isinstance(whom, int | str) or whom == "":
            return f"{FIELDS[name].label}: name a source, or where sources come from, such as imdb."
        if isinstance(whom, int) and list_ is None:
            return f"{FIELDS[name].label}: name where sources come from, such as imdb."
        if isinstance(whom, int) and not Source.objects.filter(list=list_, pk=whom, role=Source.Role.FEED).exists():
            return f"{FIELDS[name].label}: this is no source of the list."
    return ""
