"""G5: bursts share MERGE jobs, feeds do not wait for each other, and a trickle waits for nothing."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlglot
from sqlglot import exp

from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from tests.harness.faults.calls import Call, Fault
from tests.harness.faults.cloud import Faulty, faulty_cloud
from tests.harness.feeds import write_feeds
from tests.harness.pipeline import HEADER, row

_FILES = 40
_FEEDS = ("accounts", "tolerant", "third")


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """Three feeds, and the services' usual time budget."""
    folder = tmp_path_factory.mktemp("group-commit")
    feeds = write_feeds(folder / "feeds")
    third = (feeds / "tolerant.yaml").read_text().replace("tolerant", "third")
    (feeds / "third.yaml").write_text(third)
    with faulty_cloud(folder, feeds, budget=540.0) as faulty:
        yield faulty


def test_g5_a_burst_is_committed_together(calm: Faulty) -> None:
    """Far fewer MERGEs than files are sent, each load in exactly one of them. `make bench` does it with 500 files."""
    pipeline = calm.pipeline
    before = calm.script.seen["merge"]
    with ThreadPoolExecutor(8) as drop:
        uris = list(drop.map(lambda n: pipeline.drop(f"g5-{n}.csv", HEADER + row(f"g5-{n}", 400 + n)), range(_FILES)))
    pipeline.wait_until_idle()
    assert calm.script.seen["merge"] - before <= _FILES / 4
    loads = [pipeline.load_id(uri) for uri in uris]
    found = pipeline.connection.rows("SELECT load_id FROM `ops.ledger`")
    assert sorted(one["load_id"] for one in found) == sorted(loads)
    keys = [f"g5-{n}" for n in range(_FILES)]
    assert pipeline.scores(keys) == {f"g5-{n}": 400 + n for n in range(_FILES)}


def test_g5_feeds_are_merged_in_parallel(calm: Faulty) -> None:
    """The MERGEs of three feeds wait for each other at the proxy, and all of them come."""
    together = threading.Barrier(len(_FEEDS), timeout=60)
    met = []

    def meet() -> None:
        together.wait()
        met.append(True)

    for feed in _FEEDS:
        calm.script.arm(Fault(f"{feed} waits for the others", act=meet), _merges(feed))
        calm.pipeline.drop("parallel.csv", HEADER + row("parallel", 700), feed)
    calm.pipeline.wait_until_idle()
    assert len(met) == len(_FEEDS)
    assert [calm.pipeline.scores(["parallel"], feed) for feed in _FEEDS] == [{"parallel": 700}] * 3
    # On BigQuery two transactions that update one table, though not the same row, do not run at once:
    # https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency
    updated = [_updated(calm, feed) for feed in _FEEDS]
    assert [len(tables) for tables in updated] == [2, 2, 2]
    assert len(set().union(*updated)) == 6


def test_g5_a_trickle_is_merged_file_by_file(calm: Faulty) -> None:
    """No file waits for company: each is in the table, by a MERGE of its own, before the next is dropped."""
    before = calm.script.seen["merge"]
    for n in range(3):
        calm.pipeline.drop(f"trickle-{n}.csv", HEADER + row(f"trickle-{n}", 700 + n))
        calm.pipeline.wait_until_idle()
        assert calm.pipeline.scores([f"trickle-{n}"]) == {f"trickle-{n}": 700 + n}
    assert calm.script.seen["merge"] - before == 3


def test_g5_a_staging_table_that_cannot_be_merged_spoils_one_group(calm: Faulty) -> None:
    """A file dead-lettered long ago left it: the first group without it fails, the next ones leave it out."""
    connection = calm.pipeline.connection
    left = Load("accounts", ObjectGeneration("landing", "incoming/accounts/g5-left.csv", 1))
    table = f"local.staging.{left.staging_table(calm.pipeline.contract('accounts'))}"
    another = "SELECT 'another' AS customer_id, 'contract' AS account_number"
    connection.warehouse.query(f"CREATE TABLE `{table}` AS {another}")
    merges = []
    for n in range(3):
        before = calm.script.seen["merge"]
        calm.pipeline.drop(f"spoilt-{n}.csv", HEADER + row(f"spoilt-{n}", 710 + n))
        calm.pipeline.wait_until_idle()
        merges.append(calm.script.seen["merge"] - before)
    connection.warehouse.drop_table(table)
    assert calm.pipeline.scores([f"spoilt-{n}" for n in range(3)]) == {f"spoilt-{n}": 710 + n for n in range(3)}
    assert merges == [2, 1, 1]


def _updated(calm: Faulty, feed: str) -> set[str]:
    """Tables whose rows the feed's merges update: the main table and the lock."""
    return {
        one.this.name
        for sql, _ in calm.script.statements
        if _merges(feed)(Call("bigquery", "POST", "/queries", json.dumps({"query": sql}).encode()))
        for one in sqlglot.parse(sql, read="bigquery")
        if isinstance(one, exp.Update | exp.Merge)
    }


def _merges(feed: str) -> Callable[[Call], bool]:
    def when(call: Call) -> bool:
        return call.step == "merge" and f".main.{feed}`" in call.sql.replace("`.`", ".")

    return when
