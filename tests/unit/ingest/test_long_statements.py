"""The statement that checks a wide file is one that BigQuery takes."""

from __future__ import annotations

import pytest

from services.ingest.check_rows import check_statement
from services.ingest.match_header import match_header
from services.ingest.tables import Tables
from services.shared.contract.feed import Feed
from tests.harness.statements.feeds import wide

_LIMIT = 1024 * 1024
"""Characters of a statement (https://cloud.google.com/bigquery/quotas#query_jobs)."""


@pytest.mark.parametrize(("kind", "columns"), [("csv", 1000), ("ndjson", 700)])
def test_the_check_of_a_wide_file_stays_within_bigquery_s_limit_on_a_statement(kind: str, columns: int) -> None:
    """Of every type in turn, with long names."""
    fields = wide(columns).model_dump(mode="json", exclude_none=True, exclude_defaults=True, by_alias=True)
    feed = Feed.model_validate(fields | {"format": {"type": kind}})
    table = f"project-with-thirty-characters.staging.{'x' * 100}"
    statement = check_statement(feed, Tables(*[table] * 4), match_header(list(feed.names_in_file), feed))
    assert len(statement) < _LIMIT
