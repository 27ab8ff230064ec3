"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    times: int = 5
    """How often what takes seconds is repeated."""
    quick: bool = False
    with_rivals: bool = True
    """Whether the rivals' environments are there."""
    size: int | None = None
    """Rows and files, in place of those that a scenario has: for tests."""

    def pick(self, full: int, quick: int) -> int:
        """A size, of the three kinds of run."""
        if self.size is not None:
            return min(self.size, quick)
        return quick if self.quick else full
