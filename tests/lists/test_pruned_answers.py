"""A version whose content is gone is never passed off as one that shows nothing."""

import pytest
from django.core.management import call_command

from lists.errors import Pruned
from lists.exports import EXPORTS
from lists.models import Entry, Proposal, Source
from tests.lists.test_api import api, film
from tests.lists.test_pruning import age, make


@pytest.fixture
def pruned(films, upload, ines, settings):
    """Twelve versions, of which the last four are kept, and the export of version 2."""
    settings.VERSIONS_KEPT, settings.VERSION_DAYS = 4, 90
    upload(films, [film(1), film(2)])
    make(films, 2)
    body = b"".join(api(ines).get(f"/api/v1/lists/{films.pk}/export/json/").streaming_content)
    make(films, 12)
    age(films)
    call_command("prune_versions", verbosity=0)
    films.exported = body
    return films


@pytest.mark.covers("VER-06")
@pytest.mark.parametrize("edited", [False, True])
def test_an_export_of_a_pruned_version_is_refused_and_not_taken_for_a_new_source(pruned, upload, edited):
    body = pruned.exported.replace(b"Film 2", b"Film Two") if edited else pruned.exported
    proposal = upload(pruned, body, adapter="", name="list.json", confirm=False)
    assert proposal.state == Proposal.State.REFUSED
    assert "our own export of version 2" in proposal.error
    assert "not kept any more" in proposal.error
    assert Source.objects.filter(list=pruned, role="feed").count() == 1
    assert Entry.objects.filter(list=pruned).count() == 2


@pytest.mark.covers("VER-06")
def test_two_versions_of_which_one_is_gone_are_not_compared(pruned, page):
    html = page("lists:diff", pruned.pk, **{"from": 2, "to": 12})
    assert "too old to be compared" in html
    assert "not kept any more" in html
    assert "are the same in both" not in html
    assert 'class="feed-item"' not in html
    assert "too old" not in page("lists:diff", pruned.pk, **{"from": 9, "to": 12})


def test_no_format_writes_an_empty_file_for_a_pruned_version(pruned):
    version = pruned.versions.get(number=2)
    for export in EXPORTS.values():
        if export.fits(pruned):
            with pytest.raises(Pruned):
                b"".join(export.write(pruned, user=None, version=version))
