"""Files taken into a table that is built: staged several at a time, merged many at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from dropmerge.operations.rebuild.adopted import stage_adopted
from dropmerge.operations.rebuild.archive import Pinned
from dropmerge.operations.rebuild.build import Build
from dropmerge.operations.rebuild.patience import patiently
from dropmerge.operations.rebuild.staging import stage
from services.merge.ledger import applied_loads
from services.merge.main_table import MainTable
from services.merge.merge_group import merge_group
from services.merge.staged import Staged
from services.merge.statement import MAX_LOADS, fit_group
from services.shared.errors import NotFoundError, PermanentError, TransientError

_AT_ONCE = 4


@dataclass(frozen=True)
class Refused:
    """A file that the contract cannot read."""

    one: Pinned
    reason: str
    detail: str

    def as_json(self) -> dict[str, str | int]:
        """Keys load_id, feed, bucket, object, generation, reason, error."""
        return {**self.one.load.fields, "reason": self.reason, "error": self.detail}


@dataclass(frozen=True)
class Taking:
    build: Build
    tell: Callable[[str, int], None] = lambda step, count: None
    """What was done, and to how many files."""
    refused: dict[str, Refused] = field(default_factory=dict)
    """By load id."""

    def take(self, files: Iterable[Pinned]) -> None:
        """Merge these files, but for those that are merged or were refused. Safe to interrupt and to repeat."""
        waiting = iter(files)
        while some := list(islice(waiting, MAX_LOADS)):
            patiently(partial(self._take, some))

    def take_adopted(self, tables: Collection[str]) -> None:
        """Begin with the rows that were in the table before any file was."""
        for table in tables:
            patiently(partial(self._take_adopted, table))

    def _take(self, files: Sequence[Pinned]) -> None:
        main = self.build.ensure()
        left = self._left(main, files)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            staged = list(pool.map(partial(self._stage, main), left))
        self._merge(main, [one for one in staged if one], {one.load_id: one for one in left})

    def _left(self, main: MainTable, files: Sequence[Pinned]) -> list[Pinned]:
        ids = [one.load_id for one in files if one.load_id not in self.refused]
        applied = self._applied(main, ids) if ids else set()
        return [one for one in files if one.load_id in set(ids) - applied]

    def _applied(self, main: MainTable, load_ids: Sequence[str]) -> set[str]:
        build = self.build
        return applied_loads(build.warehouse, build.project, build.feed.name, main.table_id, load_ids)

    def _take_adopted(self, table: str) -> None:
        main = self.build.ensure()
        found = stage_adopted(self.build, main, table)
        if found and not self._applied(main, [found.load_id]):
            self._merge(main, [found], {})

    def _stage(self, main: MainTable, one: Pinned) -> Staged | None:
        try:
            staged = stage(self.build, main, one)
        except NotFoundError as error:
            raise _dropped(error) from error
        except PermanentError as error:
            self._refuse(one, error)
            return None
        self.tell("staged", 1)
        return staged

    def _merge(self, main: MainTable, staged: Sequence[Staged], files: Mapping[str, Pinned]) -> None:
        while staged:
            group = fit_group(self.build.project, self.build.feed, main, staged)
            self._merge_group_or_each(group, files)
            for one in group:
                self.build.warehouse.drop_table(one.table)
            self.tell("merged", len(group))
            staged = staged[len(group) :]

    def _merge_group_or_each(self, group: Sequence[Staged], files: Mapping[str, Pinned]) -> None:
        """One file that BigQuery refuses spoils no other's MERGE."""
        try:
            merge_group(self.build.main_tables, self.build.feed, group)
        except NotFoundError as error:
            raise _dropped(error) from error
        except PermanentError as error:
            if len(group) > 1:
                half = len(group) // 2
                for part in (group[:half], group[half:]):
                    self._merge_group_or_each(part, files)
            elif group[0].load_id in files:
                self._refuse(files[group[0].load_id], error)
            else:
                raise

    def _refuse(self, one: Pinned, error: PermanentError) -> None:
        self.refused[one.load_id] = Refused(one, error.reason, error.detail)


def _dropped(error: NotFoundError) -> TransientError:
    """No fault of a file: the same command, run twice, dropped a table. What it needs is made again."""
    return TransientError(f"a table was dropped while it was being read: {error.detail}")
