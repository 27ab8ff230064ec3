"""Parquet, Avro and ORC: Google's engine, the local warehouse and Python make one text of each value.

What Google's own load jobs make of a file is documented, not executed here: its engine reads a table of typed values,
the local warehouse the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from google.cloud.bigquery import SchemaField
from pyarrow import orc, parquet

from dropmerge.operations.rejected.export import write_rows
from dropmerge.operations.rejected.pinned import PinnedFile
from dropmerge.operations.rejected.row import RejectedRow
from dropmerge.operations.rejected.spool import spool
from services.ingest.check_rows import check_rows
from services.ingest.formats.typed_records import open_records
from services.ingest.inspect_head import HEAD_BYTES, inspect_head
from services.ingest.load_raw import load_raw, loaded_layout
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.warehouse import Warehouse
from tests.harness.googlesql import GoogleSql
from tests.harness.warehouse import local_warehouse

Rows = list[dict[str, Any]]


def _feed(*columns: dict[str, Any], form: str = "parquet", **more: Any) -> Feed:
    fields = {"feed": "things", "objects": "x/*", "format": {"type": form}, "table": "main.things", "key": ["id"]}
    return Feed.model_validate(
        {
            **fields,
            "version": "_generation",
            "columns": [{"name": "id", "type": "INT64"}, *columns],
            "unknown_columns": "ignore",
            "bad_rows": {"at_most": "100%"},
            **more,
        }
    )


def _load(name: str, feed: Feed | None = None) -> Load:
    """Of one contract, where a file is loaded by several."""
    generation = 1751328000000000 + (int(feed.fingerprint[:6], 16) if feed else 0)
    return Load("things", ObjectGeneration("landing", name, generation))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Path]]:
    """A warehouse, and where its buckets are."""
    folder = tmp_path_factory.mktemp("warehouse")
    with local_warehouse(folder) as client:
        for dataset in ("staging", "main", "ops"):
            client.create_dataset(dataset)
        (folder / "bucket" / "b").mkdir(parents=True)
        yield Warehouse(client, 120.0), folder / "bucket" / "b"


def on_local(local: tuple[Warehouse, Path], feed: Feed, name: str) -> Rows:
    """The checked rows of a file that is in the bucket."""
    warehouse, bucket = local
    data, load = (bucket / name).read_bytes(), _load(name, feed)
    tables = Tables.of("local", feed, load)
    layout = inspect_head(data[:HEAD_BYTES], len(data), feed)
    layout = load_raw(warehouse, f"gs://b/{name}", tables.raw, load.load_id, layout, feed)
    check_rows(warehouse, feed, load, tables, layout, load.source.created, None)
    return [dict(row) for row in warehouse.query(f"SELECT * FROM `{tables.checked}` ORDER BY id")]


def numbers(local: tuple[Warehouse, Path], feed: Feed, name: str) -> list[int | None]:
    """Of each record, by its id, the number that it has as a refused row, of a contract that refuses all."""
    fields = feed.model_dump(mode="json", exclude_none=True, exclude_defaults=True, by_alias=True)
    fields["columns"][0]["check"] = "id < 0"
    none = Feed.model_validate(fields)
    rows, data = on_local(local, none, name), (local[1] / name).read_bytes()
    assert all("check_failed: id" in row["_reasons"] for row in rows)
    with BytesIO(data) as file:
        layout = loaded_layout(open_records(name.rpartition(".")[2].upper(), file).schema, none)
    pinned = PinnedFile(lambda: BytesIO(data), none, layout)
    with spool() as kept:
        kept.add(("L", pinned.digest_of_row(row["_row"]), None, row["_row"], "[]") for row in rows)
        found = list(kept.find("L", pinned.places(_fail), lambda _: None))
    by_id = {int(json.loads(text)["id"]): number for text, _, number, _ in found}
    return [by_id[one] for one in sorted(by_id)]


def _fail(error: Exception) -> None:
    raise AssertionError(str(error)) from error


def on_google(feed: Feed, schema: Sequence[SchemaField], rows: Sequence[Sequence[str]]) -> Rows:
    """The checked rows of a raw table, whose values are given in SQL."""
    warehouse, load = GoogleSql(), _load("x")
    tables = Tables.of("local", feed, load)
    selects = (
        "SELECT " + ", ".join(f"{sql} AS `{field.name}`" for sql, field in zip(row, schema, strict=True))
        for row in rows
    )
    warehouse.query(f"CREATE TABLE `{tables.raw}` AS {' UNION ALL '.join(selects)}")
    check_rows(warehouse, feed, load, tables, loaded_layout(schema, feed), load.source.created, None)
    return warehouse.query(f"SELECT * FROM `{tables.checked}` ORDER BY id")


_LOAD = Load("things", ObjectGeneration("b", "o", 1))
_FLOATS = (
    *(0.1, 1 / 3, 0.1 + 0.2, 5.0, -0.0, 1e15, 1e16, 2.0**53, 2.0**53 + 2, 2.0**60, 12345678901234.56),
    *(
        123456789012345.67,
        1e-4,
        1.25e-5,
        -1e-5,
        1e-300,
        1.7976931348623157e308,
        -2.5,
        1e20,
        99.99,
        1e22,
        1e-9,
        1e-10,
        4503599627370497.5,
    ),
    *(float("nan"), float("inf"), float("-inf")),
)
_TYPES: dict[str, tuple[Any, list[tuple[Any, str, str]]]] = {
    "INTEGER": (
        pa.int64(),
        [(n, f"SAFE_CAST('{n}' AS INT64)", str(n)) for n in (0, -1, 2**53 + 1, 2**63 - 1, -(2**63))],
    ),
    "BOOLEAN": (pa.bool_(), [(True, "TRUE", "true"), (False, "FALSE", "false")]),
    "STRING": (pa.string(), [(" é😀\n\"'", "' é😀\\n\"\\''", " é😀\n\"'"), ("x", "'x'", "x")]),
    "BYTES": (pa.binary(), [(b"\x00\xff", "FROM_HEX('00ff')", "AP8="), (b"abc", "b'abc'", "YWJj")]),
    "NUMERIC": (
        pa.decimal128(38, 9),
        [
            (Decimal(n), f"NUMERIC '{n}'", n)
            for n in ("1.5", "-0.000000001", "0", "99999999999999999999999999999.999999999", "-10", "100.05")
        ],
    ),
    "BIGNUMERIC": (
        pa.decimal256(76, 38),
        [
            (Decimal(n), f"BIGNUMERIC '{n}'", n)
            for n in ("-1.00000000000000000000000000000000000001", "1" * 38, "-0.5", "20")
        ],
    ),
    "DATE": (
        pa.date32(),
        [(date.fromisoformat(n), f"DATE '{n}'", n) for n in ("0001-01-01", "1969-12-31", "9999-12-31", "2024-02-29")],
    ),
    "TIME": (
        pa.time64("us"),
        [(time.fromisoformat(n), f"TIME '{n}'", n) for n in ("00:00:00.000000", "23:59:59.999999", "01:02:03.500000")],
    ),
    "TIMESTAMP": (
        pa.timestamp("us", tz="UTC"),
        [
            (datetime.fromisoformat(n), f"TIMESTAMP '{n}'", n)
            for n in ("0001-01-01T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z")
        ],
    ),
}
"""By raw type: Arrow's, and each value in Python and in SQL, with its text."""


def _scalars() -> tuple[list[SchemaField], pa.Table, list[list[str]], list[dict[str, str | None]]]:
    """A raw table's schema, the same as a Parquet file's table and as SQL, and the texts of each row."""
    kinds = {**_TYPES, "FLOAT": (pa.float64(), [(n, f"SAFE_CAST('{n!r}' AS FLOAT64)", _shortest(n)) for n in _FLOATS])}
    count = max(len(values) for _, values in kinds.values()) + 1
    columns: dict[str, Any] = {"id": pa.array(range(count))}
    sql, texts = [[str(n)] for n in range(count)], [dict[str, str | None]() for _ in range(count)]
    for kind, (arrow, values) in kinds.items():
        padded = [*values, *[(None, f"CAST(NULL AS {_SQL.get(kind, kind)})", None)] * (count - len(values))]
        columns[kind.lower()] = pa.array([one[0] for one in padded], arrow)
        for n, (_, literal, text) in enumerate(padded):
            sql[n].append(literal)
            texts[n][kind.lower()] = text
    return [SchemaField("id", "INTEGER"), *(SchemaField(k.lower(), k) for k in kinds)], pa.table(columns), sql, texts


_SQL = {"INTEGER": "INT64", "BOOLEAN": "BOOL", "FLOAT": "FLOAT64"}


def _shortest(number: float) -> str:
    """As `%g` of C writes the digits of Python's repr."""
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    if repr(number) in special:
        return special[repr(number)]
    return next(text for digits in (15, 16, 17) if float(text := f"{number:.{digits}g}") == number) if number else "0"


def test_g1_each_value_has_one_text(local: tuple[Warehouse, Path]) -> None:
    """Of each raw type, in Google's engine, in the local warehouse and in Python."""
    schema, table, sql, texts = _scalars()
    names = [field.name for field in schema[1:]]
    feed = _feed(*({"name": name, "type": "STRING"} for name in names))
    parquet.write_table(table, local[1] / "scalars.parquet")
    for rows in (on_google(feed, schema, sql), on_local(local, feed, "scalars.parquet")):
        assert [{name: row[name] for name in names} for row in rows] == texts
        assert [row["_reasons"] for row in rows] == [[]] * len(texts)
    assert numbers(local, feed, "scalars.parquet") == list(range(1, len(texts) + 1))


def test_g1_a_float_is_the_number_that_it_is(local: tuple[Warehouse, Path]) -> None:
    """In a NUMERIC its shortest decimal without exponent, in an INT64 a whole number up to 2^53, or a reason."""
    feed = _feed(*({"name": name, "from": "f", "type": kind} for name, kind in (("n", "NUMERIC"),)))
    whole = _feed({"name": "i", "from": "f", "type": "INT64"})
    again = _feed({"name": "f", "type": "FLOAT64"})
    schema = [SchemaField("id", "INTEGER"), SchemaField("f", "FLOAT")]
    sql = [[str(n), f"SAFE_CAST('{number!r}' AS FLOAT64)"] for n, number in enumerate(_FLOATS)]
    parquet.write_table(pa.table({"id": pa.array(range(len(_FLOATS))), "f": _FLOATS}), local[1] / "floats.parquet")
    for contract in (feed, whole, again):
        ours, theirs = on_local(local, contract, "floats.parquet"), on_google(contract, schema, sql)
        keep = [name for name in ours[0] if not name.startswith("_") or name == "_reasons"]
        assert [[row[name] for name in keep] for row in ours] == [[row[name] for name in keep] for row in theirs]
        for number, row in zip(_FLOATS, theirs, strict=True):
            exact = Decimal(repr(number))
            if "n" in row and row["n"] is not None:
                assert row["n"] == exact
            elif "i" in row:
                fits = exact.is_finite() and exact == int(exact) and abs(exact) <= 2**53
                assert row["i"] == (int(exact) if fits else None)
            elif "f" in row:
                assert row["f"] == (number if exact.is_finite() else None)
            assert bool(row["_reasons"]) == (None in [row[name] for name in keep])
        assert numbers(local, contract, "floats.parquet") == list(range(1, len(_FLOATS) + 1))


def test_structs_and_arrays_are_json_and_have_paths(local: tuple[Warehouse, Path]) -> None:
    """NULL where there is none; a list that is NULL is empty, as BigQuery has no other."""
    schema = [
        SchemaField("id", "INTEGER"),
        SchemaField(
            "s",
            "RECORD",
            fields=[
                SchemaField("big", "INTEGER"),
                SchemaField("end of", "STRING"),
                SchemaField("in", "RECORD", fields=[SchemaField("x", "FLOAT"), SchemaField("at", "TIMESTAMP")]),
            ],
        ),
        SchemaField("l", "INTEGER", "REPEATED"),
        SchemaField(
            "ls", "RECORD", "REPEATED", fields=[SchemaField("k", "STRING"), SchemaField("v", "NUMERIC", "REPEATED")]
        ),
    ]
    kind = "STRUCT<big INT64, `end of` STRING, `in` STRUCT<x FLOAT64, `at` TIMESTAMP>>"
    sql = [
        [
            "0",
            f"CAST(STRUCT(9007199254740993, 'q\"', STRUCT(0.5, TIMESTAMP '2024-01-01 00:00:00+00')) AS {kind})",
            "[9007199254740993, 2]",
            "[STRUCT('a' AS k, [NUMERIC '1.50'] AS v), STRUCT(CAST(NULL AS STRING), ARRAY<NUMERIC>[])]",
        ],
        ["1", f"CAST(NULL AS {kind})", "ARRAY<INT64>[]", "ARRAY<STRUCT<k STRING, v ARRAY<NUMERIC>>>[]"],
        ["2", f"CAST(STRUCT(NULL, NULL, NULL) AS {kind})", "[1]", "ARRAY<STRUCT<k STRING, v ARRAY<NUMERIC>>>[]"],
    ]
    inner = pa.struct([("x", pa.float64()), ("at", pa.timestamp("us", tz="UTC"))])
    table = pa.table(
        {
            "id": [0, 1, 2],
            "s": pa.array(
                [
                    {"big": 2**53 + 1, "end of": 'q"', "in": {"x": 0.5, "at": datetime(2024, 1, 1, tzinfo=UTC)}},
                    None,
                    {"big": None, "end of": None, "in": None},
                ],
                pa.struct([("big", pa.int64()), ("end of", pa.string()), ("in", inner)]),
            ),
            "l": pa.array([[2**53 + 1, 2], None, [1]]),
            "ls": pa.array(
                [[{"k": "a", "v": [Decimal("1.50")]}, {"k": None, "v": None}], [], []],
                pa.list_(pa.struct([("k", pa.string()), ("v", pa.list_(pa.decimal128(10, 2)))])),
            ),
        }
    )
    parquet.write_table(table, local[1] / "nested.parquet")
    paths = {"s": "s", "l": "l", "ls": "ls", "deep": "s.in.x", "name": "s.end of"}
    feed = _feed(*({"name": name, "from": path, "type": "STRING"} for name, path in paths.items()))
    for rows in (on_google(feed, schema, sql), on_local(local, feed, "nested.parquet")):
        assert [row["s"] for row in rows] == [
            '{"big":9007199254740993,"end of":"q\\"","in":{"x":0.5,"at":"2024-01-01T00:00:00.000000Z"}}',
            None,
            '{"big":null,"end of":null,"in":null}',
        ]
        assert [row["l"] for row in rows] == ["[9007199254740993,2]", "[]", "[1]"]
        assert [row["ls"] for row in rows] == ['[{"k":"a","v":[1.5]},{"k":null,"v":[]}]', "[]", "[]"]
        assert [(row["deep"], row["name"]) for row in rows] == [("0.5", 'q"'), (None, None), (None, None)]
    assert numbers(local, feed, "nested.parquet") == [1, 2, 3]


def test_a_column_s_options_are_for_texts_and_whole_numbers(local: tuple[Warehouse, Path]) -> None:
    """A TIMESTAMP field is read as it is, whatever the format; a zone holds for what has none."""
    schema = [
        SchemaField("id", "INTEGER"),
        *(SchemaField("t", "TIMESTAMP"), SchemaField("i", "INTEGER"), SchemaField("s", "STRING")),
        *(SchemaField("dt", "DATETIME"), SchemaField("d", "DATE"), SchemaField("midnight", "TIMESTAMP")),
    ]
    sql = [["0", "TIMESTAMP '2024-01-02 03:04:05+00'", "1704164645000000", "'02/01/2024'"]]
    sql[0] += ["DATETIME '2024-01-02 03:04:05'", "DATE '2024-01-02'", "TIMESTAMP '2024-01-02 00:00:00+00'"]
    options = {"type": "TIMESTAMP", "format": ["%d/%m/%Y", "epoch_us"], "time_zone": "Europe/Berlin"}
    feed = _feed(
        *({"name": name, **options} for name in ("t", "i", "s", "dt")),
        {"name": "d", "type": "DATE", "format": "%d/%m/%Y"},
        {"name": "midnight", "type": "DATE"},
        form="avro",
    )
    at = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    fields = {
        **{"id": "long", "t": {"type": "long", "logicalType": "timestamp-micros"}, "i": "long", "s": "string"},
        "dt": {"type": "long", "logicalType": "local-timestamp-micros"},
        "d": {"type": "int", "logicalType": "date"},
        "midnight": {"type": "long", "logicalType": "timestamp-micros"},
    }
    values = (
        0,
        at,
        1704164645000000,
        "02/01/2024",
        at.replace(tzinfo=None),
        at.date(),
        datetime(2024, 1, 2, tzinfo=UTC),
    )
    _write_avro(local[1] / "options.avro", fields, [dict(zip(fields, values, strict=True))])
    for rows in (on_google(feed, schema, sql), on_local(local, feed, "options.avro")):
        (row,) = rows
        assert row["_reasons"] == []
        assert (row["t"], row["i"], row["dt"]) == (at, at, datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC))
        assert (row["s"], row["d"]) == (datetime(2024, 1, 1, 23, tzinfo=UTC), date(2024, 1, 2))
        assert row["midnight"] == date(2024, 1, 2)
    assert numbers(local, feed, "options.avro") == [1]


def _write_avro(path: Path, fields: dict[str, Any], rows: Rows) -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": n, "type": t} for n, t in fields.items()]}
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows)


def test_the_local_warehouse_reads_avro_as_bigquery_documents(local: tuple[Warehouse, Path]) -> None:
    """https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-avro#avro_conversions"""
    fields: dict[str, Any] = {
        **{"id": "long", "u": ["null", "string"], "none": "null", "f": "float"},
        "e": {"type": "enum", "name": "e", "symbols": ["A", "B"]},
        "fixed": {"type": "fixed", "name": "fx", "size": 2},
        "dec": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 76, "scale": 38}],
        "ms": {"type": "long", "logicalType": "timestamp-millis"},
        "tm": {"type": "int", "logicalType": "time-millis"},
        "m": {"type": "map", "values": "int"},
        "a": {"type": "array", "items": "e"},
    }
    row = {
        **{"id": 1, "u": None, "none": None, "f": 0.1, "e": "B", "fixed": b"\xff\x00", "dec": Decimal("-1.5")},
        **{
            "ms": datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
            "tm": time(1, 2, 3, 4000),
            "m": {"k": 1},
            "a": ["A"],
        },
    }
    _write_avro(local[1] / "all.avro", fields, [row])
    feed = _feed(
        *({"name": f"x_{name}", "from": name, "type": "STRING"} for name in fields if name != "id"), form="avro"
    )
    (found,) = on_local(local, feed, "all.avro")
    assert {name: found[f"x_{name}"] for name in fields if name != "id"} == {
        **{"u": None, "none": None, "f": "0.10000000149011612", "e": "B", "fixed": "/wA=", "dec": "-1.5"},
        **{"ms": "1969-12-31T23:59:59.999000Z", "tm": "01:02:03.004000", "m": '[{"key":"k","value":1}]', "a": '["A"]'},
    }
    assert numbers(local, feed, "all.avro") == [1]


def test_the_local_warehouse_reads_parquet_and_orc_as_bigquery_documents(local: tuple[Warehouse, Path]) -> None:
    """What is finer than a microsecond is cut off; a time without a zone is one in UTC."""
    table = pa.table(
        {
            "id": pa.array([0, 1], pa.int32()),
            "ns": pa.array([-1, 1_999], pa.timestamp("ns")),
            "d": pa.array([Decimal("-1.25"), None], pa.decimal128(38, 10)),
            "n": pa.array([Decimal("-0.01"), None], pa.decimal128(5, 2)),
            "small": pa.array([-1, None], pa.int8()),
            "day": pa.array([date(1900, 1, 1), None]),
        }
    )
    names = [*table.column_names[1:]]
    expected = [
        ["1969-12-31T23:59:59.999999Z", "-1.25", "-0.01", "-1", "1900-01-01"],
        ["1970-01-01T00:00:00.000001Z", None, None, None, None],
    ]
    orc.write_table(table, local[1] / "all.orc")
    table = table.append_column("words", pa.array(["x", "y"]).dictionary_encode())
    parquet.write_table(table.append_column("U!", pa.array([1, None], pa.uint32())), local[1] / "all.parquet")
    parquet.write_table(table, local[1] / "int96.parquet", use_deprecated_int96_timestamps=True)
    feed = {form: _feed(*({"name": n, "type": "STRING"} for n in names), form=form) for form in ("orc", "parquet")}
    for name in ("all.orc", "all.parquet", "int96.parquet"):
        rows = on_local(local, feed[name.partition(".")[2]], name)
        assert [[row[n] for n in names] for row in rows] == expected, name
        assert numbers(local, feed[name.partition(".")[2]], name) == [1, 2], name
    more = _feed({"name": "words", "type": "STRING"}, {"name": "u", "from": "U!", "type": "INT64"})
    assert [(row["words"], row["u"]) for row in on_local(local, more, "all.parquet")] == [("x", 1), ("y", None)]
    assert numbers(local, more, "all.parquet") == [1, 2]


def test_g7_text_that_is_not_utf8_fails_the_file(local: tuple[Warehouse, Path]) -> None:
    bad = pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff"))
    parquet.write_table(pa.table({"id": [1], "s": bad}), local[1] / "bad.parquet")
    with pytest.raises(PermanentError) as caught:
        on_local(local, _feed({"name": "s", "type": "STRING"}), "bad.parquet")
    assert caught.value.reason == "malformed_file"
    (local[1] / "cut.orc").write_bytes(b"ORC\0" + bytes(50))
    with pytest.raises(PermanentError) as caught:
        on_local(local, _feed(form="orc"), "cut.orc")
    assert caught.value.reason == "malformed_file"


_ROWS = [
    {"id": "1", "s": "Müller", "n": "1.10", "i": "7", "t": "2024-01-01T00:00:00Z", "b": "true", "d": "1969-12-31"},
    {"id": "2", "s": "", "n": "", "i": "", "t": "", "b": "", "d": ""},
    {
        "id": "3",
        "s": 'a\n"b',
        "n": "-99999999999999999999.5",
        "i": "-9223372036854775808",
        "t": "1900-01-01T00:00:00.000001Z",
        "b": "false",
        "d": "9999-12-31",
    },
]
_KINDS = {"s": "STRING", "n": "NUMERIC", "i": "INT64", "t": "TIMESTAMP", "b": "BOOL", "d": "DATE"}


def _arrow() -> pa.Table:
    types = {
        "n": pa.decimal128(38, 9),
        "i": pa.int64(),
        "t": pa.timestamp("us", tz="UTC"),
        "b": pa.bool_(),
        "d": pa.date32(),
    }
    make: dict[str, Any] = {
        **{"n": Decimal, "i": int, "id": int, "s": str, "d": date.fromisoformat, "t": datetime.fromisoformat},
        "b": lambda text: text == "true",
    }
    return pa.table(
        {n: pa.array([make[n](r[n]) if r[n] else None for r in _ROWS], types.get(n)) for n in ("id", *_KINDS)}
    )


def test_g1_the_same_rows_in_each_format_are_the_same_rows(local: tuple[Warehouse, Path]) -> None:
    """CSV among them; and what is written of rows that were refused is read as the same rows."""
    table, bucket = _arrow(), local[1]
    parquet.write_table(table, bucket / "same.parquet", compression="zstd")
    orc.write_table(table.set_column(4, "t", table["t"].cast(pa.timestamp("us"))), bucket / "same.orc")
    long = {"type": "long", "logicalType": "timestamp-micros"}
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9}
    nullable = {
        "s": "string",
        "n": decimal,
        "i": "long",
        "t": long,
        "b": "boolean",
        "d": {"type": "int", "logicalType": "date"},
    }
    _write_avro(
        bucket / "same.avro", {"id": "long", **{n: ["null", t] for n, t in nullable.items()}}, table.to_pylist()
    )
    quoted = [",".join('"' + text.replace('"', '""') + '"' for text in row.values()) for row in _ROWS]
    (bucket / "same.csv").write_text("\n".join([",".join(_ROWS[0]), *quoted]) + "\n", encoding="utf-8", newline="")
    columns = [{"name": name, "type": kind} for name, kind in _KINDS.items()]
    found = {f: on_local(local, _feed(*columns, form=f), f"same.{f}") for f in ("csv", "parquet", "orc", "avro")}
    values = {form: [[row[name] for name in ("id", *_KINDS)] for row in rows] for form, rows in found.items()}
    assert [row["_reasons"] for rows in found.values() for row in rows] == [[]] * 12
    assert len({str(rows) for rows in values.values()}) == 1
    refuse = {"name": "s", "type": "STRING", "check": "id < 0"}
    for form in ("parquet", "orc", "avro"):
        feed = _feed(refuse, {"name": "d", "type": "DATE", "format": "%d/%m/%Y"}, *columns[1:5], form=form)
        refused = on_local(local, feed, f"same.{form}")
        rows = [RejectedRow(_LOAD, row["_row"], row["_reasons"]) for row in refused]
        assert [row.reasons for row in rows] == [["check_failed: s"]] * 3
        assert len(list(write_rows(feed, rows, bucket / f"again.{form}"))) == 3
        again = on_local(local, feed, f"again.{form}")
        assert [[row[name] for name in ("id", *_KINDS)] for row in again] == values[form]
        assert [row["_reasons"] for row in again] == [["check_failed: s"]] * 3


@pytest.mark.parametrize(
    ("schema", "more", "words"),
    [
        (["id", "S"], {"missing_columns": "reject"}, "column s is missing (did you mean 'S'?)"),
        (["id", "s", "x"], {"unknown_columns": "reject"}, "column 'x' is not in the contract"),
        (["s"], {}, "column id is missing"),
        (
            ["id", "s", "Op"],
            {"delete": {"column": "op", "equals": "D"}},
            "column 'Op' is not in the contract (did you mean op?)",
        ),
        (["id", "s", "9x"], {"unknown_columns": "add"}, "9x"),
    ],
)
def test_g7_names_of_the_raw_table_are_held_against_the_contract(
    schema: list[str], more: dict[str, Any], words: str
) -> None:
    feed = _feed({"name": "s", "type": "STRING"}, **more)
    with pytest.raises(PermanentError) as caught:
        loaded_layout([SchemaField(name, "STRING") for name in schema], feed)
    assert caught.value.reason == "wrong_header"
    assert words in caught.value.detail


@pytest.mark.parametrize("unknown", ["rescue", "add"])
def test_what_the_contract_does_not_know_is_a_text(unknown: str) -> None:
    """Also what is within a struct of which the contract names a part."""
    inner = [SchemaField("a", "INTEGER"), SchemaField("b", "BOOLEAN")]
    schema = [SchemaField("id", "INTEGER"), SchemaField("s", "RECORD", fields=inner), SchemaField("x", "DATE")]
    feed = _feed({"name": "a", "from": "s.a", "type": "INT64"}, unknown_columns=unknown)
    if unknown == "add":
        with pytest.raises(PermanentError, match=r"'s[.]b'"):
            loaded_layout(schema, feed)
        schema[1] = SchemaField("s", "RECORD", fields=inner[:1])
    part = ", TRUE AS b" if unknown == "rescue" else ""
    (row,) = on_google(feed, schema, [["1", f"STRUCT(5 AS a{part})", "DATE '2024-01-01'"]])
    assert (row["a"], row["_reasons"]) == (5, [])
    if unknown == "add":
        assert row["x"] == "2024-01-01"
    else:
        assert row["_rescued"] == {"s.b": "true", "x": "2024-01-01"}


def test_what_is_ignored_may_be_of_any_type_and_name() -> None:
    """What is read may not."""
    schema = [SchemaField("id", "INTEGER"), SchemaField("place", "GEOGRAPHY"), SchemaField("it's", "INTEGER")]
    for name in ("place", "it's"):
        assert loaded_layout(schema, _feed()).fields.keys() == {"id"}
        feed = _feed({"name": "x", "from": name, "type": "STRING"})
        with pytest.raises(PermanentError) as caught:
            loaded_layout(schema, feed)
        assert caught.value.reason == "wrong_header"


@pytest.mark.parametrize("form", ["parquet", "avro", "orc"])
def test_a_refused_row_of_a_path_can_be_dropped_again(local: tuple[Warehouse, Path], form: str) -> None:
    """What was within a struct is then beside it, and read by the same path."""
    feed = _feed({"name": "a", "from": "s.a", "type": "TIMESTAMP", "format": "epoch_s"}, form=form)
    row = {"id": "1", "a": "2024-01-01T00:00:00.000000Z", "_kinds": "id:INTEGER a:TIMESTAMP"}
    list(write_rows(feed, [RejectedRow(_LOAD, json.dumps(row), [])], local[1] / f"path.{form}"))
    (found,) = on_local(local, feed, f"path.{form}")
    assert (found["a"], found["_reasons"]) == (datetime(2024, 1, 1, tzinfo=UTC), [])
