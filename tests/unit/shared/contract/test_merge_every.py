"""How often a table is merged at most: what a contract may say, and that it changes no row."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.shared.contract.feed import Feed
from tests.harness.histories.feeds import YAML


def _feed(**more: Any) -> Feed:
    return Feed.model_validate({**YAML["readings"], **more})


@pytest.mark.parametrize(
    ("said", "seconds"), [(0, 0), ("0s", 0), ("90s", 90), ("5m", 300), (300, 300), ("7m", 420), (420, 420)]
)
def test_a_time_up_to_seven_minutes(said: object, seconds: int) -> None:
    assert _feed(merge_every=said).merge_every == seconds


@pytest.mark.parametrize("said", ["1h", "8m", "421s", 421, 3600])
def test_a_longer_time_is_refused_with_what_it_would_need(said: object) -> None:
    with pytest.raises(ValidationError, match="Cloud Scheduler, with merges that pull"):
        _feed(merge_every=said)


@pytest.mark.parametrize("said", ["5", "m", "5 m", "5min", "-5m", "1.5m", -1, 1.5, True, [], "five minutes", "9" * 9])
def test_what_is_no_time_is_refused(said: object) -> None:
    with pytest.raises(ValidationError):
        _feed(merge_every=said)


def test_g9_the_pace_is_not_part_of_a_contract_s_identity() -> None:
    """Loads that wait are not read anew when it changes."""
    assert _feed(merge_every="5m").fingerprint == _feed().fingerprint
