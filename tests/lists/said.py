"""What a page says after an act."""

import re


def undo_of(html: str) -> str:
    """Where the Undo of the last act leads."""
    found = re.search(r'role="status">(?:(?!</div>).)*action="([^"]+)"(?:(?!</div>).)*<button>Undo', html, re.DOTALL)
    assert found, "the message offers no undo"
    return found[1].replace("&amp;", "&")
