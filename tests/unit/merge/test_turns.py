"""A merge waits for its turn no longer than leaves it the time to merge."""

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
from tests.harness.histories.feeds import YAML
from tests.harness.statements.analyser import Analyser
from tests.harness.statements.statements import AnalysingWarehouse

FEED = Feed.model_validate(YAML["readings"])
_SOON = Times(float("inf"), float("inf"))


def _merger(budget: float, warehouse: Any = None, publisher: Any = None) -> Merger:
    settings = Settings(  # type: ignore[call-arg]  # the rest has defaults
        GOOGLE_CLOUD_PROJECT="p", service="merge", feeds=Path("feeds"), dead_letter_topic="t", budget_seconds=budget
    )
    return Merger(settings, {FEED.name: FEED}, warehouse, publisher)


def _delivery() -> Delivery:
    return Delivery(
        PushMessage(
            StagedMessage(Load(FEED.name, ObjectGeneration("landing", "x.csv", 1)), FEED.fingerprint).encode(),
            {},
            "1",
            "s",
            1,
        ),
        "",
    )


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
