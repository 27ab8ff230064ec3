"""Which objects a pattern means, and which feed wants an object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed


def matches(glob: str, object_name: str) -> bool:
    """Whether a pattern means an object: ** crosses folders, * and ? do not."""
    return _compiled(glob).fullmatch(object_name) is not None


@cache
def _compiled(glob: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*|\*|\?)", glob)
    wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(wild.get(p, re.escape(p)) for p in pieces), re.DOTALL)


def feed_for(feeds: Mapping[str, Feed], object_name: str) -> Feed | None:
    """The feed that wants an object: the first by name where several do."""
    return next((feed for feed in feeds.values() if feed.wants(object_name)), None)
