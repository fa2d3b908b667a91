"""The one schedule that django-q2 keeps for us; everything else that is due stands in our own tables."""

from django_q.models import Schedule

TICK = "sync.tasks.tick"


def keep_ticking() -> None:
    """Make sure that the tick is scheduled, once, every minute, without replaying what was missed."""
    Schedule.objects.update_or_create(
        name="tick", defaults={"func": TICK, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    )
