"""Rows that were expected, held against those that came: whichever order, and the columns that were written down."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = tuple[str | None, ...]


class UnreadableError(Exception):
    """A file of expected rows cannot be read; the text says why and where."""


@dataclass(frozen=True)
class Table:
    columns: Sequence[str]
    rows: Sequence[Row]

    def only(self, columns: Sequence[str]) -> Table:
        """Some of its columns. Raises UnreadableError where it lacks one."""
        if unknown := [name for name in columns if name not in self.columns]:
            raise UnreadableError(f"no column {', '.join(unknown)} here; the columns are: {', '.join(self.columns)}")
        places = [self.columns.index(name) for name in columns]
        return Table(columns, [tuple(row[n] for n in places) for row in self.rows])

    def text(self) -> str:
        """As CSV."""
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return written.getvalue()


def read_table(path: Path, canonical: Callable[[str, str], str | None]) -> Table:
    """A CSV file with a header. `canonical`: of a column's name and a text, what it is compared by.

    Raises UnreadableError.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = next(reader, [])
            rows = [_row(columns, fields, reader.line_num) for fields in reader if fields]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UnreadableError(str(error)) from error
    if not columns or len(set(columns)) < len(columns):
        raise UnreadableError("it has no header, or its header has a name twice")
    named = [tuple(canonical(*pair) for pair in zip(columns, row, strict=True)) for row in rows]
    return Table(columns, named)


def _row(columns: Sequence[str], fields: Sequence[str], line: int) -> Sequence[str]:
    if len(fields) != len(columns):
        raise UnreadableError(f"line {line}: {len(fields)} fields, the header has {len(columns)}")
    return fields


def differences(expected: Table, found: Table, key: Sequence[str]) -> Iterator[str]:
    """A line on each row that is missing, not expected, or another than expected. `key`: tells rows apart, where the
    expected ones have it."""
    there = found.only(expected.columns)
    missing = Counter(expected.rows) - Counter(there.rows)
    extra = Counter(there.rows) - Counter(expected.rows)
    wanted, came = sorted(missing.elements(), key=_order), sorted(extra.elements(), key=_order)
    if key and set(key) <= set(expected.columns):
        places = [expected.columns.index(name) for name in key]
        of_key = {tuple(row[n] for n in places): row for row in came}
        for row in list(wanted):
            other = of_key.pop(tuple(row[n] for n in places), None)
            if other:
                wanted.remove(row)
                came.remove(other)
                yield _changed(expected.columns, key, row, other)
    yield from (f"missing: {_shown(expected.columns, row)}" for row in wanted)
    yield from (f"not expected: {_shown(expected.columns, row)}" for row in came)


def _changed(columns: Sequence[str], key: Sequence[str], wanted: Row, came: Row) -> str:
    named = dict(zip(columns, came, strict=True))
    pairs = zip(columns, wanted, came, strict=True)
    how = "; ".join(f"{name} is {_quoted(b)}, expected {_quoted(a)}" for name, a, b in pairs if a != b)
    return f"{_named({name: named[name] for name in key})}: {how}"


def _shown(columns: Sequence[str], row: Row) -> str:
    return _named({name: text for name, text in zip(columns, row, strict=True) if text is not None})


def _named(values: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={_quoted(text)}" for name, text in values.items())


def _quoted(text: str | None) -> str:
    return "NULL" if text is None else repr(text)


def _order(row: Row) -> list[str]:
    return [text or "" for text in row]
