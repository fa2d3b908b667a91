"""What a change is refused for. The text is for people: what happened, what was not done, what they can do.

Refused
├── NotThere        it is none of this list's
├── NotYours        another person may do it
├── Unfit           a value that cannot be taken
├── InTheBin        the list lies in the bin
├── BeingFilled     its first version is on its way
├── NotListed       somebody removed it meanwhile
├── AlreadyListed   it is there already
├── TooLate         somebody changed it since you looked
├── NotWaiting      the question is decided already
├── InUse           something else needs it
└── Pruned          the version's content is not kept any more
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class Refused(Exception):
    """code: for programs; status: the HTTP status that says it."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409


class NotThere(Refused):
    code, status = "not_there", 404


class NotYours(Refused):
    code, status = "not_yours", 403


class Unfit(Refused):
    code, status = "unfit", 400


class InTheBin(Refused):
    code = "in_the_bin"


class BeingFilled(Refused):
    code = "being_filled"


class NotListed(Refused):
    code = "not_listed"


class AlreadyListed(Refused):
    """entry: the one that is there."""

    code = "already_listed"

    def __init__(self, message: str, entry: Any = None):
        super().__init__(message)
        self.entry = entry


class TooLate(Refused):
    code = "too_late"


class NotWaiting(Refused):
    code = "not_waiting"


class InUse(Refused):
    code = "in_use"


class Pruned(Refused):
    code = "pruned"


class ListMoved(Exception):
    """The list got another version since the plan was made: plan again. parts: the versions of the plan that stand all the
    same (lists/parts.py)."""

    def __init__(self, parts: Sequence[Any] = ()):
        super().__init__()
        self.parts = parts
