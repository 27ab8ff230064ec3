"""The expected answer: each row of a main table is wholly as the contract by which its own file was read says.

A plain fold over the files' texts, which shares no code with the pipeline. Fields hold no delimiter, quote or newline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.harness.changes.contracts import Terms

Texts = Mapping[str, str]
Value = str | int | float | Decimal | None


@dataclass(frozen=True)
class File:
    """Names and records of a file."""

    header: tuple[str, ...]
    records: tuple[tuple[str, ...], ...]

    def data(self) -> bytes:
        return "".join(",".join(line) + "\n" for line in (self.header, *self.records)).encode()


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


def read(terms: Terms, file: File) -> Read:
    names = ["id", "seq", "value", *(["note"] if terms.note else []), *([] if terms.added is None else ["added"])]
    if _does_not_fit(terms, file.header, names):
        return Read("wrong_header")
    judged = [_judge(terms, names, dict(zip(file.header, record, strict=True))) for record in file.records]
    rows = [row for row in judged if row is not None]
    bad = len(judged) - len(rows)
    return Read(None if _tolerates(terms, bad, len(judged)) else "too_many_bad_rows", rows, bad)


def table(merged: Iterable[tuple[int, Sequence[Row]]]) -> dict[Value, Row]:
    """The winner of each key, of files with their generations."""
    winners: dict[Value, tuple[Any, Row]] = {}
    for generation, rows in merged:
        for row in rows:
            rank = (row.values["seq"], generation, row.deleted, row.rank)
            key = row.values["id"]
            if key not in winners or rank > winners[key][0]:
                winners[key] = (rank, row)
    return {key: row for key, (_, row) in winners.items()}


def _does_not_fit(terms: Terms, header: Sequence[str], names: Sequence[str]) -> bool:
    unknown = [name for name in header if name not in (*names, "op")]
    absent = [name for name in names if name not in header]
    required = {"id", "seq", *(["note"] if terms.note == "REQUIRED" else [])}
    if any(name in required or terms.missing == "reject" for name in absent):
        return True
    if unknown and terms.unknown == "reject":
        return True
    optional = {_folded(name) for name in absent + ([] if "op" in header else ["op"])}
    return any(_folded(name) in optional for name in unknown)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _tolerates(terms: Terms, bad: int, rows: int) -> bool:
    if isinstance(terms.at_most, str):
        return bad * 100 <= Decimal(terms.at_most.rstrip("%")) * rows
    return bad <= terms.at_most


def _judge(terms: Terms, names: Sequence[str], texts: Texts) -> Row | None:
    """None for a bad row."""
    marker = texts.get("op")
    deleted = marker == terms.marker
    known = None if terms.others is None else (terms.marker, *terms.others)
    if marker is not None and known is not None and marker not in known:
        return None
    try:
        values = dict(_values(terms, names, texts, deleted))
    except ValueError:
        return None
    unknown = {name: text for name, text in texts.items() if name not in (*names, "op")}
    extra = {name: None if deleted else text or None for name, text in unknown.items()}
    kept = {name: text for name, text in sorted(extra.items()) if text}
    rescued = json.dumps(kept, separators=(",", ":")) if terms.unknown == "rescue" and kept else None
    # BigQuery ignores the case of a column's name: small letters, whichever file came first.
    added = {name.lower(): value for name, value in extra.items()} if terms.unknown == "add" else {}
    rest = [values[name] for name in names if name not in ("id", "seq")]
    rank = [
        (one is not None, *([] if one is None else [one])) for one in (*rest, *(v for _, v in sorted(added.items())))
    ]
    return Row({**values, **added}, deleted, rescued, (*rank, (rescued is not None, rescued or "")))


def _values(terms: Terms, names: Sequence[str], texts: Texts, deleted: bool) -> Iterator[tuple[str, Value]]:
    """Raises ValueError for a row that the contract refuses."""
    for name in names:
        text = texts.get(name, (terms.added or "") if name == "added" else "")
        if name == "id":
            if not text:
                raise ValueError
            yield name, text
        elif name == "seq":
            yield name, _whole(text)
        elif deleted:
            yield name, None
        elif name == "value":
            yield name, _number(terms, text)
        else:
            if name == "note" and terms.note == "REQUIRED" and not text:
                raise ValueError
            yield name, text or None


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError
    return int(text)


def _number(terms: Terms, text: str) -> Value:
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]+" if terms.value == "INT64" else r"[+-]?[0-9]+(\.[0-9]+)?", text):
        raise ValueError
    value = Decimal(text)
    between = re.fullmatch(r"value BETWEEN (\d+) AND (\d+)", terms.check or "")
    if between and not Decimal(between[1]) <= value <= Decimal(between[2]):
        raise ValueError
    return float(text) if terms.value == "FLOAT64" else value
