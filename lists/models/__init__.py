"""The nouns of Listkeeper; docs/architecture.md says how they hang together."""

from lists.models.accounts import Account, SignIn
from lists.models.audit import AppendOnly, Audit
from lists.models.entries import Claim, Edit, Entry, Provenance, Refold, Version
from lists.models.lists import MediaList, Membership, Source
from lists.models.media import Decision, ExternalId, Item
from lists.models.review import Block, Conflict, Proposal
from lists.models.site import Removals, SitePolicy, Strategy

__all__ = [
    "Account",
    "AppendOnly",
    "Audit",
    "Block",
    "Claim",
    "Conflict",
    "Decision",
    "Edit",
    "Entry",
    "ExternalId",
    "Item",
    "MediaList",
    "Membership",
    "Proposal",
    "Provenance",
    "Refold",
    "Removals",
    "SignIn",
    "SitePolicy",
    "Source",
    "Strategy",
    "Version",
]
