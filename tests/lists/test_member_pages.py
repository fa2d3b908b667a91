"""Sharing a list, and leaving one that was shared."""

import re

import pytest
from django.urls import reverse

from lists import services
from lists.models import Audit, Membership
from tests.lists.said import undo_of


def share(client, list_, **typed) -> str:
    return client.post(reverse("lists:members", args=[list_.pk]), typed, follow=True).content.decode()


def roles(list_) -> dict[str, str]:
    return dict(Membership.objects.filter(list=list_).values_list("user__username", "role"))


@pytest.mark.covers("WISH-06")
def test_a_list_is_shared_by_name_and_the_role_can_be_changed(client, page, films, ines, jonas):
    client.force_login(ines)
    assert "jonas may see this list." in share(client, films, user="jonas", role="viewer")
    assert roles(films) == {"jonas": "viewer"}
    one = reverse("lists:member", args=[films.pk, jonas.pk])
    said = client.post(one, {"role": "editor"}, follow=True).content.decode()
    assert "jonas may see and change this list." in said
    assert re.search(r'<option value="editor" selected>', said)
    assert "Shared with 1 person." in page("lists:settings", films.pk)
    client.force_login(jonas)
    assert client.get(reverse("lists:items", args=[films.pk])).status_code == 200


@pytest.mark.covers("WISH-06")
def test_a_list_that_is_taken_away_is_gone_for_that_person_and_can_be_given_again(client, films, ines, jonas):
    services.share_list(films, user=jonas, role="editor", by=ines)
    client.force_login(ines)
    one = reverse("lists:member", args=[films.pk, jonas.pk])
    said = client.post(one, {"role": "none"}, follow=True).content.decode()
    assert "jonas does not see this list any more." in said
    assert roles(films) == {}
    assert client.post(one, {"role": "viewer"}).status_code == 404, "by number nobody is let in"
    client.post(undo_of(said))
    assert roles(films) == {"jonas": "editor"}
    client.post(one, {"role": "none"})
    client.force_login(jonas)
    assert client.get(reverse("lists:items", args=[films.pk])).status_code == 404


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"user": "nobody", "role": "viewer"}, "Nobody here is called nobody. Nothing was shared."),
        ({"user": "", "role": "viewer"}, "Type a name. Nothing was shared."),
        ({"user": "ines", "role": "viewer"}, "The list is theirs already. Nothing was changed."),
        ({"user": "jonas", "role": "owner"}, 'id="role-e"'),
    ],
)
def test_what_cannot_be_shared_says_why(client, films, ines, jonas, typed, says):
    client.force_login(ines)
    assert says in share(client, films, **typed)
    assert roles(films) == {}


def test_somebody_who_was_switched_off_is_not_let_in(client, films, ines, jonas):
    jonas.is_active = False
    jonas.save()
    client.force_login(ines)
    assert "Nobody here is called jonas." in share(client, films, user="jonas", role="viewer")


def test_only_the_owner_shares(client, films, ines, jonas, django_user_model):
    third = django_user_model.objects.create_user("third")
    services.share_list(films, user=jonas, role="editor", by=ines)
    services.share_list(films, user=third, role="viewer", by=ines)
    client.force_login(jonas)
    html = client.get(reverse("lists:members", args=[films.pk])).content.decode()
    assert "third" in html
    assert "Share it with somebody" not in html
    assert (
        client.post(reverse("lists:members", args=[films.pk]), {"user": "jonas", "role": "viewer"}).status_code == 403
    )
    assert client.post(reverse("lists:member", args=[films.pk, third.pk]), {"role": "none"}).status_code == 403
    assert roles(films) == {"jonas": "editor", "third": "viewer"}


def test_a_member_leaves_and_the_owner_cannot(client, films, ines, jonas):
    services.share_list(films, user=jonas, role="viewer", by=ines)
    client.force_login(ines)
    assert client.post(reverse("lists:leave", args=[films.pk])).status_code == 403
    client.force_login(jonas)
    said = client.post(reverse("lists:leave", args=[films.pk]), follow=True).content.decode()
    assert "You left Films to watch." in said
    assert roles(films) == {}
    assert client.post(reverse("lists:leave", args=[films.pk])).status_code == 404
    act = Audit.objects.latest("id")
    assert (act.actor_name, act.action, act.before["role"]) == ("jonas", "no longer shared", "viewer")
