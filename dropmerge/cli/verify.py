"""`dropmerge verify`: a main table held against the files that it was made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dropmerge.cli.command import connect
from dropmerge.cli.exit_codes import FAILED, report_errors
from dropmerge.cli.options import DEFAULT_FEEDS_DIR, DEFAULT_STATE_DIR, FeedArgument, Feeds, Json, Project, State
from dropmerge.cli.terminal import escape_unprintable, files_merged, pluralize, shorten_list

if TYPE_CHECKING:
    from dropmerge.operations.connection import Connection
    from dropmerge.operations.rebuild.verify import Difference, Verified

_WHAT = {
    "missing": "is missing",
    "extra": "is from no file, or is there twice",
    "brought_back": "was deleted and is there again",
    "deleted": "is deleted but should be there",
    "changed": "differs",
}


def verify(
    feed: FeedArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="List at most N rows.")] = 100,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Compare a feed's main table, row by row, with the table that its files make.

    The archived files of every merged load are read again, under the current contract, into a separate table. Files
    merged meanwhile and purged tombstones do not count as differences. Exit code 1 if a row differs.

    Example: dropmerge verify accounts --limit 20
    """
    with report_errors():
        found = _run(connect(state, project, feeds), feed, limit)
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=2, default=str))
    else:
        for line in _lines(found, limit):
            typer.echo(escape_unprintable(line))
    if not found.is_equal:
        raise typer.Exit(FAILED)


def _run(connection: Connection, feed: str, limit: int) -> Verified:
    from dropmerge.operations.rebuild.verify import Verification

    with files_merged() as tell:
        return Verification(connection, connection.feed(feed), limit, tell).run()


def _as_json(found: Verified) -> dict[str, object]:
    return {
        "table": found.table,
        "files": found.files,
        "differences": sum(found.counts.values()),
        "counts": found.counts,
        "other_contracts": found.other_contracts,
        "rows": [asdict(one) for one in found.listed],
        "refused": [one.as_json() for one in found.refused],
        "gone": list(found.gone),
        "not_compared": list(found.not_compared),
    }


def _lines(found: Verified, limit: int) -> Iterator[str]:
    yield from (_line(one, "" if one.table == found.table else f"{one.table}: ") for one in found.listed)
    total = sum(found.counts.values())
    if total > limit:
        yield f"… and {total - limit} more: use --limit to list them"
    for contract, count in found.other_contracts.items():
        yield (
            f"{pluralize(count, 'row')} of these were read by contract {contract}, which is not the current one: "
            "`dropmerge rebuild` reads them again"
        )
    for name in found.not_compared:
        yield f"column {name} is not compared: the table does not have it, or has it with another type"
    yield from shorten_list(
        [
            f"could not be read, so its rows are not compared: {one.one.load.source}: {one.reason}"
            for one in found.refused
        ]
    )
    yield from shorten_list([f"load {one}: the archive has no copy of its file" for one in found.gone])
    counted = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in sorted(found.counts.items()))
    differ = "1 row differs" if total == 1 else f"{total or 'no'} rows differ"
    made = f"what {pluralize(found.files, 'file')} {'makes' if found.files == 1 else 'make'}"
    yield f"{found.table}: {differ} from {made}{f' ({counted})' if counted else ''}"


def _line(one: Difference, table: str) -> str:
    key = ", ".join(f"{name}={value}" for name, value in one.key.items())
    columns = "; ".join(f"{name}: {live!r}, should be {right!r}" for name, (live, right) in one.columns.items())
    since = f", merged {one.merged_at:%Y-%m-%d %H:%M:%S}" if one.merged_at else ""
    shown = f" ({columns})" if columns else ""
    return f"{table}{key} {_WHAT[one.what]}{shown}: from {one.object}#{one.generation}{since}"
