"""Every fault of a contract is told in this project's words, at the very key or value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from services.shared.contract.columns import Column, Delete
from services.shared.contract.feed import BadRows, Feed, Snapshot
from services.shared.contract.formats import Csv, Ndjson
from services.shared.contract.layout import PartitionBy
from services.shared.contract.reader import check
from services.shared.contract.wording import IS, words

CONTRACT = """\
feed: orders
objects: incoming/orders/*
format: {type: csv}
table: main.orders
key: [id]
version: v
delete: {column: op, equals: D}
columns:
  - {name: id, type: STRING}
  - {name: a, type: INT64, check: a > 0}
  - {name: v, type: INT64}
unknown_columns: reject
bad_rows: {at_most: 0}
"""


def _said(folder: Path, old: str, new: str) -> list[str]:
    """Line, column and words of each fault."""
    assert old in CONTRACT
    path = folder / "f.yaml"
    path.write_text(CONTRACT.replace(old, new, 1))
    return [str(problem).removeprefix(f"{path}:") for problem in check(path)[1]]


_ZONE = ", zone: UTC"
_MOMENTS = [
    ("type: INT64}\nunknown", new, expected)
    for new, expected in (
        (", format: '%d/%m/%Y'", "40: columns.2.format.0: '%d/%m/%Y' has no offset (%z): write its zone, such as zone: Europe/Berlin"),
        (f", format: '%q'{_ZONE}", "40: columns.2.format.0: %q of '%q' is none of the elements %Y, %y, %m, %b, %B, %d, %e, %a, %A, %H, %I, %p, %M, %S, %E*S, %z, %F, %T, %R, %%"),
        (f", format: '%F %I:%M'{_ZONE}", "40: columns.2.format.0: '%F %I:%M' has %I and lacks %p, the half of the day"),
        (f", format: '%F %M'{_ZONE}", "40: columns.2.format.0: '%F %M' has %M and lacks an hour, such as %H"),
        (f", format: '%F %H %I %p'{_ZONE}", "40: columns.2.format.0: '%F %H %I %p' has the hour twice"),
        (f", format: '%F %b'{_ZONE}", "40: columns.2.format.0: '%F %b' has the month twice"),
        (", format: epoch_sec", "40: columns.2.format.0: 'epoch_sec' is neither one of iso, epoch_s, epoch_ms, epoch_us nor a pattern such as '%d/%m/%Y'; did you mean epoch_s?"),
        (", format: []", "40: columns.2.format: is empty; it is a format or a list of formats, such as '%d/%m/%Y' or [iso, epoch_s]"),
        (", format: ''", "40: columns.2.format: is empty; it is a format or a list of formats, such as '%d/%m/%Y' or [iso, epoch_s]"),
        (", format: 5", "40: columns.2.format: '5' is not a format or a list of formats, such as '%d/%m/%Y' or [iso, epoch_s]"),
        (", format: [iso, iso]", "46: columns.2.format.1: 'iso' is listed twice"),
        (", zone: Europe/Berlim", "38: columns.2.zone: 'Europe/Berlim' is not a time zone of the IANA database, such as Europe/Berlin; did you mean Europe/Berlin?"),
        (", zone: ''", "38: columns.2.zone: is empty; it is an IANA name, such as Europe/Berlin"),
    )
]  # fmt: skip


_A = "type: INT64, check: a > 0"
_RULES = "reject, earlier or later"
_TEXTS = [
    ("{type: csv}", "{type: csv, null: NA}", "3:21: YAML takes null for nothing; texts that are NULL are listed as nulls"),
    ("{type: csv}", "{type: csv, 'null': NA}", "3:21: format.null: is not an option of a contract: list texts that are NULL as nulls"),
    ("{type: csv}", "{type: csv, nulls: [NA, No, 1, ~]}", "3:33: format.nulls.1: YAML reads No as false, not as text: put it in quotes|3:37: format.nulls.2: YAML reads 1 as a number, not as text: put it in quotes|3:40: format.nulls.3: YAML reads ~ as nothing, not as text: put it in quotes"),
    ("{type: csv}", "{type: csv, nulls: ['', NA]}", ""),
    ("{type: csv}", "{type: csv, decimal: ;}", "3:30: format.decimal: ';' is not '.' or ','"),
    ("{type: csv}", "{type: csv, group: _}", "3:28: format.group: '_' is not ',', '.', \"'\" or ' '"),
    ("{type: csv}", "{type: csv, group: .}", "3:28: format.group: '.' cannot separate groups of digits and be the decimal mark, which is '.' by default: write the decimal mark too, such as decimal: ','"),
    ("{type: csv}", "{type: csv, decimal: ',', group: ','}", "3:42: format.group: ',' cannot separate groups of digits and be the decimal mark, which is '.' by default: write another one, such as decimal: '.'"),
    ("{type: csv}", "{type: csv, trim: 1}", "3:27: format.trim: '1' is not true or false"),
    (_A, "type: INT64, decimal: ','", "10:37: columns.1.decimal: decimal is for BIGNUMERIC, FLOAT64, NUMERIC; INT64 has none"),
    (_A, "type: STRING, group: ','", "10:36: columns.1.group: group is for BIGNUMERIC, FLOAT64, INT64, NUMERIC; STRING has none"),
    (_A, "type: NUMERIC, group: '.'", "10:37: columns.1.group: '.' cannot separate groups of digits and be the decimal mark, which is '.' by default: write the decimal mark too, such as decimal: ','"),
    (_A, "type: INT64, max_length: 3", "10:40: columns.1.max_length: max_length is for STRING; INT64 has none"),
    (_A, "type: STRING, max_length: 0", "10:41: columns.1.max_length: '0' is not a number of characters, such as 20"),
    (_A, "type: STRING, max_length: 3, default: long", "10:53: columns.1.default: 'long' has 4 characters, more than the 3 allowed"),
    (_A, "type: STRING, pattern: '[0-9]+', default: x1", "10:57: columns.1.default: 'x1' does not fit the pattern '[0-9]+'"),
    (_A, "type: STRING, one_of: [a, b], default: c", "10:54: columns.1.default: 'c' is none of a, b"),
    (_A, "type: STRING, pattern: '(?=a)'", "10:38: columns.1.pattern: '(?=a)' has a group, or a repetition, that RE2 does not have"),
    (_A, "type: STRING, pattern: '[a'", "10:38: columns.1.pattern: '[a' is not a pattern: unterminated character set at position 0"),
    (_A, "type: INT64, one_of: ['1', x]", "10:42: columns.1.one_of.1: 'x' is not the text of a INT64: `[+-]digits`, from -9223372036854775808 to 9223372036854775807"),
    (_A, "type: INT64, one_of: ['1', '01']", "10:42: columns.1.one_of.1: '01' is listed twice"),
    (_A, "type: INT64, one_of: [1]", "10:37: columns.1.one_of.0: YAML reads 1 as a number, not as text: put it in quotes"),
    (_A, "type: STRING, one_of: []", "10:37: columns.1.one_of: is empty; it is a list of the texts that it may have, such as [new, paid]"),
    (_A, "type: BOOL, words: {Yes: true, 'No': false}", "10:35: YAML takes Yes for true or false: put it in quotes"),
    (_A, "type: BOOL, words: {on: true, ~: false}", "10:35: YAML takes on for true or false: put it in quotes|10:45: YAML takes ~ for nothing; texts that are NULL are listed as nulls"),
    (_A, "type: BOOL, words: {Y: true}", "10:34: columns.1.words: no word is false: write both, such as {\"Yes\": true, \"No\": false}"),
    (_A, "type: BOOL, words: {Y: 1, N: 0}", "10:34: columns.1.words: 'Y' is to be true or false, which 1 is not"),
    (_A, "type: BOOL, words: {'': true, N: false}", "10:34: columns.1.words: an empty text is NULL: it cannot be a word"),
    (_A, "type: BOOL, words: [Y, N]", '10:34: columns.1.words: this is not a mapping of texts to true or false, such as {"Yes": true, "No": false}'),
    (_A, "type: BOOL, words: {Y: true, N: false}, default: 'true'", "10:64: columns.1.default: 'true' is not the text of a BOOL: one of Y, N"),
    (_A, "type: STRING, words: {Y: true, N: false}", "10:36: columns.1.words: words is for BOOL; STRING has none"),
    (_A, "type: TIMESTAMP, local_twice: first, zone: UTC", f"10:45: columns.1.local_twice: 'first' is not {_RULES}"),
    (_A, "type: TIMESTAMP, local_never: later", "10:45: columns.1.local_never: is for a column with a zone, such as zone: Europe/Berlin"),
    (_A, "type: DATE, local_twice: later", "10:40: columns.1.local_twice: local_twice is for TIMESTAMP; DATE has none"),
    # By the words of BigQuery, and of earlier releases.
    ("{type: csv}", "{source_format: NEWLINE_DELIMITED_JSON, null_marker: NA}", ""),
    ("{type: csv}", "{source_format: CSV, field_delimiter: tab, null_markers: [NA], encoding: UTF8}", ""),
    ("{type: csv}", "{source_format: csv}", "3:25: format.source_format: 'csv' is not one of CSV, NEWLINE_DELIMITED_JSON, PARQUET, AVRO, ORC"),
    ("{type: csv}", "{source_format: ORC}", ""),
    ("{type: csv}", "{type: csv, source_format: CSV}", "3:36: format.source_format: source_format and type mean the same: leave one of them out"),
    ("{type: csv}", "{type: csv, null_marker: No}", "3:34: format.null_marker: YAML reads No as false, not as text: put it in quotes"),
    ("{type: csv}", "{type: csv, null_marker: NA, null_markers: [x]}", "3:34: format.null_marker: null_marker and null_markers mean the same: leave one of them out"),
    ("{type: csv}", "{type: csv, field_delimiter: ;;}", "3:38: format.field_delimiter: ';;' is not one ASCII character, such as ';' or \"\\t\""),
    ("{type: csv}", "{type: ndjson, field_delimiter: ;}", "3:24: format.field_delimiter: is not an option of ndjson"),
    ("bad_rows: {at_most: 0}", "max_bad_records: 5", ""),
    ("bad_rows: {at_most: 0}", "max_bad_records: -1", "13:18: max_bad_records: '-1' is not a number of rows, such as 10, or a share of them up to 100%, such as 0.5%"),
    ("unknown_columns: reject", "max_bad_records: 1", "12:18: max_bad_records: max_bad_records and bad_rows mean the same: leave one of them out"),
    ("unknown_columns: reject", "ignore_unknown_values: true", ""),
    ("unknown_columns: reject", "ignore_unknown_values: 1", "12:24: ignore_unknown_values: 1 is not true or false"),
    (_A, "type: TIMESTAMP, time_zone: Mars", "10:43: columns.1.time_zone: 'Mars' is not a time zone of the IANA database, such as Europe/Berlin"),
    (_A, "type: DATE, time_zone: UTC", "10:38: columns.1.time_zone: time_zone is for TIMESTAMP; DATE has none"),
    (_A, "type: STRING, maxLength: '3', default: long", "10:54: columns.1.default: 'long' has 4 characters, more than the 3 allowed"),
    (_A, "type: INT64, maxLength: '3'", "10:39: columns.1.maxLength: maxLength is for STRING; INT64 has none"),
    (_A, "type: NUMERIC, precision: '5'", "10:41: columns.1.precision: precision makes BigQuery round or refuse: write the type alone, and a check such as check: amount < 1000"),
    (_A, "type: STRING, defaultValueExpression: x", "10:53: columns.1.defaultValueExpression: defaultValueExpression is SQL of BigQuery's; default: is the text of the value where a file has no such column"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("feed: orders", "feed: no", "1:7: feed: YAML reads no as false, not as text: put it in quotes"),
        ("feed: orders", "feed: null", "1:7: feed: YAML reads null as nothing, not as text: put it in quotes"),
        ("feed: orders", "feed: 2024-01-01", "1:7: feed: YAML reads 2024-01-01 as a date, not as text: put it in quotes"),
        ("feed: orders", "feed: 2024-02-30", "1:7: YAML takes 2024-02-30 for a date and cannot read it: put it in quotes"),
        ("feed: orders", "feed:", "1:6: feed: is empty; it is a name in lower-case letters, digits and single underscores, such as order_lines"),
        ("feed: orders", "feed: ''", "1:7: feed: is empty; it is a name in lower-case letters, digits and single underscores, such as order_lines"),
        ("feed: orders", "feed: Orders", "1:7: feed: 'Orders' is not a name in lower-case letters, digits and single underscores, such as order_lines"),
        ("feed: orders", "fed: orders", "1:1: feed: is missing; it is a name in lower-case letters, digits and single underscores, such as order_lines|1:1: fed: is not an option of a contract; did you mean feed?"),
        ("objects: incoming/orders/*", "objects: ''", "2:10: objects: is empty; it is a pattern of objects' names, such as incoming/accounts/*"),
        ("objects: incoming", "objects: gs://landing/incoming", "2:10: objects: begins with a bucket, which is not part of an object's name: write incoming/orders/*"),
        ("{type: csv}", "csv", "3:9: format: 'csv' is not a mapping, such as {type: csv, delimiter: \",\"}"),
        ("{type: csv}", "{type: xlsx}", "3:16: format.type: 'xlsx' is not one of csv, ndjson, parquet, avro, orc"),
        ("{type: csv}", "{delimiter: ;}", "3:9: format.type: is missing; it is one of csv, ndjson, parquet, avro, orc"),
        ("{type: csv}", "{type: no}", "3:16: format.type: 'no' is not one of csv, ndjson, parquet, avro, orc"),
        ("{type: csv}", "{type: ndjson, delimiter: ;}", "3:24: format.delimiter: is not an option of ndjson"),
        ("{type: csv}", "{type: ndjson, encoding: latin1}", "3:34: format.encoding: NDJSON is UTF-8, as JSON is; 'latin1' is not"),
        ("{type: csv}", "{type: ndjson, encodng: UTF-8}", "3:24: format.encodng: is not an option of a contract; did you mean encoding?"),
        ("{type: csv}", "{type: csv, encoding: latin1}", "3:31: format.encoding: 'latin1' is not an encoding that dropmerge reads; did you mean iso-8859-1?"),
        ("{type: csv}", "{type: csv, encoding: utf16}", "3:31: format.encoding: 'utf16' is not an encoding that dropmerge reads; did you mean utf-16?"),
        ("{type: csv}", "{type: csv, encoding: cp1252}", "3:31: format.encoding: 'cp1252' is not an encoding that dropmerge reads; did you mean windows-1252?"),
        ("{type: csv}", "{type: csv, encoding: koi8-r}", "3:31: format.encoding: 'koi8-r' is not an encoding that dropmerge reads; there are utf-8, utf-16, utf-16le, utf-16be, iso-8859-1, windows-1252"),
        ("{type: csv}", "{type: csv, encoding: 8}", "3:31: format.encoding: '8' is not one of utf-8, utf-16, utf-16le, utf-16be, iso-8859-1, windows-1252"),
        ("{type: csv}", "{type: csv, encoding: UTF-16LE}", ""),
        ("{type: csv}", "{type: csv, delimiter: tab}", "3:32: format.delimiter: 'tab' is not one ASCII character, such as ';' or \"\\t\": write \"\\t\" in double quotes for a tab"),
        ("{type: csv}", "{type: csv, nulls: NA}", "3:28: format.nulls: 'NA' is not a list of texts that are NULL, such as ['NULL', NA]"),
        ("{type: csv}", "{type: csv, nulls: [NULL]}", "3:29: format.nulls.0: YAML reads NULL as nothing, not as text: put it in quotes"),
        ("a > 0}", "a > 0, nulls: ['']}", ""),
        *((old, f"type: TIMESTAMP{new}}}\nunknown", f"11:{expected}") for old, new, expected in _MOMENTS),
        ("type: INT64, check: a > 0", "type: INT64, format: epoch_s", "10:36: columns.1.format: format is for BYTES, DATE, DATETIME, GEOGRAPHY, TIME, TIMESTAMP; INT64 has none"),
        ("type: INT64, check: a > 0", "type: INT64, split: ','", "10:35: columns.1.split: split is for mode: REPEATED; INT64 has none"),
        ("type: INT64, check: a > 0", 'type: INT64, mode: REPEATED, split: "\'"', "10:51: columns.1.split: \"'\" is not the separator of an array's elements, such as ',': 1 to 10 characters, neither ' nor \\"),
        ("type: INT64, check: a > 0", "type: BYTES, format: base46", "10:36: columns.1.format.0: 'base46' is none of base64, hex; did you mean base64?"),
        ("type: INT64, check: a > 0", "type: GEOGRAPHY, format: [wkt, geojson]", "10:46: columns.1.format.1: is one too many: a column's texts have one of wkt, geojson"),
        ("type: INT64, check: a > 0", "type: TIME, format: '%d %H'", "10:35: columns.1.format.0: '%d %H' has %d, which a TIME does not have; a format may have %H, %I, %p, %M, %S, %E*S, %T, %R, %%"),
        ("type: INT64, check: a > 0", "type: TIME, format: '%M'", "10:35: columns.1.format.0: '%M' has no hour, such as %H"),
        ("type: INT64, check: a > 0", "type: DATETIME, format: '%FT%T%z'", "10:39: columns.1.format.0: '%FT%T%z' has an offset (%z), which no DATETIME has: is the column a TIMESTAMP?"),
        ("name: id, type: STRING", "name: id, type: STRING, mode: REPEATED", "9:36: columns.0.mode: an array can be neither in a key nor a version: arrays have no order"),
        ("type: INT64, check: a > 0", "type: DATE, zone: UTC", "10:33: columns.1.zone: zone is for TIMESTAMP; DATE has none"),
        ("type: INT64, check: a > 0", "type: DATE, format: epoch_s", "10:35: columns.1.format.0: 'epoch_s' is neither one of iso nor a pattern such as '%d/%m/%Y'"),
        ("type: INT64, check: a > 0", "type: DATE, format: '%F %H'", "10:35: columns.1.format.0: '%F %H' has %H, which a DATE does not have; a format may have %Y, %y, %m, %b, %B, %d, %e, %a, %A, %F, %%"),
        ("type: INT64, check: a > 0", "type: DATE, format: '%Y-%m'", "10:35: columns.1.format.0: '%Y-%m' has no day, such as %d"),
        ("type: INT64, check: a > 0", "type: DATE, format: '%d/%m/%Y', default: 2/13/2024", "10:56: columns.1.default: '2/13/2024' is not the text of a DATE: in the format %d/%m/%Y"),
        ("main.orders", "main", "4:8: table: 'main' is not a dataset and a table in letters, digits and underscores, such as main.accounts"),
        ("main.orders", "Staging.orders", "4:8: table: dataset Staging is the pipeline's own, for temporary tables: use another one"),
        ("key: [id]", "key: id", "5:6: key: 'id' is not a list of the columns that identify a row, such as [id]"),
        ("key: [id]", "key: []", "5:6: key: is empty; it is a list of the columns that identify a row, such as [id]"),
        ("key: [id]", "key: [id, ID]", "5:11: key.1: ID is not one of the columns; did you mean id?"),
        ("key: [id]", "key: [id, id]", "5:11: key.1: id is listed twice"),
        ("key: [id]", "key: [id, v]", "6:10: version: v is in the key, which is the same for all versions of a row"),
        ("version: v", "version: x", "6:10: version: x is not one of the columns"),
        ("version: v", "version: [v, x]", "6:14: version.1: x is not one of the columns"),
        ("version: v", "version: [v, v]", "6:14: version.1: v is listed twice"),
        ("version: v", "version: [v, a b]", "6:14: version.1: is not the name of a column, or a mapping such as {column: updated, ahead: 7d}"),
        ("version: v", "version: [_generation, v]", "6:11: version.0: _generation differs for all rows of two files: nothing after it is compared"),
        ("version: v", "version: []", "6:10: version: is empty; it is the column that says which of two rows is newer, or _generation: the newest file wins"),
        ("version: v", "version:", "6:9: version: is empty; it is the column that says which of two rows is newer, or _generation: the newest file wins"),
        ("version: v", "version: {colum: v}", "6:10: version.column: is missing; it is the name of a column|6:18: version.colum: is not an option of a version; did you mean column?"),
        ("version: v", "version: {column: v, ahead: 24}", "6:29: version.ahead: 24 is not any, or a number of minutes, hours or days, such as 30m, 24h or 7d"),
        ("version: v", "version: [{column: v, ahead: 1 day}]", "6:30: version.0.ahead: '1 day' is not any, or a number of minutes, hours or days, such as 30m, 24h or 7d"),
        ("version: v", "version: {column: v, ahead: any}", "6:19: version.column: ahead is for a version that is a point in time; v is INT64"),
        ("version: v", "version: [v, _generation]", ""),
        ("version: v", "twice: no", "6:8: twice: YAML reads no as false, which is not keep or reject"),
        ("version: v", "twice: reject", "1:1: version: is missing; it is the column that says which of two rows is newer, or _generation: the newest file wins"),
        ("key: [id]", "snapshot: {at_least: 1}", "1:1: key: is missing; it is a list of the columns that identify a row, such as [id]|5:11: snapshot: is for mode: snapshot; leave it out"),
        ("version: v", "version: v\nhistory: maybe", "7:10: history: 'maybe' is not true or false: whether every version of a key is kept"),
        ("version: v", "version: v\nhistroy: true", "7:1: histroy: is not an option of a contract; did you mean history?"),
        ("version: v\n", "mode: snapshot\nhistory: true\n", "7:10: history: is for mode: upsert only: it would keep every row of every snapshot. Leave it out, or use mode: upsert with version: _generation, which does not need whole files|8:9: delete: with mode: snapshot the newest file is the whole table: leave it out"),
        ("key: [id]\nversion: v\n", "mode: append\nhistory: true\n", "6:10: history: with mode: append the table keeps each row of each file for ever and is its own history: leave it out|7:9: delete: with mode: append each row of each file is a row of the table, and rows have no key: leave it out"),
        ("key: [id]", "mode: apend", "5:7: mode: 'apend' is not upsert, append or snapshot"),
        ("key: [id]", "mode: append", "6:10: version: with mode: append each row of each file is a row of the table, and rows have no key: leave it out|7:9: delete: with mode: append each row of each file is a row of the table, and rows have no key: leave it out"),
        ("version: v", "mode: snapshot", "7:9: delete: with mode: snapshot the newest file is the whole table: leave it out"),
        ("unknown_columns: reject", "mode: snapshot", "6:10: version: with mode: snapshot the newest file wins as a whole: leave it out|7:9: delete: with mode: snapshot the newest file is the whole table: leave it out"),
        ("version: v", "mode: snapshot\nsnapshot: {at_least: half}", "7:22: snapshot.at_least: 'half' is not a number of rows, such as 10, or a share of the table's up to 100%, such as 50%"),
        ("version: v", "version: _gen", "6:10: version: '_gen' is not the column that says which of two rows is newer, or _generation: the newest file wins"),
        ("name: v, type", "name: _generation, type", "11:12: columns.2.name: '_generation' is not a letter, then letters, digits and underscores, 128 at most; write from: '_generation' for the name in a header"),
        ("name: a, type", "name: a, from: no, type", "10:21: columns.1.from: YAML reads no as false, not as text: put it in quotes"),
        ("name: a, type", "name: a, from: id, type", "10:21: columns.1.from: 'id' is read into id"),
        ("equals: D", "equals: 1", "7:30: delete.equals: YAML reads 1 as a number, not as text: put it in quotes"),
        ("{column: op, equals: D}", "{column: op}", "7:9: delete.equals: is missing; it is the text that marks a delete, such as D"),
        ("{column: op, equals: D}", "[op, D]", "7:9: delete: this is not a mapping, such as {column: operation, equals: D}"),
        ("column: op", "column: id", "7:18: delete.column: the delete column marks rows: it cannot be one of the table's columns"),
        ("column: op", "column: ID", "7:18: delete.column: the delete column marks rows: it cannot be one of the table's columns"),
        ("name: id", "name: no", "9:12: columns.0.name: YAML reads no as false, not as text: put it in quotes"),
        ("name: id", "name: i-d", "9:12: columns.0.name: 'i-d' is not a letter, then letters, digits and underscores, 128 at most; write from: 'i-d' for the name in a header"),
        ("{name: id, type: STRING}", "id", "9:5: columns.0: 'id' is not a mapping, such as {name: id, type: STRING}"),
        ("name: id, type", "name: id, kind: x, type", "9:16: columns.0.kind: is not an option of a contract; there are name, from, type, mode, description, check, default, nulls, trim, format, split, zone, local_twice, local_never, words, decimal, group, max_length, one_of, pattern"),
        ("type: STRING", "type: string", "9:22: columns.0.type: 'string' is not a type (did you mean STRING?); the types are BIGNUMERIC, BOOL, BYTES, DATE, DATETIME, FLOAT64, GEOGRAPHY, INT64, JSON, NUMERIC, STRING, TIME, TIMESTAMP"),
        ("type: STRING", "type: FLOAT", "9:22: columns.0.type: a key cannot be FLOAT64: equal values may differ"),
        ("name: a, type: INT64", "name: ID, type: INT64", "10:12: columns.1.name: ID is listed twice (BigQuery ignores case)|10:36: columns.1.check: check 'a > 0' names columns that are not in the contract: a"),
        ("a > 0", "a > 'b'", "10:35: columns.1.check: check \"a > 'b'\": a > 'b' puts INT64 and 'b' together, which is not the text of a INT64"),
        ("{name: v, type: INT64}", "{name: v, type: STRING}", "11:21: columns.2.type: a version is one of BIGNUMERIC, DATE, DATETIME, INT64, NUMERIC, TIMESTAMP; STRING is not"),
        ("unknown_columns: reject", "unknown_colums: reject", "12:1: unknown_colums: is not an option of a contract; did you mean unknown_columns?"),
        ("at_most: 0", "at.most: 0", "13:12: bad_rows.at.most: is not an option of a contract; did you mean at_most?"),
        ("unknown_columns: reject", "unknown_columns: no", "12:18: unknown_columns: YAML reads no as false, which is not reject, ignore, rescue or add"),
        ("unknown_columns: reject", "unknown_columns: drop", "12:18: unknown_columns: 'drop' is not reject, ignore, rescue or add"),
        ("unknown_columns: reject", "missing_columns: keep", "12:18: missing_columns: 'keep' is not null or reject"),
        ("unknown_columns: reject", "on: reject", "12:1: YAML takes on for true or false: put it in quotes"),
        ("{at_most: 0}", "0", "13:11: bad_rows: '0' is not a mapping, such as {at_most: 0}"),
        ("at_most: 0", "at_most: yes", "13:21: bad_rows.at_most: YAML reads yes as true, which is not a number of rows, such as 10, or a share of them up to 100%, such as 0.5%"),
        ("at_most: 0", "at_most: 200%", "13:21: bad_rows.at_most: '200%' is not a number of rows, such as 10, or a share of them up to 100%, such as 0.5%"),
        ("at_most: 0", "at_most: -1", "13:21: bad_rows.at_most: '-1' is not a number of rows, such as 10, or a share of them up to 100%, such as 0.5%"),
        ("at_most: 0", "at_most: 0.5", "13:21: bad_rows.at_most: '0.5' is not a number of rows, such as 10, or a share of them up to 100%, such as 0.5%"),
        ("at_most: 0", "at_most:", "13:20: bad_rows.at_most: is empty; it is a number of rows, such as 10, or a share of them up to 100%, such as 0.5%"),
        *((old, new, expected) for old, new, expected in _TEXTS),
        (CONTRACT, "just a text", "1:1: 'just a text' is not a mapping that begins with feed: NAME"),
        (CONTRACT, "# nothing", "1:1: the file is empty"),
    ],
)  # fmt: skip
def test_a_fault_has_a_sentence_and_its_place(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Faults are in the order of lines and columns."""
    assert "|".join(_said(tmp_path, old, new)) == expected


def test_faults_are_told_by_line_and_column(tmp_path: Path) -> None:
    """Whatever finds them: YAML, a field or the contract as a whole."""
    path = tmp_path / "f.yaml"
    path.write_text("table: main.x\ntable: main.y\nkey: id\nfeed: no\nbad_rows: {at_most: -1, x: 1}\n")
    places = [(problem.line, problem.column) for problem in check(path)[1]]
    assert places == sorted(places)
    assert (2, 1) in places


def _paths(model: type[BaseModel], above: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{above}{field.alias or name}"


def test_each_key_of_a_contract_has_a_sentence() -> None:
    paths = {
        *_paths(Feed, ""),
        *_paths(Csv, "format."),
        *_paths(Ndjson, "format."),
        *_paths(Delete, "delete."),
        *_paths(Column, "columns.*."),
        *_paths(BadRows, "bad_rows."),
        *_paths(Snapshot, "snapshot."),
        *_paths(PartitionBy, "partition_by."),
    }
    assert {path for path in IS if path.rpartition(".")[2] not in ("", "*")} == paths


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.dates() | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "type", "x"]), inner, max_size=2),
    max_leaves=3,
)  # fmt: skip
PYDANTIC = (
    "Input should",
    "String should",
    "Field required",
    "not permitted",
    "List should",
    "Value error",
    "Keys should",
)


@given(st.dictionaries(st.sampled_from([*Feed.model_json_schema()["properties"], "colunms"]), VALUES))
def test_no_fault_is_told_in_the_words_of_pydantic(content: dict[str, object]) -> None:
    """Whatever a file holds."""
    with pytest.raises(ValidationError) as caught:
        Feed.model_validate(content)
    for error in caught.value.errors():
        sentence = words(error, "text")
        assert not any(phrase in sentence for phrase in PYDANTIC), sentence
