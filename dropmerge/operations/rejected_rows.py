"""Rows that failed their checks."""

from __future__ import annotations

import fnmatch
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import UsageError

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed


@dataclass(frozen=True)
class RejectedRow:
    feed: str
    bucket: str
    object: str
    generation: int
    row: Mapping[str, str | None]
    """The row as it was: the contract's columns, and the delete marker's where the feed has one."""
    reasons: Sequence[str]
    """Each a word and a column."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_rejected_rows(
    connection: Connection, feed: str | None = None, glob: str | None = None, reason: str | None = None
) -> list[RejectedRow]:
    """Of this feed, of objects whose names match, with this reason among theirs; sorted by feed and object."""
    found = connection.query("rejected_rows.sql", {"feed": ("STRING", feed or "")})
    rows = [
        RejectedRow(
            one["feed"],
            one["bucket"],
            one["object"],
            one["generation"],
            json.loads(one["row_text"]),
            list(one["reasons"]),
        )
        for one in found
    ]
    return [
        row
        for row in rows
        if (glob is None or fnmatch.fnmatchcase(row.object, glob))
        and (reason is None or reason in (one.partition(":")[0] for one in row.reasons))
    ]


def count_reasons(rows: Sequence[RejectedRow]) -> dict[tuple[str, str, str], int]:
    """By feed, object#generation and reason, sorted."""
    counts = Counter((row.feed, f"{row.object}#{row.generation}", reason) for row in rows for reason in row.reasons)
    return dict(sorted(counts.items()))


def write_file(path: Path, feed: Feed, rows: Sequence[RejectedRow]) -> None:
    """A file like the feed's own, values as they were, to fix and drop again. Raises UsageError."""
    from services.ingest.formats import format_of

    if path.exists():
        raise UsageError(f"{path} is there already: name another file")
    names = [column.name for column in feed.columns] + ([feed.delete.column] if feed.delete else [])
    with path.open("w", newline="", encoding="utf-8") as file:
        format_of(feed.format).write(file, names, [row.row for row in rows], feed.format)
