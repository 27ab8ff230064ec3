"""The statements that dropmerge sends for a file, sent by hand: recorded at the proxy, onto tables of other names.

A plain client sends them one after the other: load job, check, counts, staging, key range, MERGE, and the deletes of
what they leave behind. Neither notification nor message, journal or pinned copy is between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.cloud import bigquery

from tests.harness.faults.calls import Call
from tests.harness.pipeline import Pipeline
from tests.programs.bench.drops import upload

FEED = "by_hand"
_RECORDED = "accounts"
_TABLE_ID = "SELECT table_id FROM `ops.main_tables` WHERE main_table = @main"


def add_feed(feeds: Path) -> None:
    """A feed like accounts, with a main table, lock and ledger of its own."""
    text = (feeds / f"{_RECORDED}.yaml").read_text()
    (feeds / f"{FEED}.yaml").write_text(text.replace(_RECORDED, FEED))


def send(pipeline: Pipeline, calls: Sequence[Call], load_id: str, file: Path) -> None:
    """Upload the file, and repeat what these calls did with it."""
    renamed = _Renamed(pipeline, load_id)
    upload(pipeline, "archive", renamed.name(f"{_RECORDED}/{load_id}.csv"), file)
    client: bigquery.Client = pipeline.connection.warehouse.client
    for call in calls:
        _repeat(client, call, renamed)


def _repeat(client: bigquery.Client, call: Call, renamed: _Renamed) -> None:
    if call.step == "drop":
        _, _, path = renamed.name(call.path).partition("/datasets/")
        dataset, _, table = path.partition("?")[0].partition("/tables/")
        client.delete_table(f"local.{dataset}.{table}", not_found_ok=True)
    elif call.api == "bigquery" and call.method == "POST":
        body = json.loads(renamed.name(call.body.decode()))
        if "load" in body.get("configuration", {}):
            config = body["configuration"]["load"]
            into = bigquery.TableReference.from_api_repr(config.pop("destinationTable"))
            uris = config.pop("sourceUris")
            job: Any = bigquery.LoadJobConfig.from_api_repr({"load": config})
            client.load_table_from_uri(uris, into, job_config=job).result()
        elif call.sql:
            query = body.get("configuration", {}).get("query", body)
            config = {name: query[name] for name in ("queryParameters", "parameterMode") if name in query}
            asked: Any = bigquery.QueryJobConfig.from_api_repr({"query": config})
            client.query_and_wait(query["query"], job_config=asked)


class _Renamed:
    """What names of the recorded load become."""

    def __init__(self, pipeline: Pipeline, load_id: str) -> None:
        ids = [_table_id(pipeline, f"main.{feed}") for feed in (_RECORDED, FEED)]
        self._names: Mapping[str, str] = {load_id: load_id[::-1], ids[0]: ids[1], _RECORDED: FEED}
        self._pattern = re.compile("|".join(map(re.escape, self._names)))

    def name(self, text: str) -> str:
        return self._pattern.sub(lambda match: self._names[match[0]], text)


def _table_id(pipeline: Pipeline, main: str) -> str:
    (row,) = pipeline.connection.rows(_TABLE_ID, {"main": ("STRING", main)})
    return str(row["table_id"])
