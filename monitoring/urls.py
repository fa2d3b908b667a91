"""Addresses of this room."""

from django.urls import URLPattern, path

from monitoring.views import Metrics, live, ready

app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("metrics", Metrics.as_view(), name="metrics"),
]
