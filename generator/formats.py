"""A generated file in any format that a feed takes: made of the same rows as CSV, batch by batch."""

import codecs
import csv
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from generator.errors import GeneratorError
from generator.people import PLAIN

_BATCH = 65_536


class Format(StrEnum):
    CSV = "csv"
    TSV = "tsv"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    AVRO = "avro"
    ORC = "orc"


class Encoding(StrEnum):
    UTF_8 = "utf-8"
    UTF_8_BOM = "utf-8-bom"
    UTF_16 = "utf-16"
    ISO_8859_1 = "iso-8859-1"
    WINDOWS_1252 = "windows-1252"


_CODECS = {Encoding.UTF_8_BOM: "utf-8-sig", Encoding.WINDOWS_1252: "cp1252"}
_TEXT = (Format.CSV, Format.TSV, Format.NDJSON)
_CONTENT_TYPES = {
    Format.CSV: "text/csv",
    Format.TSV: "text/tab-separated-values",
    Format.NDJSON: "application/x-ndjson",
}


@dataclass(frozen=True)
class Form:
    """How a file is written. Raises GeneratorError for what does not go together."""

    format: Format = Format.CSV
    encoding: Encoding = Encoding.UTF_8
    is_gzip: bool = False

    def __post_init__(self) -> None:
        if self.is_gzip and self.format not in _TEXT:
            raise GeneratorError(f"--gzip is for csv, tsv and ndjson; {self.format} packs its own columns")
        if self.encoding != Encoding.UTF_8 and self.format not in (Format.CSV, Format.TSV):
            raise GeneratorError(f"--encoding is for csv and tsv; {self.format} is UTF-8")

    @property
    def suffix(self) -> str:
        return f".{self.format}{'.gz' if self.is_gzip else ''}"

    @property
    def content_type(self) -> str:
        return "application/gzip" if self.is_gzip else _CONTENT_TYPES.get(self.format, "application/octet-stream")

    def write(self, source: Path, target: Path, is_typed: bool) -> None:
        """The rows of a CSV file in UTF-8, as this form has them.

        `is_typed`: whether each text is a value of its column; a format with a schema has texts otherwise.
        """
        if self.format not in _TEXT:
            _WRITERS[self.format](source, target, is_typed)
            return
        with target.open("wb") as file:
            if not self.is_gzip:
                file.writelines(self._texts(source))
                return
            # Neither a name nor a time: the same seed gives the same bytes.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                for text in self._texts(source):
                    packed.write(text)

    def _texts(self, source: Path) -> Iterator[bytes]:
        if self.format == Format.NDJSON:
            for row in _records(source):
                yield json.dumps({name: value for name, value in row.items() if value}).encode() + b"\n"
            return
        codec = _CODECS.get(self.encoding, self.encoding.value)
        with source.open(encoding="utf-8", newline="") as file:
            if self.format == Format.CSV and self.encoding == Encoding.UTF_8:
                yield from (text.encode() for text in iter(lambda: file.read(1 << 20), ""))
                return
            # Only the first text of all may have a byte order mark.
            encode = codecs.getincrementalencoder(codec)(PLAIN).encode
            delimiter = "\t" if self.format == Format.TSV else ","
            for fields in csv.reader(file):
                yield encode(_line(fields, delimiter))


def _line(fields: Sequence[str], delimiter: str) -> str:
    quoted = [
        f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & {delimiter, '"', "\n"} else text for text in fields
    ]
    return delimiter.join(quoted) + "\n"


def _records(source: Path) -> Iterator[dict[str, str]]:
    with source.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


_TYPES: dict[str, Callable[[str], Any]] = {
    "credit_score": int,
    "account_balance": lambda text: Decimal(text).quantize(Decimal("1e-9")),
    "last_modified": datetime.fromisoformat,
}


def _values(row: dict[str, str], is_typed: bool) -> dict[str, Any]:
    return {
        name: None if not text else _TYPES[name](text) if is_typed and name in _TYPES else text
        for name, text in row.items()
    }


def _batches(source: Path, is_typed: bool) -> Iterator[list[dict[str, Any]]]:
    rows = _records(source)
    while batch := [_values(row, is_typed) for row in islice(rows, _BATCH)]:
        yield batch


def _names(source: Path) -> list[str]:
    with source.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def _arrow_schema(source: Path, is_typed: bool, zone: str | None) -> Any:
    import pyarrow  # type: ignore[import-untyped]

    types = {
        "credit_score": pyarrow.int64(),
        "account_balance": pyarrow.decimal128(38, 9),
        "last_modified": pyarrow.timestamp("us", tz=zone),
    }
    return pyarrow.schema(
        [(name, types.get(name, pyarrow.string()) if is_typed else pyarrow.string()) for name in _names(source)]
    )


def _write_parquet(source: Path, target: Path, is_typed: bool) -> None:
    import pyarrow
    from pyarrow import parquet

    schema = _arrow_schema(source, is_typed, "UTC")
    with parquet.ParquetWriter(target, schema) as writer:
        for batch in _batches(source, is_typed):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema))


def _write_orc(source: Path, target: Path, is_typed: bool) -> None:
    import pyarrow
    from pyarrow import orc

    # An ORC timestamp has no zone; BigQuery takes it as UTC.
    schema = _arrow_schema(source, is_typed, None)
    with orc.ORCWriter(target) as writer:
        is_empty = True
        for batch in _batches(source, is_typed):
            is_empty = False
            naive = [{**row, "last_modified": _without_zone(row["last_modified"])} for row in batch]
            writer.write(pyarrow.Table.from_pylist(naive, schema))
        if is_empty:
            writer.write(pyarrow.Table.from_pylist([], schema))


def _without_zone(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _write_avro(source: Path, target: Path, is_typed: bool) -> None:
    import fastavro

    types: dict[str, Any] = {
        "credit_score": "long",
        "account_balance": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9},
        "last_modified": {"type": "long", "logicalType": "timestamp-micros"},
    }
    fields = [
        {"name": name, "type": ["null", types.get(name, "string") if is_typed else "string"]}
        for name in _names(source)
    ]
    schema = fastavro.parse_schema({"type": "record", "name": "account", "fields": fields})
    rows = (row for batch in _batches(source, is_typed) for row in batch)
    with target.open("wb") as file:
        # Its marker between blocks is random otherwise: the same seed gives the same bytes.
        fastavro.writer(file, schema, rows, codec="deflate", sync_marker=b"dropmerge accoun")


_WRITERS = {Format.PARQUET: _write_parquet, Format.ORC: _write_orc, Format.AVRO: _write_avro}
