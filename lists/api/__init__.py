"""The part of the API that is about lists; config/api.py puts the parts together."""

from django.urls import URLPattern, path

from lists.api.audit import AuditLog
from lists.api.entries import Entries, OneEntry
from lists.api.lists import Bin, ExportFile, Lists, OneList, Restore, Sources
from lists.api.versions import DiffOfVersions, OneVersion, VersionAt, Versions

urlpatterns: list[URLPattern] = [
    path("lists/", Lists.as_view()),
    path("lists/bin/", Bin.as_view()),
    path("lists/<int:list_id>/", OneList.as_view()),
    path("lists/<int:list_id>/restore/", Restore.as_view()),
    path("lists/<int:list_id>/sources/", Sources.as_view()),
    path("lists/<int:list_id>/export/<slug:export>/", ExportFile.as_view()),
    path("lists/<int:list_id>/entries/", Entries.as_view()),
    path("lists/<int:list_id>/entries/<int:entry_id>/", OneEntry.as_view()),
    path("lists/<int:list_id>/versions/", Versions.as_view()),
    path("lists/<int:list_id>/versions/at/", VersionAt.as_view()),
    path("lists/<int:list_id>/versions/<int:number>/", OneVersion.as_view()),
    path("lists/<int:list_id>/diff/", DiffOfVersions.as_view()),
    path("audit/", AuditLog.as_view()),
]
