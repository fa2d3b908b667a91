"""Health and metrics, for machines."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from lists.api.parts import AnyAccept
from monitoring.health import problems

LOOPBACK = {"127.0.0.1", "::1"}
# A proxy on the same machine comes from loopback too, and says in one of these whom it speaks for.
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all; touches nothing, so that a slow database does not get it restarted."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200 if the database answers and is up to date, else 503 with what is wrong."""
    found = problems()
    return JsonResponse({"status": "unavailable" if found else "ok", "problems": found}, status=503 if found else 200)


@extend_schema(exclude=True)
class Metrics(APIView):
    """Prometheus metrics, for staff (session or basic authentication) and for who asks from this very machine."""

    permission_classes = [AllowAny]  # decided below, where anonymity from loopback is allowed
    content_negotiation_class = AnyAccept

    def get(self, request: Request) -> HttpResponse:
        if not (request.user.is_staff or is_local(request)):
            raise PermissionDenied("Metrics are for staff, or for requests from this machine.")
        return ExportToDjangoView(request)


def is_local(request: Request) -> bool:
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not any(name in request.META for name in FORWARDED)
