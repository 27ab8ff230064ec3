"""CSV as a BigQuery load job reads it: the dialect is what the job says, and nothing is guessed.

A file is checked record by record. What is yielded leaves nothing to guess to the reader after it: UTF-8, LF ends a
record, the fields are as many as the table has columns.
https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from localcloud.warehouse.csv_dialect import CsvError, Dialect
from localcloud.warehouse.encoded import Source, as_utf8

_BLOCK = 4 * 2**20
MAX_RECORD = 100 * 2**20
"""Bytes, as in BigQuery: https://cloud.google.com/bigquery/quotas#load_jobs"""
_BOM = b"\xef\xbb\xbf"


def clean_records(source: Source, dialect: Dialect) -> Iterator[bytes]:
    """The records of a CSV file in blocks, in UTF-8 and ended by LF, without the leading ones to skip.

    Raises:
        CsvError: at the first fault, with its line and field.
    """
    source = as_utf8(source, dialect.codec)
    unread = _Unread(dialect, source.read(len(_BOM)).removeprefix(_BOM))
    skip, size = dialect.skip, _BLOCK
    while not unread.at_end:
        unread.add(source.read(size))
        skip -= unread.skip(skip)
        line, piece = unread.line, b"" if skip else unread.take_records()
        yield _clean(piece, dialect, line)
        if not skip and (unread.at_end or not piece):
            unread.check_record()
        if len(unread.data) > MAX_RECORD:
            raise CsvError(f"line {unread.line}: the record is longer than {MAX_RECORD} bytes")
        # A long record is read in ever larger steps, so that it is not searched from its start too often.
        size = _BLOCK if piece else size * 2


@dataclass
class _Unread:
    """What was read of the file and is not yet taken, and the line that it begins on."""

    dialect: Dialect
    data: bytes
    line: int = 1
    at_end: bool = False
    """Whether `data` reaches to the end of the file."""

    def add(self, block: bytes) -> None:
        """Appends what was read next; nothing means the end, where a last record without LF gets one."""
        self.at_end = not block
        self.data += block
        if self.at_end and self.data and not self.data.endswith((b"\n", b"\r")):
            self.data += b"\n"

    def skip(self, most: int) -> int:
        """Leaves out the first records, `most` or as many as are whole, however many fields they have. How many."""
        end = count = 0
        while count < most and (found := self._record_end(end)) is not None:
            end, count = found, count + 1
        self._take(end)
        return count

    def take_records(self) -> bytes:
        """All records up to the first that is faulty or not whole yet."""
        match = self.dialect.records.match(self.data)
        return self._take(match.end() if match else 0)

    def check_record(self) -> None:
        """Raises CsvError when the record in front is faulty, and not just one that is not whole yet."""
        self._record_end(0, self.dialect.width)

    def _take(self, end: int) -> bytes:
        piece, self.data = self.data[:end], self.data[end:]
        self.line += piece.count(b"\n")
        return piece

    def _record_end(self, begin: int, width: int | None = None) -> int | None:
        """Where the record at `begin` ends; None when it is not whole yet. `width`: the fields that it must have."""
        at, number = begin, 1
        while at < len(self.data) and (end := self._field_end(at, number)) is not None:
            after = self.data[end : end + 2]
            if after.startswith(self.dialect.delimiter):
                at, number = end + 1, number + 1
            elif not after.startswith(b"\n") and after != b"\r\n":
                raise self._fault(end, number, self._what_follows(at, after))
            elif width in (None, number):
                return end + after.index(b"\n") + 1
            else:
                widths = f"the record has {number} fields, the table has {width} columns"
                raise CsvError(f"line {self._line_of(begin)}: {widths}")
        return None

    def _field_end(self, at: int, number: int) -> int | None:
        """Where the field ends; None when that is to be seen only with what follows."""
        pattern = self.dialect.quoted if self._is_quoted(at) else self.dialect.bare
        if match := pattern.match(self.data, at):
            after = self.data[match.end() : match.end() + 2]
            return match.end() if self.at_end or len(after) == 2 or after == b"\n" else None
        if not self.dialect.quoted_newlines and self.data.find(b"\n", at) >= 0:
            what = "the quote that opens here is not closed on its line, and allowQuotedNewlines is off"
            raise self._fault(at, number, what)
        if self.at_end:
            raise self._fault(at, number, "the quote that opens here is never closed")
        return None

    def _is_quoted(self, at: int) -> bool:
        return bool(self.dialect.quote) and self.data.startswith(self.dialect.quote, at)

    def _what_follows(self, at: int, after: bytes) -> str:
        """What is wrong with the text after the field at `at`."""
        if self._is_quoted(at):
            return "there is text after the closing quote"
        if after.startswith(b"\r"):
            return "there is a CR without LF"
        return "there is a quote within an unquoted field"

    def _line_of(self, at: int) -> int:
        return self.line + self.data.count(b"\n", 0, at)

    def _fault(self, at: int, number: int, what: str) -> CsvError:
        return CsvError(f"line {self._line_of(at)}, field {number}: {what}")


def _clean(piece: bytes, dialect: Dialect, line: int) -> bytes:
    """Whole records in UTF-8, with LF for each CRLF outside quotes."""
    zero = piece.find(b"\0")
    if zero >= 0 and not dialect.keeps_controls:
        raise CsvError(f"line {line + piece.count(bytes([10]), 0, zero)}: there is a NUL character")
    # As BigQuery documents: what is not in the encoding becomes U+FFFD.
    piece = piece.decode("utf-8", "replace").encode()
    if b"\r" not in piece:
        return piece
    if not dialect.quote or dialect.quote not in piece:
        return piece.replace(b"\r\n", b"\n")
    # Every other part is outside quotes: a doubled quote makes an empty one.
    parts = piece.split(dialect.quote)
    parts[::2] = dialect.quote.join(parts[::2]).replace(b"\r\n", b"\n").split(dialect.quote)
    return dialect.quote.join(parts)
