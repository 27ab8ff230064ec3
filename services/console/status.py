"""`dropmerge status`: a feed a line."""

from __future__ import annotations

import json
from collections import Counter

import typer
from rich.console import Console
from rich.table import Table

from services.console.connection import (
    FEEDS,
    HERE,
    Connection,
    Feeds,
    Json,
    Project,
    State,
    errors_in_words,
    open_connection,
)
from services.console.whereabouts import in_flight, merged_loads
from services.shared.load import staging_table

_COLUMNS = ("in_flight", "staged", "merged", "superseded", "rejected_rows", "dead_letters")


def status(as_json: Json = False, state: State = HERE, project: Project = None, feeds: Feeds = FEEDS) -> None:
    """How each feed stands: counts since the beginning; in_flight and staged as of now."""
    with errors_in_words():
        answer = read_status(open_connection(state, project, feeds))
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    table = Table("feed", *_COLUMNS)
    for name, counts in answer["feeds"].items():
        table.add_row(name, *(str(counts[column]) for column in _COLUMNS))
    Console().print(table)
    typer.echo(f"dead letters waiting: {answer['dead_letters']}; messages in flight: {answer['messages_in_flight']}")


def read_status(connection: Connection) -> dict[str, dict[str, dict[str, int]]]:
    moving, messages = in_flight(connection)
    merged = merged_loads(connection)
    flying = Counter(one.feed for one in moving)
    done = Counter(merged.values())
    ended = {
        (row["feed"], row["event"]): row["n"]
        for row in connection.rows(
            "SELECT feed, event, COUNT(DISTINCT IF(event = 'superseded', load_id, detail)) AS n"
            " FROM `ops.journal` WHERE event IN ('superseded', 'dead_lettered') GROUP BY feed, event"
        )
    }
    rejected = {
        row["feed"]: row["n"]
        for row in connection.rows("SELECT feed, COUNT(*) AS n FROM `ops.rejected_rows` GROUP BY feed")
    }
    answer = {}
    for name in connection.feeds:
        prefix = staging_table(name, "")
        waiting = [t.removeprefix(prefix) for t in connection.warehouse.tables("staging", prefix)]
        answer[name] = {
            "in_flight": flying[name],
            "staged": sum(load_id not in merged for load_id in waiting),
            "merged": done[name],
            "superseded": ended.get((name, "superseded"), 0),
            "rejected_rows": rejected.get(name, 0),
            "dead_letters": ended.get((name, "dead_lettered"), 0),
        }
    waiting_letters = sum(connection.undelivered(f"{service}-dead-letter") for service in ("ingest", "merge"))
    return {"feeds": answer, "dead_letters": waiting_letters, "messages_in_flight": messages}  # type: ignore[dict-item]
