"""A sample of separated fields."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from dropmerge.operations.feeds.inference.dialect import Dialect, Record, find_dialect
from dropmerge.operations.feeds.inference.errors import InferenceError
from dropmerge.operations.feeds.inference.sample import MAX_CELLS, Field, Sample


def read_delimited(text: str) -> Sample:
    """Raises InferenceError."""
    if not text.strip():
        raise InferenceError("the file is empty, or blank: a contract cannot be drafted from it")
    if "\r" in text and "\n" not in text:
        raise InferenceError("its lines end with a carriage return only, which BigQuery cannot load: `tr '\\r' '\\n'`")
    dialect = find_dialect(text)
    records = dialect.records(text)
    try:
        header = _header(dialect, records)
        found = _Found(dialect.width if header is None else len(header))
        for record in records:
            found.take(record)
    except csv.Error as error:
        raise InferenceError(f"not CSV: {error}; the records before it have {dialect.width} fields") from error
    names = header or [""] * found.width
    options = {"type": "csv", **dialect.options()}
    if found.empty:
        options["blank_lines"] = "skip_empty"
    return Sample(
        options,
        list(_fields(names, header is not None, found.rows)),
        len(found.rows),
        found.total,
        len(found.broken),
        found.remarks(),
    )


class _Found:
    """The records of a file, sorted out."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[list[str]] = []
        self.broken: list[Record] = []
        self.empty = self.total = 0
        self._most = max(1, MAX_CELLS // width)
        # The same texts come again and again.
        self._kept: dict[str, str] = {}

    def take(self, record: Record) -> None:
        fields = record.fields
        if record.is_blank and self.width > 1:
            self.empty += len(fields) > 1
            return
        self.total += 1
        if len(self.rows) >= self._most:
            return
        if not self.width <= len(fields) <= self.width + 1 or any(fields[self.width :]):
            self.broken.append(record)
            return
        self.rows.append([self._kept.setdefault(one, one) for one in fields[: self.width]])

    def remarks(self) -> list[str]:
        if not self.broken:
            return []
        first = self.broken[0]
        many = f"{len(self.broken)} records have" if len(self.broken) > 1 else "one record has"
        return [f"{many} more or fewer fields than {self.width}: line {first.line} has {len(first.fields)}"]


def _header(dialect: Dialect, records: Iterator[Record]) -> list[str] | None:
    if not dialect.has_header:
        return None
    first = next((record for record in records if not record.is_blank), None)
    return None if first is None else list(first.fields[: dialect.width])


def _fields(names: Sequence[str], has_header: bool, rows: Sequence[Sequence[str]]) -> Iterator[Field]:
    for n, name in enumerate(names):
        is_told_apart = has_header and names.count(name) == 1
        yield Field(name, [row[n] or None for row in rows], None if is_told_apart else n + 1)
