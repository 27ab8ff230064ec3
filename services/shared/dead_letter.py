"""A dead letter: the original bytes and attributes, with the reason beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from services.shared.envelope import Envelope
from services.shared.errors import Permanent

PREFIX = "dropmerge_"
"""Attributes under this prefix are ours; everything else is as it arrived."""

_MOST_BYTES = 1024  # of an attribute's value, by Pub/Sub's limits


def _fit(text: str) -> str:
    return text.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore")


def attributes_of(envelope: Envelope, service: str, error: Permanent, about: Mapping[str, str]) -> dict[str, str]:
    """The dead letter's attributes: the original ones, and what an operator needs to decide."""
    ours = {
        "reason": error.reason,
        "error": error.detail,
        "service": service,
        "attempt": str(envelope.attempt),
        "message_id": envelope.message_id,
        "dead_lettered_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **about,
    }
    return {**envelope.attributes, **{PREFIX + name: _fit(text) for name, text in ours.items()}}
