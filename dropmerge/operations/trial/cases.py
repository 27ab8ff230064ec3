"""Cases beside the contracts: files, and the rows that must come of them.

`tests/FEED/CASE/` in the contracts' folder has data files, which are dropped in the order of their names,
`expected.csv` (rows of the view) and, where a row or a file must be rejected, `rejected.csv`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dropmerge.operations.errors import NotDone
from dropmerge.operations.trial.comparison import Table, UnreadableError, differences, read_table
from dropmerge.operations.trial.files import Trial, Tried
from dropmerge.operations.trial.sandbox import Sandbox
from dropmerge.operations.trial.texts import canonical, text_of
from services.shared.contract.feed import Feed

FOLDER = "tests"
"""In the folder of contracts. Neither the services nor a bundle take it for one."""
EXPECTED, REJECTED = "expected.csv", "rejected.csv"
_ALL = 1_000_000


@dataclass(frozen=True)
class Case:
    feed: Feed
    folder: Path

    @property
    def name(self) -> str:
        """FEED/CASE."""
        return f"{self.feed.name}/{self.folder.name}"

    @property
    def files(self) -> list[Path]:
        """The data files, in the order in which they are dropped."""
        there = [path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        return sorted(path for path in there if path.name not in (EXPECTED, REJECTED))


@dataclass(frozen=True)
class Outcome:
    case: Case
    seconds: float
    differences: Sequence[str]
    """A line each; none where all came as expected."""
    files: Mapping[str, str | None]
    """What the case's expected files would have to be; None for one that is not needed."""

    def changes(self) -> dict[Path, str | None]:
        """What is to be written, or deleted, for the case to pass."""
        wanted = {self.case.folder / name: text for name, text in self.files.items()} if self.differences else {}
        return {path: text for path, text in wanted.items() if text is not None or path.exists()}


def find_cases(feeds: Iterable[Feed], folder: Path) -> list[Case]:
    """The cases of these feeds, by name. `folder`: of contracts."""
    return [
        Case(feed, case)
        for feed in sorted(feeds, key=lambda one: one.name)
        for case in sorted((folder / FOLDER / feed.name).glob("*"))
        if case.is_dir() and not case.name.startswith(".")
    ]


def refuse_strays(feeds: Iterable[Feed], folder: Path) -> None:
    """Raises NotDone where there are cases of a feed that is not there: nobody would run them."""
    names = {feed.name for feed in feeds}
    strays = [path.name for path in (folder / FOLDER).glob("*") if path.is_dir() and path.name not in names]
    if strays:
        raise NotDone(f"{folder / FOLDER} has cases of feeds that do not exist: {', '.join(sorted(strays))}")


def run_case(sandbox: Sandbox, case: Case, project: str) -> Outcome:
    """`project`: of the sandbox, for this case alone."""
    started = time.monotonic()
    trial = Trial(sandbox, case.feed, project, most=_ALL)
    tried = trial.run(case.files)
    rows, rejected = _rows(trial), _rejected(case.feed, tried)
    found = list(_faults(case, tried, rows, rejected))
    return Outcome(case, time.monotonic() - started, found, _files(case, rows, rejected))


def _faults(case: Case, tried: Sequence[Tried], rows: Table, rejected: Table) -> Iterator[str]:
    if not tried:
        yield "it has no data file"
    if not (case.folder / EXPECTED).exists():
        yield f"it has no {EXPECTED}: use --update to write it"
    else:
        yield from _compared(case, EXPECTED, rows, case.feed.key)
    if (case.folder / REJECTED).exists():
        yield from _compared(case, REJECTED, rejected, ())
    else:
        yield from (f"{REJECTED}: {line}" for line in differences(Table(rejected.columns, []), rejected, ()))


def _compared(case: Case, name: str, found: Table, key: Sequence[str]) -> Iterator[str]:
    try:
        yield from (f"{name}: {line}" for line in differences(_read(case, name), found, key))
    except UnreadableError as error:
        yield f"{name}: {error}"


def _read(case: Case, name: str) -> Table:
    """Raises UnreadableError."""
    types = {column.name: column.type for column in case.feed.columns} if name == EXPECTED else {}
    return read_table(case.folder / name, lambda column, text: canonical(text, types.get(column, "STRING")))


def _rows(trial: Trial) -> Table:
    columns, rows = trial.rows()
    return Table(columns, [tuple(map(text_of, row)) for row in rows])


def _rejected(feed: Feed, tried: Sequence[Tried]) -> Table:
    """A row for each rejected one, as it was, and one for each file that would be a dead letter."""
    own = [*(column.name for column in feed.columns), *([feed.delete.column] if feed.delete else [])]
    found: list[Mapping[str, str | None]] = []
    for one in tried:
        for row in one.read.rejected:
            record = None if row.record is None else str(row.record)
            found.append({"file": one.file, "record": record, "reasons": "; ".join(row.reasons), **row.row})
        if one.read.fault:
            found.append({"file": one.file, "reasons": one.read.fault.reason})
    columns = list(dict.fromkeys(["file", "record", "reasons", *own, *(name for row in found for name in row)]))
    return Table(columns, [tuple(row.get(name) for name in columns) for row in found])


def _files(case: Case, rows: Table, rejected: Table) -> dict[str, str | None]:
    """With the columns that the files have now, where they can be read."""
    return {
        EXPECTED: _like(case, EXPECTED, rows).text(),
        REJECTED: _like(case, REJECTED, _without_empty(rejected)).text() if rejected.rows else None,
    }


def _like(case: Case, name: str, found: Table) -> Table:
    try:
        return found.only(_read(case, name).columns)
    except (OSError, UnreadableError):
        return found


def _without_empty(found: Table) -> Table:
    used = [name for n, name in enumerate(found.columns) if any(row[n] is not None for row in found.rows)]
    return found.only(used)
