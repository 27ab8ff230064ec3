"""How values are written, and what a text means then: by options of a column that a contract has, in plain Python."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.harness.histories.oracle import read_value

NUMBERS = ("INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64")
ZONE = "Europe/Berlin"


@dataclass(frozen=True)
class Notation:
    """Of a column; what is not of its type says nothing."""

    nulls: tuple[str, ...] = ()
    trim: bool = False
    decimal: str | None = None
    group: str | None = None
    words: tuple[str, str] | None = None
    """For true and for false."""
    date: str | None = None
    """One of FORMATS, and so is the next."""
    moment: str | None = None
    zone: bool = False
    twice: str = "reject"
    never: str = "reject"
    split: str | None = None
    """Of an array, whose text is JSON without it."""

    def format(self, kind: str) -> str | None:
        """Of a type, where it has one."""
        return {"DATE": self.date, "TIMESTAMP": self.moment}.get(kind)


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    is_array: bool = False


def options(column: Column, notation: Notation) -> dict[str, Any]:
    """What a contract says of the column; decimal marks and null markers are the format's."""
    said: dict[str, Any] = {}
    if column.type == "BOOL" and notation.words:
        said["words"] = dict(zip(notation.words, (True, False), strict=True))
    if format_ := notation.format(column.type):
        said["format"] = format_
    if column.type == "TIMESTAMP" and notation.zone:
        said |= {"zone": ZONE, "local_twice": notation.twice, "local_never": notation.never}
    if column.is_array:
        said |= {"mode": "REPEATED"} | ({"split": notation.split} if notation.split else {})
    return {"name": column.name, "type": column.type, **said}


def written(column: Column, notation: Notation, text: str) -> str:
    """The canonical text as the notation has it; a text that is none is left as it is."""
    if not text:
        return notation.nulls[0] if notation.nulls else ""
    if column.is_array:
        try:
            elements = [str(one) if not isinstance(one, bool) else str(one).lower() for one in json.loads(text)]
        except ValueError:
            return text
        found = [_written(column.type, notation, one) for one in elements]
        if notation.split and all(found) and found:
            text = notation.split.join(found)
        else:
            text = json.dumps(found, ensure_ascii=False)
    else:
        text = _written(column.type, notation, text)
    return f" {text}\u00a0" if notation.trim else text


def _written(kind: str, notation: Notation, text: str) -> str:
    if kind in NUMBERS and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        whole, point, decimals = text.partition(".")
        if notation.group:
            whole = f"{int(whole):,}".replace(",", notation.group) if whole != "-0" else whole
        return whole + (point and (notation.decimal or ".")) + decimals
    if kind == "BOOL" and notation.words and text in ("true", "false"):
        return notation.words[text == "false"]
    if format_ := notation.format(kind):
        return _formatted(kind, format_, text)
    return text


FORMATS: Mapping[str, Mapping[str, tuple[str, Sequence[str]]]] = {
    "DATE": {
        "%d.%m.%Y": (r"(3[01]|[12]\d|0?[1-9])\.(1[0-2]|0?[1-9])\.(\d{4})", "dmY"),
        "%Y%m%d": (r"(\d{4})(1[0-2]|0[1-9])(3[01]|[12]\d|0[1-9])", "Ymd"),
    },
    "TIMESTAMP": {
        "%d/%m/%Y %H:%M:%E*S": (
            r"(3[01]|[12]\d|0?[1-9])/(1[0-2]|0?[1-9])/(\d{4}) (2[0-3]|[01]?\d):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)",
            "dmYHMS",
        ),
        "epoch_ms": (r"([+-]?\d{1,15}(?:\.\d{1,3})?)", "e"),
    },
}
"""By type: patterns with a regular expression of the texts, and what its groups are. One without an offset is for a
column with a zone."""


def _formatted(kind: str, format_: str, text: str) -> str:
    try:
        value = read_value(kind, text)
    except ValueError:
        return text
    if format_ == "epoch_ms":
        micros = (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        return f"{Decimal(micros) / 1000:f}"
    if kind == "TIMESTAMP":
        value = value.astimezone(ZoneInfo(ZONE))
        seconds = f"{value.second:02}" + (f".{value.microsecond:06}" if value.microsecond else "")
        return f"{value.day:02}/{value.month:02}/{value.year:04} {value.hour:02}:{value.minute:02}:{seconds}"
    parts = {"%d": f"{value.day:02}", "%m": f"{value.month:02}", "%Y": f"{value.year:04}"}
    return re.sub("%[dmY]", lambda found: parts[found[0]], format_)


def read(column: Column, notation: Notation, text: str | None, has_type: bool) -> Any:
    """The value, [] or None for none. `has_type`: whether the file has values, each of
    which has but one text; whole numbers are none of them. Raises ValueError."""
    if text is not None and notation.trim:
        text = text.strip()
    if not text or text in notation.nulls:
        return [] if column.is_array else None
    if has_type:
        return read_value(column.type, text)
    if not column.is_array:
        return _read(column.type, notation, text)
    elements = text.split(notation.split) if notation.split else _elements(text)
    return [_read(column.type, notation, one) for one in elements]


def _elements(text: str) -> list[str]:
    found = json.loads(text, parse_float=str, parse_int=str)
    if not isinstance(found, list) or any(one is None or isinstance(one, list | dict) for one in found):
        raise ValueError(text)
    return [str(one).lower() if isinstance(one, bool) else one for one in found]


def _read(kind: str, notation: Notation, text: str) -> Any:
    if kind in NUMBERS and (notation.decimal or notation.group):
        text = _plain(kind, notation, text)
    if kind == "BOOL" and notation.words:
        return dict(zip(notation.words, (True, False), strict=True))[_known(notation, text)]
    if kind == "DATE" and notation.date:
        text = _iso(kind, notation.date, text)
    if kind == "TIMESTAMP":
        return _instant(notation, text)
    if kind == "GEOGRAPHY":
        found = re.fullmatch(r"POINT\((-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?)\)", text)
        if found is None:
            raise ValueError(text)
        return text
    return read_value(kind, text)


def _known(notation: Notation, text: str) -> str:
    if text not in (notation.words or ()):
        raise ValueError(text)
    return text


def _plain(kind: str, notation: Notation, text: str) -> str:
    whole = "[0-9]+"
    if notation.group:
        whole = f"(?:[1-9][0-9]{{0,2}}(?:{re.escape(notation.group)}[0-9]{{3}})+|[0-9]+)"
    if kind == "INT64":
        if not re.fullmatch(f"[+-]?{whole}", text):
            raise ValueError(text)
        return text.replace(notation.group or "", "")
    point = re.escape(notation.decimal or ".")
    alone = f"|{point}[0-9]+" if notation.decimal else ""
    if not re.fullmatch(f"[+-]?(?:{whole}(?:{point}[0-9]+)?{alone})(?:[eE][+-]?[0-9]+)?", text):
        raise ValueError(text)
    plain = text.replace(notation.group, "") if notation.group else text
    return re.sub(r"^([+-]?)\.", r"\g<1>0.", plain.replace(notation.decimal or ".", "."))


def _iso(kind: str, format_: str, text: str) -> str:
    pattern, parts = FORMATS[kind][format_]
    found = re.fullmatch(pattern, text, re.ASCII)
    if found is None:
        raise ValueError(text)
    by = {part: one.zfill(4 if part == "Y" else 2) for part, one in zip(parts, found.groups(), strict=True)}
    day = f"{by['Y']}-{by['m']}-{by['d']}"
    return f"{day}T{by['H']}:{by['M']}:{by['S']}" if "H" in by else day


def _instant(notation: Notation, text: str) -> datetime:
    if notation.moment == "epoch_ms":
        if not re.fullmatch(FORMATS["TIMESTAMP"]["epoch_ms"][0], text, re.ASCII):
            raise ValueError(text)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(Decimal(text) * 1000))
    iso = _iso("TIMESTAMP", notation.moment, text) if notation.moment else text
    if not notation.zone or not re.fullmatch(r"[0-9-]{10}[T ][0-9:.]{8,15}", iso):
        return read_value("TIMESTAMP", iso)  # type: ignore[no-any-return]
    local: datetime = read_value("DATETIME", iso)
    instants = {(local.replace(tzinfo=ZoneInfo(ZONE), fold=fold)).astimezone(UTC) for fold in (0, 1)}
    shown = {one for one in instants if one.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None) == local}
    rule = notation.twice if shown else notation.never
    if len(instants) > 1 and rule == "reject":
        raise ValueError(text)
    return max(instants) if rule == "later" else min(instants)


def rank(column: Column, value: Any) -> Any:
    """Of a value that is there, what orders it."""
    if column.is_array or column.type == "JSON":
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_text)
    return value


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return float(value) if isinstance(value, Decimal) else str(value)


POOLS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "BOOL": (("true", "false", ""), ("maybe",)),
    "DATE": (("2024-02-29", "1969-12-31", "", "0987-01-02"), ("2023-02-29", "soon")),
    "TIMESTAMP": (
        ("2024-10-27T00:30:00Z", "2024-10-27T01:30:00.5Z", "1969-12-31T23:59:58.000001Z", "", "2024-06-01T12:00:00Z"),
        ("2024-03-31T02:30:00", "31/03/2024 02:30:00", "27/10/2024 02:30:00", "now"),
    ),
    "DATETIME": (("2024-03-31T02:30:00", "0001-01-01T00:00:00.5", ""), ("2024-03-31",)),
    "TIME": (("00:00:00", "23:59:59.999999", ""), ("24:00:00",)),
    "NUMERIC": (("1234567.891", "-0.000000001", "", "1000", "0.5"), ("0.0000000001", "1,5", "1.234")),
    "BIGNUMERIC": (("1234567.891", "-0.000000000000000001", "", "12"), ("x",)),
    "FLOAT64": (("0.1", "-1234.5", "", "1000"), ("NaN",)),
    "INT64": (("1234567", "-9223372036854775808", "", "7"), ("1.5", "12,34")),
    "BYTES": (("AP8=", "eA==", ""), ("x",)),
    "JSON": (('{"a":1}', "[1,2]", "", '"t"'), ("{",)),
    "GEOGRAPHY": (("POINT(1 2)", "POINT(-3.5 0)", ""), ("POINT(1)",)),
    "STRING": (("ä", "€", "", "late", "true"), ()),
}
"""Texts of a column's values, and texts that some notation refuses, or every one."""
