"""Rows written in every format that a feed takes, by nothing of the project."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import orc, parquet

Record = Sequence[str | None]
"""A row's fields as texts, canonical where the format has types."""
_CODECS = {"utf-8-bom": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252", "iso-8859-1": "latin-1"}
_VALUES: Mapping[str, Callable[[str], Any]] = {
    "INT64": int,
    "NUMERIC": Decimal,
    "FLOAT64": float,
    "BOOL": lambda text: {"true": True, "false": False}[text],
    "DATE": date.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
    "BYTES": base64.b64decode,
}
_IN_JSON = ("INT64", "NUMERIC", "FLOAT64", "BOOL")
"""Types whose texts are JSON as they are."""


@dataclass(frozen=True)
class Form:
    """How a file is written, and what a contract says of it."""

    type: str = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    """As a contract says it, or utf-8-bom."""
    header: bool = True
    skip: int = 0
    trailing: bool = False
    quote: str = '"'
    """Or none: no text may have a delimiter or an end of line then."""
    is_gzip: bool = False
    """No contract says so."""
    has_types: bool = True
    """Of a format that has types, and of JSON: else each field is a text."""

    def yaml(self) -> dict[str, Any]:
        """The contract's format."""
        if self.type != "csv":
            return {"type": self.type}
        usual = Form()._said()
        return {"type": "csv", **{name: value for name, value in self._said().items() if usual[name] != value}}

    def _said(self) -> dict[str, Any]:
        return {
            "delimiter": self.delimiter,
            "encoding": self.encoding.removesuffix("-bom"),
            "header": self.header,
            "skip": self.skip,
            "trailing_delimiter": self.trailing,
            "quote": self.quote,
        }

    def write(self, names: Sequence[str], kinds: Sequence[str], records: Sequence[Record]) -> bytes:
        """A file of these rows. `kinds`: types of the columns; one that is not known here is written as text."""
        if self.type == "csv":
            written = self._csv(names, records).encode(_CODECS.get(self.encoding, self.encoding))
        elif self.type == "ndjson":
            written = "".join(self._line(names, kinds, one) for one in records).encode()
        elif self.type == "avro":
            written = self._avro(names, kinds, records)
        else:
            written = self._arrow(names, kinds, records)
        return gzip.compress(written, mtime=0) if self.is_gzip else written

    def _csv(self, names: Sequence[str], records: Sequence[Record]) -> str:
        lines = [*([names] if self.header else []), *records]
        fields = [[*(text or "" for text in line), *([""] if self.trailing else [])] for line in lines]
        written = io.StringIO(newline="")
        written.writelines(f"line {n} says nothing\n" for n in range(self.skip))
        if self.quote == '"':
            csv.writer(written, delimiter=self.delimiter, lineterminator="\n").writerows(fields)
        else:
            written.writelines(self.delimiter.join(one) + "\n" for one in fields)
        return written.getvalue()

    def _line(self, names: Sequence[str], kinds: Sequence[str], record: Record) -> str:
        """Numbers as they are written, which no float holds."""
        fields = [
            f"{json.dumps(name)}: {text if self.has_types and kind in _IN_JSON else json.dumps(text)}"
            for name, kind, text in zip(names, kinds, record, strict=True)
            if text is not None
        ]
        return "{" + ", ".join(fields) + "}\n"

    def _arrow(self, names: Sequence[str], kinds: Sequence[str], records: Sequence[Record]) -> bytes:
        # An ORC timestamp has no zone: it is taken as UTC.
        zone = None if self.type == "orc" else "UTC"
        types = {
            **{"INT64": pa.int64(), "NUMERIC": pa.decimal128(38, 9), "FLOAT64": pa.float64(), "BOOL": pa.bool_()},
            **{"DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us", tz=zone), "BYTES": pa.binary()},
        }
        columns = {
            name: pa.array(
                [self._without_zone(one) for one in values],
                types.get(kind, pa.string()) if self.has_types else pa.string(),
            )
            for name, kind, values in self._columns(names, kinds, records)
        }
        file = io.BytesIO()
        (orc if self.type == "orc" else parquet).write_table(pa.table(columns), file)
        return file.getvalue()

    def _without_zone(self, value: Any) -> Any:
        return value.replace(tzinfo=None) if self.type == "orc" and isinstance(value, datetime) else value

    def _avro(self, names: Sequence[str], kinds: Sequence[str], records: Sequence[Record]) -> bytes:
        types: Mapping[str, Any] = {
            **{"INT64": "long", "FLOAT64": "double", "BOOL": "boolean", "BYTES": "bytes"},
            "NUMERIC": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9},
            "DATE": {"type": "int", "logicalType": "date"},
            "TIMESTAMP": {"type": "long", "logicalType": "timestamp-micros"},
        }
        columns = list(self._columns(names, kinds, records))
        fields = [
            {"name": name, "type": ["null", types.get(kind, "string") if self.has_types else "string"]}
            for name, kind, _ in columns
        ]
        rows = [{name: values[n] for name, _, values in columns} for n in range(len(records))]
        file = io.BytesIO()
        fastavro.writer(file, fastavro.parse_schema({"type": "record", "name": "row", "fields": fields}), rows)
        return file.getvalue()

    def _columns(
        self, names: Sequence[str], kinds: Sequence[str], records: Sequence[Record]
    ) -> Sequence[tuple[str, str, list[Any]]]:
        found = []
        for n, (name, kind) in enumerate(zip(names, kinds, strict=True)):
            read = _VALUES.get(kind, str) if self.has_types else str
            found.append((name, kind, [None if one[n] is None else read(str(one[n])) for one in records]))
        return found


TEN = {
    "CSV": Form(),
    "TSV": Form(delimiter="\t"),
    "gzip CSV": Form(is_gzip=True),
    "UTF-16 CSV": Form(encoding="utf-16"),
    "Windows-1252 CSV": Form(encoding="windows-1252"),
    "NDJSON": Form("ndjson"),
    "gzip NDJSON": Form("ndjson", is_gzip=True),
    "Parquet": Form("parquet"),
    "Avro": Form("avro"),
    "ORC": Form("orc"),
}
"""What people drop most, by the name that they have for it."""
