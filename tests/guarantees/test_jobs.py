"""What is repeated, or done twice at once, is done once: jobs have ids, and names that are taken are no fault."""

import uuid

import pytest

from services.ingest.check_rows import stage_rows
from services.ingest.tables import Tables
from services.shared.errors import NotFoundError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.pipeline import Pipeline


def test_g1_the_same_work_is_one_job_and_other_parameters_are_another(pipeline: Pipeline) -> None:
    """A parameter may be the contract's, such as what marks a delete."""
    warehouse = pipeline.connection.warehouse
    name = f"once-{uuid.uuid4().hex}"
    table = f"{pipeline.connection.project}.staging._{name.replace('-', '_')}"
    made = f"CREATE OR REPLACE TABLE `{table}` AS SELECT @marker AS marker, GENERATE_UUID() AS made"

    def make(marker: str, idempotency_key: str = "") -> tuple[str, str]:
        warehouse.create_table_once(name, table, made, {"marker": ("STRING", marker)}, idempotency_key)
        (row,) = warehouse.query(f"SELECT marker, made FROM `{table}`")
        return row["marker"], row["made"]

    first = make("D")
    assert make("D") == first
    assert make("DEL")[0] == "DEL"
    second = make("DEL", "a replay")
    assert second[0] == "DEL"
    assert make("DEL", "a replay") == second
    assert make("DEL", "another") != second
    warehouse.drop_table(table)


def test_g1_deliveries_of_a_load_that_overlap_stage_it_once(pipeline: Pipeline) -> None:
    """The slower one may find the name taken, or what it was about to rename gone; it is lost only if both are."""
    warehouse, feed = pipeline.connection.warehouse, pipeline.connection.feeds["accounts"]
    load = Load(feed.name, ObjectGeneration("landing", f"incoming/accounts/{uuid.uuid4().hex}.csv", 7))
    tables = Tables.of(pipeline.connection.project, feed, load)

    def check(which: str) -> None:
        warehouse.query(f"CREATE OR REPLACE TABLE `{tables.checked}` AS SELECT '{which}' AS which")

    def staged() -> tuple[list[str], bool]:
        rows = warehouse.query(f"SELECT which FROM `{tables.staging}`")
        return [row["which"] for row in rows], warehouse.table_exists(tables.checked)

    check("faster")
    stage_rows(warehouse, feed, load, tables, rejected=0)
    assert staged() == (["faster"], False)
    stage_rows(warehouse, feed, load, tables, rejected=0)
    assert staged() == (["faster"], False)
    check("slower")
    stage_rows(warehouse, feed, load, tables, rejected=0)
    assert staged() == (["faster"], False)
    warehouse.drop_table(tables.staging)
    with pytest.raises(NotFoundError):
        stage_rows(warehouse, feed, load, tables, rejected=0)
