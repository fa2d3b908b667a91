"""HTML of anybody's making, cut to what a parser can take: it needs quadratic time and memory where tags stay open."""

import re
from collections import Counter

MAX_OPEN = 100  # elements in each other; pages that people save have some thirty

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]{0,20})", re.IGNORECASE)
# They hold nothing, or end where the next one begins: such a page may leave as many open as it likes.
_SHORT = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option",
}  # fmt: skip


def shallow(markup: str) -> str:
    """The markup up to the place where more than MAX_OPEN elements are open.

    Blocks in blocks cost the parser quadratic time; formatting that nobody closes (<b>) is opened anew in every block
    behind it, which made a gigabyte of half a megabyte.
    """
    if markup.count("<") <= MAX_OPEN:
        return markup
    open_: Counter[str] = Counter()
    depth = 0
    for found in _TAG.finditer(markup):
        name = found[2].lower()
        if name in _SHORT:
            continue
        if not found[1]:
            open_[name] += 1
            depth += 1
            if depth > MAX_OPEN:
                return markup[: found.start()]
        elif open_[name]:
            open_[name] -= 1
            depth -= 1
    return markup
