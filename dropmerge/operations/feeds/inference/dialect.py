"""How a file of separated fields is written: delimiter, quotes, header, and what is between its records."""

from __future__ import annotations

import csv
import io
import itertools
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dropmerge.operations.feeds.inference.errors import InferenceError
from services.shared.contract.types import TYPES

_DELIMITERS = (",", "\t", ";", "|", "\x01", "^", "~")
_PROBED = 2_000
"""Records that are looked at to choose among dialects."""
_MOST_SKIPPED = 40
_FIRST_BYTES = 1_000_000
"""Of a text, for the library that judges headers."""
csv.field_size_limit(64 * 1024 * 1024)


@dataclass(frozen=True)
class Record:
    line: int
    """Of its first line, from 1."""
    fields: Sequence[str]

    @property
    def is_blank(self) -> bool:
        return not any(self.fields)


@dataclass(frozen=True)
class Dialect:
    delimiter: str = ","
    is_quoted: bool = True
    is_escaped: bool = False
    skip: int = 0
    """Lines before the header, or before the first record."""
    has_header: bool = True
    is_trailed: bool = False
    """Whether each record ends with a delimiter."""
    width: int = 1
    """Fields of a record, an empty one after a trailing delimiter aside."""

    def records(self, text: str) -> Iterator[Record]:
        """All that are in the text after the skipped lines, blank ones too. Raises csv.Error."""
        file = io.StringIO(text, newline="")
        for _ in range(self.skip):
            file.readline()
        if not self.is_quoted and not self.is_escaped:
            yield from self._split(file)
            return
        reader = csv.reader(
            file,
            delimiter=self.delimiter,
            strict=not self.is_escaped,
            doublequote=not self.is_escaped,
            escapechar="\\" if self.is_escaped else None,
            quoting=csv.QUOTE_MINIMAL if self.is_quoted else csv.QUOTE_NONE,
        )
        line = self.skip + 1
        for fields in reader:
            yield Record(line, fields)
            line = self.skip + reader.line_num + 1

    def _split(self, file: io.StringIO) -> Iterator[Record]:
        for line, text in enumerate(file, self.skip + 1):
            bare = text.removesuffix("\n").removesuffix("\r")
            yield Record(line, bare.split(self.delimiter) if bare else [])

    def options(self) -> Mapping[str, object]:
        """As a contract's format has them; what is so anyway is left out."""
        found: dict[str, object] = {"delimiter": self.delimiter}
        if not self.is_quoted:
            found["quote"] = "none"
        if self.is_escaped:
            found["escape"] = "\\"
        if not self.has_header:
            found["header"] = False
        if self.skip:
            found["skip"] = self.skip
        if self.is_trailed:
            found["trailing_delimiter"] = True
        return found


def find_dialect(text: str) -> Dialect:
    """The dialect in which most records are alike; of several those with quotes, of these the one with most fields."""
    ways = [
        Dialect(delimiter, is_quoted=is_quoted, is_escaped=is_escaped)
        for is_quoted, is_escaped in ((True, False), (True, True), (False, False))
        for delimiter in _DELIMITERS
        if delimiter in text and (not is_escaped or '\\"' in text)
    ]
    judged = [(score, way) for way in ways if (score := _score(way, text)) is not None]
    best = max(judged, key=lambda one: one[0])[1] if judged else _single_column(text)
    if best.is_quoted and (line := misquoted_line(best, text)):
        raise InferenceError(
            f"line {line} has a quote inside a field that does not begin with one, or lacks a closing quote"
        )
    return _complete(best, text)


def _score(way: Dialect, text: str) -> tuple[int, bool, bool, int] | None:
    """How alike records are, in twentieths, and how wide; None where the text cannot be read so."""
    widths = _widths(way, text)
    if widths is None or not widths:
        return None
    (width, count), *_ = widths.most_common(1)
    share = round(20 * count / widths.total())
    return None if width < 2 or share < 10 else (share, way.is_quoted, not way.is_escaped, width)


def misquoted_line(way: Dialect, text: str) -> int | None:
    """The first line whose quotes are not RFC 4180's, of the text's beginning: a load would end there."""
    if way.is_escaped or '"' not in text:
        return None
    delimiter = re.escape(way.delimiter)
    one = re.compile(rf'(?:"(?:[^"]|"")*"|[^"{delimiter}\r\n][^"{delimiter}\r\n]*|)(?:{delimiter}|\r?\n|\Z)')
    place, end = 0, min(len(text), _FIRST_BYTES)
    while place < end:
        found = one.match(text, place)
        if found is None:
            return text.count("\n", 0, place) + 1
        place = found.end()
    return None


def _widths(way: Dialect, text: str) -> Counter[int] | None:
    if way.is_quoted and misquoted_line(way, text):
        return None
    try:
        records = list(itertools.islice(way.records(text), _PROBED))
    except csv.Error:
        return None
    return Counter(len(record.fields) for record in records if not record.is_blank)


def _single_column(text: str) -> Dialect:
    way = Dialect()
    return way if _widths(way, text) is not None else replace(way, is_quoted=False)


def _complete(way: Dialect, text: str) -> Dialect:
    records = list(itertools.islice(way.records(text), _PROBED))
    filled = [one for one in records if not one.is_blank]
    if not filled:
        return way
    ((width, _),) = Counter(len(one.fields) for one in filled).most_common(1)
    skip = _skipped(records, width)
    rest = [one.fields for one in filled if one.line > skip and len(one.fields) == width]
    has_header = _has_header(rest, replace(way, skip=skip), text)
    is_trailed = width > 1 and len(rest) > 1 and not any(fields[-1] for fields in rest)
    return replace(
        way, skip=skip, has_header=has_header, is_trailed=is_trailed, width=width - 1 if is_trailed else width
    )


def _skipped(records: Sequence[Record], width: int) -> int:
    """Lines before the first record that is as wide as most: a title, a note, a blank line."""
    first = next((one.line for one in records[:_MOST_SKIPPED] if len(one.fields) == width and any(one.fields)), 1)
    return first - 1


def _has_header(records: Sequence[Sequence[str]], way: Dialect, text: str) -> bool:
    names, rest = records[0], records[1:500]
    if len({name for name in names if name}) < sum(map(bool, names)):
        # Names that are there twice may be a header's; values that are, are likelier.
        return not any(_kind(name) for name in names)
    if any(_kind(name) and not _is_year(name) for name in names):
        return False
    kinds = [{_kind(row[n]) for row in rest if row[n]} for n in range(len(names))]
    if any(names[n] and kinds[n] and "" not in kinds[n] for n in range(len(names))):
        return True
    if any(names[n] and any(row[n] == names[n] for row in rest) for n in range(len(names))):
        return False
    return not rest or _library_says(way, text)


def _kind(text: str) -> str:
    """What a text is beside a text: a number or a day; empty for any other."""
    stripped = text.strip()
    if TYPES["FLOAT64"].accepts(stripped.replace(",", "")):
        return "number"
    return "day" if TYPES["DATE"].accepts(stripped[:10].replace("/", "-").replace(".", "-")) else ""


def _is_year(text: str) -> bool:
    return text.isdecimal() and 1800 <= int(text) <= 2200


def _library_says(way: Dialect, text: str) -> bool:
    """Whether DuckDB's sniffer takes the first record for a header; where all is text it knows more cases."""
    # It takes a tenth of a second to import, and few samples need it.
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sample.csv")
        path.write_text("".join(text.splitlines(keepends=True)[way.skip :])[:_FIRST_BYTES], encoding="utf-8")
        try:
            quote = '"' if way.is_quoted else ""
            sniffed = duckdb.execute(
                "SELECT HasHeader FROM sniff_csv(?, delim = ?, quote = ?)", [str(path), way.delimiter, quote]
            ).fetchone()
        except duckdb.Error:
            return True
    return sniffed is None or bool(sniffed[0])
