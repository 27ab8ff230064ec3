"""gs://bucket/name, as a person types it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.shared.generation import is_bucket_name


@dataclass(frozen=True)
class GcsUri:
    """Of an object, or of those whose names begin so."""

    bucket: str
    name: str
    """May be empty."""

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> GcsUri:
        """Raises ValueError."""
        match = re.fullmatch(r"gs://([^/]+)(?:/(.*))?", text, re.DOTALL)
        if match is None:
            raise ValueError(f"{text!r} is not gs://bucket/name")
        if not is_bucket_name(match[1]):
            raise ValueError(
                f"{text!r}: no bucket is called {match[1]!r}; names have 3 to 222 of a-z, 0-9, '-', '_', '.'"
            )
        return cls(match[1], match[2] or "")
