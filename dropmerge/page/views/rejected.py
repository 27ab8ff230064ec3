"""Rows that failed a check: counts by file and reason, then rows. Their values are hidden until somebody asks; their
places in their files, too, for to find these takes reading the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.file_name import name_of_file
from dropmerge.operations.rejected.reading import Reading
from dropmerge.operations.rejected.row import COLUMNS, RejectedRow
from dropmerge.operations.rejected.selection import Selection, count_reasons, load_of, select
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.forms import READ_ONLY
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel
from services.shared.reasons import ROW_REASONS

_MOST = 50
_MOST_COUNTS = 100
MOST_RECORDS = 100_000
"""Of a file that is read for the places of its rows while somebody waits for the page."""


@dataclass(frozen=True)
class _Found:
    counts: Mapping[tuple[str, str, str], int]
    rows: Sequence[RejectedRow]
    total: int
    is_known: bool = True
    """Whether any file that is meant has rejected rows, whatever their reasons."""


def rejected(site: Site, arguments: Arguments) -> ViewModel:
    """Filters: feed, reason, file."""
    reason = arguments.text("reason", ROW_REASONS)
    chosen = {"feed": arguments.text("feed"), "reason": reason, "file": arguments.text("file")}
    if chosen["feed"]:
        site.connect().feed(chosen["feed"])
    files = [name_of_file(chosen["file"])] if chosen["file"] else []

    def chosen_rows(connection: Connection) -> Selection | None:
        return select(connection, chosen["feed"] or None, files, chosen["reason"] or None)

    has_values = arguments.has_values
    with_places = has_values and bool(files)
    answer = site.read(
        ("rejected", *chosen.values(), with_places),
        lambda connection: _read(connection, chosen_rows(connection), with_places),
    )

    def every() -> Iterator[dict[str, Any]]:
        connection = site.connect()
        wanted = chosen_rows(connection)
        rows = Reading(connection).all(wanted) if wanted else iter(())
        return (row.as_json() if has_values else row.without_values() for row in rows)

    found = answer.value
    return ViewModel(
        "Rejected rows",
        "rejected.html",
        command_line("rejected", *([chosen["file"]] if files else []), feed=chosen["feed"], reason=chosen["reason"]),
        answer.as_of,
        json=every,
        columns=COLUMNS,
        rows=every,
        values={
            "counts": list(found.counts.items())[:_MOST_COUNTS],
            "meanings": {name: ROW_REASONS[name] for name in sorted(_kinds(found.counts))},
            "more_counts": max(0, len(found.counts) - _MOST_COUNTS),
            "rejected": found.rows,
            "total": found.total,
            "chosen": chosen,
            "reasons": sorted(ROW_REASONS),
            "feeds": sorted(site.connect().feeds),
            "is_known": found.is_known,
            "most_records": MOST_RECORDS,
            "has_places": any(row.record is not None or row.line is not None for row in found.rows),
            "has_values": has_values,
            "read_only": READ_ONLY,
        },
        trouble=answer.trouble,
    )


def _kinds(counts: Mapping[tuple[str, str, str], int]) -> set[str]:
    """Of the reasons that are counted, those that this version knows, without their columns."""
    found = {reason.partition(":")[0] for _, _, reason in counts}
    return found & ROW_REASONS.keys()


def _read(connection: Connection, wanted: Selection | None, with_places: bool) -> _Found:
    if wanted is None:
        return _Found({}, [], 0, is_known=False)
    found = connection.query("rejected_rows.sql", {**wanted.parameters, "most": ("INT64", _MOST)})
    rows = [RejectedRow(load_of(row), row["row_text"], list(row["reasons"])) for row in found]
    if with_places:
        rows = _placed(connection, found) or rows
    return _Found(count_reasons(connection, wanted), rows, found[0]["total"] if found else 0)


class _TooLarge(Exception):
    """A file has more records than a page reads."""


def _placed(connection: Connection, found: Sequence[Mapping[str, Any]]) -> list[RejectedRow]:
    """The rows with their places; none where they are of several files, or of a large one."""
    read = 0

    def tell(_: str, more: int) -> None:
        nonlocal read
        read += more
        if read > MOST_RECORDS:
            raise _TooLarge

    if len({row["load_id"] for row in found}) != 1:
        return []
    try:
        return list(Reading(connection, tell).placed(found))
    except _TooLarge:
        return []
