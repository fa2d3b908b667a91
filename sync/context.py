"""What every page shows around its content."""

from functools import cache
from typing import Any

from django.http import HttpRequest

from lists.models import Account
from sync.models import Run


def shell(request: HttpRequest) -> dict[str, Any]:
    """theme: auto, light or dark; active_runs: the user's running imports, newest first, at most three; accounts_waiting: how
    many of their accounts a service does not take any more, counted where a template asks."""
    theme = request.COOKIES.get("theme", "auto")
    context: dict[str, Any] = {"theme": theme if theme in ("light", "dark") else "auto"}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        mine = Account.objects.filter(owner=user, state=Account.State.ATTENTION)
        context["accounts_waiting"] = cache(mine.count)
        context["active_runs"] = Run.objects.for_user(user).active().select_related("list").defer("details")[:3]
    return context
