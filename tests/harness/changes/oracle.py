"""The expected answer: each row of a main table is wholly as the contract by which its own file was read says.

A plain fold over the files' texts, which shares no code with the pipeline. No text has a delimiter of a contract
without quoting, nor an end of line.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.harness.changes import notation
from tests.harness.changes.contracts import Terms
from tests.harness.changes.notation import Column
from tests.harness.forms import Form, Record
from tests.harness.histories.oracle import read_value

Value = Any
REFUSED = ("wrong_header", "wrong_format", "wrong_encoding", "malformed_file", "empty_file")
"""What may become of a file of another format than the contract's, of which one says only that it is refused."""
_TYPED = ("parquet", "avro", "orc")


@dataclass(frozen=True)
class File:
    """Names and records, canonical texts: what a supplier has to say."""

    header: tuple[str, ...]
    records: tuple[tuple[str, ...], ...]
    by: int = 0
    """By which of the contracts the supplier writes it."""


@dataclass(frozen=True)
class Written:
    """A file as it was written by a contract."""

    form: Form
    names: tuple[str, ...]
    records: tuple[Record, ...]
    typed: frozenset[str]
    """Columns whose fields are no texts, nor whole numbers, in the file."""
    data: bytes


def write(terms: Terms, file: File) -> Written:
    """The same rows in the contract's words. A file without a header has each of the contract's columns."""
    form, columns = terms.form, {one.name: one for one in terms.columns}
    names, rows = list(file.header), [dict(zip(file.header, one, strict=True)) for one in file.records]
    if form.type == "csv" and not form.header:
        names = [*columns, *(["op"] if terms.has_delete else [])]
    kinds = [_kind(form, terms, columns.get(name), [row.get(name, "") for row in rows]) for name in names]
    records = tuple(
        tuple(
            row.get(name, "") or None
            if kind != "STRING"
            else _written(terms, columns.get(name), name, row.get(name, ""))
            for name, kind in zip(names, kinds, strict=True)
        )
        for row in rows
    )
    typed = {name for name, kind in zip(names, kinds, strict=True) if kind not in ("STRING", "INT64")}
    is_typed = form.type in _TYPED
    data = form.write(names, kinds, records)
    return Written(form, tuple(names), records, frozenset(typed if is_typed else ()), data)


def _written(terms: Terms, column: Column | None, name: str, text: str) -> str:
    if name == "op":
        return f" {text} " if terms.notation.trim and text else text
    return notation.written(column or Column(name, "STRING"), terms.notation, text)


def _kind(form: Form, terms: Terms, column: Column | None, texts: Sequence[str]) -> str:
    """The type that the file has for a column: its own, where each text is a value, and JSON reads as it is meant."""
    if column is None or column.is_array or form.type == "csv" or not form.has_types:
        return "STRING"
    known = ("INT64", "NUMERIC", "FLOAT64", "BOOL", *(("DATE", "TIMESTAMP", "BYTES") if form.type in _TYPED else ()))
    try:
        is_good = column.type in known and all(read_value(column.type, text) is not None for text in texts if text)
    except ValueError:
        is_good = False
    if form.type == "ndjson":
        as_it_is = all(notation.written(column, terms.notation, text) == text for text in texts if text)
        is_good = is_good and as_it_is and all(text == "" or not re.match(r"\+|-?0[0-9]", text) for text in texts)
    return column.type if is_good else "STRING"


@dataclass(frozen=True)
class Row:
    values: Mapping[str, Value]
    """By column, the file's own beside the contract's. Whatever else the table has is NULL."""
    deleted: bool
    rescued: str | None
    rank: tuple[Any, ...]
    """Among rows of one file with one key."""


@dataclass(frozen=True)
class Read:
    """What a contract makes of a file."""

    reason: str | None
    """Why there is nothing to merge; None where there is."""
    rows: Sequence[Row] = ()
    bad: int = 0


def read(terms: Terms, written: Written) -> Read:
    columns = terms.columns
    try:
        names, rows = _fields(terms, written)
    except _RefusedError:
        return Read("refused")
    if not _unpacked(written.data):
        return Read("empty_file")
    is_lines = terms.form.type == "ndjson"
    if not is_lines and _does_not_fit(terms, names, [one.name for one in columns]):
        return Read("wrong_header" if written.form == terms.form else "refused")
    if is_lines and rows and not set(terms.needed) <= set(names):
        return Read("wrong_header")
    twice = Counter(_key(terms, row) for row in rows) if terms.twice == "reject" and terms.mode != "append" else {}
    judged = []
    for row in rows:
        is_alone = not twice or _key(terms, row) is None or twice[_key(terms, row)] < 2
        judged.append(_judge(terms, row, written.typed) if is_alone and len(row) == len(names) else None)
    good = [row for row in judged if row is not None]
    bad = len(judged) - len(good)
    return Read(None if _tolerates(terms, bad, len(judged)) else "too_many_bad_rows", good, bad)


class _RefusedError(Exception):
    """The file is not of the contract's format."""


Fields = dict[str, str | None]


def _fields(terms: Terms, written: Written) -> tuple[Sequence[str], list[Fields]]:
    """Names, and rows by name; one that is too short lacks some, and one that is too long has one of no column."""
    form = terms.form
    if form.type != written.form.type:
        raise _RefusedError
    if form.type != "csv":
        return written.names, [dict(zip(written.names, one, strict=True)) for one in written.records]
    records = _records(form, written.data)
    if not form.header:
        names = [*(one.name for one in terms.columns), *(["op"] if terms.has_delete else [])]
        widths = Counter(map(len, records))
        fit = [one for one in widths if one == len(names) or (one > len(names) and terms.unknown == "ignore")]
        is_header = bool(records) and [one.strip().lower() for one in records[0][: len(names)]] == names
        if (records and not fit) or is_header:
            raise _RefusedError
        width = max(fit, key=lambda one: widths[one], default=len(names))
        names += [f"-{n}" for n in range(width - len(names))]
    else:
        names = records.pop(0) if records else []
        if form.trailing:
            if names[-1:] != [""]:
                raise _RefusedError
            names = names[:-1]
            records = [one[:-1] if one[-1] == "" else [*one, *names] for one in records]
        if not set(terms.needed) <= set(names):
            raise _RefusedError
    rows: list[Fields] = [dict(zip([*names, "too many"], one, strict=False)) for one in records]
    return names, rows


def _unpacked(data: bytes) -> bytes:
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _records(form: Form, data: bytes) -> list[list[str]]:
    """Of what may be a file of another form. Raises _RefusedError."""
    data = _unpacked(data)
    marks = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    marked = next((name for mark, name in marks.items() if data.startswith(mark)), None)
    encoding = form.encoding.removesuffix("-bom")
    if marked not in (None, encoding) or (encoding == "utf-16" and marked is None and data):
        raise _RefusedError
    try:
        text = data.decode({"utf-8": "utf-8-sig", "windows-1252": "cp1252"}.get(encoding, encoding))
    except UnicodeDecodeError:
        raise _RefusedError from None
    lines = text.splitlines(keepends=True)
    if len(lines) < form.skip:
        raise _RefusedError
    body = "".join(lines[form.skip :])
    if form.quote == "none":
        found = [line.split(form.delimiter) for line in body.splitlines() if line]
    else:
        found = [one for one in csv.reader(io.StringIO(body, newline=""), delimiter=form.delimiter) if one]
    if form.trailing and not form.header:
        found = [one[:-1] if one[-1] == "" else [*one, *one] for one in found]
    return found


def _key(terms: Terms, row: Fields) -> Value:
    return notation.read(Column("id", "STRING"), terms.notation, row.get("id"), False)


def table(terms: Terms, merged: Iterable[tuple[int, Sequence[Row]]]) -> list[Row]:
    """The rows of files with their generations."""
    files = list(merged)
    if terms.mode == "append":
        return [row for _, rows in files for row in rows]
    winners: dict[Value, tuple[Any, Row]] = {}
    is_versioned = terms.mode == "upsert" and terms.has_version
    for generation, rows in files:
        for row in rows:
            rank = (*([row.values["seq"]] if is_versioned else []), generation, row.deleted, row.rank)
            key = row.values["id"]
            if key not in winners or rank > winners[key][0]:
                winners[key] = (rank, row)
    newest = max((generation for generation, _ in files), default=0)
    return [
        row if terms.mode == "upsert" or rank[0] == newest else Row({"id": key}, True, None, ())
        for key, (rank, row) in winners.items()
    ]


def _does_not_fit(terms: Terms, header: Sequence[str], names: Sequence[str]) -> bool:
    unknown = [name for name in header if name not in (*names, *_marker(terms))]
    absent = [name for name in names if name not in header]
    required = {*terms.needed, *(["note"] if terms.note == "REQUIRED" else [])}
    if any(name in required or terms.missing == "reject" for name in absent):
        return True
    if unknown and terms.unknown == "reject":
        return True
    if unknown and terms.unknown == "add" and not all(re.fullmatch("[A-Za-z][A-Za-z0-9_]*", one) for one in unknown):
        return True
    optional = {_folded(name) for name in absent + [name for name in _marker(terms) if name not in header]}
    return any(_folded(name) in optional - {""} for name in unknown)


def _marker(terms: Terms) -> tuple[str, ...]:
    return ("op",) if terms.has_delete else ()


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _tolerates(terms: Terms, bad: int, rows: int) -> bool:
    if isinstance(terms.at_most, str):
        return bad * 100 <= Decimal(terms.at_most.rstrip("%")) * rows
    return bad <= terms.at_most


def _judge(terms: Terms, texts: Fields, typed: frozenset[str]) -> Row | None:
    """None for a bad row."""
    names = [one.name for one in terms.columns]
    unknown = {name: text for name, text in texts.items() if name not in (*names, *_marker(terms))}
    marker = texts.get("op", "") if terms.has_delete else None
    marker = marker.strip() if marker and terms.notation.trim else marker
    deleted = marker == terms.marker
    known = None if terms.others is None else (terms.marker, *terms.others)
    if "op" in texts and terms.has_delete and known is not None and (marker or "") not in known:
        return None
    if terms.form.type == "ndjson" and not _fits_as_line(terms, texts, unknown, deleted):
        return None
    try:
        values = {one.name: _value(terms, one, texts, deleted, one.name in typed) for one in terms.columns}
    except ValueError:
        return None
    as_text = Column("", "STRING")
    extra = {
        name: None if deleted else notation.read(as_text, terms.notation, text, False)
        for name, text in unknown.items()
    }
    # A line's values stay what they were.
    in_line = {} if deleted else unknown
    kept = {name: text for name, text in sorted(extra.items()) if text} if terms.form.type != "ndjson" else in_line
    rescued = json.dumps(kept, separators=(",", ":"), sort_keys=True) if terms.unknown == "rescue" and kept else None
    # BigQuery ignores the case of a column's name: small letters, whichever file came first.
    added = {name.lower(): value for name, value in extra.items()} if terms.unknown == "add" else {}
    rest = [_rank(one, values[one.name]) for one in terms.columns if one.name not in terms.needed]
    rank = [*rest, *(_rank(as_text, value) for _, value in sorted(added.items()))]
    return Row({**values, **added}, deleted, rescued, (*rank, (rescued is not None, rescued or "")))


def _rank(column: Column, value: Value) -> tuple[Any, ...]:
    return (value is not None, *([] if value is None else [notation.rank(column, value)]))


def _fits_as_line(terms: Terms, texts: Fields, unknown: Fields, deleted: bool) -> bool:
    """Each line has names of its own, for which it is refused by itself."""
    if unknown and terms.unknown == "reject":
        return False
    absent = [one.name for one in terms.columns if one.name not in texts and (not deleted or one.name in terms.needed)]
    if terms.missing == "reject" and absent:
        return False
    absent += [name for name in _marker(terms) if name not in texts]
    return not {_folded(name) for name in unknown} & {_folded(name) for name in absent}


def _value(terms: Terms, column: Column, texts: Fields, deleted: bool, has_type: bool) -> Value:
    """Raises ValueError for a row that the contract refuses."""
    name = column.name
    if deleted and name not in terms.needed:
        return [] if column.is_array else None
    text = texts.get(name, (terms.added or "") if name == "added" else "")
    value = notation.read(column, terms.notation, text, has_type)
    is_needed = name in terms.needed or (name == "note" and terms.note == "REQUIRED")
    if is_needed and value is None:
        raise ValueError
    between = re.fullmatch(r"value BETWEEN (\d+) AND (\d+)", terms.check or "") if name == "value" else None
    if between and value is not None and not Decimal(between[1]) <= Decimal(str(value)) <= Decimal(between[2]):
        raise ValueError
    return value
