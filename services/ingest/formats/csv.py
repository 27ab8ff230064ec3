"""CSV: RFC 4180, with a header."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from services.ingest.formats.contract import Contract
from services.ingest.formats.plain_text import C1_CONTROLS, MARK, WINDOWS_1252_CHARACTERS, decode, json_kind
from services.ingest.formats.record import Record
from services.shared.contract.encodings import CODECS, IN_BIGQUERY, ISO_8859_1, WINDOWS_1252
from services.shared.contract.formats import Csv
from services.shared.errors import PermanentError
from services.shared.sql import identifier

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJobConfig

KEPT: str | None = None
_DELIMITERS = ",;\t|"
_SINGLE_BYTE = (ISO_8859_1, WINDOWS_1252)
_LONGEST_FIELD = 100 * 2**20
"""Bytes of a row at most (https://cloud.google.com/bigquery/quotas#load_jobs); Python's own limit is far below."""
_OTHER_CHARACTERS = "if it is a quote, a dash or €, the file is Windows-1252: write encoding: windows-1252"


def columns(head: bytes, is_whole: bool, feed: Contract) -> list[str]:
    """The header's names. Raises PermanentError: wrong_encoding, wrong_format, wrong_header or malformed_file."""
    options = _options(feed)
    text = decode(head, is_whole, options.encoding)
    if other := json_kind(text.partition("\n")[0]):
        raise PermanentError("wrong_format", f"the feed declares csv, the file looks like {other}: {_remedy(other)}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter, strict=True)
    try:
        header = next(reader)
    except StopIteration:
        raise PermanentError("wrong_header", "the file has no header") from None
    except csv.Error as error:
        raise PermanentError("malformed_file", f"the header cannot be read: {error}") from error
    if not is_whole and "\n" not in text:
        raise PermanentError("malformed_file", f"no line ends within the first {len(text)} characters")
    if options.encoding in _SINGLE_BYTE and set(C1_CONTROLS) & set("".join(header)):
        raise PermanentError("wrong_encoding", f"a name in the header has a control character; {_OTHER_CHARACTERS}")
    return header


def hints(header: Sequence[str], known: AbstractSet[str], feed: Contract) -> Iterator[str]:
    """Another delimiter, or one too many."""
    options = _options(feed)
    text = options.delimiter.join(header)
    fit = {one: len(known & set(text.split(one))) for one in (options.delimiter, *_DELIMITERS)}
    likely = max(fit, key=lambda one: fit[one])
    if likely != options.delimiter:
        yield f"is the delimiter {likely!r}?"
    if header[-1:] == [""]:
        yield "an empty name at the end: a trailing delimiter"
    if header[:1] == [""]:
        yield "an empty name at the beginning: an index column without a name"


def load_config(columns: Sequence[str], feed: Contract, encoding: str) -> LoadJobConfig:
    """Bytes that are not in the encoding do not fail the job: BigQuery writes U+FFFD for them, which the row rules
    refuse (https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#encoding)."""
    # Slow to import, and a command that reads a sample does not need it.
    from google.cloud import bigquery

    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.CSV,
        schema=[bigquery.SchemaField(name, "STRING") for name in columns],
        skip_leading_rows=1,
        field_delimiter=_options(feed).delimiter,
        quote_character='"',
        allow_quoted_newlines=True,
        allow_jagged_rows=False,
        encoding=IN_BIGQUERY[encoding],
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )


def rows(table: str, feed: Contract) -> str:
    """The raw table as it is."""
    return identifier(table)


def marker(column: str, feed: Contract) -> str:
    """The field as it is, but that Windows-1252, which was loaded as ISO-8859-1, gets its characters."""
    field = identifier(column)
    return f"TRANSLATE({field}, @c1_controls, @windows_1252)" if _options(feed).encoding == WINDOWS_1252 else field


def text(column: str, feed: Contract) -> str:
    """An empty field, quoted or not, is absent."""
    return f"NULLIF({marker(column, feed)}, '')"


def is_absent(column: str, feed: Contract) -> None:
    """A file has a column in each row, or in none."""


def refusals(column: str, text: str, feed: Contract) -> Iterator[tuple[str, str]]:
    """Control characters of ISO-8859-1, most of which are others in Windows-1252, and the five that are not."""
    if _options(feed).encoding in _SINGLE_BYTE:
        yield "control_character", f"TRANSLATE({text}, @c1_controls, '') != {text}"


def row_refusals(feed: Contract) -> Iterator[tuple[str, str]]:
    """None: what is wrong with a record as a whole is wrong with the file."""
    return iter(())


def parameters(feed: Contract) -> Iterator[tuple[str, str]]:
    if _options(feed).encoding in _SINGLE_BYTE:
        yield "c1_controls", C1_CONTROLS
    if _options(feed).encoding == WINDOWS_1252:
        yield "windows_1252", WINDOWS_1252_CHARACTERS


def sample(path: Path, most: int | None = None) -> tuple[Csv, list[str], list[list[str]]]:
    """The delimiter is the one that the first line has most of. Raises ValueError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            options, header, records = _read(file, most)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: byte {error.start}; a sample must be CSV in UTF-8") from error
    except (csv.Error, ValueError) as error:
        raise ValueError(f"{path} is not CSV: {error}") from error
    for number, record in enumerate(records, 2):
        if len(record) != len(header):
            raise ValueError(f"record {number} has {len(record)} fields, the header {len(header)}")
    return options, header, records


def _remedy(other: str) -> str:
    return "save it as CSV" + (", or write format: {type: ndjson}" if other == "newline-delimited JSON" else "")


def _read(file: TextIO, most: int | None) -> tuple[Csv, list[str], list[list[str]]]:
    first = file.readline()
    if not first.strip():
        raise ValueError("it has no header")
    if other := json_kind(first):
        raise ValueError(f"it looks like {other}: {_remedy(other)}")
    options = Csv(type="csv", delimiter=max(_DELIMITERS, key=first.count))
    file.seek(0)
    reader = csv.reader(file, delimiter=options.delimiter, strict=True)
    header = next(reader)
    return options, header, list(itertools.islice(reader, most))


def write(file: BinaryIO, columns: Sequence[str], records: Iterable[Mapping[str, str | None]], feed: Contract) -> None:
    """With a header, as `columns` reads it. What the encoding does not have is escaped, to be seen and fixed."""
    options = _options(feed)
    with io.TextIOWrapper(file, CODECS[options.encoding], errors="backslashreplace", newline="") as wrapped:
        writer = csv.DictWriter(
            wrapped, columns, extrasaction="ignore", delimiter=options.delimiter, lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(records)


def records(file: BinaryIO, columns: Sequence[str], feed: Contract, encoding: str) -> Iterator[Record]:
    """Bytes that are not in the encoding are U+FFFD, as they are to BigQuery."""
    csv.field_size_limit(_LONGEST_FIELD)
    is_1252 = encoding == WINDOWS_1252
    characters = str.maketrans(C1_CONTROLS, WINDOWS_1252_CHARACTERS) if is_1252 else {}
    with io.TextIOWrapper(file, CODECS[ISO_8859_1 if is_1252 else encoding], errors="replace", newline="") as text:
        lines = itertools.chain([text.readline().removeprefix(MARK)], text)
        reader = csv.reader(lines, delimiter=_options(feed).delimiter, strict=True)
        try:
            next(reader, None)
            for number, (line, fields) in enumerate(_with_lines(reader, lambda: reader.line_num), 1):
                texts = [field.translate(characters) for field in fields] if characters else fields
                yield Record(number, line, dict(zip(columns, texts, strict=False)))
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num}: {error}") from error


def _with_lines(reader: Iterable[list[str]], lines_read: Callable[[], int]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it begins on; a blank line is none."""
    line = lines_read() + 1
    for fields in reader:
        if fields:
            yield line, fields
        line = lines_read() + 1


def _options(feed: Contract) -> Csv:
    assert isinstance(feed.format, Csv)
    return feed.format
