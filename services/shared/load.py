"""A load: one object generation on its way through."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

GENERATIONS = range(2**63)
"""An object's generation is a 64-bit integer in Cloud Storage, and an INT64 in every table."""


@dataclass(frozen=True)
class Load:
    feed: str
    bucket: str
    object: str
    generation: int

    @property
    def load_id(self) -> str:
        """20 hex digits that depend on feed, bucket, object and generation, and on nothing else."""
        parts = (self.feed, self.bucket, self.object, str(self.generation))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.object}"

    @property
    def raw_table(self) -> str:
        return f"_raw_{self.load_id}"

    @property
    def checked_table(self) -> str:
        return f"_checked_{self.load_id}"

    @property
    def staging_table(self) -> str:
        return staging_table(self.feed, self.load_id)


def staging_table(feed: str, load_id: str) -> str:
    """Feed names hold no double underscore, so the feed's prefix is never another feed's."""
    return f"{feed}__{load_id}"
