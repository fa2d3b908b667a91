"""What people type: about lists, their entries, their rules."""

from lists.forms.lists import ListForm, TagsField

__all__ = ["ListForm", "TagsField"]
