"""Which file a person means, however they name it."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

from dropmerge.operations.errors import UsageError
from dropmerge.operations.gcs_uri import GcsUri
from services.shared.generation import ObjectGeneration

_LOAD_ID = r"[0-9a-f]{20}"


@dataclass(frozen=True)
class FileName:
    """gs://bucket/object, an object's name, an ending of it or a glob, each with #generation or without; a load's id,
    the name of its pinned copy, or the id of its dead letter."""

    text: str
    name: str
    """Of the object, or what it ends with; a glob too."""
    bucket: str | None = None
    generation: int | None = None
    load_id: str | None = None

    @classmethod
    def parse(cls, text: str) -> FileName:
        """Raises ValueError for what names no file."""
        named, generation = _without_generation(text)
        uri = GcsUri.parse(named) if named.startswith("gs://") else None
        name = uri.name if uri else named
        if not name or "://" in name:
            raise ValueError(
                f"{text!r} names no file: give gs://bucket/object, the object's name or its end, a glob, or the id of "
                "a load or a dead letter"
            )
        # A pinned copy is FEED/LOAD_ID and its format's suffix.
        pinned = re.fullmatch(rf"(?:[\w-]+/)?({_LOAD_ID})(?:\.[\w.]+)?", name)
        return cls(text, name, uri.bucket if uri else None, generation, pinned[1] if pinned else None)

    @property
    def is_glob(self) -> bool:
        return any(character in self.name for character in "*?[")

    def fits(self, source: ObjectGeneration, load_id: str | None = None, dead_letter: str | None = None) -> bool:
        """Whether it names this object generation, its load or its dead letter."""
        if self.load_id is not None and self.load_id == load_id:
            return True
        if self.text == dead_letter:
            return True
        if self.generation not in (None, source.generation):
            return False
        if self.bucket is not None:
            return self.bucket == source.bucket and self._is(source.name, "")
        return self._is(source.name, "*/")

    def ends(self, name: str) -> bool:
        """Whether an object's name ends so, in the middle of a word too: enough where no other does."""
        return self.bucket is None and name.endswith(self.name)

    def _is(self, name: str, before: str) -> bool:
        if name == self.name or (before and name.endswith(f"/{self.name}")):
            return True
        return self.is_glob and (fnmatch.fnmatchcase(name, self.name) or fnmatch.fnmatchcase(name, before + self.name))


def name_of_file(text: str) -> FileName:
    """Raises UsageError for what names no file."""
    try:
        return FileName.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _without_generation(text: str) -> tuple[str, int | None]:
    """A name may have # in it; a generation is what follows the last one."""
    match = re.fullmatch(r"(.+)#([0-9]{1,18}|[0-9]{19})", text, re.DOTALL)
    return (match[1], int(match[2])) if match else (text, None)
