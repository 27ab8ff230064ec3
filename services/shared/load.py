"""A load: one object generation on its way through, for one feed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from services.shared.contract.formats import SUFFIXES
from services.shared.generation import ObjectGeneration


@dataclass(frozen=True)
class Load:
    feed: str
    source: ObjectGeneration

    @property
    def load_id(self) -> str:
        """20 hex digits that depend on feed, bucket, object and generation, and on nothing else."""
        parts = (self.feed, self.source.bucket, self.source.name, str(self.source.generation))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]

    @property
    def fields(self) -> dict[str, str | int]:
        """Load_id, feed, bucket, object and generation, under the names they have in logs and tables."""
        return {"load_id": self.load_id, "feed": self.feed, **self.source.fields}

    def raw_table(self, contract: str) -> str:
        """Of the file's text; each contract (its fingerprint) that reads the file has tables of its own."""
        return f"_raw_{self.load_id}__{contract}"

    def checked_table(self, contract: str) -> str:
        return f"_checked_{self.load_id}__{contract}"

    def staging_table(self, contract: str) -> str:
        return staging_table(self.feed, self.load_id, contract)

    def archive_name(self, suffix: str) -> str:
        """Of the pinned copy, by the load's id: a clean name, whatever the sender's was. Its format has the suffix."""
        return f"{self.feed}/{self.load_id}{suffix}"

    @property
    def archive_metadata(self) -> dict[str, str]:
        """Of the pinned copy, and identifies its source: the archive alone is enough to load everything again."""
        return {name: str(value) for name, value in self.source.fields.items()}

    @classmethod
    def from_archive(cls, name: str, metadata: Mapping[str, str] | None) -> Load | None:
        """What an archived object is a copy of; None if its name and metadata do not fit together."""
        given = metadata or {}
        try:
            source = ObjectGeneration(given["bucket"], given["object"], int(given["generation"]))
        except (KeyError, ValueError):
            return None
        load = cls(name.partition("/")[0], source)
        return load if name in map(load.archive_name, SUFFIXES) else None


def staging_table(feed: str, load_id: str, contract: str) -> str:
    """Feed names hold no double underscore, so the feed's prefix is never another feed's. An earlier release had no
    contract in the name."""
    return f"{staging_prefix(feed)}{load_id}" + (f"__{contract}" if contract else "")


def staged_load(feed: str, table: str) -> tuple[str, str] | None:
    """Load id and contract that a staging table's name says, no contract as `""`; None for what is not the feed's."""
    if not table.startswith(staging_prefix(feed)):
        return None
    load_id, _, contract = table.removeprefix(staging_prefix(feed)).partition("__")
    return load_id, contract


def staging_prefix(feed: str) -> str:
    """How the names of a feed's staging tables begin."""
    return f"{feed}__"
