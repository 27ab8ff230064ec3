"""Rejected rows with their places in their files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.rejected.pinned import PinnedFile, open_pinned
from dropmerge.operations.rejected.row import RejectedRow
from dropmerge.operations.rejected.selection import Selection, load_of
from dropmerge.operations.rejected.spool import Place, Row, Spool, spool
from services.shared.load import Load

Tell = Callable[[str, int], None]
"""Takes what was done, and to how many more."""


def tell_nothing(_: str, __: int) -> None:
    """Where nobody waits."""


@dataclass
class Reading:
    """Rejected rows by file, in each file's order: the rows' texts find the records that they were made of.

    A million rows take no more memory than one: they are kept on disk meanwhile.
    """

    connection: Connection
    tell: Tell = tell_nothing
    without_place: dict[str, str] = field(default_factory=dict)
    """Why no row of a file has a place, by object generation."""
    _files: dict[str, PinnedFile | None] = field(default_factory=dict)
    _loads: dict[str, Load] = field(default_factory=dict)

    def first(self, wanted: Selection, most: int) -> tuple[list[RejectedRow], int]:
        """As many of them, those of the newest files first, and how many there are."""
        found = self.connection.query("rejected_rows.sql", {**wanted.parameters, "most": ("INT64", most)})
        return list(self.placed(found, lambda one: -one.source.generation)), found[0]["total"] if found else 0

    def all(self, wanted: Selection) -> Iterator[RejectedRow]:
        """By feed, object and generation."""
        return self.placed(self.connection.stream("all_rejected_rows.sql", wanted.parameters))

    def placed(
        self, rows: Iterable[Mapping[str, Any]], before: Callable[[Load], int] = lambda _: 0
    ) -> Iterator[RejectedRow]:
        """Rows of the table of rejected rows: of each file all, or all with a text that few share.

        `before`: of two files, the one with the smaller number comes first.
        """
        with spool() as kept:
            kept.add(self._spooled(rows))
            for load in sorted(
                self._loads.values(), key=lambda one: (before(one), one.feed, *one.source.fields.values())
            ):
                yield from self._of_load(kept, load)

    def _spooled(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
        for number, one in enumerate(rows, 1):
            file = self._file(one)
            digest = file.digest_of_row(one["row_text"]) if file else b""
            yield one["load_id"], digest, one.get("alike"), one["row_text"], json.dumps(list(one["reasons"]))
            if number % 1000 == 0:
                self.tell("rows read", 1000)

    def _file(self, one: Mapping[str, Any]) -> PinnedFile | None:
        load_id = one["load_id"]
        if load_id not in self._files:
            load = self._loads[load_id] = load_of(one)
            try:
                self._files[load_id] = open_pinned(self.connection, load)
            except NotDone as error:
                self._files[load_id] = None
                self.without_place[str(load.source)] = str(error)
        return self._files[load_id]

    def _of_load(self, kept: Spool, load: Load) -> Iterator[RejectedRow]:
        file = self._files[load.load_id]
        places = self._places(file, load) if file else iter(())
        for row_text, reasons, record, line in kept.find(
            load.load_id, places, lambda count: self.tell("records looked at", count)
        ):
            yield RejectedRow(load, row_text, json.loads(reasons), record, line)

    def _places(self, file: PinnedFile, load: Load) -> Iterator[Place]:
        def tell(error: Exception) -> None:
            self.without_place[str(load.source)] = f"{load.source} cannot be read to its end: {error}"

        return file.places(tell)
