"""Contracts before they are deployed: checked, and read as the services read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy import topology
from deploy.topology import LANDING
from dropmerge.operations.errors import UsageError

if TYPE_CHECKING:
    from services.shared.contract.document import Problem
    from services.shared.contract.feed import Feed


_MEASURED = 10_000
"""Bytes of a contract. The statements of a shorter one are within the limit, unless it has formats, each of which
makes thousands of bytes; and to render them takes a while."""
_Good = Sequence[tuple[Path, "Feed"]]


@dataclass(frozen=True)
class Checked:
    feeds: Sequence[Feed]
    """Contracts that have no problem of their own."""
    problems: Sequence[Problem]
    """With file, line and column, and in this order."""
    notes: Sequence[Problem] = ()
    """What is no problem, and costs money."""


def check_contracts(files: Sequence[Path], folder: Path) -> Checked:
    """Check these files, or all of the folder where none is named. Raises UsageError where there is none."""
    from services.shared.contract.files import PATTERNS, contract_files
    from services.shared.contract.reader import check, check_together

    paths = files or contract_files(folder)
    if not paths:
        raise UsageError(f"{folder}: no feeds ({PATTERNS}) here")
    checked = [(path, *check(path)) for path in paths]
    good = [(path, feed) for path, feed, _ in checked if feed]
    problems = [problem for _, __, found in checked for problem in found]
    problems += [*check_together(good), *_outside(good), *_too_long(good)]
    order = {str(path): number for number, path in enumerate(paths)}
    problems.sort(key=lambda one: (order[one.file], one.line, one.column))
    return Checked([feed for _, feed in good], problems, list(_notes(good)))


def _notes(contracts: _Good) -> Iterator[Problem]:
    from services.shared.contract.document import read_document
    from services.shared.contract.layout import notes

    for path, feed in contracts:
        yield from (read_document(path).problem(one.place, one.what) for one in notes(feed))


def _outside(contracts: _Good) -> Iterator[Problem]:
    """Contracts that match no object under the landing prefix: ingest is notified of no others."""
    from services.shared.contract.glob import common_name
    from services.shared.contract.reader import problem_at

    prefix = topology.read().buckets[LANDING]["prefix"]
    for path, feed in contracts:
        if common_name(feed.objects, f"{prefix}**") is None:
            yield problem_at(path, "objects", f"no file under {prefix}, where files are dropped, can match it")


def _too_long(contracts: _Good) -> Iterator[Problem]:
    from dropmerge.operations.feeds.statements import too_long
    from services.shared.contract.reader import problem_at

    for path, feed in contracts:
        if path.stat().st_size > _MEASURED or any(column.options for column in feed.columns):
            yield from (problem_at(path, "columns", what) for what in too_long(feed))


def choose_contracts(folder: Path, name: str | None) -> list[Feed]:
    """The contract of this name, or all. Raises ContractError, and UsageError where there is no such feed."""
    from services.shared.contract.reader import read_feeds

    found = read_feeds(folder)
    if name is not None and name not in found:
        raise UsageError(f"no feed {name!r}; there are: {', '.join(found)}")
    return [found[name]] if name else list(found.values())
