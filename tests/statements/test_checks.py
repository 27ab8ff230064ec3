"""G1, G7: a check that a contract takes is one that Google's engine runs, and means there what its author wrote."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.shared.contract.expression import validate
from services.shared.contract.types import type_named
from tests.harness.googlesql import GoogleSql
from tests.harness.statements.checks import COLUMNS, checks, rows

_AT_ONCE = 60


@pytest.fixture(scope="module")
def accepted() -> dict[str, str]:
    """As written, to as rendered."""
    found = {}
    for check in checks():
        try:
            found[check] = validate(check, COLUMNS)
        except ValueError:
            continue
    return found


def _warehouse(zone: str = "UTC") -> GoogleSql:
    warehouse = GoogleSql(zone)
    warehouse.load("texts", list(COLUMNS), [[row[name] or None for name in COLUMNS] for row in rows()])
    typed = ", ".join(f"{type_named(kind).cast(name)} AS {name}" for name, kind in COLUMNS.items())
    warehouse.query(f"CREATE OR REPLACE TABLE `typed` AS SELECT {typed} FROM `texts`")
    return warehouse


def _verdicts(warehouse: GoogleSql, conditions: Sequence[str]) -> list[list[bool | None]]:
    """Of each condition, the answer for each row."""
    found: list[list[bool | None]] = []
    for start in range(0, len(conditions), _AT_ONCE):
        some = conditions[start : start + _AT_ONCE]
        names = ", ".join(f"({one}) AS c{n}" for n, one in enumerate(some))
        answers = warehouse.query(f"SELECT {names} FROM `typed`")
        found += [[row[f"c{n}"] for row in answers] for n in range(len(some))]
    return found


def test_a_check_as_written_is_the_check_as_rendered(accepted: dict[str, str]) -> None:
    """On every row; that it runs at all is part of it."""
    warehouse = _warehouse()
    written, rendered = (_verdicts(warehouse, list(some)) for some in (accepted, accepted.values()))
    assert [check for check, one, other in zip(accepted, written, rendered, strict=True) if one != other] == []


def test_a_check_depends_on_no_time_zone(accepted: dict[str, str]) -> None:
    conditions = [one for one in accepted.values() if "TIMESTAMP" in one or "EXTRACT" in one or " z" in one]
    answers = [
        _verdicts(_warehouse(zone), conditions) for zone in ("UTC", "America/Los_Angeles", "Pacific/Kiritimati")
    ]
    assert answers[0] == answers[1] == answers[2]


def test_most_of_what_the_engine_runs_is_accepted(accepted: dict[str, str]) -> None:
    """And little is refused that need not be, or else the tests above would say nothing."""
    assert len(accepted) > 400
