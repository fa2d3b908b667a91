"""Changes to lists, each a verb and one transaction. Views, API, admin, tasks and commands only call these.

Who may do it is the caller's question, except where a service says that it raises NotYours.
"""

from lists.errors import AlreadyListed, InTheBin, NotListed, NotThere, NotWaiting, NotYours, Refused, TooLate, Unfit
from lists.services.blocks import (
    SCOPES,
    block,
    block_entries,
    blocks_of,
    may_unblock,
    unblock,
    would_hit,
)
from lists.services.conflicts import close_lapsed, decide, decide_identity, skip
from lists.services.hand import (
    act_on,
    add_entry,
    edit_entries,
    give_back,
    move_entries,
    remove_entries,
    restore_entries,
    set_order,
)
from lists.services.held import apply_held, held_entries, hold_removals, keep_held
from lists.services.identity import find_items, may_identify, merge_items, pick, split_item
from lists.services.lists import DETAILS, bin_list, change_list, create_list, empty_bin, purge_list, restore_list
from lists.services.members import share_list, unshare_list
from lists.services.rollback import held, preview_rollback, release, rollback
from lists.services.rules import RULES, change_rules, refold, settle_due, settle_rules, site_rules_changed
from lists.services.sources import (
    add_source,
    change_source,
    only_from,
    order_sources,
    remove_source,
    revive_source,
)

__all__ = [
    "DETAILS",
    "RULES",
    "SCOPES",
    "AlreadyListed",
    "InTheBin",
    "NotListed",
    "NotThere",
    "NotWaiting",
    "NotYours",
    "Refused",
    "TooLate",
    "Unfit",
    "act_on",
    "add_entry",
    "add_source",
    "apply_held",
    "bin_list",
    "block",
    "block_entries",
    "blocks_of",
    "change_list",
    "change_rules",
    "change_source",
    "close_lapsed",
    "create_list",
    "decide",
    "decide_identity",
    "edit_entries",
    "empty_bin",
    "find_items",
    "give_back",
    "held",
    "held_entries",
    "hold_removals",
    "keep_held",
    "may_identify",
    "may_unblock",
    "merge_items",
    "move_entries",
    "only_from",
    "order_sources",
    "pick",
    "preview_rollback",
    "purge_list",
    "refold",
    "release",
    "remove_entries",
    "remove_source",
    "restore_entries",
    "restore_list",
    "revive_source",
    "rollback",
    "set_order",
    "settle_due",
    "settle_rules",
    "share_list",
    "site_rules_changed",
    "skip",
    "split_item",
    "unblock",
    "unshare_list",
    "would_hit",
]
