"""What the tests of lists share."""

import pytest
from django.urls import reverse

pytest.register_assert_rewrite("tests.lists.lives")


@pytest.fixture
def page(client, ines):
    """The text of a page as Ines sees it."""
    client.force_login(ines)

    def page(name: str, *args, **params) -> str:
        response = client.get(reverse(name, args=args), params)
        assert response.status_code == 200, f"{name}: {response.status_code}"
        return response.content.decode()

    return page
