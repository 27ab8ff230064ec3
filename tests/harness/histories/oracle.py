"""The expected answer: what must be in the main table, set aside or dead-lettered once given files are through.

A plain fold in Python over the files' bytes. It shares no code and no SQL with the pipeline (a test sees to that) and
reads a contract from the same YAML on its own. Where the pipeline and this differ, one of them is wrong.

CSV text only; of a column's `check` only `column BETWEEN a AND b` is understood, anything else is an error.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

Value = Any
"""Of a column, as the client library returns it."""


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    required: bool
    between: tuple[Decimal, Decimal] | None


@dataclass(frozen=True)
class Contract:
    feed: str
    key: tuple[str, ...]
    version: str
    columns: tuple[Column, ...]
    delimiter: str = ","
    marker: tuple[str, str] | None = None
    """The delete column and the text that marks a delete."""
    at_most: str | int = 0
    ignores_unknown: bool = False

    @classmethod
    def of(cls, contract: Mapping[str, Any]) -> Contract:
        """From the YAML's mapping."""
        needed = {*contract["key"], contract["version"]}
        delete = contract.get("delete")
        return cls(
            feed=contract["feed"],
            key=tuple(contract["key"]),
            version=contract["version"],
            columns=tuple(
                Column(c["name"], c["type"], c.get("mode") == "REQUIRED" or c["name"] in needed, _between(c))
                for c in contract["columns"]
            ),
            delimiter=contract["format"].get("delimiter", ","),
            marker=(delete["column"], delete["equals"]) if delete else None,
            at_most=contract.get("bad_rows", {}).get("at_most", 0),
            ignores_unknown=contract.get("unknown_columns") == "ignore",
        )

    def tolerates(self, bad: int, rows: int) -> bool:
        if isinstance(self.at_most, str):
            return Decimal(bad) * 100 <= Decimal(self.at_most.rstrip("%")) * rows
        return bad <= self.at_most


def _between(column: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    check = column.get("check")
    if check is None:
        return None
    match = re.fullmatch(r"(\w+) BETWEEN (-?[\d.]+) AND (-?[\d.]+)", check)
    if match is None or match[1] != column["name"] or column["type"] not in ("INT64", "NUMERIC", "FLOAT64"):
        raise NotImplementedError(f"the oracle cannot judge the check {check!r}")
    return Decimal(match[2]), Decimal(match[3])


@dataclass(frozen=True)
class Arrived:
    """One object generation. The generation is its creation time in microseconds since 1970."""

    contract: Contract
    bucket: str
    object: str
    generation: int
    data: bytes


@dataclass(frozen=True)
class Row:
    """A row of the main table; a tombstone has no values but its key and version."""

    values: tuple[Value, ...]
    """In contract order. NUMERIC is a Decimal, to be compared by value."""
    deleted: bool
    generation: int
    object: str
    """gs://bucket/name."""


@dataclass(frozen=True)
class Rejected:
    bucket: str
    object: str
    generation: int
    row: tuple[str | None, ...]
    """The texts of the contract's columns in contract order, an empty one as None."""
    reasons: frozenset[str]


Key = tuple[Value, ...]


@dataclass(frozen=True)
class Answer:
    tables: Mapping[str, Mapping[Key, Row]]
    """By feed, then by key; tombstones included."""
    rejected: tuple[Rejected, ...]
    ends: Mapping[tuple[str, str, int], str]
    """By bucket, object, generation: `merged`, or the reason of its dead letter."""


def answer(files: Iterable[Arrived]) -> Answer:
    """Each generation is given once; their order does not matter."""
    tables: dict[str, dict[Key, Row]] = {}
    rejected: list[Rejected] = []
    ends: dict[tuple[str, str, int], str] = {}
    for file in files:
        table = tables.setdefault(file.contract.feed, {})
        place = (file.bucket, file.object, file.generation)
        try:
            good, bad = _read(file)
        except _BadFileError as error:
            ends[place] = error.reason
            continue
        rejected += bad
        if not file.contract.tolerates(len(bad), len(good) + len(bad)):
            ends[place] = "too_many_bad_rows"
            continue
        ends[place] = "merged"
        for row in good:
            key = _key(file.contract, row)
            table[key] = max(table.get(key, row), row, key=lambda one: _rank(file.contract, one))
    return Answer(tables, tuple(rejected), ends)


def _key(contract: Contract, row: Row) -> Key:
    return tuple(v for c, v in zip(contract.columns, row.values, strict=True) if c.name in contract.key)


def _rank(contract: Contract, row: Row) -> tuple[Any, ...]:
    by_name = dict(zip((c.name for c in contract.columns), row.values, strict=True))
    rest = [by_name[c.name] for c in contract.columns if c.name not in contract.key and c.name != contract.version]
    # (False,) is less than any (True, value): NULL is the smallest.
    others = tuple((value is not None, *([] if value is None else [value])) for value in rest)
    return (by_name[contract.version], row.generation, row.deleted, *others)


class _BadFileError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _read(file: Arrived) -> tuple[list[Row], list[Rejected]]:
    contract, names = file.contract, [column.name for column in file.contract.columns]
    if not file.data:
        raise _BadFileError("empty_file")
    text = _text(file.data)
    if "\0" in text and all("\0" in line for line in text[:_HEAD].split("\n") if line):
        raise _BadFileError("wrong_format")
    records = _records(text, contract.delimiter)
    header = next(records, [])
    if "\0" in "".join(header):
        raise _BadFileError("wrong_format")
    if set("\r\n") & set("".join(header)):
        raise _BadFileError("wrong_header")
    allowed = {*names, *(contract.marker or ())[:1]}
    unexpected = [name for name in header if name not in allowed]
    if len(set(header)) < len(header) or not set(names) <= set(header):
        raise _BadFileError("wrong_header")
    if unexpected and not contract.ignores_unknown:
        raise _BadFileError("wrong_header")
    good: list[Row] = []
    bad: list[Rejected] = []
    for record in records:
        texts = dict(zip(header, [*record, *[""] * len(header)], strict=False))
        judged = _judge_record(file, len(record) - len(header), texts)
        if isinstance(judged, Row):
            good.append(judged)
        else:
            row = tuple(texts[name] or None for name in names)
            bad.append(Rejected(file.bucket, file.object, file.generation, row, judged))
    return good, bad


_HEAD = 256 * 1024
_REPLACED = "\ufffd"
_CONTROLS = {chr(code) for code in range(32)} - set("\t\r\n")


def _text(data: bytes) -> str:
    """The head must be UTF-8, but for a character that its end may split; after it, BigQuery replaces what is not."""
    try:
        data[:_HEAD].decode()
    except UnicodeDecodeError as error:
        if len(data) <= _HEAD or error.start < _HEAD - 3:
            raise _BadFileError("wrong_encoding") from None
    return data.decode("utf-8-sig", "replace")


_QUOTED = re.compile(r'"((?:[^"]|"")*+)"')
_LINE_END = re.compile(r"\r?\n|\Z")


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """RFC 4180 with LF or CRLF; a line with nothing on it holds no record."""
    bare = re.compile(f'[^"\r\n{re.escape(delimiter)}]*')
    at = 0
    while at < len(text):
        record: list[str] = []
        while True:
            quoted = _QUOTED.match(text, at) if text[at : at + 1] == '"' else None
            if text[at : at + 1] == '"' and quoted is None:
                raise _BadFileError("malformed_file")
            plain = bare.match(text, at)
            assert plain is not None
            record.append(quoted[1].replace('""', '"') if quoted else plain[0])
            at = (quoted or plain).end()
            if text[at : at + 1] != delimiter:
                break
            at += 1
        ending = _LINE_END.match(text, at)
        if ending is None:
            raise _BadFileError("malformed_file")
        at = ending.end()
        if record != [""]:
            yield record


def _judge_record(file: Arrived, too_many: int, texts: Mapping[str, str]) -> Row | frozenset[str]:
    """Of a record that is not as wide as the header there is nothing else to say."""
    if too_many:
        return frozenset(["too_many_fields" if too_many > 0 else "too_few_fields"])
    return _judge(file, texts)


def _judge(file: Arrived, texts: Mapping[str, str]) -> Row | frozenset[str]:
    """The typed row, or every reason why there is none."""
    contract = file.contract
    deleted = contract.marker is not None and texts.get(contract.marker[0]) == contract.marker[1]
    values: list[Value] = []
    reasons: set[str] = set()
    if contract.marker and not deleted and _REPLACED in texts.get(contract.marker[0], ""):
        reasons.add(f"not_utf8: {contract.marker[0]}")
    for column in contract.columns:
        if deleted and column.name not in (*contract.key, contract.version):
            values.append(None)
            continue
        if _REPLACED in texts[column.name]:
            reasons.add(f"not_utf8: {column.name}")
        if column.name in contract.key and column.type == "STRING" and _CONTROLS & set(texts[column.name]):
            reasons.add(f"not_text: {column.name}")
        try:
            value = _value(column, texts[column.name])
            if column.name == contract.version:
                _not_in_the_future(value, file.generation)
        except ValueError as error:
            reasons.add(f"{error}: {column.name}")
            value = None
        values.append(value)
    if reasons:
        return frozenset(reasons)
    return Row(tuple(values), deleted, file.generation, f"gs://{file.bucket}/{file.object}")


def _value(column: Column, text: str) -> Value:
    """Raises ValueError with the reason's word. Beside not_utf8 a value has one fault: the order here decides."""
    if text == "":
        if column.required:
            raise ValueError("missing_value")
        return None
    value = read_value(column.type, text)
    if column.between and not column.between[0] <= Decimal(str(value)) <= column.between[1]:
        raise ValueError("check_failed")
    return value


def read_value(kind: str, text: str) -> Value:
    """A text as a value of a type. Raises ValueError with the reason's word."""
    return _TYPES[kind](text)


def _not_in_the_future(version: Value, generation: int) -> None:
    limit = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=generation, hours=24)
    late = version > limit if isinstance(version, datetime) else isinstance(version, date) and version > limit.date()
    if late:
        raise ValueError("version_in_the_future")


def _integer(text: str) -> int:
    # Python's int() takes no more than 4,300 digits; as a Decimal a text may have any number of them.
    if not re.fullmatch(r"[+-]?[0-9]+", text) or not -(2**63) <= Decimal(text) < 2**63:
        raise ValueError("not_an_integer")
    return int(Decimal(text))


def _numeric(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        raise ValueError("not_a_number")
    if len(text.partition(".")[2].rstrip("0")) > 9:
        raise ValueError("too_many_decimals")
    if Decimal(text).copy_abs() >= Decimal(10) ** 29:  # abs() rounds
        raise ValueError("number_out_of_range")
    return Decimal(text)


def _float(text: str) -> float:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", text):
        raise ValueError("not_a_number")
    if math.isinf(float(text)):
        raise ValueError("number_out_of_range")
    # Of two zeros one: which of them stays must not depend on the order of arrival.
    return float(text) or 0.0


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("not_a_boolean")
    return text.lower() == "true"


def _date(text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("not_a_date")


_INSTANT = r"[0-9-]{10}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z| UTC|[+-][0-9]{2}:[0-5][0-9])"


def _timestamp(text: str) -> datetime:
    try:
        if re.fullmatch(_INSTANT, text) and _date(text[:10]):
            moment = datetime.fromisoformat(text.replace(" UTC", "Z"))
            if abs(moment.utcoffset() or timedelta()) <= timedelta(hours=14):
                return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("not_a_timestamp")


def _bignumeric(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        raise ValueError("not_a_number")
    if len(text.partition(".")[2].rstrip("0")) > 38:
        raise ValueError("too_many_decimals")
    units = Decimal(text) * 1  # rounds to the context's digits, and is only a first sieve
    if units.copy_abs() >= Decimal(10) ** 39 or not -(2**255) <= _units(text) < 2**255:
        raise ValueError("number_out_of_range")
    return Decimal(text)


def _units(text: str) -> int:
    """Of a BIGNUMERIC's last decimal."""
    before, _, after = text.lstrip("+-").partition(".")
    return int(before + after.rstrip("0").ljust(38, "0")) * (-1 if text.startswith("-") else 1)


def _datetime(text: str) -> datetime:
    try:
        if re.fullmatch(r"[0-9-]{10}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?", text) and _date(text[:10]):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("not_a_datetime")


def _time(text: str) -> time:
    try:
        if re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?", text):
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("not_a_time")


def _bytes(text: str) -> bytes:
    try:
        value = base64.b64decode(text.encode(), validate=True)
    except ValueError:
        raise ValueError("not_bytes") from None
    if base64.b64encode(value).decode() != text:
        raise ValueError("not_bytes")
    return value


def _json(text: str) -> Any:
    def whole(digits: str) -> Any:
        return int(digits) if -(2**63) <= Decimal(digits) < 2**64 else fraction(digits)

    def fraction(digits: str) -> float:
        if math.isinf(float(digits)):
            raise ValueError("not_json_value")
        inexact.append(Decimal(digits) != Decimal(repr(float(digits))))
        return float(digits)

    def first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(pairs[::-1])

    inexact: list[bool] = []
    try:
        value = json.loads(text, parse_int=whole, parse_float=fraction, parse_constant=_no, object_pairs_hook=first)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("not_json_value") from None
    if any(inexact):
        raise ValueError("inexact_number")
    return value


def _no(constant: str) -> None:
    raise ValueError(constant)


_TYPES: Mapping[str, Callable[[str], Value]] = {
    "BIGNUMERIC": _bignumeric,
    "DATETIME": _datetime,
    "TIME": _time,
    "BYTES": _bytes,
    "JSON": _json,
    "STRING": str,
    "INT64": _integer,
    "NUMERIC": _numeric,
    "FLOAT64": _float,
    "BOOL": _boolean,
    "DATE": _date,
    "TIMESTAMP": _timestamp,
}
