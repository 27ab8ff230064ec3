"""Google's own engine executes the services' statements: G1 and G7 in BigQuery's own SQL."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.shared.contract.feed import Feed
from services.shared.contract.types import TYPES, ColumnType
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.googlesql import GoogleSql
from tests.harness.histories import oracle
from tests.harness.histories.feeds import CONTRACTS, YAML, header
from tests.harness.histories.histories import BAD, GOOD
from tests.harness.histories.history import File
from tests.harness.staging import Texts, check, merge, stage

_GENERATION = 1751328000000000
_TEXTS = 2000
_SEEDS: Mapping[str, tuple[str, ...]] = {
    "BOOL": ("true", "FALSE", "False", "tRue"),
    "INT64": ("0", "-7", "+42", "9223372036854775807", "-9223372036854775808", "0009223372036854775808"),
    "NUMERIC": ("1.5", "-0.000000001", "9" * 29 + ".999999999", "1.0000000010", "00.5", "1" + "0" * 29),
    "FLOAT64": ("1.5", "-1e308", "1.7976931348623157e308", "5e-324", "1E+3", "-0.0", "1e400", "123456789.123456789"),
    "TIMESTAMP": (
        *("2024-02-29T23:59:59.999999Z", "0001-01-01T00:00:00+00:00", "9999-12-31 23:59:59.999999-00:01"),
        *("2025-01-01 12:00:00+14:00", "1899-12-31T23:59:59.5-12:30"),
        *("2024-02-29 23:59:59.999999 UTC", "0001-01-01T00:00:00 UTC"),
    ),
    "DATE": ("2024-02-29", "0001-01-01", "9999-12-31", "1900-02-28", "2025-04-30"),
    "DATETIME": ("2024-02-29T23:59:59.999999", "0001-01-01 00:00:00", "9999-12-31 23:59:59.5", "2024-12-31T24:00:00"),
    "TIME": ("00:00:00", "23:59:59.999999", "12:30:00.5", "24:00:00"),
    "BIGNUMERIC": (
        *("1.5", "-0.00000000000000000000000000000000000001", "9" * 38, "-5" + "0" * 38 + ".5", "1.0" + "0" * 40),
        *("578960446186580977117854925043439539266.34992332820282019728792003956564819967", "6" + "0" * 38),
        *("-578960446186580977117854925043439539266.34992332820282019728792003956564819968", "0." + "0" * 38 + "1"),
    ),
    "BYTES": ("", "YQ==", "YWI=", "YWJj", "+/+/", "AAAA" * 5),
    "JSON": (
        *("1", "-0.0", "1.10", "1e22", '"a"', '"\\ud83d\\ude00"', "null", "true", "[]", "{}", '[1, "x", {"a": null}]'),
        *('{"b": 1, "a": 2.50, "b": 3}', "18446744073709551615", "9007199254740993.0", '"\\ud83d"', '{"a": [1, [2]]}'),
    ),
    "STRING": ("a", "", "ünï", "a b", "\ufffc"),
}
_SIGNS = '0123456789+-.:eETZ tfu\n\t_,[]{}"\\=\u0663\u00bdİ\U0001f511'


def _changed(chance: random.Random, text: str) -> str:
    """The text with none, one or two characters changed, put in or left out."""
    for _ in range(chance.choice((0, 1, 1, 2))):
        at = chance.randint(0, len(text))
        text = text[:at] + chance.choice(("", *_SIGNS)) + text[at + chance.randint(0, 1) :]
    return text


def _generated(kind: str, number: int = _TEXTS) -> list[str]:
    chance = random.Random(kind)
    return [_changed(chance, chance.choice(_SEEDS[kind])) for _ in range(number)]


def _feed(**more: Any) -> Feed:
    columns = [{"name": f"a_{name.lower()}", "type": name} for name in _SEEDS]
    fixed = [{"name": "id", "type": "STRING"}, {"name": "version", "type": "INT64"}]
    fields = {"objects": "x/*", "format": {"type": "csv"}, "table": "main.typed", "key": ["id"], "version": "version"}
    return Feed.model_validate(
        {"feed": "typed", "columns": [*fixed, *columns], "bad_rows": {"at_most": "100%"}, **fields, **more}
    )


@pytest.fixture(scope="module")
def typed() -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Rows of generated texts, a column each type, and what the services' statement makes of them."""
    texts = {f"a_{kind.lower()}": _generated(kind) for kind in _SEEDS}
    rows: list[Texts] = [
        {"id": f"r{n}", "version": "1", **{name: given[n] for name, given in texts.items()}} for n in range(_TEXTS)
    ]
    found = check(GoogleSql(), _feed(), Load("typed", ObjectGeneration("landing", "t.csv", _GENERATION)), rows)
    return list(zip(rows, found, strict=True))


@pytest.mark.parametrize("kind", _SEEDS)
def test_g7_a_type_reads_a_text_alike_in_sql_and_in_python(typed: Any, kind: str) -> None:
    """Value or none, by the engine, by the type's own reading, and by the oracle's with its reason."""
    name = f"a_{kind.lower()}"
    for row, found in typed:
        text = row[name]
        reasons = [one.partition(":")[0] for one in found["_reasons"] if one.endswith(f": {name}")]
        if text == "":
            assert (found[name], reasons) == (None, [])
            continue
        value, reason = _by_oracle(kind, text)
        assert (found[name], reasons) == (value, [reason] if reason else []), text
        assert TYPES[kind].accepts(text) == (not reason), text
        assert reason or TYPES[kind].parse(text) == value, text


def _by_oracle(kind: str, text: str) -> tuple[Any, str]:
    try:
        return oracle.read_value(kind, text), ""
    except ValueError as error:
        return None, str(error)


def test_every_type_is_executed() -> None:
    """GEOGRAPHY aside, of which the engine has no functions."""
    assert {*_SEEDS, "GEOGRAPHY"} == set(TYPES)


@pytest.mark.parametrize("kind", [one for one in TYPES.values() if one.can_be_key], ids=lambda kind: kind.name)
def test_the_key_range_leaves_no_row_out(kind: ColumnType) -> None:
    """Each value from the least to the greatest lies within the bounds that stand in a MERGE."""
    chance = random.Random(kind.name)
    texts = sorted({text for text in _generated(kind.name, 400) if text and kind.accepts(text)})
    warehouse = GoogleSql()
    warehouse.load("t", ["x"], [[text] for text in texts])
    warehouse.query(f"CREATE OR REPLACE TABLE `keys` AS SELECT {kind.cast('x')} AS k FROM `t`")
    values = [row["k"] for row in warehouse.query("SELECT k FROM `keys` ORDER BY k")]
    outside = []
    for number in range(40):
        low, high = sorted(chance.choices(range(len(values)), k=2))
        bounds = " AND ".join(f"k {sign} {literal}" for sign, literal in kind.bounds(values[low], values[high]))
        outside.append(f"COUNTIF(n BETWEEN {low} AND {high} AND NOT ({bounds or 'TRUE'})) AS _{number}")
    numbered = "SELECT k, ROW_NUMBER() OVER (ORDER BY k) - 1 AS n FROM `keys`"
    (found,) = warehouse.query(f"SELECT {', '.join(outside)} FROM ({numbered})")
    assert set(found.values()) == {0}


def _files(chance: random.Random, feed: str, number: int, rows: int) -> list[tuple[Load, list[Texts]]]:
    """Files of a few keys and versions, so that rows meet and tie; some rows are bad."""
    found = []
    for n in range(number):
        texts: list[Texts] = []
        for _ in range(rows):
            row = {name: chance.choice(good) for name, good in GOOD[feed].items()}
            if chance.random() < 0.1:
                name = chance.choice(list(BAD[feed]))
                row[name] = chance.choice(BAD[feed][name])
            texts.append({"run": "r", **row})
        found.append((Load(feed, ObjectGeneration("landing", f"{n % 2}.csv", _GENERATION + n)), texts))
    return found


def _arrived(load: Load, texts: list[Texts]) -> oracle.Arrived:
    """The file that has these rows, as the oracle reads it."""
    names = header(load.feed)
    file = File(load.feed, load.source.name, tuple(tuple(row[name] for name in names) for row in texts))
    contract = replace(CONTRACTS[load.feed], at_most="100%")
    return oracle.Arrived(contract, load.source.bucket, load.source.name, load.source.generation, file.data("r"))


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
@pytest.mark.parametrize("name", YAML)
def test_g1_the_winner_of_a_key(name: str, zone: str) -> None:
    """Files merged in another order, alone and in a group, make the oracle's table, whatever the default time zone."""
    files = _files(random.Random(name), name, 4, 25)
    feed, warehouse = Feed.model_validate({**YAML[name], "bad_rows": {"at_most": "100%"}}), GoogleSql(zone)
    for group in (files[2:3], [files[3], files[0]], files[1:2]):
        for load, texts in group:
            stage(warehouse, feed, load, texts)
        assert merge(warehouse, feed, group[0][0]) == "merged"
    names = [column.name for column in feed.columns]
    found = [
        oracle.Row(tuple(row[name] for name in names), row["_deleted"], row["_generation"], row["_object"])
        for row in warehouse.query(f"SELECT * FROM `local.main.{name}`")
    ]
    expected = oracle.answer([_arrived(*file) for file in files]).tables[name].values()
    assert len(found) > 2
    assert Counter(found) == Counter(expected)


_CREATED = (datetime(2025, 6, 15, 5, tzinfo=UTC), datetime(2025, 2, 28, 23, 59, 59, 999999, tzinfo=UTC))


@pytest.mark.parametrize("created", _CREATED, ids=str)
def test_g1_a_date_in_the_future_is_one_in_every_zone(created: datetime) -> None:
    """More than 24 hours after the object's creation, by the date in UTC."""
    generation = (created - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
    load, feed = Load("typed", ObjectGeneration("landing", "t.csv", generation)), _feed(version="a_date")
    days = [(created + timedelta(days=n)).date().isoformat() for n in range(-1, 4)]
    rows: list[Texts] = [{column.name: "" for column in feed.columns} | {"id": day, "a_date": day} for day in days]
    answers = [
        [row["_reasons"] for row in check(GoogleSql(zone), feed, load, rows)]
        for zone in ("UTC", "America/Los_Angeles", "Pacific/Kiritimati")
    ]
    assert answers == [[[], [], [], *[["version_in_the_future: a_date"]] * 2]] * 3
