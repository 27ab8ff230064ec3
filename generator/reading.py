"""A file of any format as records of texts, each as CSV would have it. Its first bytes say what it is."""

import codecs
import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

from generator.errors import GeneratorError, MalformedFile

_GZIP = b"\x1f\x8b"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PARQUET, _ORC, _AVRO = b"PAR1", b"ORC", b"Obj\x01"


def rows_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The header, then each record, with the number of the line it ends on; of a format without lines, its own.

    Raises:
        MalformedFile: the pipeline would dead-letter the file as a whole.
        GeneratorError: the file cannot be read.
    """
    try:
        first = _first_bytes(path)
        if first.startswith((_PARQUET, _ORC, _AVRO)):
            yield from _typed(path, first)
        elif first.startswith(b"{"):
            yield from _lines(path)
        else:
            yield from _separated(path, first)
    except (OSError, EOFError) as error:
        raise GeneratorError(f"{path} cannot be read: {error}") from error


def _first_bytes(path: Path) -> bytes:
    with _unpacked(path) as file:
        return file.read(4096)


@contextmanager
def _unpacked(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP
        file.seek(0)
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_gzip else file


def _separated(path: Path, first: bytes) -> Iterator[tuple[int, list[str]]]:
    encoding = _encoding(first)
    delimiter = "\t" if b"\t" in first.partition(b"\n")[0] else ","
    with _unpacked(path) as file:
        # Only LF may end a line here: csv then finds a bare CR on its own, and reports it.
        reader = csv.reader(io.TextIOWrapper(file, encoding, newline="\n"), strict=True, delimiter=delimiter)
        try:
            for fields in reader:
                yield reader.line_num, fields
        except csv.Error as error:
            raise MalformedFile(path, reader.line_num, f"not RFC 4180: {error}") from error
        except UnicodeDecodeError as error:
            what = f"in or after this line: not UTF-8: {error.reason}"
            raise MalformedFile(path, reader.line_num + 1, what) from error


def _encoding(first: bytes) -> str:
    if first.startswith(_UTF_16_MARKS):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    names: dict[str, None] = {}
    for _, one in _objects(path):
        names |= dict.fromkeys(one)
    yield 0, list(names)
    for number, one in _objects(path):
        yield number, [_text(one.get(name)) for name in names]


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with _unpacked(path) as file:
        for number, line in enumerate(file, 1):
            try:
                yield number, dict(json.loads(line, parse_float=str, parse_int=str))
            except (ValueError, TypeError) as error:
                raise MalformedFile(path, number, f"not a JSON object: {error}") from error


def _typed(path: Path, first: bytes) -> Iterator[tuple[int, list[str]]]:
    names, rows = _table(path, first)
    yield 0, names
    for number, row in enumerate(rows, 1):
        yield number, [_text(row.get(name)) for name in names]


def _table(path: Path, first: bytes) -> tuple[list[str], Iterator[dict[str, Any]]]:
    if first.startswith(_AVRO):
        return _avro(path)
    import pyarrow  # type: ignore[import-untyped]

    try:
        if first.startswith(_PARQUET):
            from pyarrow import parquet

            file = parquet.ParquetFile(path)
            return list(file.schema_arrow.names), (row for batch in file.iter_batches() for row in batch.to_pylist())
        from pyarrow import orc

        stripes = orc.ORCFile(path)
        rows = (row for n in range(stripes.nstripes) for row in stripes.read_stripe(n).to_pylist())
        return list(stripes.schema.names), rows
    except pyarrow.ArrowException as error:
        raise MalformedFile(path, 0, f"it cannot be read: {error}") from error


def _avro(path: Path) -> tuple[list[str], Iterator[dict[str, Any]]]:
    import fastavro

    with path.open("rb") as file:
        schema: Any = fastavro.reader(file).writer_schema
    return [field["name"] for field in schema["fields"]], _avro_rows(path)


def _avro_rows(path: Path) -> Iterator[dict[str, Any]]:
    import fastavro

    with path.open("rb") as file:
        for row in fastavro.reader(file):
            assert isinstance(row, dict)
            yield row


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
