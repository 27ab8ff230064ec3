"""An object generation: one immutable version of an object in Cloud Storage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

GENERATIONS = range(2**63)
"""An object's generation is a 64-bit integer in Cloud Storage, and an INT64 in every table."""

_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
"""https://cloud.google.com/storage/docs/buckets#naming."""

_YEAR_9999 = 253_000_000_000_000_000


@dataclass(frozen=True)
class ObjectGeneration:
    bucket: str
    name: str
    generation: int

    def __str__(self) -> str:
        """gs://bucket/object#generation."""
        return f"{self.uri}#{self.generation}"

    @property
    def uri(self) -> str:
        """gs://bucket/object."""
        return f"gs://{self.bucket}/{self.name}"

    @property
    def created(self) -> datetime:
        """When the object was created: a generation is that time in microseconds since 1970."""
        return datetime.fromtimestamp(min(self.generation, _YEAR_9999) / 1e6, UTC)

    @property
    def fields(self) -> dict[str, str | int]:
        """Bucket, object and generation, under the names they have in messages, logs and tables."""
        return {"bucket": self.bucket, "object": self.name, "generation": self.generation}


def is_bucket_name(text: str) -> bool:
    """Whether a bucket can be called so. The client raises ValueError for some of what cannot be one."""
    return _BUCKET.fullmatch(text) is not None
