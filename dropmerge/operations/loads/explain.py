"""The life of one object generation, as `dropmerge explain` and `--json` show it."""

from __future__ import annotations

import re
from typing import Any

from google.api_core import exceptions

from dropmerge.cli.exit_codes import usage_error
from dropmerge.operations.connection import Connection
from dropmerge.operations.loads.events import TERMINAL_STATES
from dropmerge.operations.loads.history import LoadHistory, load_history


def explain_object(connection: Connection, uri: str, with_jobs: bool = False) -> dict[str, Any]:
    """Keys load_id, state, feed, bucket, object, generation, events, and what is known of the state.

    `with_jobs`: also jobs and merged_rows, which take listing the jobs of that time.
    """
    match = re.fullmatch(r"gs://([^/]+)/(.+?)(?:#([0-9]{1,18}|[0-9]{19}))?", uri, re.DOTALL)
    if match is None:
        usage_error(f"{uri!r} is not gs://bucket/object[#generation]")
    bucket, name = match[1], match[2]
    generation = int(match[3]) if match[3] else _latest(connection, bucket, name)
    facts = load_history(connection, bucket, name, generation or 0)
    state = facts.state
    answer: dict[str, Any] = {
        "load_id": facts.load_id,
        "state": state,
        "feed": facts.feed,
        "bucket": bucket,
        "object": name,
        "generation": generation,
    }
    if state == "merged":
        answer.update(facts.merge_details)
    elif state == "dead_lettered":
        answer.update(facts.dead_letter)
    elif state not in TERMINAL_STATES and generation:
        # The journal knows of no end; the letter, if there is one, does.
        letter = facts.waiting_dead_letter
        if letter is not None:
            answer.update(state="dead_lettered", reason=letter.reason, error=letter.error, dead_letter=letter.id)
    if facts.rejected:
        answer["rejected"] = facts.rejected
    if with_jobs:
        answer.update(facts.job_details)
    if answer["state"] == "unknown":
        answer["why"] = _why_unknown(facts)
    return {**answer, "events": facts.events}


def _why_unknown(facts: LoadHistory) -> str:
    if facts.live:
        return "the object is there and no notification of it has been heard: `dropmerge backfill` announces it"
    return "no such object generation is there, and neither ledger nor journal knows of it"


def _latest(connection: Connection, bucket: str, name: str) -> int | None:
    try:
        blob = connection.storage.bucket(bucket).get_blob(name)
    except exceptions.NotFound:
        blob = None
    if blob is not None:
        return int(blob.generation)
    rows = connection.rows(
        "SELECT MAX(generation) AS generation FROM `ops.journal` WHERE bucket = @bucket AND object = @object",
        {"bucket": ("STRING", bucket), "object": ("STRING", name)},
    )
    return rows[0]["generation"] if rows else None
