"""What a page is asked for: the words after the ? of its address, each checked."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from werkzeug.datastructures import CombinedMultiDict, MultiDict

from dropmerge.operations.errors import UsageError

_UNITS = {"m": 60, "h": 3600, "d": 86400}
_LONGEST = 2048
"""Characters: the name of an object has 1,024 bytes at most, before it the bucket's and behind it its generation."""
MOST_DAYS = 45


@dataclass(frozen=True)
class Arguments:
    words: MultiDict[str, str] | CombinedMultiDict[str, str]
    has_values: bool = False
    """Whether the values of rows are shown: that takes more than a word of an address."""

    def text(self, name: str, among: Collection[str] = ()) -> str:
        """Empty where it is not given. Raises UsageError for one that is not among those allowed, if there are any."""
        found = self.words.get(name, "").strip()
        if len(found) > _LONGEST or "\0" in found:
            raise UsageError(f"{name} is too long, or has a character that no name has")
        if among and found and found not in among:
            raise UsageError(f"{name} is one of {', '.join(among)}; not {found!r}")
        return found

    def age(self, default: str, name: str = "since") -> timedelta:
        """Such as 24h; at most 45 days. Raises UsageError."""
        text = self.text(name) or default
        match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
        found = timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match else None
        if found is None or found > timedelta(days=MOST_DAYS):
            raise UsageError(f"{name} is a number and m, h or d, such as 24h, and at most {MOST_DAYS}d; not {text!r}")
        return found

    def moment(self, name: str) -> datetime | None:
        """None where it is not given. Raises UsageError."""
        text = self.text(name)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            # The first and the last day have hours of which UTC, and so the warehouse, has none.
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise UsageError(f"{name} is a time such as 2026-01-31T09:00:00Z; not {text!r}") from None

    def number(self, name: str, default: int, most: int) -> int:
        """Raises UsageError for what is not a number from 0 to that."""
        text = self.text(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > most:
            raise UsageError(f"{name} is a number up to {most}; not {text!r}")
        return int(text)
