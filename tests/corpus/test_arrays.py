"""G1, G3, G7: arrays and the types without an order, read, merged, compared alike by Google's engine and here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.cloud import bigquery

from services.ingest.check_rows import check_rows, stage_rows
from services.ingest.formats import format_of
from services.ingest.match_header import match_header
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.contract.types import TYPES, ColumnType
from services.shared.contract.types.repeated import Repeated
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.warehouse import Warehouse
from tests.corpus.readings import answers, statement
from tests.harness.googlesql import GoogleSql
from tests.harness.staging import Texts, check, merge, stage
from tests.harness.warehouse import local_warehouse

_JSON = (
    *(
        "1",
        "1.10",
        '"a"',
        "null",
        '{"b":1,"a":[ 2 ]}',
        "12345678901234567890",
        "18446744073709551616",
        "1e22",
        "1E400",
    ),
    *("0.1000000000000000055511151231257827", '"\\ud83d"', '"\\ud83d\\ude00"', '{"a":1,"a":2}', "[1", "  [1]\n"),
    *("-0", "-0.0", "1.5e300", "9007199254740993", "9007199254740993.0", "NaN", "1.0", "[" * 90 + "]" * 90),
    *('{"a":1}\0junk', "1\0", '"a\0b"', '"\\u0000"'),
)
_LISTS = (
    *("[]", "[1,2]", '[1, "2", true]', "[null]", "[[1]]", '[{"a":1}]', "[1.50]", '{"a":1}', "1", '[1,"x"]', "nope"),
    *('["\\ud83d\\ude00é"]', "[1e400]", '["1",""]', "[123456789012345678901234567890]", '[" 1"]', "[1,]", "null"),
    *("[1]\0", "[1]\0,[2]", '["\\u0000"]'),
)
_CASES: Sequence[tuple[ColumnType, Sequence[str]]] = [
    (TYPES["BIGNUMERIC"], ("1.5", "-0", "1.123456789012345678", "12345678901234567890.5", "1e3", "1.0" + "0" * 50)),
    (TYPES["DATETIME"], ("2024-02-29T23:59:59.999999", "2024-02-30 00:00:00", "0001-01-01 00:00:00", "2024-01-01")),
    (TYPES["DATETIME"].with_options({"format": ("%d/%m/%Y %R", "iso")}), ("29/02/2024 5:07", "2024-01-01 00:00:00")),
    (TYPES["TIME"], ("23:59:59.999999", "24:00:00", "00:00:00", "12:00")),
    (TYPES["TIME"].with_options({"format": ("%I:%M %p", "%R")}), ("1:05 PM", "12:00 am", "23:59", "24:00")),
    (TYPES["BYTES"], ("YWI=", "YWI", "YWJ=", "AAAA", "====", "YW I=", "YWI=\n", "-_-_")),
    (TYPES["BYTES"].with_options({"format": ("hex",)}), ("0aF0", "0", "zz", "")),
    (TYPES["JSON"], _JSON),
    *((Repeated(TYPES[kind]), _LISTS) for kind in ("INT64", "STRING", "NUMERIC", "BOOL")),
    (Repeated(TYPES["DATE"].with_options({"format": ("%d/%m/%Y", "iso")})), ('["1/2/2024","2024-01-01"]', '["x"]')),
    (
        Repeated(TYPES["TIMESTAMP"].with_options({"time_zone": "Europe/Berlin"})),
        ('["2025-03-30 02:30:00"]', '["2024-01-01 00:00:00"]'),
    ),
    (Repeated(TYPES["INT64"], ","), ("1,2", "1,", "1,,2", "x", "7")),
    (Repeated(TYPES["BYTES"]), ('["YWI="]', '["YWI"]')),
    (Repeated(TYPES["BIGNUMERIC"]), ('[1.5, "2"]',)),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    with local_warehouse(tmp_path_factory.mktemp("warehouse")) as client:
        yield client


def _on_google(kind: ColumnType, texts: Sequence[str]) -> dict[str, tuple[Any, str]]:
    google = GoogleSql("America/Los_Angeles")
    google.load("texts", ["_text"], [[text] for text in texts])
    return answers(google.query(statement(kind, "`texts`")))


@pytest.mark.parametrize(("kind", "texts"), _CASES, ids=[f"{n}-{kind.name}" for n, (kind, _) in enumerate(_CASES)])
def test_g7_python_google_and_the_local_warehouse_read_a_text_alike(
    client: bigquery.Client, kind: ColumnType, texts: Sequence[str]
) -> None:
    """The same values, and one reason for each text that is refused."""
    found = _on_google(kind, texts)
    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ArrayQueryParameter("texts", "STRING", texts)])
    sql = statement(kind, "(SELECT _text FROM UNNEST(@texts) AS _text)")
    local = answers(client.query(sql, config).result())
    assert {text: (found[text], local[text]) for text in texts if found[text] != local[text]} == {}
    for text, (value, reason) in found.items():
        assert kind.accepts(text) == (reason == ""), text
        assert reason or kind.parse(text) == value, text


def test_g7_an_array_of_json_has_any_values() -> None:
    """A number that would be rounded is refused; null is a value of JSON."""
    kind = Repeated(TYPES["JSON"])
    found = _on_google(kind, _LISTS)
    assert found['[1, "2", true]'] == ([1, "2", True], "")
    assert found["[null]"] == ([None], "")
    assert found["[123456789012345678901234567890]"] == ([], "inexact_number")
    assert all(kind.accepts(text) == (reason == "") for text, (_, reason) in found.items())


def test_a_geography_has_the_form_of_one() -> None:
    """What it is beyond that, BigQuery says."""
    wkt = TYPES["GEOGRAPHY"]
    good = ("POINT(1 2)", "point (1.5 -2e1)", "POLYGON((0 0, 0 1, 1 1, 0 0))", "GEOMETRYCOLLECTION EMPTY")
    assert all(map(wkt.accepts, good))
    assert not any(map(wkt.accepts, ("", "POINT", "SRID=4326;POINT(1 2)", "POINT(1 2);", '{"type": "Point"}', "1 2")))
    geojson = wkt.with_options({"format": ("geojson",)})
    assert geojson.accepts('{"type": "Point", "coordinates": [1, 2]}')
    assert not any(map(geojson.accepts, ("POINT(1 2)", "{", "[]", "{nope}")))


_READ_BY_OPTIONS: Sequence[tuple[str, dict[str, Any], str, Any]] = (
    ("BOOL", {"words": {"Yes": True, "No": False}}, "No", False),
    ("INT64", {"group": "'"}, "1'000", 1000),
    ("NUMERIC", {"decimal": ",", "group": "."}, "1.234,5", Decimal("1234.5")),
    ("FLOAT64", {"decimal": ","}, "0,5", 0.5),
    ("DATE", {"format": "%d/%m/%Y"}, "31/12/2024", date(2024, 12, 31)),
    ("DATETIME", {"format": "%d/%m/%Y %H:%M"}, "31/12/2024 12:00", datetime(2024, 12, 31, 12)),
    (
        "TIMESTAMP",
        {"format": "%d/%m/%Y %H:%M", "zone": "Europe/Berlin"},
        "31/12/2024 12:00",
        datetime(2024, 12, 31, 11, tzinfo=UTC),
    ),
    ("BYTES", {"format": "hex"}, "0aff", b"\n\xff"),
)


@pytest.mark.parametrize("split", [None, "|"])
def test_g7_elements_are_read_by_the_column_s_options(split: str | None) -> None:
    columns = [
        {
            "name": f"x_{kind.lower()}",
            "type": kind,
            "mode": "REPEATED",
            **options,
            **({"split": split} if split else {}),
        }
        for kind, options, _, _ in _READ_BY_OPTIONS
    ]
    form = {"feed": "things", "objects": "x/*", "format": {"type": "csv"}, "table": "main.things", "mode": "append"}
    feed = Feed.model_validate({**form, "columns": columns})
    text = {
        f"x_{kind.lower()}": "|".join([one, one]) if split else json.dumps([one, one])
        for kind, _, one, _ in _READ_BY_OPTIONS
    }
    (row,) = check(GoogleSql(), feed, _load(0), [text])
    expected = {f"x_{kind.lower()}": [value, value] for kind, _, _, value in _READ_BY_OPTIONS}
    assert {name: row[name] for name in expected} == expected
    assert row["_reasons"] == []


_NAMES = ("tags", "days", "doc", "at", "payload")
_FEED: dict[str, Any] = {
    "feed": "things",
    "objects": "x/*",
    "format": {"type": "csv"},
    "table": "main.things",
    "key": ["id", "code"],
    "version": "seen",
    "delete": {"column": "op", "equals": "D"},
    "bad_rows": {"at_most": "100%"},
    "columns": [
        {"name": "id", "type": "BYTES", "format": "hex"},
        {"name": "code", "type": "TIME"},
        {"name": "seen", "type": "DATETIME"},
        {"name": "tags", "type": "STRING", "mode": "REPEATED", "split": ";"},
        {"name": "days", "type": "DATE", "mode": "REPEATED", "default": '["2024-01-01"]'},
        {"name": "doc", "type": "JSON"},
        {"name": "at", "type": "GEOGRAPHY"},
        {"name": "payload", "type": "BIGNUMERIC"},
    ],
}
_SEEN = "2024-05-06 07:08:09"


def _row(op: str = "", seen: str = _SEEN, **more: str) -> Texts:
    return {"id": "0aFF", "code": "12:00:00", "seen": seen, "op": op, **dict.fromkeys(_NAMES, ""), **more}


_FILES: Sequence[list[Texts]] = (
    [_row(tags="a;b", days='["2024-02-29"]', doc='{"b": 1}', at="POINT(1 2)", payload="1.5")],
    [_row(tags="a;b", days='["2024-02-29"]', doc='{"b": 2}', at="POINT(1 2)", payload="1.5")],
    [_row(tags="a;c", doc="null"), _row("D", "2024-05-06 07:08:08")],
    [_row("D", code="13:00:00"), _row(code="14:00:00", tags="x"), _row(code="15:00:00", days="[null]")],
)


def _load(number: int, at: int = 1751328000000000) -> Load:
    return Load("things", ObjectGeneration("landing", f"{number}.csv", at))


def _merged(order: Sequence[int]) -> dict[Any, Any]:
    """The main table of these files, all of one generation, by Google's engine."""
    feed, warehouse = Feed.model_validate(_FEED), GoogleSql()
    for number in order:
        stage(warehouse, feed, _load(number), _FILES[number])
        assert merge(warehouse, feed, _load(number)) == "merged"
    rows = warehouse.query("SELECT * FROM `local.main.things`")
    return {row["code"]: {name: value for name, value in row.items() if name not in ("_load_id",)} for row in rows}


def test_g1_rows_that_differ_in_an_array_or_in_json_have_one_winner() -> None:
    """Whatever the order; by their texts, since they have none."""
    tables = [_merged(order) for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0))]
    assert all(table == tables[0] for table in tables)
    ((row,),) = [list(tables[0].values())]
    assert (row["tags"], row["doc"], row["days"]) == (["a", "c"], None, [])


def test_g3_a_tombstone_has_empty_arrays() -> None:
    """As an empty field has; a refused row has no part in it."""
    rows = {code.hour: row for code, row in _merged([3]).items()}
    assert (rows[13]["_deleted"], rows[13]["tags"], rows[13]["doc"], rows[13]["at"]) == (True, [], None, None)
    assert (rows[14]["tags"], rows[14]["days"]) == (["x"], [])
    assert 15 not in rows


def test_g1_the_local_warehouse_makes_the_same_table(client: bigquery.Client) -> None:
    """Through the services' own statements; the table is made, and gains an array."""
    for dataset in ("staging", "main", "ops"):
        client.create_dataset(dataset, exists_ok=True)
    warehouse, feed = Warehouse(client, 120.0), Feed.model_validate(_FEED)
    for number in range(3):
        _stage_locally(warehouse, feed, number)
    assert merge(warehouse, feed, _load(0)) == "merged"  # type: ignore[arg-type]  # any warehouse will do
    more = {**_FEED, "columns": [*_FEED["columns"], {"name": "gained", "type": "INT64", "mode": "REPEATED"}]}
    _stage_locally(warehouse, Feed.model_validate(more), 3)
    assert merge(warehouse, Feed.model_validate(more), _load(3)) == "merged"  # type: ignore[arg-type]
    fields = {one.name: (one.field_type, one.mode) for one in client.get_table("main.things").schema}
    assert fields["gained"] == ("INT64", "REPEATED")
    assert (fields["at"], fields["payload"]) == (("GEOGRAPHY", "NULLABLE"), ("BIGNUMERIC", "NULLABLE"))
    found = {row["code"]: dict(row) for row in client.query("SELECT * FROM main.things").result()}
    expected = _merged(range(4))
    assert set(found) == set(expected)
    for code, row in expected.items():
        assert {name: found[code][name] for name in row if name != "_load_id"} == row


def _stage_locally(warehouse: Warehouse, feed: Feed, number: int) -> None:
    names = list(_FILES[number][0])
    load, layout = _load(number), match_header(names, feed)
    tables = Tables.of("local", feed, load)
    schema = format_of(feed).load_config(layout.columns, feed, layout.encoding).schema
    texts = [f"@c{n} AS `{name}`" for n, name in enumerate(layout.columns)]
    columns = ", ".join([*texts, *(f"CAST(NULL AS STRING) AS `{one.name}`" for one in schema[len(texts) :])])
    for at, row in enumerate(_FILES[number]):
        values = {f"c{n}": ("STRING", row[name]) for n, name in enumerate(names)}
        verb = f"INSERT INTO `{tables.raw}`" if at else f"CREATE OR REPLACE TABLE `{tables.raw}` AS"
        warehouse.query(f"{verb} SELECT {columns}", values)
    counts = check_rows(warehouse, feed, load, tables, layout, load.source.created, None)
    stage_rows(warehouse, feed, load, tables, counts.rejected)
