"""The story of a rebuild: every archived file into a table beside the live one, which then takes its place.

Whatever is interrupted is found where it was by the next run, from the entries and the ledger alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone
from dropmerge.operations.rebuild.archive import Window, pinned
from dropmerge.operations.rebuild.build import Build
from dropmerge.operations.rebuild.live import live_entries, merged_loads, require_own_table
from dropmerge.operations.rebuild.patience import patiently
from dropmerge.operations.rebuild.plan import make_plan
from dropmerge.operations.rebuild.swap import Swap, abandon
from dropmerge.operations.rebuild.taking import Refused, Taking
from services.merge.entries import Entry
from services.merge.statement import MAX_LOADS
from services.shared.contract.feed import Feed
from services.shared.contract.order import ADOPTED

_MAX_PASSES = 20
_MAX_NAMED = 20


@dataclass(frozen=True)
class Rebuilt:
    table: str
    files: int
    """Merged into it."""
    refused: Sequence[Refused]
    """Files that the contract cannot read, and that are not in it."""
    rejected_rows: int
    """Rows that failed their checks, and are not in it; those of refused files too."""


@dataclass(frozen=True)
class Rebuild:
    build: Build
    window: Window = field(default_factory=Window)
    allow_missing: bool = False
    """Go on although rows of the live table would vanish with files that are gone or cannot be read."""
    tell: Callable[[str, int], None] = lambda step, count: None
    """What was just done, and to how many files."""
    taking: Taking = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "taking", Taking(self.build, self.tell))

    @property
    def is_swap(self) -> bool:
        return self.build.table == _beside(self.build.contract)

    def run(self) -> Rebuilt:
        """Build the table, in the live one's place or as a separate table. Raises NotDone."""
        self.build.create_ops()
        built = self._find()
        if built is None or not built.rebuild:
            built = self._make(built)
        files = len(merged_loads(self.build, [built]).keys() - {ADOPTED})
        rejected_rows = self.build.count_rejected()
        if self.is_swap:
            self._swap(built)
        else:
            self.build.forget(built)
        self.build.drop_rejected()
        table = self.build.contract.table if self.is_swap else self.build.table
        return Rebuilt(table, files, list(self.taking.refused.values()), rejected_rows)

    def _find(self) -> Entry | None:
        """What an interrupted run has left of this very build."""
        built = self.build.entry()
        self._refuse_other_swap(built)
        if built and self.build.is_of(built):
            return built
        if self.is_swap:
            self.build.start_anew()
        elif built:
            raise NotDone(
                f"{self.build.table} is being built from other files or by another contract: "
                f"finish that build, or drop it with `--into {self.build.table} --abandon`"
            )
        elif self.build.find_table():
            raise NotDone(f"{self.build.table} already exists: name a new table, or drop this one")
        return None

    def _refuse_other_swap(self, built: Entry | None) -> None:
        """A swap that has begun is finished by the contract that began it."""
        feed = self.build.contract.name
        closed = next((one for one in live_entries(self.build) if one.rebuild), None)
        is_own = closed and built and self.build.is_of(built) and closed.rebuild == built.table_id
        if closed and self.is_swap and not is_own:
            raise NotDone(
                f"an earlier rebuild of {feed}, by another contract, was interrupted while it put its rows in place: "
                f"run it again with that contract, or run `dropmerge rebuild {feed} --abandon`; then run this again"
            )

    def _make(self, built: Entry | None) -> Entry:
        """Everything merged into the built table; for a swap also what the live table has by then, and both closed."""
        live = live_entries(self.build)
        if not (built and any(one.rebuild for one in live)):
            if self.is_swap:
                require_own_table(self.build)
            self._take_all()
            self._catch_up(self._entry())
            self.tell("caught up", 0)
        built = self._entry()
        return self._close(built) if self.is_swap else built

    def _take_all(self) -> None:
        """Pass after pass, until no more come than one MERGE takes."""
        names = {self.build.contract.table, *(one.main_table for one in live_entries(self.build))}
        self.taking.take_adopted(sorted(names))
        for _ in range(_MAX_PASSES):
            files = make_plan(self.build, self.window).files
            done = merged_loads(self.build, [self._entry()]).keys() | self.taking.refused.keys()
            left = [one for one in files if one.load_id not in done]
            self.tell("found", len(left))
            self.taking.take(left)
            if len(left) <= MAX_LOADS:
                return

    def _close(self, built: Entry) -> Entry:
        swap = Swap(self.build, built)
        patiently(swap.close)
        self.tell("closed", 0)
        try:
            self._catch_up(built)
        except NotDone:
            abandon(self.build)
            raise
        patiently(swap.seal)
        self.tell("sealed", 0)
        return self._entry()

    def _swap(self, built: Entry) -> None:
        swap = Swap(self.build, built)
        patiently(swap.place)
        self.tell("placed", 0)
        patiently(swap.reopen)
        self.tell("reopened", 0)
        self.build.drop_table()
        self.build.drop_lock()

    def _missing(self, built: Entry) -> list[str]:
        """Loads of the live table that the built one has not."""
        live = merged_loads(self.build, live_entries(self.build))
        return sorted(live.keys() - merged_loads(self.build, [built]).keys())

    def _catch_up(self, built: Entry) -> None:
        """Take what the live table has and the built one has not. Raises NotDone where that cannot be."""
        if self.window:
            return
        for load_id in self._missing(built):
            self.taking.take(pinned(self.build.connection, self.build.contract.name, load_id))
        missing = [] if self.allow_missing else self._missing(built)
        if missing:
            raise NotDone(self._explain(missing))

    def _explain(self, missing: Sequence[str]) -> str:
        more = [f"and {len(missing) - _MAX_NAMED} more"] if len(missing) > _MAX_NAMED else []
        return "\n".join(
            [
                "rows of the live table would be missing from the new one, so it was not replaced. These files "
                "are merged, but cannot be read now:",
                *map(self._why, missing[:_MAX_NAMED]),
                *more,
                "Change the contract so that it accepts them, or use --allow-missing to go on without their rows",
            ]
        )

    def _why(self, load_id: str) -> str:
        found = self.taking.refused.get(load_id)
        if found is None:
            return f"load {load_id}: the archive has no copy of its file"
        return f"{found.one.load.source}: {found.reason}: {found.detail}"

    def _entry(self) -> Entry:
        return patiently(self.build.ensure_entry)


def rebuild_in_place(connection: Connection, feed: Feed) -> Build:
    """What is to take the live table's place."""
    return Build(connection, feed, _beside(feed), "rebuild")


def rebuild_into(connection: Connection, feed: Feed, table: str, window: Window) -> Build:
    """What stays beside the live table."""
    chosen = hashlib.sha256(repr(window).encode()).hexdigest()[:12]
    return Build(connection, feed, table, f"into_{chosen}")


def give_up(build: Build) -> None:
    """Drop what was built, and let merges into the live table go on. Raises NotDone where its rows are in place."""
    build.create_ops()
    built = build.entry()
    if built and built.rebuild:
        raise NotDone(
            "its rows may be in place already, so it can no longer be abandoned. "
            f"Run `dropmerge rebuild {build.contract.name}` to finish it"
        )
    if built and built.feed.partition("__")[0] != build.contract.name:
        raise NotDone(f"{build.table} is being built from the files of {built.feed.partition('__')[0]}")
    abandon(build)
    if built:
        build.discard()


def _beside(feed: Feed) -> str:
    return f"{feed.table}__rebuild"
