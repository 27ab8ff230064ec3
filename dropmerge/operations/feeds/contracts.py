"""Contracts before they are deployed: checked, and read as the services read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dropmerge.operations.errors import UsageError

if TYPE_CHECKING:
    from services.shared.contract.document import Problem
    from services.shared.contract.feed import Feed


@dataclass(frozen=True)
class Checked:
    feeds: Sequence[Feed]
    """Contracts that have no problem of their own."""
    problems: Sequence[Problem]
    """Of each contract, then of all together; each with file, line and column."""


def check_contracts(files: Sequence[Path], folder: Path) -> Checked:
    """Check these files, or all of the folder where none is named. Raises UsageError where there is none."""
    from services.shared.contract.reader import check, check_together

    paths = files or sorted(folder.glob("*.yaml"))
    if not paths:
        raise UsageError(f"{folder}: no feeds (*.yaml) here")
    checked = [(path, *check(path)) for path in paths]
    good = [(path, feed) for path, feed, _ in checked if feed]
    problems = [problem for _, __, found in checked for problem in found]
    return Checked([feed for _, feed in good], [*problems, *check_together(good)])


def choose_contracts(folder: Path, name: str | None) -> list[Feed]:
    """The contract of this name, or all. Raises ContractError, and UsageError where there is no such feed."""
    from services.shared.contract.reader import read_feeds

    found = read_feeds(folder)
    if name is not None and name not in found:
        raise UsageError(f"no feed {name!r}; there are: {', '.join(found)}")
    return [found[name]] if name else list(found.values())
