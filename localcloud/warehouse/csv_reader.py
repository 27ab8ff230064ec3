"""CSV as a BigQuery load job reads it: the dialect is what the job says, and nothing is guessed.

A file is checked record by record. What is yielded leaves nothing to guess to the reader after it: UTF-8, LF ends a
record, the fields are as many as the table has columns.
https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_BLOCK = 4 * 2**20
MAX_RECORD = 100 * 2**20
"""Bytes, as in BigQuery: https://cloud.google.com/bigquery/quotas#load_jobs"""
_DELIMITERS = {"tab": "\t", "\\t": "\t"}
_CODECS = {"UTF-8": "utf-8", "UTF8": "utf-8", "ISO-8859-1": "latin-1"}
_BOM = b"\xef\xbb\xbf"


class CsvError(Exception):
    """The file breaks the rules of CSV, or the job asks for a dialect that is not read here.

    bqemulator answers a load with the reason `invalid` and this message.
    """


@dataclass(frozen=True)
class Dialect:
    """What a load job says about its CSV files. Delimiter and quote are one byte; an empty quote quotes nothing."""

    width: int
    delimiter: bytes = b","
    quote: bytes = b'"'
    quoted_newlines: bool = False
    skip: int = 0
    codec: str = "utf-8"
    quoted: re.Pattern[bytes] = field(init=False)
    bare: re.Pattern[bytes] = field(init=False)
    records: re.Pattern[bytes] = field(init=False)

    def __post_init__(self) -> None:
        quote, delimiter = re.escape(self.quote), re.escape(self.delimiter)
        inner = b"[^%s%s]*+" % (quote, b"" if self.quoted_newlines else rb"\r\n")
        quoted = b"%s%s(?:%s%s%s)*+%s" % (quote, inner, quote, quote, inner, quote) if quote else b"(?!)"
        bare = rb"[^%s%s\r\n]*+" % (quote, delimiter)
        # Written out and possessive: no step is ever taken back, which keeps it as fast as a plain search.
        cell = b"(?>%s|%s)" % (quoted, bare)
        record = rb"(?:%s\r?\n|\r?\n)" % delimiter.join([cell] * self.width)
        object.__setattr__(self, "quoted", re.compile(quoted))
        object.__setattr__(self, "bare", re.compile(bare))
        object.__setattr__(self, "records", re.compile(b"(?:%s)*+" % record))

    @classmethod
    def of(cls, options: dict[str, Any], width: int) -> Dialect:
        """The dialect of a job's `configuration.load`, with BigQuery's defaults for what it leaves out.

        https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad

        Raises:
            CsvError: the encoding, delimiter or quote is none that this module reads.
        """
        delimiter = str(options.get("fieldDelimiter") or ",")
        quote = options.get("quote")
        encoding = str(options.get("encoding") or "UTF-8").upper()
        if encoding not in _CODECS:
            raise CsvError(f"the local warehouse does not read encoding {encoding}, only {', '.join(_CODECS)}")
        return cls(
            width=width,
            delimiter=_one_byte("fieldDelimiter", _DELIMITERS.get(delimiter, delimiter)),
            quote=b"" if quote == "" else _one_byte("quote", quote or '"'),
            quoted_newlines=bool(options.get("allowQuotedNewlines")),
            skip=int(options.get("skipLeadingRows") or 0),
            codec=_CODECS[encoding],
        )


def _one_byte(option: str, value: str) -> bytes:
    encoded = value.encode()
    if len(encoded) != 1:
        raise CsvError(f"{option} {value!r} is not one ASCII character")
    return encoded


def clean_records(source: io.BufferedIOBase, dialect: Dialect) -> Iterator[bytes]:
    """The records of a CSV file in blocks, in UTF-8 and ended by LF, without the leading ones to skip.

    Raises:
        CsvError: at the first fault, with its line and field.
    """
    rest, line, size, at_end = source.read(len(_BOM)).removeprefix(_BOM), 1, _BLOCK, False
    skip = dialect.skip
    while not at_end:
        block = source.read(size)
        at_end = not block
        rest += block
        if at_end and rest and not rest.endswith((b"\n", b"\r")):
            rest += b"\n"
        begin = 0
        while skip:
            end = _record_end(rest, begin, dialect, line, at_end)
            if end is None:
                break
            line += rest.count(b"\n", begin, end)
            begin, skip = end, skip - 1
        end = begin if skip else _end_of_records(rest, begin, dialect)
        piece, rest = rest[begin:end], rest[end:]
        yield _clean(piece, dialect, line)
        line += piece.count(b"\n")
        if rest and not skip and (at_end or not piece):
            _record_end(rest, 0, dialect, line, at_end, dialect.width)
        if len(rest) > MAX_RECORD:
            raise CsvError(f"line {line}: the record is longer than {MAX_RECORD} bytes")
        # A long record is read in ever larger steps, so that it is not searched from its start too often.
        size = _BLOCK if piece else size * 2


def _end_of_records(data: bytes, begin: int, dialect: Dialect) -> int:
    match = dialect.records.match(data, begin)
    return match.end() if match else begin


def _record_end(
    data: bytes, begin: int, dialect: Dialect, line: int, at_end: bool, width: int | None = None
) -> int | None:
    """Where the record at `begin` ends; None when `data` ends first.

    Raises:
        CsvError: it is not a record, or not one of `width` fields.
    """
    at, cells = begin, 0

    def fault(what: str) -> CsvError:
        return CsvError(f"line {line + data.count(bytes([10]), begin, at)}, field {cells + 1}: {what}")

    while at < len(data):
        is_quoted = bool(dialect.quote) and data.startswith(dialect.quote, at)
        match = (dialect.quoted if is_quoted else dialect.bare).match(data, at)
        if match is None:
            if not dialect.quoted_newlines and b"\n" in data[at:]:
                raise fault("the quote that opens here is not closed on its line, and allowQuotedNewlines is off")
            if at_end:
                raise fault("the quote that opens here is never closed")
            return None
        after = data[match.end() : match.end() + 2]
        if not at_end and len(after) < 2 and after != b"\n":
            return None
        at = match.end()
        if after[:1] == dialect.delimiter:
            at, cells = at + 1, cells + 1
            continue
        if after[:1] == b"\n" or after == b"\r\n":
            if width is not None and cells + 1 != width:
                raise CsvError(f"line {line}: the record has {cells + 1} fields, the table has {width} columns")
            return at + (1 if after[:1] == b"\n" else 2)
        if is_quoted:
            raise fault("there is text after the closing quote")
        raise fault("there is a CR without LF" if after[:1] == b"\r" else "there is a quote within an unquoted field")
    return None


def _clean(piece: bytes, dialect: Dialect, line: int) -> bytes:
    """Whole records in UTF-8, with LF for each CRLF outside quotes."""
    zero = piece.find(b"\0")
    if zero >= 0:
        raise CsvError(f"line {line + piece.count(bytes([10]), 0, zero)}: there is a NUL character")
    # As BigQuery documents: what is not in the encoding becomes U+FFFD.
    piece = piece.decode(dialect.codec, "replace").encode()
    if b"\r" not in piece:
        return piece
    if not dialect.quote or dialect.quote not in piece:
        return piece.replace(b"\r\n", b"\n")
    # Every other part is outside quotes: a doubled quote makes an empty one.
    parts = piece.split(dialect.quote)
    parts[::2] = dialect.quote.join(parts[::2]).replace(b"\r\n", b"\n").split(dialect.quote)
    return dialect.quote.join(parts)
