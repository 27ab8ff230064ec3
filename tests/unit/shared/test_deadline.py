"""A delivery knows what is left of its time, and the services keep to it."""

import pytest

from services.shared.deadline import remaining, time_limit
from services.shared.delivery import Delivery
from services.shared.errors import TransientError
from tests.harness.delivery import deliver


def test_without_a_deadline_all_is_left() -> None:
    assert remaining(300.0) == 300.0


def test_what_is_left_shrinks_to_an_error() -> None:
    """Repeating may help: the next delivery has its own time."""
    with time_limit(100.0):
        assert remaining(30.0) == 30.0
        assert 99.0 < remaining(300.0) <= 100.0
        with time_limit(0.0), pytest.raises(TransientError):
            remaining(300.0)
        assert remaining(300.0) > 99.0
    assert remaining(300.0) == 300.0


def test_each_delivery_has_the_budget_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """The next delivery has it anew."""
    seen = []

    def handler(_: Delivery) -> str:
        seen.append(remaining(1e9))
        return "ignored"

    for _ in range(2):
        deliver(handler, capsys, {})
    assert all(530.0 < seconds <= 540.0 for seconds in seen)
    assert remaining(1e9) == 1e9
