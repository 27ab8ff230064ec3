"""The prices and limits in docs/costs.md are those of the model, which is held against sums worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy import costs
from deploy.topology import ROOT
from services.merge.statement import MAX_LOADS


def test_the_tables_in_the_docs_are_the_model_s() -> None:
    """`python -m deploy.costs` prints what is between the marks."""
    text = (ROOT / "docs" / "costs.md").read_text()
    shown = text.partition("<!-- python -m deploy.costs -->\n")[2].partition("<!-- end -->")[0]
    assert shown == costs.tables()


def test_group_commit_never_costs_more_and_divides_merges_by_the_bound() -> None:
    """Groups save nothing at a trickle; at a flood they divide the MERGEs by the size of the largest group."""
    trickle, *_, flood = costs.WORKLOADS
    assert costs.bill(trickle, True) == costs.bill(trickle, False)
    for load in costs.WORKLOADS:
        assert costs.bill(load, True).total <= costs.bill(load, False).total
    assert flood.group(True) == MAX_LOADS
    assert costs.bill(flood, False).merges / costs.bill(flood, True).merges == pytest.approx(MAX_LOADS, rel=0.02)


def test_small_things_are_billed_at_their_minimum() -> None:
    """A statement on a file of one byte costs as much as on one of 10 MiB."""
    load = costs.WORKLOADS[0]
    tiny, ten = (costs.bill(replace(load, file_bytes=size)) for size in (1, 10 * costs.MIB))
    assert tiny.checks == ten.checks
    assert costs.bill(replace(load, file_bytes=20 * costs.MIB)).checks == pytest.approx(2 * ten.checks)


def test_by_hand_for_one_file_a_day() -> None:
    """The model's sum is 30 MERGEs of 10 GiB, a staging table twice, ledger, lock twice and lookup at 10 MiB each."""
    one = costs.bill(costs.Workload(1, costs.MIB, 10 * costs.GIB))
    assert one.merges == pytest.approx(30 * (10 * 1024 + 60) / 1024 / 1024 * 6.25)
    assert one.messages == pytest.approx(30 * 4 * 1000 / 2**40 * 40)


def test_the_first_limit_is_the_one_that_groups_lift() -> None:
    """Once groups lift the limit on MERGEs, the next limit is Google's on load jobs."""
    order = sorted(costs.limits().items(), key=lambda limit: limit[1])
    assert [files for _, files in order][:2] == [5760, 100_000]
