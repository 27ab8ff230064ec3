"""The whole corpus, given to one local cloud at once, and what became of it.

`python -m tests.corpus.corpus` says what each file, value and message is and where it must end.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dropmerge.operations.loads.events import journal_states
from dropmerge.operations.loads.states import Evidence, State, state_of
from dropmerge.operations.loads.status import merged_among
from services.shared.contract.pattern import feed_for
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.dead_letter import DeadLetter
from tests.corpus.files import File, files
from tests.corpus.messages import Message, messages
from tests.corpus.values import Refused, as_csv, values
from tests.harness.pipeline import Pipeline

_VALUES_OBJECT = "incoming/values/values.csv"


@dataclass(frozen=True)
class Outcome:
    """Of a file: its state in the journal and the ledger, its dead letter, its rows of the main table."""

    state: str
    dead_letter: DeadLetter | None
    rows: Mapping[str, str | None]


@dataclass(frozen=True)
class Outcomes:
    files: Mapping[str, Outcome]
    values: Mapping[str, Mapping[str, Any] | Refused]
    """By label: the row of the main table, or the reasons why there is none."""
    answers: Mapping[str, int]
    """By name of a push body: the HTTP status."""
    logged: Mapping[str, tuple[str, str | None]]
    """By name of a published message: outcome and reason."""
    dead_letters: list[DeadLetter]


def run(pipeline: Pipeline) -> Outcomes:
    """Drop, publish and push everything, await the end, and look."""
    with ThreadPoolExecutor(8) as pool:
        generations = dict(pool.map(lambda file: (file.name, _upload(pipeline, file)), files()))
        _put(pipeline, _VALUES_OBJECT, as_csv([value.row() for value in values()]), None)
        published = [message for message in messages() if not message.is_push_body]
        ids = dict(
            pool.map(lambda m: (pipeline.publish(m.topic, m.data, m.attributes), m.name), published),
        )
        pushed = [message for message in messages() if message.is_push_body]
        answers = dict(pool.map(lambda m: (m.name, _push(pipeline, m)), pushed))
    pipeline.wait_until_idle()
    dead_letters = pipeline.dead_letters()
    return Outcomes(
        _file_outcomes(pipeline, generations, dead_letters),
        _value_outcomes(pipeline),
        answers,
        _logged(pipeline, ids),
        dead_letters,
    )


def _upload(pipeline: Pipeline, file: File) -> int:
    return _put(pipeline, file.object_name, file.content(), file.content_encoding)


def _put(pipeline: Pipeline, name: str, data: bytes, content_encoding: str | None) -> int:
    """Returns the generation."""
    blob = pipeline.connection.storage.bucket("landing").blob(name)
    blob.content_encoding = content_encoding
    blob.upload_from_string(data, timeout=120)
    return int(blob.generation)


def _push(pipeline: Pipeline, message: Message) -> int:
    url = pipeline.cloud.read()[f"DROPMERGE_{message.service.upper()}_URL"]
    with urllib.request.urlopen(urllib.request.Request(url, message.data, method="POST"), timeout=300) as answer:
        return int(answer.status)


def _file_outcomes(
    pipeline: Pipeline, generations: Mapping[str, int], dead_letters: list[DeadLetter]
) -> dict[str, Outcome]:
    ever = datetime.fromtimestamp(0, UTC)
    states = journal_states(pipeline.connection, ever)
    sources = [ObjectGeneration("landing", file.object_name, generations[file.name]) for file in files()]
    loads = [Load(wanting.name, one) for one in sources if (wanting := feed_for(pipeline.connection.feeds, one.name))]
    merged = merged_among(pipeline.connection, [load.load_id for load in loads])
    # Two objects may be of one microsecond, and so of one generation.
    by_object = {(dead_letter.object, dead_letter.generation): dead_letter for dead_letter in dead_letters}
    rows: dict[tuple[str, int], dict[str, str | None]] = {}
    for feed in ("strict", "open", "semicolons"):
        # A long text by its digest: an answer has room for rows, not for cells of 50 MB.
        sql = (
            "SELECT id, IF(LENGTH(note) > 300000, TO_HEX(SHA256(note)), note) AS note, _object, _generation"
            f" FROM `main.{feed}` WHERE NOT _deleted"
        )
        for row in pipeline.connection.rows(sql):
            rows.setdefault((row["_object"], row["_generation"]), {})[row["id"]] = row["note"]
    found = {}
    for file in files():
        generation = generations[file.name]
        wanting = feed_for(pipeline.connection.feeds, file.object_name)
        source = ObjectGeneration("landing", file.object_name, generation)
        load_id = Load(wanting.name, source).load_id if wanting else None
        known = states.get(source)
        state = state_of(Evidence(load_id in merged, known.events, known.is_served)) if known else State.IGNORED
        dead_letter = by_object.get((file.object_name, generation))
        found[file.name] = Outcome(state, dead_letter, rows.get((f"gs://landing/{file.object_name}", generation), {}))
    return found


def _value_outcomes(pipeline: Pipeline) -> dict[str, Mapping[str, Any] | Refused]:
    found: dict[str, Mapping[str, Any] | Refused] = {}
    for row in pipeline.connection.rows("SELECT * FROM `main.values`"):
        # A delete keeps its key and version only; its key is its label.
        found[row["label"] or row["id"]] = dict(row)
    for row in pipeline.connection.rows("SELECT row_text, reasons FROM `ops.rejected_rows` WHERE feed = 'values'"):
        found[json.loads(row["row_text"])["label"]] = Refused(tuple(row["reasons"]))
    return found


def _logged(pipeline: Pipeline, ids: Mapping[str, str]) -> dict[str, tuple[str, str | None]]:
    found = {}
    for service in ("ingest", "merge"):
        for line in pipeline.cloud.log(service).read_text(errors="replace").splitlines():
            entry = json.loads(line) if line.startswith("{") else {}
            name = ids.get(entry.get("message_id", ""))
            if name and "outcome" in entry:
                found[name] = (entry["outcome"], entry.get("reason"))
    return found


def _describe() -> None:
    for file in files():
        note = f" (BigQuery: {file.on_bigquery})" if file.on_bigquery else ""
        print(f"file     {file.name:24} {file.what}: {file.state} {file.reason or ''}{note}")
    for value in values():
        end = ", ".join(value.becomes.reasons) if isinstance(value.becomes, Refused) else repr(value.becomes)[:60]
        print(f"value    {value.label:24} {value.column} {value.text[:40]!r}: {end}")
    for message in messages():
        print(f"message  {message.name:36} {message.what}: {message.ends} {message.reason or ''}")


if __name__ == "__main__":
    _describe()
