"""Whether a column marks deletes: by its name and by what it says of change, never by its name alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dropmerge.operations.feeds.inference.sample import Field

_NAMES = {
    "operation",
    "op",
    "__op",
    "action",
    "change_type",
    "_change_type",
    "deleted",
    "is_deleted",
    "__deleted",
    "dml",
}
_DELETES = ("D", "d", "DELETE", "delete", "Delete", "DELETED", "deleted")
_CHANGES = {
    "i",
    "u",
    "c",
    "r",
    "insert",
    "update",
    "upsert",
    "create",
    "inserted",
    "updated",
    "created",
    "merge",
    "a",
    "add",
    "n",
    "new",
}
_FLAGS = {"deleted", "is_deleted", "__deleted"}


@dataclass(frozen=True)
class Marker:
    column: str
    equals: str


def find_marker(names: Sequence[str], fields: Sequence[Field]) -> Marker | None:
    """The column whose every text is a word of change, or that is a flag and called deleted."""
    for name, field in zip(names, fields, strict=True):
        if field.header.lower() not in _NAMES and name.lower() not in _NAMES:
            continue
        texts = {*field.texts}
        found = next((text for text in _DELETES if text in texts), None)
        if texts and all(text.lower() in _CHANGES or text in _DELETES for text in texts):
            return Marker(name, found or _in_the_case_of(texts))
        if name.lower() in _FLAGS or field.header.lower() in _FLAGS:
            flag = next((text for text in ("true", "TRUE", "True", "1", "Y", "t") if text in texts), None)
            if flag and len(texts) <= 2:
                return Marker(name, flag)
    return None


def _in_the_case_of(texts: set[str]) -> str:
    """The word for a delete that is written as those of other changes."""
    word = "delete" if any(len(text) > 1 for text in texts) else "d"
    return word.upper() if all(text.isupper() for text in texts) else word
