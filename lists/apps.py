from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ListsConfig(AppConfig):
    name = "lists"
    verbose_name = "Lists"

    def ready(self) -> None:
        from lists import search

        def keep(**kwargs: Any) -> None:
            search.ensure()

        post_migrate.connect(keep, sender=self, weak=False)
