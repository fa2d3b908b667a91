from django.apps import AppConfig

from sync import adapters


class SyncConfig(AppConfig):
    name = "sync"
    verbose_name = "Sync"

    def ready(self) -> None:
        adapters.load_adapters()
