"""HTML is cut where a parser could not take it any more, and nowhere else."""

import pytest

from sync.sources._html import MAX_OPEN, shallow


@pytest.mark.parametrize(
    "markup",
    [
        "", "plain < text > and & signs", "<p>" * 1000, "<ul>" + "<li>x" * 1000 + "</ul>", "<div><b>x</b></div>" * 1000,
        "<br>" * 1000, "</div>" * 1000 + "<div>" * MAX_OPEN, "<DIV></div>" * 1000, "<" * 1000,
    ],
)  # fmt: skip
def test_what_pages_hold_is_kept(markup):
    assert shallow(markup) == markup


@pytest.mark.parametrize(
    "trap", ["<div>", "<b id=1><p>", "<b><p></i>", "<a href=x><td>", "<Font\n>", "<x><y></x>"], ids=lambda trap: trap
)
def test_what_stays_open_is_cut(trap):
    kept = shallow("<html><body>seen" + trap * 100_000)
    assert kept.startswith("<html><body>seen")
    assert kept.count(trap) <= MAX_OPEN
