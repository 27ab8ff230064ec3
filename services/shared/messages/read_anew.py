"""Merge asks ingest to read a file again: it was read by another contract than merge runs.

Which of the two is behind, neither can know. Ingest reads the file by the contract that it runs, if that is another
one than the file was read by. If it is the same, ingest waits, longer from time to time, and then sends the load to
merge once more: whichever service is deployed meanwhile, they agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BY = "merge"
"""Who announces, in a notification that asks."""
MAX_ASKED = 20
"""Times that a load goes back and forth: with the topology's backoff of 10 s and more, for some hours."""
_MAX_WAITS = 10
"""Deliveries of one request that are refused, each after about twice the time of the one before
(https://cloud.google.com/pubsub/docs/handling-failures#exponential_backoff)."""


@dataclass(frozen=True)
class Request:
    staged_under: str
    """The fingerprint of the contract by which the file was read."""
    asked: int
    """How often merge has asked for this load, this time included."""

    @classmethod
    def after(cls, attributes: Mapping[str, str], contract: str) -> Request:
        """The next request for a load, by the attributes of its staged message. A replay begins anew."""
        asked = None if "replay_of" in attributes else _count(attributes)
        return cls(contract, (asked or 0) + 1)

    @classmethod
    def of(cls, attributes: Mapping[str, str]) -> Request | None:
        """What merge asks for by a notification; None where merge did not send it. A replay is like any other."""
        if wanted_feed(attributes) is None or "replay_of" in attributes:
            return None
        asked = _count(attributes)
        return cls(attributes.get("staged_under", ""), MAX_ASKED if asked is None else asked)

    def attributes(self, feed: str) -> dict[str, str]:
        """Of the notification that asks."""
        return {"feed": feed, "staged_under": self.staged_under, "asked": str(self.asked)}

    def must_wait(self, attempt: int) -> bool:
        """Whether this delivery, counted from 1, comes too early to try again."""
        return attempt <= min(self.asked, _MAX_WAITS)


def wanted_feed(attributes: Mapping[str, str]) -> str | None:
    """The feed for which merge wants a file read, by a notification or its replay; None where it is not merge's."""
    return attributes.get("feed", "") if attributes.get("announced_by") == BY else None


def _count(attributes: Mapping[str, str]) -> int | None:
    text = attributes.get("asked", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
