"""Which feed wants an object."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed


def feed_for(feeds: Mapping[str, Feed], object_name: str) -> Feed | None:
    """The feed that wants an object: the first by name where several do."""
    return next((feed for feed in feeds.values() if feed.wants(object_name)), None)


def patterns_like(feeds: Mapping[str, Feed], object_name: str) -> str:
    """Every feed with its pattern, for a message; first the ones that the name of an object is most like."""

    def likeness(feed: Feed) -> float:
        return SequenceMatcher(None, feed.objects, object_name, autojunk=False).ratio()

    nearest = sorted(feeds.values(), key=likeness, reverse=True)
    return ", ".join(f"{feed.name}: {feed.objects}" for feed in nearest)
