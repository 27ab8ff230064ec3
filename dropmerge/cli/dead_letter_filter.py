"""The options that choose dead letters, as one filter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from deploy.topology import SERVICES
from dropmerge.operations.dead_letters.filters import Filter
from dropmerge.operations.file_name import FileName


def make_filter(
    reason: str | None,
    feed: str | None,
    file: FileName | None,
    older_than: timedelta | None,
    ids: Sequence[str] | None,
    service: str | None,
) -> Filter:
    before = None if older_than is None else datetime.now(UTC) - older_than
    return Filter((service,) if service else SERVICES, reason, feed, file, before, frozenset(ids or []))
