"""What a deployment of contracts will do to each main table: the merge service's own judgement, before it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dropmerge.operations.adopt import entries_of
from dropmerge.operations.connection import Connection
from services.merge.main_table import require_fit, required_changes
from services.shared.contract.history import history_view, versions_table
from services.shared.errors import PermanentError, TransientError
from services.shared.load import staged_load

if TYPE_CHECKING:
    from google.cloud.bigquery import Table

    from services.merge.entries import Entry
    from services.merge.follow import Changes
    from services.shared.contract.feed import Feed


@dataclass(frozen=True)
class Effect:
    feed: str
    table: str
    effect: str
    """`created`, `changed`, `unchanged`, `rebuilding`, or the reason that its dead letters would have."""
    sentences: Sequence[str] = ()
    """What becomes of the table, its name before each; why not, where the contract is refused."""
    staged: int = 0
    """Files that wait for their MERGE and were staged under another contract."""

    @property
    def is_refused(self) -> bool:
        return self.effect not in ("created", "changed", "unchanged", "rebuilding")


def effects(connection: Connection, feeds: Sequence[Feed]) -> list[Effect]:
    """Of each contract on its main table."""
    staging = connection.staging_tables()
    return [replace(_effect(connection, feed), staged=_staged_otherwise(feed, staging)) for feed in feeds]


def _effect(connection: Connection, feed: Feed) -> Effect:
    table = connection.warehouse.find_table(f"{connection.project}.{feed.table}")
    entries = entries_of(connection, feed)
    try:
        require_fit(feed, entries, table)
        if table is None:
            kept = (
                f", with {versions_table(feed.table)} and the view {history_view(feed.table)}" if feed.history else ""
            )
            return Effect(feed.name, feed.table, "created", [f"will be created with the first file{kept}"])
        found = required_changes(feed, table)
    except PermanentError as error:
        return Effect(feed.name, feed.table, error.reason, [error.detail])
    except TransientError as error:
        return Effect(feed.name, feed.table, "rebuilding", [str(error)])
    view = connection.warehouse.find_table(f"{connection.project}.{feed.table}_current")
    shown = [one.name for one in view.schema] if view else []
    return _followed(feed, entries, [*_sentences(feed, table, found, shown)])


def _followed(feed: Feed, entries: Sequence[Entry], sentences: Sequence[str]) -> Effect:
    if sentences:
        return Effect(feed.name, feed.table, "changed", sentences)
    if entries and entries[0].contract == feed.fingerprint:
        return Effect(feed.name, feed.table, "unchanged", ["stays as it is: the contract has not changed"])
    sentence = (
        "stays as it is; new files are read by the new contract, and merged rows keep the values that the old "
        f"one read: `dropmerge rebuild {feed.name}` reads all files again"
    )
    return Effect(feed.name, feed.table, "unchanged", [sentence])


def _sentences(feed: Feed, table: Table, found: Changes, shown: Sequence[str]) -> Iterator[str]:
    """`shown`: the columns of the view, which are those of the contract before."""
    yield from found.sentences()
    there, wanted = {one.name for one in table.schema}, [one.name for one in feed.columns]
    for name in shown:
        if name not in wanted:
            yield f"keeps {name}, which is NULL in rows written from then on; {feed.table}_current loses it"
    for name in wanted:
        if shown and name in there and name not in shown:
            yield f"shows {name} again: rows that no file has written meanwhile still have its old values"


def _staged_otherwise(feed: Feed, staging: Sequence[str]) -> int:
    """The files' loads, none twice, whichever contracts they were staged under."""
    loads = [found for name in staging if (found := staged_load(feed.name, name))]
    done = {load_id for load_id, contract in loads if contract == feed.fingerprint}
    return len({load_id for load_id, _ in loads} - done)
