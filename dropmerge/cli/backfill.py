"""`dropmerge backfill`: announce again what is in a bucket and not in the table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer

from dropmerge.cli.exit_codes import report_errors
from dropmerge.cli.options import (
    DEFAULT_FEEDS_DIR,
    DEFAULT_STATE_DIR,
    DryRun,
    Feeds,
    GcsUri,
    Json,
    Project,
    Rate,
    State,
    Yes,
    parse_gcs_uri,
)
from dropmerge.cli.terminal import (
    confirm,
    current_user,
    escape_unprintable,
    pluralize,
    progress,
    require_terminal,
    shorten_list,
)
from dropmerge.operations.connection import Connection, open_connection
from dropmerge.operations.rate import RateLimiter
from services.shared.contract.pattern import feed_for
from services.shared.generation import ObjectGeneration
from services.shared.load import Load


@dataclass(frozen=True)
class Candidate:
    load: Load
    resource: Mapping[str, Any]
    """What Cloud Storage would tell of the object beside its name: keys as in its JSON API."""


def backfill(
    prefix: Annotated[GcsUri, typer.Argument(parser=parse_gcs_uri, metavar="gs://BUCKET/PREFIX")],
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
    state: State = DEFAULT_STATE_DIR,
    project: Project = None,
    feeds: Feeds = DEFAULT_FEEDS_DIR,
) -> None:
    """Announce every live object that a feed matches and the ledger does not know.

    The message is the one that Cloud Storage sends, with an attribute announced_by, so it also finds what no
    notification ever told of. Safe to interrupt and to repeat: a load already merged is not announced, one on its
    way is merged once.

    Of the archive bucket, the generations that were pinned there are announced, also those that are long gone
    from the landing bucket.
    """
    ask_first = not dry_run and not yes
    if ask_first:
        require_terminal("backfill")
    nameless: list[str] = []
    with report_errors():
        connection = open_connection(state, project, feeds)
        pace = RateLimiter(rate)
        found: Iterable[list[Candidate]] = _unmerged(connection, _all(connection, prefix, nameless), pace.batch)
        if ask_first:
            found = _confirmed(found)
        announced = []
        with progress().status("looking") as line:
            for some in found:
                if not dry_run:
                    pace.wait(len(some))
                    _publish_notifications(connection, some)
                announced += [one.load for one in some]
                line.update(pluralize(len(announced), "object"))
    for name in nameless:
        typer.echo(
            f"{escape_unprintable(name)}: not a copy that ingest made: its metadata does not say of what", err=True
        )
    if as_json:
        typer.echo(json.dumps([load.fields for load in announced], indent=2))
        return
    if not ask_first:
        _list(announced)
    typer.echo(f"{'would announce' if dry_run else 'announced'} {pluralize(len(announced), 'object')}")


def _confirmed(found: Iterable[list[Candidate]]) -> list[list[Candidate]]:
    """What the person has seen and agreed to, and nothing that comes while they think."""
    with progress().status("looking"):
        batches = list(found)
    if batches:
        loads = [one.load for batch in batches for one in batch]
        _list(loads, err=True)
        confirm(f"announce {pluralize(len(loads), 'object')}?")
    return batches


def _list(loads: Sequence[Load], err: bool = False) -> None:
    for line in shorten_list([escape_unprintable(f"{load.source}  {load.feed}") for load in loads]):
        typer.echo(line, err=err)


def _all(connection: Connection, prefix: GcsUri, nameless: list[str]) -> Iterator[Candidate]:
    if prefix.bucket == connection.archive:
        return _pinned(connection, prefix, nameless)
    return _live(connection, prefix)


def _unmerged(connection: Connection, wanted: Iterator[Candidate], most: int) -> Iterator[list[Candidate]]:
    while some := list(islice(wanted, most)):
        rows = connection.rows(
            "SELECT load_id FROM `ops.ledger` WHERE load_id IN UNNEST(SPLIT(@load_ids))",
            {"load_ids": ("STRING", ",".join(one.load.load_id for one in some))},
        )
        merged = {row["load_id"] for row in rows}
        if left := [one for one in some if one.load.load_id not in merged]:
            yield left


def _live(connection: Connection, prefix: GcsUri) -> Iterator[Candidate]:
    for blob in connection.storage.list_blobs(prefix.bucket, prefix=prefix.name):
        feed = None if blob.name.endswith("/") else feed_for(connection.feeds, blob.name)
        if feed:
            load = Load(feed.name, ObjectGeneration(prefix.bucket, blob.name, int(blob.generation)))
            more = {
                "metageneration": str(blob.metageneration),
                "contentType": blob.content_type,
                "md5Hash": blob.md5_hash,
                "crc32c": blob.crc32c,
            }
            yield Candidate(load, {"timeCreated": blob.time_created.isoformat(), "size": str(blob.size), **more})


def _pinned(connection: Connection, prefix: GcsUri, nameless: list[str]) -> Iterator[Candidate]:
    """An archived object is called by its load id, and its metadata tells of what load."""
    for blob in connection.storage.list_blobs(prefix.bucket, prefix=prefix.name):
        load = Load.from_archive(blob.name, blob.metadata)
        if load is None:
            nameless.append(f"gs://{prefix.bucket}/{blob.name}")
        else:
            yield Candidate(load, {"timeCreated": load.source.created.isoformat(), "size": str(blob.size)})


def _publish_notifications(connection: Connection, found: list[Candidate]) -> None:
    from services.shared.journal import Event

    at, by = datetime.now(UTC), current_user()
    topic = connection.topology["subscriptions"]["ingest"]["topic"]
    ids = connection.publisher.publish(topic, [notification(one) for one in found])
    connection.journal.write(
        [
            (Event("announced", {"message_id": message_id, "who": by}, at), one.load.fields)
            for one, message_id in zip(found, ids, strict=True)
        ]
    )


def notification(found: Candidate) -> tuple[bytes, dict[str, str]]:
    """As Cloud Storage makes it, and by whom: https://cloud.google.com/storage/docs/pubsub-notifications"""
    source = found.load.source
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": source.bucket,
        "objectId": source.name,
        "objectGeneration": str(source.generation),
        "eventTime": str(found.resource["timeCreated"]),
        "announced_by": "backfill",
    }
    resource = {
        "kind": "storage#object",
        "id": f"{source.bucket}/{source.name}/{source.generation}",
        "name": source.name,
        "bucket": source.bucket,
        "generation": str(source.generation),
        **found.resource,
    }
    payload = {key: value for key, value in resource.items() if value is not None}
    return json.dumps(payload).encode(), attributes
