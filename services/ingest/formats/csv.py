"""CSV: RFC 4180, or what differs from it as a contract says."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from services.ingest.formats import csv_escape, csv_head, csv_record, lines
from services.ingest.formats.contract import Contract
from services.ingest.formats.csv_record import Split
from services.ingest.formats.plain_text import C1_CONTROLS, MARK, WINDOWS_1252_CHARACTERS, decode, json_kind
from services.ingest.formats.raw_field import RawField
from services.ingest.formats.record import Record
from services.shared.contract.blanks import BLANKS
from services.shared.contract.encodings import CODECS, IN_BIGQUERY, ISO_8859_1, WINDOWS_1252
from services.shared.contract.formats import FIELDS, LINE, Csv
from services.shared.errors import PermanentError
from services.shared.sql import Templates, identifier

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJobConfig

NAMES_ARE_LOADED = False
BROKEN: str | None = "_broken"
_SQL = Templates(Path(__file__).parent)
_END, _EXTRA = "_end", "_extra"
_DELIMITERS = ",;\t|"
_SINGLE_BYTE = (ISO_8859_1, WINDOWS_1252)
_AS_LOADED = str.maketrans(WINDOWS_1252_CHARACTERS, C1_CONTROLS)
"""Of characters of Windows-1252, those of ISO-8859-1 that have their bytes."""
_LONGEST_FIELD = 100 * 2**20
"""Bytes of a row at most (https://cloud.google.com/bigquery/quotas#load_jobs); Python's own limit is far below."""
_OTHER_CHARACTERS = "if it is a quote, a dash or €, the file is Windows-1252: write encoding: windows-1252"


def columns(head: bytes, is_whole: bool, feed: Contract) -> list[str]:
    """The header's names; of a file without one, names that are none.

    Raises PermanentError: wrong_encoding, wrong_format, wrong_header or malformed_file.
    """
    options = _options(feed)
    text = decode(head, is_whole, options.encoding)
    if other := json_kind(text.partition("\n")[0]):
        raise PermanentError(
            "wrong_format", f"the contract says csv, but the file looks like {other}: {_remedy(other)}"
        )
    if not options.header:
        return csv_head.nameless(csv_head.first_records(text, is_whole, options), feed)
    first = csv_head.header(text, is_whole, options)
    csv_head.refuse_odd_names(first, feed.names_in_file)
    first = [name.strip(BLANKS) for name in first] if options.trim else first
    if options.encoding in _SINGLE_BYTE and set(C1_CONTROLS) & set("".join(first)):
        raise PermanentError("wrong_encoding", f"a name in the header has a control character; {_OTHER_CHARACTERS}")
    known = feed.names_in_file.keys()
    if known and not known & set(first) and (line := csv_head.better_header(text, options, known)):
        what = f"the header does not match feed {feed.name}: it has none of its names, but line {line} has them"
        raise PermanentError("wrong_header", f"{what}: is it skip: {line - 1}?")
    return csv_head.without_trailing(first, options)


def hints(header: Sequence[str], known: AbstractSet[str], feed: Contract) -> Iterator[str]:
    """Another delimiter, one too many, or no header at all."""
    options = _options(feed)
    text = options.delimiter.join(header)
    fit = {one: len(known & set(text.split(one))) for one in (options.delimiter, *_DELIMITERS)}
    likely = max(fit, key=lambda one: fit[one])
    if likely != options.delimiter:
        yield f"is the delimiter {likely!r}?"
    elif known and csv_head.looks_like_data(header, known):
        yield "the first line looks like data: is it header: false?"
    if header[-1:] == [""]:
        yield "an empty name at the end: is it trailing_delimiter: true?"
    if header[:1] == [""]:
        yield 'an empty name at the beginning: an index column without a name, which a column can have by from: ""'


def load_config(columns: Sequence[str], feed: Contract, encoding: str) -> LoadJobConfig:
    """Bytes that are not in the encoding do not fail the job: BigQuery writes U+FFFD for them, which the row rules
    refuse (https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#encoding).

    Nor does a record that is not as wide as the header. Missing fields are NULL by allowJaggedRows, and one past the
    header has a column of its own; any more are left out by ignoreUnknownValues. A field that is there is never NULL:
    an empty one of a STRING column is an empty text if nullMarker is another one
    (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad).

    Control characters are preserved: what becomes of them otherwise is not documented, and it might make one key of
    two (https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#CsvOptions).
    """
    options = _options(feed)
    skip = options.skip + options.header
    if options.is_of_lines:
        return lines.load_config(encoding, skip, lines.separator(options.delimiter))
    # Slow to import, and a command that reads a sample does not need it.
    from google.cloud import bigquery

    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.CSV,
        schema=[bigquery.SchemaField(name, "STRING") for name in _raw(columns, options)],
        skip_leading_rows=skip,
        field_delimiter=options.delimiter,
        quote_character='"' if options.quote == '"' else "",
        allow_quoted_newlines=options.spans_lines,
        allow_jagged_rows=True,
        ignore_unknown_values=True,
        preserve_ascii_control_characters=True,
        null_marker=lines.NO_FIELD.replace(options.delimiter, ""),
        encoding=IN_BIGQUERY[encoding],
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )


def _raw(columns: Sequence[str], options: Csv) -> list[str]:
    """The raw table's columns: the file's, what is after a trailing delimiter, and one field too many."""
    return [*columns, *([_END] if options.trailing_delimiter else ()), _EXTRA]


def rows(table: str, columns: Sequence[str], feed: Contract, fields: Mapping[str, RawField]) -> str:
    """The file's records, a text for each column; `_broken`, why a record cannot be read, and what it has then."""
    options = _options(feed)
    common = {
        "table": table,
        "fills": options.short_lines == "fill",
        "rejects_blank": options.blank_lines == "reject",
        "skips_empty": options.blank_lines == "skip_empty",
        "first_is_data": not options.header and not options.skip,
    }
    if options.is_of_lines:
        width = len(columns) + options.trailing_delimiter
        quotes = options.quote != "none"
        names = {"line": LINE, "cut": lines.CUT}
        return _SQL.render("csv_lines.sql", columns=columns, width=width, quotes=quotes, **names, **common)
    raw = _raw(columns, options)
    return _SQL.render(
        "csv_records.sql",
        columns=raw,
        fields=[_field(column, feed) for column in raw],
        last=raw[-2],
        end=_END if options.trailing_delimiter else None,
        extra=_EXTRA,
        kept=FIELDS,
        **common,
    )


def kept(feed: Contract) -> str:
    return LINE if _options(feed).is_of_lines else FIELDS


def passed(feed: Contract) -> str:
    return f"{BROKEN}, {kept(feed)}"


def rescued(feed: Contract) -> None:
    """The header says what there is beyond the contract."""


def marker(column: str, feed: Contract) -> str:
    return text(column, feed)


def text(column: str, feed: Contract) -> str:
    """An empty field, quoted or not, is absent."""
    return f"NULLIF({_field(column, feed)}, '')"


def _field(column: str, feed: Contract) -> str:
    """As it is, but that Windows-1252, which was loaded as ISO-8859-1, gets its characters."""
    field = identifier(column)
    return f"TRANSLATE({field}, @c1_controls, @windows_1252)" if _options(feed).encoding == WINDOWS_1252 else field


def is_absent(column: str, feed: Contract) -> None:
    """A file has a column in each row, or in none."""


def refusals(column: str, text: str, feed: Contract) -> Iterator[tuple[str, str]]:
    """Control characters of ISO-8859-1, most of which are others in Windows-1252, and the five that are not."""
    if _options(feed).encoding in _SINGLE_BYTE:
        yield "control_character", f"TRANSLATE({text}, @c1_controls, '') != {text}"


def row_refusals(feed: Contract) -> Iterator[tuple[str, str]]:
    """None but those of `_broken`."""
    return iter(())


def parameters(feed: Contract) -> Iterator[tuple[str, str]]:
    if _options(feed).is_of_lines:
        yield "csv_delimiter", _options(feed).delimiter
        yield "csv_separator", lines.separator(_options(feed).delimiter)
        yield from ((f"csv_{name}", pattern) for name, pattern in csv_escape.patterns(_options(feed)).items())
    if _options(feed).encoding in _SINGLE_BYTE:
        yield "c1_controls", C1_CONTROLS
    if _options(feed).encoding == WINDOWS_1252:
        yield "windows_1252", WINDOWS_1252_CHARACTERS


def _remedy(other: str) -> str:
    return "save it as CSV" + (", or write format: {type: ndjson}" if other == "newline-delimited JSON" else "")


def write(file: BinaryIO, columns: Sequence[str], records: Iterable[Mapping[str, str | None]], feed: Contract) -> None:
    """As `columns` reads it; a record that could not be read has its fault still. Raises ValueError for a text that
    the format has no room for, or the encoding no bytes."""
    options = _options(feed)
    is_1252 = options.encoding == WINDOWS_1252
    characters = _AS_LOADED if is_1252 else {}
    with io.TextIOWrapper(file, CODECS[ISO_8859_1 if is_1252 else options.encoding], newline="") as wrapped:
        wrapped.writelines("this line is skipped\n" for _ in range(options.skip))
        if options.header:
            wrapped.write(csv_record.row(columns, options).translate(characters))
        for record in records:
            wrapped.write(csv_record.written(columns, record, options).translate(characters))


def records(file: BinaryIO, columns: Sequence[str], feed: Contract, encoding: str) -> Iterator[Record]:
    """Bytes that are not in the encoding are U+FFFD, as they are to BigQuery."""
    csv.field_size_limit(_LONGEST_FIELD)
    options, is_1252 = _options(feed), encoding == WINDOWS_1252
    characters = str.maketrans(C1_CONTROLS, WINDOWS_1252_CHARACTERS) if is_1252 else {}
    with io.TextIOWrapper(file, CODECS[ISO_8859_1 if is_1252 else encoding], errors="replace", newline="") as text:
        file_lines = itertools.chain([text.readline().removeprefix(MARK)], text)
        found = csv_record.split(itertools.islice(file_lines, options.skip, None), options)
        if options.header:
            next(found, None)
        # Where the first line is a record its mark is to be left out, which is done to all.
        marks = MARK if not options.header and not options.skip else ""
        there = (_translated(one, characters, marks) for one in found if not csv_record.is_skipped(one, options))
        for number, one in enumerate(there, 1):
            if csv_record.is_broken(one, len(columns), options):
                fields = csv_record.kept(one, len(columns), options)
            else:
                fields = dict(zip(columns, one.fields or (), strict=False))
            yield Record(number, one.line + options.skip, fields)


def _translated(one: Split, characters: Mapping[int, int], marks: str) -> Split:
    if not characters and not marks:
        return one
    texts = [field.translate(characters) for field in one.fields or ()]
    texts[:1] = [text.lstrip(marks) for text in texts[:1]] if marks else texts[:1]
    # A line is kept as it was loaded: as ISO-8859-1.
    return Split(one.line, None if one.fields is None else texts, one.whole.lstrip(marks) if marks else one.whole)


def _options(feed: Contract) -> Csv:
    assert isinstance(feed.format, Csv)
    return feed.format
