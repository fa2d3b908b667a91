"""The part of the API that is about lists; config/api.py puts the parts together."""

from django.urls import URLPattern, path

from lists.api.audit import AuditLog, AuditStatistics
from lists.api.blocks import BlockEntries, BlockPreview, Blocks, BlocksOfList, OneBlock
from lists.api.conflicts import Conflicts, Decide, OneConflict, Skip
from lists.api.filters import Filters, FiltersPreview
from lists.api.hand import Bulk, EntriesByHand, GiveBack, Move, OneEntryByHand, Order, RestoreEntry
from lists.api.held import Apply, Held, Keep, OneHeld
from lists.api.history import EntryHistory
from lists.api.identity import Items, Match, MergeItem, OneItem, SplitItem
from lists.api.lists import Bin, ExportFile, Exports, Lists, OneList, Restore
from lists.api.members import Members, OneMember
from lists.api.rollback import HeldBack, Release, Rollback
from lists.api.rules import Rules
from lists.api.sources import Alone, OneSource, Revive, SourceOrder
from lists.api.unsure import KeepUnsure, OneUnsure, TakeUnsure, Unsure
from lists.api.versions import DiffOfVersions, OneVersion, VersionAt, Versions

LISTS = [
    path("lists/", Lists.as_view()),
    path("lists/bin/", Bin.as_view()),
    path("lists/<int:list_id>/", OneList.as_view()),
    path("lists/<int:list_id>/restore/", Restore.as_view()),
    path("lists/<int:list_id>/rules/", Rules.as_view()),
    path("lists/<int:list_id>/filters/", Filters.as_view()),
    path("lists/<int:list_id>/filters/preview/", FiltersPreview.as_view()),
    path("lists/<int:list_id>/order/", Order.as_view()),
    path("lists/<int:list_id>/members/", Members.as_view()),
    path("lists/<int:list_id>/members/<str:username>/", OneMember.as_view()),
    path("lists/<int:list_id>/sources/order/", SourceOrder.as_view()),
    path("lists/<int:list_id>/sources/<int:source_id>/", OneSource.as_view()),
    path("lists/<int:list_id>/sources/<int:source_id>/revive/", Revive.as_view()),
    path("lists/<int:list_id>/sources/<int:source_id>/alone/", Alone.as_view()),
    path("lists/<int:list_id>/export/", Exports.as_view()),
    path("lists/<int:list_id>/export/<slug:export>/", ExportFile.as_view()),
]
ENTRIES = [
    path("lists/<int:list_id>/entries/", EntriesByHand.as_view()),
    path("lists/<int:list_id>/entries/move/", Move.as_view()),
    path("lists/<int:list_id>/entries/bulk/", Bulk.as_view()),
    path("lists/<int:list_id>/entries/block/", BlockEntries.as_view()),
    path("lists/<int:list_id>/entries/<int:entry_id>/", OneEntryByHand.as_view()),
    path("lists/<int:list_id>/entries/<int:entry_id>/history/", EntryHistory.as_view()),
    path("lists/<int:list_id>/entries/<int:entry_id>/restore/", RestoreEntry.as_view()),
    path("lists/<int:list_id>/entries/<int:entry_id>/give-back/", GiveBack.as_view()),
    path("lists/<int:list_id>/entries/<int:entry_id>/match/", Match.as_view()),
]
VERSIONS = [
    path("lists/<int:list_id>/versions/", Versions.as_view()),
    path("lists/<int:list_id>/versions/at/", VersionAt.as_view()),
    path("lists/<int:list_id>/versions/<int:number>/", OneVersion.as_view()),
    path("lists/<int:list_id>/versions/<int:number>/rollback/", Rollback.as_view()),
    path("lists/<int:list_id>/diff/", DiffOfVersions.as_view()),
    path("lists/<int:list_id>/held-back/", HeldBack.as_view()),
    path("lists/<int:list_id>/release/", Release.as_view()),
]
REVIEW = [
    path("conflicts/", Conflicts.as_view()),
    path("conflicts/decide/", Decide.as_view()),
    path("conflicts/skip/", Skip.as_view()),
    path("conflicts/<int:conflict_id>/", OneConflict.as_view()),
    path("held/", Held.as_view()),
    path("held/<int:held_id>/", OneHeld.as_view()),
    path("held/<int:held_id>/apply/", Apply.as_view()),
    path("held/<int:held_id>/keep/", Keep.as_view()),
    path("unsure/", Unsure.as_view()),
    path("unsure/<int:unsure_id>/", OneUnsure.as_view()),
    path("unsure/<int:unsure_id>/take/", TakeUnsure.as_view()),
    path("unsure/<int:unsure_id>/keep/", KeepUnsure.as_view()),
]
BLOCKS = [
    path("blocks/", Blocks.as_view()),
    path("blocks/preview/", BlockPreview.as_view()),
    path("blocks/<int:block_id>/", OneBlock.as_view()),
    path("lists/<int:list_id>/blocks/", BlocksOfList.as_view()),
]
ITEMS = [
    path("items/", Items.as_view()),
    path("items/<int:item_id>/", OneItem.as_view()),
    path("items/<int:item_id>/merge/", MergeItem.as_view()),
    path("items/<int:item_id>/split/", SplitItem.as_view()),
]

urlpatterns: list[URLPattern] = [
    *LISTS,
    *ENTRIES,
    *VERSIONS,
    *REVIEW,
    *BLOCKS,
    *ITEMS,
    path("audit/", AuditLog.as_view()),
    path("audit/statistics/", AuditStatistics.as_view()),
]
