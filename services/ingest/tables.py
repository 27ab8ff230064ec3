"""The tables that a load passes through on its way to staging."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.contract.feed import Feed
from services.shared.datasets import OPS, STAGING
from services.shared.load import Load


@dataclass(frozen=True)
class Tables:
    """Full names, project and dataset included."""

    raw: str
    checked: str
    staging: str
    rejected: str

    @classmethod
    def of(cls, project: str, feed: Feed, load: Load) -> Tables:
        """Those of a load as this contract reads it."""
        return cls(
            raw=f"{project}.{STAGING}.{load.raw_table(feed.fingerprint)}",
            checked=f"{project}.{STAGING}.{load.checked_table(feed.fingerprint)}",
            staging=f"{project}.{STAGING}.{load.staging_table(feed.fingerprint)}",
            rejected=f"{project}.{OPS}.rejected_rows",
        )
