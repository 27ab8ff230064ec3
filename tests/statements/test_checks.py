"""G1, G7: a check that a contract takes is one that Google's engine runs, and means there what its author wrote."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from services.shared.contract.expression import FUNCTIONS, validate
from services.shared.contract.types import type_named
from tests.harness.googlesql import GoogleSql
from tests.harness.statements.checks import ARRAYS, COLUMNS, checks, rows
from tests.harness.warehouse import local_warehouse

_AT_ONCE = 60
_NOT_LOCAL = {"SAFE_MULTIPLY(n, m) IS NULL"}
"""DuckDB has 38 digits for a product of NUMERIC and all its decimals: one of over 20 digits is NULL there."""


Query = Callable[[str], Iterable[Any]]


@pytest.fixture(scope="module")
def accepted() -> dict[str, str]:
    """As written, to as rendered."""
    found = {}
    for check in checks():
        try:
            found[check] = validate(check, {**COLUMNS, **ARRAYS})
        except ValueError:
            continue
    return found


def _typed() -> str:
    values = [f"{type_named(kind).cast(name)} AS {name}" for name, kind in COLUMNS.items()]
    return ", ".join([*values, *(f"[1, 2] AS {name}" for name in ARRAYS)])


def _warehouse(zone: str = "UTC") -> GoogleSql:
    warehouse = GoogleSql(zone)
    warehouse.load("texts", list(COLUMNS), [[row[name] or None for name in COLUMNS] for row in rows()])
    typed = _typed()
    warehouse.query(f"CREATE OR REPLACE TABLE `typed` AS SELECT {typed} FROM `texts`")
    return warehouse


def _verdicts(query: Query, table: str, conditions: Sequence[str]) -> list[list[bool | None]]:
    """Of each condition, the answer for each row."""
    found: list[list[bool | None]] = []
    for start in range(0, len(conditions), _AT_ONCE):
        some = conditions[start : start + _AT_ONCE]
        names = ", ".join(f"({one}) AS c{n}" for n, one in enumerate(some))
        answers = list(query(f"SELECT {names} FROM {table}"))
        found += [[row[f"c{n}"] for row in answers] for n in range(len(some))]
    return found


def _load(client: bigquery.Client) -> None:
    """The same rows, by number, in the local warehouse."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([n, *map(row.get, COLUMNS)] for n, row in enumerate(rows()))
    schema = [bigquery.SchemaField(name, "STRING") for name in ("_n", *COLUMNS)]
    config = bigquery.LoadJobConfig(schema=schema, source_format="CSV", allow_quoted_newlines=True)
    client.load_table_from_file(io.BytesIO(text.getvalue().encode()), "d.texts", job_config=config).result()
    texts = ", ".join(f"NULLIF({name}, '') AS {name}" for name in COLUMNS)
    typed = _typed()
    from_texts = f"(SELECT SAFE_CAST(_n AS INT64) AS _n, {texts} FROM d.texts)"
    client.query(f"CREATE TABLE d.typed AS SELECT _n, {typed} FROM {from_texts}").result()


def test_a_check_as_written_is_the_check_as_rendered(accepted: dict[str, str]) -> None:
    """On every row; that it runs at all is part of it."""
    warehouse = _warehouse()
    written, rendered = (_verdicts(warehouse.query, "`typed`", list(some)) for some in (accepted, accepted.values()))
    assert [check for check, one, other in zip(accepted, written, rendered, strict=True) if one != other] == []


def test_the_local_warehouse_gives_the_same_verdicts(accepted: dict[str, str], tmp_path: Path) -> None:
    rendered = [one for check, one in accepted.items() if check not in _NOT_LOCAL]
    google = _verdicts(_warehouse().query, "`typed`", rendered)
    with local_warehouse(tmp_path) as client:
        _load(client)
        local = _verdicts(lambda sql: client.query(sql).result(), "(SELECT * FROM d.typed ORDER BY _n)", rendered)
    assert [check for check, one, other in zip(rendered, google, local, strict=True) if one != other] == []


def test_a_check_depends_on_no_time_zone(accepted: dict[str, str]) -> None:
    conditions = [one for one in accepted.values() if "TIMESTAMP" in one or "EXTRACT" in one or " z" in one]
    answers = [
        _verdicts(_warehouse(zone).query, "`typed`", conditions)
        for zone in ("UTC", "America/Los_Angeles", "Pacific/Kiritimati")
    ]
    assert answers[0] == answers[1] == answers[2]


def test_every_function_is_executed(accepted: dict[str, str]) -> None:
    """Or else the tests above would say nothing of it."""
    assert [name for name in FUNCTIONS if not any(f"{name}(" in check for check in accepted)] == []


def test_most_of_what_the_engine_runs_is_accepted(accepted: dict[str, str]) -> None:
    """And little is refused that need not be, or else the tests above would say nothing."""
    assert len(accepted) > 400
