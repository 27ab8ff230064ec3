"""Why a row of a main table is as it is."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from dropmerge.cli.exit_codes import usage_error
from dropmerge.operations.connection import Connection

if TYPE_CHECKING:
    from services.shared.contract.feed import Feed


def explain_row(connection: Connection, feed: Feed, pairs: list[str]) -> dict[str, Any]:
    """Keys row, deleted, loses_to and origin (gs://bucket/object#generation), or row (None) and why."""
    given = dict(pair.partition("=")[::2] for pair in pairs)
    if set(given) != set(feed.key):
        usage_error(f"the key of {feed.name} is {', '.join(feed.key)}: give each as name=value")
    types = {column.name: column.type for column in feed.columns}
    where = " AND ".join(f"`{name}` = @k{n}" for n, name in enumerate(feed.key))
    rows = connection.rows(
        f"SELECT * FROM `{feed.table}` WHERE {where}",  # noqa: S608 - names are the contract's
        {f"k{n}": (types[name], _typed(name, types[name], given[name])) for n, name in enumerate(feed.key)},
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


def _typed(name: str, kind: str, text: str) -> Any:
    """A value as a query parameter of the contract's type."""
    try:
        match kind:
            case "INT64":
                return int(text)
            case "NUMERIC":
                return Decimal(text)
            case "BOOL":
                return {"true": True, "false": False}[text.lower()]
            case "DATE":
                return date.fromisoformat(text)
            case "TIMESTAMP":
                moment = datetime.fromisoformat(text)
                if moment.tzinfo is None:
                    raise ValueError("no offset")
                return moment
            case _:
                return text
    except (ValueError, KeyError, InvalidOperation):
        usage_error(f"--row {name}={text!r}: the contract says {kind}")


def _loses_to(feed: Feed, row: dict[str, Any]) -> list[str]:
    """The total order of a key's rows (services/merge/merge.sql), from this row's place upwards."""
    version = f"{feed.version} {row[feed.version]}"
    ties = [f"{name} greater than {'NULL' if row[name] is None else row[name]}" for name in feed.tie_breakers]
    steps = [
        f"a row with {feed.version} after {row[feed.version]}",
        f"with {version}: one of an object generation above {row['_generation']}",
    ]
    if not row["_deleted"]:
        steps.append(f"with {version} and generation {row['_generation']}: a delete")
    if ties:
        steps.append(f"with all that the same: {', then '.join(ties)}")
    steps.append(f"a row that is the same in all of these, of an object whose name is greater than {row['_object']}")
    return steps
