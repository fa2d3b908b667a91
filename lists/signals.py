"""What lists tell the rooms that feed them. Sent within the transaction: what a receiver does stands if and only if it does."""

from django.dispatch import Signal

# sources: ids of those that feed nothing from now on; by: who did it. Before their rows are written: whoever ends a run
# locks the run first and its source second.
stopped = Signal()
