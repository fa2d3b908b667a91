"""What sync tells the rest of the house, after commit. A receiver that fails does not fail the sync."""

from django.dispatch import Signal

run_finished = Signal()  # run_id
