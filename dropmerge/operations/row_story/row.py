"""Why a row of a main table is as it is."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.row_story.wording import Wording, joined, say, value
from services.shared.contract.order import ADOPTED, DELETED, GENERATION, LOAD_ID, OBJECT, ranking

if TYPE_CHECKING:
    from dropmerge.operations.row_story.key import Key
    from services.shared.contract.feed import Feed


@dataclass(frozen=True)
class RowHistory:
    feed: str
    row: Mapping[str, str | None] | None
    """The contract's columns as text; None where no row has the key."""
    deleted: bool = False
    loses_to: Sequence[Wording] = ()
    """What another row for the key would need, to take this one's place."""
    origin: str | None = None
    """gs://bucket/object#generation that the row came from."""
    why: str | None = None
    """Why there is no row, or no origin."""


def read_row(connection: Connection, key: Key) -> RowHistory:
    """The row of a key as it is in the main table, and why."""
    feed = key.feed
    values = {name: value for name, value in key.parameters.items() if name.startswith("k")}
    rows = connection.query("row_of_key.sql", values, feed=feed)
    if not rows:
        return RowHistory(feed.name, None, why=f"{feed.table} has no row with this key, deleted or not")
    row = dict(rows[0])
    is_adopted = row[LOAD_ID.name] == ADOPTED
    return RowHistory(
        feed.name,
        {column.name: _shown(row.get(column.name)) for column in feed.columns},
        row[DELETED.name],
        _loses_to(feed, row),
        None if is_adopted else f"{row[OBJECT.name]}#{row[GENERATION.name]}",
        _why(feed, row),
    )


def _shown(value: Any) -> str | None:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_shown)
    return None if value is None else str(value)


def _loses_to(feed: Feed, row: dict[str, Any]) -> list[Wording]:
    """The total order of a key's rows, from this row's place upwards."""
    if feed.mode == "snapshot":
        return [say("whatever a newer file (an object generation above {}) has, or has not", row[GENERATION.name])]
    ranks, steps = [rank.name for rank in ranking(feed)], _steps(feed, row)
    others = [say("{} greater than {}", name, value(row.get(name))) for name in ranks if name not in steps]
    steps[""] = say("with all that the same: {}", joined(", then ", others)) if others else say("")
    order = dict.fromkeys(name if name in steps else "" for name in ranks)
    return [steps[name] for name in order if steps[name]]


def _steps(feed: Feed, row: dict[str, Any]) -> dict[str, Wording]:
    """By a column of the order, what another row needs there; without the contract's other columns."""
    versions = [say("{} {}", name, value(row[name])) for name in feed.versions]
    generation = say("generation {}", row[GENERATION.name])
    newer = f"a newer upload (an object generation above {row[GENERATION.name]})"
    equal = _and([*versions, generation])
    return {
        **{
            name: say(
                "{}{} after {}",
                say("with {}: ", _and(versions[:n])) if n else "a row with ",
                name,
                value(row[name]),
            )
            for n, name in enumerate(feed.versions)
        },
        GENERATION.name: say("with {}: one of {}: at equal versions the newer upload wins", _and(versions), newer)
        if versions
        else say("a row of {}", newer),
        DELETED.name: say("") if row[DELETED.name] else say("with {}: a delete", equal),
        OBJECT.name: say(
            "a row that is the same in all of these, of an object whose name is greater than {}", row[OBJECT.name]
        ),
    }


def _and(parts: Sequence[Wording]) -> Wording:
    return joined(" and ", parts)


def _why(feed: Feed, row: dict[str, Any]) -> str | None:
    if feed.mode == "snapshot" and row[DELETED.name]:
        return "the newest file lacks this key; the one that is named here is the last that had it"
    if row[LOAD_ID.name] != ADOPTED:
        return None
    return "the row was there before this feed (adopted), and no file has a newer one"
