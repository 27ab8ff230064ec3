"""What merge and ingest rely on in BigQuery's statements: errors, limits, and changes of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from google.cloud.bigquery import ConnectionProperty, QueryJobConfig

from deploy.google.probe.expressions import TEMPLATES
from deploy.google.probe.files import FEED
from deploy.google.probe.question import Answer, Question, outcome
from deploy.google.probe.scratch import Scratch
from services import merge
from services.shared.sql import Templates

_MIB = 2**20
_LEAST = 10 * _MIB
"""Billed for each table that a statement reads (https://cloud.google.com/bigquery/pricing#on_demand_pricing)."""
_OF_MERGE = Templates(Path(merge.__file__).parent)
_INSERTS = 30
_TIMEOUT = 120.0
_BY_MONTH = "k STRING, seen_at TIMESTAMP; clustered by k; by MONTH of seen_at"
_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def questions() -> Iterator[Question]:
    yield from _of_errors()
    yield from _of_limits()
    yield from _of_jobs()
    yield from _of_tables()


def _of_errors() -> Iterator[Question]:
    yield Question(
        "two_transactions",
        "two transactions that update one lock table at once",
        "BEGIN TRANSACTION; UPDATE lock …; twice, before either commits",
        "Merge repeats the one that is cancelled; another error would make dead letters of its messages.",
        two_transactions,
        expected=("first done, second transient (invalidQuery)",),
        most_bytes=5 * _LEAST,
        only_google=True,
    )
    yield Question(
        "missing_staging_table",
        "a staging table that is gone, inside a script",
        "BEGIN TRANSACTION; UPDATE lock …; MERGE … USING gone; COMMIT TRANSACTION",
        "Merge looks again at what waits for not_found, and for nothing else.",
        _missing_staging_table,
        expected=("not_found (notFound)", "not_found (invalidQuery)"),
        most_bytes=4 * _LEAST,
    )


def _of_limits() -> Iterator[Question]:
    over = ("too_expensive (bytesBilledLimitExceeded)", "transient (bytesBilledLimitExceeded)")
    for name, limit, asks, expected in (
        ("limit_of_nothing", 1, "maximum_bytes_billed of 1 byte on a script that reads two tables", over),
        (
            "limit_between",
            15 * _MIB,
            "maximum_bytes_billed of 15 MiB on two statements of 10 MiB each",
            (*over, "done"),
        ),
    ):
        yield Question(
            name,
            asks,
            "UPDATE t …; MERGE t …",
            "It says what an exceeded limit looks like, and with the other one whether a script's limit is for each "
            "statement (done) or for all.",
            partial(_limited, name=name, limit=limit),
            finding=3,
            expected=expected,
            most_bytes=4 * _LEAST,
        )


def _of_jobs() -> Iterator[Question]:
    rates = [f"done, transient ({word})" for word in ("jobRateLimitExceeded", "quotaExceeded", "rateLimitExceeded")]
    yield Question(
        "many_inserts",
        f"{_INSERTS} INSERTs at once into one table, which may have 25 in 10 seconds",
        "INSERT INTO t …",
        "All feeds record their rejected rows in one table; what is refused must be transient.",
        _many_inserts,
        finding=21,
        expected=("done", *rates),
        most_bytes=(_INSERTS + 1) * _LEAST,
    )
    yield Question(
        "job_id_twice",
        "a second job of the same id",
        "jobs.insert, twice",
        "A delivery that is repeated finds its own jobs so.",
        _job_id_twice,
        finding=22,
        expected=("transient (duplicate)",),
    )


def _of_tables() -> Iterator[Question]:
    at_once = "A load's table is made without writing its rows twice, if this works at once after they were written."
    follows = "Main tables follow their contracts so."
    kept = '[[1, "x", 1], [2, "x", 2]]'
    for name, asks, why, ask, expected in (
        ("clone", "CREATE TABLE … CLONE of a table just written", at_once, _clone, kept),
        (
            "rename",
            "ALTER TABLE … RENAME TO of a table just written",
            at_once,
            _rename,
            f"{kept}; labels {{'kept': 'yes'}}",
        ),
        ("rename_taken", "the same to a name that is taken", at_once, _rename_taken, ""),
        ("add_column", "ALTER TABLE … ADD COLUMN", follows, _add_column, ""),
        ("widen", "ALTER COLUMN … SET DATA TYPE, INT64 to NUMERIC", follows, _widen("n"), ""),
        ("widen_key", "the same of a column that the table is clustered by", follows, _widen("k"), ""),
        ("change_clustering", "tables.update of the clustering columns", follows, _change_clustering, ""),
        ("by_month", "PARTITION BY TIMESTAMP_TRUNC(…, MONTH)", follows, _by_month, _BY_MONTH),
    ):
        yield Question(
            name,
            asks,
            asks,
            why,
            ask,
            finding=10,
            expected=(expected,) if expected else (),
            most_bytes=3 * _LEAST,
        )


def _create_lock(scratch: Scratch, name: str) -> str:
    """The lock of a main table, as merge makes it."""
    lock = scratch.table(name)
    for template in ("create_lock.sql", "create_lock_row.sql"):
        scratch.warehouse.query(_OF_MERGE.render(template, lock=lock, feed=FEED, labels={}))
    return lock


def _create_keys(scratch: Scratch, name: str) -> str:
    table = scratch.table(name)
    scratch.warehouse.query(TEMPLATES.render("create_keys.sql", table=table))
    return table


def two_transactions(scratch: Scratch) -> Answer:
    """A session leaves the first one open while the second tries
    (https://cloud.google.com/bigquery/docs/transactions#transaction_scope)."""
    lock = _create_lock(scratch, "two_transactions")
    opened = _run(scratch, TEMPLATES.render("take_lock.sql", lock=lock), QueryJobConfig(create_session=True))
    session = QueryJobConfig(connection_properties=[ConnectionProperty("session_id", opened.session_info.session_id)])
    try:
        second = outcome(lambda: _run(scratch, TEMPLATES.render("lock_and_commit.sql", lock=lock)) and None)
        first = outcome(lambda: _run(scratch, "COMMIT TRANSACTION", session) and None)
    finally:
        _run(scratch, "CALL BQ.ABORT_SESSION()", session)
    return Answer(f"first {first.verdict}, second {second.verdict}", second.said or first.said)


def _run(scratch: Scratch, sql: str, config: QueryJobConfig | None = None) -> Any:
    """The job that is done."""
    job = scratch.warehouse.client.query(sql, config, timeout=_TIMEOUT, job_retry=None)
    job.result(timeout=_TIMEOUT, job_retry=None)
    return job


def _missing_staging_table(scratch: Scratch) -> None:
    lock, table = _create_lock(scratch, "lock_of_missing"), _create_keys(scratch, "main_of_missing")
    _run(scratch, TEMPLATES.render("missing_staging.sql", lock=lock, table=table, missing=scratch.table("gone")))


def _limited(scratch: Scratch, name: str, limit: int) -> None:
    sql = TEMPLATES.render("merge_script.sql", table=_create_keys(scratch, name))
    _run(scratch, sql, QueryJobConfig(maximum_bytes_billed=limit))


def _many_inserts(scratch: Scratch) -> Answer:
    """https://cloud.google.com/bigquery/quotas#data-manipulation-language-statements"""
    sql = TEMPLATES.render("insert_row.sql", table=_create_keys(scratch, "many_inserts"))
    with ThreadPoolExecutor(_INSERTS) as pool:
        ends = list(pool.map(lambda _: outcome(lambda: _run(scratch, sql) and None), range(_INSERTS)))
    counts = Counter(one.verdict for one in ends)
    return Answer(", ".join(sorted(counts)), "; ".join(f"{count} {end}" for end, count in sorted(counts.items())))


def _job_id_twice(scratch: Scratch) -> None:
    client, sql = scratch.warehouse.client, TEMPLATES.render("expression.sql", expression="1")
    for _ in range(2):
        client.query(sql, job_id=f"dropmerge-probe-{scratch.run}", job_retry=None, timeout=_TIMEOUT)


def _clone(scratch: Scratch) -> Answer:
    table, new = _create_keys(scratch, "clone"), scratch.table("clone_made")
    _run(scratch, TEMPLATES.render("clone.sql", table=table, new=new))
    return Answer(scratch.rows(new))


def _rename(scratch: Scratch) -> Answer:
    table, new = _create_keys(scratch, "rename"), scratch.table("renamed")
    made = scratch.warehouse.client.get_table(table)
    made.labels = {"kept": "yes"}
    scratch.warehouse.update_table(made, "labels")
    _run(scratch, TEMPLATES.render("rename.sql", table=table, new_name="renamed"))
    return Answer(f"{scratch.rows(new)}; labels {scratch.warehouse.client.get_table(new).labels}")


def _rename_taken(scratch: Scratch) -> Answer:
    tables = [_create_keys(scratch, name) for name in ("to_rename", "taken")]
    _run(scratch, TEMPLATES.render("rename.sql", table=tables[0], new_name="taken"))
    return Answer("done")


def _add_column(scratch: Scratch) -> Answer:
    table = _create_keys(scratch, "add_column")
    _run(scratch, TEMPLATES.render("add_column.sql", table=table))
    return Answer(_described(scratch, table))


def _widen(column: str) -> Callable[[Scratch], Answer]:
    def ask(scratch: Scratch) -> Answer:
        table = _create_keys(scratch, f"widen_{column}")
        _run(scratch, TEMPLATES.render("set_data_type.sql", table=table, column=column))
        return Answer(_described(scratch, table))

    return ask


def _change_clustering(scratch: Scratch) -> Answer:
    """https://cloud.google.com/bigquery/docs/manage-clustered-tables#modifying-cluster-spec"""
    table = scratch.warehouse.client.get_table(_create_keys(scratch, "change_clustering"))
    table.clustering_fields = ["v", "k"]
    scratch.warehouse.client.update_table(table, ["clustering_fields"])
    return Answer(_described(scratch, scratch.table("change_clustering")))


def _by_month(scratch: Scratch) -> Answer:
    table = scratch.table("by_month")
    _run(scratch, TEMPLATES.render("by_month.sql", table=table))
    return Answer(_described(scratch, table))


def _described(scratch: Scratch, name: str) -> str:
    """Columns, what the table is clustered by, and by what it is partitioned."""
    table = scratch.warehouse.client.get_table(name)
    columns = ", ".join(f"{field.name} {_NAMES.get(field.field_type, field.field_type)}" for field in table.schema)
    parts = (
        f"; by {table.time_partitioning.type_} of {table.time_partitioning.field}" if table.time_partitioning else ""
    )
    return f"{columns}; clustered by {', '.join(table.clustering_fields or ('nothing',))}{parts}"
