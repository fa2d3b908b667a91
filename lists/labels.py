"""A column of short words, kept as "|drama|comedy|" so that one LIKE finds a whole word on every database, and a
trigram index serves it."""

from collections.abc import Iterable
from typing import Any

from django.db import models


def join(words: Iterable[str]) -> str:
    kept = [word for word in words if word]
    return f"|{'|'.join(kept)}|" if kept else ""


def part(text: str) -> list[str]:
    return [word for word in text.split("|") if word]


class LabelsField(models.TextField):
    """A list of words in Python, in the order given. A word must not hold "|" (lists.fields.clean replaces it).

    To filter by a word use `field__contains=labels.one("Drama")`.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", list)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> list[str]:
        return part(value or "")

    def to_python(self, value: Any) -> list[str]:
        if isinstance(value, str):
            return part(value.replace(",", "|").replace("\n", "|"))
        return [str(word).strip() for word in value or ()]

    def get_prep_value(self, value: Any) -> str:
        return value if isinstance(value, str) else join([str(word) for word in value or []])

    def value_to_string(self, obj: models.Model) -> str:
        words: Any = self.value_from_object(obj)
        return join(words)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"help_text": "words parted by commas", **kwargs})


def one(word: str) -> str:
    return f"|{word}|"
