"""Which feed wants an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed


def feed_for(feeds: Mapping[str, Feed], object_name: str) -> Feed | None:
    """The feed that wants an object: the first by name where several do."""
    return next((feed for feed in feeds.values() if feed.wants(object_name)), None)
