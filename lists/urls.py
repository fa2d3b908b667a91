"""Addresses of this room."""

from django.urls import URLPattern, path

from lists.views import entry, history, items, overview, settings

app_name = "lists"
urlpatterns: list[URLPattern] = [
    path("", overview.index, name="index"),
    path("bin/", overview.bin_, name="bin"),
    path("lists/new/", overview.create, name="create"),
    path("lists/<int:pk>/", items.items, name="items"),
    path("lists/<int:pk>/entries/<int:entry_pk>/", entry.entry, name="entry"),
    path("lists/<int:pk>/changes/", history.changes, name="changes"),
    path("lists/<int:pk>/versions/<int:n>/", history.version, name="version"),
    path("lists/<int:pk>/on/", history.on_day, name="on_day"),
    path("lists/<int:pk>/diff/", history.diff, name="diff"),
    path("lists/<int:pk>/settings/", settings.settings, name="settings"),
    path("lists/<int:pk>/export/", settings.export_page, name="exports"),
    path("lists/<int:pk>/export/<slug:key>/", settings.export, name="export"),
    path("lists/<int:pk>/delete/", overview.delete, name="delete"),
    path("lists/<int:pk>/restore/", overview.restore, name="restore"),
]
