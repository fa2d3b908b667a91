"""The admin's forms, filled in and sent as a browser would."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse


def page(model: Any, what: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


class Inputs(HTMLParser):
    """What a browser would send with the form of an add or change page: {name: value}."""

    def __init__(self, html: str):
        super().__init__()
        self.sent: dict[str, str] = {}
        self._inside, self._area, self._select = False, "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = said.get("id", "").endswith("_form")
        elif not self._inside or ("name" not in said and tag != "option"):
            return
        elif tag == "input" and said.get("type") != "submit":
            ticked = said.get("type") in ("checkbox", "radio")
            if not ticked or "checked" in said:
                self.sent[said["name"]] = said.get("value", "on" if ticked else "")
        elif tag == "textarea":
            self._area, self.sent[said["name"]] = said["name"], ""
        elif tag == "select":
            self._select = said["name"]
        elif tag == "option" and self._select and ("selected" in said or self._select not in self.sent):
            self.sent[self._select] = said.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            # A line break right after the tag belongs to the markup.
            self.sent[self._area] = self.sent[self._area].removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] += data


def form_of(client: Client, address: str) -> dict[str, str]:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return Inputs(answer.content.decode()).sent


def submit(client: Client, where: str, /, **changes: Any) -> Any:
    """Change some fields of a form and save it; a value None unticks a box."""
    filled: dict[str, Any] = {**form_of(client, where), **changes}
    return client.post(where, {name: value for name, value in filled.items() if value is not None}, follow=True)


def act(client: Client, model: Any, action: str, *rows: Any, **more: Any) -> Any:
    """Carry out an action on the chosen rows of a model's page."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return client.post(page(model), chosen, follow=True)


def told(answer: Any) -> str:
    """What the page says happened."""
    return " ".join(str(message) for message in answer.context["messages"])
