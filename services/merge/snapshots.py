"""Whether a file is a whole snapshot, as far as its size tells.

A guard on arrival: what it decides depends on what the table has by then, so it decides only whether a file is loaded,
never what a loaded one does. A file older than one that was merged has no say in the table's live rows, and passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from services.merge.ledger import ledger_table
from services.merge.main_table import MainTable
from services.merge.staged import Staged
from services.shared.contract.feed import Feed
from services.shared.errors import NotFoundError, PermanentError, TransientError
from services.shared.sql import Templates
from services.shared.warehouse import Warehouse

_SQL = Templates(Path(__file__).parent)


def too_small(
    warehouse: Warehouse, project: str, feed: Feed, main: MainTable, loads: Sequence[Staged]
) -> Mapping[str, str]:
    """Of these loads, taken in the order of their generations, those that have too few keys: id to why.

    Raises TransientError where something is gone by now.
    """
    if feed.mode != "snapshot":
        return {}
    main_table, ledger = f"{project}.{feed.table}", ledger_table(project)
    staging = [one.table for one in loads]
    sql = _SQL.render(
        "snapshot_sizes.sql", feed=feed, main=main_table, ledger=ledger, table_id=main.table_id, staging=staging
    )
    try:
        sizes = {row["what"]: int(row["number"]) for row in warehouse.query(sql)}
    except NotFoundError as error:
        raise TransientError(f"a table was dropped before its MERGE: {error.detail}") from error
    live, newest, found = sizes["live"], sizes["newest"], {}
    for one in sorted(loads, key=lambda one: one.generation):
        keys = sizes.get(one.load_id, 0)
        if one.generation <= newest:
            continue
        if feed.snapshot.tolerates(keys, live):
            live, newest = keys, one.generation
        else:
            found[one.load_id] = _explain(feed, keys, live)
    return found


def require_large_enough(warehouse: Warehouse, project: str, feed: Feed, main: MainTable, load: Staged) -> None:
    """Raises PermanentError `snapshot_too_small`, and TransientError where something is gone by now."""
    if refused := too_small(warehouse, project, feed, main, [load]):
        raise PermanentError("snapshot_too_small", refused[load.load_id])


def _explain(feed: Feed, keys: int, live: int) -> str:
    return (
        f"the file has {keys} keys, but {feed.table} has {live} rows, which it would replace, and the contract of "
        f"{feed.name} requires `snapshot: {{at_least: {feed.snapshot.at_least}}}`. If the file is whole, write a "
        "lower at_least, deploy the contract and replay this dead letter"
    )
