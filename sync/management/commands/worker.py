"""`manage.py worker`: runs the syncs."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections
from django_q.cluster import Cluster

from sync.children import end_with_parent
from sync.runs import recover
from sync.schedule import keep_ticking


class Command(BaseCommand):
    help = "Runs the syncs that are due or asked for, until SIGTERM or Ctrl-C; a running sync is finished first."

    def handle(self, *args: Any, **options: Any) -> None:
        # Before the cluster takes its first task: what a dead worker left would look like work in progress.
        recover()
        keep_ticking()
        # The cluster forks: a connection that two processes share breaks for both.
        connections.close_all()
        # And its processes would outlive a killed one, taking tasks beside those of the next worker.
        os.register_at_fork(after_in_child=end_with_parent())
        cluster = Cluster()  # takes SIGTERM and SIGINT; its handler stops the cluster and waits for it
        cluster.start()
        cluster.sentinel.join()
        if not cluster.has_stopped:
            sys.exit("The task queue ended by itself; start the worker again.")
