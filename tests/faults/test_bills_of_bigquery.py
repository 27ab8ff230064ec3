"""What a file costs on BigQuery's side, as the report of the benchmarks has it: relations, of small tables."""

from collections.abc import Mapping
from typing import Any

import pytest

from deploy.costs import GIB, MIB
from tests.programs.bench.bigquery_side import count_both, section

pytestmark = pytest.mark.slow
_GROUP = 5
_ROWS = 120_000
"""More than the 10 MiB that are billed at least."""


@pytest.fixture(scope="module")
def found() -> Mapping[str, Any]:
    return count_both(["accounts"], (1, _GROUP), (_ROWS,), 75.0)


def test_a_group_takes_the_jobs_of_one(found: Mapping[str, Any]) -> None:
    """Of merge; ingest's are those of each file, and beside jobs merge drops a staging table of each."""
    one, group = found["calls"]
    assert (one["group"], group["group"]) == (1, _GROUP)
    assert one["merge"]["merges"] == group["merge"]["merges"] == 1
    assert one["merge"]["query_jobs"] == group["merge"]["query_jobs"] > 0
    assert group["ingest"]["query_jobs"] == _GROUP * one["ingest"]["query_jobs"] > 0
    assert group["ingest"]["load_jobs"] == _GROUP
    assert group["merge"]["calls"] < _GROUP * one["merge"]["calls"]


def test_ordered_keys_bill_less_than_random_ones_and_groups_less_than_files(found: Mapping[str, Any]) -> None:
    """Measured at the proxy, and as the model has it for 100 GiB."""
    by = {(one["keys"], one["group"]): one for one in found["bytes"]["measured"]}
    assert by["random", 1]["main_bytes"] > 13 * MIB
    assert by["random", 1]["share_read"] > 0.9
    assert by["ordered", 1]["share_read"] == 0
    assert by["random", 1]["main_billed"] >= 13 * MIB > by["ordered", 1]["main_billed"] == 10 * MIB
    for group in (1, _GROUP):
        assert by["random", group]["billed_per_file"] > by["ordered", group]["billed_per_file"]
    for keys in ("random", "ordered"):
        assert by[keys, _GROUP]["merges"] == 1
        assert by[keys, 1]["billed_per_file"] > by[keys, _GROUP]["billed_per_file"]
    large = {
        (one["keys"], one["merge_every"]): one["billed_per_file"]
        for one in found["bytes"]["computed"]
        if one["main_bytes"] == 100 * GIB
    }
    assert large["random", 0.0] / large["random", 75.0] == pytest.approx(_GROUP, rel=0.01)
    assert large["random", 0.0] > 100 * large["ordered", 0.0]


def test_the_model_is_what_the_statements_bill(found: Mapping[str, Any]) -> None:
    """Within the MiB to which BigQuery rounds what it bills for the main table."""
    for one in found["bytes"]["measured"]:
        rounded = one["billed_per_file"] - one["model_per_file"]
        assert 0 <= rounded < MIB, one


def test_the_section_has_a_row_for_each_figure(found: Mapping[str, Any]) -> None:
    lines = section(found).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 3 + len(found["calls"]) + len(found["bytes"]["measured"]) + 3 * 4
