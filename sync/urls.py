"""Addresses of this room."""

from django.urls import URLPattern, path

from sync.views import runs, syncing, uploads

app_name = "sync"
urlpatterns: list[URLPattern] = [
    path("lists/add/", uploads.add, name="add"),
    path("lists/<int:pk>/upload/", uploads.upload, name="upload"),
    path("lists/<int:pk>/sync/", syncing.sync_list, name="sync_list"),
    path("lists/<int:pk>/sources/<int:source_pk>/sync/", syncing.sync_source, name="sync_source"),
    path("lists/<int:pk>/runs/", runs.list_runs, name="list_runs"),
    path("uploads/<int:pk>/", uploads.preview, name="preview"),
    path("uploads/<int:pk>/progress/", uploads.progress, name="preview_progress"),
    path("uploads/<int:pk>/read-again/", uploads.read_again, name="read_again"),
    path("uploads/<int:pk>/confirm/", uploads.confirm, name="confirm"),
    path("uploads/<int:pk>/discard/", uploads.discard, name="discard"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/progress/", runs.progress, name="run_progress"),
]
