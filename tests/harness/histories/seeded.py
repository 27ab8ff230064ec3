"""A search that a number decides; what fails is neither repeated nor shrunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def for_each(strategy: SearchStrategy[T], number: int, examples: int, act: Callable[[T], None]) -> None:
    """Act on so many examples, which are the same for the same number."""

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(example: T) -> None:
        act(example)

    one()
