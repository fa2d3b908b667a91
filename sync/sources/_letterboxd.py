"""The archive of a Letterboxd account: which of its files hold no films."""

from collections.abc import Iterable

from lists.titles import fold

# The columns that a file has, and what it is. Likes of lists and reviews are addresses and nothing else.
_OTHERS = (
    ({"date joined", "username"}, "the profile"),
    ({"date", "content", "comment"}, "the comments"),
    ({"date", "content"}, "what its owner likes of other people's lists and reviews"),
)


def folded(header: Iterable[str]) -> list[str]:
    """Names of columns, made comparable. Cut short: where no header is, a cell may hold a megabyte."""
    return [fold(cell[:60]) for cell in header]


def other_part(header: Iterable[str]) -> str | None:
    """What a file of an account is that holds no films, by its first row; None for any other table."""
    names = set(folded(header))
    for columns, what in _OTHERS:
        if columns == names or (columns < names and "username" in columns):
            return what
    return None
