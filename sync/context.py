"""What every page shows around its content."""

from typing import Any

from django.http import HttpRequest

from sync.models import Run


def shell(request: HttpRequest) -> dict[str, Any]:
    """theme: auto, light or dark; active_runs: the user's running imports, newest first, at most three."""
    theme = request.COOKIES.get("theme", "auto")
    context: dict[str, Any] = {"theme": theme if theme in ("light", "dark") else "auto"}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context["active_runs"] = Run.objects.for_user(user).active().select_related("list").defer("details")[:3]
    return context
