"""What each MERGE of a script inserted, updated and deleted is said of a job of its own, as BigQuery does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from tests.harness.warehouse import local_warehouse

_INSERT = "WHEN NOT MATCHED THEN INSERT (k, v) VALUES (s.k, s.v)"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    with local_warehouse(tmp_path_factory.mktemp("warehouse")) as found:
        yield found


@pytest.mark.parametrize("name", ["plain", "with-hyphen"])
@pytest.mark.parametrize(
    ("clauses", "counts", "left"),
    [
        (f"WHEN MATCHED THEN UPDATE SET v = s.v {_INSERT}", (2, 1, 0), 4),
        (f"WHEN MATCHED AND s.v > t.v + 100 THEN UPDATE SET v = s.v {_INSERT}", (2, 0, 0), 4),
        ("WHEN MATCHED THEN UPDATE SET v = s.v", (0, 1, 0), 2),
        (f"WHEN MATCHED AND s.k != 'THEN DELETE' THEN UPDATE SET v = s.v {_INSERT}", (2, 1, 0), 4),
        (f"WHEN MATCHED THEN DELETE {_INSERT}", (2, 0, 1), 3),
        (f"{_INSERT} WHEN NOT MATCHED BY SOURCE THEN DELETE", (2, 0, 1), 3),
    ],
)
def test_the_rows_that_a_merge_changed(
    client: bigquery.Client, name: str, clauses: str, counts: tuple[int, int, int], left: int
) -> None:
    table = f"`d.{name}`"
    client.query_and_wait(f"CREATE OR REPLACE TABLE {table} AS SELECT k, 1 AS v FROM UNNEST(['a', 'b']) AS k")
    source = "(SELECT k, 2 AS v FROM UNNEST(['b', 'c', 'd']) AS k)"
    script = client.query(
        f"BEGIN TRANSACTION; MERGE {table} AS t USING {source} AS s ON t.k = s.k {clauses}; COMMIT TRANSACTION;"
    )
    script.result()
    (merged,) = client.list_jobs(parent_job=script.job_id)
    stats = merged.dml_stats
    assert (stats.inserted_row_count, stats.updated_row_count, stats.deleted_row_count) == counts
    assert merged.num_dml_affected_rows == sum(counts)
    ((rows,),) = client.query_and_wait(f"SELECT COUNT(*) FROM {table}")
    assert rows == left
