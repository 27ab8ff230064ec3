"""A job's id repeats with the work, and only with the work."""

import uuid

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
