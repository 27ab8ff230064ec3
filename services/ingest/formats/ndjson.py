"""Newline-delimited JSON: each line an object.

A line is loaded as one text, and its fields are taken in SQL: a line that is no JSON is a row that is refused, not the
end of the file, and a number keeps the text that it was written with.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from services.ingest.formats import json_line
from services.ingest.formats.contract import Contract
from services.ingest.formats.plain_text import MARK, decode, json_kind
from services.ingest.formats.record import Record
from services.ingest.near_miss import closest, letters
from services.shared.contract.encodings import CODECS, IN_BIGQUERY
from services.shared.contract.formats import LINE
from services.shared.errors import PermanentError
from services.shared.sql import Templates

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJobConfig

KEPT: str | None = LINE
_SQL = Templates(Path(__file__).parent)
_BLANKS = " \t\n\v\f\r"
"""As RE2's [[:space:]] has them."""
_NEVER = "\x01"
"""A character that no JSON has as it is (https://www.rfc-editor.org/rfc/rfc8259#section-7)."""


def columns(head: bytes, is_whole: bool, feed: Contract) -> list[str]:
    """The contract's names: each line may have them or not.

    Raises PermanentError: wrong_encoding, wrong_format, or wrong_header where no line has what each row must have.
    """
    lines = decode(head, is_whole).split("\n")
    # What comes after the last line end goes on past the head.
    cut = "" if is_whole else lines.pop().strip()
    whole = [line for line in lines if line.strip()]
    objects = [one for one in map(json_line.read, whole) if one is not None]
    if (whole and not objects) or (not whole and cut[:1] not in ("", "{")):
        raise PermanentError("wrong_format", _other_format(whole[0] if whole else cut))
    if objects:
        _hold_against(dict.fromkeys(name for one in objects for name in one), feed)
    return list(feed.names_in_file)


def _other_format(first_line: str) -> str:
    kind = json_kind(first_line)
    if kind == "a JSON document":
        return "the feed declares ndjson, the file looks like a JSON document: write an object a line"
    return "the feed declares ndjson, no line at the file's beginning is a JSON object"


def _hold_against(names: Iterable[str], feed: Contract) -> None:
    """Raises PermanentError("wrong_header") where a name that each row must have is in none."""
    unknown = [name for name in names if name not in feed.names_in_file]
    in_file = {name: header for header, name in feed.names_in_file.items()}
    missing = [in_file[name] for name in feed.of_every_row if in_file[name] not in names]
    if missing:
        listed = ", ".join(_missing(name, closest(name, unknown)) for name in missing)
        where = f"feed {feed.name}: missing: {listed}"
        raise PermanentError("wrong_header", f"the names of the first records do not fit {where}")


def _missing(name: str, near: str | None) -> str:
    return name if near is None else f"{name} (is {near[:60]!r} meant?)"


def hints(header: Sequence[str], known: AbstractSet[str], feed: Contract) -> Iterator[str]:
    return iter(())


def load_config(columns: Sequence[str], feed: Contract, encoding: str) -> LoadJobConfig:
    """As CSV of one column, without quotes and without a header. The delimiter may be any one byte, and control
    characters stay (https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad)."""
    # Slow to import, and a command that reads a sample does not need it.
    from google.cloud import bigquery

    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.CSV,
        schema=[bigquery.SchemaField(LINE, "STRING")],
        field_delimiter=_NEVER,
        quote_character="",
        allow_quoted_newlines=False,
        allow_jagged_rows=False,
        preserve_ascii_control_characters=True,
        encoding=IN_BIGQUERY[encoding],
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )


def rows(table: str, feed: Contract) -> str:
    """Its lines but the blank ones: `_line`; `_json`, NULL where that is no object; of each name of the contract, by
    its place, the kind of value (`_kind_0` …), NULL where the line lacks it; and the names that it does not know."""
    return _SQL.render("ndjson.sql", table=table, line=LINE, count=len(feed.names_in_file))


def marker(column: str, feed: Contract) -> str:
    return _scalar(_place(column, feed))


def text(column: str, feed: Contract) -> str:
    """An empty text is absent, and so is null."""
    return f"NULLIF({_scalar(_place(column, feed))}, '')"


def is_absent(column: str, feed: Contract) -> str:
    return f"_kind_{_place(column, feed)} IS NULL"


def refusals(column: str, text: str, feed: Contract) -> Iterator[tuple[str, str]]:
    """A value with parts; and a name that is spelt otherwise: `Op` for `op` would make an update of a delete."""
    place = _place(column, feed)
    yield (
        "nested_value",
        f"_kind_{place} IN ('object', 'array') OR (_kind_{place} = 'number' AND {_number(place)} IS NULL)",
    )
    if letters(_in_file(feed)[place]):
        yield "misspelt_name", f"_kind_{place} IS NULL AND @letters_{place} IN UNNEST(_spellings)"
    is_marker = feed.delete is not None and place == len(feed.names_in_file) - 1
    if feed.missing_columns == "reject" and not is_marker:
        yield "missing_name", f"_kind_{place} IS NULL"


def row_refusals(feed: Contract) -> Iterator[tuple[str, str]]:
    yield "not_json", "_json IS NULL"
    if feed.unknown_columns == "reject":
        yield "unknown_name", "ARRAY_LENGTH(_strangers) > 0"


def parameters(feed: Contract) -> Iterator[tuple[str, str]]:
    """A name as a path, and as JSON_KEYS writes it, which quotes what has a dot
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_keys)."""
    for place, name in enumerate(_in_file(feed)):
        yield f"path_{place}", f'$."{name}"'
        yield f"name_{place}", f'"{name}"' if "." in name else name
        if letters(name):
            yield f"letters_{place}", letters(name)


def write(file: BinaryIO, columns: Sequence[str], records: Iterable[Mapping[str, str | None]], feed: Contract) -> None:
    """Each record's line, as it was."""
    with file:
        file.writelines(f"{record[LINE]}\n".encode() for record in records)


def records(file: BinaryIO, columns: Sequence[str], feed: Contract, encoding: str) -> Iterator[Record]:
    """Its lines but the blank ones. Bytes that are not in the encoding are U+FFFD, as they are to BigQuery."""
    number = 0
    with io.TextIOWrapper(file, CODECS[encoding], errors="replace", newline="\n") as lines:
        for line, text in enumerate(lines, 1):
            if text.strip(_BLANKS + MARK):
                number += 1
                yield Record(number, line, {LINE: text.lstrip(MARK).removesuffix("\n").removesuffix("\r")})


def _scalar(place: int) -> str:
    return f"IF(_kind_{place} = 'number', {_number(place)}, JSON_VALUE(_json, @path_{place}))"


def _number(place: int) -> str:
    # An error where the line has lists in lists, a thousand deep.
    return f"SAFE.JSON_VALUE({LINE}, @path_{place})"


def _in_file(feed: Contract) -> list[str]:
    return list(feed.names_in_file)


def _place(column: str, feed: Contract) -> int:
    return list(feed.names_in_file.values()).index(column)
