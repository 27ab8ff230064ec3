"""`dropmerge rejected`: rows that failed their checks."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.console.connection import HERE, Json, Project, State, errors_in_words, open_connection


def rejected(
    feed: Annotated[str | None, typer.Option("--feed", help="Of this feed only.")] = None,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
) -> None:
    """Rejected rows, each as it was, with every reason."""
    with errors_in_words():
        connection = open_connection(state, project)
        found = connection.rows(
            "SELECT feed, bucket, object, generation, row_text, reasons FROM `ops.rejected_rows`"
            " WHERE @feed = '' OR feed = @feed ORDER BY feed, object, generation",
            {"feed": ("STRING", feed or "")},
        )
    rows = [
        {
            **{k: r[k] for k in ("feed", "bucket", "object", "generation")},
            "row": json.loads(r["row_text"]),
            "reasons": list(r["reasons"]),
        }
        for r in found
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("feed", "object", "reasons", "row")
    for one in rows:
        table.add_row(
            one["feed"],
            f"{one['object']}#{one['generation']}",
            "\n".join(one["reasons"]),
            json.dumps(one["row"]),
        )
    Console().print(table)
