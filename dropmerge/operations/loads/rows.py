"""Why a row of a main table is as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import UsageError
from services.shared.contract.order import DELETED, GENERATION, OBJECT, ranking

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed
    from services.shared.contract.types import ColumnType


def explain_row(connection: Connection, feed: Feed, pairs: list[str]) -> dict[str, Any]:
    """Keys row, deleted, loses_to and origin (gs://bucket/object#generation), or row (None) and why."""
    given = dict(pair.partition("=")[::2] for pair in pairs)
    if set(given) != set(feed.key):
        raise UsageError(f"the key of {feed.name} is {', '.join(feed.key)}: give each as name=value")
    types = {column.name: column.type for column in feed.columns}
    where = " AND ".join(f"`{name}` = @k{n}" for n, name in enumerate(feed.key))
    rows = connection.rows(
        f"SELECT * FROM `{feed.table}` WHERE {where}",  # noqa: S608 - names are the contract's
        {f"k{n}": (types[name], _parsed(name, feed.type_of(name), given[name])) for n, name in enumerate(feed.key)},
    )
    if not rows:
        return {"feed": feed.name, "row": None, "why": f"no row of {feed.table} has this key, deleted ones included"}
    row = dict(rows[0])
    return {
        "row": {name: None if row[name] is None else str(row[name]) for name in types},
        "deleted": row["_deleted"],
        "loses_to": _loses_to(feed, row),
        "origin": f"{row['_object']}#{row['_generation']}",
    }


def _parsed(name: str, kind: ColumnType, text: str) -> Any:
    try:
        return kind.parse(text)
    except ValueError:
        raise UsageError(f"--row {name}={text!r}: the contract says {kind.name}") from None


def _loses_to(feed: Feed, row: dict[str, Any]) -> list[str]:
    """The total order of a key's rows, from this row's place upwards."""
    version = f"{feed.version} {row[feed.version]}"
    ties = [
        f"{rank.name} greater than {'NULL' if row[rank.name] is None else row[rank.name]}"
        for rank in ranking(feed)
        if rank.name in feed.tie_breakers
    ]
    steps = [
        f"a row with {feed.version} after {row[feed.version]}",
        f"with {version}: one of an object generation above {row[GENERATION.name]}",
    ]
    if not row[DELETED.name]:
        steps.append(f"with {version} and generation {row[GENERATION.name]}: a delete")
    if ties:
        steps.append(f"with all that the same: {', then '.join(ties)}")
    steps.append(f"a row that is the same in all of these, of an object whose name is greater than {row[OBJECT.name]}")
    return steps
