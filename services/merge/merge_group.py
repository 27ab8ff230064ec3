"""One MERGE: a group of staged loads into the main table."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from services.merge.lock import NOT_READY
from services.merge.main_table import MainTables
from services.merge.pruning import key_range
from services.merge.staged import Staged, all_extra
from services.merge.statement import merge_statement
from services.shared.contract.feed import Feed
from services.shared.errors import NotFoundError, PermanentError, TransientError
from services.shared.warehouse import ScriptJob


@dataclass(frozen=True)
class Merge:
    """A MERGE that is done."""

    id: str
    loads: Sequence[Staged]
    job: ScriptJob


def merge_group(tables: MainTables, feed: Feed, group: Sequence[Staged]) -> Merge:
    """Merge these loads, which fit in one statement.

    The main table gains the columns that their files bring. Raises TransientError where something is gone by now.
    """
    merge_id = uuid.uuid4().hex
    main = tables.ensure(feed, all_extra(group))
    try:
        bounds = key_range(tables.warehouse, feed, [one.table for one in group])
        sql = merge_statement(tables.project, feed, main, group, merge_id, bounds)
        job = tables.warehouse.run_script(sql, f"merge-{merge_id}", feed.max_bytes_billed)
    except PermanentError as error:
        # Another process merged and dropped what was listed here, or someone dropped a table or row: look again.
        if not isinstance(error, NotFoundError) and NOT_READY not in error.detail:
            raise
        tables.invalidate(feed)
        raise TransientError(f"a table was dropped before its MERGE: {error.detail}") from error
    return Merge(merge_id, group, job)


def merge_affordable(tables: MainTables, feed: Feed, group: Sequence[Staged]) -> Merge:
    """Merge as many of these loads as the contract's `max_bytes_billed` allows, the first among them.

    Raises PermanentError `too_expensive` where it does not allow the first alone. A MERGE that is refused for that
    costs nothing.
    """
    try:
        return merge_group(tables, feed, group)
    except PermanentError as error:
        if error.reason != "too_expensive" or len(group) == 1:
            raise
    return merge_affordable(tables, feed, group[: len(group) // 2])
