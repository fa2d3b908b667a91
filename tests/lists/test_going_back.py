"""What a rollback finds in the past: words of people who are gone, states that nobody saw, another kind of thing."""

import pytest

from lists import services
from lists.models import Entry

pytestmark = pytest.mark.django_db(transaction=True)  # what a foreign key says is said at the commit


def film(n: int, **more):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def newest(list_):
    list_.refresh_from_db()
    return list_.current


def test_what_somebody_said_whose_account_is_deleted_is_set_back(films, upload, ines, jonas, titles):
    upload(films, [film(1), film(2)])
    found = Entry.objects.get(title="Film 1")
    services.share_list(films, user=jonas, role="editor", by=ines)
    said = services.edit_entries(films, {found.pk: {"title": "Jonas's"}}, by=jonas)
    services.give_back(films, {found.pk: ["title"]}, by=ines)
    jonas.delete()
    services.rollback(films, said, by=ines)
    assert titles(films) == ["Jonas's", "Film 2"]
    edit = found.edits.get()
    assert (edit.firm, edit.author, edit.author_name) == (True, None, "jonas")
