"""Who else may see or change a list."""

from typing import Any

from django.db import transaction

from lists.audit import audit
from lists.errors import Unfit
from lists.models import MediaList, Membership


@transaction.atomic
def share_list(list_: MediaList, *, user: Any, role: str, by: Any) -> Membership:
    """Let somebody see the list (viewer) or change it (editor); a second call changes the role."""
    if role not in Membership.Role.values:
        raise Unfit("A member is a viewer or an editor. Nothing was changed.")
    if user.pk == list_.owner_id:
        raise Unfit("The list is theirs already. Nothing was changed.")
    before = Membership.objects.filter(list=list_, user=user).values_list("role", flat=True).first()
    membership, _ = Membership.objects.update_or_create(list=list_, user=user, defaults={"role": role})
    if before != role:
        name = user.get_username()
        was = {"user": name, "role": before} if before else None
        audit(by, "shared", list_, before=was, after={"user": name, "role": role})
    return membership


@transaction.atomic
def unshare_list(list_: MediaList, *, user: Any, by: Any) -> None:
    """Take the list away from a member; nothing happens if they were none."""
    membership = Membership.objects.filter(list=list_, user=user).first()
    if membership is not None:
        membership.delete()
        audit(by, "no longer shared", list_, before={"user": user.get_username(), "role": membership.role})
