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


def test_a_workload_of_one_s_own_is_priced(capsys: pytest.CaptureFixture[str]) -> None:
    """What is left out is the second workload's of the docs, and a line says what one MERGE per file would cost."""
    costs.main(["--files-a-day", "2000", "--merge-every", "5m", "--main-bytes", "1 TiB", "--share-read", "10%"])
    *_, per_file, lingering = capsys.readouterr().out.splitlines()
    assert per_file.startswith("| 2,000 | 1.0 MiB | 1.0 TiB | file | 1.0 | 2,000 | 200 (over 200) |")
    assert lingering.startswith("| 2,000 | 1.0 MiB | 1.0 TiB | 5 min | 6.9 | 288 | 29 |")


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--files-a-day", "0", "'0' is not a number of files, such as 10000"),
        ("--files-a-day", "many", "'many' is not a number of files"),
        ("--file-bytes", "1 MB", "'1 MB' is not a size, such as 1048576 or 1 MiB"),
        ("--main-bytes", "-1", "'-1' is not a size"),
        ("--merge-every", "1h", "'1h' is not 0 or a time up to 7m, such as 90s or 5m"),
        ("--merge-every", "8m", "'8m' is not 0 or a time up to 7m"),
        ("--share-read", "0%", "'0%' is not a share up to 100%, such as 10%"),
        ("--share-read", "0.1", "'0.1' is not a share"),
    ],
)
def test_an_option_that_is_none_is_named(
    capsys: pytest.CaptureFixture[str], option: str, text: str, words: str
) -> None:
    """The error names the option and what it may be."""
    with pytest.raises(SystemExit) as ended:
        costs.main([option, text])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert option in said
    assert words in said


def test_merges_are_divided_by_how_seldom_they_are() -> None:
    """The cadence divides the MERGEs until a group is full, and the request that waits keeps one instance busy."""
    load = costs.WORKLOADS[1]
    often, seldom = (replace(load, merge_every=every) for every in (60.0, 300.0))
    assert often.merges_a_day() == pytest.approx(1440)
    assert often.merges_a_day() / seldom.merges_a_day() == pytest.approx(5)
    assert replace(costs.WORKLOADS[2], merge_every=420).group() == MAX_LOADS
    month = costs.DAYS * 24 * 3600 * (costs.CPU_SECOND + costs.MEMORY_GIB * costs.GIB_SECOND)
    without = load.files_a_day * costs.DAYS * costs.INGEST_SECONDS / costs.OVERLAP
    assert costs.bill(seldom).functions == pytest.approx(
        month + without * (costs.CPU_SECOND + costs.MEMORY_GIB * costs.GIB_SECOND) + 600_000 * costs.REQUEST
    )


def test_by_hand_for_slots_and_for_a_part_of_the_table() -> None:
    """A MERGE of 10 GiB takes 1,000 slot-seconds, and 3,000 are billed at least; bounds leave a tenth of the bytes."""
    one = costs.Workload(1, costs.MIB, 10 * costs.GIB)
    assert costs.bill(one).merges_by_slots == pytest.approx(30 * 3000 / 3600 * 0.04)
    large = replace(one, main_bytes=100 * costs.GIB)
    assert costs.bill(large).merges_by_slots == pytest.approx(30 * (100 + 70 / 1024) * 100 / 3600 * 0.04)
    assert costs.bytes_of_merge(replace(large, share_read=0.1)) == costs.bytes_of_merge(one)


def test_group_commit_never_costs_more_and_divides_merges_by_the_bound() -> None:
    """Groups save nothing at a trickle; at a flood they divide the MERGEs by the size of the largest group."""
    trickle, *_, flood = costs.WORKLOADS
    assert costs.bill(trickle, True) == costs.bill(trickle, False)
    for load in costs.WORKLOADS:
        assert costs.bill(load, True).total <= costs.bill(load, False).total
    assert replace(flood, merge_every=60).group() == MAX_LOADS
    assert costs.bill(flood, False).merges / costs.bill(flood, True).merges == pytest.approx(flood.group(), rel=0.05)


def test_small_things_are_billed_at_their_minimum() -> None:
    """A statement on a file of one byte costs as much as on one of 10 MiB."""
    load = costs.WORKLOADS[0]
    tiny, ten = (costs.bill(replace(load, file_bytes=size)) for size in (1, 10 * costs.MIB))
    assert tiny.checks == ten.checks
    assert costs.bill(replace(load, file_bytes=20 * costs.MIB)).checks == pytest.approx(2 * ten.checks)


def test_by_hand_for_one_file_a_day() -> None:
    """The sum is 30 MERGEs of 10 GiB, and of a staging table, the ledger and the lock, each twice, and the table
    of entries at 10 MiB each."""
    one = costs.bill(costs.Workload(1, costs.MIB, 10 * costs.GIB))
    assert one.merges == pytest.approx(30 * (10 * 1024 + 70) / 1024 / 1024 * 6.25)
    assert one.messages == pytest.approx(30 * 4 * 1000 / 2**40 * 40)


def test_the_first_limit_is_the_one_that_groups_lift() -> None:
    """Once groups lift the limit on MERGEs, the next limit is Google's on load jobs."""
    order = sorted(costs.limits().items(), key=lambda limit: limit[1])
    assert [files for _, files in order][:2] == [5760, 100_000]
