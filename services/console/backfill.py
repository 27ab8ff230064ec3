"""`dropmerge backfill`: announce again what is in the bucket and not in the table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer
from rich.console import Console

from services.console.connection import (
    FEEDS,
    HERE,
    Connection,
    DryRun,
    Feeds,
    Json,
    Project,
    Rate,
    State,
    Yes,
    ask,
    errors_in_words,
    fail,
    open_connection,
    who,
)
from services.console.publish import Message, Pace, publish
from services.shared.feed import feed_for
from services.shared.journal import Event
from services.shared.load import Load

_SHOWN = 20
Found = tuple[Any, Load]
"""A blob, and the load that it would be."""


def backfill(
    prefix: Annotated[str, typer.Argument(metavar="gs://bucket/prefix")],
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = HERE,
    project: Project = None,
    feeds: Feeds = FEEDS,
) -> None:
    """Announce every live object that a feed matches and the ledger does not know.

    The message is the one that Cloud Storage sends, so it also finds what no notification ever told of. Safe to
    interrupt and to repeat: a load already merged is not announced, one on its way is merged once.
    """
    match = re.fullmatch(r"gs://([^/]+)(?:/(.*))?", prefix, re.DOTALL)
    if match is None:
        fail(f"{prefix!r} is not gs://bucket/prefix", 2)
    bucket, start, pace = match[1], match[2] or "", Pace(rate)
    with errors_in_words():
        connection = open_connection(state, project, feeds)
        if not dry_run:
            ask(f"announce what is under {prefix} and not merged (--dry-run lists it)?", yes)
        announced = []
        with Console(stderr=True).status("looking") as line:
            for some in _unmerged(connection, bucket, start, pace.batch):
                if not dry_run:
                    pace.wait(len(some))
                    _announce(connection, some)
                announced += [load for _, load in some]
                line.update(f"{len(announced)} objects")
    if as_json:
        typer.echo(json.dumps([_public(load) for load in announced], indent=2))
        return
    for load in announced[:_SHOWN]:
        typer.echo(f"{load.uri}#{load.generation}  {load.feed}")
    if len(announced) > _SHOWN:
        typer.echo(f"… and {len(announced) - _SHOWN} more")
    typer.echo(f"{'would announce' if dry_run else 'announced'} {len(announced)} objects")


def _unmerged(connection: Connection, bucket: str, prefix: str, most: int) -> Iterator[list[Found]]:
    wanted = _wanted(connection, bucket, prefix)
    while some := list(islice(wanted, most)):
        rows = connection.rows(
            "SELECT load_id FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@load_ids))",
            {"load_ids": ("STRING", ",".join(load.load_id for _, load in some))},
        )
        merged = {row["load_id"] for row in rows}
        if left := [(blob, load) for blob, load in some if load.load_id not in merged]:
            yield left


def _wanted(connection: Connection, bucket: str, prefix: str) -> Iterator[Found]:
    for blob in connection.storage.list_blobs(bucket, prefix=prefix):
        feed = None if blob.name.endswith("/") else feed_for(connection.feeds, blob.name)
        if feed:
            yield blob, Load(feed.feed, bucket, blob.name, int(blob.generation))


def _announce(connection: Connection, found: list[Found]) -> None:
    at, by = datetime.now(UTC), who()
    topic = connection.topology["subscriptions"]["ingest"]["topic"]
    ids = publish(connection, topic, [notification(blob) for blob, _ in found])
    connection.journal.write(
        [
            (Event("announced", {"message_id": message_id, "who": by}, at), _public(load))
            for (_, load), message_id in zip(found, ids, strict=True)
        ]
    )


def notification(blob: Any) -> Message:
    """As Cloud Storage makes it: https://cloud.google.com/storage/docs/pubsub-notifications"""
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": blob.bucket.name,
        "objectId": blob.name,
        "objectGeneration": str(blob.generation),
        "eventTime": blob.time_created.isoformat(),
    }
    resource = {
        "kind": "storage#object",
        "id": f"{blob.bucket.name}/{blob.name}/{blob.generation}",
        "name": blob.name,
        "bucket": blob.bucket.name,
        "generation": str(blob.generation),
        "metageneration": str(blob.metageneration),
        "contentType": blob.content_type,
        "timeCreated": blob.time_created.isoformat(),
        "size": str(blob.size),
        "md5Hash": blob.md5_hash,
        "crc32c": blob.crc32c,
    }
    payload = {key: value for key, value in resource.items() if value is not None}
    return json.dumps(payload).encode(), attributes


def _public(load: Load) -> dict[str, object]:
    return {
        "load_id": load.load_id,
        "feed": load.feed,
        "bucket": load.bucket,
        "object": load.object,
        "generation": load.generation,
    }
