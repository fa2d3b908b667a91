from django.apps import AppConfig
from django.core.checks import register

from lists.signals import stopped


class SyncConfig(AppConfig):
    name = "sync"
    verbose_name = "Sync"

    def ready(self) -> None:
        # These need the models, which are there only now.
        from sync import account_kinds, adapters, batches, checks, runs, signals

        adapters.load_adapters()
        account_kinds.load_kinds()
        register(checks.check_queue)
        register(checks.check_way_out)
        stopped.connect(runs.cancel_all, dispatch_uid="runs")
        signals.run_finished.connect(batches.follow, dispatch_uid="batches")
        signals.run_put_off.connect(batches.follow, dispatch_uid="batches")
