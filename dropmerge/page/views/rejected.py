"""Rows that failed a check: counts by file and reason, then rows. Their values are hidden until somebody asks."""

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
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel
from services.shared.reasons import ROW_REASONS

_MOST = 50
_MOST_COUNTS = 100


@dataclass(frozen=True)
class _Found:
    counts: Mapping[tuple[str, str, str], int]
    rows: Sequence[RejectedRow]
    total: int


def rejected(site: Site, arguments: Arguments) -> ViewModel:
    """Filters: feed, reason, file."""
    reason = arguments.text("reason", ROW_REASONS)
    chosen = {"feed": arguments.text("feed"), "reason": reason, "file": arguments.text("file")}
    if chosen["feed"]:
        site.connect().feed(chosen["feed"])
    files = [name_of_file(chosen["file"])] if chosen["file"] else []

    def chosen_rows(connection: Connection) -> Selection | None:
        return select(connection, chosen["feed"] or None, files, chosen["reason"] or None)

    answer = site.read(("rejected", *chosen.values()), lambda connection: _read(connection, chosen_rows(connection)))

    def every() -> Iterator[dict[str, Any]]:
        connection = site.connect()
        wanted = chosen_rows(connection)
        return (row.as_json() for row in Reading(connection).all(wanted)) if wanted else iter(())

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
            "more_counts": max(0, len(found.counts) - _MOST_COUNTS),
            "rejected": found.rows,
            "total": found.total,
            "chosen": chosen,
            "reasons": sorted(ROW_REASONS),
            "feeds": sorted(site.connect().feeds),
            "has_values": False,
        },
        trouble=answer.trouble,
    )


def _read(connection: Connection, wanted: Selection | None) -> _Found:
    """The rows without their places: to find these takes reading the files."""
    if wanted is None:
        return _Found({}, [], 0)
    found = connection.query("rejected_rows.sql", {**wanted.parameters, "most": ("INT64", _MOST)})
    rows = [RejectedRow(load_of(row), row["row_text"], list(row["reasons"])) for row in found]
    return _Found(count_reasons(connection, wanted), rows, found[0]["total"] if found else 0)
