"""A generated file in any format that a feed takes: made of the same rows as CSV, batch by batch."""

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import chain, islice
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
            return _json_lines(source)
        if self == Form(is_gzip=self.is_gzip):
            return _bytes(source)
        codec = _CODECS.get(self.encoding, self.encoding.value)
        return _separated(source, codec, "\t" if self.format == Format.TSV else ",")


def _bytes(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        yield from iter(lambda: file.read(1 << 20), b"")


def _json_lines(source: Path) -> Iterator[bytes]:
    names, encode = _names(source), json.JSONEncoder().encode
    for rows in _batches(source):
        for row in rows:
            yield encode({name: text for name, text in zip(names, row, strict=True) if text}).encode() + b"\n"


def _separated(source: Path, codec: str, delimiter: str) -> Iterator[bytes]:
    # Only the first text of all may have a byte order mark.
    encode = codecs.getincrementalencoder(codec)(PLAIN).encode
    for rows in chain([[_names(source)]], _batches(source)):
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
        yield encode(text.getvalue())


def _names(source: Path) -> list[str]:
    with source.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def _batches(source: Path) -> Iterator[list[list[str]]]:
    """The records after the header, `_BATCH` at a time."""
    with source.open(encoding="utf-8", newline="") as file:
        records = csv.reader(file)
        next(records)
        while batch := list(islice(records, _BATCH)):
            yield batch


def _arrow_schema(source: Path, is_typed: bool) -> Any:
    import pyarrow  # type: ignore[import-untyped]

    types = {
        "credit_score": pyarrow.int64(),
        "account_balance": pyarrow.decimal128(38, 9),
        "last_modified": pyarrow.timestamp("us", tz="UTC"),
    }
    return pyarrow.schema(
        [(name, types.get(name, pyarrow.string()) if is_typed else pyarrow.string()) for name in _names(source)]
    )


def _arrow_table(records: Sequence[Sequence[str]], schema: Any) -> Any:
    import pyarrow

    columns = zip(*records, strict=True)
    arrays = [
        pyarrow.array([text or None for text in column], pyarrow.string()).cast(field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pyarrow.table(arrays, schema=schema)


def _write_parquet(source: Path, target: Path, is_typed: bool) -> None:
    from pyarrow import parquet

    schema = _arrow_schema(source, is_typed)
    with parquet.ParquetWriter(target, schema) as writer:
        for records in _batches(source):
            writer.write_table(_arrow_table(records, schema))


def _write_orc(source: Path, target: Path, is_typed: bool) -> None:
    import pyarrow
    from pyarrow import orc

    schema = _arrow_schema(source, is_typed)
    # An ORC timestamp has no zone; BigQuery takes it as UTC.
    zoneless = pyarrow.schema(
        [
            field.with_type(pyarrow.timestamp("us")) if pyarrow.types.is_timestamp(field.type) else field
            for field in schema
        ]
    )
    with orc.ORCWriter(target) as writer:
        writer.write(zoneless.empty_table())
        for records in _batches(source):
            writer.write(_arrow_table(records, schema).cast(zoneless))


def _write_avro(source: Path, target: Path, is_typed: bool) -> None:
    import fastavro

    types: dict[str, Any] = {
        "credit_score": "long",
        "account_balance": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9},
        "last_modified": {"type": "long", "logicalType": "timestamp-micros"},
    }
    names = _names(source)
    fields = [{"name": name, "type": ["null", types.get(name, "string") if is_typed else "string"]} for name in names]
    schema = fastavro.parse_schema({"type": "record", "name": "account", "fields": fields})
    values = [_VALUES.get(name, str) if is_typed else str for name in names]
    rows = (
        {name: value(text) if text else None for name, value, text in zip(names, values, record, strict=True)}
        for records in _batches(source)
        for record in records
    )
    with target.open("wb") as file:
        # Its marker between blocks is random otherwise: the same seed gives the same bytes.
        fastavro.writer(file, schema, rows, codec="deflate", sync_marker=b"dropmerge accoun")


_VALUES: dict[str, Callable[[str], Any]] = {
    "credit_score": int,
    "account_balance": Decimal,
    "last_modified": datetime.fromisoformat,
}
_WRITERS = {Format.PARQUET: _write_parquet, Format.ORC: _write_orc, Format.AVRO: _write_avro}
