"""Files that mean harm, made by `python -m tests.hostile FOLDER`: bombs, traps and rubbish for every reader that we have.

HOSTILE maps a name to what makes the bytes, and says what may come of it (tests.hostile.making.Hostile).
"""

from collections.abc import Iterator

from tests.hostile import archives, markup, tables, texts  # noqa: F401 - each fills the table
from tests.hostile.making import FORMATS, HOSTILE, SCRIPT, Hostile, film_rows, packed

__all__ = ["HOSTILE", "SCRIPT", "Hostile", "everything", "film_rows", "halves", "packed"]


def halves() -> Iterator[Hostile]:
    """Every good file cut at several places, and packed and cut."""
    for path in sorted(FORMATS.iterdir()):
        body = path.read_bytes()
        for part in (0.1, 0.35, 0.5, 0.75, 0.98):
            cut = body[: int(len(body) * part)]
            yield Hostile(f"{path.stem}_cut_at_{part:.0%}".replace("%", ""), lambda cut=cut: cut)  # type: ignore[misc]
        whole = packed((path.name, body))
        half = whole[: len(whole) // 2]
        yield Hostile(f"{path.stem}_in_half_an_archive", lambda half=half: half, "refused")  # type: ignore[misc]


def everything() -> dict[str, Hostile]:
    return HOSTILE | {each.name: each for each in halves()}
