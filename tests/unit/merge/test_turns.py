"""A merge waits for its turn no longer than leaves it the time to merge."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.merge.merge_loads import Merger
from services.merge.turns import Times
from services.shared.contract.feed import Feed
from services.shared.delivery import Delivery
from services.shared.errors import TransientError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.push import PushMessage
from services.shared.messages.staged import StagedMessage
from services.shared.settings import Settings
from services.shared.warehouse import Parameters
from tests.harness.histories.feeds import YAML
from tests.harness.statements.analyser import Analyser
from tests.harness.statements.statements import AnalysingWarehouse
from tests.harness.subscription import wait_until

FEED = Feed.model_validate(YAML["readings"])
_SOON = Times(float("inf"), float("inf"))


def _merger(budget: float, warehouse: Any = None, publisher: Any = None) -> Merger:
    settings = Settings(  # type: ignore[call-arg]  # the rest has defaults
        GOOGLE_CLOUD_PROJECT="p", service="merge", feeds=Path("feeds"), dead_letter_topic="t", budget_seconds=budget
    )
    return Merger(settings, {FEED.name: FEED}, warehouse, publisher)


def _load(name: str = "x.csv") -> Load:
    return Load(FEED.name, ObjectGeneration("landing", name, 1))


def _delivery(load: Load | None = None) -> Delivery:
    return Delivery(PushMessage(StagedMessage(load or _load(), FEED.fingerprint).encode(), {}, "1", "s", 1), "")


def test_g5_a_merge_that_goes_on_and_on_does_not_hold_up_the_deliveries_behind_it() -> None:
    """They give up in time and are delivered again; a thread that waited for ever would be one less for all feeds."""
    merger = _merger(budget=0.1)
    with merger.turns.turn(FEED.table, "another", _SOON), pytest.raises(TransientError, match="too long"):
        merger(_delivery())


def test_g5_the_table_lock_is_released() -> None:
    merger = _merger(budget=4.0)
    with pytest.raises(AttributeError):
        merger(_delivery())  # there is no warehouse to work with
    with merger.turns.turn(FEED.table, "another", _SOON):
        pass


class _Late(AnalysingWarehouse):
    """A warehouse whose list of tables is older than the tables."""

    def __init__(self) -> None:
        super().__init__(Analyser())

    def list_tables(self, dataset: str, prefix: str) -> list[str]:
        return []

    def table_exists(self, table: str) -> bool:
        return True


def test_g2_a_staging_table_that_the_list_does_not_have_yet_is_not_missing() -> None:
    with pytest.raises(TransientError, match="created after the staging tables were listed"):
        _merger(budget=4.0, warehouse=_Late())(_delivery())


class _Asked(AnalysingWarehouse):
    """A warehouse with these staging tables, of loads that were merged before."""

    def __init__(self, tables: list[str]) -> None:
        super().__init__(Analyser())
        self._tables = tables
        self.asked: list[str] = []
        self.dropped: list[str] = []

    def query(self, sql: str, parameters: Parameters | None = None, name: str | None = None) -> list[Any]:
        rows = super().query(sql, parameters, name)
        if "SELECT DISTINCT load_id" not in sql:
            return rows
        return [{"load_id": one.split("__")[1]} for one in self._tables]  # the ledger has each

    def list_tables(self, dataset: str, prefix: str) -> list[str]:
        self.asked.append("all")
        return self._tables

    def table_exists(self, table: str) -> bool:
        self.asked.append("one")
        return table.rpartition(".")[2] in self._tables

    def drop_table(self, table: str) -> None:
        self.dropped.append(table.rpartition(".")[2])


def _merged(warehouse: _Asked, loads: list[Load]) -> Merger:
    """A merger that has seen the loads applied."""
    merger = _merger(budget=60.0, warehouse=warehouse)
    for load in loads:
        merger._applied.add(f"{merger._main_tables.ensure(FEED).table_id}/{load.load_id}")
    return merger


def _outcomes(merger: Merger, loads: list[Load]) -> list[str]:
    """Of a message for each load, all of which wait for one turn."""
    with ThreadPoolExecutor(len(loads)) as pool:
        with merger.turns.turn(FEED.table, "another", _SOON):
            held = [pool.submit(merger, _delivery(load)) for load in loads]
            wait_until(lambda: len(merger.turns._tables[FEED.table].waiting) == len(loads) + 1, "waiting")
        return [one.result() for one in held]


def test_g5_those_whose_loads_were_merged_before_they_came_are_answered_together() -> None:
    """BigQuery is asked once for all of them, and for one alone by the cheaper question."""
    loads = [_load(f"{number}.csv") for number in range(20)]
    warehouse = _Asked([])
    merger = _merged(warehouse, loads)
    assert _outcomes(merger, loads) == ["already_merged"] * 20
    assert warehouse.asked == ["all"]
    assert merger(_delivery(loads[0])) == "already_merged"
    assert warehouse.asked == ["all", "one"]


def test_g2_of_those_whose_loads_were_merged_one_that_is_staged_again_leaves_no_table() -> None:
    loads = [_load(f"{number}.csv") for number in range(3)]
    warehouse = _Asked([loads[1].staging_table(FEED.fingerprint)])
    merger = _merged(warehouse, loads)
    outcomes = _outcomes(merger, loads)
    assert outcomes == ["already_merged"] * 3
    assert set(warehouse.dropped) == {loads[1].staging_table(FEED.fingerprint)}
