"""CSV as a BigQuery load job reads it: the dialect is what the job says, and nothing is guessed.

A file is checked record by record. What is yielded leaves nothing to guess to the reader after it: UTF-8, LF ends a
record, and it is known how many fields each has.
https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from localcloud.warehouse.csv_dialect import CsvError, Dialect
from localcloud.warehouse.encoded import Source, as_utf8

_BLOCK = 4 * 2**20
MAX_RECORD = 100 * 2**20
"""Bytes, as in BigQuery: https://cloud.google.com/bigquery/quotas#load_jobs"""
BLANK = 0
"""Stands for the number of fields of a blank line, which has one that is empty."""
_BOM = b"\xef\xbb\xbf"


def clean_records(source: Source, dialect: Dialect) -> Iterator[tuple[int, bytes]]:
    """The records of a CSV file, in blocks of those that have as many fields, at most the table's width; in UTF-8 and
    ended by LF, without the leading ones to skip.

    Raises:
        CsvError: at the first fault, with its line and field.
    """
    source = as_utf8(source, dialect.codec)
    unread = _Unread(dialect, source.read(len(_BOM)).removeprefix(_BOM))
    skip, size = dialect.skip, _BLOCK
    while not unread.at_end:
        unread.add(source.read(size))
        skip -= unread.skip(skip)
        line, pieces = unread.line, {} if skip else unread.take_records()
        for width, piece in pieces.items():
            yield width, _clean(piece, dialect, line)
        if len(unread.data) > MAX_RECORD:
            raise CsvError(f"line {unread.line}: the record is longer than {MAX_RECORD} bytes")
        # A long record is read in ever larger steps, so that it is not searched from its start too often.
        size = _BLOCK if pieces else size * 2


@dataclass
class _Unread:
    """What was read of the file and is not yet taken, and the line that it begins on."""

    dialect: Dialect
    data: bytes
    line: int = 1
    at_end: bool = False
    """Whether `data` reaches to the end of the file."""
    usual: int = 0
    """How many fields most records have, which is judged by the first."""
    records: re.Pattern[bytes] | None = None
    """Of those."""

    def add(self, block: bytes) -> None:
        """Appends what was read next; nothing means the end, where a last record without LF gets one."""
        self.at_end = not block
        self.data += block
        if self.at_end and self.data and not self.data.endswith((b"\n", b"\r")):
            self.data += b"\n"

    def skip(self, most: int) -> int:
        """Leaves out the first records, `most` or as many as are whole, however many fields they have. How many."""
        end = count = 0
        while count < most and (found := self._record(end)) is not None:
            end, count = found[-1] + 1, count + 1
        self._take(end)
        return count

    def take_records(self) -> dict[int, bytes]:
        """All records that are whole, by how many fields they have. Raises CsvError at one that is faulty."""
        whole = self.data[: self.data.rfind(b"\n") + 1]
        # What is left at the end is a fault, which the search below finds.
        is_left = self.at_end and len(whole) < len(self.data)
        if not is_left and (width := self.dialect.plain_width(whole)):
            self._take(len(whole))
            return {width: whole}
        taken: dict[int, list[bytes]] = {}
        at = 0
        while True:
            if self.records and (end := self.records.match(self.data, at).end()) > at:  # type: ignore[union-attr]
                taken.setdefault(self.usual, []).append(self.data[at:end])
                at = end
            ends = self._record(at)
            if ends is None:
                break
            width, piece = self._judged(at, ends)
            taken.setdefault(width, []).append(piece)
            at = ends[-1] + 1
        self._take(at)
        return {width: b"".join(pieces) for width, pieces in taken.items()}

    def _judged(self, at: int, ends: Sequence[int]) -> tuple[int, bytes]:
        """A record's fields, as many as the table has columns, and how many these are."""
        dialect, number = self.dialect, len(ends) - 1
        if self.data[at : ends[-1]] in (b"", b"\r"):
            return BLANK, b"\n"
        too_few, too_many = number < dialect.width, number > dialect.width
        if (too_few and not dialect.fills) or (too_many and not dialect.cuts):
            widths = f"the record has {number} fields, the table has {dialect.width} columns"
            raise CsvError(f"line {self._line_of(at)}: {widths}")
        width = min(number, dialect.width)
        if self.records is None:
            self.usual, self.records = width, dialect.records(width)
        return width, self.data[at : ends[width - 1]] + b"\n"

    def _take(self, end: int) -> None:
        self.line += self.data.count(b"\n", 0, end)
        self.data = self.data[end:]

    def _record(self, begin: int) -> list[int] | None:
        """Where each field of the record at `begin` ends, and last its LF; None when it is not whole yet."""
        at, ends = begin, list[int]()
        while at < len(self.data) and (end := self._field_end(at, len(ends) + 1)) is not None:
            ends.append(end)
            after = self.data[end : end + 2]
            if after.startswith(self.dialect.delimiter):
                at = end + 1
            elif not after.startswith(b"\n") and after != b"\r\n":
                raise self._fault(at, len(ends), self._what_follows(at, after))
            else:
                return [*ends, end + after.index(b"\n")]
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
