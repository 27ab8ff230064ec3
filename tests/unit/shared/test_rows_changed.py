"""What a MERGE changed is read from the jobs of its script; that it cannot be read changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from google.api_core.exceptions import Forbidden
from structlog.testing import capture_logs

from services.shared.warehouse import Warehouse


def _warehouse(list_jobs: Any) -> Warehouse:
    return Warehouse(SimpleNamespace(list_jobs=list_jobs), 60.0)  # type: ignore[arg-type]


def _child(second: int, kind: str, counts: tuple[int, int] | None) -> Any:
    stats = SimpleNamespace(inserted_row_count=counts[0], updated_row_count=counts[1]) if counts else None
    created = datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC)
    return SimpleNamespace(created=created, job_id=f"script_job_{second}", statement_type=kind, dml_stats=stats)


def test_the_first_merge_of_a_script_counts() -> None:
    """It is the main table's; a second is of the table of versions. BigQuery lists the newest job first."""
    children = [_child(3, "MERGE", (9, 9)), _child(2, "MERGE", (1, 2)), _child(1, "UPDATE", (0, 1))]
    assert _warehouse(lambda **_: children).rows_changed("parent") == (1, 2)
    assert _warehouse(lambda **_: [_child(1, "UPDATE", (0, 1)), _child(2, "MERGE", None)]).rows_changed("p") is None


def test_jobs_that_cannot_be_listed_are_not_counted() -> None:
    """What is merged stays merged."""

    def forbidden(**_: object) -> Any:
        raise Forbidden("no")  # type: ignore[no-untyped-call]

    with capture_logs() as said:
        assert _warehouse(forbidden).rows_changed("parent") is None
    assert [one["event"] for one in said] == ["changed rows not counted"]
