"""Newline-delimited JSON: each line is an object.

A line is loaded as one text, and its fields are taken in SQL: a line that is no JSON is a row that is refused, not the
end of the file, and a number keeps the text that it was written with.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from services.ingest.formats import json_paths, lines
from services.ingest.formats.contract import Contract
from services.ingest.formats.json_paths import Paths
from services.ingest.formats.ndjson_head import check_head
from services.ingest.formats.plain_text import MARK
from services.ingest.formats.raw_field import RawField
from services.ingest.formats.record import Record
from services.ingest.near_miss import letters
from services.shared.contract.encodings import CODECS
from services.shared.contract.formats import LINE, RESCUED_NAME
from services.shared.sql import Templates

if TYPE_CHECKING:
    from google.cloud.bigquery import LoadJobConfig

BROKEN: str | None = "_broken"
NAMES_ARE_LOADED = False
_SQL = Templates(Path(__file__).parent)
_BLANKS = " \t\n\v\f\r"
"""As RE2's [[:space:]] has them."""


def columns(head: bytes, is_whole: bool, feed: Contract) -> list[str]:
    """The contract's names: each line may have them or not.

    Raises PermanentError as `check_head` does.
    """
    check_head(head, is_whole, feed)
    return list(feed.names_in_file)


def hints(header: Sequence[str], known: AbstractSet[str], feed: Contract) -> Iterator[str]:
    return iter(())


def load_config(columns: Sequence[str], feed: Contract, encoding: str) -> LoadJobConfig:
    return lines.load_config(encoding)


def rows(table: str, columns: Sequence[str], feed: Contract, fields: Mapping[str, RawField]) -> str:
    """Its lines but the blank ones: `_line`; `_json`, or why that is no object in `_broken`; of each name of the
    contract, by its place, the kind of value (`_kind_0` …), NULL where the line lacks it; and the names that it does
    not know. Of a feed that keeps those, `_beyond` is a JSON object's text with them; what is within an object that a
    path leads through is there by that object's path."""
    paths = _paths(feed)
    children = [[f"child_{n}_{i}" for i, _ in enumerate(paths.children(one))] for n, one in enumerate(paths.objects)]
    top = [*(f"name_{n}" for n in range(len(paths.names))), *(f"top_{n}" for n, _ in enumerate(paths.children(())))]
    return _SQL.render(
        "ndjson.sql",
        table=table,
        line=LINE,
        cut=lines.CUT,
        count=len(paths.names),
        inner=paths.inner,
        objects=children,
        top=top,
        beyond=_beyond(paths) if feed.unknown_columns == "rescue" else None,
    )


def _beyond(paths: Paths) -> Mapping[str, object]:
    """Parameters with the paths of what the contract knows: at the top, and in each object that it does not read as a
    whole, by the object's place."""
    exact = [f"path_{n}" for n in range(len(paths.names))]
    through = [f"object_{n}" for n, names in enumerate(paths.objects) if len(names) == 1]
    return {
        "top": [*exact, *through],
        "objects": [
            (n, [f"rest_{n}_{i}" for i, _ in enumerate(paths.children(paths.objects[n]))]) for n in paths.in_parts
        ],
    }


def rescued(feed: Contract) -> str | None:
    if feed.unknown_columns != "rescue":
        return None
    return "PARSE_JSON(NULLIF(_beyond, '{}'), wide_number_mode => 'exact')"


def kept(feed: Contract) -> str:
    return LINE


def passed(feed: Contract) -> str:
    return "*"


def marker(column: str, feed: Contract) -> str:
    return _text(column, feed)


def text(column: str, feed: Contract) -> str:
    """An empty text is absent, and so is null."""
    return f"NULLIF({_text(column, feed)}, '')"


def is_absent(column: str, feed: Contract) -> str:
    return f"_kind_{_place(column, feed)} IS NULL"


def refusals(column: str, text: str, feed: Contract) -> Iterator[tuple[str, str]]:
    """A value with parts; and a name that is spelt otherwise: `Op` for `op` would make an update of a delete."""
    place = _place(column, feed)
    written = {"any": _DEEP, "array": ("array", "number")}.get(feed.reads_json.get(column, ""), ("number",))
    nested = [f"'{kind}'" for kind in ("object", "array") if kind not in written]
    kinds = ", ".join(f"'{kind}'" for kind in written)
    too_deep = f"(_kind_{place} IN ({kinds}) AND {_at(place, feed, _WRITTEN)} IS NULL)"
    yield "nested_value", f"_kind_{place} IN ({', '.join(nested)}) OR {too_deep}" if nested else too_deep
    paths = _paths(feed)
    if place in paths.inner:
        through = " OR ".join(f"_object_{n} NOT IN ('object', 'null')" for n in paths.through(place))
        yield "not_an_object", f"_is_inner_{place} AND ({through})"
    if letters(paths.names[place]):
        yield "misspelt_name", f"_kind_{place} IS NULL AND @letters_{place} IN UNNEST(_spellings)"
    is_marker = feed.delete is not None and place == len(feed.names_in_file) - 1
    if feed.missing_columns == "reject" and not is_marker:
        yield "missing_name", f"_kind_{place} IS NULL"


def row_refusals(feed: Contract) -> Iterator[tuple[str, str]]:
    objects = _paths(feed).objects
    # What is there in place of an object would be lost.
    others = [f"COALESCE(_object_{n} NOT IN ('object', 'null'), FALSE)" for n in range(len(objects))]
    if feed.unknown_columns == "reject":
        yield "unknown_name", " OR ".join(["ARRAY_LENGTH(_strangers) > 0", *others])
    if feed.unknown_columns == "rescue":
        # One name of `_beyond` for two things.
        taken = [f"CONCAT('\"', @above_{n}, '\"') IN UNNEST(_strangers)" for n in _paths(feed).in_parts]
        if others:
            yield "unknown_name", " OR ".join([*others, *taken])
        yield f"inexact_number: {RESCUED_NAME}", "NOT _deleted AND _exact IS NULL AND ARRAY_LENGTH(_strangers) > 0"


def parameters(feed: Contract) -> Iterator[tuple[str, str]]:
    """A name as a path, and as JSON_KEYS writes it, which quotes what has a dot
    (https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_keys)."""
    paths = _paths(feed)
    yield "line_separator", lines.SEPARATOR
    for place, name in enumerate(paths.names):
        yield f"path_{place}", json_paths.path([name])
        yield f"name_{place}", f'"{name}"' if "." in name else name
        if letters(name):
            yield f"letters_{place}", letters(name)
    yield from ((f"inner_{place}", json_paths.path(json_paths.steps(paths.names[place]))) for place in paths.inner)
    yield from ((f"top_{n}", name) for n, name in enumerate(paths.children(())))
    for n, names in enumerate(paths.objects):
        yield f"object_{n}", json_paths.path(names)
        if paths.children(names):
            yield f"above_{n}", ".".join(names)
            yield f"beyond_{n}", f"{json.dumps('.'.join(names))}:"
        yield from ((f"child_{n}_{i}", name) for i, name in enumerate(paths.children(names)))
        yield from ((f"rest_{n}_{i}", json_paths.path([name])) for i, name in enumerate(paths.children(names)))


def write(file: BinaryIO, columns: Sequence[str], records: Iterable[Mapping[str, str | None]], feed: Contract) -> None:
    """Each record's line, as it was; of one that was in another format, an object of its texts."""
    with file:
        file.writelines(f"{_written(columns, record)}\n".encode() for record in records)


def records(file: BinaryIO, columns: Sequence[str], feed: Contract, encoding: str) -> Iterator[Record]:
    """Its lines but the blank ones. Bytes that are not in the encoding are U+FFFD, as they are to BigQuery."""
    number = 0
    with io.TextIOWrapper(file, CODECS[encoding], errors="replace", newline="\n") as file_lines:
        for line, text in enumerate(file_lines, 1):
            unmarked = text.lstrip(MARK)
            if unmarked.strip(_BLANKS):
                number += 1
                whole = unmarked.removesuffix("\n").removesuffix("\r")
                yield Record(number, line, {LINE: lines.as_loaded(whole)})


def _written(columns: Sequence[str], record: Mapping[str, str | None]) -> str:
    line = record.get(LINE)
    if line is not None:
        return line
    texts = {name: record.get(name) for name in columns}
    return json.dumps({name: text for name, text in texts.items() if text is not None}, ensure_ascii=False)


_DEEP = ("object", "array", "string", "number", "boolean")
# Each an error where the line has lists in lists, a thousand deep.
_NUMBER, _WRITTEN = f"SAFE.JSON_VALUE({LINE}, {{}})", f"SAFE.JSON_QUERY({LINE}, {{}})"
"""SQL of a number, or of any value, as it is written; the path is to be put in."""
# JSON_QUERY of a text makes two U+FFFD of a character that two escapes stand for.
_JSON = (
    f"IF(STRPOS({_WRITTEN}, CHR(65533)) > 0, "
    f"TO_JSON_STRING(JSON_QUERY(SAFE.PARSE_JSON({LINE}, wide_number_mode => 'exact'), {{}})), {_WRITTEN})"
)


def _text(column: str, feed: Contract) -> str:
    place = _place(column, feed)
    scalar = f"IF(_kind_{place} = 'number', {_at(place, feed, _NUMBER)}, {_at(place, feed, 'JSON_VALUE(_json, {})')})"
    match feed.reads_json.get(column):
        case "any":
            return f"IF(_kind_{place} = 'null', NULL, {_at(place, feed, _JSON)})"
        case "array":
            return f"IF(_kind_{place} = 'array', {_at(place, feed, _JSON)}, {scalar})"
    return scalar


def _at(place: int, feed: Contract, sql: str) -> str:
    """SQL with the path put in: of the exact name where the object has it, else of the inner one."""
    exact, inner = (sql.replace("{}", f"@{one}_{place}") for one in ("path", "inner"))
    return f"IF(_is_inner_{place}, {inner}, {exact})" if place in _paths(feed).inner else exact


def _paths(feed: Contract) -> Paths:
    return _paths_of(tuple(feed.names_in_file))


@lru_cache
def _paths_of(names: tuple[str, ...]) -> Paths:
    return Paths(names)


def _place(column: str, feed: Contract) -> int:
    return list(feed.names_in_file.values()).index(column)
