"""G1, G7: numbers as people write them, words, and rules for local hours mean one thing to Python, to Google's own engine
and to the local warehouse; so do trimmed texts and the limits on values, for whole rows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.cloud import bigquery

from services.ingest.check_rows import check_statement
from services.ingest.formats import format_of
from services.ingest.match_header import match_header
from services.ingest.row_texts import parameters
from services.ingest.tables import Tables
from services.shared.contract.blanks import BLANKS
from services.shared.contract.feed import Feed
from services.shared.contract.types import TYPES, ColumnType
from services.shared.contract.types.local_time import zones
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.warehouse import Parameters
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import load_records
from tests.harness.warehouse import local_warehouse

pytestmark = pytest.mark.slow

_TEXTS = (
    *(
        "0",
        "7",
        "-7",
        "+7",
        "007",
        "12",
        "1234",
        "12345678901234567890",
        "1e3",
        "1E+3",
        "1.5e-2",
        "",
        "-",
        "+",
        ".",
        ",",
    ),
    *("1.5", "1,5", ".5", ",5", "-.097", "+,097", "5.", "5,", "0.123", "0,123", "00,123", "1,23", "1.23", "1.2345"),
    *(
        "1,234",
        "1.234",
        "-1,234",
        "12,345",
        "123,456",
        "1234,567",
        "1,2345",
        "1,,234",
        ",123",
        "1,234,",
        "1.234.567,89",
    ),
    *(
        "1,234,567.89",
        "1,234.567,8",
        "1,234,567",
        "1.234.567",
        "1'234.5",
        "1’234’567",
        "1'234’567",
        "1 234",
        "1\u00a0234",
    ),
    *(
        "1\u202f234,5",
        "1\u2009234\u00a0567",
        "1  234",
        "9.223.372.036.854.775.807",
        "9,223,372,036,854,775,808",
        "6,718-",
    ),
    *(
        "80000000,00",
        "0,1234567891",
        "0.1234567890",
        "99999999999999999999999999999,999999999",
        "1,234e3",
        "1,5e400",
        "٣,٥",
    ),
    *(
        "-0",
        "-0,0",
        "(5)",
        "1,234\n",
        " 1",
        "NaN",
        "1_000",
        "--1",
        "1,000,000,000,000,000,000,000,000,000,000.5",
        "\\1",
    ),
)
_MARKS: tuple[dict[str, Any], ...] = (
    *({"decimal": ","}, {"decimal": "."}, {"group": ","}, {"group": "'"}, {"group": " "}),
    *({"decimal": ",", "group": "."}, {"decimal": ".", "group": ","}, {"decimal": ",", "group": " "}),
)
_WORDS = {"words": {"Yes": True, "Y": True, "ja'\\": True, "No": False, "0": False, "true": False}}
_ANSWERS = ("Yes", "yes", "Y", "No", "0", "1", "true", "TRUE", "false", "ja'\\", " No", "")
_SHIFTS = ("2025-03-30 02:30", "2025-10-26 02:30", "2011-12-30 12:00", "2025-10-05 02:15", "2025-04-06 01:45")
_ZONES = ("Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe")
_Case = tuple[ColumnType, Sequence[str]]


def _cases() -> Iterator[_Case]:
    for mark in _MARKS:
        for name in ("INT64", "NUMERIC", "FLOAT64"):
            if "decimal" not in mark or name != "INT64":
                yield TYPES[name].with_options(mark), _TEXTS
    yield TYPES["INT64"].with_options({"group": "."}), _TEXTS
    yield TYPES["BOOL"].with_options(_WORDS), _ANSWERS
    for zone in _ZONES:
        for twice, never in (("earlier", "later"), ("later", "reject"), ("reject", "earlier")):
            yield TYPES["TIMESTAMP"].with_options({"zone": zone, "local_twice": twice, "local_never": never}), _local()


def _local() -> list[str]:
    ends = ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "2025-02-30 00:00:00", "x", "2025-03-30T02:30:00Z"]
    return ends + [
        (datetime.fromisoformat(one) + timedelta(minutes=minutes)).isoformat(" ")
        for one in _SHIFTS
        for minutes in range(-120, 121, 30)
    ]


def _statement(kind: ColumnType, source: str) -> str:
    """Of each text its value and its reasons, as a file's rows are checked."""
    before = source
    for step in kind.steps("_text"):
        columns = ", ".join(f"{sql} AS {name}" for name, sql in step.items())
        before = f"(SELECT *, {columns} FROM {before})"
    reasons = ", ".join(f"IF({one.condition}, '{one.reason}', '')" for one in kind.faults("_text", "_value"))
    typed = f"(SELECT *, {kind.cast('_text')} AS _value FROM {before})"
    return f"SELECT _text, _value, CONCAT({reasons}, '') AS _reason FROM {typed}"


def _answers(rows: Any) -> dict[str, tuple[Any, str]]:
    return {row["_text"]: (_comparable(row["_value"]), row["_reason"]) for row in rows}


def _comparable(value: Any) -> Any:
    """-0.0 == 0.0, but they are written differently."""
    return repr(value) if isinstance(value, float) else value


def test_g1_g7_python_google_and_the_local_warehouse_read_a_text_alike(client: bigquery.Client) -> None:
    """The same texts, the same values, one reason for each text that is refused."""
    for kind, texts in _cases():
        assert list(kind.option_faults()) == []
        google = GoogleSql("America/Los_Angeles")
        google.load("texts", ["_text"], [[text] for text in texts])
        found = _answers(google.query(_statement(kind, "`texts`"), dict(kind.parameters())))
        config = _config(dict(kind.parameters()))
        config.query_parameters = [
            *config.query_parameters,
            bigquery.ArrayQueryParameter("texts", "STRING", texts),
        ]
        sql = _statement(kind, "(SELECT _text FROM UNNEST(@texts) AS _text)")
        local = _answers(client.query(sql, config).result())
        assert {text: (found[text], local[text]) for text in texts if found[text] != local[text]} == {}, kind
        for text, (value, reason) in found.items():
            assert value == _comparable(kind.parse(text) if kind.accepts(text) else None), (kind, text)
            assert (reason == "") == (value is not None), (kind, text)


def _config(named: Parameters) -> bigquery.QueryJobConfig:
    return bigquery.QueryJobConfig(
        query_parameters=[bigquery.ScalarQueryParameter(name, kind, value) for name, (kind, value) in named.items()]
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    with local_warehouse(tmp_path_factory.mktemp("warehouse")) as client:
        yield client


def _shifts(zone: str) -> Iterator[datetime]:
    """Local times within what the zone skipped or repeated, from 1970 to 2024, as its offsets by days tell."""
    day, one = timedelta(days=1), ZoneInfo(zone)
    at = datetime(1970, 1, 2, tzinfo=UTC)
    while at.year < 2025:
        before, after = (moment.astimezone(one).utcoffset() for moment in (at, at + 7 * day))
        if before != after:
            low, high = at, at + 7 * day
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if middle.astimezone(one).utcoffset() == before else (low, middle)
            assert before is not None
            assert after is not None
            yield (high + (before + after) / 2).replace(tzinfo=None, second=0, microsecond=0)
        at += 7 * day


def test_g7_the_rules_are_those_of_googles_own_engine() -> None:
    """Of a time that was there twice TIMESTAMP(DATETIME, zone) takes the earlier instant, of one that never was the
    later: so does `local_twice: earlier, local_never: later`, at each shift of a sample of zones."""
    chance = random.Random("zones")
    sample = {"Europe/Berlin", "Africa/Casablanca", *chance.sample(sorted(zones()), 12)}
    parts, wanted = [], []
    for zone in sorted(sample):
        kind = TYPES["TIMESTAMP"].with_options({"zone": zone, "local_twice": "earlier", "local_never": "later"})
        for text in {one.isoformat(" ") for one in _shifts(zone)}:
            parts.append(f"TIMESTAMP(DATETIME '{text}', '{zone}')")
            wanted.append((zone, text, kind.parse(text)))
    assert len(wanted) > 100
    (row,) = GoogleSql().query("SELECT " + ", ".join(f"{sql} AS c{n}" for n, sql in enumerate(parts)))
    found = [(zone, text, row[f"c{n}"]) for n, (zone, text, _) in enumerate(wanted)]
    assert found == wanted


_FEED: dict[str, Any] = {
    "feed": "texts", "objects": "x/*", "table": "main.texts", "key": ["id"], "version": "_generation",
    "format": {"type": "csv", "trim": True, "nulls": ["NA"], "decimal": ","},
    "delete": {"column": "op", "equals": "D"}, "bad_rows": {"at_most": "100%"}, "unknown_columns": "rescue",
    "columns": [
        {"name": "id", "type": "STRING", "max_length": 8},
        {"name": "text", "type": "STRING", "max_length": 3, "pattern": "[a-zé𝒳]+$|A(?i:bc)|N.", "one_of": ["é", "Abc", "𝒳𝒳𝒳", "abcd", "zz", "N1"]},
        {"name": "wide", "type": "STRING", "trim": False},
        {"name": "number", "type": "NUMERIC", "one_of": ["1,50", ",25", "3"]},
        {"name": "float", "type": "FLOAT64", "one_of": ["0,1", "0"]},
        {"name": "day", "type": "DATE", "format": "%d/%m/%Y", "one_of": ["31/12/2024"]},
        {"name": "at", "type": "TIMESTAMP", "one_of": ["2024-01-01T00:00:00Z"]},
        {"name": "flag", "type": "BOOL", "words": {"Y": True, "N": False}, "one_of": ["Y"]},
        {"name": "whole", "type": "INT64", "pattern": "[0-9]{1,2}", "one_of": ["1", "007", "42"]},
    ],
}  # fmt: skip
_LIMITED: tuple[tuple[str, str, object], ...] = (
    *(("text", f"{blank}é{blank}", "é") for blank in BLANKS),
    *(("text", text, None) for text in (" ", BLANKS, " NA\t")),
    *(("text", "\u200bé", "pattern_mismatch not_one_of"), ("text", "\u0085é", "pattern_mismatch not_one_of")),
    *(("text", "Abc", "Abc"), ("text", "ABC", "not_one_of"), ("text", "aBc", "pattern_mismatch not_one_of")),
    *(("text", "abcd", "too_long"), ("text", "𝒳𝒳𝒳", "𝒳𝒳𝒳"), ("text", "𝒳𝒳𝒳𝒳", "too_long not_one_of")),
    *(("text", "e\u0301", "pattern_mismatch not_one_of"), ("text", "z\nz", "pattern_mismatch not_one_of"), ("text", "zz", "zz")),
    *(("text", "N\n", "pattern_mismatch not_one_of"), ("text", "N1", "N1"), ("wide", " a ", " a "), ("wide", " ", " ")),
    *(("wide", " NA", " NA"), ("wide", "NA", None), ("number", " 1,5 ", 1.5), ("number", "0,250", 0.25)),
    *(("number", "1.5", "not_a_number"), ("number", "2", "not_one_of"), ("number", "3,000", 3), ("float", "0,10", 0.1)),
    *(("float", "-0", 0), ("float", "0,1000000001", "not_one_of"), ("day", "31/12/2024 ", "2024-12-31")),
    *(("day", "30/12/2024", "not_one_of"), ("day", "2024-12-31", "not_a_date"), ("at", "2024-01-01 01:00:00+01:00", "2024-01-01 00:00:00+00:00")),
    *(("at", "2024-01-01T00:00:00.000001Z", "not_one_of"), ("flag", "Y", True), ("flag", "N", "not_one_of")),
    *(("flag", "true", "not_a_boolean"), ("whole", "07", 7), ("whole", "007", "pattern_mismatch"), ("whole", "x", "not_an_integer pattern_mismatch")),
)  # fmt: skip
"""Column, text, and its value, or the reasons why the row is refused."""


def _rows() -> list[Mapping[str, str]]:
    empty = dict.fromkeys([one["name"] for one in _FEED["columns"]], "") | {"op": "", "more": " m "}
    found = [{**empty, "id": f"r{n} ", column: text} for n, (column, text, _) in enumerate(_LIMITED)]
    deleted = [{**empty, "id": key, "text": "too long", "op": "D "} for key in ("deleted", "deleted too")]
    return [*found, *deleted]


def test_g7_texts_are_trimmed_and_values_limited(client: bigquery.Client) -> None:
    """Before null markers and emptiness are looked at; after the type's faults, and before a check. Of a delete the key
    alone is judged. Each warehouse says the same."""
    feed, rows = Feed.model_validate(_FEED), _rows()
    load = Load(feed.name, ObjectGeneration("landing", "t.csv", 1751328000000000))
    tables, layout = Tables.of("local", feed, load), match_header(list(rows[0]), feed)
    named = {**parameters(feed, layout), "created": ("TIMESTAMP", load.source.created), "load_id": ("STRING", "l"),
             "generation": ("INT64", load.source.generation), "object": ("STRING", "o")}  # fmt: skip
    google = GoogleSql()
    load_records(google, feed, layout, tables.raw, [list(row.values()) for row in rows])
    google.query(check_statement(feed, tables, layout), named)
    found = {row["id"]: row for row in google.query(f"SELECT * FROM `{tables.checked}`")}
    local = {row["id"]: row for row in _checked_locally(client, feed, rows, named)}
    names = ["_reasons", "_deleted", *(column.name for column in feed.columns)]
    assert {key: [row[name] for name in names] for key, row in found.items()} == {
        key: [row[name] for name in names] for key, row in local.items()
    }
    for n, (column, _, expected) in enumerate(_LIMITED):
        row = found[f"r{n}"]
        reasons = " ".join(reason.partition(":")[0] for reason in row["_reasons"])
        assert str(reasons or row[column]) == str(expected) or row[column] == expected, (column, row)
    assert (found["r0"]["_rescued"], local["r0"]["_rescued"]) == ({"more": "m"}, {"more": "m"})
    assert (found["deleted"]["_deleted"], found["deleted"]["_reasons"]) == (True, [])
    assert found["deleted too"]["_reasons"] == ["too_long: id"]


def _checked_locally(client: bigquery.Client, feed: Feed, rows: Sequence[Mapping[str, str]], named: Parameters) -> Any:
    tables = Tables("local.d.raw", "local.d.checked", "local.d.staging", "local.d.rejected")
    layout = match_header(list(rows[0]), feed)
    schema = format_of(feed).load_config(layout.columns, feed, layout.encoding).schema
    fields = [f"@t{n}[ORDINAL(_n)] AS `{name}`" for n, name in enumerate(layout.columns)]
    columns = ", ".join([*fields, *(f"CAST(NULL AS STRING) AS `{one.name}`" for one in schema[len(fields) :])])
    texts = [
        bigquery.ArrayQueryParameter(f"t{n}", "STRING", [row[name] for row in rows]) for n, name in enumerate(rows[0])
    ]
    made = (
        f"CREATE OR REPLACE TABLE `local.d.raw` AS SELECT {columns} FROM UNNEST(GENERATE_ARRAY(1, {len(rows)})) AS _n"
    )
    client.query(made, bigquery.QueryJobConfig(query_parameters=texts)).result()
    client.query(check_statement(feed, tables, layout), _config(named)).result()
    return client.query("SELECT * FROM `local.d.checked`").result()
